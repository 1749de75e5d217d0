/* Many peers that connect, send one message, and then do nothing. */
#include "zmq_bench.h"

#include <malloc.h>

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

void idle_serve(const struct job *job)
{
    int control;
    size_t heap_before = heap_bytes();
    void *socket = serve(job, ZMQ_PULL, &control);
    char *body = allocate(job->size);
    for (size_t i = 0; i < job->peers; i++)
        receive_message(socket, body, job->size, 1);
    acknowledge(control);
    sleep_ms((long)job->rest_ms / 4);
    double heap = (double)(heap_bytes() - heap_before) / (double)job->peers;
    struct used before = used_so_far();
    sleep_ms((long)job->rest_ms);
    struct used used = used_since(before);
    acknowledge(control);
    await_acknowledgement(control);
    close_socket(socket);
    /* The end of the sleep is one that does not count. */
    printf("{\"heap_each\": %.0f, \"wakeups\": %ld, \"cpu_s\": %.6f, \"switches\": %ld}\n", heap,
           used.switches > 0 ? used.switches - 1 : 0, used.cpu_s, used.switches);
}

void idle_connect(const struct job *job)
{
    int control = control_connect(job);
    void **sockets = allocate(job->peers * sizeof *sockets);
    char *body = allocate(job->size);
    uint64_t start_ns = now_ns();
    for (size_t i = 0; i < job->peers; i++) {
        sockets[i] = open_socket(job, ZMQ_PUSH);
        send_message(sockets[i], body, job->size, 1);
    }
    await_acknowledgement(control);
    uint64_t elapsed_ns = now_ns() - start_ns;
    await_acknowledgement(control);
    acknowledge(control);
    for (size_t i = 0; i < job->peers; i++)
        close_socket(sockets[i]);
    print_time(elapsed_ns, (struct used){0});
}
