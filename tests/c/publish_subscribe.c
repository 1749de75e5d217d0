/* PUB, SUB, XPUB, XSUB: who gets what, and the options that change it. */
#include "sockets.h"

static void subscribe (void *socket, const char *topic)
{
    CHECK_OK (zmq_setsockopt (socket, ZMQ_SUBSCRIBE, topic, strlen (topic)));
}

static void unsubscribe (void *socket, const char *topic)
{
    CHECK_OK (zmq_setsockopt (socket, ZMQ_UNSUBSCRIBE, topic, strlen (topic)));
}

/* An XPUB and a SUB; the publisher sees each subscription arrive. */
static struct couple publisher (int subscriber, const char *where)
{
    return couple (ZMQ_XPUB, subscriber, where);
}

/* What an XPUB receives: 1 or 0, and the topic. */
static void expect_subscription (void *socket, int begins, const char *topic)
{
    char bytes[64];
    bytes[0] = (char) begins;
    memcpy (bytes + 1, topic, strlen (topic));
    expect_bytes (socket, bytes, strlen (topic) + 1, 0);
}

static void send_subscription (void *socket, int begins, const char *topic)
{
    char bytes[64];
    bytes[0] = (char) begins;
    memcpy (bytes + 1, topic, strlen (topic));
    CHECK_EQUAL (zmq_send (socket, bytes, strlen (topic) + 1, 0), strlen (topic) + 1);
}

static void expect_nothing (void *socket)
{
    char buffer[64];
    CHECK_ERRNO (zmq_recv (socket, buffer, sizeof buffer, ZMQ_DONTWAIT), EAGAIN);
}

TEST (a_subscriber_gets_what_begins_with_its_topics)
{
    static const char *const ways[] = { TCP, "inproc://topics" };
    for (size_t way = 0; way < COUNT (ways); way++) {
        struct couple pair = publisher (ZMQ_SUB, ways[way]);
        subscribe (pair.connected, "news");
        expect_subscription (pair.bound, 1, "news");
        send_text (pair.bound, "weather", 0);
        send_text (pair.bound, "new", 0);
        send_text (pair.bound, "news", 0);
        send_text (pair.bound, "newspaper", 0);
        expect_text (pair.connected, "news");
        expect_text (pair.connected, "newspaper");
        part_couple (&pair);
    }
}

TEST (a_subscriber_without_topics_gets_nothing)
{
    struct couple pair = publisher (ZMQ_SUB, "inproc://without");
    send_text (pair.bound, "unwanted", 0);
    subscribe (pair.connected, "end");
    expect_subscription (pair.bound, 1, "end");
    send_text (pair.bound, "end", 0);
    expect_text (pair.connected, "end");
    part_couple (&pair);
}

TEST (the_empty_topic_is_everything)
{
    struct couple pair = publisher (ZMQ_SUB, TCP);
    subscribe (pair.connected, "");
    expect_subscription (pair.bound, 1, "");
    send_text (pair.bound, "", 0);
    send_text (pair.bound, "anything", 0);
    expect_text (pair.connected, "");
    expect_text (pair.connected, "anything");
    part_couple (&pair);
}

TEST (a_topic_is_matched_with_the_first_part)
{
    struct couple pair = publisher (ZMQ_SUB, TCP);
    subscribe (pair.connected, "b");
    expect_subscription (pair.bound, 1, "b");
    send_text (pair.bound, "a", ZMQ_SNDMORE);
    send_text (pair.bound, "b", 0);
    send_text (pair.bound, "b", ZMQ_SNDMORE);
    send_text (pair.bound, "a", 0);
    expect_part (pair.connected, "b", 1);
    expect_part (pair.connected, "a", 0);
    part_couple (&pair);
}

TEST (a_topic_subscribed_twice_has_to_be_unsubscribed_twice)
{
    struct couple pair = publisher (ZMQ_SUB, "inproc://twice");
    subscribe (pair.connected, "t");
    subscribe (pair.connected, "t");
    expect_subscription (pair.bound, 1, "t");
    unsubscribe (pair.connected, "t");
    send_text (pair.bound, "t1", 0);
    expect_text (pair.connected, "t1");
    unsubscribe (pair.connected, "t");
    expect_subscription (pair.bound, 0, "t");
    send_text (pair.bound, "t2", 0);
    subscribe (pair.connected, "end");
    expect_subscription (pair.bound, 1, "end");
    send_text (pair.bound, "end", 0);
    expect_text (pair.connected, "end");
    part_couple (&pair);
}

TEST (unsubscribing_an_unknown_topic_does_nothing)
{
    struct couple pair = publisher (ZMQ_SUB, "inproc://unknown");
    unsubscribe (pair.connected, "never");
    subscribe (pair.connected, "yes");
    expect_subscription (pair.bound, 1, "yes");
    part_couple (&pair);
}

TEST (only_subscribers_subscribe)
{
    static const int others[] = { ZMQ_PAIR, ZMQ_PUB, ZMQ_REQ, ZMQ_REP, ZMQ_DEALER, ZMQ_ROUTER, ZMQ_PULL, ZMQ_PUSH,
                                  ZMQ_XPUB, ZMQ_XSUB, ZMQ_STREAM };
    void *context = open_context ();
    for (size_t at = 0; at < COUNT (others); at++) {
        void *socket = open_socket (context, others[at]);
        CHECK_ERRNO (zmq_setsockopt (socket, ZMQ_SUBSCRIBE, "x", 1), EINVAL);
        CHECK_ERRNO (zmq_setsockopt (socket, ZMQ_UNSUBSCRIBE, "x", 1), EINVAL);
        CHECK_OK (zmq_close (socket));
    }
    CHECK_OK (zmq_ctx_term (context));
}

TEST (publishing_without_subscribers_drops_and_never_waits)
{
    void *context = open_context ();
    void *pub = open_socket (context, ZMQ_PUB);
    CHECK_OK (zmq_bind (pub, TCP));
    for (int at = 0; at < 5000; at++)
        CHECK_EQUAL (zmq_send (pub, "x", 1, 0), 1);
    CHECK_EQUAL (get_int (pub, ZMQ_EVENTS), ZMQ_POLLOUT);
    end_all (context, pub, NULL, NULL);
}

TEST (a_PUB_drops_for_a_subscriber_at_its_mark)
{
    void *context = open_context ();
    void *pub = open_socket (context, ZMQ_XPUB);
    void *sub = open_socket (context, ZMQ_SUB);
    set_int (pub, ZMQ_SNDHWM, 2);
    set_int (sub, ZMQ_RCVHWM, 2);
    subscribe (sub, "");
    CHECK_OK (zmq_bind (pub, "inproc://drop"));
    CHECK_OK (zmq_connect (sub, "inproc://drop"));
    expect_subscription (pub, 1, "");
    for (int at = 0; at < 10; at++)
        send_text (pub, at < 4 ? "kept" : "dropped", 0);
    for (int at = 0; at < 4; at++)
        expect_text (sub, "kept");
    expect_nothing (sub);
    end_all (context, pub, sub, NULL);
}

TEST (without_drops_a_full_subscriber_is_EAGAIN)
{
    void *context = open_context ();
    void *pub = open_socket (context, ZMQ_XPUB);
    void *sub = open_socket (context, ZMQ_SUB);
    set_int (pub, ZMQ_XPUB_NODROP, 1);
    set_int (pub, ZMQ_SNDHWM, 2);
    set_int (sub, ZMQ_RCVHWM, 2);
    subscribe (sub, "");
    CHECK_OK (zmq_bind (pub, "inproc://no-drop"));
    CHECK_OK (zmq_connect (sub, "inproc://no-drop"));
    expect_subscription (pub, 1, "");
    for (int at = 0; at < 4; at++)
        send_text (pub, "kept", 0);
    CHECK_ERRNO (zmq_send (pub, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    for (int at = 0; at < 4; at++)
        expect_text (sub, "kept");
    AWAIT (zmq_send (pub, "room", 4, ZMQ_DONTWAIT) == 4);
    expect_text (sub, "room");
    end_all (context, pub, sub, NULL);
}

TEST (an_XPUB_hears_of_a_topic_when_the_first_wants_it_and_when_the_last_leaves)
{
    struct couple pair = publisher (ZMQ_SUB, "inproc://first-last");
    void *other = open_socket (pair.context, ZMQ_SUB);
    CHECK_OK (zmq_connect (other, pair.endpoint));
    subscribe (pair.connected, "t");
    expect_subscription (pair.bound, 1, "t");
    subscribe (other, "t");
    subscribe (other, "u");
    expect_subscription (pair.bound, 1, "u");
    unsubscribe (pair.connected, "t");
    unsubscribe (other, "t");
    expect_subscription (pair.bound, 0, "t");
    expect_nothing (pair.bound);
    CHECK_OK (zmq_close (other));
    expect_subscription (pair.bound, 0, "u");
    part_couple (&pair);
}

TEST (a_verbose_XPUB_hears_of_every_subscription)
{
    struct couple pair = publisher (ZMQ_SUB, "inproc://verbose");
    void *other = open_socket (pair.context, ZMQ_SUB);
    set_int (pair.bound, ZMQ_XPUB_VERBOSE, 1);
    CHECK_OK (zmq_connect (other, pair.endpoint));
    subscribe (pair.connected, "t");
    expect_subscription (pair.bound, 1, "t");
    subscribe (other, "t");
    expect_subscription (pair.bound, 1, "t");
    unsubscribe (other, "t");
    subscribe (other, "end");
    expect_subscription (pair.bound, 1, "end");
    CHECK_OK (zmq_close (other));
    part_couple (&pair);
}

TEST (a_verboser_XPUB_hears_of_every_end_as_well)
{
    struct couple pair = publisher (ZMQ_SUB, "inproc://verboser");
    void *other = open_socket (pair.context, ZMQ_SUB);
    set_int (pair.bound, ZMQ_XPUB_VERBOSER, 1);
    CHECK_OK (zmq_connect (other, pair.endpoint));
    subscribe (pair.connected, "t");
    expect_subscription (pair.bound, 1, "t");
    subscribe (other, "t");
    expect_subscription (pair.bound, 1, "t");
    unsubscribe (other, "t");
    expect_subscription (pair.bound, 0, "t");
    unsubscribe (pair.connected, "t");
    expect_subscription (pair.bound, 0, "t");
    CHECK_OK (zmq_close (other));
    part_couple (&pair);
}

TEST (a_manual_XPUB_decides_what_a_subscriber_gets)
{
    struct couple pair = publisher (ZMQ_SUB, "inproc://manual");
    set_int (pair.bound, ZMQ_XPUB_MANUAL, 1);
    subscribe (pair.connected, "");
    expect_subscription (pair.bound, 1, "");
    CHECK_OK (zmq_setsockopt (pair.bound, ZMQ_SUBSCRIBE, "granted", 7));
    send_text (pair.bound, "denied", 0);
    send_text (pair.bound, "granted", 0);
    expect_text (pair.connected, "granted");
    part_couple (&pair);
}

TEST (a_welcome_is_the_first_thing_that_its_subscribers_get)
{
    void *context = open_context ();
    void *pub = open_socket (context, ZMQ_XPUB);
    void *sub = open_socket (context, ZMQ_SUB);
    CHECK_OK (zmq_setsockopt (pub, ZMQ_XPUB_WELCOME_MSG, "Welcome", 7));
    CHECK_OK (zmq_bind (pub, "inproc://welcome"));
    subscribe (sub, "W");
    CHECK_OK (zmq_connect (sub, "inproc://welcome"));
    expect_subscription (pub, 1, "W");
    send_text (pub, "Wednesday", 0);
    expect_text (sub, "Welcome");
    expect_text (sub, "Wednesday");
    end_all (context, pub, sub, NULL);
}

TEST (with_inverted_matching_topics_say_what_is_not_wanted)
{
    void *context = open_context ();
    void *pub = open_socket (context, ZMQ_XPUB);
    void *sub = open_socket (context, ZMQ_SUB);
    set_int (pub, ZMQ_INVERT_MATCHING, 1);
    set_int (sub, ZMQ_INVERT_MATCHING, 1);
    subscribe (sub, "not");
    CHECK_OK (zmq_bind (pub, "inproc://invert"));
    CHECK_OK (zmq_connect (sub, "inproc://invert"));
    expect_subscription (pub, 1, "not");
    send_text (pub, "nothing", 0);
    send_text (pub, "something", 0);
    expect_text (sub, "something");
    expect_nothing (sub);
    end_all (context, pub, sub, NULL);
}

TEST (an_XSUB_subscribes_with_messages)
{
    struct couple pair = publisher (ZMQ_XSUB, TCP);
    send_subscription (pair.connected, 1, "mine");
    expect_subscription (pair.bound, 1, "mine");
    send_text (pair.bound, "theirs", 0);
    send_text (pair.bound, "mine", 0);
    expect_text (pair.connected, "mine");
    send_subscription (pair.connected, 0, "mine");
    expect_subscription (pair.bound, 0, "mine");
    part_couple (&pair);
}

TEST (other_messages_of_an_XSUB_reach_the_XPUB)
{
    struct couple pair = publisher (ZMQ_XSUB, TCP);
    send_text (pair.connected, "up the stream", 0);
    expect_text (pair.bound, "up the stream");
    part_couple (&pair);
}

TEST (a_SUB_connected_later_brings_its_topics)
{
    void *context = open_context ();
    void *pub = open_socket (context, ZMQ_XPUB);
    void *sub = open_socket (context, ZMQ_SUB);
    char endpoint[256];
    bind_to (pub, TCP, endpoint);
    subscribe (sub, "early");
    CHECK_OK (zmq_connect (sub, endpoint));
    expect_subscription (pub, 1, "early");
    send_text (pub, "early bird", 0);
    expect_text (sub, "early bird");
    end_all (context, pub, sub, NULL);
}

TEST (a_SUB_may_be_bound_and_the_PUB_connected)
{
    void *context = open_context ();
    void *pub = open_socket (context, ZMQ_XPUB);
    void *sub = open_socket (context, ZMQ_SUB);
    char endpoint[256];
    subscribe (sub, "t");
    bind_to (sub, TCP, endpoint);
    CHECK_OK (zmq_connect (pub, endpoint));
    /* libzmq's SUB tells a new peer its topics when it is next looked at. */
    AWAIT (get_int (sub, ZMQ_EVENTS) == 0 && poll_for (pub, ZMQ_POLLIN, 0));
    expect_subscription (pub, 1, "t");
    send_text (pub, "turned round", 0);
    expect_text (sub, "turned round");
    end_all (context, pub, sub, NULL);
}

TEST (everybody_who_wants_it_gets_it)
{
    void *context = open_context ();
    void *pub = open_socket (context, ZMQ_XPUB);
    void *subs[10];
    char endpoint[256];
    set_int (pub, ZMQ_XPUB_VERBOSE, 1);
    bind_to (pub, TCP, endpoint);
    for (int at = 0; at < 10; at++) {
        subs[at] = open_socket (context, ZMQ_SUB);
        subscribe (subs[at], "all");
        CHECK_OK (zmq_connect (subs[at], endpoint));
        expect_subscription (pub, 1, "all");
    }
    send_text (pub, "all of you", 0);
    for (int at = 0; at < 10; at++) {
        expect_text (subs[at], "all of you");
        CHECK_OK (zmq_close (subs[at]));
    }
    end_all (context, pub, NULL, NULL);
}

TEST (conflated_the_last_message_is_all_there_is)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    set_int (pull, ZMQ_CONFLATE, 1);
    set_int (push, ZMQ_CONFLATE, 1);
    CHECK_OK (zmq_bind (pull, "inproc://conflate"));
    CHECK_OK (zmq_connect (push, "inproc://conflate"));
    for (int at = 0; at < 100; at++)
        CHECK_EQUAL (zmq_send (push, &at, sizeof at, 0), sizeof at);
    int last = 99;
    expect_bytes (pull, &last, sizeof last, 0);
    expect_nothing (pull);
    end_all (context, pull, push, NULL);
}
