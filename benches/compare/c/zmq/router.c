/* Many clients of one ROUTER, each of which waits for its answer. */
#include "zmq_bench.h"

#include <stdatomic.h>

void router_answer(const struct job *job)
{
    int control;
    void *socket = serve(job, ZMQ_ROUTER, &control);
    char *body = allocate(job->size), id[256];
    struct used before = {0};
    for (size_t i = 0; i < job->warm + job->count; i++) {
        if (i == job->warm)
            before = used_so_far();
        int id_size = zmq_recv(socket, id, sizeof id, 0);
        check(id_size, "zmq_recv");
        receive_message(socket, body, job->size, 1);
        check(zmq_send(socket, id, (size_t)id_size, ZMQ_SNDMORE), "zmq_send");
        send_message(socket, body, job->size, 1);
    }
    struct used used = used_since(before);
    await_acknowledgement(control);
    close_socket(socket);
    print_used(used);
}

/* The clients start together, when the last one has warmed up. */
struct start {
    atomic_size_t warm;
    atomic_bool now;
    struct used before;
    uint64_t at_ns, *stamps_ns;
};

static void ask_once(const struct job *job, void *socket, char *body)
{
    send_message(socket, body, job->size, 1);
    receive_message(socket, body, job->size, 1);
}

static void ask(const struct job *job, size_t peer, void *shared)
{
    struct start *start = shared;
    void *socket = open_socket(job, ZMQ_DEALER);
    char *body = allocate(job->size);
    size_t each = job->count / job->peers;
    uint64_t *stamps_ns = start->stamps_ns + peer * each;
    for (size_t i = 0; i < job->warm / job->peers; i++)
        ask_once(job, socket, body);
    if (atomic_fetch_add(&start->warm, 1) + 1 == job->peers) {
        start->before = used_so_far();
        start->at_ns = now_ns();
        atomic_store(&start->now, true);
    }
    while (!atomic_load(&start->now))
        sleep_ms(1);
    for (size_t i = 0; i < each; i++) {
        uint64_t before_ns = now_ns();
        ask_once(job, socket, body);
        stamps_ns[i] = now_ns() - before_ns;
    }
    close_socket(socket);
    free(body);
}

/* Each of the sockets asks so often, and this thread polls all of them. */
static void ask_polled(const struct job *job, zmq_pollitem_t *items, size_t rounds, char *body, uint64_t *stamps_ns)
{
    uint64_t *sent_ns = allocate(job->peers * sizeof *sent_ns);
    size_t *left = allocate(job->peers * sizeof *left), awaited = rounds * job->peers;
    for (size_t i = 0; i < job->peers && rounds; i++) {
        left[i] = rounds;
        sent_ns[i] = now_ns();
        send_message(items[i].socket, body, job->size, 1);
    }
    while (awaited) {
        check(zmq_poll(items, (int)job->peers, -1), "zmq_poll");
        for (size_t i = 0; i < job->peers; i++) {
            if (!(items[i].revents & ZMQ_POLLIN))
                continue;
            receive_message(items[i].socket, body, job->size, 1);
            uint64_t received_ns = now_ns();
            *stamps_ns++ = received_ns - sent_ns[i];
            awaited--;
            if (--left[i]) {
                sent_ns[i] = received_ns;
                send_message(items[i].socket, body, job->size, 1);
            }
        }
    }
    free(sent_ns);
    free(left);
}

static void ask_all(const struct job *job, struct start *start)
{
    zmq_pollitem_t *items = allocate(job->peers * sizeof *items);
    char *body = allocate(job->size);
    uint64_t *warm_ns = allocate(job->warm * sizeof *warm_ns);
    for (size_t i = 0; i < job->peers; i++)
        items[i] = (zmq_pollitem_t){.socket = open_socket(job, ZMQ_DEALER), .events = ZMQ_POLLIN};
    ask_polled(job, items, job->warm / job->peers, body, warm_ns);
    start->before = used_so_far();
    start->at_ns = now_ns();
    ask_polled(job, items, job->count / job->peers, body, start->stamps_ns);
    for (size_t i = 0; i < job->peers; i++)
        close_socket(items[i].socket);
    free(items);
    free(body);
    free(warm_ns);
}

void router_ask(const struct job *job)
{
    int control = control_connect(job);
    struct start start = {.stamps_ns = allocate(job->count * sizeof *start.stamps_ns)};
    if (job->polled)
        ask_all(job, &start);
    else
        side_by_side(job, ask, &start);
    uint64_t elapsed_ns = now_ns() - start.at_ns;
    struct used used = used_since(start.before);
    leave(job, start.stamps_ns, job->count);
    acknowledge(control);
    print_time(elapsed_ns, used);
}
