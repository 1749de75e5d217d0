/* zmq_proxy, zmq_proxy_steerable, zmq_device. */
#include "sockets.h"

/* A proxy in a thread, between sockets that are bound, steered by a PAIR. */
struct station
{
    void *context;
    void *frontend, *backend, *capture, *control;
    /* The other end of `control`. */
    void *driver;
    char front[256], back[256];
    struct worker worker;
};

static void steered (struct worker *worker)
{
    struct station *station = worker->context;
    worker->answer = zmq_proxy_steerable (station->frontend, station->backend, station->capture, station->control);
    worker->error = errno;
}

static void plain (struct worker *worker)
{
    struct station *station = worker->context;
    worker->answer = zmq_proxy (station->frontend, station->backend, station->capture);
    worker->error = errno;
}

/* The sockets; `run` starts the thread. */
static void open_station (struct station *station, int frontend, int backend, int control)
{
    memset (station, 0, sizeof *station);
    station->context = open_context ();
    station->frontend = open_socket (station->context, frontend);
    station->backend = open_socket (station->context, backend);
    bind_to (station->frontend, TCP, station->front);
    bind_to (station->backend, "inproc://back", station->back);
    if (control >= 0) {
        station->control = open_socket (station->context, control);
        station->driver = open_socket (station->context, control == ZMQ_REP ? ZMQ_REQ : ZMQ_PAIR);
        CHECK_OK (zmq_bind (station->control, "inproc://control"));
        CHECK_OK (zmq_connect (station->driver, "inproc://control"));
    }
}

static void run (struct station *station, void (*work) (struct worker *))
{
    station->worker.context = station;
    start_worker (&station->worker, work, NULL);
}

static void close_station (struct station *station)
{
    CHECK_OK (station->capture ? zmq_close (station->capture) : 0);
    CHECK_OK (station->control ? zmq_close (station->control) : 0);
    CHECK_OK (station->driver ? zmq_close (station->driver) : 0);
    end_all (station->context, station->frontend, station->backend, NULL);
}

/* Tells a steerable proxy to end, and it does. */
static void stop (struct station *station)
{
    send_text (station->driver, "TERMINATE", 0);
    join_worker (&station->worker);
    CHECK_EQUAL (station->worker.answer, 0);
}

static void terminate (struct station *station)
{
    stop (station);
    close_station (station);
}

TEST (a_shared_queue_carries_requests_and_replies)
{
    struct station station;
    open_station (&station, ZMQ_ROUTER, ZMQ_DEALER, ZMQ_PAIR);
    void *client = open_socket (station.context, ZMQ_REQ);
    void *service = open_socket (station.context, ZMQ_REP);
    CHECK_OK (zmq_connect (client, station.front));
    CHECK_OK (zmq_connect (service, station.back));
    run (&station, steered);
    for (int round = 0; round < 10; round++) {
        send_text (client, "question", 0);
        expect_text (service, "question");
        send_text (service, "answer", ZMQ_SNDMORE);
        send_text (service, "in two parts", 0);
        expect_part (client, "answer", 1);
        expect_part (client, "in two parts", 0);
    }
    CHECK_OK (zmq_close (client));
    CHECK_OK (zmq_close (service));
    terminate (&station);
}

TEST (a_forwarder_carries_subscriptions_and_messages)
{
    struct station station;
    open_station (&station, ZMQ_XSUB, ZMQ_XPUB, ZMQ_PAIR);
    void *pub = open_socket (station.context, ZMQ_XPUB);
    void *sub = open_socket (station.context, ZMQ_SUB);
    CHECK_OK (zmq_connect (pub, station.front));
    CHECK_OK (zmq_connect (sub, station.back));
    run (&station, steered);
    CHECK_OK (zmq_setsockopt (sub, ZMQ_SUBSCRIBE, "t", 1));
    expect_bytes (pub, "\1t", 2, 0);
    send_text (pub, "unwanted", 0);
    send_text (pub, "topic", 0);
    expect_text (sub, "topic");
    CHECK_OK (zmq_close (pub));
    CHECK_OK (zmq_close (sub));
    terminate (&station);
}

TEST (a_streamer_carries_tasks)
{
    struct station station;
    open_station (&station, ZMQ_PULL, ZMQ_PUSH, ZMQ_PAIR);
    void *push = open_socket (station.context, ZMQ_PUSH);
    void *pull = open_socket (station.context, ZMQ_PULL);
    CHECK_OK (zmq_connect (push, station.front));
    CHECK_OK (zmq_connect (pull, station.back));
    run (&station, steered);
    for (int at = 0; at < 500; at++)
        CHECK_EQUAL (zmq_send (push, &at, sizeof at, 0), sizeof at);
    for (int at = 0; at < 500; at++)
        expect_bytes (pull, &at, sizeof at, 0);
    CHECK_OK (zmq_close (push));
    CHECK_OK (zmq_close (pull));
    terminate (&station);
}

TEST (what_passes_is_captured)
{
    struct station station;
    open_station (&station, ZMQ_PULL, ZMQ_PUSH, ZMQ_PAIR);
    void *push = open_socket (station.context, ZMQ_PUSH);
    void *pull = open_socket (station.context, ZMQ_PULL);
    void *captured = open_socket (station.context, ZMQ_PULL);
    station.capture = open_socket (station.context, ZMQ_PUSH);
    CHECK_OK (zmq_bind (captured, "inproc://capture"));
    CHECK_OK (zmq_connect (station.capture, "inproc://capture"));
    CHECK_OK (zmq_connect (push, station.front));
    CHECK_OK (zmq_connect (pull, station.back));
    run (&station, steered);
    send_text (push, "one", ZMQ_SNDMORE);
    send_text (push, "two", 0);
    expect_part (pull, "one", 1);
    expect_part (pull, "two", 0);
    expect_part (captured, "one", 1);
    expect_part (captured, "two", 0);
    CHECK_OK (zmq_close (push));
    CHECK_OK (zmq_close (pull));
    /* libzmq captures the command as well, and waits for room for it. */
    stop (&station);
    CHECK_OK (zmq_close (captured));
    close_station (&station);
}

TEST (a_paused_proxy_goes_on_when_it_is_resumed)
{
    struct station station;
    open_station (&station, ZMQ_PULL, ZMQ_PUSH, ZMQ_PAIR);
    void *push = open_socket (station.context, ZMQ_PUSH);
    void *pull = open_socket (station.context, ZMQ_PULL);
    CHECK_OK (zmq_connect (push, station.front));
    CHECK_OK (zmq_connect (pull, station.back));
    run (&station, steered);
    send_text (push, "before", 0);
    expect_text (pull, "before");
    send_text (station.driver, "PAUSE", 0);
    AWAIT (worker_sleeps (&station.worker));
    sleep_ms (20);
    send_text (push, "during", 0);
    CHECK_EQUAL (poll_for (pull, ZMQ_POLLIN, 30), 0);
    send_text (station.driver, "RESUME", 0);
    expect_text (pull, "during");
    CHECK_OK (zmq_close (push));
    CHECK_OK (zmq_close (pull));
    terminate (&station);
}

static uint64_t expect_number (void *socket, int more)
{
    uint64_t number = 0;
    CHECK_EQUAL (zmq_recv (socket, &number, sizeof number, 0), sizeof number);
    CHECK_EQUAL (get_int (socket, ZMQ_RCVMORE), more);
    return number;
}

TEST (statistics_count_whole_messages_and_the_bytes_of_all_their_parts)
{
    struct station station;
    open_station (&station, ZMQ_ROUTER, ZMQ_DEALER, ZMQ_PAIR);
    void *client = open_socket (station.context, ZMQ_DEALER);
    void *service = open_socket (station.context, ZMQ_DEALER);
    CHECK_OK (zmq_setsockopt (client, ZMQ_ROUTING_ID, "client", 6));
    CHECK_OK (zmq_connect (client, station.front));
    CHECK_OK (zmq_connect (service, station.back));
    run (&station, steered);
    send_text (client, "1234567", 0);
    expect_part (service, "client", 1);
    expect_text (service, "1234567");
    send_text (service, "client", ZMQ_SNDMORE);
    send_text (service, "123", 0);
    expect_text (client, "123");
    send_text (station.driver, "STATISTICS", 0);
    static const uint64_t expected[8] = { 1, 13, 1, 9, 1, 9, 1, 13 };
    for (int at = 0; at < 8; at++)
        CHECK_EQUAL (expect_number (station.driver, at < 7), expected[at]);
    CHECK_OK (zmq_close (client));
    CHECK_OK (zmq_close (service));
    terminate (&station);
}

ONLY_OURS (a_REP_that_controls_sends_empty_replies, "libzmq 4.3.4 sends none, later ones do")
{
    static const char *const commands[] = { "PAUSE", "RESUME" };
    struct station station;
    open_station (&station, ZMQ_PULL, ZMQ_PUSH, ZMQ_REP);
    run (&station, steered);
    for (size_t at = 0; at < COUNT (commands); at++) {
        send_text (station.driver, commands[at], 0);
        expect_text (station.driver, "");
    }
    send_text (station.driver, "STATISTICS", 0);
    for (int at = 0; at < 8; at++)
        CHECK_EQUAL (expect_number (station.driver, at < 7), 0);
    terminate (&station);
}

static void expect_end (struct station *station, void (*work) (struct worker *))
{
    run (station, work);
    await_asleep (&station->worker);
    CHECK_OK (zmq_ctx_shutdown (station->context));
    join_worker (&station->worker);
    CHECK_EQUAL (station->worker.answer, -1);
    CHECK_EQUAL (station->worker.error, ETERM);
    close_station (station);
}

TEST (a_proxy_ends_with_ETERM_when_its_context_does)
{
    struct station station;
    open_station (&station, ZMQ_ROUTER, ZMQ_DEALER, -1);
    expect_end (&station, plain);
}

TEST (a_steerable_proxy_ends_with_ETERM_when_its_context_does)
{
    struct station station;
    open_station (&station, ZMQ_ROUTER, ZMQ_DEALER, ZMQ_PAIR);
    expect_end (&station, steered);
}

TEST (a_steerable_proxy_without_control_is_a_proxy)
{
    struct station station;
    open_station (&station, ZMQ_ROUTER, ZMQ_DEALER, -1);
    expect_end (&station, steered);
}

static void device (struct worker *worker)
{
    struct station *station = worker->context;
    worker->answer = zmq_device (ZMQ_QUEUE, station->frontend, station->backend);
    worker->error = errno;
}

TEST (a_device_is_a_proxy)
{
    struct station station;
    open_station (&station, ZMQ_ROUTER, ZMQ_DEALER, -1);
    expect_end (&station, device);
}

TEST (missing_sockets_are_EFAULT)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    CHECK_ERRNO (zmq_proxy (NULL, socket, NULL), EFAULT);
    CHECK_ERRNO (zmq_proxy (socket, NULL, NULL), EFAULT);
    CHECK_ERRNO (zmq_proxy (NULL, NULL, NULL), EFAULT);
    CHECK_ERRNO (zmq_proxy_steerable (NULL, socket, NULL, NULL), EFAULT);
    CHECK_ERRNO (zmq_proxy_steerable (socket, NULL, NULL, NULL), EFAULT);
    end_all (context, socket, NULL, NULL);
}

ONLY_OURS (missing_sockets_of_a_device_are_EFAULT, "libzmq hangs")
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    CHECK_ERRNO (zmq_device (ZMQ_QUEUE, NULL, socket), EFAULT);
    CHECK_ERRNO (zmq_device (ZMQ_QUEUE, socket, NULL), EFAULT);
    end_all (context, socket, NULL, NULL);
}
