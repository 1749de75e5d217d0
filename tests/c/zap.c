/* A handler that authenticates peers (ZAP) in a program of one context: what the scenes of two processes in tests/interop/security
   cannot show. */
#include "sockets.h"

#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

#define HANDLER "inproc://zeromq.zap.01"

static void set_text (void *socket, int option, const char *text)
{
    CHECK_OK (zmq_setsockopt (socket, option, text, strlen (text)));
}

static void *open_handler (void *context, int type)
{
    void *handler = open_socket (context, type);
    CHECK_OK (zmq_bind (handler, HANDLER));
    set_int (handler, ZMQ_RCVTIMEO, LIMIT_MS);
    return handler;
}

/* A server of PLAIN, whose handler is asked on each peer. */
static void *open_server (void *context, int type, char endpoint[256])
{
    void *server = open_socket (context, type);
    set_int (server, ZMQ_PLAIN_SERVER, 1);
    set_text (server, ZMQ_ZAP_DOMAIN, "dom");
    set_int (server, ZMQ_RCVTIMEO, LIMIT_MS);
    bind_to (server, TCP, endpoint);
    return server;
}

static void *open_client (void *context, int type, const char *user, const char *endpoint)
{
    void *client = open_socket (context, type);
    set_text (client, ZMQ_PLAIN_USERNAME, user);
    set_text (client, ZMQ_PLAIN_PASSWORD, "secret");
    set_int (client, ZMQ_RCVTIMEO, LIMIT_MS);
    set_int (client, ZMQ_RECONNECT_IVL, 20);
    CHECK_OK (zmq_connect (client, endpoint));
    return client;
}

struct request
{
    /* What a ROUTER has in front. */
    char envelope[256];
    int envelope_size;
    char id[64];
    char user[64];
};

static int receive_text (void *socket, char *text, int room)
{
    int size = zmq_recv (socket, text, (size_t) room - 1, 0);
    CHECK (size >= 0 && size < room);
    text[size] = 0;
    return size;
}

/* Receives a request on a server of PLAIN in the domain `dom`. */
static void expect_request (void *handler, struct request *request)
{
    char text[256];
    memset (request, 0, sizeof *request);
    if (get_int (handler, ZMQ_TYPE) == ZMQ_ROUTER) {
        request->envelope_size = receive_text (handler, request->envelope, sizeof request->envelope);
        expect_part (handler, "", 1);
    }
    expect_part (handler, "1.0", 1);
    CHECK (receive_text (handler, request->id, sizeof request->id) > 0);
    expect_part (handler, "dom", 1);
    receive_text (handler, text, sizeof text);
    CHECK (strcmp (text, "127.0.0.1") == 0);
    expect_part (handler, "", 1);
    expect_part (handler, "PLAIN", 1);
    receive_text (handler, request->user, sizeof request->user);
    expect_part (handler, "secret", 0);
}

/* Replies; a peer that is let in is called by its name. */
static void decide (void *handler, const struct request *request, const char *status)
{
    if (request->envelope_size > 0) {
        CHECK (zmq_send (handler, request->envelope, (size_t) request->envelope_size, ZMQ_SNDMORE) > 0);
        send_text (handler, "", ZMQ_SNDMORE);
    }
    send_text (handler, "1.0", ZMQ_SNDMORE);
    send_text (handler, request->id, ZMQ_SNDMORE);
    send_text (handler, status, ZMQ_SNDMORE);
    send_text (handler, "because", ZMQ_SNDMORE);
    send_text (handler, request->user, ZMQ_SNDMORE);
    send_text (handler, "", 0);
}

/* Receives a part, whose sender must be called so. */
static void expect_from (void *socket, const char *text, const char *user)
{
    zmq_msg_t part;
    CHECK_OK (zmq_msg_init (&part));
    CHECK_EQUAL (zmq_msg_recv (&part, socket, 0), strlen (text));
    CHECK (memcmp (zmq_msg_data (&part), text, strlen (text)) == 0);
    const char *found = zmq_msg_gets (&part, "User-Id");
    CHECK (user ? found != NULL && strcmp (found, user) == 0 : found == NULL);
    CHECK_OK (zmq_msg_close (&part));
}

/* A server whose peers a handler of the same context decides on. */
struct stage
{
    char endpoint[256];
    void *context;
    void *handler;
    void *server;
    /* What the handler was asked last. */
    struct request request;
};

static struct stage open_stage (int handler_type, int server_type)
{
    struct stage stage = { .context = open_context () };
    stage.handler = open_handler (stage.context, handler_type);
    stage.server = open_server (stage.context, server_type, stage.endpoint);
    return stage;
}

static void *come_in (struct stage *stage, int type, const char *user)
{
    return open_client (stage->context, type, user, stage->endpoint);
}

/* The handler is asked, and decides so. */
static void ask_and_decide (struct stage *stage, const char *status)
{
    expect_request (stage->handler, &stage->request);
    decide (stage->handler, &stage->request, status);
}

TEST (peers_within_a_context_are_not_authenticated)
{
    char public_key[41], secret_key[41];
    CHECK_OK (zmq_curve_keypair (public_key, secret_key));
    for (int mechanism = ZMQ_NULL; mechanism <= ZMQ_CURVE; mechanism++) {
        void *context = open_context ();
        void *server = open_socket (context, ZMQ_PULL);
        void *client = open_socket (context, ZMQ_PUSH);
        set_text (server, ZMQ_ZAP_DOMAIN, "dom");
        set_int (server, ZMQ_ZAP_ENFORCE_DOMAIN, 1);
        if (mechanism == ZMQ_PLAIN)
            set_int (server, ZMQ_PLAIN_SERVER, 1);
        if (mechanism == ZMQ_CURVE) {
            set_int (server, ZMQ_CURVE_SERVER, 1);
            set_text (server, ZMQ_CURVE_SECRETKEY, secret_key);
        }
        CHECK_EQUAL (get_int (server, ZMQ_MECHANISM), mechanism);
        CHECK_OK (zmq_bind (server, "inproc://inside"));
        CHECK_OK (zmq_connect (client, "inproc://inside"));
        send_text (client, "hello", 0);
        expect_from (server, "hello", NULL);
        end_all (context, server, client, NULL);
    }
}

TEST (there_is_one_handler_in_a_context)
{
    void *context = open_context ();
    void *handler = open_handler (context, ZMQ_REP);
    void *second = open_socket (context, ZMQ_REP);
    CHECK_ERRNO (zmq_bind (second, HANDLER), EADDRINUSE);
    void *other_context = open_context ();
    void *other = open_handler (other_context, ZMQ_REP);
    end_all (other_context, other, NULL, NULL);
    end_all (context, handler, second, NULL);
}

TEST (a_rep_handler_is_asked_on_one_peer_after_the_other)
{
    const char *names[] = { "ada", "bob", "eve" };
    void *clients[COUNT (names)];
    struct stage stage = open_stage (ZMQ_REP, ZMQ_PULL);
    for (size_t at = 0; at < COUNT (names); at++)
        clients[at] = come_in (&stage, ZMQ_PUSH, names[at]);
    for (size_t at = 0; at < COUNT (names); at++) {
        ask_and_decide (&stage, "200");
    }
    for (size_t at = 0; at < COUNT (names); at++) {
        send_text (clients[at], names[at], 0);
        expect_from (stage.server, names[at], names[at]);
        CHECK_OK (zmq_close (clients[at]));
    }
    end_all (stage.context, stage.handler, stage.server, NULL);
}

TEST (a_router_handler_may_decide_in_another_order)
{
    enum { PEERS = 3 };
    struct request requests[PEERS];
    const char *names[PEERS] = { "ada", "bob", "eve" };
    void *clients[PEERS];
    struct stage stage = open_stage (ZMQ_ROUTER, ZMQ_PULL);
    for (int at = 0; at < PEERS; at++) {
        clients[at] = come_in (&stage, ZMQ_PUSH, names[at]);
        expect_request (stage.handler, &requests[at]);
        CHECK (strcmp (requests[at].user, names[at]) == 0);
    }
    /* The first one waits, and the others are let in. */
    for (int at = PEERS - 1; at >= 0; at--) {
        decide (stage.handler, &requests[at], "200");
        send_text (clients[at], names[at], 0);
        expect_from (stage.server, names[at], names[at]);
    }
    for (int at = 0; at < PEERS; at++)
        CHECK_OK (zmq_close (clients[at]));
    end_all (stage.context, stage.handler, stage.server, NULL);
}

TEST (a_refused_peer_does_not_keep_the_next_one_out)
{
    struct stage stage = open_stage (ZMQ_REP, ZMQ_PULL);
    void *eve = come_in (&stage, ZMQ_PUSH, "eve");
    send_text (eve, "let me in", 0);
    ask_and_decide (&stage, "400");
    void *ada = come_in (&stage, ZMQ_PUSH, "ada");
    send_text (ada, "hello", 0);
    expect_request (stage.handler, &stage.request);
    CHECK (strcmp (stage.request.user, "ada") == 0);
    decide (stage.handler, &stage.request, "200");
    expect_from (stage.server, "hello", "ada");
    CHECK_OK (zmq_close (eve));
    end_all (stage.context, stage.handler, stage.server, ada);
}

TEST (every_part_knows_the_user)
{
    struct stage stage = open_stage (ZMQ_REP, ZMQ_ROUTER);
    void *client = come_in (&stage, ZMQ_DEALER, "ada");
    send_text (client, "one", ZMQ_SNDMORE);
    send_text (client, "two", 0);
    ask_and_decide (&stage, "200");
    CHECK (zmq_recv (stage.server, NULL, 0, 0) > 0);
    expect_from (stage.server, "one", "ada");
    expect_from (stage.server, "two", "ada");
    end_all (stage.context, stage.handler, stage.server, client);
}

TEST (subscribers_are_authenticated_too)
{
    struct stage stage = open_stage (ZMQ_REP, ZMQ_XPUB);
    void *client = come_in (&stage, ZMQ_SUB, "ada");
    set_text (client, ZMQ_SUBSCRIBE, "weather");
    ask_and_decide (&stage, "200");
    expect_text (stage.server, "\1weather");
    send_text (stage.server, "weather: sun", 0);
    expect_text (client, "weather: sun");
    end_all (stage.context, stage.handler, stage.server, client);
}

TEST (a_peer_that_comes_again_is_asked_for_again)
{
    char endpoint[256];
    struct request request;
    void *context = open_context ();
    void *handler = open_handler (context, ZMQ_REP);
    for (int round = 0; round < 2; round++) {
        void *server = open_server (context, ZMQ_REP, endpoint);
        void *client = open_client (context, ZMQ_REQ, "ada", endpoint);
        send_text (client, "hello", 0);
        expect_request (handler, &request);
        decide (handler, &request, "200");
        expect_from (server, "hello", "ada");
        send_text (server, "welcome", 0);
        expect_text (client, "welcome");
        CHECK_OK (zmq_close (client));
        CHECK_OK (zmq_close (server));
    }
    end_all (context, handler, NULL, NULL);
}

TEST (a_context_ends_while_a_handler_is_asked)
{
    struct stage stage = open_stage (ZMQ_REP, ZMQ_PULL);
    void *client = come_in (&stage, ZMQ_PUSH, "ada");
    expect_request (stage.handler, &stage.request);
    CHECK_OK (zmq_close (stage.server));
    end_all (stage.context, stage.handler, client, NULL);
}

TEST (a_reply_that_comes_when_the_server_has_gone_goes_nowhere)
{
    struct stage stage = open_stage (ZMQ_REP, ZMQ_PULL);
    void *client = come_in (&stage, ZMQ_PUSH, "ada");
    expect_request (stage.handler, &stage.request);
    CHECK_OK (zmq_close (client));
    CHECK_OK (zmq_close (stage.server));
    decide (stage.handler, &stage.request, "200");
    stage.server = open_server (stage.context, ZMQ_PULL, stage.endpoint);
    client = come_in (&stage, ZMQ_PUSH, "bob");
    send_text (client, "hello", 0);
    expect_request (stage.handler, &stage.request);
    CHECK (strcmp (stage.request.user, "bob") == 0);
    decide (stage.handler, &stage.request, "200");
    expect_from (stage.server, "hello", "bob");
    end_all (stage.context, stage.handler, stage.server, client);
}
