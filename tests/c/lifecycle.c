/* The end of sockets and contexts while others use them; signals; forks. */
#include "sockets.h"

static void term (struct worker *worker)
{
    worker->answer = zmq_ctx_term (worker->context);
    worker->error = errno;
}

static void start_term (struct worker *worker, void *context)
{
    worker->context = context;
    start_worker (worker, term, NULL);
}

TEST (termination_ends_a_blocked_receive_with_ETERM_and_waits_for_the_close)
{
    struct worker receiver, terminator;
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    CHECK_OK (zmq_bind (pull, TCP));
    start_worker (&receiver, receive_once, pull);
    await_asleep (&receiver);
    start_term (&terminator, context);
    join_worker (&receiver);
    CHECK_EQUAL (receiver.answer, -1);
    CHECK_EQUAL (receiver.error, ETERM);
    await_asleep (&terminator);
    CHECK_ERRNO (zmq_send (pull, "x", 1, 0), ETERM);
    CHECK_OK (zmq_close (pull));
    join_worker (&terminator);
    CHECK_EQUAL (terminator.answer, 0);
}

static void send_until_it_fails (struct worker *worker)
{
    while ((worker->answer = zmq_send (worker->socket, "x", 1, 0)) == 1)
        continue;
    worker->error = errno;
}

TEST (termination_ends_a_blocked_send_with_ETERM)
{
    struct worker sender, terminator;
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://send");
    start_worker (&sender, send_until_it_fails, pair.connected);
    await_asleep (&sender);
    start_term (&terminator, pair.context);
    join_worker (&sender);
    CHECK_EQUAL (sender.answer, -1);
    CHECK_EQUAL (sender.error, ETERM);
    CHECK_OK (zmq_close (pair.bound));
    CHECK_OK (zmq_close (pair.connected));
    join_worker (&terminator);
    CHECK_EQUAL (terminator.answer, 0);
}

TEST (shutdown_ends_all_that_block_and_waits_for_nothing)
{
    struct worker receivers[4];
    void *sockets[4];
    void *context = open_context ();
    for (int at = 0; at < 4; at++) {
        sockets[at] = open_socket (context, at % 2 ? ZMQ_PULL : ZMQ_REP);
        CHECK_OK (zmq_bind (sockets[at], TCP));
        start_worker (&receivers[at], receive_once, sockets[at]);
        await_asleep (&receivers[at]);
    }
    CHECK_OK (zmq_ctx_shutdown (context));
    for (int at = 0; at < 4; at++) {
        join_worker (&receivers[at]);
        CHECK_EQUAL (receivers[at].answer, -1);
        CHECK_EQUAL (receivers[at].error, ETERM);
        CHECK_OK (zmq_close (sockets[at]));
    }
    CHECK_OK (zmq_ctx_term (context));
}

ONLY_OURS (closing_a_socket_in_which_another_thread_waits_ends_that_wait, "a socket of libzmq belongs to one thread")
{
    static const char *const ways[] = { TCP, "inproc://closing" };
    for (size_t way = 0; way < COUNT (ways); way++) {
        struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, ways[way]);
        struct worker receiver;
        start_worker (&receiver, receive_once, pair.bound);
        await_asleep (&receiver);
        CHECK_OK (zmq_close (pair.bound));
        join_worker (&receiver);
        CHECK_EQUAL (receiver.answer, -1);
        CHECK (receiver.error == ENOTSOCK || receiver.error == ETERM);
        end_all (pair.context, pair.connected, NULL, NULL);
    }
}

ONLY_OURS (several_threads_may_receive_from_one_socket, "a socket of libzmq belongs to one thread")
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    struct worker receivers[4];
    for (size_t at = 0; at < COUNT (receivers); at++)
        start_worker (&receivers[at], receive_once, pair.bound);
    for (size_t at = 0; at < COUNT (receivers); at++)
        send_text (pair.connected, "for one", 0);
    for (size_t at = 0; at < COUNT (receivers); at++) {
        join_worker (&receivers[at]);
        CHECK_EQUAL (receivers[at].answer, 7);
    }
    part_couple (&pair);
}

ONLY_OURS (several_threads_may_send_on_one_socket, "a socket of libzmq belongs to one thread")
{
    enum { SENDERS = 4 };
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://sending");
    struct worker senders[SENDERS];
    for (int at = 0; at < SENDERS; at++)
        start_worker (&senders[at], send_until_it_fails, pair.connected);
    for (int count = 0; count < 10000; count++)
        expect_text (pair.bound, "x");
    CHECK_OK (zmq_ctx_shutdown (pair.context));
    for (int at = 0; at < SENDERS; at++) {
        join_worker (&senders[at]);
        CHECK_EQUAL (senders[at].error, ETERM);
    }
    part_couple (&pair);
}

TEST (a_socket_may_go_from_thread_to_thread)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    struct worker receiver;
    for (int round = 0; round < 10; round++) {
        send_text (pair.connected, "round", 0);
        start_worker (&receiver, receive_once, pair.bound);
        join_worker (&receiver);
        CHECK_EQUAL (receiver.answer, 5);
    }
    part_couple (&pair);
}

TEST (what_was_sent_is_delivered_before_the_context_ends)
{
    enum { MANY = 500 };
    void *receiving = open_context ();
    void *sending = open_context ();
    void *pull = open_socket (receiving, ZMQ_PULL);
    void *push = zmq_socket (sending, ZMQ_PUSH);
    char endpoint[256];
    bind_to (pull, TCP, endpoint);
    CHECK_OK (zmq_connect (push, endpoint));
    for (int at = 0; at < MANY; at++)
        CHECK_EQUAL (zmq_send (push, &at, sizeof at, 0), sizeof at);
    end_all (sending, push, NULL, NULL);
    for (int at = 0; at < MANY; at++)
        expect_bytes (pull, &at, sizeof at, 0);
    end_all (receiving, pull, NULL, NULL);
}

TEST (linger_bounds_how_long_the_context_waits)
{
    void *context = open_context ();
    void *push = zmq_socket (context, ZMQ_PUSH);
    set_int (push, ZMQ_LINGER, 50);
    CHECK_OK (zmq_connect (push, "ipc:///tmp/tightbeam-nobody-is-here"));
    send_text (push, "undelivered", 0);
    CHECK_OK (zmq_close (push));
    long started = now_ms ();
    CHECK_OK (zmq_ctx_term (context));
    CHECK (now_ms () - started >= 40);
}

TEST (without_linger_the_context_ends_at_once)
{
    void *context = open_context ();
    void *push = zmq_socket (context, ZMQ_PUSH);
    CHECK_OK (zmq_connect (push, "ipc:///tmp/tightbeam-nobody-is-here"));
    send_text (push, "undelivered", 0);
    set_int (push, ZMQ_LINGER, 0);
    end_all (context, push, NULL, NULL);
}

/* Two that are connected and at rest: what happens at the moment of a signal may be what the signal ends. */
static struct couple settled (const char *where)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, where);
    send_text (pair.connected, "settled", 0);
    expect_text (pair.bound, "settled");
    return pair;
}

static void start_and_interrupt (void *socket, void (*work) (struct worker *))
{
    struct worker worker;
    start_worker (&worker, work, socket);
    expect_interrupted (&worker);
}

static void poll_once (struct worker *worker)
{
    zmq_pollitem_t item = { worker->socket, 0, ZMQ_POLLIN, 0 };
    worker->answer = zmq_poll (&item, 1, -1);
    worker->error = errno;
}

static void receive_message (struct worker *worker)
{
    zmq_msg_t message;
    zmq_msg_init (&message);
    worker->answer = zmq_msg_recv (&message, worker->socket, 0);
    worker->error = errno;
    zmq_msg_close (&message);
}

static void sleep_in_poll (struct worker *worker)
{
    worker->answer = zmq_poll (NULL, 0, 100000);
    worker->error = errno;
}

TEST (a_signal_ends_a_blocked_call_with_EINTR)
{
    static void (*const works[]) (struct worker *) = { receive_once, receive_message, poll_once, sleep_in_poll,
                                                       send_until_it_fails };
    for (size_t at = 0; at < COUNT (works); at++) {
        int sends = works[at] == send_until_it_fails;
        struct couple pair = settled (sends ? "inproc://interrupted" : TCP);
        start_and_interrupt (sends ? pair.connected : pair.bound, works[at]);
        part_couple (&pair);
    }
}

TEST (an_interrupted_receive_can_be_repeated)
{
    struct couple pair = settled (TCP);
    start_and_interrupt (pair.bound, receive_once);
    send_text (pair.connected, "not lost", 0);
    expect_text (pair.bound, "not lost");
    part_couple (&pair);
}

TEST (an_interrupted_termination_can_be_repeated)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    struct worker terminator;
    start_term (&terminator, context);
    expect_interrupted (&terminator);
    CHECK_NULL (zmq_socket (context, ZMQ_PAIR), ETERM);
    end_all (context, pull, NULL, NULL);
}

/* Ends a child as another program: what the threads that it has not inherited held is not to be taken for lost. */
static void end_child (void)
{
    execlp ("true", "true", (char *) NULL);
    _exit (2);
}

static void expect_success (pid_t child)
{
    int status = -1;
    CHECK (child > 0);
    while (waitpid (child, &status, 0) == -1)
        CHECK (errno == EINTR);
    CHECK_EQUAL (status, 0);
}

TEST (a_child_uses_a_context_of_its_own)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    send_text (pair.connected, "before", 0);
    expect_text (pair.bound, "before");
    pid_t child = fork ();
    if (child == 0) {
        void *context = open_context ();
        void *push = zmq_socket (context, ZMQ_PUSH);
        CHECK_OK (zmq_connect (push, pair.endpoint));
        send_text (push, "from the child", 0);
        end_all (context, push, NULL, NULL);
        end_child ();
    }
    expect_text (pair.bound, "from the child");
    expect_success (child);
    send_text (pair.connected, "after", 0);
    expect_text (pair.bound, "after");
    part_couple (&pair);
}

TEST (a_child_that_closes_what_it_inherited_does_not_disturb_its_parent)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    send_text (pair.connected, "before", 0);
    expect_text (pair.bound, "before");
    pid_t child = fork ();
    if (child == 0) {
        CHECK_OK (zmq_close (pair.connected));
        CHECK_OK (zmq_close (pair.bound));
        /* libzmq 4.3.4 goes no further than EINTR. */
        CHECK (zmq_ctx_term (pair.context) == 0 || (on_debian () && errno == EINTR));
        end_child ();
    }
    expect_success (child);
    for (int at = 0; at < 10; at++) {
        send_text (pair.connected, "after", 0);
        expect_text (pair.bound, "after");
    }
    part_couple (&pair);
}

ONLY_OURS (a_child_can_close_sockets_in_which_its_parent_waits, "a socket of libzmq belongs to one thread")
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    struct worker receiver;
    start_worker (&receiver, receive_once, pair.bound);
    await_asleep (&receiver);
    pid_t child = fork ();
    if (child == 0) {
        CHECK_OK (zmq_close (pair.bound));
        CHECK_OK (zmq_close (pair.connected));
        CHECK_OK (zmq_ctx_term (pair.context));
        end_child ();
    }
    expect_success (child);
    send_text (pair.connected, "after", 0);
    join_worker (&receiver);
    CHECK_EQUAL (receiver.answer, 5);
    part_couple (&pair);
}

static void many_rounds (struct worker *worker)
{
    for (int round = 0; round < 50; round++) {
        void *push = open_socket (worker->context, ZMQ_PUSH);
        void *pull = open_socket (worker->context, ZMQ_PULL);
        char endpoint[256];
        bind_to (pull, round % 2 ? TCP : "ipc://*", endpoint);
        CHECK_OK (zmq_connect (push, endpoint));
        send_text (push, "hello", 0);
        expect_text (pull, "hello");
        CHECK_OK (zmq_close (push));
        CHECK_OK (zmq_close (pull));
    }
}

TEST (sockets_come_and_go_in_several_threads)
{
    struct worker workers[4];
    void *context = open_context ();
    for (size_t at = 0; at < COUNT (workers); at++) {
        workers[at].context = context;
        start_worker (&workers[at], many_rounds, NULL);
    }
    for (size_t at = 0; at < COUNT (workers); at++)
        join_worker (&workers[at]);
    CHECK_OK (zmq_ctx_term (context));
}
