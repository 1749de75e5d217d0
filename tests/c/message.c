/* Messages: zmq_msg_*. Bodies that callers bring are in zero_copy.c. */
#include "sockets.h"

/* Around the limits of what implementations keep inside the object. */
static const size_t sizes[] = { 0, 1, 29, 30, 33, 34, 40, 41, 64, 255, 256, 8192, 1000000 };

static void fill (zmq_msg_t *message, size_t size)
{
    CHECK_OK (zmq_msg_init_size (message, size));
    CHECK_EQUAL (zmq_msg_size (message), size);
    unsigned char *data = zmq_msg_data (message);
    for (size_t at = 0; at < size; at++)
        data[at] = (unsigned char) (at * 7 + size);
}

static int is_filled (zmq_msg_t *message, size_t size)
{
    const unsigned char *data = zmq_msg_data (message);
    if (zmq_msg_size (message) != size)
        return 0;
    for (size_t at = 0; at < size; at++)
        if (data[at] != (unsigned char) (at * 7 + size))
            return 0;
    return 1;
}

TEST (a_message_begins_empty)
{
    zmq_msg_t message;
    CHECK_OK (zmq_msg_init (&message));
    CHECK_EQUAL (zmq_msg_size (&message), 0);
    CHECK (zmq_msg_data (&message) != NULL);
    CHECK_EQUAL (zmq_msg_more (&message), 0);
    CHECK_EQUAL (zmq_msg_get (&message, ZMQ_MORE), 0);
    CHECK_EQUAL (zmq_msg_get (&message, ZMQ_SHARED), 0);
    CHECK_OK (zmq_msg_close (&message));
}

TEST (bodies_of_every_size_can_be_written_and_read)
{
    for (size_t at = 0; at < COUNT (sizes); at++) {
        zmq_msg_t message;
        fill (&message, sizes[at]);
        CHECK (is_filled (&message, sizes[at]));
        CHECK_OK (zmq_msg_close (&message));
    }
}

TEST (a_size_that_cannot_be_is_ENOMEM)
{
    zmq_msg_t message;
    CHECK_ERRNO (zmq_msg_init_size (&message, SIZE_MAX), ENOMEM);
    CHECK_ERRNO (zmq_msg_init_size (&message, SIZE_MAX - 8), ENOMEM);
    CHECK_ERRNO (zmq_msg_init_size (&message, SIZE_MAX / 2), ENOMEM);
}

TEST (a_second_close_is_EFAULT)
{
    zmq_msg_t message;
    CHECK_OK (zmq_msg_init (&message));
    CHECK_OK (zmq_msg_close (&message));
    CHECK_ERRNO (zmq_msg_close (&message), EFAULT);
    fill (&message, 1000);
    CHECK_OK (zmq_msg_close (&message));
    CHECK_ERRNO (zmq_msg_close (&message), EFAULT);
}

TEST (a_closed_message_can_be_made_again)
{
    zmq_msg_t message;
    for (size_t at = 0; at < COUNT (sizes); at++) {
        fill (&message, sizes[at]);
        CHECK_OK (zmq_msg_close (&message));
    }
    CHECK_OK (zmq_msg_init (&message));
    CHECK_OK (zmq_msg_close (&message));
}

TEST (more_can_be_asked_of_a_closed_message)
{
    zmq_msg_t message;
    CHECK_OK (zmq_msg_init (&message));
    CHECK_OK (zmq_msg_close (&message));
    CHECK_EQUAL (zmq_msg_more (&message), 0);
}

TEST (moving_leaves_the_source_empty)
{
    for (size_t at = 0; at < COUNT (sizes); at++) {
        zmq_msg_t from, to;
        fill (&from, sizes[at]);
        CHECK_OK (zmq_msg_init (&to));
        CHECK_OK (zmq_msg_move (&to, &from));
        CHECK (is_filled (&to, sizes[at]));
        CHECK_EQUAL (zmq_msg_size (&from), 0);
        CHECK_OK (zmq_msg_close (&from));
        CHECK_OK (zmq_msg_close (&to));
    }
}

TEST (moving_releases_what_the_destination_held)
{
    zmq_msg_t from, to;
    fill (&from, 100);
    fill (&to, 100000);
    CHECK_OK (zmq_msg_move (&to, &from));
    CHECK (is_filled (&to, 100));
    CHECK_OK (zmq_msg_close (&from));
    CHECK_OK (zmq_msg_close (&to));
}

TEST (moving_from_or_to_a_closed_message_is_EFAULT)
{
    zmq_msg_t closed, open;
    CHECK_OK (zmq_msg_init (&closed));
    CHECK_OK (zmq_msg_close (&closed));
    fill (&open, 50);
    CHECK_ERRNO (zmq_msg_move (&open, &closed), EFAULT);
    CHECK (is_filled (&open, 50));
    CHECK_ERRNO (zmq_msg_move (&closed, &open), EFAULT);
    CHECK (is_filled (&open, 50));
    CHECK_OK (zmq_msg_close (&open));
}

TEST (a_copy_has_the_same_bytes_and_outlives_its_source)
{
    for (size_t at = 0; at < COUNT (sizes); at++) {
        zmq_msg_t source, copy;
        fill (&source, sizes[at]);
        CHECK_OK (zmq_msg_init (&copy));
        CHECK_OK (zmq_msg_copy (&copy, &source));
        CHECK (is_filled (&source, sizes[at]));
        CHECK_OK (zmq_msg_close (&source));
        CHECK (is_filled (&copy, sizes[at]));
        CHECK_OK (zmq_msg_close (&copy));
    }
}

TEST (copying_releases_what_the_destination_held)
{
    zmq_msg_t source, copy;
    fill (&source, 20000);
    fill (&copy, 100000);
    CHECK_OK (zmq_msg_copy (&copy, &source));
    CHECK (is_filled (&copy, 20000));
    CHECK_OK (zmq_msg_close (&source));
    CHECK_OK (zmq_msg_close (&copy));
}

TEST (copying_from_or_to_a_closed_message_is_EFAULT)
{
    zmq_msg_t closed, open;
    CHECK_OK (zmq_msg_init (&closed));
    CHECK_OK (zmq_msg_close (&closed));
    fill (&open, 50);
    CHECK_ERRNO (zmq_msg_copy (&open, &closed), EFAULT);
    CHECK (is_filled (&open, 50));
    CHECK_ERRNO (zmq_msg_copy (&closed, &open), EFAULT);
    CHECK_OK (zmq_msg_close (&open));
}

TEST (a_large_message_is_shared_once_it_is_copied)
{
    zmq_msg_t source, copy;
    fill (&source, 20000);
    CHECK_EQUAL (zmq_msg_get (&source, ZMQ_SHARED), 0);
    CHECK_OK (zmq_msg_init (&copy));
    CHECK_OK (zmq_msg_copy (&copy, &source));
    CHECK_EQUAL (zmq_msg_get (&source, ZMQ_SHARED), 1);
    CHECK_EQUAL (zmq_msg_get (&copy, ZMQ_SHARED), 1);
    CHECK (zmq_msg_data (&copy) == zmq_msg_data (&source));
    CHECK_OK (zmq_msg_close (&source));
    CHECK_OK (zmq_msg_close (&copy));
}

TEST (many_copies_can_be_closed_in_any_order)
{
    enum { COPIES = 50 };
    zmq_msg_t copies[COPIES];
    fill (&copies[0], 5000);
    for (int at = 1; at < COPIES; at++) {
        CHECK_OK (zmq_msg_init (&copies[at]));
        CHECK_OK (zmq_msg_copy (&copies[at], &copies[at / 2]));
    }
    for (int at = 0; at < COPIES; at += 2)
        CHECK_OK (zmq_msg_close (&copies[at]));
    for (int at = 1; at < COPIES; at += 2) {
        CHECK (is_filled (&copies[at], 5000));
        CHECK_OK (zmq_msg_close (&copies[at]));
    }
}

ONLY_OURS (a_message_onto_itself_stays_what_it_was, "libzmq closes the destination first, and so the source")
{
    zmq_msg_t message;
    fill (&message, 30);
    CHECK_OK (zmq_msg_copy (&message, &message));
    CHECK (is_filled (&message, 30));
    CHECK_OK (zmq_msg_move (&message, &message));
    CHECK (is_filled (&message, 30));
    CHECK_OK (zmq_msg_close (&message));
}

TEST (an_unknown_property_is_EINVAL)
{
    static const int unknown[] = { 0, 4, 5, 100, -1 };
    zmq_msg_t message;
    CHECK_OK (zmq_msg_init (&message));
    for (size_t at = 0; at < COUNT (unknown); at++)
        CHECK_ERRNO (zmq_msg_get (&message, unknown[at]), EINVAL);
    CHECK_OK (zmq_msg_close (&message));
}

TEST (no_property_can_be_set)
{
    zmq_msg_t message;
    CHECK_OK (zmq_msg_init (&message));
    for (int property = -1; property < 6; property++)
        CHECK_ERRNO (zmq_msg_set (&message, property, 1), EINVAL);
    CHECK_OK (zmq_msg_close (&message));
}

TEST (a_message_of_our_own_has_no_descriptor_and_no_metadata)
{
    zmq_msg_t message;
    CHECK_OK (zmq_msg_init (&message));
    CHECK_ERRNO (zmq_msg_get (&message, ZMQ_SRCFD), EINVAL);
    CHECK_NULL (zmq_msg_gets (&message, "Socket-Type"), EINVAL);
    CHECK_NULL (zmq_msg_gets (&message, "Peer-Address"), EINVAL);
    CHECK_NULL (zmq_msg_gets (&message, "X-nothing"), EINVAL);
    CHECK_OK (zmq_msg_close (&message));
}

TEST (a_message_over_tcp_knows_its_peer)
{
    struct couple pair = couple (ZMQ_DEALER, ZMQ_DEALER, TCP);
    zmq_msg_t message;
    send_text (pair.connected, "who am I", 0);
    CHECK_OK (zmq_msg_init (&message));
    CHECK_EQUAL (zmq_msg_recv (&message, pair.bound, 0), 8);
    CHECK (strcmp (zmq_msg_gets (&message, "Socket-Type"), "DEALER") == 0);
    CHECK (strcmp (zmq_msg_gets (&message, "Peer-Address"), "127.0.0.1") == 0);
    CHECK (strcmp (zmq_msg_gets (&message, "Identity"), "") == 0);
    CHECK_NULL (zmq_msg_gets (&message, "User-Id"), EINVAL);
    CHECK_NULL (zmq_msg_gets (&message, "X-nothing"), EINVAL);
    CHECK (zmq_msg_get (&message, ZMQ_SRCFD) >= 0);
    CHECK_OK (zmq_msg_close (&message));
    part_couple (&pair);
}

/* libzmq 4.3.4 documents Routing-Id and knows only its old name. */
TEST (the_metadata_tells_the_routing_id_of_the_peer)
{
    void *context = open_context ();
    void *dealer = open_socket (context, ZMQ_DEALER);
    void *router = open_socket (context, ZMQ_ROUTER);
    char endpoint[256];
    zmq_msg_t message;
    CHECK_OK (zmq_setsockopt (dealer, ZMQ_ROUTING_ID, "somebody", 8));
    bind_to (router, TCP, endpoint);
    CHECK_OK (zmq_connect (dealer, endpoint));
    send_text (dealer, "hello", 0);
    expect_part (router, "somebody", 1);
    CHECK_OK (zmq_msg_init (&message));
    CHECK_EQUAL (zmq_msg_recv (&message, router, 0), 5);
    CHECK (strcmp (zmq_msg_gets (&message, "Identity"), "somebody") == 0);
    if (!on_debian ())
        CHECK (strcmp (zmq_msg_gets (&message, "Routing-Id"), "somebody") == 0);
    CHECK (strcmp (zmq_msg_gets (&message, "Socket-Type"), "DEALER") == 0);
    CHECK_OK (zmq_msg_close (&message));
    end_all (context, dealer, router, NULL);
}

TEST (metadata_goes_with_copies_and_moves)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    zmq_msg_t message, copy, moved;
    send_text (pair.connected, "known", 0);
    CHECK_OK (zmq_msg_init (&message));
    CHECK_OK (zmq_msg_init (&copy));
    CHECK_OK (zmq_msg_init (&moved));
    CHECK_EQUAL (zmq_msg_recv (&message, pair.bound, 0), 5);
    CHECK_OK (zmq_msg_copy (&copy, &message));
    CHECK_OK (zmq_msg_move (&moved, &message));
    CHECK (strcmp (zmq_msg_gets (&copy, "Socket-Type"), "PUSH") == 0);
    CHECK (strcmp (zmq_msg_gets (&moved, "Socket-Type"), "PUSH") == 0);
    CHECK_NULL (zmq_msg_gets (&message, "Socket-Type"), EINVAL);
    CHECK_OK (zmq_msg_close (&message));
    CHECK_OK (zmq_msg_close (&copy));
    CHECK_OK (zmq_msg_close (&moved));
    part_couple (&pair);
}

TEST (a_message_that_was_sent_is_empty_and_still_a_message)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://sent");
    for (size_t at = 0; at < COUNT (sizes); at++) {
        zmq_msg_t sent, received;
        fill (&sent, sizes[at]);
        CHECK_EQUAL (zmq_msg_send (&sent, pair.connected, 0), sizes[at]);
        CHECK_EQUAL (zmq_msg_size (&sent), 0);
        CHECK_OK (zmq_msg_close (&sent));
        CHECK_OK (zmq_msg_init (&received));
        CHECK_EQUAL (zmq_msg_recv (&received, pair.bound, 0), sizes[at]);
        CHECK (is_filled (&received, sizes[at]));
        CHECK_OK (zmq_msg_close (&received));
    }
    part_couple (&pair);
}

TEST (a_message_that_could_not_be_sent_stays_whole)
{
    void *context = open_context ();
    void *push = open_socket (context, ZMQ_PUSH);
    zmq_msg_t message;
    fill (&message, 1000);
    CHECK_ERRNO (zmq_msg_send (&message, push, ZMQ_DONTWAIT), EAGAIN);
    CHECK (is_filled (&message, 1000));
    CHECK_OK (zmq_msg_close (&message));
    end_all (context, push, NULL, NULL);
}

TEST (receiving_releases_what_the_message_held)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://held");
    zmq_msg_t message;
    fill (&message, 100000);
    send_text (pair.connected, "instead", 0);
    CHECK_EQUAL (zmq_msg_recv (&message, pair.bound, 0), 7);
    CHECK (memcmp (zmq_msg_data (&message), "instead", 7) == 0);
    CHECK_OK (zmq_msg_close (&message));
    part_couple (&pair);
}

TEST (receiving_into_a_closed_message_is_EFAULT)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://into-closed");
    zmq_msg_t message;
    CHECK_OK (zmq_msg_init (&message));
    CHECK_OK (zmq_msg_close (&message));
    send_text (pair.connected, "kept", 0);
    CHECK_ERRNO (zmq_msg_recv (&message, pair.bound, 0), EFAULT);
    expect_text (pair.bound, "kept");
    part_couple (&pair);
}

ONLY_OURS (sending_a_closed_message_is_EFAULT, "libzmq aborts")
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://send-closed");
    zmq_msg_t message;
    CHECK_OK (zmq_msg_init (&message));
    CHECK_OK (zmq_msg_close (&message));
    CHECK_ERRNO (zmq_msg_send (&message, pair.connected, 0), EFAULT);
    CHECK_ERRNO (zmq_sendmsg (pair.connected, &message, 0), EFAULT);
    part_couple (&pair);
}

TEST (each_part_says_whether_more_follow)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    zmq_msg_t part;
    send_text (pair.connected, "one", ZMQ_SNDMORE);
    send_text (pair.connected, "two", ZMQ_SNDMORE);
    send_text (pair.connected, "three", 0);
    for (int at = 0; at < 3; at++) {
        CHECK_OK (zmq_msg_init (&part));
        CHECK (zmq_msg_recv (&part, pair.bound, 0) > 0);
        CHECK_EQUAL (zmq_msg_more (&part), at < 2);
        CHECK_EQUAL (zmq_msg_get (&part, ZMQ_MORE), at < 2);
        CHECK_EQUAL (get_int (pair.bound, ZMQ_RCVMORE), at < 2);
        CHECK_OK (zmq_msg_close (&part));
    }
    part_couple (&pair);
}

TEST (the_flag_of_a_received_part_does_not_decide_how_it_is_sent_on)
{
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://on");
    zmq_msg_t part;
    send_text (pair.connected, "one", ZMQ_SNDMORE);
    send_text (pair.connected, "two", 0);
    CHECK_OK (zmq_msg_init (&part));
    CHECK_EQUAL (zmq_msg_recv (&part, pair.bound, 0), 3);
    CHECK_EQUAL (zmq_msg_more (&part), 1);
    expect_text (pair.bound, "two");
    CHECK_EQUAL (zmq_msg_send (&part, pair.bound, 0), 3);
    expect_part (pair.connected, "one", 0);
    part_couple (&pair);
}

TEST (a_copy_can_be_sent_to_several_sockets)
{
    struct couple one = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://several");
    struct couple two = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    zmq_msg_t message, copy, received;
    fill (&message, 70000);
    CHECK_OK (zmq_msg_init (&copy));
    CHECK_OK (zmq_msg_copy (&copy, &message));
    CHECK_EQUAL (zmq_msg_send (&message, one.connected, 0), 70000);
    CHECK_EQUAL (zmq_msg_send (&copy, two.connected, 0), 70000);
    CHECK_OK (zmq_msg_init (&received));
    CHECK_EQUAL (zmq_msg_recv (&received, one.bound, 0), 70000);
    CHECK (is_filled (&received, 70000));
    CHECK_EQUAL (zmq_msg_recv (&received, two.bound, 0), 70000);
    CHECK (is_filled (&received, 70000));
    CHECK_OK (zmq_msg_close (&received));
    part_couple (&one);
    part_couple (&two);
}

TEST (the_old_names_send_and_receive_messages)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://old");
    zmq_msg_t message;
    fill (&message, 300);
    CHECK_EQUAL (zmq_sendmsg (pair.connected, &message, 0), 300);
    CHECK_EQUAL (zmq_recvmsg (pair.bound, &message, 0), 300);
    CHECK (is_filled (&message, 300));
    CHECK_ERRNO (zmq_recvmsg (pair.bound, &message, ZMQ_DONTWAIT), EAGAIN);
    CHECK_OK (zmq_msg_close (&message));
    part_couple (&pair);
}
