/* libzmq: REQ/REP round trips (PAIR within a process), PUSH/PULL streaming, plain and with CURVE, paced PUSH/PULL, PUB with many subscriptions.
 * zmq_send and zmq_recv, options at their defaults but one. */
#include "bench.h"

#include <pthread.h>
#include <zmq.h>

static void *context;
static _Thread_local void *sock;
static pthread_t server; /* where both sides are threads */

static void check(int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
        exit(1);
    }
}

static void set_key(int option, const char *key)
{
    check(zmq_setsockopt(sock, option, key, strlen(key)), "zmq_setsockopt");
}

/* With the keys that the manual page zmq_curve gives for tests. */
static void encrypt(const struct job *job)
{
    int on = 1;
    if (job->server) {
        check(zmq_setsockopt(sock, ZMQ_CURVE_SERVER, &on, sizeof on), "zmq_setsockopt");
        set_key(ZMQ_CURVE_SECRETKEY, "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6");
    } else {
        set_key(ZMQ_CURVE_SERVERKEY, "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7");
        set_key(ZMQ_CURVE_PUBLICKEY, "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID");
        set_key(ZMQ_CURVE_SECRETKEY, "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs");
    }
}

static void open_socket(const struct job *job)
{
    static const int types[5][2] = {
        {ZMQ_REQ, ZMQ_REP}, {ZMQ_PUSH, ZMQ_PULL}, {ZMQ_PUSH, ZMQ_PULL}, {ZMQ_SUB, ZMQ_PUB},
        {ZMQ_PUSH, ZMQ_PULL}};
    int pair = job->both && job->mode == LAT;
    if (!context)
        context = zmq_ctx_new();
    sock = zmq_socket(context, pair ? ZMQ_PAIR : types[job->mode][job->server]);
    if (!sock)
        check(-1, "zmq_socket");
    if (job->mode == MATCH) {
        /* With the default, libzmq drops now and then one of a few hundred messages on their way. */
        int unlimited = 0;
        check(zmq_setsockopt(sock, ZMQ_SNDHWM, &unlimited, sizeof unlimited), "zmq_setsockopt");
    }
    if (job->mode == CURVE)
        encrypt(job);
    if (job->server) {
        check(zmq_bind(sock, job->endpoint), "zmq_bind");
        ready();
    } else {
        check(zmq_connect(sock, job->endpoint), "zmq_connect");
    }
}

/* Returns when everything is sent; as a client beside its server, when that is done, too. */
static void close_socket(const struct job *job)
{
    check(zmq_close(sock), "zmq_close");
    if (job->both && job->server)
        return;
    if (job->both)
        pthread_join(server, NULL);
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
            cpu_before = cpu_s(job);
        receive_one(body, job->size);
        send_one(body, job->size);
    }
    double cpu = cpu_s(job) - cpu_before;
    close_socket(job);
    print_cpu(cpu);
}

static void ask(const struct job *job, char *body)
{
    uint64_t *stamps_ns = allocate(job->count * sizeof *stamps_ns);
    double cpu_before = 0;
    for (size_t i = 0; i < job->warm_up + job->count; i++) {
        if (i == job->warm_up)
            cpu_before = cpu_s(job);
        uint64_t before_ns = now_ns();
        send_one(body, job->size);
        receive_one(body, job->size);
        if (i >= job->warm_up)
            stamps_ns[i - job->warm_up] = now_ns() - before_ns;
    }
    double cpu = cpu_s(job) - cpu_before;
    close_socket(job);
    print_percentiles(stamps_ns, job->count, cpu);
}

static void stream(const struct job *job, char *body)
{
    double cpu_before = cpu_s(job);
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
    close_socket(job);
    print_cpu(cpu_s(job) - cpu_before);
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
            cpu_before = cpu_s(job);
        }
        if (job->mode == PACED && i >= job->warm_up) {
            uint64_t stamp_ns;
            memcpy(&stamp_ns, body, sizeof stamp_ns);
            latencies_ns[i - job->warm_up] = now_ns() - stamp_ns;
        }
    }
    uint64_t elapsed_ns = now_ns() - first_ns;
    double cpu = cpu_s(job) - cpu_before;
    close_socket(job);
    if (job->mode == PACED)
        print_percentiles(latencies_ns, job->count, cpu);
    else
        print_rate(job, elapsed_ns, cpu);
}

/* ---- match ---- */

enum { WINDOW = 500 }; /* messages on their way at most */

/* What a client that has subscribed to everything receives; behind it, the endpoint for its answers. */
static const char probe[TOPIC_LEN + 1] = "are you there?  ";

static void write_topic(char *to, size_t index)
{
    memcpy(to, "topic/", 6);
    for (size_t i = TOPIC_LEN; i-- > 6; index /= 10)
        to[i] = (char)('0' + index % 10);
}

/* All topics in the order in which the server goes through them. */
static char *topics_in_turn(const struct job *job)
{
    char *topics = allocate(job->count * TOPIC_LEN);
    for (size_t i = 0; i < job->count; i++)
        write_topic(topics + i * TOPIC_LEN, i * 7919 % job->count);
    return topics;
}

/* Sends n messages, the first with topic number *turn of the table, and returns the time that took. */
static uint64_t send_topics(const struct job *job, char *body, const char *topics, size_t *turn, size_t n)
{
    uint64_t before_ns = now_ns();
    for (size_t i = 0; i < n; i++) {
        memcpy(body, topics + *turn * TOPIC_LEN, TOPIC_LEN);
        send_one(body, job->size);
        if (++*turn == job->count)
            *turn = 0;
    }
    return now_ns() - before_ns;
}

/* Sends probes until the client answers one. */
static void await_subscriber(void *answers)
{
    char message[TOPIC_LEN + 100];
    size_t room = sizeof message - TOPIC_LEN;
    int patience_ms = 1;
    memcpy(message, probe, TOPIC_LEN);
    check(zmq_getsockopt(answers, ZMQ_LAST_ENDPOINT, message + TOPIC_LEN, &room), "zmq_getsockopt");
    check(zmq_setsockopt(answers, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms), "zmq_setsockopt");
    do
        send_one(message, TOPIC_LEN + room - 1);
    while (zmq_recv(answers, NULL, 0, 0) < 0 && zmq_errno() == EAGAIN);
    patience_ms = -1;
    check(zmq_setsockopt(answers, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms), "zmq_setsockopt");
}

static void publish(const struct job *job, char *body)
{
    size_t turn = 0;
    char *topics = topics_in_turn(job), *misses = topics_in_turn(job);
    for (size_t i = 1; i <= job->count; i++)
        misses[i * TOPIC_LEN - 1] = 'x';
    void *answers = zmq_socket(context, ZMQ_PULL);
    check(zmq_bind(answers, "tcp://127.0.0.1:*"), "zmq_bind");
    await_subscriber(answers);
    send_topics(job, body, misses, &turn, job->warm_up);
    uint64_t none_ns = send_topics(job, body, misses, &turn, job->sends), one_ns = 0;
    double cpu_before = cpu_s(job), sends = (double)job->sends;
    for (size_t sent = 0, n; sent < job->sends; sent += n) {
        n = job->sends - sent < WINDOW ? job->sends - sent : WINDOW;
        one_ns += send_topics(job, body, topics, &turn, n);
        check(zmq_recv(answers, NULL, 0, 0), "zmq_recv");
    }
    double cpu = cpu_s(job) - cpu_before;
    check(zmq_close(answers), "zmq_close");
    close_socket(job);
    printf("{\"none_ns\": %.1f, \"one_ns\": %.1f, \"one_cpu_ns\": %.1f}\n",
           (double)none_ns / sends, (double)one_ns / sends, cpu * 1e9 / sends);
}

/* Subscribes to everything and returns a socket for answers once the server has all of it. */
static void *subscribe(const struct job *job, double *seconds)
{
    char message[TOPIC_LEN + 100];
    uint64_t before_ns = now_ns();
    for (size_t i = 0; i < job->count; i++) {
        write_topic(message, i);
        check(zmq_setsockopt(sock, ZMQ_SUBSCRIBE, message, TOPIC_LEN), "zmq_setsockopt");
    }
    check(zmq_setsockopt(sock, ZMQ_SUBSCRIBE, probe, TOPIC_LEN), "zmq_setsockopt");
    int n = zmq_recv(sock, message, sizeof message - 1, 0);
    check(n, "zmq_recv");
    *seconds = (double)(now_ns() - before_ns) / 1e9;
    message[n] = 0;
    void *answers = zmq_socket(context, ZMQ_PUSH);
    check(zmq_connect(answers, message + TOPIC_LEN), "zmq_connect");
    check(zmq_send(answers, NULL, 0, 0), "zmq_send");
    return answers;
}

static void count_matches(const struct job *job)
{
    double seconds;
    void *answers = subscribe(job, &seconds);
    size_t room = job->size + TOPIC_LEN + 100;
    char *body = allocate(room);
    for (size_t i = 0; i < job->sends;) {
        int n = zmq_recv(sock, body, room, 0);
        check(n, "zmq_recv");
        if (!memcmp(body, probe, TOPIC_LEN))
            continue;
        if ((size_t)n != job->size) {
            errno = EMSGSIZE;
            die("zmq_recv");
        }
        if (++i % WINDOW == 0 || i == job->sends)
            check(zmq_send(answers, NULL, 0, 0), "zmq_send");
    }
    check(zmq_close(answers), "zmq_close");
    close_socket(job);
    printf("{\"subscribe_s\": %.6f}\n", seconds);
}

static void work(const struct job *job)
{
    char *body = allocate(job->size);
    open_socket(job);
    if (job->mode == LAT && job->server)
        answer(job, body);
    else if (job->mode == LAT)
        ask(job, body);
    else if (job->mode == MATCH && job->server)
        publish(job, body);
    else if (job->mode == MATCH)
        count_matches(job);
    else if (job->server)
        receive(job, body);
    else
        stream(job, body);
    free(body);
}

static void *serve(void *job)
{
    pin(job);
    work(job);
    return NULL;
}

int main(int argc, char **argv)
{
    struct job job = parse_job(argc, argv);
    if (job.both) {
        static struct job other;
        other = job;
        other.server = true;
        context = zmq_ctx_new();
        if (pthread_create(&server, NULL, serve, &other))
            die("pthread_create");
        pin(&job);
    }
    work(&job);
    return 0;
}
