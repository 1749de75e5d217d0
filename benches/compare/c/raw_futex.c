/* The limit of a round trip between two threads: each copies the message into memory that both see and wakes the other with
 * a futex. */
#include "raw_threads.h"

/* One direction. */
struct slot {
    _Atomic uint32_t full;
    char *body;
};

static struct slot to_server, to_client;
static uint64_t elapsed_ns;
static struct used used;

static void put(struct slot *slot, const char *body, size_t size)
{
    memcpy(slot->body, body, size);
    atomic_store(&slot->full, 1);
    futex_wake(&slot->full);
}

static void take(struct slot *slot, char *body, size_t size)
{
    while (!atomic_load(&slot->full))
        futex_wait(&slot->full, 0);
    memcpy(body, slot->body, size);
    atomic_store(&slot->full, 0);
}

static void *answer(void *argument)
{
    const struct job *job = argument;
    char *body = allocate(job->size);
    pin(job);
    ready();
    for (size_t i = 0; i < job->warm + job->count; i++) {
        take(&to_server, body, job->size);
        put(&to_client, body, job->size);
    }
    print_used((struct used){0}); /* it is the process's, and the client says it */
    return NULL;
}

static void ask(const struct job *job)
{
    char *body = allocate(job->size);
    uint64_t *stamps_ns = allocate(job->count * sizeof *stamps_ns);
    struct used before = {0};
    uint64_t started_ns = 0;
    for (size_t i = 0; i < job->warm + job->count; i++) {
        uint64_t before_ns = now_ns();
        if (i == job->warm) {
            before = used_so_far();
            started_ns = before_ns;
        }
        put(&to_server, body, job->size);
        take(&to_client, body, job->size);
        if (i >= job->warm)
            stamps_ns[i - job->warm] = now_ns() - before_ns;
    }
    elapsed_ns = now_ns() - started_ns;
    used = used_since(before);
    leave(job, stamps_ns, job->count);
}

int main(int argc, char **argv)
{
    struct job job = parse_job(argc, argv);
    if (!job.both || job.work != ROUND_TRIP) {
        fprintf(stderr, "raw_futex knows round-trip of both\n");
        return 2;
    }
    to_server.body = allocate(job.size);
    to_client.body = allocate(job.size);
    run_both(&job, answer, ask);
    print_time(elapsed_ns, used); /* after what the server says */
    return 0;
}
