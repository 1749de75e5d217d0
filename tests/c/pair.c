/* PAIR: one peer, both ways. */
#include "sockets.h"

TEST (both_ends_send_and_receive)
{
    static const char *const ways[] = { TCP, "ipc://*", "inproc://both" };
    for (size_t way = 0; way < COUNT (ways); way++) {
        struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, ways[way]);
        send_text (pair.connected, "there", 0);
        send_text (pair.bound, "back", 0);
        expect_text (pair.bound, "there");
        expect_text (pair.connected, "back");
        part_couple (&pair);
    }
}

TEST (a_PAIR_without_a_peer_cannot_send)
{
    void *context = open_context ();
    void *pair = open_socket (context, ZMQ_PAIR);
    CHECK_ERRNO (zmq_send (pair, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    CHECK_EQUAL (get_int (pair, ZMQ_EVENTS), 0);
    end_all (context, pair, NULL, NULL);
}

TEST (a_third_is_turned_away)
{
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://third");
    void *third = open_socket (pair.context, ZMQ_PAIR);
    send_text (pair.connected, "first", 0);
    expect_text (pair.bound, "first");
    CHECK_OK (zmq_connect (third, pair.endpoint));
    zmq_send (third, "third", 5, ZMQ_DONTWAIT);
    send_text (pair.connected, "again", 0);
    expect_text (pair.bound, "again");
    CHECK_EQUAL (poll_for (pair.bound, ZMQ_POLLIN, 20), 0);
    CHECK_OK (zmq_close (third));
    part_couple (&pair);
}

/* A newcomer is turned away while the other is still on its way out. */
static int comes_and_speaks (void *context, const char *endpoint, void *bound)
{
    void *other = open_socket (context, ZMQ_PAIR);
    CHECK_OK (zmq_connect (other, endpoint));
    zmq_send (other, "second", 6, ZMQ_DONTWAIT);
    int heard = poll_for (bound, ZMQ_POLLIN, 20);
    if (heard)
        expect_text (bound, "second");
    CHECK_OK (zmq_close (other));
    return heard;
}

TEST (another_may_come_when_the_first_has_left)
{
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://left");
    send_text (pair.connected, "first", 0);
    expect_text (pair.bound, "first");
    CHECK_OK (zmq_close (pair.connected));
    AWAIT (comes_and_speaks (pair.context, pair.endpoint, pair.bound));
    end_all (pair.context, pair.bound, NULL, NULL);
}

TEST (parts_go_both_ways)
{
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, TCP);
    send_text (pair.connected, "a", ZMQ_SNDMORE);
    send_text (pair.connected, "b", 0);
    expect_part (pair.bound, "a", 1);
    expect_part (pair.bound, "b", 0);
    send_text (pair.bound, "c", ZMQ_SNDMORE);
    send_text (pair.bound, "d", 0);
    expect_part (pair.connected, "c", 1);
    expect_part (pair.connected, "d", 0);
    part_couple (&pair);
}

static void echo (struct worker *worker)
{
    char buffer[64];
    int size;
    while ((size = zmq_recv (worker->socket, buffer, sizeof buffer, 0)) > 0)
        CHECK_EQUAL (zmq_send (worker->socket, buffer, (size_t) size, 0), size);
}

TEST (two_threads_talk_over_inproc)
{
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://threads");
    struct worker worker;
    start_worker (&worker, echo, pair.bound);
    for (int round = 0; round < 1000; round++) {
        send_text (pair.connected, "round", 0);
        expect_text (pair.connected, "round");
    }
    CHECK_EQUAL (zmq_send (pair.connected, NULL, 0, 0), 0);
    join_worker (&worker);
    part_couple (&pair);
}
