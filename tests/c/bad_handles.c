/* Handles that are NULL, closed, of another kind, or not ours at all. */
#include "sockets.h"

static void nothing_done (int id, void *argument)
{
    (void) id;
    (void) argument;
}

/* Every call that takes a socket, with one that is none. */
static void expect_no_socket (void *bad)
{
    char buffer[64];
    size_t size = sizeof buffer;
    int value = 0;
    zmq_msg_t message;
    zmq_pollitem_t item = { bad, 0, ZMQ_POLLIN, 0 };
    CHECK_OK (zmq_msg_init (&message));
    CHECK_ERRNO (zmq_close (bad), ENOTSOCK);
    CHECK_ERRNO (zmq_setsockopt (bad, ZMQ_LINGER, &value, sizeof value), ENOTSOCK);
    CHECK_ERRNO (zmq_getsockopt (bad, ZMQ_LAST_ENDPOINT, buffer, &size), ENOTSOCK);
    CHECK_ERRNO (zmq_bind (bad, TCP), ENOTSOCK);
    CHECK_ERRNO (zmq_connect (bad, "inproc://bad"), ENOTSOCK);
    CHECK_ERRNO (zmq_unbind (bad, "inproc://bad"), ENOTSOCK);
    CHECK_ERRNO (zmq_disconnect (bad, "inproc://bad"), ENOTSOCK);
    CHECK_ERRNO (zmq_send (bad, "x", 1, 0), ENOTSOCK);
    CHECK_ERRNO (zmq_send_const (bad, "x", 1, 0), ENOTSOCK);
    CHECK_ERRNO (zmq_recv (bad, buffer, sizeof buffer, 0), ENOTSOCK);
    CHECK_ERRNO (zmq_msg_send (&message, bad, 0), ENOTSOCK);
    CHECK_ERRNO (zmq_msg_recv (&message, bad, 0), ENOTSOCK);
    CHECK_ERRNO (zmq_sendmsg (bad, &message, 0), ENOTSOCK);
    CHECK_ERRNO (zmq_recvmsg (bad, &message, 0), ENOTSOCK);
    CHECK_ERRNO (zmq_socket_monitor (bad, "inproc://bad", ZMQ_EVENT_ALL), ENOTSOCK);
    if (bad != NULL)
        CHECK_ERRNO (zmq_poll (&item, 1, 0), ENOTSOCK);
    CHECK_OK (zmq_msg_close (&message));
}

/* Every call that takes a context, with one that is none. */
static void expect_no_context (void *bad)
{
    CHECK_ERRNO (zmq_ctx_set (bad, ZMQ_IO_THREADS, 1), EFAULT);
    CHECK_ERRNO (zmq_ctx_get (bad, ZMQ_IO_THREADS), EFAULT);
    CHECK_ERRNO (zmq_ctx_shutdown (bad), EFAULT);
    CHECK_ERRNO (zmq_ctx_term (bad), EFAULT);
    CHECK_ERRNO (zmq_term (bad), EFAULT);
    CHECK_ERRNO (zmq_ctx_destroy (bad), EFAULT);
    CHECK_NULL (zmq_socket (bad, ZMQ_PAIR), EFAULT);
}

/* Every call that takes timers, with something that is none. */
static void expect_no_timers (void *bad)
{
    CHECK_ERRNO (zmq_timers_add (bad, 1, nothing_done, NULL), EFAULT);
    CHECK_ERRNO (zmq_timers_execute (bad), EFAULT);
    CHECK_ERRNO (zmq_timers_timeout (bad), EFAULT);
}

TEST (NULL_is_no_socket_no_context_and_no_timers)
{
    expect_no_socket (NULL);
    expect_no_context (NULL);
    expect_no_timers (NULL);
}

TEST (memory_of_the_caller_is_no_socket_no_context_and_no_timers)
{
    static long zeros[512];
    long ones[512];
    void *null = NULL;
    void **to_null = &null;
    long *heap = calloc (512, sizeof *heap);
    memset (ones, 0xff, sizeof ones);
    void *const foreign[] = { zeros, ones, heap, &to_null };
    for (size_t at = 0; at < 3; at++) {
        expect_no_socket (foreign[at]);
        expect_no_context (foreign[at]);
        expect_no_timers (foreign[at]);
    }
    free (heap);
}

ONLY_OURS (addresses_that_cannot_be_read_are_no_handles, "libzmq looks for a tag there, and crashes")
{
    static const uintptr_t wild[] = { 1, 8, 64, 4096, 0xdeadbeef, UINTPTR_MAX, UINTPTR_MAX - 7, UINTPTR_MAX / 2 + 1 };
    for (size_t at = 0; at < COUNT (wild); at++) {
        expect_no_socket ((void *) wild[at]);
        expect_no_context ((void *) wild[at]);
        expect_no_timers ((void *) wild[at]);
    }
}

ONLY_OURS (the_address_of_a_NULL_pointer_is_no_handle, "libzmq looks for a tag behind it")
{
    void *null = NULL;
    expect_no_socket (&null);
    expect_no_context (&null);
    expect_no_timers (&null);
}

TEST (a_context_is_no_socket_and_a_socket_no_context)
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_PAIR);
    expect_no_socket (context);
    expect_no_context (socket);
    expect_no_timers (socket);
    expect_no_timers (context);
    end_all (context, socket, NULL, NULL);
}

ONLY_OURS (a_closed_socket_is_no_socket, "libzmq looks into memory that it has freed")
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_PAIR);
    CHECK_OK (zmq_close (socket));
    expect_no_socket (socket);
    void *others[20];
    for (size_t at = 0; at < COUNT (others); at++) {
        others[at] = open_socket (context, ZMQ_PAIR);
        CHECK (others[at] != socket);
    }
    expect_no_socket (socket);
    for (size_t at = 0; at < COUNT (others); at++)
        CHECK_OK (zmq_close (others[at]));
    CHECK_OK (zmq_ctx_term (context));
    expect_no_socket (socket);
}

ONLY_OURS (a_terminated_context_is_no_context, "libzmq looks into memory that it has freed")
{
    void *context = open_context ();
    CHECK_OK (zmq_ctx_term (context));
    expect_no_context (context);
    void *other = open_context ();
    CHECK (other != context);
    expect_no_context (context);
    CHECK_OK (zmq_ctx_term (other));
}

ONLY_OURS (destroyed_timers_are_no_timers, "libzmq looks into memory that it has freed")
{
    void *timers = zmq_timers_new ();
    void *stale = timers;
    CHECK_OK (zmq_timers_destroy (&timers));
    expect_no_timers (stale);
    CHECK_ERRNO (zmq_timers_destroy (&stale), EFAULT);
}

ONLY_OURS (a_counter_that_is_not_is_EFAULT, "libzmq aborts")
{
    void *nothing = NULL;
    CHECK (zmq_atomic_counter_value (NULL) <= 0 && errno == EFAULT);
    CHECK (zmq_atomic_counter_inc (NULL) <= 0 && errno == EFAULT);
    CHECK (zmq_atomic_counter_dec (NULL) <= 0 && errno == EFAULT);
    zmq_atomic_counter_set (NULL, 5);
    zmq_atomic_counter_destroy (&nothing);
    zmq_atomic_counter_destroy (NULL);
}

ONLY_OURS (a_stopwatch_or_thread_that_is_not_is_passed_over, "libzmq crashes")
{
    CHECK_EQUAL (zmq_stopwatch_intermediate (NULL), 0);
    CHECK_EQUAL (zmq_stopwatch_stop (NULL), 0);
    zmq_threadclose (NULL);
}

ONLY_OURS (memory_that_was_never_a_message_is_none, "libzmq closes what looks like one, or aborts")
{
    zmq_msg_t zeros, ones, target;
    memset (&zeros, 0, sizeof zeros);
    memset (&ones, 0xff, sizeof ones);
    zmq_msg_t *const foreign[] = { &zeros, &ones };
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://foreign");
    CHECK_OK (zmq_msg_init (&target));
    for (size_t at = 0; at < COUNT (foreign); at++) {
        CHECK_ERRNO (zmq_msg_close (foreign[at]), EFAULT);
        CHECK_ERRNO (zmq_msg_send (foreign[at], pair.bound, 0), EFAULT);
        CHECK_ERRNO (zmq_msg_recv (foreign[at], pair.bound, ZMQ_DONTWAIT), EFAULT);
        CHECK_ERRNO (zmq_msg_move (&target, foreign[at]), EFAULT);
        CHECK_ERRNO (zmq_msg_copy (&target, foreign[at]), EFAULT);
        CHECK_ERRNO (zmq_msg_move (foreign[at], &target), EFAULT);
        CHECK_ERRNO (zmq_msg_copy (foreign[at], &target), EFAULT);
        CHECK_EQUAL (zmq_msg_size (foreign[at]), 0);
        CHECK_NULL (zmq_msg_gets (foreign[at], "Socket-Type"), EFAULT);
    }
    CHECK_OK (zmq_msg_close (&target));
    part_couple (&pair);
}

ONLY_OURS (a_NULL_message_is_EFAULT, "libzmq crashes")
{
    zmq_msg_t message;
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://null");
    CHECK_OK (zmq_msg_init (&message));
    CHECK_ERRNO (zmq_msg_close (NULL), EFAULT);
    CHECK_ERRNO (zmq_msg_init (NULL), EFAULT);
    CHECK_ERRNO (zmq_msg_init_size (NULL, 5), EFAULT);
    CHECK_ERRNO (zmq_msg_send (NULL, pair.bound, 0), EFAULT);
    CHECK_ERRNO (zmq_msg_recv (NULL, pair.bound, ZMQ_DONTWAIT), EFAULT);
    CHECK_ERRNO (zmq_msg_move (&message, NULL), EFAULT);
    CHECK_ERRNO (zmq_msg_copy (&message, NULL), EFAULT);
    CHECK_ERRNO (zmq_msg_move (NULL, &message), EFAULT);
    CHECK_ERRNO (zmq_msg_copy (NULL, &message), EFAULT);
    CHECK (zmq_msg_data (NULL) == NULL);
    CHECK_EQUAL (zmq_msg_size (NULL), 0);
    CHECK_EQUAL (zmq_msg_more (NULL), 0);
    CHECK_NULL (zmq_msg_gets (&message, NULL), EINVAL);
    CHECK_OK (zmq_msg_close (&message));
    part_couple (&pair);
}

ONLY_OURS (a_NULL_body_that_is_not_empty_is_refused, "libzmq crashes")
{
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://body");
    CHECK_ERRNO (zmq_send (pair.bound, NULL, 5, 0), EFAULT);
    CHECK_ERRNO (zmq_send_const (pair.bound, NULL, 5, 0), EFAULT);
    send_text (pair.bound, "something", 0);
    CHECK_ERRNO (zmq_recv (pair.connected, NULL, 5, 0), EFAULT);
    part_couple (&pair);
}

ONLY_OURS (sizes_near_the_largest_are_refused, "libzmq crashes")
{
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://sizes");
    CHECK_ERRNO (zmq_send (pair.bound, "x", SIZE_MAX, 0), ENOMEM);
    CHECK_ERRNO (zmq_send (pair.bound, "x", SIZE_MAX / 2, 0), ENOMEM);
    send_text (pair.bound, "x", 0);
    expect_text (pair.connected, "x");
    part_couple (&pair);
}

ONLY_OURS (missing_places_for_answers_are_passed_over_or_refused, "libzmq crashes")
{
    void *context = open_context ();
    void *socket = open_socket (context, ZMQ_PAIR);
    char buffer[64];
    size_t size = sizeof (int);
    CHECK_EQUAL (zmq_getsockopt (socket, ZMQ_LINGER, buffer, NULL), -1);
    CHECK_EQUAL (zmq_getsockopt (socket, ZMQ_LINGER, NULL, &size), -1);
    zmq_version (NULL, NULL, NULL);
    CHECK_EQUAL (zmq_has (NULL), 0);
    CHECK_NULL (zmq_z85_decode ((uint8_t *) buffer, NULL), EINVAL);
    end_all (context, socket, NULL, NULL);
}
