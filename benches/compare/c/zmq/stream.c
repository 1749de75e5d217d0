/* One way, PUSH to PULL: as fast as it goes from one or many senders, or paced. */
#include "zmq_bench.h"

#include <stdatomic.h>

void stream_receive(const struct job *job)
{
    int control;
    void *socket = serve(job, ZMQ_PULL, &control);
    bool paced = job->work == PACED;
    char *body = allocate(job->size);
    uint64_t *latencies_ns = allocate((paced ? job->warm + job->count : 0) * sizeof *latencies_ns), first_ns = 0;
    struct used before = {0};
    for (size_t i = 0; i < job->warm + job->count; i++) {
        receive_message(socket, body, job->size, job->parts);
        if (i + 1 == job->warm && job->peers > 1)
            acknowledge(control);
        if (i == job->warm) {
            before = used_so_far();
            first_ns = now_ns();
        }
        if (paced) {
            uint64_t stamp_ns;
            memcpy(&stamp_ns, body, sizeof stamp_ns);
            latencies_ns[i] = now_ns() - stamp_ns;
        }
    }
    uint64_t elapsed_ns = now_ns() - first_ns;
    struct used used = used_since(before);
    if (paced)
        leave(job, latencies_ns + job->warm, job->count);
    acknowledge(control);
    close_socket(socket);
    print_time(elapsed_ns, used);
}

/* Where all senders wait for each other, and for the server's word. */
struct gate {
    atomic_size_t waiting;
    atomic_bool open;
};

struct gates {
    int control;
    /* Many senders start together, when the first messages of all have arrived. */
    struct gate start;
    struct used before;
    /* Sockets stay open until everything has arrived. */
    struct gate finish;
};

/* The last of all senders waits for the server's word, the others for the last one. True for the last one. */
static bool wait_at(struct gate *gate, const struct job *job, int control)
{
    bool last = atomic_fetch_add(&gate->waiting, 1) + 1 == job->peers;
    if (last)
        await_acknowledgement(control);
    return last;
}

static void pass(struct gate *gate)
{
    while (!atomic_load(&gate->open))
        sleep_ms(5);
}

static void start(const struct job *job, struct gates *gates)
{
    if (job->peers == 1 || wait_at(&gates->start, job, gates->control)) {
        gates->before = used_so_far();
        atomic_store(&gates->start.open, true);
    }
    pass(&gates->start);
}

static void finish(const struct job *job, struct gates *gates)
{
    if (wait_at(&gates->finish, job, gates->control))
        atomic_store(&gates->finish.open, true);
    pass(&gates->finish);
}

static void send_all(const struct job *job, size_t peer, void *shared)
{
    struct gates *gates = shared;
    void *socket = open_socket(job, ZMQ_PUSH);
    char *body = allocate(job->size);
    size_t left = (job->warm + job->count) / job->peers;
    (void)peer;
    if (job->peers > 1) {
        send_message(socket, body, job->size, job->parts);
        left--;
    }
    start(job, gates);
    struct pace pace = pace_start(job->rate);
    for (size_t i = 0; i < left; i++) {
        if (job->work == PACED) {
            uint64_t stamp_ns = pace_wait(&pace);
            memcpy(body, &stamp_ns, sizeof stamp_ns);
        }
        send_message(socket, body, job->size, job->parts);
    }
    finish(job, gates);
    close_socket(socket);
    free(body);
}

void stream_send(const struct job *job)
{
    struct gates gates = {.control = control_connect(job)};
    side_by_side(job, send_all, &gates);
    print_used(used_since(gates.before));
}
