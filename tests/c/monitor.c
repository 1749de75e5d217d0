/* zmq_socket_monitor. */
#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct event
{
    int number;
    uint32_t value;
    char endpoint[256];
};

static struct event next_event (void *monitor)
{
    struct event event;
    unsigned char frame[16];
    uint16_t number;
    CHECK_EQUAL (zmq_recv (monitor, frame, sizeof frame, 0), 6);
    CHECK_EQUAL (get_int (monitor, ZMQ_RCVMORE), 1);
    memcpy (&number, frame, 2);
    memcpy (&event.value, frame + 2, 4);
    event.number = number;
    int size = zmq_recv (monitor, event.endpoint, sizeof event.endpoint - 1, 0);
    CHECK (size >= 0 && size < (int) sizeof event.endpoint);
    event.endpoint[size] = 0;
    CHECK_EQUAL (get_int (monitor, ZMQ_RCVMORE), 0);
    return event;
}

/* Reads events until this one. */
static struct event await_event (void *monitor, int number)
{
    struct event event;
    do
        event = next_event (monitor);
    while (event.number != number);
    return event;
}

/* A PAIR that hears what happens to a socket. */
static void *watch (void *context, void *socket, const char *name, int events)
{
    CHECK_OK (zmq_socket_monitor (socket, name, events));
    void *monitor = open_socket (context, ZMQ_PAIR);
    CHECK_OK (zmq_connect (monitor, name));
    return monitor;
}

TEST (a_socket_that_listens_says_where)
{
    static const char *const ways[] = { TCP, "ipc://*" };
    for (size_t way = 0; way < COUNT (ways); way++) {
        void *context = open_context ();
        void *pull = open_socket (context, ZMQ_PULL);
        void *monitor = watch (context, pull, "inproc://monitor", ZMQ_EVENT_ALL);
        char endpoint[256];
        bind_to (pull, ways[way], endpoint);
        struct event event = next_event (monitor);
        CHECK_EQUAL (event.number, ZMQ_EVENT_LISTENING);
        CHECK (strcmp (event.endpoint, endpoint) == 0);
        CHECK ((int) event.value > 2);
        end_all (context, pull, monitor, NULL);
    }
}

TEST (both_ends_tell_the_life_of_a_connection)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    void *server = watch (context, pull, "inproc://server", ZMQ_EVENT_ALL);
    void *client = watch (context, push, "inproc://client", ZMQ_EVENT_ALL);
    char endpoint[256];
    bind_to (pull, TCP, endpoint);
    CHECK_OK (zmq_connect (push, endpoint));
    CHECK_EQUAL (next_event (server).number, ZMQ_EVENT_LISTENING);
    CHECK_EQUAL (next_event (server).number, ZMQ_EVENT_ACCEPTED);
    CHECK_EQUAL (next_event (server).number, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    struct event event = await_event (client, ZMQ_EVENT_CONNECTED);
    CHECK (strcmp (event.endpoint, endpoint) == 0);
    CHECK ((int) event.value > 2);
    CHECK_EQUAL (next_event (client).number, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    CHECK_OK (zmq_close (push));
    CHECK_EQUAL (next_event (server).number, ZMQ_EVENT_DISCONNECTED);
    CHECK_EQUAL (await_event (client, ZMQ_EVENT_MONITOR_STOPPED).number, ZMQ_EVENT_MONITOR_STOPPED);
    CHECK_OK (zmq_close (pull));
    end_all (context, server, client, NULL);
}

TEST (a_connect_that_is_not_there_yet_is_delayed_and_tried_again)
{
    void *context = open_context ();
    void *push = open_socket (context, ZMQ_PUSH);
    void *monitor = watch (context, push, "inproc://retry", ZMQ_EVENT_ALL);
    char endpoint[256];
    void *taken = open_socket (context, ZMQ_PULL);
    bind_to (taken, TCP, endpoint);
    CHECK_OK (zmq_unbind (taken, endpoint));
    set_int (push, ZMQ_RECONNECT_IVL, 20);
    CHECK_OK (zmq_connect (push, endpoint));
    CHECK_EQUAL (next_event (monitor).number, ZMQ_EVENT_CONNECT_DELAYED);
    await_event (monitor, ZMQ_EVENT_CLOSED);
    struct event event = next_event (monitor);
    CHECK_EQUAL (event.number, ZMQ_EVENT_CONNECT_RETRIED);
    CHECK (event.value >= 20 && event.value <= 40);
    end_all (context, push, monitor, taken);
}

TEST (a_bind_that_fails_says_so)
{
    void *context = open_context ();
    void *one = open_socket (context, ZMQ_PULL);
    void *two = open_socket (context, ZMQ_PULL);
    void *monitor = watch (context, two, "inproc://fails", ZMQ_EVENT_ALL);
    char endpoint[256];
    bind_to (one, TCP, endpoint);
    CHECK_ERRNO (zmq_bind (two, endpoint), EADDRINUSE);
    struct event event = await_event (monitor, ZMQ_EVENT_BIND_FAILED);
    CHECK_EQUAL (event.value, EADDRINUSE);
    end_all (context, one, two, monitor);
}

TEST (unbinding_closes_what_listened)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *monitor = watch (context, pull, "inproc://unbinds", ZMQ_EVENT_ALL);
    char endpoint[256];
    bind_to (pull, TCP, endpoint);
    CHECK_OK (zmq_unbind (pull, endpoint));
    CHECK_EQUAL (next_event (monitor).number, ZMQ_EVENT_LISTENING);
    struct event event = next_event (monitor);
    CHECK_EQUAL (event.number, ZMQ_EVENT_CLOSED);
    CHECK (strcmp (event.endpoint, endpoint) == 0);
    end_all (context, pull, monitor, NULL);
}

/* A peer that says in its greeting that it speaks PLAIN. */
static int connect_plainly (const char *endpoint)
{
    struct sockaddr_in address;
    unsigned char greeting[64] = { 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, 'P', 'L', 'A', 'I', 'N' };
    int peer = socket (AF_INET, SOCK_STREAM, 0);
    memset (&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    address.sin_port = htons ((unsigned short) atoi (strrchr (endpoint, ':') + 1));
    CHECK_OK (connect (peer, (const struct sockaddr *) &address, sizeof address));
    CHECK_EQUAL (write (peer, greeting, sizeof greeting), sizeof greeting);
    return peer;
}

TEST (a_peer_of_another_mechanism_fails_the_handshake)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *monitor = watch (context, pull, "inproc://mechanism", ZMQ_EVENT_ALL);
    char endpoint[256];
    bind_to (pull, TCP, endpoint);
    int peer = connect_plainly (endpoint);
    struct event event = await_event (monitor, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL);
    CHECK_EQUAL (event.value, ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH);
    CHECK_OK (close (peer));
    end_all (context, pull, monitor, NULL);
}

TEST (only_the_events_asked_for_are_told)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    void *monitor = watch (context, pull, "inproc://asked", ZMQ_EVENT_ACCEPTED);
    char endpoint[256];
    bind_to (pull, TCP, endpoint);
    CHECK_OK (zmq_connect (push, endpoint));
    send_text (push, "known", 0);
    expect_text (pull, "known");
    CHECK_EQUAL (next_event (monitor).number, ZMQ_EVENT_ACCEPTED);
    CHECK_EQUAL (poll_for (monitor, ZMQ_POLLIN, 10), 0);
    end_all (context, pull, push, monitor);
}

TEST (a_monitor_that_is_ended_says_so_last)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *monitor = watch (context, pull, "inproc://ended", ZMQ_EVENT_ALL);
    CHECK_OK (zmq_bind (pull, TCP));
    CHECK_OK (zmq_socket_monitor (pull, NULL, 0));
    CHECK_EQUAL (next_event (monitor).number, ZMQ_EVENT_LISTENING);
    struct event event = next_event (monitor);
    CHECK_EQUAL (event.number, ZMQ_EVENT_MONITOR_STOPPED);
    CHECK_OK (zmq_bind (pull, TCP));
    CHECK_EQUAL (poll_for (monitor, ZMQ_POLLIN, 10), 0);
    end_all (context, pull, monitor, NULL);
}

TEST (closing_the_socket_ends_its_monitor)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *monitor = watch (context, pull, "inproc://closing", ZMQ_EVENT_ALL);
    CHECK_OK (zmq_bind (pull, TCP));
    CHECK_OK (zmq_close (pull));
    CHECK_EQUAL (next_event (monitor).number, ZMQ_EVENT_LISTENING);
    await_event (monitor, ZMQ_EVENT_MONITOR_STOPPED);
    CHECK_EQUAL (poll_for (monitor, ZMQ_POLLIN, 10), 0);
    end_all (context, monitor, NULL, NULL);
}

TEST (a_second_monitor_takes_the_place_of_the_first)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *first = watch (context, pull, "inproc://first", ZMQ_EVENT_ALL);
    void *second = watch (context, pull, "inproc://second", ZMQ_EVENT_ALL);
    CHECK_OK (zmq_bind (pull, TCP));
    CHECK_EQUAL (next_event (second).number, ZMQ_EVENT_LISTENING);
    CHECK_EQUAL (next_event (first).number, ZMQ_EVENT_MONITOR_STOPPED);
    end_all (context, pull, first, second);
}

TEST (a_monitor_speaks_inproc_alone)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    CHECK_ERRNO (zmq_socket_monitor (pull, TCP, ZMQ_EVENT_ALL), EPROTONOSUPPORT);
    CHECK_ERRNO (zmq_socket_monitor (pull, "ipc://*", ZMQ_EVENT_ALL), EPROTONOSUPPORT);
    CHECK_ERRNO (zmq_socket_monitor (pull, "nothing://x", ZMQ_EVENT_ALL), EPROTONOSUPPORT);
    CHECK_ERRNO (zmq_socket_monitor (pull, "no endpoint", ZMQ_EVENT_ALL), EINVAL);
    end_all (context, pull, NULL, NULL);
}

TEST (a_name_in_use_is_EADDRINUSE)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *other = open_socket (context, ZMQ_PAIR);
    CHECK_OK (zmq_bind (other, "inproc://used"));
    CHECK_ERRNO (zmq_socket_monitor (pull, "inproc://used", ZMQ_EVENT_ALL), EADDRINUSE);
    end_all (context, pull, other, NULL);
}

TEST (something_that_is_no_socket_is_ENOTSOCK)
{
    CHECK_ERRNO (zmq_socket_monitor (NULL, "inproc://none", ZMQ_EVENT_ALL), ENOTSOCK);
}

TEST (ending_a_monitor_that_is_not_there_does_nothing)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    CHECK_OK (zmq_socket_monitor (pull, NULL, 0));
    end_all (context, pull, NULL, NULL);
}

TEST (events_have_their_numbers)
{
    CHECK_EQUAL (ZMQ_EVENT_CONNECTED, 1);
    CHECK_EQUAL (ZMQ_EVENT_CONNECT_DELAYED, 2);
    CHECK_EQUAL (ZMQ_EVENT_CONNECT_RETRIED, 4);
    CHECK_EQUAL (ZMQ_EVENT_LISTENING, 8);
    CHECK_EQUAL (ZMQ_EVENT_BIND_FAILED, 0x10);
    CHECK_EQUAL (ZMQ_EVENT_ACCEPTED, 0x20);
    CHECK_EQUAL (ZMQ_EVENT_ACCEPT_FAILED, 0x40);
    CHECK_EQUAL (ZMQ_EVENT_CLOSED, 0x80);
    CHECK_EQUAL (ZMQ_EVENT_CLOSE_FAILED, 0x100);
    CHECK_EQUAL (ZMQ_EVENT_DISCONNECTED, 0x200);
    CHECK_EQUAL (ZMQ_EVENT_MONITOR_STOPPED, 0x400);
    CHECK_EQUAL (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, 0x800);
    CHECK_EQUAL (ZMQ_EVENT_HANDSHAKE_SUCCEEDED, 0x1000);
    CHECK_EQUAL (ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, 0x2000);
    CHECK_EQUAL (ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 0x4000);
    CHECK_EQUAL (ZMQ_EVENT_ALL, 0xffff);
}
