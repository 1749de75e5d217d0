/* Bodies that callers bring: zmq_msg_init_data, and the function that frees them. */
#include "sockets.h"

/* Counts its calls; what it was called with last. */
struct freed
{
    volatile int calls;
    void *data;
};

static void frees (void *data, void *hint)
{
    struct freed *freed = hint;
    freed->data = data;
    __sync_fetch_and_add (&freed->calls, 1);
    free (data);
}

/* A message around a body of this size. */
static void bring (zmq_msg_t *message, size_t size, struct freed *freed)
{
    char *body = malloc (size ? size : 1);
    CHECK (body != NULL);
    memset (body, 'b', size);
    freed->calls = 0;
    freed->data = NULL;
    CHECK_OK (zmq_msg_init_data (message, body, size, frees, freed));
    CHECK (zmq_msg_data (message) == body);
    CHECK_EQUAL (zmq_msg_size (message), size);
}

static const size_t sizes[] = { 0, 1, 33, 34, 100, 100000, 1000000 };

TEST (a_body_is_freed_once_when_its_message_is_closed)
{
    for (size_t at = 0; at < COUNT (sizes); at++) {
        struct freed freed;
        zmq_msg_t message;
        bring (&message, sizes[at], &freed);
        void *body = zmq_msg_data (&message);
        CHECK_EQUAL (freed.calls, 0);
        CHECK_OK (zmq_msg_close (&message));
        CHECK_EQUAL (freed.calls, 1);
        CHECK (freed.data == body);
    }
}

TEST (a_body_is_freed_with_the_last_of_its_copies)
{
    struct freed freed;
    zmq_msg_t message, copy, moved;
    bring (&message, 1000, &freed);
    CHECK_OK (zmq_msg_init (&copy));
    CHECK_OK (zmq_msg_init (&moved));
    CHECK_OK (zmq_msg_copy (&copy, &message));
    CHECK (zmq_msg_data (&copy) == zmq_msg_data (&message));
    CHECK_OK (zmq_msg_move (&moved, &message));
    CHECK_OK (zmq_msg_close (&message));
    CHECK_OK (zmq_msg_close (&moved));
    CHECK_EQUAL (freed.calls, 0);
    CHECK_OK (zmq_msg_close (&copy));
    CHECK_EQUAL (freed.calls, 1);
}

TEST (a_body_is_freed_when_something_else_takes_its_place)
{
    struct freed freed;
    zmq_msg_t message, other;
    bring (&message, 1000, &freed);
    CHECK_OK (zmq_msg_init (&other));
    CHECK_OK (zmq_msg_move (&message, &other));
    CHECK_EQUAL (freed.calls, 1);
    CHECK_OK (zmq_msg_close (&message));
    CHECK_OK (zmq_msg_close (&other));
    bring (&message, 1000, &freed);
    CHECK_OK (zmq_msg_init (&other));
    CHECK_OK (zmq_msg_copy (&message, &other));
    CHECK_EQUAL (freed.calls, 1);
    CHECK_OK (zmq_msg_close (&message));
    CHECK_OK (zmq_msg_close (&other));
}

TEST (a_body_that_was_sent_is_freed_once)
{
    static const char *const ways[] = { TCP, "ipc://*", "inproc://sent" };
    for (size_t way = 0; way < COUNT (ways); way++) {
        struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, ways[way]);
        for (size_t at = 0; at < COUNT (sizes); at++) {
            struct freed freed;
            zmq_msg_t message;
            bring (&message, sizes[at], &freed);
            CHECK_EQUAL (zmq_msg_send (&message, pair.connected, 0), sizes[at]);
            CHECK_OK (zmq_msg_close (&message));
            CHECK_EQUAL (zmq_recv (pair.bound, NULL, 0, 0), sizes[at]);
            AWAIT (freed.calls != 0);
            CHECK_EQUAL (freed.calls, 1);
        }
        part_couple (&pair);
    }
}

TEST (a_body_is_handed_on_within_the_process_and_not_copied)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://handed");
    struct freed freed;
    zmq_msg_t message;
    bring (&message, 1000000, &freed);
    void *body = zmq_msg_data (&message);
    CHECK_EQUAL (zmq_msg_send (&message, pair.connected, 0), 1000000);
    CHECK_EQUAL (zmq_msg_recv (&message, pair.bound, 0), 1000000);
    CHECK (zmq_msg_data (&message) == body);
    CHECK_EQUAL (freed.calls, 0);
    CHECK_OK (zmq_msg_close (&message));
    CHECK_EQUAL (freed.calls, 1);
    part_couple (&pair);
}

TEST (a_body_that_could_not_be_sent_stays_the_callers)
{
    void *context = open_context ();
    void *push = open_socket (context, ZMQ_PUSH);
    struct freed freed;
    zmq_msg_t message;
    bring (&message, 1000, &freed);
    CHECK_ERRNO (zmq_msg_send (&message, push, ZMQ_DONTWAIT), EAGAIN);
    CHECK_EQUAL (freed.calls, 0);
    CHECK_EQUAL (zmq_msg_size (&message), 1000);
    CHECK_OK (zmq_msg_close (&message));
    CHECK_EQUAL (freed.calls, 1);
    end_all (context, push, NULL, NULL);
}

TEST (bodies_that_were_never_delivered_are_freed_with_their_context)
{
    enum { MANY = 50 };
    void *context = open_context ();
    void *push = open_socket (context, ZMQ_PUSH);
    struct freed freed[MANY];
    zmq_msg_t message;
    CHECK_OK (zmq_connect (push, "inproc://nobody"));
    CHECK_OK (zmq_connect (push, "ipc:///tmp/tightbeam-nobody-is-here"));
    for (int at = 0; at < MANY; at++) {
        bring (&message, 1000, &freed[at]);
        CHECK_EQUAL (zmq_msg_send (&message, push, 0), 1000);
    }
    end_all (context, push, NULL, NULL);
    for (int at = 0; at < MANY; at++)
        CHECK_EQUAL (freed[at].calls, 1);
}

TEST (bodies_that_were_never_received_are_freed_with_their_context)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://unread");
    struct freed freed;
    zmq_msg_t message;
    bring (&message, 1000, &freed);
    CHECK_EQUAL (zmq_msg_send (&message, pair.connected, 0), 1000);
    part_couple (&pair);
    CHECK_EQUAL (freed.calls, 1);
}

TEST (a_body_published_to_several_is_freed_once)
{
    void *context = open_context ();
    void *pub = open_socket (context, ZMQ_XPUB);
    void *subs[3];
    struct freed freed;
    zmq_msg_t message;
    set_int (pub, ZMQ_XPUB_VERBOSE, 1);
    CHECK_OK (zmq_bind (pub, "inproc://published"));
    for (int at = 0; at < 3; at++) {
        subs[at] = open_socket (context, ZMQ_SUB);
        CHECK_OK (zmq_setsockopt (subs[at], ZMQ_SUBSCRIBE, "", 0));
        CHECK_OK (zmq_connect (subs[at], "inproc://published"));
        CHECK_EQUAL (drop_message (pub), 1);
    }
    bring (&message, 1000, &freed);
    CHECK_EQUAL (zmq_msg_send (&message, pub, 0), 1000);
    for (int at = 0; at < 3; at++) {
        CHECK_EQUAL (freed.calls, 0);
        CHECK_EQUAL (zmq_recv (subs[at], NULL, 0, 0), 1000);
        CHECK_OK (zmq_close (subs[at]));
    }
    AWAIT (freed.calls != 0);
    CHECK_EQUAL (freed.calls, 1);
    end_all (context, pub, NULL, NULL);
}

TEST (without_a_function_the_body_is_constant)
{
    static char body[] = "constant, and longer than what fits into a message object: 0123456789 0123456789";
    zmq_msg_t message, copy;
    CHECK_OK (zmq_msg_init_data (&message, body, sizeof body, NULL, NULL));
    CHECK (zmq_msg_data (&message) == body);
    CHECK_EQUAL (zmq_msg_get (&message, ZMQ_SHARED), 1);
    CHECK_OK (zmq_msg_init (&copy));
    CHECK_OK (zmq_msg_copy (&copy, &message));
    CHECK (zmq_msg_data (&copy) == body);
    CHECK_OK (zmq_msg_close (&message));
    CHECK_OK (zmq_msg_close (&copy));
    CHECK_EQUAL (body[0], 'c');
}

TEST (a_body_with_a_function_is_not_shared_until_it_is_copied)
{
    struct freed freed;
    zmq_msg_t message, copy;
    bring (&message, 1000, &freed);
    CHECK_EQUAL (zmq_msg_get (&message, ZMQ_SHARED), 0);
    CHECK_OK (zmq_msg_init (&copy));
    CHECK_OK (zmq_msg_copy (&copy, &message));
    CHECK_EQUAL (zmq_msg_get (&message, ZMQ_SHARED), 1);
    CHECK_OK (zmq_msg_close (&message));
    CHECK_OK (zmq_msg_close (&copy));
    CHECK_EQUAL (freed.calls, 1);
}

/* What a function that calls back needs. */
struct caller
{
    void *socket;
    volatile int answer;
};

static void sends_and_frees (void *data, void *hint)
{
    struct caller *caller = hint;
    zmq_msg_t message;
    free (data);
    CHECK_OK (zmq_msg_init_size (&message, 5));
    memcpy (zmq_msg_data (&message), "freed", 5);
    if (zmq_msg_send (&message, caller->socket, ZMQ_DONTWAIT) == 5)
        __sync_fetch_and_add (&caller->answer, 1);
}

TEST (the_function_may_send_on_another_socket)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://other");
    struct couple notes = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://notes");
    struct caller caller = { notes.connected, 0 };
    zmq_msg_t message;
    CHECK_OK (zmq_msg_init_data (&message, calloc (1, 1000), 1000, sends_and_frees, &caller));
    CHECK_EQUAL (zmq_msg_send (&message, pair.connected, 0), 1000);
    CHECK_EQUAL (zmq_recv (pair.bound, NULL, 0, 0), 1000);
    CHECK_EQUAL (zmq_recv (notes.bound, NULL, 0, 0), 5);
    CHECK_EQUAL (caller.answer, 1);
    part_couple (&pair);
    part_couple (&notes);
}

ONLY_OURS (the_function_may_use_the_very_socket_that_frees, "a socket of libzmq belongs to one thread and one call")
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    struct caller caller = { pair.connected, 0 };
    zmq_msg_t message;
    CHECK_OK (zmq_msg_init_data (&message, calloc (1, 1000), 1000, sends_and_frees, &caller));
    CHECK_EQUAL (zmq_msg_send (&message, pair.connected, 0), 1000);
    CHECK_EQUAL (zmq_recv (pair.bound, NULL, 0, 0), 1000);
    CHECK_EQUAL (zmq_recv (pair.bound, NULL, 0, 0), 5);
    part_couple (&pair);
}

static void closes_and_frees (void *data, void *hint)
{
    struct caller *caller = hint;
    free (data);
    caller->answer = zmq_close (caller->socket) == 0;
}

TEST (the_function_may_close_another_socket)
{
    void *context = open_context ();
    struct caller caller = { open_socket (context, ZMQ_PUSH), 0 };
    zmq_msg_t message;
    CHECK_OK (zmq_msg_init_data (&message, calloc (1, 1000), 1000, closes_and_frees, &caller));
    CHECK_OK (zmq_msg_close (&message));
    CHECK_EQUAL (caller.answer, 1);
    CHECK_OK (zmq_ctx_term (context));
}

TEST (a_message_that_was_received_can_be_written_to)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    static char body[100000];
    zmq_msg_t message;
    CHECK_EQUAL (zmq_send (pair.connected, body, sizeof body, 0), sizeof body);
    CHECK_OK (zmq_msg_init (&message));
    CHECK_EQUAL (zmq_msg_recv (&message, pair.bound, 0), sizeof body);
    memset (zmq_msg_data (&message), 'w', sizeof body);
    CHECK_EQUAL (((char *) zmq_msg_data (&message))[sizeof body - 1], 'w');
    CHECK_OK (zmq_msg_close (&message));
    part_couple (&pair);
}
