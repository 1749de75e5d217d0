/* Two threads of one process for the raw contenders: the client is the one that was there, the server is started beside it. */
#ifndef TIGHTBEAM_RAW_THREADS_H
#define TIGHTBEAM_RAW_THREADS_H

#include "bench.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

/* Sleeps while the word has this value. */
static inline void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static inline void futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* What both threads do; `job->server` says which one it is. */
static inline void run_both(struct job *job, void *(*serve)(void *), void (*ask)(const struct job *))
{
    struct job other = *job;
    pthread_t server;
    other.server = true;
    if (pthread_create(&server, NULL, serve, &other))
        die("pthread_create");
    pin(job);
    ask(job);
    pthread_join(server, NULL);
}

#endif
