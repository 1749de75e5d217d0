/* zmq_send, zmq_send_const, zmq_recv: lengths, flags, time-outs, parts, directions. */
#include "sockets.h"

TEST (a_send_answers_the_length)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://length");
    static const size_t sizes[] = { 0, 1, 33, 34, 1000, 100000 };
    static char body[100000];
    for (size_t at = 0; at < COUNT (sizes); at++) {
        CHECK_EQUAL (zmq_send (pair.connected, body, sizes[at], 0), sizes[at]);
        CHECK_EQUAL (zmq_recv (pair.bound, body, sizeof body, 0), sizes[at]);
    }
    part_couple (&pair);
}

TEST (an_empty_message_may_come_from_NULL)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    CHECK_EQUAL (zmq_send (pair.connected, NULL, 0, 0), 0);
    CHECK_EQUAL (zmq_send_const (pair.connected, NULL, 0, 0), 0);
    expect_text (pair.bound, "");
    expect_text (pair.bound, "");
    part_couple (&pair);
}

TEST (a_short_buffer_gets_the_beginning_and_the_whole_length)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    char buffer[8] = "-------";
    send_text (pair.connected, "beginning", 0);
    CHECK_EQUAL (zmq_recv (pair.bound, buffer, 3, 0), 9);
    CHECK (memcmp (buffer, "beg----", 8) == 0);
    send_text (pair.connected, "next", 0);
    expect_text (pair.bound, "next");
    part_couple (&pair);
}

TEST (a_receiver_without_a_buffer_gets_the_length)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://no-buffer");
    send_text (pair.connected, "unseen", 0);
    CHECK_EQUAL (zmq_recv (pair.bound, NULL, 0, 0), 6);
    part_couple (&pair);
}

TEST (constant_bytes_arrive)
{
    static const char text[] = "constant bytes that do not fit into a message object, for sure: 0123456789";
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    CHECK_EQUAL (zmq_send_const (pair.connected, text, sizeof text - 1, ZMQ_SNDMORE), sizeof text - 1);
    CHECK_EQUAL (zmq_send_const (pair.connected, text, 8, 0), 8);
    expect_part (pair.bound, text, 1);
    expect_part (pair.bound, "constant", 0);
    part_couple (&pair);
}

TEST (constant_bytes_are_not_copied_within_the_process)
{
    static const char text[] = "constant bytes that do not fit into a message object, for sure: 0123456789";
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://constant");
    zmq_msg_t message;
    CHECK_EQUAL (zmq_send_const (pair.connected, text, sizeof text, 0), sizeof text);
    CHECK_OK (zmq_msg_init (&message));
    CHECK_EQUAL (zmq_msg_recv (&message, pair.bound, 0), sizeof text);
    CHECK (zmq_msg_data (&message) == (const void *) text);
    CHECK_EQUAL (zmq_msg_get (&message, ZMQ_SHARED), 1);
    CHECK_OK (zmq_msg_close (&message));
    part_couple (&pair);
}

TEST (nothing_there_is_EAGAIN_without_waiting)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://nothing");
    char buffer[8];
    CHECK_ERRNO (zmq_recv (pair.bound, buffer, sizeof buffer, ZMQ_DONTWAIT), EAGAIN);
    CHECK_ERRNO (zmq_recv (pair.bound, buffer, sizeof buffer, ZMQ_NOBLOCK), EAGAIN);
    part_couple (&pair);
}

TEST (a_receive_gives_up_at_its_time_out_with_EAGAIN)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    char buffer[8];
    set_int (pair.bound, ZMQ_RCVTIMEO, 50);
    long started = now_ms ();
    CHECK_ERRNO (zmq_recv (pair.bound, buffer, sizeof buffer, 0), EAGAIN);
    CHECK (now_ms () - started >= 49);
    part_couple (&pair);
}

TEST (a_time_out_of_zero_does_not_wait)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://zero");
    char buffer[8];
    set_int (pair.bound, ZMQ_RCVTIMEO, 0);
    CHECK_ERRNO (zmq_recv (pair.bound, buffer, sizeof buffer, 0), EAGAIN);
    part_couple (&pair);
}

TEST (a_send_gives_up_at_its_time_out_with_EAGAIN)
{
    void *context = open_context ();
    void *push = open_socket (context, ZMQ_PUSH);
    set_int (push, ZMQ_SNDTIMEO, 50);
    long started = now_ms ();
    CHECK_ERRNO (zmq_send (push, "x", 1, 0), EAGAIN);
    CHECK (now_ms () - started >= 49);
    set_int (push, ZMQ_SNDTIMEO, 0);
    CHECK_ERRNO (zmq_send (push, "x", 1, 0), EAGAIN);
    end_all (context, push, NULL, NULL);
}

TEST (at_the_high_water_marks_of_both_ends_a_send_is_EAGAIN)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    set_int (pull, ZMQ_RCVHWM, 3);
    set_int (push, ZMQ_SNDHWM, 2);
    CHECK_OK (zmq_bind (pull, "inproc://marks"));
    CHECK_OK (zmq_connect (push, "inproc://marks"));
    for (int at = 0; at < 5; at++)
        CHECK_EQUAL (zmq_send (push, "x", 1, ZMQ_DONTWAIT), 1);
    CHECK_ERRNO (zmq_send (push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    CHECK_EQUAL (get_int (push, ZMQ_EVENTS), 0);
    for (int at = 0; at < 5; at++)
        expect_text (pull, "x");
    await_events (push, ZMQ_POLLOUT);
    end_all (context, pull, push, NULL);
}

TEST (without_marks_there_is_always_room)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    set_int (pull, ZMQ_RCVHWM, 0);
    set_int (push, ZMQ_SNDHWM, 5);
    CHECK_OK (zmq_bind (pull, "inproc://no-marks"));
    CHECK_OK (zmq_connect (push, "inproc://no-marks"));
    for (int at = 0; at < 5000; at++)
        CHECK_EQUAL (zmq_send (push, "x", 1, ZMQ_DONTWAIT), 1);
    for (int at = 0; at < 5000; at++)
        expect_text (pull, "x");
    end_all (context, pull, push, NULL);
}

TEST (the_parts_of_a_message_arrive_together)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://together");
    send_text (pair.connected, "first", ZMQ_SNDMORE);
    CHECK_EQUAL (poll_for (pair.bound, ZMQ_POLLIN, 20), 0);
    send_text (pair.connected, "", ZMQ_SNDMORE);
    send_text (pair.connected, "last", 0);
    expect_part (pair.bound, "first", 1);
    expect_part (pair.bound, "", 1);
    expect_part (pair.bound, "last", 0);
    part_couple (&pair);
}

TEST (a_message_may_have_hundreds_of_parts)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    for (int at = 0; at < 500; at++)
        send_text (pair.connected, "part", at < 499 ? ZMQ_SNDMORE : 0);
    CHECK_EQUAL (drop_message (pair.bound), 500);
    part_couple (&pair);
}

TEST (flags_go_together)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://flags");
    send_text (pair.connected, "a", ZMQ_DONTWAIT | ZMQ_SNDMORE);
    send_text (pair.connected, "b", ZMQ_DONTWAIT);
    expect_part (pair.bound, "a", 1);
    expect_part (pair.bound, "b", 0);
    part_couple (&pair);
}

TEST (sockets_that_only_receive_refuse_to_send_with_ENOTSUP)
{
    static const int types[] = { ZMQ_PULL, ZMQ_SUB };
    void *context = open_context ();
    for (size_t at = 0; at < COUNT (types); at++) {
        void *socket = open_socket (context, types[at]);
        zmq_msg_t message;
        CHECK_OK (zmq_msg_init_size (&message, 3));
        CHECK_ERRNO (zmq_send (socket, "x", 1, 0), ENOTSUP);
        CHECK_ERRNO (zmq_send_const (socket, "x", 1, 0), ENOTSUP);
        CHECK_ERRNO (zmq_msg_send (&message, socket, 0), ENOTSUP);
        CHECK_ERRNO (zmq_sendmsg (socket, &message, 0), ENOTSUP);
        CHECK_EQUAL (zmq_msg_size (&message), 3);
        CHECK_OK (zmq_msg_close (&message));
        CHECK_OK (zmq_close (socket));
    }
    CHECK_OK (zmq_ctx_term (context));
}

TEST (sockets_that_only_send_refuse_to_receive_with_ENOTSUP)
{
    static const int types[] = { ZMQ_PUSH, ZMQ_PUB };
    void *context = open_context ();
    for (size_t at = 0; at < COUNT (types); at++) {
        void *socket = open_socket (context, types[at]);
        zmq_msg_t message;
        char buffer[4];
        CHECK_OK (zmq_msg_init (&message));
        CHECK_ERRNO (zmq_recv (socket, buffer, sizeof buffer, 0), ENOTSUP);
        CHECK_ERRNO (zmq_msg_recv (&message, socket, 0), ENOTSUP);
        CHECK_ERRNO (zmq_recvmsg (socket, &message, 0), ENOTSUP);
        CHECK_OK (zmq_msg_close (&message));
        CHECK_OK (zmq_close (socket));
    }
    CHECK_OK (zmq_ctx_term (context));
}

TEST (a_large_message_arrives_whole_over_every_transport)
{
    static const char *const transports[] = { TCP, "ipc://*", "inproc://large" };
    enum { SIZE = 3000000 };
    unsigned char *sent = malloc (SIZE), *received = malloc (SIZE);
    CHECK (sent != NULL && received != NULL);
    for (size_t at = 0; at < SIZE; at++)
        sent[at] = (unsigned char) (at % 251);
    for (size_t at = 0; at < COUNT (transports); at++) {
        struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, transports[at]);
        CHECK_EQUAL (zmq_send (pair.connected, sent, SIZE, 0), SIZE);
        memset (received, 0, SIZE);
        CHECK_EQUAL (zmq_recv (pair.bound, received, SIZE, 0), SIZE);
        CHECK (memcmp (sent, received, SIZE) == 0);
        part_couple (&pair);
    }
    free (sent);
    free (received);
}

TEST (messages_arrive_in_order)
{
    static const char *const transports[] = { TCP, "ipc://*", "inproc://order" };
    for (size_t way = 0; way < COUNT (transports); way++) {
        struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, transports[way]);
        for (int at = 0; at < 900; at++)
            CHECK_EQUAL (zmq_send (pair.connected, &at, sizeof at, 0), sizeof at);
        for (int at = 0; at < 900; at++)
            expect_bytes (pair.bound, &at, sizeof at, 0);
        part_couple (&pair);
    }
}

TEST (a_blocked_receive_returns_when_a_message_comes)
{
    static const char *const transports[] = { TCP, "inproc://blocked" };
    for (size_t way = 0; way < COUNT (transports); way++) {
        struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, transports[way]);
        struct worker worker;
        start_worker (&worker, receive_once, pair.bound);
        await_asleep (&worker);
        send_text (pair.connected, "wake", 0);
        join_worker (&worker);
        CHECK_EQUAL (worker.answer, 4);
        part_couple (&pair);
    }
}

static void send_once (struct worker *worker)
{
    worker->answer = zmq_send (worker->socket, "late", 4, 0);
    worker->error = errno;
}

TEST (a_blocked_send_returns_when_a_peer_comes)
{
    void *context = open_context ();
    void *push = open_socket (context, ZMQ_PUSH);
    void *pull = open_socket (context, ZMQ_PULL);
    char endpoint[256];
    struct worker worker;
    bind_to (push, TCP, endpoint);
    start_worker (&worker, send_once, push);
    await_asleep (&worker);
    CHECK_OK (zmq_connect (pull, endpoint));
    expect_text (pull, "late");
    join_worker (&worker);
    CHECK_EQUAL (worker.answer, 4);
    end_all (context, push, pull, NULL);
}

TEST (a_message_object_is_received_in_parts_by_either_call)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    zmq_msg_t message;
    send_text (pair.connected, "by object", ZMQ_SNDMORE);
    send_text (pair.connected, "by buffer", 0);
    CHECK_OK (zmq_msg_init (&message));
    CHECK_EQUAL (zmq_msg_recv (&message, pair.bound, 0), 9);
    CHECK_EQUAL (zmq_msg_more (&message), 1);
    CHECK_OK (zmq_msg_close (&message));
    expect_part (pair.bound, "by buffer", 0);
    part_couple (&pair);
}

TEST (several_parts_may_be_sent_by_every_type_that_balances)
{
    static const int pairs[][2] = { { ZMQ_PUSH, ZMQ_PULL }, { ZMQ_PAIR, ZMQ_PAIR }, { ZMQ_DEALER, ZMQ_DEALER } };
    for (size_t at = 0; at < COUNT (pairs); at++) {
        struct couple pair = couple (pairs[at][1], pairs[at][0], "inproc://parts");
        send_text (pair.connected, "a", ZMQ_SNDMORE);
        send_text (pair.connected, "b", 0);
        CHECK_EQUAL (drop_message (pair.bound), 2);
        part_couple (&pair);
    }
}
