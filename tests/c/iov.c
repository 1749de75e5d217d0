/* zmq_sendiov, zmq_recviov. */
#include "sockets.h"

#include <sys/uio.h>

static struct iovec of_text (const char *text)
{
    struct iovec part;
    part.iov_base = (void *) text;
    part.iov_len = strlen (text);
    return part;
}

static void expect_iov (const struct iovec *part, const char *text)
{
    CHECK_EQUAL (part->iov_len, strlen (text));
    CHECK (memcmp (part->iov_base, text, part->iov_len) == 0);
}

TEST (with_SNDMORE_the_parts_are_one_message)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    struct iovec parts[3] = { of_text ("one"), of_text (""), of_text ("three") };
    CHECK (zmq_sendiov (pair.connected, parts, 3, ZMQ_SNDMORE) >= 0);
    expect_part (pair.bound, "one", 1);
    expect_part (pair.bound, "", 1);
    expect_part (pair.bound, "three", 0);
    part_couple (&pair);
}

TEST (without_it_each_part_is_a_message)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://each");
    struct iovec parts[2] = { of_text ("one"), of_text ("two") };
    CHECK (zmq_sendiov (pair.connected, parts, 2, 0) >= 0);
    expect_part (pair.bound, "one", 0);
    expect_part (pair.bound, "two", 0);
    part_couple (&pair);
}

TEST (the_parts_of_a_message_are_received_in_one_call)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    struct iovec parts[4];
    size_t count = 4;
    send_text (pair.connected, "one", ZMQ_SNDMORE);
    send_text (pair.connected, "a second part that does not fit into a message object: 012345678901234567890", 0);
    CHECK (zmq_recviov (pair.bound, parts, &count, 0) >= 0);
    CHECK_EQUAL (count, 2);
    expect_iov (&parts[0], "one");
    expect_iov (&parts[1], "a second part that does not fit into a message object: 012345678901234567890");
    free (parts[0].iov_base);
    free (parts[1].iov_base);
    part_couple (&pair);
}

TEST (what_does_not_fit_is_left_for_the_next_call)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://left");
    struct iovec parts[2];
    size_t count = 2;
    send_text (pair.connected, "one", ZMQ_SNDMORE);
    send_text (pair.connected, "two", ZMQ_SNDMORE);
    send_text (pair.connected, "three", 0);
    CHECK (zmq_recviov (pair.bound, parts, &count, 0) >= 0);
    CHECK_EQUAL (count, 2);
    expect_iov (&parts[0], "one");
    expect_iov (&parts[1], "two");
    free (parts[0].iov_base);
    free (parts[1].iov_base);
    expect_part (pair.bound, "three", 0);
    part_couple (&pair);
}

TEST (no_parts_and_no_list_are_EINVAL)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://none");
    struct iovec parts[1] = { of_text ("one") };
    size_t none = 0, one = 1;
    CHECK_ERRNO (zmq_sendiov (pair.connected, parts, 0, 0), EINVAL);
    CHECK_ERRNO (zmq_sendiov (pair.connected, NULL, 1, 0), EINVAL);
    CHECK_ERRNO (zmq_recviov (pair.bound, parts, &none, 0), EINVAL);
    CHECK_ERRNO (zmq_recviov (pair.bound, NULL, &one, 0), EINVAL);
    CHECK_ERRNO (zmq_recviov (pair.bound, parts, NULL, 0), EINVAL);
    part_couple (&pair);
}

TEST (something_that_is_no_socket_is_ENOTSOCK)
{
    struct iovec parts[1] = { of_text ("one") };
    size_t count = 1;
    CHECK_ERRNO (zmq_sendiov (NULL, parts, 1, 0), ENOTSOCK);
    CHECK_ERRNO (zmq_recviov (NULL, parts, &count, 0), ENOTSOCK);
}

TEST (nothing_there_is_EAGAIN_without_waiting)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://nothing");
    struct iovec parts[1];
    size_t count = 1;
    CHECK_ERRNO (zmq_recviov (pair.bound, parts, &count, ZMQ_DONTWAIT), EAGAIN);
    part_couple (&pair);
}

TEST (a_wrong_direction_is_ENOTSUP)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, "inproc://direction");
    struct iovec parts[1] = { of_text ("one") };
    size_t count = 1;
    CHECK_ERRNO (zmq_sendiov (pair.bound, parts, 1, 0), ENOTSUP);
    CHECK_ERRNO (zmq_recviov (pair.connected, parts, &count, 0), ENOTSUP);
    part_couple (&pair);
}
