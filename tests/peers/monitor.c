/* Acts a scene with libzmq and tells the events of its monitors (version 1). A line of standard input names the scene; the answer
   on standard output is one line per event, `SIDE EVENT VALUE ENDPOINT`. SIDE is B for the
   socket that binds and C for the one that connects; the events of each side come in their order. tests/interop/monitors.rs acts
   the same scenes with Tightbeam. */

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#define LIMIT_MS 20000

struct side {
    char name;
    void *socket, *events;
};

static void *context;

static struct side open_side(char name, int type)
{
    static int count;
    char endpoint[40];
    int none = 0, limit = LIMIT_MS, soon = 50;
    struct side side = {name, zmq_socket(context, type), zmq_socket(context, ZMQ_PAIR)};
    snprintf(endpoint, sizeof endpoint, "inproc://events-%d", count++);
    zmq_setsockopt(side.socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(side.socket, ZMQ_RECONNECT_IVL, &soon, sizeof soon);
    zmq_setsockopt(side.events, ZMQ_RCVTIMEO, &limit, sizeof limit);
    zmq_socket_monitor(side.socket, endpoint, ZMQ_EVENT_ALL);
    zmq_connect(side.events, endpoint);
    return side;
}

/* Tells events up to the first of this kind. */
static void until(struct side *side, unsigned wanted)
{
    uint16_t event = 0;
    while (event != wanted) {
        unsigned char head[6];
        char address[256];
        uint32_t value;
        int length;
        if (zmq_recv(side->events, head, sizeof head, 0) != sizeof head) {
            printf("%c nothing\n", side->name);
            exit(1);
        }
        length = zmq_recv(side->events, address, sizeof address - 1, 0);
        address[length < 0 ? 0 : length] = 0;
        memcpy(&event, head, sizeof event);
        memcpy(&value, head + 2, sizeof value);
        printf("%c %u %u %s\n", side->name, event, value, address);
    }
}

static void close_side(struct side *side)
{
    zmq_close(side->socket);
    until(side, ZMQ_EVENT_MONITOR_STOPPED);
    zmq_close(side->events);
}

static const char *last_endpoint(void *socket)
{
    static char endpoint[256];
    size_t length = sizeof endpoint;
    zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &length);
    return endpoint;
}

static void pair(const char *endpoint, const char *what)
{
    int refused = strcmp(what, "refused") == 0;
    unsigned last = refused ? ZMQ_EVENT_DISCONNECTED : ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    struct side bound = open_side('B', ZMQ_PULL), made = open_side('C', refused ? ZMQ_PUB : ZMQ_PUSH);
    int64_t longest = 100;
    zmq_setsockopt(bound.socket, ZMQ_MAXMSGSIZE, &longest, sizeof longest);
    zmq_bind(bound.socket, endpoint);
    zmq_connect(made.socket, last_endpoint(bound.socket));
    until(&bound, last);
    until(&made, last);
    if (strcmp(what, "server") == 0) {
        close_side(&bound);
        until(&made, ZMQ_EVENT_CONNECT_RETRIED);
        close_side(&made);
        return;
    }
    if (strcmp(what, "long") == 0) {
        char body[101] = {0};
        zmq_send(made.socket, body, sizeof body, 0);
        until(&bound, ZMQ_EVENT_DISCONNECTED);
        until(&made, ZMQ_EVENT_CONNECT_RETRIED);
    }
    if (strcmp(what, "unbind") == 0) {
        zmq_unbind(bound.socket, last_endpoint(bound.socket));
        until(&bound, ZMQ_EVENT_CLOSED);
    }
    /* It takes effect when the socket is used again, and then at the latest when it is closed. */
    if (strcmp(what, "disconnect") == 0)
        zmq_disconnect(made.socket, last_endpoint(bound.socket));
    close_side(&made);
    if (strcmp(what, "client") == 0 || strcmp(what, "disconnect") == 0)
        until(&bound, ZMQ_EVENT_DISCONNECTED);
    close_side(&bound);
}

static void connect_to_nobody(const char *endpoint)
{
    struct side made = open_side('C', ZMQ_PUSH);
    zmq_connect(made.socket, endpoint);
    until(&made, ZMQ_EVENT_CONNECT_RETRIED);
    close_side(&made);
}

static void bind_twice(void)
{
    void *first = zmq_socket(context, ZMQ_PULL);
    struct side second = open_side('B', ZMQ_PULL);
    zmq_bind(first, "tcp://127.0.0.1:*");
    zmq_bind(second.socket, last_endpoint(first));
    until(&second, ZMQ_EVENT_BIND_FAILED);
    close_side(&second);
    zmq_close(first);
}

/* A peer that says these bytes. */
static void raw(const char *hex)
{
    struct side bound = open_side('B', ZMQ_PULL);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned char bytes[256];
    unsigned byte;
    size_t length = 0;
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    zmq_bind(bound.socket, "tcp://127.0.0.1:*");
    address.sin_port = htons((uint16_t)atoi(strrchr(last_endpoint(bound.socket), ':') + 1));
    if (connect(peer, (struct sockaddr *)&address, sizeof address) != 0)
        exit(1);
    until(&bound, ZMQ_EVENT_ACCEPTED);
    while (length < sizeof bytes && sscanf(hex + 2 * length, "%2x", &byte) == 1)
        bytes[length++] = (unsigned char)byte;
    if (length == 0)
        close(peer);
    else if (send(peer, bytes, length, 0) != (ssize_t)length)
        exit(1);
    until(&bound, ZMQ_EVENT_DISCONNECTED);
    if (length > 0)
        close(peer);
    close_side(&bound);
}

int main(void)
{
    char line[1000], scene[20], argument[900], what[20];
    context = zmq_ctx_new();
    argument[0] = what[0] = 0;
    if (!fgets(line, sizeof line, stdin) || sscanf(line, "%19s %899s %19s", scene, argument, what) < 1)
        return 2;
    if (strcmp(scene, "pair") == 0)
        pair(argument, what);
    else if (strcmp(scene, "nobody") == 0)
        connect_to_nobody(argument);
    else if (strcmp(scene, "twice") == 0)
        bind_twice();
    else
        raw(argument);
    return 0;
}
