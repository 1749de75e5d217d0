/* Functions and numbers that libzmq's header only shows with ZMQ_BUILD_DRAFT_API. Pollers are in poller.c. */
#define ZMQ_BUILD_DRAFT_API
#include "sockets.h"

#include <limits.h>

TEST (types_that_are_not_there_are_EINVAL_or_work)
{
    void *context = open_context ();
    for (int type = ZMQ_SERVER; type <= ZMQ_CHANNEL; type++) {
        errno = 0;
        void *socket = zmq_socket (context, type);
        if (socket == NULL)
            CHECK_EQUAL (errno, EINVAL);
        else {
            CHECK_EQUAL (get_int (socket, ZMQ_TYPE), type);
            CHECK_OK (zmq_close (socket));
        }
    }
    CHECK_OK (zmq_ctx_term (context));
}

TEST (a_message_can_be_made_from_bytes)
{
    static const size_t sizes[] = { 0, 1, 33, 34, 1000, 100000 };
    char *bytes = malloc (100000);
    memset (bytes, 'b', 100000);
    for (size_t at = 0; at < COUNT (sizes); at++) {
        zmq_msg_t message;
        CHECK_OK (zmq_msg_init_buffer (&message, bytes, sizes[at]));
        CHECK_EQUAL (zmq_msg_size (&message), sizes[at]);
        CHECK (memcmp (zmq_msg_data (&message), bytes, sizes[at]) == 0);
        CHECK (sizes[at] == 0 || zmq_msg_data (&message) != bytes);
        CHECK_OK (zmq_msg_close (&message));
    }
    free (bytes);
    zmq_msg_t message;
    CHECK_OK (zmq_msg_init_buffer (&message, NULL, 0));
    CHECK_OK (zmq_msg_close (&message));
    CHECK_ERRNO (zmq_msg_init_buffer (&message, "x", SIZE_MAX), ENOMEM);
}

TEST (a_message_keeps_its_routing_id)
{
    zmq_msg_t message, copy;
    CHECK_OK (zmq_msg_init (&message));
    CHECK_OK (zmq_msg_init (&copy));
    CHECK_EQUAL (zmq_msg_routing_id (&message), 0);
    CHECK_ERRNO (zmq_msg_set_routing_id (&message, 0), EINVAL);
    CHECK_OK (zmq_msg_set_routing_id (&message, 0xfedcba98));
    CHECK_EQUAL (zmq_msg_routing_id (&message), 0xfedcba98);
    CHECK_OK (zmq_msg_copy (&copy, &message));
    CHECK_EQUAL (zmq_msg_routing_id (&copy), 0xfedcba98);
    CHECK_OK (zmq_msg_close (&message));
    CHECK_OK (zmq_msg_close (&copy));
}

TEST (a_message_keeps_its_group)
{
    char longest[ZMQ_GROUP_MAX_LENGTH + 2];
    zmq_msg_t message, moved;
    memset (longest, 'g', sizeof longest);
    longest[ZMQ_GROUP_MAX_LENGTH] = 0;
    CHECK_OK (zmq_msg_init (&message));
    CHECK_OK (zmq_msg_init (&moved));
    CHECK (strcmp (zmq_msg_group (&message), "") == 0);
    CHECK_OK (zmq_msg_set_group (&message, "movies"));
    CHECK (strcmp (zmq_msg_group (&message), "movies") == 0);
    CHECK_OK (zmq_msg_set_group (&message, longest));
    CHECK (strcmp (zmq_msg_group (&message), longest) == 0);
    longest[ZMQ_GROUP_MAX_LENGTH] = 'g';
    longest[ZMQ_GROUP_MAX_LENGTH + 1] = 0;
    CHECK_ERRNO (zmq_msg_set_group (&message, longest), EINVAL);
    CHECK_OK (zmq_msg_set_group (&message, "tv"));
    CHECK_OK (zmq_msg_move (&moved, &message));
    CHECK (strcmp (zmq_msg_group (&moved), "tv") == 0);
    CHECK_OK (zmq_msg_close (&message));
    CHECK_OK (zmq_msg_close (&moved));
}

TEST (groups_are_joined_by_DISH_alone)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_SUB);
    CHECK_EQUAL (zmq_join (socket, "group"), -1);
    CHECK (errno == EINVAL || errno == ENOTSUP);
    CHECK_EQUAL (zmq_leave (socket, "group"), -1);
    CHECK (errno == EINVAL || errno == ENOTSUP);
    CHECK_ERRNO (zmq_join (NULL, "group"), ENOTSOCK);
    CHECK_ERRNO (zmq_leave (NULL, "group"), ENOTSOCK);
    end_all (context, socket, NULL, NULL);
}

TEST (a_poll_with_a_mask_of_signals_is_a_poll)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    zmq_pollitem_t item = { pair.bound, 0, ZMQ_POLLIN, 0 };
    CHECK_EQUAL (zmq_ppoll (&item, 1, 0, NULL), 0);
    send_text (pair.connected, "there", 0);
    CHECK_EQUAL (zmq_ppoll (&item, 1, -1, NULL), 1);
    CHECK_EQUAL (item.revents, ZMQ_POLLIN);
    expect_text (pair.bound, "there");
    CHECK_EQUAL (zmq_ppoll (NULL, 0, 1, NULL), 0);
    CHECK_ERRNO (zmq_ppoll (NULL, 1, 0, NULL), EFAULT);
    CHECK_ERRNO (zmq_ppoll (&item, -1, 0, NULL), EINVAL);
    part_couple (&pair);
}

/* The signal that is on its way at the call is let in by its mask alone. */
TEST (the_mask_of_a_poll_holds_while_it_waits)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    zmq_pollitem_t item = { pair.bound, 0, ZMQ_POLLIN, 0 };
    sigset_t blocked, open;
    catch_signal (SIGUSR1);
    sigemptyset (&blocked);
    sigaddset (&blocked, SIGUSR1);
    CHECK_OK (pthread_sigmask (SIG_BLOCK, &blocked, &open));
    CHECK_OK (pthread_kill (pthread_self (), SIGUSR1));
    CHECK_EQUAL (zmq_ppoll (&item, 1, 5, &blocked), 0);
    CHECK_ERRNO (zmq_ppoll (&item, 1, -1, &open), EINTR);
    CHECK_OK (pthread_sigmask (SIG_SETMASK, &open, NULL));
    part_couple (&pair);
}

TEST (a_peer_that_is_not_there_cannot_be_disconnected)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    CHECK_EQUAL (zmq_disconnect_peer (socket, 5), -1);
    CHECK_ERRNO (zmq_disconnect_peer (NULL, 5), ENOTSOCK);
    end_all (context, socket, NULL, NULL);
}

TEST (peers_are_connected_by_PEER_alone)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_DEALER);
    errno = 0;
    CHECK_EQUAL (zmq_connect_peer (socket, "tcp://127.0.0.1:9"), 0);
    CHECK_EQUAL (errno, ENOTSUP);
    errno = 0;
    CHECK_EQUAL (zmq_connect_peer (NULL, "tcp://127.0.0.1:9"), 0);
    CHECK_EQUAL (errno, ENOTSOCK);
    end_all (context, socket, NULL, NULL);
}

TEST (a_context_takes_its_options_by_length_as_well)
{
    void *context = open_context ();
    int value = 3;
    size_t size = sizeof value;
    CHECK_OK (zmq_ctx_set_ext (context, ZMQ_IO_THREADS, &value, sizeof value));
    CHECK_EQUAL (zmq_ctx_get (context, ZMQ_IO_THREADS), 3);
    value = 0;
    CHECK_OK (zmq_ctx_get_ext (context, ZMQ_IO_THREADS, &value, &size));
    CHECK_EQUAL (value, 3);
    CHECK_EQUAL (size, sizeof value);
    CHECK_OK (zmq_ctx_set_ext (context, ZMQ_ZERO_COPY_RECV, &value, sizeof value));
    CHECK_ERRNO (zmq_ctx_set_ext (context, ZMQ_IO_THREADS, &value, 2), EINVAL);
    CHECK_ERRNO (zmq_ctx_set_ext (context, 1000, &value, sizeof value), EINVAL);
    CHECK_ERRNO (zmq_ctx_set_ext (NULL, ZMQ_IO_THREADS, &value, sizeof value), EFAULT);
    CHECK_ERRNO (zmq_ctx_get_ext (NULL, ZMQ_IO_THREADS, &value, &size), EFAULT);
    CHECK_OK (zmq_ctx_term (context));
}

TEST (the_prefix_of_the_names_of_threads_is_text_of_up_to_16_bytes)
{
    void *context = open_context ();
    char told[32];
    size_t size = sizeof told;
    CHECK_OK (zmq_ctx_set_ext (context, ZMQ_THREAD_NAME_PREFIX, "prefix", 6));
    CHECK_OK (zmq_ctx_get_ext (context, ZMQ_THREAD_NAME_PREFIX, told, &size));
    CHECK (strncmp (told, "prefix", 6) == 0);
    CHECK_OK (zmq_ctx_set_ext (context, ZMQ_THREAD_NAME_PREFIX, "0123456789abcdef", 16));
    CHECK_ERRNO (zmq_ctx_set_ext (context, ZMQ_THREAD_NAME_PREFIX, "0123456789abcdefg", 17), EINVAL);
    CHECK_OK (zmq_ctx_term (context));
}

TEST (the_state_of_a_peer_of_a_ROUTER_is_known)
{
    void *context = open_context ();
    void *router = open_socket (context, ZMQ_ROUTER);
    void *dealer = open_socket (context, ZMQ_DEALER);
    CHECK_OK (zmq_setsockopt (dealer, ZMQ_ROUTING_ID, "peer", 4));
    CHECK_OK (zmq_bind (router, "inproc://state"));
    CHECK_OK (zmq_connect (dealer, "inproc://state"));
    send_text (dealer, "hello", 0);
    await_events (router, ZMQ_POLLIN);
    CHECK_EQUAL (zmq_socket_get_peer_state (router, "peer", 4), ZMQ_POLLIN | ZMQ_POLLOUT);
    CHECK_EQUAL (drop_message (router), 2);
    CHECK_EQUAL (zmq_socket_get_peer_state (router, "peer", 4), ZMQ_POLLOUT);
    CHECK_ERRNO (zmq_socket_get_peer_state (router, "nobody", 6), EHOSTUNREACH);
    CHECK_ERRNO (zmq_socket_get_peer_state (dealer, "peer", 4), ENOTSUP);
    CHECK_ERRNO (zmq_socket_get_peer_state (NULL, "peer", 4), ENOTSOCK);
    end_all (context, router, dealer, NULL);
}

static uint64_t expect_number (void *socket)
{
    uint64_t number = 0;
    CHECK_EQUAL (zmq_recv (socket, &number, sizeof number, 0), sizeof number);
    CHECK_EQUAL (get_int (socket, ZMQ_RCVMORE), 1);
    return number;
}

/* Reads an event of version 2; answers its number and, through the pointers, its values and its two addresses. */
static uint64_t next_event (void *monitor, uint64_t values[4], uint64_t *count, char local[256], char remote[256])
{
    uint64_t number = expect_number (monitor);
    *count = expect_number (monitor);
    CHECK (*count <= 4);
    for (uint64_t at = 0; at < *count; at++)
        values[at] = expect_number (monitor);
    int size = zmq_recv (monitor, local, 255, 0);
    CHECK (size >= 0);
    local[size] = 0;
    CHECK_EQUAL (get_int (monitor, ZMQ_RCVMORE), 1);
    size = zmq_recv (monitor, remote, 255, 0);
    CHECK (size >= 0);
    remote[size] = 0;
    CHECK_EQUAL (get_int (monitor, ZMQ_RCVMORE), 0);
    return number;
}

TEST (events_of_version_2_tell_both_ends)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    void *monitor = open_socket (context, ZMQ_PAIR);
    char endpoint[256], local[256], remote[256];
    uint64_t values[4], count, number;
    CHECK_OK (zmq_socket_monitor_versioned (pull, "inproc://v2", ZMQ_EVENT_ALL_V2, 2, ZMQ_PAIR));
    CHECK_OK (zmq_connect (monitor, "inproc://v2"));
    bind_to (pull, TCP, endpoint);
    CHECK_EQUAL (next_event (monitor, values, &count, local, remote), ZMQ_EVENT_LISTENING);
    CHECK_EQUAL (count, 1);
    CHECK (strcmp (local, endpoint) == 0);
    CHECK (strcmp (remote, "") == 0);
    CHECK_OK (zmq_connect (push, endpoint));
    do
        number = next_event (monitor, values, &count, local, remote);
    while (number != ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    CHECK (strcmp (local, endpoint) == 0);
    CHECK (strncmp (remote, "tcp://127.0.0.1:", 16) == 0);
    end_all (context, pull, push, monitor);
}

TEST (version_1_and_a_PUSH_as_monitor_can_be_asked_for)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *monitor = open_socket (context, ZMQ_PULL);
    CHECK_OK (zmq_socket_monitor_versioned (pull, "inproc://v1", ZMQ_EVENT_ALL_V1, 1, ZMQ_PUSH));
    CHECK_OK (zmq_connect (monitor, "inproc://v1"));
    CHECK_OK (zmq_bind (pull, TCP));
    CHECK_EQUAL (zmq_recv (monitor, NULL, 0, 0), 6);
    CHECK_EQUAL (drop_message (monitor), 1);
    end_all (context, pull, monitor, NULL);
}

TEST (a_PUB_as_monitor_is_subscribed_by_event)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *monitor = open_socket (context, ZMQ_SUB);
    char local[256], remote[256];
    uint64_t values[4], count, wanted = ZMQ_EVENT_ACCEPTED;
    void *push = open_socket (context, ZMQ_PUSH);
    char endpoint[256];
    CHECK_OK (zmq_socket_monitor_versioned (pull, "inproc://pub", ZMQ_EVENT_ALL_V2, 2, ZMQ_PUB));
    CHECK_OK (zmq_setsockopt (monitor, ZMQ_SUBSCRIBE, &wanted, sizeof wanted));
    CHECK_OK (zmq_connect (monitor, "inproc://pub"));
    bind_to (pull, TCP, endpoint);
    CHECK_OK (zmq_connect (push, endpoint));
    CHECK_EQUAL (next_event (monitor, values, &count, local, remote), ZMQ_EVENT_ACCEPTED);
    end_all (context, pull, push, monitor);
}

TEST (monitors_of_other_versions_types_and_events_are_EINVAL)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    CHECK_ERRNO (zmq_socket_monitor_versioned (pull, "inproc://a", ZMQ_EVENT_ALL, 0, ZMQ_PAIR), EINVAL);
    CHECK_ERRNO (zmq_socket_monitor_versioned (pull, "inproc://a", ZMQ_EVENT_ALL, 3, ZMQ_PAIR), EINVAL);
    CHECK_ERRNO (zmq_socket_monitor_versioned (pull, "inproc://a", ZMQ_EVENT_ALL, 2, ZMQ_DEALER), EINVAL);
    CHECK_ERRNO (zmq_socket_monitor_versioned (pull, "inproc://a", ZMQ_EVENT_PIPES_STATS, 1, ZMQ_PAIR), EINVAL);
    CHECK_ERRNO (zmq_socket_monitor_versioned (pull, TCP, ZMQ_EVENT_ALL, 2, ZMQ_PAIR), EPROTONOSUPPORT);
    CHECK_ERRNO (zmq_socket_monitor_versioned (NULL, "inproc://a", ZMQ_EVENT_ALL, 2, ZMQ_PAIR), ENOTSOCK);
    end_all (context, pull, NULL, NULL);
}

/* Asks for the queues of a socket's one pipe; whether both are empty. The answer may lag behind. */
static int has_empty_queues (void *socket, void *monitor)
{
    char local[256], remote[256];
    uint64_t values[4], count, number;
    CHECK_OK (zmq_socket_monitor_pipes_stats (socket));
    do {
        get_int (socket, ZMQ_EVENTS);
        number = next_event (monitor, values, &count, local, remote);
    } while (number != ZMQ_EVENT_PIPES_STATS);
    CHECK_EQUAL (count, 2);
    return values[0] == 0 && values[1] == 0;
}

TEST (the_queues_of_pipes_are_told_when_asked_for)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    void *monitor = open_socket (context, ZMQ_PAIR);
    char endpoint[256];
    CHECK_ERRNO (zmq_socket_monitor_pipes_stats (NULL), ENOTSOCK);
    CHECK_ERRNO (zmq_socket_monitor_pipes_stats (push), EINVAL);
    CHECK_OK (zmq_socket_monitor_versioned (push, "inproc://stats", ZMQ_EVENT_ALL_V2, 2, ZMQ_PAIR));
    CHECK_OK (zmq_connect (monitor, "inproc://stats"));
    CHECK_ERRNO (zmq_socket_monitor_pipes_stats (push), EAGAIN);
    bind_to (pull, TCP, endpoint);
    CHECK_OK (zmq_connect (push, endpoint));
    send_text (push, "known", 0);
    expect_text (pull, "known");
    AWAIT (has_empty_queues (push, monitor));
    end_all (context, pull, push, monitor);
}

static void expect_range (void *socket, int option, int top, int beyond)
{
    CHECK_EQUAL (get_int (socket, option), 0);
    for (int value = 0; value <= top; value++) {
        set_int (socket, option, value);
        CHECK_EQUAL (get_int (socket, option), value);
    }
    CHECK_ERRNO (zmq_setsockopt (socket, option, &beyond, sizeof beyond), EINVAL);
    CHECK_ERRNO (zmq_setsockopt (socket, option, &top, sizeof top - 1), EINVAL);
    CHECK_EQUAL (get_int (socket, option), top);
}

TEST (draft_options_have_their_ranges)
{
    void *context = open_context ();
    void *router = open_socket (context, ZMQ_ROUTER);
    void *push = open_socket (context, ZMQ_PUSH);
    expect_range (router, ZMQ_ROUTER_NOTIFY, ZMQ_NOTIFY_CONNECT | ZMQ_NOTIFY_DISCONNECT, 4);
    expect_range (push, ZMQ_PRIORITY, 6, -1);
    CHECK_ERRNO (zmq_setsockopt (push, ZMQ_ROUTER_NOTIFY, &(int){ 1 }, sizeof (int)), EINVAL);
    end_all (context, router, push, NULL);
}

TEST (a_ROUTER_tells_of_peers_that_come_and_go_if_it_is_asked_to)
{
    void *context = open_context ();
    void *router = open_socket (context, ZMQ_ROUTER);
    void *dealer = open_socket (context, ZMQ_DEALER);
    char endpoint[256];
    set_int (router, ZMQ_ROUTER_NOTIFY, ZMQ_NOTIFY_CONNECT | ZMQ_NOTIFY_DISCONNECT);
    CHECK_OK (zmq_setsockopt (dealer, ZMQ_ROUTING_ID, "guest", 5));
    bind_to (router, TCP, endpoint);
    CHECK_OK (zmq_connect (dealer, endpoint));
    expect_part (router, "guest", 1);
    expect_part (router, "", 0);
    CHECK_OK (zmq_close (dealer));
    expect_part (router, "guest", 1);
    expect_part (router, "", 0);
    end_all (context, router, NULL, NULL);
}

TEST (topics_are_counted)
{
    void *context = open_context ();
    void *pub = open_socket (context, ZMQ_XPUB);
    void *sub = open_socket (context, ZMQ_SUB);
    void *push = open_socket (context, ZMQ_PUSH);
    int count;
    size_t size = sizeof count;
    CHECK_EQUAL (get_int (sub, ZMQ_TOPICS_COUNT), 0);
    CHECK_OK (zmq_bind (pub, "inproc://topics"));
    CHECK_OK (zmq_connect (sub, "inproc://topics"));
    CHECK_OK (zmq_setsockopt (sub, ZMQ_SUBSCRIBE, "one", 3));
    CHECK_OK (zmq_setsockopt (sub, ZMQ_SUBSCRIBE, "two", 3));
    CHECK_EQUAL (drop_message (pub), 1);
    CHECK_EQUAL (drop_message (pub), 1);
    CHECK_EQUAL (get_int (sub, ZMQ_TOPICS_COUNT), 2);
    CHECK_EQUAL (get_int (pub, ZMQ_TOPICS_COUNT), 2);
    CHECK_OK (zmq_setsockopt (sub, ZMQ_UNSUBSCRIBE, "one", 3));
    CHECK_EQUAL (get_int (sub, ZMQ_TOPICS_COUNT), 1);
    CHECK_ERRNO (zmq_getsockopt (push, ZMQ_TOPICS_COUNT, &count, &size), EINVAL);
    CHECK_ERRNO (zmq_setsockopt (sub, ZMQ_TOPICS_COUNT, &(int){ 1 }, sizeof (int)), EINVAL);
    end_all (context, pub, sub, push);
}

TEST (draft_numbers_are_those_of_libzmq)
{
    CHECK_EQUAL (ZMQ_SERVER, 12);
    CHECK_EQUAL (ZMQ_CHANNEL, 20);
    CHECK_EQUAL (ZMQ_METADATA, 95);
    CHECK_EQUAL (ZMQ_ROUTER_NOTIFY, 97);
    CHECK_EQUAL (ZMQ_RECONNECT_STOP, 109);
    CHECK_EQUAL (ZMQ_ZERO_COPY_RECV, 10);
    CHECK_EQUAL (ZMQ_EVENT_PIPES_STATS, 0x10000);
    CHECK_EQUAL (ZMQ_CURRENT_EVENT_VERSION, 1);
    CHECK_EQUAL (ZMQ_CURRENT_EVENT_VERSION_DRAFT, 2);
    CHECK (strcmp (ZMQ_MSG_PROPERTY_ROUTING_ID, "Routing-Id") == 0);
    CHECK (strcmp (ZMQ_MSG_PROPERTY_SOCKET_TYPE, "Socket-Type") == 0);
    CHECK (strcmp (ZMQ_MSG_PROPERTY_USER_ID, "User-Id") == 0);
    CHECK (strcmp (ZMQ_MSG_PROPERTY_PEER_ADDRESS, "Peer-Address") == 0);
}
