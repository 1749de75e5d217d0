/* STREAM: bytes of plain tcp. */
#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { ID_SIZE = 5 };

static struct sockaddr_in address_of (const char *endpoint)
{
    struct sockaddr_in address;
    memset (&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    address.sin_port = htons ((unsigned short) atoi (strrchr (endpoint, ':') + 1));
    return address;
}

/* Connects to an endpoint without any zmq. */
static int plain_connect (const char *endpoint)
{
    struct sockaddr_in address = address_of (endpoint);
    int plain = socket (AF_INET, SOCK_STREAM, 0);
    CHECK (plain >= 0);
    CHECK_OK (connect (plain, (const struct sockaddr *) &address, sizeof address));
    return plain;
}

static int plain_listen (char endpoint[64])
{
    struct sockaddr_in address = address_of (":0");
    socklen_t size = sizeof address;
    int plain = socket (AF_INET, SOCK_STREAM, 0);
    CHECK_OK (bind (plain, (const struct sockaddr *) &address, sizeof address));
    CHECK_OK (listen (plain, 5));
    CHECK_OK (getsockname (plain, (struct sockaddr *) &address, &size));
    snprintf (endpoint, 64, "tcp://127.0.0.1:%d", ntohs (address.sin_port));
    return plain;
}

static void expect_id (void *stream, char id[ID_SIZE])
{
    char received[64];
    CHECK_EQUAL (zmq_recv (stream, received, sizeof received, 0), ID_SIZE);
    CHECK_EQUAL (get_int (stream, ZMQ_RCVMORE), 1);
    memcpy (id, received, ID_SIZE);
}

/* Receives until there are this many bytes of a peer. */
static void expect_stream (void *stream, const char *id, const char *text)
{
    char received[256], from[ID_SIZE];
    size_t size = 0;
    while (size < strlen (text)) {
        expect_id (stream, from);
        CHECK (memcmp (from, id, ID_SIZE) == 0);
        int part = zmq_recv (stream, received + size, sizeof received - size, 0);
        CHECK (part > 0);
        CHECK_EQUAL (get_int (stream, ZMQ_RCVMORE), 0);
        size += (size_t) part;
    }
    CHECK_EQUAL (size, strlen (text));
    CHECK (memcmp (received, text, size) == 0);
}

static void expect_plain (int plain, const char *text)
{
    char received[256];
    size_t size = 0;
    while (size < strlen (text)) {
        ssize_t part = read (plain, received + size, sizeof received - size);
        CHECK (part > 0);
        size += (size_t) part;
    }
    CHECK_EQUAL (size, strlen (text));
    CHECK (memcmp (received, text, size) == 0);
}

TEST (a_peer_that_comes_and_goes_is_two_empty_messages)
{
    void *context = open_context ();
    void *stream = open_socket (context, ZMQ_STREAM);
    char endpoint[256], id[ID_SIZE], gone[ID_SIZE];
    bind_to (stream, TCP, endpoint);
    int plain = plain_connect (endpoint);
    expect_id (stream, id);
    expect_text (stream, "");
    CHECK_OK (close (plain));
    expect_id (stream, gone);
    expect_text (stream, "");
    CHECK (memcmp (id, gone, ID_SIZE) == 0);
    end_all (context, stream, NULL, NULL);
}

TEST (bytes_go_both_ways)
{
    void *context = open_context ();
    void *stream = open_socket (context, ZMQ_STREAM);
    char endpoint[256], id[ID_SIZE];
    bind_to (stream, TCP, endpoint);
    int plain = plain_connect (endpoint);
    expect_id (stream, id);
    expect_text (stream, "");
    CHECK_EQUAL (write (plain, "GET / HTTP/1.0\r\n\r\n", 18), 18);
    expect_stream (stream, id, "GET / HTTP/1.0\r\n\r\n");
    CHECK_EQUAL (zmq_send (stream, id, ID_SIZE, ZMQ_SNDMORE), ID_SIZE);
    send_text (stream, "HTTP/1.0 200 OK\r\n", 0);
    expect_plain (plain, "HTTP/1.0 200 OK\r\n");
    CHECK_OK (close (plain));
    end_all (context, stream, NULL, NULL);
}

TEST (an_empty_message_closes_the_connection)
{
    void *context = open_context ();
    void *stream = open_socket (context, ZMQ_STREAM);
    char endpoint[256], id[ID_SIZE], byte;
    bind_to (stream, TCP, endpoint);
    int plain = plain_connect (endpoint);
    expect_id (stream, id);
    expect_text (stream, "");
    CHECK_EQUAL (zmq_send (stream, id, ID_SIZE, ZMQ_SNDMORE), ID_SIZE);
    CHECK_EQUAL (zmq_send (stream, NULL, 0, 0), 0);
    /* libzmq closes it when its socket is next looked at. */
    AWAIT (get_int (stream, ZMQ_EVENTS) >= 0 && recv (plain, &byte, 1, MSG_DONTWAIT) == 0);
    CHECK_OK (close (plain));
    end_all (context, stream, NULL, NULL);
}

TEST (who_connects_hears_of_it_as_well)
{
    void *context = open_context ();
    void *stream = open_socket (context, ZMQ_STREAM);
    char endpoint[64], id[ID_SIZE];
    int listener = plain_listen (endpoint);
    CHECK_OK (zmq_connect (stream, endpoint));
    int plain = accept (listener, NULL, NULL);
    CHECK (plain >= 0);
    expect_id (stream, id);
    expect_text (stream, "");
    CHECK_EQUAL (zmq_send (stream, id, ID_SIZE, ZMQ_SNDMORE), ID_SIZE);
    send_text (stream, "knock", 0);
    expect_plain (plain, "knock");
    CHECK_OK (close (plain));
    CHECK_OK (close (listener));
    end_all (context, stream, NULL, NULL);
}

TEST (a_connection_can_be_given_its_name)
{
    void *context = open_context ();
    void *stream = open_socket (context, ZMQ_STREAM);
    char endpoint[64];
    int listener = plain_listen (endpoint);
    CHECK_OK (zmq_setsockopt (stream, ZMQ_CONNECT_ROUTING_ID, "server", 6));
    CHECK_OK (zmq_connect (stream, endpoint));
    int plain = accept (listener, NULL, NULL);
    expect_part (stream, "server", 1);
    expect_text (stream, "");
    send_text (stream, "server", ZMQ_SNDMORE);
    send_text (stream, "knock", 0);
    expect_plain (plain, "knock");
    CHECK_OK (close (plain));
    CHECK_OK (close (listener));
    end_all (context, stream, NULL, NULL);
}

TEST (without_notices_only_bytes_are_received)
{
    void *context = open_context ();
    void *stream = open_socket (context, ZMQ_STREAM);
    char endpoint[256], id[ID_SIZE];
    set_int (stream, ZMQ_STREAM_NOTIFY, 0);
    bind_to (stream, TCP, endpoint);
    int plain = plain_connect (endpoint);
    CHECK_EQUAL (write (plain, "first", 5), 5);
    expect_id (stream, id);
    expect_text (stream, "first");
    CHECK_OK (close (plain));
    end_all (context, stream, NULL, NULL);
}

TEST (a_message_for_nobody_is_EHOSTUNREACH)
{
    void *context = open_context ();
    void *stream = open_socket (context, ZMQ_STREAM);
    CHECK_OK (zmq_bind (stream, TCP));
    CHECK_ERRNO (zmq_send (stream, "nobody", 6, ZMQ_SNDMORE), EHOSTUNREACH);
    end_all (context, stream, NULL, NULL);
}

TEST (two_STREAMs_talk)
{
    struct couple pair = couple (ZMQ_STREAM, ZMQ_STREAM, TCP);
    char there[ID_SIZE], back[ID_SIZE];
    expect_id (pair.bound, there);
    expect_text (pair.bound, "");
    expect_id (pair.connected, back);
    expect_text (pair.connected, "");
    CHECK_EQUAL (zmq_send (pair.connected, back, ID_SIZE, ZMQ_SNDMORE), ID_SIZE);
    send_text (pair.connected, "one", 0);
    expect_stream (pair.bound, there, "one");
    CHECK_EQUAL (zmq_send (pair.bound, there, ID_SIZE, ZMQ_SNDMORE), ID_SIZE);
    send_text (pair.bound, "two", 0);
    expect_stream (pair.connected, back, "two");
    part_couple (&pair);
}

TEST (the_metadata_tells_the_address_of_a_plain_peer)
{
    void *context = open_context ();
    void *stream = open_socket (context, ZMQ_STREAM);
    char endpoint[256];
    zmq_msg_t id;
    bind_to (stream, TCP, endpoint);
    int plain = plain_connect (endpoint);
    CHECK_OK (zmq_msg_init (&id));
    CHECK_EQUAL (zmq_msg_recv (&id, stream, 0), ID_SIZE);
    CHECK (strcmp (zmq_msg_gets (&id, "Peer-Address"), "127.0.0.1") == 0);
    CHECK_OK (zmq_msg_close (&id));
    expect_text (stream, "");
    CHECK_OK (close (plain));
    end_all (context, stream, NULL, NULL);
}

TEST (a_STREAM_speaks_tcp_alone)
{
    void *context = open_context ();
    void *stream = open_socket (context, ZMQ_STREAM);
    CHECK_ERRNO (zmq_bind (stream, "udp://127.0.0.1:*"), ENOCOMPATPROTO);
    end_all (context, stream, NULL, NULL);
}
