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

/* Sockets stay open until everything has arrived: the last sender waits for the server's word, the others for the last one. */
struct finish {
    int control;
    atomic_size_t sent;
    atomic_bool arrived;
};

static void send_all(const struct job *job, size_t peer, void *shared)
{
    struct finish *finish = shared;
    void *socket = open_socket(job, ZMQ_PUSH);
    char *body = allocate(job->size);
    struct pace pace = pace_start(job->rate);
    (void)peer;
    for (size_t i = 0; i < (job->warm + job->count) / job->peers; i++) {
        if (job->work == PACED) {
            uint64_t stamp_ns = pace_wait(&pace);
            memcpy(body, &stamp_ns, sizeof stamp_ns);
        }
        send_message(socket, body, job->size, job->parts);
    }
    if (atomic_fetch_add(&finish->sent, 1) + 1 == job->peers) {
        await_acknowledgement(finish->control);
        atomic_store(&finish->arrived, true);
    }
    while (!atomic_load(&finish->arrived))
        sleep_ms(5);
    close_socket(socket);
    free(body);
}

void stream_send(const struct job *job)
{
    struct finish finish = {.control = control_connect(job)};
    struct used before = used_so_far();
    side_by_side(job, send_all, &finish);
    print_used(used_since(before));
}
