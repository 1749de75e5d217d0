/* zmq_poller_*. */
#define ZMQ_BUILD_DRAFT_API
#include "sockets.h"

#include <limits.h>

/* A poller, and two sockets of a context. */
struct scene
{
    struct couple pair;
    void *poller;
};

static struct scene scene (const char *where)
{
    struct scene made;
    made.pair = couple (ZMQ_PAIR, ZMQ_PAIR, where);
    made.poller = zmq_poller_new ();
    CHECK (made.poller != NULL);
    return made;
}

static void end_scene (struct scene *scene)
{
    CHECK_OK (zmq_poller_destroy (&scene->poller));
    CHECK (scene->poller == NULL);
    part_couple (&scene->pair);
}

TEST (a_poller_knows_how_many_it_has)
{
    struct scene at = scene ("inproc://many");
    int ends[2];
    CHECK_OK (pipe (ends));
    CHECK_EQUAL (zmq_poller_size (at.poller), 0);
    CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, NULL, ZMQ_POLLIN));
    CHECK_EQUAL (zmq_poller_size (at.poller), 1);
    CHECK_OK (zmq_poller_add_fd (at.poller, ends[0], NULL, ZMQ_POLLIN));
    CHECK_EQUAL (zmq_poller_size (at.poller), 2);
    CHECK_OK (zmq_poller_modify (at.poller, at.pair.bound, 0));
    CHECK_EQUAL (zmq_poller_size (at.poller), 2);
    CHECK_OK (zmq_poller_remove (at.poller, at.pair.bound));
    CHECK_OK (zmq_poller_remove_fd (at.poller, ends[0]));
    CHECK_EQUAL (zmq_poller_size (at.poller), 0);
    CHECK_OK (close (ends[0]));
    CHECK_OK (close (ends[1]));
    end_scene (&at);
}

TEST (an_event_names_the_socket_and_what_the_caller_gave)
{
    struct scene at = scene ("inproc://names");
    zmq_poller_event_t event;
    int mine = 0;
    CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, &mine, ZMQ_POLLIN));
    send_text (at.pair.connected, "there", 0);
    memset (&event, 0x55, sizeof event);
    CHECK_OK (zmq_poller_wait (at.poller, &event, -1));
    CHECK (event.socket == at.pair.bound);
    CHECK_EQUAL (event.fd, -1);
    CHECK (event.user_data == &mine);
    CHECK_EQUAL (event.events, ZMQ_POLLIN);
    end_scene (&at);
}

TEST (an_event_of_a_descriptor_names_no_socket)
{
    struct scene at = scene ("inproc://descriptor");
    zmq_poller_event_t event;
    int ends[2], mine = 0;
    CHECK_OK (pipe (ends));
    CHECK_OK (zmq_poller_add_fd (at.poller, ends[0], &mine, ZMQ_POLLIN));
    CHECK_ERRNO (zmq_poller_wait (at.poller, &event, 0), EAGAIN);
    CHECK_EQUAL (write (ends[1], "x", 1), 1);
    memset (&event, 0x55, sizeof event);
    CHECK_OK (zmq_poller_wait (at.poller, &event, -1));
    CHECK (event.socket == NULL);
    CHECK_EQUAL (event.fd, ends[0]);
    CHECK (event.user_data == &mine);
    CHECK_EQUAL (event.events, ZMQ_POLLIN);
    CHECK_OK (close (ends[0]));
    CHECK_OK (close (ends[1]));
    end_scene (&at);
}

TEST (an_event_stays_until_it_is_dealt_with)
{
    struct scene at = scene (TCP);
    zmq_poller_event_t event;
    CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, NULL, ZMQ_POLLIN));
    send_text (at.pair.connected, "there", 0);
    for (int round = 0; round < 3; round++)
        CHECK_OK (zmq_poller_wait (at.poller, &event, -1));
    expect_text (at.pair.bound, "there");
    CHECK_ERRNO (zmq_poller_wait (at.poller, &event, 0), EAGAIN);
    end_scene (&at);
}

TEST (no_event_in_time_is_EAGAIN)
{
    struct scene at = scene ("inproc://in-time");
    zmq_poller_event_t event;
    zmq_poller_event_t events[2];
    CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, NULL, ZMQ_POLLIN));
    long started = now_ms ();
    CHECK_ERRNO (zmq_poller_wait (at.poller, &event, 20), EAGAIN);
    CHECK_ERRNO (zmq_poller_wait_all (at.poller, events, 2, 20), EAGAIN);
    CHECK (now_ms () - started >= 39);
    CHECK_ERRNO (zmq_poller_wait_all (at.poller, events, 2, 0), EAGAIN);
    end_scene (&at);
}

TEST (all_events_are_had_at_once)
{
    struct scene at = scene ("inproc://at-once");
    zmq_poller_event_t events[3];
    CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, &at, ZMQ_POLLIN | ZMQ_POLLOUT));
    CHECK_OK (zmq_poller_add (at.poller, at.pair.connected, NULL, ZMQ_POLLOUT));
    send_text (at.pair.connected, "there", 0);
    await_events (at.pair.bound, ZMQ_POLLIN);
    CHECK_EQUAL (zmq_poller_wait_all (at.poller, events, 3, -1), 2);
    int bound = events[0].socket == at.pair.bound ? 0 : 1;
    CHECK (events[bound].socket == at.pair.bound && events[!bound].socket == at.pair.connected);
    CHECK_EQUAL (events[bound].events, ZMQ_POLLIN | ZMQ_POLLOUT);
    CHECK_EQUAL (events[!bound].events, ZMQ_POLLOUT);
    CHECK_EQUAL (zmq_poller_wait_all (at.poller, events, 1, -1), 1);
    end_scene (&at);
}

TEST (what_is_waited_for_can_be_changed)
{
    struct scene at = scene ("inproc://changed");
    zmq_poller_event_t event;
    CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, NULL, 0));
    CHECK_ERRNO (zmq_poller_wait (at.poller, &event, 5), EAGAIN);
    CHECK_OK (zmq_poller_modify (at.poller, at.pair.bound, ZMQ_POLLOUT));
    CHECK_OK (zmq_poller_wait (at.poller, &event, -1));
    CHECK_EQUAL (event.events, ZMQ_POLLOUT);
    CHECK_OK (zmq_poller_modify (at.poller, at.pair.bound, ZMQ_POLLIN));
    CHECK_ERRNO (zmq_poller_wait (at.poller, &event, 5), EAGAIN);
    end_scene (&at);
}

TEST (sockets_never_report_errors_or_urgent_data)
{
    struct scene at = scene ("inproc://never");
    zmq_poller_event_t event;
    CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, NULL, ZMQ_POLLIN | ZMQ_POLLERR | ZMQ_POLLPRI));
    send_text (at.pair.connected, "there", 0);
    CHECK_OK (zmq_poller_wait (at.poller, &event, -1));
    CHECK_EQUAL (event.events, ZMQ_POLLIN);
    end_scene (&at);
}

TEST (adding_twice_is_EINVAL)
{
    struct scene at = scene ("inproc://twice");
    CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, NULL, ZMQ_POLLIN));
    CHECK_ERRNO (zmq_poller_add (at.poller, at.pair.bound, NULL, ZMQ_POLLOUT), EINVAL);
    CHECK_OK (zmq_poller_add_fd (at.poller, 0, NULL, ZMQ_POLLIN));
    CHECK_ERRNO (zmq_poller_add_fd (at.poller, 0, NULL, ZMQ_POLLIN), EINVAL);
    CHECK_EQUAL (zmq_poller_size (at.poller), 2);
    end_scene (&at);
}

TEST (a_removed_socket_can_be_added_again)
{
    struct scene at = scene ("inproc://again");
    zmq_poller_event_t event;
    for (int round = 0; round < 3; round++) {
        CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, NULL, ZMQ_POLLOUT));
        CHECK_OK (zmq_poller_wait (at.poller, &event, -1));
        CHECK_OK (zmq_poller_remove (at.poller, at.pair.bound));
        CHECK_ERRNO (zmq_poller_wait (at.poller, &event, 0), EAGAIN);
    }
    end_scene (&at);
}

TEST (changing_or_removing_what_is_not_there_is_EINVAL)
{
    struct scene at = scene ("inproc://not-there");
    CHECK_ERRNO (zmq_poller_modify (at.poller, at.pair.bound, ZMQ_POLLIN), EINVAL);
    CHECK_ERRNO (zmq_poller_remove (at.poller, at.pair.bound), EINVAL);
    CHECK_ERRNO (zmq_poller_modify_fd (at.poller, 0, ZMQ_POLLIN), EINVAL);
    CHECK_ERRNO (zmq_poller_remove_fd (at.poller, 0), EINVAL);
    end_scene (&at);
}

TEST (bits_that_are_no_events_are_EINVAL)
{
    static const short wrong[] = { 16, 32, 64, SHRT_MIN, -1 };
    struct scene at = scene ("inproc://bits");
    for (size_t bits = 0; bits < COUNT (wrong); bits++) {
        CHECK_ERRNO (zmq_poller_add (at.poller, at.pair.bound, NULL, wrong[bits]), EINVAL);
        CHECK_ERRNO (zmq_poller_add_fd (at.poller, 0, NULL, wrong[bits]), EINVAL);
    }
    CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, NULL, ZMQ_POLLIN));
    CHECK_ERRNO (zmq_poller_modify (at.poller, at.pair.bound, 16), EINVAL);
    end_scene (&at);
}

TEST (the_retired_descriptor_is_EBADF)
{
    struct scene at = scene ("inproc://retired");
    CHECK_ERRNO (zmq_poller_add_fd (at.poller, -1, NULL, ZMQ_POLLIN), EBADF);
    CHECK_ERRNO (zmq_poller_modify_fd (at.poller, -1, ZMQ_POLLIN), EBADF);
    CHECK_ERRNO (zmq_poller_remove_fd (at.poller, -1), EBADF);
    end_scene (&at);
}

TEST (something_that_is_no_socket_is_ENOTSOCK)
{
    static long foreign[64];
    struct scene at = scene ("inproc://no-socket");
    void *const bad[] = { NULL, foreign };
    for (size_t which = 0; which < COUNT (bad); which++) {
        CHECK_ERRNO (zmq_poller_add (at.poller, bad[which], NULL, ZMQ_POLLIN), ENOTSOCK);
        CHECK_ERRNO (zmq_poller_modify (at.poller, bad[which], ZMQ_POLLIN), ENOTSOCK);
        CHECK_ERRNO (zmq_poller_remove (at.poller, bad[which]), ENOTSOCK);
    }
    end_scene (&at);
}

static void expect_no_poller (void *bad)
{
    zmq_poller_event_t event;
    int descriptor;
    void *pointer = bad;
    CHECK_ERRNO (zmq_poller_destroy (&pointer), EFAULT);
    CHECK_ERRNO (zmq_poller_size (bad), EFAULT);
    CHECK_ERRNO (zmq_poller_add (bad, NULL, NULL, ZMQ_POLLIN), EFAULT);
    CHECK_ERRNO (zmq_poller_modify (bad, NULL, ZMQ_POLLIN), EFAULT);
    CHECK_ERRNO (zmq_poller_remove (bad, NULL), EFAULT);
    CHECK_ERRNO (zmq_poller_add_fd (bad, 0, NULL, ZMQ_POLLIN), EFAULT);
    CHECK_ERRNO (zmq_poller_modify_fd (bad, 0, ZMQ_POLLIN), EFAULT);
    CHECK_ERRNO (zmq_poller_remove_fd (bad, 0), EFAULT);
    CHECK_ERRNO (zmq_poller_wait (bad, &event, 0), EFAULT);
    CHECK_ERRNO (zmq_poller_wait_all (bad, &event, 1, 0), EFAULT);
    CHECK_ERRNO (zmq_poller_fd (bad, &descriptor), EFAULT);
}

TEST (something_that_is_no_poller_is_EFAULT)
{
    static long foreign[64];
    void *context = open_context ();
    void *poller = zmq_poller_new ();
    void *stale = poller;
    CHECK_OK (zmq_poller_destroy (&poller));
    expect_no_poller (NULL);
    expect_no_poller (foreign);
    expect_no_poller (context);
    expect_no_poller (stale);
    CHECK_ERRNO (zmq_poller_destroy (NULL), EFAULT);
    CHECK_OK (zmq_ctx_term (context));
}

TEST (no_place_for_events_is_EFAULT_and_no_room_EINVAL)
{
    struct scene at = scene ("inproc://place");
    zmq_poller_event_t event;
    CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, NULL, ZMQ_POLLIN));
    CHECK_ERRNO (zmq_poller_wait (at.poller, NULL, 0), EFAULT);
    CHECK_ERRNO (zmq_poller_wait_all (at.poller, NULL, 1, 0), EFAULT);
    CHECK_ERRNO (zmq_poller_wait_all (at.poller, &event, 0, 0), EINVAL);
    CHECK_ERRNO (zmq_poller_wait_all (at.poller, &event, -1, 0), EINVAL);
    end_scene (&at);
}

TEST (an_endless_wait_for_nothing_is_EFAULT)
{
    struct scene at = scene ("inproc://nothing");
    zmq_poller_event_t event;
    CHECK_ERRNO (zmq_poller_wait (at.poller, &event, -1), EFAULT);
    CHECK_ERRNO (zmq_poller_wait_all (at.poller, &event, 1, -1), EFAULT);
    CHECK_ERRNO (zmq_poller_wait (at.poller, &event, 5), EAGAIN);
    CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, NULL, 0));
    CHECK_ERRNO (zmq_poller_wait (at.poller, &event, -1), EFAULT);
    end_scene (&at);
}

TEST (without_a_thread_safe_socket_there_is_no_descriptor)
{
    struct scene at = scene ("inproc://no-descriptor");
    int descriptor = -1;
    CHECK_ERRNO (zmq_poller_fd (at.poller, &descriptor), EINVAL);
    CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, NULL, ZMQ_POLLIN));
    CHECK_ERRNO (zmq_poller_fd (at.poller, &descriptor), EINVAL);
    CHECK_ERRNO (zmq_poller_fd (at.poller, NULL), EFAULT);
    end_scene (&at);
}

TEST (the_end_of_the_context_is_ETERM)
{
    struct scene at = scene (TCP);
    zmq_poller_event_t event;
    CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, NULL, ZMQ_POLLIN));
    CHECK_OK (zmq_ctx_shutdown (at.pair.context));
    CHECK_ERRNO (zmq_poller_wait (at.poller, &event, -1), ETERM);
    end_scene (&at);
}

static void wait_once (struct worker *worker)
{
    zmq_poller_event_t event;
    worker->answer = zmq_poller_wait (worker->socket, &event, -1);
    worker->error = errno;
}

TEST (a_message_ends_an_endless_wait)
{
    static const char *const ways[] = { TCP, "inproc://endless" };
    for (size_t way = 0; way < COUNT (ways); way++) {
        struct scene at = scene (ways[way]);
        struct worker worker;
        CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, NULL, ZMQ_POLLIN));
        start_worker (&worker, wait_once, at.poller);
        await_asleep (&worker);
        send_text (at.pair.connected, "there", 0);
        join_worker (&worker);
        CHECK_EQUAL (worker.answer, 0);
        end_scene (&at);
    }
}

TEST (a_signal_ends_a_wait_with_EINTR)
{
    struct scene at = scene (TCP);
    struct worker worker;
    send_text (at.pair.connected, "settled", 0);
    expect_text (at.pair.bound, "settled");
    CHECK_OK (zmq_poller_add (at.poller, at.pair.bound, NULL, ZMQ_POLLIN));
    start_worker (&worker, wait_once, at.poller);
    expect_interrupted (&worker);
    end_scene (&at);
}

TEST (many_sockets_can_be_waited_for)
{
    enum { MANY = 50 };
    void *context = open_context ();
    void *poller = zmq_poller_new ();
    void *push = open_socket (context, ZMQ_PUSH);
    void *pulls[MANY];
    char endpoint[256];
    zmq_poller_event_t event;
    for (int at = 0; at < MANY; at++) {
        pulls[at] = open_socket (context, ZMQ_PULL);
        bind_to (pulls[at], TCP, endpoint);
        CHECK_OK (zmq_poller_add (poller, pulls[at], &pulls[at], ZMQ_POLLIN));
    }
    CHECK_OK (zmq_connect (push, endpoint));
    send_text (push, "to the last", 0);
    CHECK_OK (zmq_poller_wait (poller, &event, -1));
    CHECK (event.socket == pulls[MANY - 1] && event.user_data == &pulls[MANY - 1]);
    CHECK_OK (zmq_poller_destroy (&poller));
    for (int at = 0; at < MANY; at++)
        CHECK_OK (zmq_close (pulls[at]));
    end_all (context, push, NULL, NULL);
}
