/* Options that are not like the others: see options.c. */
#include "sockets.h"

enum { METADATA = 95 };

TEST (LINGER_is_endless_at_first_but_none_for_subscribers)
{
    void *context = open_context ();
    for (int type = ZMQ_PAIR; type <= ZMQ_STREAM; type++) {
        void *socket = zmq_socket (context, type);
        int is_subscriber = type == ZMQ_SUB || type == ZMQ_XSUB;
        CHECK_EQUAL (get_int (socket, ZMQ_LINGER), is_subscriber ? 0 : -1);
        set_int (socket, ZMQ_LINGER, 5);
        CHECK_EQUAL (get_int (socket, ZMQ_LINGER), 5);
        set_int (socket, ZMQ_LINGER, -1);
        CHECK_ERRNO (zmq_setsockopt (socket, ZMQ_LINGER, &(int){ -2 }, sizeof (int)), EINVAL);
        CHECK_EQUAL (get_int (socket, ZMQ_LINGER), -1);
        set_int (socket, ZMQ_LINGER, 0);
        CHECK_OK (zmq_close (socket));
    }
    CHECK_OK (zmq_ctx_term (context));
}

TEST (an_unknown_option_is_EINVAL)
{
    static const int unknown[] = { -1, 0, 1, 2, 3, 10, 20, 26, 29, 30, 67, 70, 82, 83, 125, 1000, 0x7fffffff };
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    for (size_t at = 0; at < COUNT (unknown); at++) {
        char buffer[256];
        size_t size = sizeof buffer;
        CHECK_ERRNO (zmq_getsockopt (socket, unknown[at], buffer, &size), EINVAL);
        CHECK_ERRNO (zmq_setsockopt (socket, unknown[at], &(int){ 1 }, sizeof (int)), EINVAL);
    }
    end_all (context, socket, NULL, NULL);
}

TEST (IPV4ONLY_is_the_opposite_of_IPV6)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    set_int (socket, ZMQ_IPV6, 1);
    CHECK_EQUAL (get_int (socket, ZMQ_IPV4ONLY), 0);
    set_int (socket, ZMQ_IPV4ONLY, 1);
    CHECK_EQUAL (get_int (socket, ZMQ_IPV6), 0);
    end_all (context, socket, NULL, NULL);
}

TEST (the_time_to_live_of_heartbeats_is_kept_in_tenths_of_seconds)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    set_int (socket, ZMQ_HEARTBEAT_TTL, 1234);
    CHECK_EQUAL (get_int (socket, ZMQ_HEARTBEAT_TTL), 1200);
    set_int (socket, ZMQ_HEARTBEAT_TTL, 99);
    CHECK_EQUAL (get_int (socket, ZMQ_HEARTBEAT_TTL), 0);
    set_int (socket, ZMQ_HEARTBEAT_TTL, 6553599);
    CHECK_EQUAL (get_int (socket, ZMQ_HEARTBEAT_TTL), 6553500);
    end_all (context, socket, NULL, NULL);
}

TEST (PLAIN_is_what_its_options_make_of_a_socket)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    CHECK_EQUAL (get_int (socket, ZMQ_MECHANISM), ZMQ_NULL);
    set_int (socket, ZMQ_PLAIN_SERVER, 1);
    CHECK_EQUAL (get_int (socket, ZMQ_MECHANISM), ZMQ_PLAIN);
    CHECK_EQUAL (get_int (socket, ZMQ_PLAIN_SERVER), 1);
    CHECK_OK (zmq_setsockopt (socket, ZMQ_PLAIN_USERNAME, "name", 4));
    CHECK_EQUAL (get_int (socket, ZMQ_PLAIN_SERVER), 0);
    CHECK_EQUAL (get_int (socket, ZMQ_MECHANISM), ZMQ_PLAIN);
    CHECK_OK (zmq_setsockopt (socket, ZMQ_PLAIN_USERNAME, NULL, 0));
    CHECK_EQUAL (get_int (socket, ZMQ_MECHANISM), ZMQ_NULL);
    end_all (context, socket, NULL, NULL);
}

TEST (an_empty_password_or_name_is_EINVAL)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    CHECK_ERRNO (zmq_setsockopt (socket, ZMQ_PLAIN_PASSWORD, "", 0), EINVAL);
    CHECK_ERRNO (zmq_setsockopt (socket, ZMQ_PLAIN_USERNAME, "", 0), EINVAL);
    CHECK_ERRNO (zmq_setsockopt (socket, ZMQ_ROUTING_ID, "", 0), EINVAL);
    CHECK_ERRNO (zmq_setsockopt (socket, ZMQ_ZAP_DOMAIN, "", 0), EINVAL);
    end_all (context, socket, NULL, NULL);
}

TEST (some_gets_accept_more_room_than_they_need)
{
    static const int options[] = { ZMQ_RCVMORE, ZMQ_FD, ZMQ_EVENTS, ZMQ_THREAD_SAFE };
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    for (size_t at = 0; at < COUNT (options); at++) {
        char buffer[8];
        size_t size = sizeof buffer;
        memset (buffer, 0x55, sizeof buffer);
        CHECK_OK (zmq_getsockopt (socket, options[at], buffer, &size));
        CHECK_EQUAL (size, sizeof (int));
        for (size_t tail = sizeof (int); tail < sizeof buffer; tail++)
            CHECK_EQUAL (buffer[tail], 0);
    }
    end_all (context, socket, NULL, NULL);
}

TEST (the_others_want_exactly_what_they_need)
{
    static const int options[] = { ZMQ_LINGER, ZMQ_SNDHWM, ZMQ_RCVTIMEO, ZMQ_TYPE, ZMQ_MECHANISM, ZMQ_IPV6 };
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    for (size_t at = 0; at < COUNT (options); at++) {
        char buffer[16];
        size_t size = 8;
        CHECK_ERRNO (zmq_getsockopt (socket, options[at], buffer, &size), EINVAL);
    }
    end_all (context, socket, NULL, NULL);
}

TEST (the_last_endpoint_needs_room_for_all_of_it)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    char buffer[32];
    size_t size = 12;
    CHECK_OK (zmq_bind (socket, "inproc://name"));
    CHECK_ERRNO (zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, buffer, &size), EINVAL);
    size = 14;
    CHECK_OK (zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, buffer, &size));
    CHECK_EQUAL (size, 14);
    CHECK (strcmp (buffer, "inproc://name") == 0);
    end_all (context, socket, NULL, NULL);
}

static const int key_options[] = { ZMQ_CURVE_PUBLICKEY, ZMQ_CURVE_SECRETKEY, ZMQ_CURVE_SERVERKEY };
static const char key_text[] = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";

TEST (keys_are_set_as_bytes_or_text_and_got_as_either)
{
    if (!zmq_has ("curve"))
        return;
    void *context = open_context ();
    for (size_t at = 0; at < COUNT (key_options); at++) {
        void *socket = open_socket (context, ZMQ_DEALER);
        uint8_t key[32], told[32];
        char text[41];
        size_t size = sizeof told;
        CHECK (zmq_z85_decode (key, key_text) != NULL);
        CHECK_OK (zmq_setsockopt (socket, key_options[at], key, 32));
        CHECK_EQUAL (get_int (socket, ZMQ_MECHANISM), ZMQ_CURVE);
        CHECK_OK (zmq_setsockopt (socket, key_options[at], key_text, 40));
        CHECK_OK (zmq_setsockopt (socket, key_options[at], key_text, 41));
        CHECK_OK (zmq_getsockopt (socket, key_options[at], told, &size));
        CHECK (size == 32 && memcmp (told, key, 32) == 0);
        size = sizeof text;
        CHECK_OK (zmq_getsockopt (socket, key_options[at], text, &size));
        CHECK (size == 41 && strcmp (text, key_text) == 0);
        CHECK_OK (zmq_close (socket));
    }
    CHECK_OK (zmq_ctx_term (context));
}

TEST (keys_of_other_lengths_are_EINVAL)
{
    static const size_t wrong[] = { 0, 1, 31, 33, 39, 42, 64 };
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    char buffer[64] = "";
    for (size_t option = 0; option < COUNT (key_options); option++)
        for (size_t at = 0; at < COUNT (wrong); at++) {
            size_t size = wrong[at];
            CHECK_ERRNO (zmq_setsockopt (socket, key_options[option], buffer, wrong[at]), EINVAL);
            CHECK_ERRNO (zmq_getsockopt (socket, key_options[option], buffer, &size), EINVAL);
        }
    end_all (context, socket, NULL, NULL);
}

TEST (CURVE_is_a_mechanism_or_its_options_keep_a_socket_from_being_bound)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    int on = 1;
    if (zmq_has ("curve")) {
        CHECK_EQUAL (get_int (socket, ZMQ_CURVE_SERVER), 0);
        set_int (socket, ZMQ_CURVE_SERVER, 1);
        CHECK_EQUAL (get_int (socket, ZMQ_CURVE_SERVER), 1);
        CHECK_EQUAL (get_int (socket, ZMQ_MECHANISM), ZMQ_CURVE);
    } else if (zmq_setsockopt (socket, ZMQ_CURVE_SERVER, &on, sizeof on) == 0)
        CHECK_EQUAL (zmq_bind (socket, TCP), -1);
    CHECK_ERRNO (zmq_setsockopt (socket, ZMQ_CURVE_SERVER, &(int){ 2 }, sizeof (int)), EINVAL);
    end_all (context, socket, NULL, NULL);
}

TEST (address_filters_are_ranges_and_nothing_clears_them)
{
    static const char *const filters[] = { "127.0.0.1", "127.0.0.0/8", "0.0.0.0/0" };
    static const char *const wrong[] = { "", "127.0.0.1/33", "127.0.0.1/", "127.0.0.1/x", "127.0.0.1/-1" };
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    char buffer[64];
    size_t size = sizeof buffer;
    for (size_t at = 0; at < COUNT (filters); at++)
        CHECK_OK (zmq_setsockopt (socket, ZMQ_TCP_ACCEPT_FILTER, filters[at], strlen (filters[at])));
    for (size_t at = 0; at < COUNT (wrong); at++)
        CHECK_ERRNO (zmq_setsockopt (socket, ZMQ_TCP_ACCEPT_FILTER, wrong[at], strlen (wrong[at])), EINVAL);
    CHECK_OK (zmq_setsockopt (socket, ZMQ_TCP_ACCEPT_FILTER, NULL, 0));
    CHECK_ERRNO (zmq_getsockopt (socket, ZMQ_TCP_ACCEPT_FILTER, buffer, &size), EINVAL);
    end_all (context, socket, NULL, NULL);
}

TEST (ipc_filters_are_numbers_and_nothing_clears_them)
{
    static const int filters[] = { ZMQ_IPC_FILTER_PID, ZMQ_IPC_FILTER_UID, ZMQ_IPC_FILTER_GID };
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    for (size_t at = 0; at < COUNT (filters); at++) {
        char buffer[8] = "";
        size_t size = 4;
        set_int (socket, filters[at], 0);
        set_int (socket, filters[at], 1000);
        CHECK_OK (zmq_setsockopt (socket, filters[at], NULL, 0));
        CHECK_ERRNO (zmq_setsockopt (socket, filters[at], buffer, 3), EINVAL);
        CHECK_ERRNO (zmq_setsockopt (socket, filters[at], buffer, 8), EINVAL);
        CHECK_ERRNO (zmq_getsockopt (socket, filters[at], buffer, &size), EINVAL);
    }
    end_all (context, socket, NULL, NULL);
}

TEST (topics_have_any_length)
{
    void *context = open_context ();
    void *sub = open_socket (context, ZMQ_SUB);
    static const char topic[5000];
    static const size_t lengths[] = { 0, 1, 255, 256, sizeof topic };
    size_t size = 4;
    char buffer[4];
    for (size_t at = 0; at < COUNT (lengths); at++) {
        CHECK_OK (zmq_setsockopt (sub, ZMQ_SUBSCRIBE, topic, lengths[at]));
        CHECK_OK (zmq_setsockopt (sub, ZMQ_UNSUBSCRIBE, topic, lengths[at]));
    }
    CHECK_OK (zmq_setsockopt (sub, ZMQ_SUBSCRIBE, NULL, 0));
    CHECK_ERRNO (zmq_getsockopt (sub, ZMQ_SUBSCRIBE, buffer, &size), EINVAL);
    CHECK_ERRNO (zmq_getsockopt (sub, ZMQ_UNSUBSCRIBE, buffer, &size), EINVAL);
    end_all (context, sub, NULL, NULL);
}

TEST (properties_for_peers_have_a_name_and_a_value)
{
    static const char *const good[] = { "X-key:value", "X-b:1:2" };
    static const char *const wrong[] = { "X-key", "X-none:", ":value", "" };
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    for (size_t at = 0; at < COUNT (good); at++)
        CHECK_OK (zmq_setsockopt (socket, METADATA, good[at], strlen (good[at])));
    for (size_t at = 0; at < COUNT (wrong); at++)
        CHECK_ERRNO (zmq_setsockopt (socket, METADATA, wrong[at], strlen (wrong[at])), EINVAL);
    end_all (context, socket, NULL, NULL);
}

TEST (properties_reach_the_peer_with_each_message)
{
    void *context = open_context ();
    void *one = open_socket (context, ZMQ_DEALER);
    void *two = open_socket (context, ZMQ_DEALER);
    char endpoint[256];
    zmq_msg_t message;
    CHECK_OK (zmq_setsockopt (one, METADATA, "X-colour:green", 14));
    bind_to (two, TCP, endpoint);
    CHECK_OK (zmq_connect (one, endpoint));
    send_text (one, "coloured", 0);
    CHECK_OK (zmq_msg_init (&message));
    CHECK_EQUAL (zmq_msg_recv (&message, two, 0), 8);
    CHECK (strcmp (zmq_msg_gets (&message, "X-colour"), "green") == 0);
    CHECK_OK (zmq_msg_close (&message));
    end_all (context, one, two, NULL);
}

TEST (the_type_is_that_of_the_socket_and_stays)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_ROUTER);
    CHECK_EQUAL (get_int (socket, ZMQ_TYPE), ZMQ_ROUTER);
    CHECK_ERRNO (zmq_setsockopt (socket, ZMQ_TYPE, &(int){ 1 }, sizeof (int)), EINVAL);
    CHECK_ERRNO (zmq_setsockopt (socket, ZMQ_FD, &(int){ 1 }, sizeof (int)), EINVAL);
    CHECK_ERRNO (zmq_setsockopt (socket, ZMQ_EVENTS, &(int){ 1 }, sizeof (int)), EINVAL);
    CHECK_ERRNO (zmq_setsockopt (socket, ZMQ_LAST_ENDPOINT, "x", 1), EINVAL);
    end_all (context, socket, NULL, NULL);
}

TEST (marks_of_a_live_connection_can_be_changed)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://live");
    set_int (pair.connected, ZMQ_SNDHWM, 3);
    set_int (pair.bound, ZMQ_RCVHWM, 2);
    int sent = 0;
    while (sent < 3000 && zmq_send (pair.connected, "x", 1, ZMQ_DONTWAIT) == 1)
        sent++;
    CHECK (sent < 3000);
    part_couple (&pair);
}

TEST (the_aliases_are_the_options_they_stand_for)
{
    CHECK_EQUAL (ZMQ_IDENTITY, ZMQ_ROUTING_ID);
    CHECK_EQUAL (ZMQ_CONNECT_RID, ZMQ_CONNECT_ROUTING_ID);
    CHECK_EQUAL (ZMQ_FAIL_UNROUTABLE, ZMQ_ROUTER_MANDATORY);
    CHECK_EQUAL (ZMQ_ROUTER_BEHAVIOR, ZMQ_ROUTER_MANDATORY);
    CHECK_EQUAL (ZMQ_DELAY_ATTACH_ON_CONNECT, ZMQ_IMMEDIATE);
    CHECK_EQUAL (ZMQ_NOBLOCK, ZMQ_DONTWAIT);
}
