/* A request at a time: REQ and REP, or two PAIRs. */
#include "zmq_bench.h"

void round_trip_answer(const struct job *job)
{
    int control;
    void *socket = serve(job, job->pair ? ZMQ_PAIR : ZMQ_REP, &control);
    char *body = allocate(job->size);
    struct used before = {0};
    for (size_t i = 0; i < job->warm + job->count; i++) {
        if (i == job->warm)
            before = used_so_far();
        receive_message(socket, body, job->size, job->parts);
        send_message(socket, body, job->size, job->parts);
    }
    struct used used = used_since(before);
    await_acknowledgement(control);
    close_socket(socket);
    print_used(used);
}

void round_trip_ask(const struct job *job)
{
    int control = control_connect(job);
    void *socket = open_socket(job, job->pair ? ZMQ_PAIR : ZMQ_REQ);
    char *body = allocate(job->size);
    uint64_t *stamps_ns = allocate((job->warm + job->count) * sizeof *stamps_ns), started_ns = 0;
    struct used before = {0};
    for (size_t i = 0; i < job->warm + job->count; i++) {
        uint64_t before_ns = now_ns();
        if (i == job->warm) {
            before = used_so_far();
            started_ns = before_ns;
        }
        send_message(socket, body, job->size, job->parts);
        receive_message(socket, body, job->size, job->parts);
        stamps_ns[i] = now_ns() - before_ns;
    }
    uint64_t elapsed_ns = now_ns() - started_ns;
    struct used used = used_since(before);
    leave(job, stamps_ns + job->warm, job->count);
    acknowledge(control);
    close_socket(socket);
    print_time(elapsed_ns, used);
}
