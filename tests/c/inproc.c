/* The transport inproc. */
#include "sockets.h"

TEST (a_connect_may_come_before_its_bind)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    CHECK_OK (zmq_connect (push, "inproc://early"));
    send_text (push, "one", 0);
    send_text (push, "two", 0);
    CHECK_OK (zmq_bind (pull, "inproc://early"));
    expect_text (pull, "one");
    expect_text (pull, "two");
    end_all (context, pull, push, NULL);
}

TEST (several_may_wait_for_a_bind)
{
    enum { WAITING = 5 };
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *pushes[WAITING];
    for (int at = 0; at < WAITING; at++) {
        pushes[at] = open_socket (context, ZMQ_PUSH);
        CHECK_OK (zmq_connect (pushes[at], "inproc://several"));
        send_text (pushes[at], "here", 0);
    }
    CHECK_OK (zmq_bind (pull, "inproc://several"));
    for (int at = 0; at < WAITING; at++)
        expect_text (pull, "here");
    for (int at = 0; at < WAITING; at++)
        CHECK_OK (zmq_close (pushes[at]));
    end_all (context, pull, NULL, NULL);
}

TEST (a_context_ends_while_connects_still_wait)
{
    void *context = open_context ();
    void *push = zmq_socket (context, ZMQ_PUSH);
    set_int (push, ZMQ_LINGER, 0);
    CHECK_OK (zmq_connect (push, "inproc://never"));
    send_text (push, "lost", 0);
    end_all (context, push, NULL, NULL);
}

TEST (what_waits_for_a_bind_keeps_the_context_unless_it_may_be_lost)
{
    void *context = open_context ();
    void *push = zmq_socket (context, ZMQ_PUSH);
    void *pull = open_socket (context, ZMQ_PULL);
    CHECK_OK (zmq_connect (push, "inproc://kept"));
    send_text (push, "kept", 0);
    CHECK_OK (zmq_close (push));
    CHECK_OK (zmq_bind (pull, "inproc://kept"));
    expect_text (pull, "kept");
    end_all (context, pull, NULL, NULL);
}

TEST (names_may_be_long_and_have_any_characters)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    char endpoint[256 + 10], told[256 + 10];
    size_t size = sizeof told;
    strcpy (endpoint, "inproc:// #/:*?\xc3\xa4\x01");
    size_t used = strlen (endpoint);
    memset (endpoint + used, 'n', 256 + 9 - used);
    endpoint[256 + 9] = 0;
    CHECK_OK (zmq_bind (pull, endpoint));
    CHECK_OK (zmq_getsockopt (pull, ZMQ_LAST_ENDPOINT, told, &size));
    CHECK (strcmp (told, endpoint) == 0);
    CHECK_OK (zmq_connect (push, endpoint));
    send_text (push, "long", 0);
    expect_text (pull, "long");
    end_all (context, pull, push, NULL);
}

TEST (a_star_is_a_name_like_others)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://*");
    CHECK (strcmp (pair.endpoint, "inproc://*") == 0);
    send_text (pair.connected, "star", 0);
    expect_text (pair.bound, "star");
    part_couple (&pair);
}

TEST (an_unbound_name_can_be_used_by_another)
{
    void *context = open_context ();
    void *one = open_socket (context, ZMQ_PULL);
    void *two = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    CHECK_OK (zmq_bind (one, "inproc://again"));
    CHECK_ERRNO (zmq_bind (two, "inproc://again"), EADDRINUSE);
    CHECK_ERRNO (zmq_unbind (two, "inproc://again"), ENOENT);
    CHECK_OK (zmq_unbind (one, "inproc://again"));
    CHECK_ERRNO (zmq_unbind (one, "inproc://again"), ENOENT);
    CHECK_OK (zmq_bind (two, "inproc://again"));
    CHECK_OK (zmq_connect (push, "inproc://again"));
    send_text (push, "to the second", 0);
    expect_text (two, "to the second");
    end_all (context, one, two, push);
}

TEST (a_closed_socket_leaves_its_name_to_the_next)
{
    void *context = open_context ();
    void *one = open_socket (context, ZMQ_PULL);
    void *two = open_socket (context, ZMQ_PULL);
    CHECK_OK (zmq_bind (one, "inproc://left"));
    CHECK_OK (zmq_close (one));
    AWAIT (zmq_bind (two, "inproc://left") == 0);
    end_all (context, two, NULL, NULL);
}

TEST (a_disconnected_name_is_sent_to_no_more)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://no-more");
    send_text (pair.connected, "before", 0);
    expect_text (pair.bound, "before");
    CHECK_OK (zmq_disconnect (pair.connected, pair.endpoint));
    CHECK_ERRNO (zmq_disconnect (pair.connected, pair.endpoint), ENOENT);
    CHECK_ERRNO (zmq_send (pair.connected, "after", 5, ZMQ_DONTWAIT), EAGAIN);
    part_couple (&pair);
}

ONLY_DEBIAN (names_need_not_be_text, "ours are UTF-8, others are EINVAL")
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://\xff\xfe");
    send_text (pair.connected, "bytes", 0);
    expect_text (pair.bound, "bytes");
    part_couple (&pair);
}

TEST (a_closed_peer_leaves_what_it_sent_even_without_linger)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://leaves");
    for (int at = 0; at < 100; at++)
        CHECK_EQUAL (zmq_send (pair.connected, &at, sizeof at, 0), sizeof at);
    CHECK_OK (zmq_close (pair.connected));
    for (int at = 0; at < 100; at++)
        expect_bytes (pair.bound, &at, sizeof at, 0);
    end_all (pair.context, pair.bound, NULL, NULL);
}
