/* ROUTER and DEALER: ids, routes, and the options that change them. */
#include "sockets.h"

static void name (void *socket, const char *id)
{
    CHECK_OK (zmq_setsockopt (socket, ZMQ_ROUTING_ID, id, strlen (id)));
}

/* A ROUTER bound somewhere, and a DEALER with a name, known to it. */
static struct couple acquainted (const char *id, const char *where)
{
    struct couple pair;
    pair.context = open_context ();
    pair.bound = open_socket (pair.context, ZMQ_ROUTER);
    pair.connected = open_socket (pair.context, ZMQ_DEALER);
    name (pair.connected, id);
    bind_to (pair.bound, where, pair.endpoint);
    CHECK_OK (zmq_connect (pair.connected, pair.endpoint));
    send_text (pair.connected, "hello", 0);
    expect_part (pair.bound, id, 1);
    expect_part (pair.bound, "hello", 0);
    return pair;
}

TEST (a_ROUTER_puts_the_peers_name_in_front_and_takes_it_off)
{
    static const char *const ways[] = { TCP, "ipc://*", "inproc://name" };
    for (size_t way = 0; way < COUNT (ways); way++) {
        struct couple pair = acquainted ("client", ways[way]);
        send_text (pair.bound, "client", ZMQ_SNDMORE);
        send_text (pair.bound, "one", ZMQ_SNDMORE);
        send_text (pair.bound, "two", 0);
        expect_part (pair.connected, "one", 1);
        expect_part (pair.connected, "two", 0);
        part_couple (&pair);
    }
}

TEST (a_peer_without_a_name_is_called_by_five_bytes_that_begin_with_zero)
{
    static const char *const ways[] = { TCP, "inproc://nameless" };
    for (size_t way = 0; way < COUNT (ways); way++) {
        struct couple pair = couple (ZMQ_ROUTER, ZMQ_DEALER, ways[way]);
        char id[32];
        send_text (pair.connected, "hello", 0);
        CHECK_EQUAL (zmq_recv (pair.bound, id, sizeof id, 0), 5);
        CHECK_EQUAL (id[0], 0);
        expect_text (pair.bound, "hello");
        CHECK_EQUAL (zmq_send (pair.bound, id, 5, ZMQ_SNDMORE), 5);
        send_text (pair.bound, "you there", 0);
        expect_text (pair.connected, "you there");
        part_couple (&pair);
    }
}

TEST (a_message_for_nobody_is_dropped)
{
    struct couple pair = acquainted ("somebody", "inproc://dropped");
    send_text (pair.bound, "nobody", ZMQ_SNDMORE);
    send_text (pair.bound, "lost", 0);
    send_text (pair.bound, "somebody", ZMQ_SNDMORE);
    send_text (pair.bound, "found", 0);
    expect_text (pair.connected, "found");
    part_couple (&pair);
}

TEST (a_mandatory_route_to_nobody_is_EHOSTUNREACH)
{
    struct couple pair = acquainted ("somebody", "inproc://mandatory");
    set_int (pair.bound, ZMQ_ROUTER_MANDATORY, 1);
    CHECK_ERRNO (zmq_send (pair.bound, "nobody", 6, ZMQ_SNDMORE), EHOSTUNREACH);
    send_text (pair.bound, "somebody", ZMQ_SNDMORE);
    send_text (pair.bound, "found", 0);
    expect_text (pair.connected, "found");
    part_couple (&pair);
}

TEST (a_mandatory_route_to_a_full_peer_is_EAGAIN)
{
    void *context = open_context ();
    void *router = open_socket (context, ZMQ_ROUTER);
    void *dealer = open_socket (context, ZMQ_DEALER);
    set_int (router, ZMQ_ROUTER_MANDATORY, 1);
    set_int (router, ZMQ_SNDHWM, 1);
    set_int (dealer, ZMQ_RCVHWM, 1);
    name (dealer, "full");
    CHECK_OK (zmq_bind (router, "inproc://full"));
    CHECK_OK (zmq_connect (dealer, "inproc://full"));
    send_text (dealer, "hello", 0);
    CHECK_EQUAL (drop_message (router), 2);
    for (int at = 0; at < 2; at++) {
        CHECK_EQUAL (zmq_send (router, "full", 4, ZMQ_SNDMORE | ZMQ_DONTWAIT), 4);
        CHECK_EQUAL (zmq_send (router, "x", 1, ZMQ_DONTWAIT), 1);
    }
    CHECK_ERRNO (zmq_send (router, "full", 4, ZMQ_SNDMORE | ZMQ_DONTWAIT), EAGAIN);
    end_all (context, router, dealer, NULL);
}

TEST (without_mandatory_a_full_peer_loses_messages)
{
    void *context = open_context ();
    void *router = open_socket (context, ZMQ_ROUTER);
    void *dealer = open_socket (context, ZMQ_DEALER);
    set_int (router, ZMQ_SNDHWM, 1);
    set_int (dealer, ZMQ_RCVHWM, 1);
    name (dealer, "full");
    CHECK_OK (zmq_bind (router, "inproc://loses"));
    CHECK_OK (zmq_connect (dealer, "inproc://loses"));
    send_text (dealer, "hello", 0);
    CHECK_EQUAL (drop_message (router), 2);
    for (int at = 0; at < 10; at++) {
        send_text (router, "full", ZMQ_SNDMORE);
        send_text (router, at < 2 ? "kept" : "lost", 0);
    }
    expect_text (dealer, "kept");
    expect_text (dealer, "kept");
    CHECK_EQUAL (poll_for (dealer, ZMQ_POLLIN, 10), 0);
    end_all (context, router, dealer, NULL);
}

TEST (a_second_peer_with_a_name_in_use_is_not_heard)
{
    struct couple pair = acquainted ("twin", TCP);
    void *other = open_socket (pair.context, ZMQ_DEALER);
    name (other, "twin");
    CHECK_OK (zmq_connect (other, pair.endpoint));
    CHECK_EQUAL (poll_for (other, ZMQ_POLLIN, 30), 0);
    send_text (pair.bound, "twin", ZMQ_SNDMORE);
    send_text (pair.bound, "the first", 0);
    expect_text (pair.connected, "the first");
    CHECK_OK (zmq_close (other));
    part_couple (&pair);
}

TEST (with_handover_a_second_peer_takes_the_name)
{
    void *context = open_context ();
    void *router = open_socket (context, ZMQ_ROUTER);
    void *first = open_socket (context, ZMQ_DEALER);
    void *second = open_socket (context, ZMQ_DEALER);
    char endpoint[256];
    set_int (router, ZMQ_ROUTER_HANDOVER, 1);
    name (first, "heir");
    name (second, "heir");
    bind_to (router, TCP, endpoint);
    CHECK_OK (zmq_connect (first, endpoint));
    send_text (first, "first", 0);
    expect_part (router, "heir", 1);
    expect_text (router, "first");
    CHECK_OK (zmq_connect (second, endpoint));
    send_text (second, "second", 0);
    expect_part (router, "heir", 1);
    expect_text (router, "second");
    send_text (router, "heir", ZMQ_SNDMORE);
    send_text (router, "to the second", 0);
    expect_text (second, "to the second");
    end_all (context, router, first, second);
}

TEST (a_name_given_by_the_one_who_connects_is_used)
{
    void *context = open_context ();
    void *router = open_socket (context, ZMQ_ROUTER);
    void *dealer = open_socket (context, ZMQ_DEALER);
    char endpoint[256];
    bind_to (dealer, TCP, endpoint);
    CHECK_OK (zmq_setsockopt (router, ZMQ_CONNECT_ROUTING_ID, "given", 5));
    CHECK_OK (zmq_connect (router, endpoint));
    send_text (router, "given", ZMQ_SNDMORE);
    send_text (router, "by name", 0);
    expect_text (dealer, "by name");
    send_text (dealer, "back", 0);
    expect_part (router, "given", 1);
    expect_text (router, "back");
    end_all (context, router, dealer, NULL);
}

TEST (two_ROUTERS_talk_by_names)
{
    void *context = open_context ();
    void *one = open_socket (context, ZMQ_ROUTER);
    void *two = open_socket (context, ZMQ_ROUTER);
    char endpoint[256];
    name (one, "one");
    name (two, "two");
    set_int (two, ZMQ_ROUTER_MANDATORY, 1);
    bind_to (one, TCP, endpoint);
    CHECK_OK (zmq_connect (two, endpoint));
    AWAIT (zmq_send (two, "one", 3, ZMQ_SNDMORE) == 3);
    send_text (two, "hello", 0);
    expect_part (one, "two", 1);
    expect_text (one, "hello");
    send_text (one, "two", ZMQ_SNDMORE);
    send_text (one, "and to you", 0);
    expect_part (two, "one", 1);
    expect_text (two, "and to you");
    end_all (context, one, two, NULL);
}

TEST (a_probe_is_an_empty_message)
{
    void *context = open_context ();
    void *router = open_socket (context, ZMQ_ROUTER);
    void *dealer = open_socket (context, ZMQ_DEALER);
    char endpoint[256];
    name (dealer, "probe");
    set_int (dealer, ZMQ_PROBE_ROUTER, 1);
    bind_to (router, TCP, endpoint);
    CHECK_OK (zmq_connect (dealer, endpoint));
    expect_part (router, "probe", 1);
    expect_part (router, "", 0);
    end_all (context, router, dealer, NULL);
}

TEST (a_DEALER_serves_peers_in_turn)
{
    void *context = open_context ();
    void *dealer = open_socket (context, ZMQ_DEALER);
    void *one = open_socket (context, ZMQ_DEALER);
    void *two = open_socket (context, ZMQ_DEALER);
    CHECK_OK (zmq_bind (one, "inproc://one"));
    CHECK_OK (zmq_bind (two, "inproc://two"));
    CHECK_OK (zmq_connect (dealer, "inproc://one"));
    CHECK_OK (zmq_connect (dealer, "inproc://two"));
    for (int at = 0; at < 4; at++)
        send_text (dealer, at % 2 ? "two" : "one", 0);
    for (int at = 0; at < 2; at++) {
        expect_text (one, "one");
        expect_text (two, "two");
    }
    end_all (context, dealer, one, two);
}

TEST (a_ROUTER_can_always_be_sent_to)
{
    void *context = open_context ();
    void *router = open_socket (context, ZMQ_ROUTER);
    CHECK_EQUAL (get_int (router, ZMQ_EVENTS), ZMQ_POLLOUT);
    send_text (router, "nobody", ZMQ_SNDMORE);
    send_text (router, "lost", 0);
    end_all (context, router, NULL, NULL);
}

TEST (a_mandatory_ROUTER_without_peers_has_no_room)
{
    void *context = open_context ();
    void *router = open_socket (context, ZMQ_ROUTER);
    set_int (router, ZMQ_ROUTER_MANDATORY, 1);
    CHECK_EQUAL (get_int (router, ZMQ_EVENTS), 0);
    end_all (context, router, NULL, NULL);
}

TEST (names_may_have_255_bytes_of_any_value)
{
    void *context = open_context ();
    void *router = open_socket (context, ZMQ_ROUTER);
    void *dealer = open_socket (context, ZMQ_DEALER);
    char id[255], endpoint[256];
    for (size_t at = 0; at < sizeof id; at++)
        id[at] = (char) (at + 1);
    id[254] = 0;
    CHECK_OK (zmq_setsockopt (dealer, ZMQ_ROUTING_ID, id, sizeof id));
    bind_to (router, TCP, endpoint);
    CHECK_OK (zmq_connect (dealer, endpoint));
    send_text (dealer, "hello", 0);
    expect_bytes (router, id, sizeof id, 1);
    expect_text (router, "hello");
    CHECK_EQUAL (zmq_send (router, id, sizeof id, ZMQ_SNDMORE), sizeof id);
    send_text (router, "hello", 0);
    expect_text (dealer, "hello");
    end_all (context, router, dealer, NULL);
}
