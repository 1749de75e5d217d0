/* zmq_bind, zmq_connect, zmq_unbind, zmq_disconnect: which endpoints there are, and what is wrong with the others. */
#include "sockets.h"

struct wrong
{
    const char *endpoint;
    int error;
};

/* Refused by bind and by connect. */
static const struct wrong wrong_everywhere[] = {
  { "", EINVAL },
  { "tcp", EINVAL },
  { "tcp:", EINVAL },
  { "tcp:/", EINVAL },
  { "tcp:/127.0.0.1:1", EINVAL },
  { "tcp://", EINVAL },
  { "://127.0.0.1:1", EINVAL },
  { "127.0.0.1:1", EINVAL },
  { "ipc://", EINVAL },
  { "inproc://", EINVAL },
  { "tcp://127.0.0.1", EINVAL },
  { "tcp://127.0.0.1:", EINVAL },
  { "tcp://127.0.0.1:port", EINVAL },
  { "telepathy://somebody", EPROTONOSUPPORT },
  { "TCP://127.0.0.1:1", EPROTONOSUPPORT },
};

static const struct wrong wrong_to_bind[] = {
  { "tcp://no-such-interface:*", ENODEV },
  { "tcp://127.0.0.1:65536", EINVAL },
  { "tcp://192.0.2.1:*", EADDRNOTAVAIL },
  { "tcp://256.1.1.1:*", ENODEV },
};

static const struct wrong wrong_to_connect[] = {
  { "tcp://*:5555", EINVAL },
  { "tcp://127.0.0.1:*", EINVAL },
};

/* Each is refused, and for its reason. */
static void expect_wrong (int (*call) (void *, const char *), void *socket, const struct wrong *wrong, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        int answer = call (socket, wrong[at].endpoint);
        if (answer != -1 || errno != wrong[at].error) {
            fprintf (stderr, "%s: %d, expected %s\n", wrong[at].endpoint, answer, zmq_strerror (wrong[at].error));
            CHECK (!"the endpoint is refused for its reason");
        }
    }
}

TEST (wrong_endpoints_cannot_be_bound)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    expect_wrong (zmq_bind, socket, wrong_everywhere, COUNT (wrong_everywhere));
    expect_wrong (zmq_bind, socket, wrong_to_bind, COUNT (wrong_to_bind));
    end_all (context, socket, NULL, NULL);
}

TEST (wrong_endpoints_cannot_be_connected)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    expect_wrong (zmq_connect, socket, wrong_everywhere, COUNT (wrong_everywhere));
    expect_wrong (zmq_connect, socket, wrong_to_connect, COUNT (wrong_to_connect));
    end_all (context, socket, NULL, NULL);
}

ONLY_OURS (binding_or_connecting_a_missing_endpoint_is_EINVAL, "libzmq aborts")
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    CHECK_ERRNO (zmq_bind (socket, NULL), EINVAL);
    CHECK_ERRNO (zmq_connect (socket, NULL), EINVAL);
    end_all (context, socket, NULL, NULL);
}

TEST (unbinding_or_disconnecting_a_missing_endpoint_is_EINVAL)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    CHECK_ERRNO (zmq_unbind (socket, NULL), EINVAL);
    CHECK_ERRNO (zmq_disconnect (socket, NULL), EINVAL);
    end_all (context, socket, NULL, NULL);
}

TEST (a_socket_that_is_not_is_ENOTSOCK)
{
    CHECK_ERRNO (zmq_bind (NULL, TCP), ENOTSOCK);
    CHECK_ERRNO (zmq_connect (NULL, "tcp://127.0.0.1:9"), ENOTSOCK);
    CHECK_ERRNO (zmq_unbind (NULL, "tcp://127.0.0.1:9"), ENOTSOCK);
    CHECK_ERRNO (zmq_disconnect (NULL, "tcp://127.0.0.1:9"), ENOTSOCK);
}

TEST (an_endpoint_in_use_is_EADDRINUSE)
{
    static const char *const ways[] = { TCP, "inproc://in-use", "ipc://@tightbeam-in-use-%d" };
    for (size_t way = 0; way < COUNT (ways); way++) {
        void *context = open_context ();
        void *one = open_socket (context, ZMQ_PULL);
        void *two = open_socket (context, ZMQ_PULL);
        char wanted[128], endpoint[256];
        snprintf (wanted, sizeof wanted, ways[way], (int) getpid ());
        bind_to (one, wanted, endpoint);
        CHECK_ERRNO (zmq_bind (two, endpoint), EADDRINUSE);
        end_all (context, one, two, NULL);
    }
}

TEST (a_wildcard_port_is_told_by_the_last_endpoint)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_PULL);
    char one[256], two[256];
    CHECK_EQUAL (strlen ("tcp://127.0.0.1:"), 16);
    bind_to (socket, "tcp://127.0.0.1:*", one);
    bind_to (socket, "tcp://127.0.0.1:0", two);
    CHECK (strncmp (one, "tcp://127.0.0.1:", 16) == 0 && atoi (one + 16) > 0);
    CHECK (strncmp (two, "tcp://127.0.0.1:", 16) == 0 && atoi (two + 16) > 0);
    CHECK (strcmp (one, two) != 0);
    end_all (context, socket, NULL, NULL);
}

TEST (a_wildcard_address_is_told_as_all_zeros)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_PULL);
    char endpoint[256];
    bind_to (socket, "tcp://*:*", endpoint);
    CHECK (strncmp (endpoint, "tcp://0.0.0.0:", 14) == 0);
    end_all (context, socket, NULL, NULL);
}

TEST (the_name_of_an_interface_can_be_bound)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_PULL);
    char endpoint[256];
    bind_to (socket, "tcp://lo:*", endpoint);
    CHECK (strncmp (endpoint, "tcp://127.0.0.1:", 16) == 0);
    end_all (context, socket, NULL, NULL);
}

TEST (a_name_of_a_host_can_be_connected)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    char endpoint[256], named[64];
    bind_to (pull, TCP, endpoint);
    snprintf (named, sizeof named, "tcp://localhost:%s", strrchr (endpoint, ':') + 1);
    CHECK_OK (zmq_connect (push, named));
    send_text (push, "by name", 0);
    expect_text (pull, "by name");
    end_all (context, pull, push, NULL);
}

TEST (a_source_address_may_stand_in_front)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    char endpoint[256], from[300];
    bind_to (pull, TCP, endpoint);
    snprintf (from, sizeof from, "tcp://127.0.0.2:0;%s", endpoint + 6);
    CHECK_OK (zmq_connect (push, from));
    send_text (push, "from there", 0);
    zmq_msg_t message;
    CHECK_OK (zmq_msg_init (&message));
    CHECK_EQUAL (zmq_msg_recv (&message, pull, 0), 10);
    CHECK (strcmp (zmq_msg_gets (&message, "Peer-Address"), "127.0.0.2") == 0);
    CHECK_OK (zmq_msg_close (&message));
    end_all (context, pull, push, NULL);
}

TEST (ipv6_needs_its_option)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    char endpoint[256];
    CHECK_ERRNO (zmq_bind (pull, "tcp://[::1]:*"), ENODEV);
    set_int (pull, ZMQ_IPV6, 1);
    set_int (push, ZMQ_IPV6, 1);
    if (zmq_bind (pull, "tcp://[::1]:*") == 0) {
        last_endpoint (pull, endpoint);
        CHECK (strncmp (endpoint, "tcp://[::1]:", 12) == 0);
        CHECK_OK (zmq_connect (push, endpoint));
        send_text (push, "six", 0);
        expect_text (pull, "six");
    }
    end_all (context, pull, push, NULL);
}

TEST (names_are_not_looked_up_when_connecting)
{
    void *context = open_context ();
    void *push = open_socket (context, ZMQ_PUSH);
    CHECK_OK (zmq_connect (push, "tcp://no-such-host.invalid:5555"));
    CHECK_EQUAL (zmq_send (push, "queued", 6, ZMQ_DONTWAIT), 6);
    end_all (context, push, NULL, NULL);
}

TEST (the_last_endpoint_is_empty_at_first)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_PULL);
    char endpoint[256];
    last_endpoint (socket, endpoint);
    CHECK_EQUAL (endpoint[0], 0);
    end_all (context, socket, NULL, NULL);
}

TEST (the_last_endpoint_is_also_that_of_a_connect)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_PUSH);
    char endpoint[256];
    CHECK_OK (zmq_connect (socket, "tcp://127.0.0.1:9"));
    last_endpoint (socket, endpoint);
    CHECK (strcmp (endpoint, "tcp://127.0.0.1:9") == 0);
    end_all (context, socket, NULL, NULL);
}

TEST (what_is_not_bound_or_connected_is_ENOENT)
{
    static const char *const unknown[] = { "tcp://127.0.0.1:9", "ipc:///tmp/tightbeam-unknown", "inproc://unknown" };
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    CHECK_OK (zmq_bind (socket, TCP));
    for (size_t at = 0; at < COUNT (unknown); at++) {
        CHECK_ERRNO (zmq_unbind (socket, unknown[at]), ENOENT);
        CHECK_ERRNO (zmq_disconnect (socket, unknown[at]), ENOENT);
    }
    end_all (context, socket, NULL, NULL);
}

TEST (wrong_endpoints_cannot_be_unbound_or_disconnected)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    CHECK_ERRNO (zmq_unbind (socket, "no endpoint"), EINVAL);
    CHECK_ERRNO (zmq_disconnect (socket, "no endpoint"), EINVAL);
    CHECK_ERRNO (zmq_unbind (socket, "telepathy://x"), EPROTONOSUPPORT);
    CHECK_ERRNO (zmq_disconnect (socket, "telepathy://x"), EPROTONOSUPPORT);
    end_all (context, socket, NULL, NULL);
}

TEST (the_wildcard_that_was_bound_cannot_be_unbound)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_PULL);
    char endpoint[256];
    bind_to (socket, TCP, endpoint);
    CHECK_ERRNO (zmq_unbind (socket, TCP), ENOENT);
    CHECK_OK (zmq_unbind (socket, endpoint));
    CHECK_ERRNO (zmq_unbind (socket, endpoint), ENOENT);
    end_all (context, socket, NULL, NULL);
}

TEST (an_unbound_port_can_be_bound_again)
{
    static const char *const ways[] = { TCP, "ipc://@tightbeam-again-%d", "inproc://again" };
    for (size_t way = 0; way < COUNT (ways); way++) {
        void *context = open_context ();
        void *one = open_socket (context, ZMQ_PULL);
        void *two = open_socket (context, ZMQ_PULL);
        char wanted[128], endpoint[256];
        snprintf (wanted, sizeof wanted, ways[way], (int) getpid ());
        bind_to (one, wanted, endpoint);
        CHECK_OK (zmq_unbind (one, endpoint));
        AWAIT (zmq_bind (two, endpoint) == 0);
        end_all (context, one, two, NULL);
    }
}

TEST (a_closed_socket_leaves_its_port_to_the_next)
{
    void *context = open_context ();
    void *one = open_socket (context, ZMQ_PULL);
    void *two = open_socket (context, ZMQ_PULL);
    char endpoint[256];
    bind_to (one, TCP, endpoint);
    CHECK_OK (zmq_close (one));
    AWAIT (zmq_bind (two, endpoint) == 0);
    end_all (context, two, NULL, NULL);
}

TEST (a_disconnected_peer_is_not_sent_to)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    send_text (pair.connected, "before", 0);
    expect_text (pair.bound, "before");
    CHECK_OK (zmq_disconnect (pair.connected, pair.endpoint));
    CHECK_ERRNO (zmq_disconnect (pair.connected, pair.endpoint), ENOENT);
    CHECK_ERRNO (zmq_send (pair.connected, "after", 5, ZMQ_DONTWAIT), EAGAIN);
    CHECK_OK (zmq_connect (pair.connected, pair.endpoint));
    send_text (pair.connected, "again", 0);
    expect_text (pair.bound, "again");
    part_couple (&pair);
}

TEST (connections_made_stay_when_their_endpoint_is_unbound)
{
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, TCP);
    send_text (pair.connected, "before", 0);
    expect_text (pair.bound, "before");
    CHECK_OK (zmq_unbind (pair.bound, pair.endpoint));
    part_couple (&pair);
}

TEST (a_socket_may_have_many_endpoints)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    char endpoints[4][256];
    static const char *const ways[4] = { TCP, "ipc://*", "inproc://many", TCP };
    for (int at = 0; at < 4; at++) {
        void *push = open_socket (context, ZMQ_PUSH);
        bind_to (pull, ways[at], endpoints[at]);
        CHECK_OK (zmq_connect (push, endpoints[at]));
        send_text (push, endpoints[at], 0);
        expect_text (pull, endpoints[at]);
        CHECK_OK (zmq_close (push));
    }
    end_all (context, pull, NULL, NULL);
}

TEST (a_second_connect_to_the_same_endpoint_does_nothing_for_some_types)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_DEALER);
    void *dealer = open_socket (context, ZMQ_DEALER);
    char endpoint[256];
    bind_to (pull, TCP, endpoint);
    CHECK_OK (zmq_connect (dealer, endpoint));
    CHECK_OK (zmq_connect (dealer, endpoint));
    CHECK_OK (zmq_disconnect (dealer, endpoint));
    CHECK_ERRNO (zmq_disconnect (dealer, endpoint), ENOENT);
    end_all (context, pull, dealer, NULL);
}

TEST (datagrams_are_not_for_types_of_connections)
{
    static const int types[] = { ZMQ_PAIR, ZMQ_PUB, ZMQ_SUB, ZMQ_REQ, ZMQ_REP, ZMQ_DEALER, ZMQ_ROUTER, ZMQ_PULL, ZMQ_PUSH };
    void *context = open_context ();
    for (size_t at = 0; at < COUNT (types); at++) {
        void *socket = open_socket (context, types[at]);
        CHECK_ERRNO (zmq_bind (socket, "udp://127.0.0.1:5556"), ENOCOMPATPROTO);
        CHECK_ERRNO (zmq_connect (socket, "udp://127.0.0.1:5556"), ENOCOMPATPROTO);
        CHECK_OK (zmq_close (socket));
    }
    CHECK_OK (zmq_ctx_term (context));
}
