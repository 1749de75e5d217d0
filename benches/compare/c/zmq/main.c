/* One side of a piece of work through the C API of ZeroMQ. Options are at their defaults but for those that are set here. */
#include "zmq_bench.h"

#include <pthread.h>

void *context;

void check(int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
        exit(1);
    }
}

static void set_key(void *socket, int option, const char *key)
{
    check(zmq_setsockopt(socket, option, key, strlen(key)), "zmq_setsockopt");
}

/* With the keys that the manual page zmq_curve gives for tests. */
static void encrypt(const struct job *job, void *socket)
{
    int on = 1;
    if (job->server) {
        check(zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof on), "zmq_setsockopt");
        set_key(socket, ZMQ_CURVE_SECRETKEY, "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6");
    } else {
        set_key(socket, ZMQ_CURVE_SERVERKEY, "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7");
        set_key(socket, ZMQ_CURVE_PUBLICKEY, "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID");
        set_key(socket, ZMQ_CURVE_SECRETKEY, "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs");
    }
}

void *open_socket(const struct job *job, int type)
{
    void *socket = zmq_socket(context, type);
    if (!socket)
        check(-1, "zmq_socket");
    if (type == ZMQ_PUB || type == ZMQ_SUB) {
        /* With the default, libzmq drops now and then one of a few hundred messages on their way, and subscriptions. */
        int unlimited = 0;
        check(zmq_setsockopt(socket, ZMQ_SNDHWM, &unlimited, sizeof unlimited), "zmq_setsockopt");
    }
    if (job->curve)
        encrypt(job, socket);
    if (job->server) {
        check(zmq_bind(socket, job->endpoint), "zmq_bind");
        ready();
    } else {
        check(zmq_connect(socket, job->endpoint), "zmq_connect");
    }
    return socket;
}

void *serve(const struct job *job, int type, int *control)
{
    int listener = control_listen(job);
    void *socket = open_socket(job, type);
    *control = control_accept(listener);
    return socket;
}

void send_message(void *socket, const char *body, size_t size, size_t parts)
{
    while (parts--)
        check(zmq_send(socket, body, size, parts ? ZMQ_SNDMORE : 0), "zmq_send");
}

void receive_message(void *socket, char *body, size_t size, size_t parts)
{
    while (parts--) {
        int n = zmq_recv(socket, body, size, 0);
        check(n, "zmq_recv");
        if ((size_t)n != size) {
            errno = EMSGSIZE;
            die("zmq_recv");
        }
    }
}

void close_socket(void *socket)
{
    check(zmq_close(socket), "zmq_close");
}

struct peer {
    const struct job *job;
    void (*work)(const struct job *, size_t, void *);
    size_t number;
    void *shared;
    pthread_t thread;
};

static void *run_peer(void *argument)
{
    struct peer *peer = argument;
    peer->work(peer->job, peer->number, peer->shared);
    return NULL;
}

void side_by_side(const struct job *job, void (*work)(const struct job *, size_t, void *), void *shared)
{
    struct peer *peers = allocate(job->peers * sizeof *peers);
    if (job->peers == 1) {
        work(job, 0, shared);
        free(peers);
        return;
    }
    for (size_t i = 0; i < job->peers; i++) {
        peers[i] = (struct peer){.job = job, .work = work, .number = i, .shared = shared};
        if (pthread_create(&peers[i].thread, NULL, run_peer, &peers[i]))
            die("pthread_create");
    }
    for (size_t i = 0; i < job->peers; i++)
        pthread_join(peers[i].thread, NULL);
    free(peers);
}

static void work(const struct job *job)
{
    static void (*const sides[WORKS][2])(const struct job *) = {
        {round_trip_ask, round_trip_answer}, {stream_send, stream_receive},       {stream_send, stream_receive},
        {router_ask, router_answer},         {publish_receive, publish_send},     {match_subscribe, match_publish},
        {idle_connect, idle_serve},
    };
    sides[job->work][job->server](job);
}

static void *serve_beside(void *job)
{
    pin(job);
    work(job);
    return NULL;
}

int main(int argc, char **argv)
{
    struct job job = parse_job(argc, argv), other = job;
    struct rlimit limit;
    pthread_t server;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    context = zmq_ctx_new();
    check(zmq_ctx_set(context, ZMQ_MAX_SOCKETS, (int)job.peers + 100), "zmq_ctx_set");
    if (job.both) {
        other.server = true;
        if (pthread_create(&server, NULL, serve_beside, &other))
            die("pthread_create");
        pin(&job);
    }
    work(&job);
    if (job.both)
        pthread_join(server, NULL);
    check(zmq_ctx_term(context), "zmq_ctx_term");
    return 0;
}
