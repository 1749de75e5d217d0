/* The limit of a round trip between two threads: each copies the message into memory that both see and wakes the other with
 * a futex. */
#include "bench.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One direction. */
struct slot {
    _Atomic uint32_t full;
    char *body;
};

static struct slot to_server, to_client;

static void put(struct slot *slot, const char *body, size_t size)
{
    memcpy(slot->body, body, size);
    atomic_store(&slot->full, 1);
    syscall(SYS_futex, &slot->full, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void take(struct slot *slot, char *body, size_t size)
{
    while (!atomic_load(&slot->full))
        syscall(SYS_futex, &slot->full, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    memcpy(body, slot->body, size);
    atomic_store(&slot->full, 0);
}

static void *answer(void *argument)
{
    const struct job *job = argument;
    char *body = allocate(job->size);
    double cpu_before = 0;
    pin(job);
    ready();
    for (size_t i = 0; i < job->warm_up + job->count; i++) {
        if (i == job->warm_up)
            cpu_before = cpu_s(job);
        take(&to_server, body, job->size);
        put(&to_client, body, job->size);
    }
    print_cpu(cpu_s(job) - cpu_before);
    return NULL;
}

int main(int argc, char **argv)
{
    struct job job = parse_job(argc, argv), other = job;
    char *body = allocate(job.size);
    uint64_t *stamps_ns = allocate(job.count * sizeof *stamps_ns);
    double cpu_before = 0;
    pthread_t server;
    if (!job.both || job.mode != LAT) {
        fprintf(stderr, "raw_futex knows lat of both\n");
        return 2;
    }
    to_server.body = allocate(job.size);
    to_client.body = allocate(job.size);
    other.server = true;
    if (pthread_create(&server, NULL, answer, &other))
        die("pthread_create");
    pin(&job);
    for (size_t i = 0; i < job.warm_up + job.count; i++) {
        if (i == job.warm_up)
            cpu_before = cpu_s(&job);
        uint64_t before_ns = now_ns();
        put(&to_server, body, job.size);
        take(&to_client, body, job.size);
        if (i >= job.warm_up)
            stamps_ns[i - job.warm_up] = now_ns() - before_ns;
    }
    double cpu = cpu_s(&job) - cpu_before;
    pthread_join(server, NULL);
    print_percentiles(stamps_ns, job.count, cpu);
    return 0;
}
