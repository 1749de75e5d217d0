/* libzmq: REQ/REP round trips, PUSH/PULL streaming, paced PUSH/PULL. zmq_send and zmq_recv, options left at their defaults. */
#include <zmq.h>

#include "bench.h"

static void *context, *sock;

static void check(int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
        exit(1);
    }
}

static void open_socket(const struct job *job)
{
    static const int types[3][2] = {{ZMQ_REQ, ZMQ_REP}, {ZMQ_PUSH, ZMQ_PULL}, {ZMQ_PUSH, ZMQ_PULL}};
    context = zmq_ctx_new();
    sock = zmq_socket(context, types[job->mode][job->server]);
    if (!sock)
        check(-1, "zmq_socket");
    if (job->server) {
        check(zmq_bind(sock, job->endpoint), "zmq_bind");
        ready();
    } else {
        check(zmq_connect(sock, job->endpoint), "zmq_connect");
    }
}

/* Returns when everything is sent. */
static void close_socket(void)
{
    check(zmq_close(sock), "zmq_close");
    check(zmq_ctx_term(context), "zmq_ctx_term");
}

static void send_one(const char *body, size_t size)
{
    check(zmq_send(sock, body, size, 0), "zmq_send");
}

static void receive_one(char *body, size_t size)
{
    int n = zmq_recv(sock, body, size, 0);
    check(n, "zmq_recv");
    if ((size_t)n != size) {
        errno = EMSGSIZE;
        die("zmq_recv");
    }
}

static void answer(const struct job *job, char *body)
{
    double cpu_before = 0;
    for (size_t i = 0; i < job->warm_up + job->count; i++) {
        if (i == job->warm_up)
            cpu_before = cpu_s();
        receive_one(body, job->size);
        send_one(body, job->size);
    }
    double cpu = cpu_s() - cpu_before;
    close_socket();
    print_cpu(cpu);
}

static void ask(const struct job *job, char *body)
{
    uint64_t *stamps_ns = allocate(job->count * sizeof *stamps_ns);
    double cpu_before = 0;
    for (size_t i = 0; i < job->warm_up + job->count; i++) {
        if (i == job->warm_up)
            cpu_before = cpu_s();
        uint64_t before_ns = now_ns();
        send_one(body, job->size);
        receive_one(body, job->size);
        if (i >= job->warm_up)
            stamps_ns[i - job->warm_up] = now_ns() - before_ns;
    }
    double cpu = cpu_s() - cpu_before;
    close_socket();
    print_percentiles(stamps_ns, job->count, cpu);
}

static void stream(const struct job *job, char *body)
{
    double cpu_before = cpu_s();
    if (job->mode == PACED) {
        struct pace pace = pace_start(job->rate);
        for (size_t i = 0; i < job->warm_up + job->count; i++) {
            uint64_t stamp_ns = pace_wait(&pace);
            memcpy(body, &stamp_ns, sizeof stamp_ns);
            send_one(body, job->size);
        }
    } else {
        for (size_t i = 0; i < job->count; i++)
            send_one(body, job->size);
    }
    close_socket();
    print_cpu(cpu_s() - cpu_before);
}

static void receive(const struct job *job, char *body)
{
    uint64_t *latencies_ns = allocate(job->count * sizeof *latencies_ns);
    uint64_t first_ns = 0;
    double cpu_before = 0;
    for (size_t i = 0; i < job->warm_up + job->count; i++) {
        receive_one(body, job->size);
        if (i == job->warm_up) {
            first_ns = now_ns();
            cpu_before = cpu_s();
        }
        if (job->mode == PACED && i >= job->warm_up) {
            uint64_t stamp_ns;
            memcpy(&stamp_ns, body, sizeof stamp_ns);
            latencies_ns[i - job->warm_up] = now_ns() - stamp_ns;
        }
    }
    uint64_t elapsed_ns = now_ns() - first_ns;
    double cpu = cpu_s() - cpu_before;
    close_socket();
    if (job->mode == PACED)
        print_percentiles(latencies_ns, job->count, cpu);
    else
        print_rate(job, elapsed_ns, cpu);
}

int main(int argc, char **argv)
{
    struct job job = parse_job(argc, argv);
    char *body = allocate(job.size);
    open_socket(&job);
    if (job.mode == LAT && job.server)
        answer(&job, body);
    else if (job.mode == LAT)
        ask(&job, body);
    else if (job.server)
        receive(&job, body);
    else
        stream(&job, body);
    free(body);
    return 0;
}
