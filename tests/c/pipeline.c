/* PUSH and PULL: in turn, fairly, nothing lost. */
#include "sockets.h"

TEST (messages_go_to_the_peers_in_turn)
{
    void *context = open_context ();
    void *push = open_socket (context, ZMQ_PUSH);
    void *pulls[3];
    static const char *const names[] = { "inproc://one", "inproc://two", "inproc://three" };
    for (int at = 0; at < 3; at++) {
        pulls[at] = open_socket (context, ZMQ_PULL);
        CHECK_OK (zmq_bind (pulls[at], names[at]));
        CHECK_OK (zmq_connect (push, names[at]));
    }
    for (int at = 0; at < 9; at++)
        send_text (push, names[at % 3], 0);
    for (int at = 0; at < 9; at++)
        expect_text (pulls[at % 3], names[at % 3]);
    CHECK_OK (zmq_close (push));
    end_all (context, pulls[0], pulls[1], pulls[2]);
}

TEST (the_parts_of_a_message_stay_with_one_peer)
{
    void *context = open_context ();
    void *push = open_socket (context, ZMQ_PUSH);
    void *one = open_socket (context, ZMQ_PULL);
    void *two = open_socket (context, ZMQ_PULL);
    CHECK_OK (zmq_bind (push, "inproc://stay"));
    CHECK_OK (zmq_connect (one, "inproc://stay"));
    CHECK_OK (zmq_connect (two, "inproc://stay"));
    for (int at = 0; at < 2; at++) {
        send_text (push, "a", ZMQ_SNDMORE);
        send_text (push, "b", 0);
    }
    expect_part (one, "a", 1);
    expect_part (one, "b", 0);
    expect_part (two, "a", 1);
    expect_part (two, "b", 0);
    CHECK_OK (zmq_close (push));
    end_all (context, one, two, NULL);
}

TEST (a_full_peer_is_passed_over)
{
    void *context = open_context ();
    void *push = open_socket (context, ZMQ_PUSH);
    void *narrow = open_socket (context, ZMQ_PULL);
    void *wide = open_socket (context, ZMQ_PULL);
    set_int (push, ZMQ_SNDHWM, 1);
    set_int (narrow, ZMQ_RCVHWM, 1);
    set_int (wide, ZMQ_RCVHWM, 100);
    CHECK_OK (zmq_bind (push, "inproc://full"));
    CHECK_OK (zmq_connect (narrow, "inproc://full"));
    CHECK_OK (zmq_connect (wide, "inproc://full"));
    for (int at = 0; at < 50; at++)
        CHECK_EQUAL (zmq_send (push, "x", 1, ZMQ_DONTWAIT), 1);
    for (int at = 0; at < 2; at++)
        expect_text (narrow, "x");
    for (int at = 0; at < 48; at++)
        expect_text (wide, "x");
    end_all (context, push, narrow, wide);
}

TEST (senders_are_heard_in_turn)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *one = open_socket (context, ZMQ_PUSH);
    void *two = open_socket (context, ZMQ_PUSH);
    int counts[2] = { 0, 0 };
    CHECK_OK (zmq_bind (pull, "inproc://heard"));
    CHECK_OK (zmq_connect (one, "inproc://heard"));
    CHECK_OK (zmq_connect (two, "inproc://heard"));
    for (int at = 0; at < 10; at++)
        send_text (one, "1", 0);
    for (int at = 0; at < 10; at++)
        send_text (two, "2", 0);
    for (int at = 0; at < 10; at++) {
        char who[4];
        CHECK_EQUAL (zmq_recv (pull, who, sizeof who, 0), 1);
        counts[who[0] - '1']++;
    }
    CHECK_EQUAL (counts[0], 5);
    CHECK_EQUAL (counts[1], 5);
    end_all (context, pull, one, two);
}

TEST (what_was_sent_before_anybody_listened_arrives)
{
    void *context = open_context ();
    void *push = open_socket (context, ZMQ_PUSH);
    void *pull = open_socket (context, ZMQ_PULL);
    char directory[64], endpoint[128];
    make_directory (directory);
    snprintf (endpoint, sizeof endpoint, "ipc://%s/later", directory);
    set_int (push, ZMQ_RECONNECT_IVL, 5);
    CHECK_OK (zmq_connect (push, endpoint));
    for (int at = 0; at < 10; at++)
        CHECK_EQUAL (zmq_send (push, &at, sizeof at, ZMQ_DONTWAIT), sizeof at);
    CHECK_OK (zmq_bind (pull, endpoint));
    for (int at = 0; at < 10; at++)
        expect_bytes (pull, &at, sizeof at, 0);
    end_all (context, push, pull, NULL);
    unlink (endpoint + 6);
    CHECK_OK (rmdir (directory));
}

TEST (an_immediate_PUSH_does_not_queue_for_who_is_not_there)
{
    void *context = open_context ();
    void *push = open_socket (context, ZMQ_PUSH);
    set_int (push, ZMQ_IMMEDIATE, 1);
    CHECK_OK (zmq_connect (push, "ipc:///tmp/tightbeam-nobody-is-here"));
    CHECK_ERRNO (zmq_send (push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    end_all (context, push, NULL, NULL);
}

TEST (thousands_of_messages_from_several_threads_all_arrive)
{
    enum { SENDERS = 3, EACH = 2000 };
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *pushes[SENDERS];
    long sum = 0;
    char endpoint[256];
    bind_to (pull, TCP, endpoint);
    for (int sender = 0; sender < SENDERS; sender++) {
        pushes[sender] = open_socket (context, ZMQ_PUSH);
        set_int (pushes[sender], ZMQ_SNDHWM, EACH);
        CHECK_OK (zmq_connect (pushes[sender], endpoint));
    }
    for (int at = 1; at <= EACH; at++)
        for (int sender = 0; sender < SENDERS; sender++)
            CHECK_EQUAL (zmq_send (pushes[sender], &at, sizeof at, 0), sizeof at);
    for (int count = 0; count < SENDERS * EACH; count++) {
        int number = 0;
        CHECK_EQUAL (zmq_recv (pull, &number, sizeof number, 0), sizeof number);
        sum += number;
    }
    CHECK_EQUAL (sum, (long) SENDERS * EACH * (EACH + 1) / 2);
    for (int sender = 0; sender < SENDERS; sender++)
        CHECK_OK (zmq_close (pushes[sender]));
    end_all (context, pull, NULL, NULL);
}

TEST (a_receiver_that_leaves_takes_what_it_had_and_the_rest_goes_on)
{
    struct couple pair = couple (ZMQ_PUSH, ZMQ_PULL, TCP);
    void *other = open_socket (pair.context, ZMQ_PULL);
    send_text (pair.bound, "to the first", 0);
    expect_text (pair.connected, "to the first");
    CHECK_OK (zmq_close (pair.connected));
    CHECK_OK (zmq_connect (other, pair.endpoint));
    AWAIT (zmq_send (pair.bound, "to the second", 13, ZMQ_DONTWAIT) == -1 || poll_for (other, ZMQ_POLLIN, 0));
    send_text (pair.bound, "last", 0);
    for (int found = 0; !found;) {
        char text[32];
        int size = zmq_recv (other, text, sizeof text, 0);
        found = size == 4 && memcmp (text, "last", 4) == 0;
    }
    end_all (pair.context, pair.bound, other, NULL);
}
