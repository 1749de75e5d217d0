/* zmq_errno, zmq_strerror, and the numbers of errors. */
#include "sockets.h"

TEST (errno_is_that_of_the_last_call_that_failed)
{
    CHECK_ERRNO (zmq_ctx_term (NULL), EFAULT);
    CHECK_EQUAL (zmq_errno (), EFAULT);
    CHECK_EQUAL (errno, EFAULT);
    errno = ENOENT;
    CHECK_EQUAL (zmq_errno (), ENOENT);
}

static void fails_otherwise (struct worker *worker)
{
    worker->answer = zmq_close (NULL);
    worker->error = zmq_errno ();
}

TEST (errno_is_of_the_thread_that_asks)
{
    struct worker worker;
    CHECK_ERRNO (zmq_ctx_term (NULL), EFAULT);
    start_worker (&worker, fails_otherwise, NULL);
    join_worker (&worker);
    CHECK_EQUAL (worker.answer, -1);
    CHECK_EQUAL (worker.error, ENOTSOCK);
    errno = EFAULT;
    CHECK_EQUAL (zmq_errno (), EFAULT);
}

TEST (the_errors_of_zmq_have_their_numbers)
{
    CHECK_EQUAL (ZMQ_HAUSNUMERO, 156384712);
    CHECK_EQUAL (EFSM, 156384763);
    CHECK_EQUAL (ENOCOMPATPROTO, 156384764);
    CHECK_EQUAL (ETERM, 156384765);
    CHECK_EQUAL (EMTHREAD, 156384766);
}

TEST (each_error_is_described_in_words_of_its_own)
{
    static const int errors[] = { EFSM, ENOCOMPATPROTO, ETERM, EMTHREAD, EINVAL, EAGAIN, EFAULT, ENOTSOCK, ENOTSUP };
    for (size_t at = 0; at < COUNT (errors); at++) {
        const char *words = zmq_strerror (errors[at]);
        CHECK (words != NULL && strlen (words) > 5);
        for (size_t other = 0; other < at; other++)
            CHECK (strcmp (words, zmq_strerror (errors[other])) != 0);
    }
}

TEST (errors_of_the_system_are_described_as_the_system_does)
{
    static const int errors[] = { EINVAL, EAGAIN, EFAULT, ENOTSOCK, EADDRINUSE, ENOENT, EINTR };
    for (size_t at = 0; at < COUNT (errors); at++) {
        char words[128];
        snprintf (words, sizeof words, "%s", zmq_strerror (errors[at]));
        CHECK (strcmp (words, strerror (errors[at])) == 0);
    }
}

TEST (a_number_that_is_no_error_is_described_too)
{
    static const int numbers[] = { 0, -1, 99999, ZMQ_HAUSNUMERO, ZMQ_HAUSNUMERO + 50, ZMQ_HAUSNUMERO + 55 };
    for (size_t at = 0; at < COUNT (numbers); at++)
        CHECK (zmq_strerror (numbers[at]) != NULL);
}

TEST (describing_an_error_leaves_errno_alone)
{
    errno = ENOENT;
    CHECK (zmq_strerror (ETERM) != NULL);
    CHECK_EQUAL (errno, ENOENT);
}
