/* REQ and REP: the order of calls, who gets which reply, and the options that change it. */
#include "sockets.h"

#define WAYS { TCP, "inproc://ask" }

TEST (a_request_is_answered)
{
    static const char *const ways[] = WAYS;
    for (size_t way = 0; way < COUNT (ways); way++) {
        struct couple pair = couple (ZMQ_REP, ZMQ_REQ, ways[way]);
        for (int round = 0; round < 20; round++) {
            send_text (pair.connected, "question", 0);
            expect_text (pair.bound, "question");
            send_text (pair.bound, "answer", 0);
            expect_text (pair.connected, "answer");
        }
        part_couple (&pair);
    }
}

TEST (requests_and_replies_may_have_several_parts)
{
    struct couple pair = couple (ZMQ_REP, ZMQ_REQ, TCP);
    send_text (pair.connected, "one", ZMQ_SNDMORE);
    send_text (pair.connected, "", ZMQ_SNDMORE);
    send_text (pair.connected, "two", 0);
    expect_part (pair.bound, "one", 1);
    expect_part (pair.bound, "", 1);
    expect_part (pair.bound, "two", 0);
    send_text (pair.bound, "three", ZMQ_SNDMORE);
    send_text (pair.bound, "four", 0);
    expect_part (pair.connected, "three", 1);
    expect_part (pair.connected, "four", 0);
    part_couple (&pair);
}

TEST (a_second_request_before_the_reply_is_EFSM)
{
    struct couple pair = couple (ZMQ_REP, ZMQ_REQ, "inproc://second");
    send_text (pair.connected, "first", 0);
    CHECK_ERRNO (zmq_send (pair.connected, "second", 6, 0), EFSM);
    expect_text (pair.bound, "first");
    send_text (pair.bound, "answer", 0);
    expect_text (pair.connected, "answer");
    part_couple (&pair);
}

TEST (a_REQ_that_has_not_asked_receives_EFSM)
{
    struct couple pair = couple (ZMQ_REP, ZMQ_REQ, "inproc://unasked");
    char buffer[8];
    CHECK_ERRNO (zmq_recv (pair.connected, buffer, sizeof buffer, 0), EFSM);
    CHECK_ERRNO (zmq_recv (pair.connected, buffer, sizeof buffer, ZMQ_DONTWAIT), EFSM);
    part_couple (&pair);
}

TEST (a_REP_that_was_not_asked_sends_EFSM)
{
    struct couple pair = couple (ZMQ_REP, ZMQ_REQ, "inproc://not-asked");
    CHECK_ERRNO (zmq_send (pair.bound, "answer", 6, 0), EFSM);
    part_couple (&pair);
}

TEST (a_REP_that_owes_a_reply_receives_EFSM)
{
    struct couple pair = couple (ZMQ_REP, ZMQ_REQ, "inproc://owes");
    char buffer[8];
    send_text (pair.connected, "first", 0);
    expect_text (pair.bound, "first");
    CHECK_ERRNO (zmq_recv (pair.bound, buffer, sizeof buffer, 0), EFSM);
    send_text (pair.bound, "answer", 0);
    CHECK_ERRNO (zmq_send (pair.bound, "again", 5, 0), EFSM);
    part_couple (&pair);
}

TEST (the_events_follow_the_order_of_calls)
{
    struct couple pair = couple (ZMQ_REP, ZMQ_REQ, "inproc://follow");
    CHECK_EQUAL (get_int (pair.connected, ZMQ_EVENTS), ZMQ_POLLOUT);
    CHECK_EQUAL (get_int (pair.bound, ZMQ_EVENTS), 0);
    send_text (pair.connected, "question", 0);
    CHECK_EQUAL (get_int (pair.connected, ZMQ_EVENTS), 0);
    await_events (pair.bound, ZMQ_POLLIN);
    CHECK_EQUAL (get_int (pair.bound, ZMQ_EVENTS), ZMQ_POLLIN);
    expect_text (pair.bound, "question");
    CHECK_EQUAL (get_int (pair.bound, ZMQ_EVENTS), ZMQ_POLLOUT);
    send_text (pair.bound, "answer", 0);
    await_events (pair.connected, ZMQ_POLLIN);
    CHECK_EQUAL (get_int (pair.connected, ZMQ_EVENTS), ZMQ_POLLIN);
    expect_text (pair.connected, "answer");
    CHECK_EQUAL (get_int (pair.connected, ZMQ_EVENTS), ZMQ_POLLOUT);
    part_couple (&pair);
}

TEST (a_request_without_a_peer_is_EAGAIN)
{
    void *context = open_context ();
    void *req = open_socket (context, ZMQ_REQ);
    CHECK_ERRNO (zmq_send (req, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    end_all (context, req, NULL, NULL);
}

TEST (requests_go_to_the_services_in_turn)
{
    void *context = open_context ();
    void *req = open_socket (context, ZMQ_REQ);
    void *services[3];
    static const char *const names[] = { "inproc://one", "inproc://two", "inproc://three" };
    for (int at = 0; at < 3; at++) {
        services[at] = open_socket (context, ZMQ_REP);
        CHECK_OK (zmq_bind (services[at], names[at]));
        CHECK_OK (zmq_connect (req, names[at]));
    }
    for (int round = 0; round < 6; round++) {
        send_text (req, "question", 0);
        expect_text (services[round % 3], "question");
        send_text (services[round % 3], names[round % 3], 0);
        expect_text (req, names[round % 3]);
    }
    CHECK_OK (zmq_close (req));
    end_all (context, services[0], services[1], services[2]);
}

TEST (each_client_gets_its_own_reply)
{
    void *context = open_context ();
    void *rep = open_socket (context, ZMQ_REP);
    void *one = open_socket (context, ZMQ_REQ);
    void *two = open_socket (context, ZMQ_REQ);
    char endpoint[256], asked[8];
    bind_to (rep, TCP, endpoint);
    CHECK_OK (zmq_connect (one, endpoint));
    CHECK_OK (zmq_connect (two, endpoint));
    send_text (one, "1", 0);
    send_text (two, "2", 0);
    for (int round = 0; round < 2; round++) {
        CHECK_EQUAL (zmq_recv (rep, asked, sizeof asked, 0), 1);
        CHECK_EQUAL (zmq_send (rep, asked, 1, 0), 1);
    }
    expect_text (one, "1");
    expect_text (two, "2");
    end_all (context, rep, one, two);
}

TEST (a_reply_to_a_client_that_is_gone_is_discarded)
{
    struct couple pair = couple (ZMQ_REP, ZMQ_REQ, TCP);
    void *other = open_socket (pair.context, ZMQ_REQ);
    send_text (pair.connected, "leaving", 0);
    expect_text (pair.bound, "leaving");
    CHECK_OK (zmq_close (pair.connected));
    send_text (pair.bound, "too late", 0);
    CHECK_OK (zmq_connect (other, pair.endpoint));
    send_text (other, "staying", 0);
    expect_text (pair.bound, "staying");
    send_text (pair.bound, "in time", 0);
    expect_text (other, "in time");
    end_all (pair.context, pair.bound, other, NULL);
}

TEST (a_ROUTER_sees_an_empty_part_between_the_client_and_its_request)
{
    struct couple pair = couple (ZMQ_ROUTER, ZMQ_REQ, TCP);
    char id[256];
    send_text (pair.connected, "question", 0);
    int size = zmq_recv (pair.bound, id, sizeof id, 0);
    CHECK_EQUAL (size, 5);
    CHECK_EQUAL (id[0], 0);
    expect_part (pair.bound, "", 1);
    expect_part (pair.bound, "question", 0);
    CHECK_EQUAL (zmq_send (pair.bound, id, (size_t) size, ZMQ_SNDMORE), size);
    send_text (pair.bound, "", ZMQ_SNDMORE);
    send_text (pair.bound, "answer", 0);
    expect_text (pair.connected, "answer");
    part_couple (&pair);
}

TEST (a_DEALER_asks_a_REP_with_an_empty_part_in_front)
{
    struct couple pair = couple (ZMQ_REP, ZMQ_DEALER, TCP);
    send_text (pair.connected, "", ZMQ_SNDMORE);
    send_text (pair.connected, "question", 0);
    expect_text (pair.bound, "question");
    send_text (pair.bound, "answer", 0);
    expect_part (pair.connected, "", 1);
    expect_part (pair.connected, "answer", 0);
    part_couple (&pair);
}

TEST (a_REP_skips_a_request_without_an_empty_part)
{
    struct couple pair = couple (ZMQ_REP, ZMQ_DEALER, TCP);
    send_text (pair.connected, "malformed", 0);
    send_text (pair.connected, "", ZMQ_SNDMORE);
    send_text (pair.connected, "well formed", 0);
    expect_text (pair.bound, "well formed");
    part_couple (&pair);
}

TEST (correlated_requests_carry_a_number_in_front)
{
    void *context = open_context ();
    void *req = open_socket (context, ZMQ_REQ);
    void *router = open_socket (context, ZMQ_ROUTER);
    char id[256], number[16];
    set_int (req, ZMQ_REQ_CORRELATE, 1);
    CHECK_OK (zmq_bind (router, "inproc://correlate"));
    CHECK_OK (zmq_connect (req, "inproc://correlate"));
    send_text (req, "question", 0);
    int size = zmq_recv (router, id, sizeof id, 0);
    CHECK (size > 0);
    CHECK_EQUAL (zmq_recv (router, number, sizeof number, 0), 4);
    expect_part (router, "", 1);
    expect_part (router, "question", 0);
    static const char wrong[4] = { 'w', 'r', 'o', 'n' };
    CHECK_EQUAL (zmq_send (router, id, (size_t) size, ZMQ_SNDMORE), size);
    CHECK_EQUAL (zmq_send (router, wrong, 4, ZMQ_SNDMORE), 4);
    send_text (router, "", ZMQ_SNDMORE);
    send_text (router, "to another question", 0);
    CHECK_EQUAL (zmq_send (router, id, (size_t) size, ZMQ_SNDMORE), size);
    CHECK_EQUAL (zmq_send (router, number, 4, ZMQ_SNDMORE), 4);
    send_text (router, "", ZMQ_SNDMORE);
    send_text (router, "answer", 0);
    expect_text (req, "answer");
    end_all (context, req, router, NULL);
}

TEST (a_relaxed_REQ_may_ask_again_and_gets_the_last_reply)
{
    void *context = open_context ();
    void *req = open_socket (context, ZMQ_REQ);
    void *rep = open_socket (context, ZMQ_REP);
    char endpoint[256];
    set_int (req, ZMQ_REQ_RELAXED, 1);
    set_int (req, ZMQ_REQ_CORRELATE, 1);
    bind_to (rep, TCP, endpoint);
    CHECK_OK (zmq_connect (req, endpoint));
    send_text (req, "first", 0);
    expect_text (rep, "first");
    send_text (req, "second", 0);
    send_text (rep, "to the first", 0);
    expect_text (rep, "second");
    send_text (rep, "to the second", 0);
    expect_text (req, "to the second");
    end_all (context, req, rep, NULL);
}

TEST (a_socket_of_another_pattern_does_not_disturb)
{
    struct couple pair = couple (ZMQ_REP, ZMQ_REQ, TCP);
    void *other = open_socket (pair.context, ZMQ_PULL);
    char buffer[8];
    CHECK_OK (zmq_connect (other, pair.endpoint));
    send_text (pair.connected, "question", 0);
    expect_text (pair.bound, "question");
    send_text (pair.bound, "answer", 0);
    expect_text (pair.connected, "answer");
    CHECK_ERRNO (zmq_recv (other, buffer, sizeof buffer, ZMQ_DONTWAIT), EAGAIN);
    CHECK_OK (zmq_close (other));
    part_couple (&pair);
}
