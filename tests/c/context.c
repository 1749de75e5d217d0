/* Contexts: zmq_ctx_new, _set, _get, _shutdown, _term, and their old names. */
#include "sockets.h"

/* Draft in the header, there in every library. */
#define ZERO_COPY_RECV 10

struct setting
{
    const char *name;
    int option;
    int initial;
    int accepted[4];
    int accepted_count;
};

static const struct setting settings[] = {
  { "IO_THREADS", ZMQ_IO_THREADS, 1, { 0, 1, 2, 8 }, 4 },
  { "MAX_SOCKETS", ZMQ_MAX_SOCKETS, 1023, { 1, 2, 1023, 5000 }, 4 },
  { "THREAD_SCHED_POLICY", ZMQ_THREAD_SCHED_POLICY, -1, { 0, 1 }, 2 },
  { "MAX_MSGSZ", ZMQ_MAX_MSGSZ, 0x7fffffff, { 0, 1, 1000, 0x7fffffff }, 4 },
  { "ZERO_COPY_RECV", ZERO_COPY_RECV, 1, { 0, 1 }, 2 },
  { "IPV6", ZMQ_IPV6, 0, { 1, 0 }, 2 },
  { "BLOCKY", ZMQ_BLOCKY, 1, { 0, 1 }, 2 },
};

TEST (options_have_their_documented_defaults)
{
    void *context = open_context ();
    for (size_t at = 0; at < COUNT (settings); at++)
        CHECK_EQUAL (zmq_ctx_get (context, settings[at].option), settings[at].initial);
    CHECK_OK (zmq_ctx_term (context));
}

TEST (options_keep_what_they_are_given)
{
    void *context = open_context ();
    for (size_t at = 0; at < COUNT (settings); at++) {
        const struct setting *setting = &settings[at];
        for (int value = 0; value < setting->accepted_count; value++) {
            CHECK_OK (zmq_ctx_set (context, setting->option, setting->accepted[value]));
            CHECK_EQUAL (zmq_ctx_get (context, setting->option), setting->accepted[value]);
        }
    }
    CHECK_OK (zmq_ctx_term (context));
}

TEST (a_negative_value_is_EINVAL_and_changes_nothing)
{
    void *context = open_context ();
    for (size_t at = 0; at < COUNT (settings); at++) {
        CHECK_ERRNO (zmq_ctx_set (context, settings[at].option, -1), EINVAL);
        CHECK_EQUAL (zmq_ctx_get (context, settings[at].option), settings[at].initial);
    }
    CHECK_OK (zmq_ctx_term (context));
}

TEST (an_unknown_option_is_EINVAL)
{
    static const int unknown[] = { 0, 11, 41, 43, 69, 71, 1000, -1 };
    void *context = open_context ();
    for (size_t at = 0; at < COUNT (unknown); at++) {
        CHECK_ERRNO (zmq_ctx_set (context, unknown[at], 1), EINVAL);
        CHECK_ERRNO (zmq_ctx_get (context, unknown[at]), EINVAL);
    }
    CHECK_OK (zmq_ctx_term (context));
}

TEST (no_sockets_at_all_cannot_be_asked_for)
{
    void *context = open_context ();
    CHECK_ERRNO (zmq_ctx_set (context, ZMQ_MAX_SOCKETS, 0), EINVAL);
    CHECK_EQUAL (zmq_ctx_get (context, ZMQ_MAX_SOCKETS), 1023);
    CHECK_OK (zmq_ctx_term (context));
}

TEST (as_many_sockets_as_the_limit_says_can_be_asked_for)
{
    void *context = open_context ();
    int limit = zmq_ctx_get (context, ZMQ_SOCKET_LIMIT);
    CHECK (limit >= 1023);
    CHECK_OK (zmq_ctx_set (context, ZMQ_MAX_SOCKETS, limit));
    CHECK_EQUAL (zmq_ctx_get (context, ZMQ_MAX_SOCKETS), limit);
    CHECK_OK (zmq_ctx_term (context));
}

TEST (the_size_of_a_message_object_is_64_and_can_only_be_read)
{
    void *context = open_context ();
    CHECK_EQUAL (zmq_ctx_get (context, ZMQ_MSG_T_SIZE), sizeof (zmq_msg_t));
    CHECK_EQUAL (sizeof (zmq_msg_t), 64);
    CHECK_ERRNO (zmq_ctx_set (context, ZMQ_MSG_T_SIZE, 64), EINVAL);
    CHECK_OK (zmq_ctx_term (context));
}

TEST (processors_are_added_and_removed_but_not_read)
{
    void *context = open_context ();
    CHECK_ERRNO (zmq_ctx_set (context, ZMQ_THREAD_AFFINITY_CPU_REMOVE, 0), EINVAL);
    CHECK_OK (zmq_ctx_set (context, ZMQ_THREAD_AFFINITY_CPU_ADD, 0));
    CHECK_OK (zmq_ctx_set (context, ZMQ_THREAD_AFFINITY_CPU_REMOVE, 0));
    CHECK_ERRNO (zmq_ctx_set (context, ZMQ_THREAD_AFFINITY_CPU_REMOVE, 0), EINVAL);
    CHECK_ERRNO (zmq_ctx_set (context, ZMQ_THREAD_AFFINITY_CPU_ADD, -1), EINVAL);
    CHECK_ERRNO (zmq_ctx_get (context, ZMQ_THREAD_AFFINITY_CPU_ADD), EINVAL);
    CHECK_ERRNO (zmq_ctx_get (context, ZMQ_THREAD_AFFINITY_CPU_REMOVE), EINVAL);
    CHECK_OK (zmq_ctx_term (context));
}

TEST (setting_the_priority_leaves_the_limit_of_sockets_alone)
{
    void *context = open_context ();
    int limit = zmq_ctx_get (context, ZMQ_SOCKET_LIMIT);
    CHECK_OK (zmq_ctx_set (context, ZMQ_THREAD_PRIORITY, 1));
    CHECK_EQUAL (zmq_ctx_get (context, ZMQ_SOCKET_LIMIT), limit);
    CHECK_ERRNO (zmq_ctx_set (context, ZMQ_THREAD_PRIORITY, -1), EINVAL);
    CHECK_OK (zmq_ctx_term (context));
}

TEST (a_number_is_the_prefix_of_the_names_of_threads)
{
    void *context = open_context ();
    CHECK_OK (zmq_ctx_set (context, ZMQ_THREAD_NAME_PREFIX, 1234));
    CHECK_EQUAL (zmq_ctx_get (context, ZMQ_THREAD_NAME_PREFIX), 1234);
    CHECK_OK (zmq_ctx_term (context));
}

TEST (one_socket_more_than_allowed_is_EMFILE_until_one_is_closed)
{
    void *context = open_context ();
    CHECK_OK (zmq_ctx_set (context, ZMQ_MAX_SOCKETS, 2));
    void *one = open_socket (context, ZMQ_PUSH);
    void *two = open_socket (context, ZMQ_PULL);
    CHECK_NULL (zmq_socket (context, ZMQ_PAIR), EMFILE);
    CHECK_OK (zmq_close (one));
    void *three = NULL;
    AWAIT ((three = zmq_socket (context, ZMQ_PAIR)) != NULL);
    end_all (context, two, three, NULL);
}

TEST (ipv6_of_the_context_is_what_later_sockets_begin_with)
{
    void *context = open_context ();
    void *before = open_socket (context, ZMQ_PULL);
    CHECK_OK (zmq_ctx_set (context, ZMQ_IPV6, 1));
    void *after = open_socket (context, ZMQ_PULL);
    CHECK_EQUAL (get_int (before, ZMQ_IPV6), 0);
    CHECK_EQUAL (get_int (after, ZMQ_IPV6), 1);
    end_all (context, before, after, NULL);
}

TEST (a_context_that_does_not_block_gives_later_sockets_no_linger)
{
    void *context = open_context ();
    void *before = zmq_socket (context, ZMQ_PUSH);
    CHECK_OK (zmq_ctx_set (context, ZMQ_BLOCKY, 0));
    void *after = zmq_socket (context, ZMQ_PUSH);
    CHECK_EQUAL (get_int (before, ZMQ_LINGER), -1);
    CHECK_EQUAL (get_int (after, ZMQ_LINGER), 0);
    end_all (context, before, after, NULL);
}

TEST (without_threads_only_inproc_works_and_the_rest_is_EMTHREAD)
{
    void *context = open_context ();
    CHECK_OK (zmq_ctx_set (context, ZMQ_IO_THREADS, 0));
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    CHECK_ERRNO (zmq_bind (pull, TCP), EMTHREAD);
    CHECK_ERRNO (zmq_connect (push, "tcp://127.0.0.1:9"), EMTHREAD);
    CHECK_ERRNO (zmq_bind (pull, "ipc://*"), EMTHREAD);
    CHECK_OK (zmq_bind (pull, "inproc://threadless"));
    CHECK_OK (zmq_connect (push, "inproc://threadless"));
    send_text (push, "without", 0);
    expect_text (pull, "without");
    end_all (context, pull, push, NULL);
}

TEST (two_threads_serve_as_well_as_one)
{
    void *context = open_context ();
    char endpoint[256];
    CHECK_OK (zmq_ctx_set (context, ZMQ_IO_THREADS, 2));
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    uint64_t second = 2;
    CHECK_OK (zmq_setsockopt (push, ZMQ_AFFINITY, &second, sizeof second));
    bind_to (pull, TCP, endpoint);
    CHECK_OK (zmq_connect (push, endpoint));
    send_text (push, "by the second", 0);
    expect_text (pull, "by the second");
    end_all (context, pull, push, NULL);
}

TEST (a_NULL_context_is_EFAULT)
{
    CHECK_ERRNO (zmq_ctx_set (NULL, ZMQ_IO_THREADS, 1), EFAULT);
    CHECK_ERRNO (zmq_ctx_get (NULL, ZMQ_IO_THREADS), EFAULT);
    CHECK_ERRNO (zmq_ctx_shutdown (NULL), EFAULT);
    CHECK_ERRNO (zmq_ctx_term (NULL), EFAULT);
    CHECK_ERRNO (zmq_term (NULL), EFAULT);
    CHECK_ERRNO (zmq_ctx_destroy (NULL), EFAULT);
    CHECK_NULL (zmq_socket (NULL, ZMQ_PAIR), EFAULT);
}

TEST (an_unknown_socket_type_is_EINVAL)
{
    static const int unknown[] = { -1, 21, 100, 0x7fffffff };
    void *context = open_context ();
    for (size_t at = 0; at < COUNT (unknown); at++)
        CHECK_NULL (zmq_socket (context, unknown[at]), EINVAL);
    CHECK_OK (zmq_ctx_term (context));
}

TEST (every_stable_socket_type_can_be_made_and_says_what_it_is)
{
    void *context = open_context ();
    for (int type = ZMQ_PAIR; type <= ZMQ_STREAM; type++) {
        void *socket = zmq_socket (context, type);
        CHECK (socket != NULL);
        CHECK_EQUAL (get_int (socket, ZMQ_TYPE), type);
        CHECK_EQUAL (get_int (socket, ZMQ_THREAD_SAFE), 0);
        CHECK_OK (zmq_close (socket));
    }
    CHECK_OK (zmq_ctx_term (context));
}

TEST (the_old_names_of_types_are_dealer_and_router)
{
    CHECK_EQUAL (ZMQ_XREQ, ZMQ_DEALER);
    CHECK_EQUAL (ZMQ_XREP, ZMQ_ROUTER);
}

TEST (no_socket_is_made_after_shutdown_even_if_there_never_was_one)
{
    void *context = open_context ();
    CHECK_OK (zmq_ctx_shutdown (context));
    CHECK_NULL (zmq_socket (context, ZMQ_PAIR), ETERM);
    CHECK_OK (zmq_ctx_term (context));
}

TEST (every_call_but_close_is_ETERM_after_shutdown)
{
    char buffer[256];
    size_t size = sizeof buffer;
    zmq_msg_t message;
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://shut");
    CHECK_OK (zmq_msg_init (&message));
    CHECK_OK (zmq_ctx_shutdown (pair.context));
    CHECK_ERRNO (zmq_send (pair.bound, "x", 1, 0), ETERM);
    CHECK_ERRNO (zmq_send_const (pair.bound, "x", 1, 0), ETERM);
    CHECK_ERRNO (zmq_recv (pair.bound, buffer, sizeof buffer, 0), ETERM);
    CHECK_ERRNO (zmq_msg_send (&message, pair.bound, 0), ETERM);
    CHECK_ERRNO (zmq_msg_recv (&message, pair.bound, 0), ETERM);
    CHECK_ERRNO (zmq_bind (pair.bound, TCP), ETERM);
    CHECK_ERRNO (zmq_connect (pair.bound, "tcp://127.0.0.1:9"), ETERM);
    CHECK_ERRNO (zmq_unbind (pair.bound, pair.endpoint), ETERM);
    CHECK_ERRNO (zmq_disconnect (pair.connected, pair.endpoint), ETERM);
    CHECK_ERRNO (zmq_setsockopt (pair.bound, ZMQ_LINGER, &(int){ 0 }, sizeof (int)), ETERM);
    CHECK_ERRNO (zmq_getsockopt (pair.bound, ZMQ_LAST_ENDPOINT, buffer, &size), ETERM);
    CHECK_ERRNO (zmq_socket_monitor (pair.bound, "inproc://shut-monitor", ZMQ_EVENT_ALL), ETERM);
    CHECK_OK (zmq_msg_close (&message));
    part_couple (&pair);
}

TEST (polling_a_socket_after_shutdown_is_ETERM)
{
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://shut-poll");
    zmq_pollitem_t item = { pair.bound, 0, ZMQ_POLLIN, 0 };
    CHECK_OK (zmq_ctx_shutdown (pair.context));
    CHECK_ERRNO (zmq_poll (&item, 1, -1), ETERM);
    part_couple (&pair);
}

TEST (shutdown_may_be_called_again)
{
    void *context = open_context ();
    CHECK_OK (zmq_ctx_shutdown (context));
    CHECK_OK (zmq_ctx_shutdown (context));
    CHECK_OK (zmq_ctx_term (context));
}

TEST (options_of_a_context_can_be_read_after_shutdown)
{
    void *context = open_context ();
    CHECK_OK (zmq_ctx_shutdown (context));
    CHECK_EQUAL (zmq_ctx_get (context, ZMQ_IO_THREADS), 1);
    CHECK_OK (zmq_ctx_term (context));
}

TEST (the_old_functions_make_and_end_contexts)
{
    void *context = zmq_init (3);
    CHECK (context != NULL);
    CHECK_EQUAL (zmq_ctx_get (context, ZMQ_IO_THREADS), 3);
    CHECK_OK (zmq_term (context));
    context = zmq_init (0);
    CHECK (context != NULL);
    CHECK_OK (zmq_ctx_destroy (context));
    CHECK_NULL (zmq_init (-1), EINVAL);
}

TEST (names_of_one_context_mean_nothing_in_another)
{
    void *one = open_context ();
    void *two = open_context ();
    void *bound = open_socket (one, ZMQ_PAIR);
    void *also = open_socket (two, ZMQ_PAIR);
    CHECK_OK (zmq_bind (bound, "inproc://same"));
    CHECK_OK (zmq_bind (also, "inproc://same"));
    end_all (one, bound, NULL, NULL);
    end_all (two, also, NULL, NULL);
}

TEST (a_hundred_contexts_come_and_go)
{
    for (int round = 0; round < 100; round++) {
        void *context = open_context ();
        if (round % 10 == 0) {
            struct couple pair = couple (ZMQ_PUSH, ZMQ_PULL, TCP);
            part_couple (&pair);
        }
        CHECK_OK (zmq_ctx_term (context));
    }
}
