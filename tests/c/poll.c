/* zmq_poll, and the options FD and EVENTS. */
#include "sockets.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

static zmq_pollitem_t of_socket (void *socket, short events)
{
    zmq_pollitem_t item = { socket, -1, events, -1 };
    return item;
}

static zmq_pollitem_t of_descriptor (int descriptor, short events)
{
    zmq_pollitem_t item = { NULL, descriptor, events, -1 };
    return item;
}

TEST (nothing_to_poll_is_a_sleep)
{
    long started = now_ms ();
    CHECK_EQUAL (zmq_poll (NULL, 0, 30), 0);
    CHECK (now_ms () - started >= 29);
    CHECK_EQUAL (zmq_poll (NULL, 0, 0), 0);
}

TEST (a_negative_count_is_EINVAL)
{
    zmq_pollitem_t item = of_descriptor (0, ZMQ_POLLIN);
    CHECK_ERRNO (zmq_poll (&item, -1, 0), EINVAL);
    CHECK_ERRNO (zmq_poll (NULL, -1, 0), EINVAL);
}

TEST (items_that_are_NULL_are_EFAULT)
{
    CHECK_ERRNO (zmq_poll (NULL, 1, 0), EFAULT);
    CHECK_ERRNO (zmq_poll (NULL, 3, -1), EFAULT);
}

TEST (what_cannot_be_done_at_once_is_not_reported)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://at-once");
    zmq_pollitem_t items[2] = { of_socket (pair.bound, ZMQ_POLLIN), of_socket (pair.connected, ZMQ_POLLOUT) };
    CHECK_EQUAL (zmq_poll (items, 2, 0), 1);
    CHECK_EQUAL (items[0].revents, 0);
    CHECK_EQUAL (items[1].revents, ZMQ_POLLOUT);
    part_couple (&pair);
}

TEST (polling_in_reports_until_everything_is_received)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    send_text (pair.connected, "one", 0);
    send_text (pair.connected, "two", 0);
    await_events (pair.bound, ZMQ_POLLIN);
    CHECK_EQUAL (poll_for (pair.bound, ZMQ_POLLIN, 0), ZMQ_POLLIN);
    expect_text (pair.bound, "one");
    await_events (pair.bound, ZMQ_POLLIN);
    expect_text (pair.bound, "two");
    CHECK_EQUAL (poll_for (pair.bound, ZMQ_POLLIN, 0), 0);
    part_couple (&pair);
}

TEST (polling_waits_for_its_time_out)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    long started = now_ms ();
    CHECK_EQUAL (poll_for (pair.bound, ZMQ_POLLIN, 30), 0);
    CHECK (now_ms () - started >= 29);
    part_couple (&pair);
}

TEST (items_without_events_are_never_reported)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://without");
    send_text (pair.connected, "there", 0);
    await_events (pair.bound, ZMQ_POLLIN);
    CHECK_EQUAL (poll_for (pair.bound, 0, 10), 0);
    part_couple (&pair);
}

TEST (both_directions_are_reported_together)
{
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://together");
    send_text (pair.connected, "there", 0);
    await_events (pair.bound, ZMQ_POLLIN);
    CHECK_EQUAL (poll_for (pair.bound, ZMQ_POLLIN | ZMQ_POLLOUT, 0), ZMQ_POLLIN | ZMQ_POLLOUT);
    part_couple (&pair);
}

TEST (sockets_never_report_errors_or_urgent_data)
{
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://never");
    send_text (pair.connected, "there", 0);
    await_events (pair.bound, ZMQ_POLLIN);
    CHECK_EQUAL (poll_for (pair.bound, ZMQ_POLLERR | ZMQ_POLLPRI, 10), 0);
    CHECK_EQUAL (poll_for (pair.bound, ZMQ_POLLIN | ZMQ_POLLERR, 0), ZMQ_POLLIN);
    part_couple (&pair);
}

TEST (a_socket_may_be_polled_twice)
{
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://twice");
    zmq_pollitem_t items[2] = { of_socket (pair.bound, ZMQ_POLLIN), of_socket (pair.bound, ZMQ_POLLIN | ZMQ_POLLOUT) };
    send_text (pair.connected, "there", 0);
    await_events (pair.bound, ZMQ_POLLIN);
    CHECK_EQUAL (zmq_poll (items, 2, 100), 2);
    CHECK_EQUAL (items[0].revents, ZMQ_POLLIN);
    CHECK_EQUAL (items[1].revents, ZMQ_POLLIN | ZMQ_POLLOUT);
    part_couple (&pair);
}

TEST (descriptors_are_polled_beside_sockets)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    int ends[2];
    CHECK_OK (pipe (ends));
    zmq_pollitem_t items[2] = { of_socket (pair.bound, ZMQ_POLLIN), of_descriptor (ends[0], ZMQ_POLLIN) };
    CHECK_EQUAL (zmq_poll (items, 2, 10), 0);
    CHECK_EQUAL (write (ends[1], "x", 1), 1);
    CHECK_EQUAL (zmq_poll (items, 2, -1), 1);
    CHECK_EQUAL (items[0].revents, 0);
    CHECK_EQUAL (items[1].revents, ZMQ_POLLIN);
    send_text (pair.connected, "there", 0);
    AWAIT (zmq_poll (items, 2, -1) == 2);
    CHECK_EQUAL (items[0].revents, ZMQ_POLLIN);
    CHECK_EQUAL (items[1].revents, ZMQ_POLLIN);
    CHECK_OK (close (ends[0]));
    CHECK_OK (close (ends[1]));
    part_couple (&pair);
}

TEST (a_descriptor_that_can_be_written_is_reported)
{
    int ends[2];
    CHECK_OK (pipe (ends));
    zmq_pollitem_t item = of_descriptor (ends[1], ZMQ_POLLOUT);
    CHECK_EQUAL (zmq_poll (&item, 1, -1), 1);
    CHECK_EQUAL (item.revents, ZMQ_POLLOUT);
    CHECK_OK (close (ends[0]));
    CHECK_OK (close (ends[1]));
}

TEST (a_broken_descriptor_reports_an_error)
{
    int ends[2];
    CHECK_OK (pipe (ends));
    CHECK_OK (close (ends[0]));
    zmq_pollitem_t item = of_descriptor (ends[1], ZMQ_POLLERR);
    CHECK_EQUAL (zmq_poll (&item, 1, 1000), 1);
    CHECK_EQUAL (item.revents & ZMQ_POLLERR, ZMQ_POLLERR);
    CHECK_OK (close (ends[1]));
}

TEST (urgent_data_is_reported_of_descriptors)
{
    struct couple pair = couple (ZMQ_STREAM, ZMQ_STREAM, TCP);
    int ends[2];
    CHECK_OK (socketpair (AF_UNIX, SOCK_STREAM, 0, ends));
    zmq_pollitem_t item = of_descriptor (ends[0], ZMQ_POLLPRI | ZMQ_POLLIN);
    CHECK_EQUAL (write (ends[1], "x", 1), 1);
    CHECK_EQUAL (zmq_poll (&item, 1, 1000), 1);
    CHECK_EQUAL (item.revents, ZMQ_POLLIN);
    CHECK_OK (close (ends[0]));
    CHECK_OK (close (ends[1]));
    part_couple (&pair);
}

TEST (of_a_socket_and_a_descriptor_in_one_item_the_socket_counts)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://counts");
    int ends[2];
    CHECK_OK (pipe (ends));
    CHECK_EQUAL (write (ends[1], "x", 1), 1);
    zmq_pollitem_t item = { pair.bound, ends[0], ZMQ_POLLIN, 0 };
    CHECK_EQUAL (zmq_poll (&item, 1, 10), 0);
    CHECK_OK (close (ends[0]));
    CHECK_OK (close (ends[1]));
    part_couple (&pair);
}

TEST (many_sockets_can_be_polled_at_once)
{
    enum { MANY = 40 };
    void *context = open_context ();
    void *pulls[MANY];
    zmq_pollitem_t items[MANY];
    char endpoints[MANY][256];
    for (int at = 0; at < MANY; at++) {
        pulls[at] = open_socket (context, ZMQ_PULL);
        bind_to (pulls[at], at % 2 ? TCP : "ipc://*", endpoints[at]);
        items[at] = of_socket (pulls[at], ZMQ_POLLIN);
    }
    void *push = open_socket (context, ZMQ_PUSH);
    CHECK_EQUAL (zmq_poll (items, MANY, 5), 0);
    CHECK_OK (zmq_connect (push, endpoints[MANY - 3]));
    send_text (push, "to one", 0);
    CHECK_EQUAL (zmq_poll (items, MANY, -1), 1);
    CHECK_EQUAL (items[MANY - 3].revents, ZMQ_POLLIN);
    for (int at = 0; at < MANY; at++)
        CHECK_OK (zmq_close (pulls[at]));
    end_all (context, push, NULL, NULL);
}

static void poll_once (struct worker *worker)
{
    zmq_pollitem_t item = of_socket (worker->socket, ZMQ_POLLIN);
    worker->answer = zmq_poll (&item, 1, -1);
    worker->error = errno;
}

TEST (a_message_ends_an_endless_poll)
{
    static const char *const ways[] = { TCP, "inproc://endless" };
    for (size_t way = 0; way < COUNT (ways); way++) {
        struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, ways[way]);
        struct worker worker;
        start_worker (&worker, poll_once, pair.bound);
        await_asleep (&worker);
        send_text (pair.connected, "there", 0);
        join_worker (&worker);
        CHECK_EQUAL (worker.answer, 1);
        part_couple (&pair);
    }
}

TEST (shutdown_ends_an_endless_poll_with_ETERM)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    struct worker worker;
    start_worker (&worker, poll_once, pair.bound);
    await_asleep (&worker);
    CHECK_OK (zmq_ctx_shutdown (pair.context));
    join_worker (&worker);
    CHECK_EQUAL (worker.answer, -1);
    CHECK_EQUAL (worker.error, ETERM);
    part_couple (&pair);
}

TEST (something_that_is_no_socket_is_ENOTSOCK)
{
    long nothing[64] = { 0 };
    zmq_pollitem_t item = of_socket (nothing, ZMQ_POLLIN);
    CHECK_ERRNO (zmq_poll (&item, 1, 0), ENOTSOCK);
}

TEST (events_say_what_can_be_done)
{
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://events");
    CHECK_EQUAL (get_int (pair.bound, ZMQ_EVENTS), ZMQ_POLLOUT);
    send_text (pair.connected, "there", 0);
    CHECK_EQUAL (get_int (pair.bound, ZMQ_EVENTS), ZMQ_POLLIN | ZMQ_POLLOUT);
    expect_text (pair.bound, "there");
    CHECK_EQUAL (get_int (pair.bound, ZMQ_EVENTS), ZMQ_POLLOUT);
    part_couple (&pair);
}

static int is_readable (int descriptor, int timeout_ms)
{
    struct pollfd item = { descriptor, POLLIN, 0 };
    int ready = poll (&item, 1, timeout_ms);
    CHECK (ready >= 0);
    return ready;
}

TEST (the_descriptor_becomes_readable_when_a_message_comes)
{
    static const char *const ways[] = { TCP, "ipc://*", "inproc://descriptor" };
    for (size_t way = 0; way < COUNT (ways); way++) {
        struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, ways[way]);
        int descriptor = get_int (pair.bound, ZMQ_FD);
        CHECK (descriptor >= 0);
        CHECK_EQUAL (get_int (pair.bound, ZMQ_FD), descriptor);
        get_int (pair.bound, ZMQ_EVENTS);
        send_text (pair.connected, "there", 0);
        while (!(get_int (pair.bound, ZMQ_EVENTS) & ZMQ_POLLIN))
            CHECK (is_readable (descriptor, LIMIT_MS));
        expect_text (pair.bound, "there");
        part_couple (&pair);
    }
}

TEST (reading_the_events_clears_the_descriptor)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://clears");
    int descriptor = get_int (pair.bound, ZMQ_FD);
    get_int (pair.bound, ZMQ_EVENTS);
    CHECK_EQUAL (is_readable (descriptor, 0), 0);
    send_text (pair.connected, "there", 0);
    CHECK (is_readable (descriptor, LIMIT_MS));
    CHECK_EQUAL (get_int (pair.bound, ZMQ_EVENTS), ZMQ_POLLIN);
    CHECK_EQUAL (is_readable (descriptor, 10), 0);
    CHECK_EQUAL (get_int (pair.bound, ZMQ_EVENTS), ZMQ_POLLIN);
    expect_text (pair.bound, "there");
    part_couple (&pair);
}

TEST (a_loop_over_the_descriptor_misses_no_message)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    int descriptor = get_int (pair.bound, ZMQ_FD);
    int received = 0;
    for (int at = 0; at < 300; at++) {
        send_text (pair.connected, "one of many", 0);
        if (at % 3)
            continue;
        while (get_int (pair.bound, ZMQ_EVENTS) & ZMQ_POLLIN) {
            expect_text (pair.bound, "one of many");
            received++;
        }
    }
    while (received < 300) {
        if (get_int (pair.bound, ZMQ_EVENTS) & ZMQ_POLLIN) {
            expect_text (pair.bound, "one of many");
            received++;
        } else
            CHECK (is_readable (descriptor, LIMIT_MS));
    }
    part_couple (&pair);
}
