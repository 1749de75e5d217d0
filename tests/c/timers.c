/* zmq_timers_*. */
#include "sockets.h"

static void counts (int id, void *argument)
{
    (void) id;
    ++*(int *) argument;
}

/* Sleeps until the next timer, and runs those that are due. */
static void run_next (void *timers)
{
    long left = zmq_timers_timeout (timers);
    CHECK (left >= 0);
    sleep_ms (left);
    CHECK_OK (zmq_timers_execute (timers));
}

TEST (a_timer_runs_when_its_interval_has_passed_and_not_before)
{
    void *timers = zmq_timers_new ();
    int count = 0;
    CHECK (timers != NULL);
    long started = now_ms ();
    CHECK (zmq_timers_add (timers, 40, counts, &count) >= 0);
    CHECK_OK (zmq_timers_execute (timers));
    CHECK (count == 0 || now_ms () - started >= 39);
    while (count == 0)
        run_next (timers);
    CHECK (now_ms () - started >= 39);
    CHECK_OK (zmq_timers_destroy (&timers));
    CHECK (timers == NULL);
}

TEST (a_timer_repeats)
{
    void *timers = zmq_timers_new ();
    int count = 0;
    CHECK (zmq_timers_add (timers, 5, counts, &count) >= 0);
    for (int round = 0; round < 20 && count < 3; round++)
        run_next (timers);
    CHECK_EQUAL (count, 3);
    CHECK_OK (zmq_timers_destroy (&timers));
}

struct note
{
    int id;
    int calls;
};

static void takes_note (int id, void *argument)
{
    struct note *note = argument;
    note->id = id;
    note->calls++;
}

TEST (the_function_is_told_which_timer_it_was)
{
    void *timers = zmq_timers_new ();
    struct note note = { -1, 0 };
    int id = zmq_timers_add (timers, 1, takes_note, &note);
    CHECK (id >= 0);
    while (note.calls == 0)
        run_next (timers);
    CHECK_EQUAL (note.id, id);
    CHECK_OK (zmq_timers_destroy (&timers));
}

TEST (timers_have_different_numbers)
{
    void *timers = zmq_timers_new ();
    int count = 0;
    int one = zmq_timers_add (timers, 1000, counts, &count);
    int two = zmq_timers_add (timers, 1000, counts, &count);
    CHECK (one >= 0 && two >= 0 && one != two);
    CHECK_OK (zmq_timers_destroy (&timers));
}

TEST (timers_run_in_the_order_of_their_times)
{
    void *timers = zmq_timers_new ();
    int slow = 0, fast = 0;
    CHECK (zmq_timers_add (timers, 500, counts, &slow) >= 0);
    CHECK (zmq_timers_add (timers, 5, counts, &fast) >= 0);
    CHECK (zmq_timers_timeout (timers) <= 5);
    while (fast < 2)
        run_next (timers);
    CHECK_EQUAL (slow, 0);
    CHECK_OK (zmq_timers_destroy (&timers));
}

TEST (without_timers_the_time_left_is_minus_one_and_errno_stays)
{
    void *timers = zmq_timers_new ();
    int count = 0;
    errno = 0;
    CHECK_EQUAL (zmq_timers_timeout (timers), -1);
    int id = zmq_timers_add (timers, 10, counts, &count);
    CHECK_OK (zmq_timers_cancel (timers, id));
    CHECK_EQUAL (zmq_timers_timeout (timers), -1);
    CHECK_EQUAL (errno, 0);
    CHECK_OK (zmq_timers_execute (timers));
    CHECK_EQUAL (count, 0);
    CHECK_OK (zmq_timers_destroy (&timers));
}

TEST (a_cancelled_timer_does_not_run)
{
    void *timers = zmq_timers_new ();
    int cancelled = 0, kept = 0;
    int id = zmq_timers_add (timers, 1, counts, &cancelled);
    CHECK (zmq_timers_add (timers, 2, counts, &kept) >= 0);
    CHECK_OK (zmq_timers_cancel (timers, id));
    while (kept < 2)
        run_next (timers);
    CHECK_EQUAL (cancelled, 0);
    CHECK_OK (zmq_timers_destroy (&timers));
}

TEST (an_unknown_timer_is_EINVAL)
{
    void *timers = zmq_timers_new ();
    int count = 0;
    int id = zmq_timers_add (timers, 1000, counts, &count);
    CHECK_ERRNO (zmq_timers_cancel (timers, id + 1), EINVAL);
    CHECK_ERRNO (zmq_timers_set_interval (timers, id + 1, 5), EINVAL);
    CHECK_ERRNO (zmq_timers_reset (timers, id + 1), EINVAL);
    CHECK_OK (zmq_timers_cancel (timers, id));
    CHECK_ERRNO (zmq_timers_cancel (timers, id), EINVAL);
    CHECK_OK (zmq_timers_destroy (&timers));
}

TEST (a_new_interval_begins_at_once)
{
    void *timers = zmq_timers_new ();
    int count = 0;
    int id = zmq_timers_add (timers, 100000, counts, &count);
    CHECK_OK (zmq_timers_set_interval (timers, id, 10));
    CHECK (zmq_timers_timeout (timers) <= 10);
    while (count == 0)
        run_next (timers);
    CHECK_OK (zmq_timers_destroy (&timers));
}

/* The time left once some of it has passed and the timer was reset is more than it was. */
static int gains_by_reset (void *timers, int id)
{
    sleep_ms (5);
    long before = zmq_timers_timeout (timers);
    CHECK (before <= 99995);
    CHECK_OK (zmq_timers_reset (timers, id));
    return zmq_timers_timeout (timers) > before;
}

TEST (a_reset_timer_begins_again)
{
    void *timers = zmq_timers_new ();
    int count = 0;
    int id = zmq_timers_add (timers, 100000, counts, &count);
    AWAIT (gains_by_reset (timers, id));
    CHECK_OK (zmq_timers_destroy (&timers));
}

TEST (a_missing_function_is_EFAULT)
{
    void *timers = zmq_timers_new ();
    CHECK_ERRNO (zmq_timers_add (timers, 10, NULL, NULL), EFAULT);
    CHECK_OK (zmq_timers_destroy (&timers));
}

TEST (timers_that_are_not_are_EFAULT)
{
    void *nothing = NULL;
    long foreign[64] = { 0 };
    void *pointer = foreign;
    void *const bad[] = { NULL, foreign };
    for (size_t at = 0; at < COUNT (bad); at++) {
        CHECK_ERRNO (zmq_timers_add (bad[at], 10, counts, NULL), EFAULT);
        CHECK_ERRNO (zmq_timers_cancel (bad[at], 1), EFAULT);
        CHECK_ERRNO (zmq_timers_set_interval (bad[at], 1, 10), EFAULT);
        CHECK_ERRNO (zmq_timers_reset (bad[at], 1), EFAULT);
        CHECK_ERRNO (zmq_timers_timeout (bad[at]), EFAULT);
        CHECK_ERRNO (zmq_timers_execute (bad[at]), EFAULT);
    }
    CHECK_ERRNO (zmq_timers_destroy (&nothing), EFAULT);
    CHECK_ERRNO (zmq_timers_destroy (&pointer), EFAULT);
}

ONLY_OURS (destroying_timers_at_no_address_is_EFAULT, "libzmq crashes")
{
    CHECK_ERRNO (zmq_timers_destroy (NULL), EFAULT);
}

struct changer
{
    void *timers;
    int own;
    int added;
    int calls;
};

static void cancels_itself (int id, void *argument)
{
    struct changer *changer = argument;
    changer->calls++;
    CHECK_OK (zmq_timers_cancel (changer->timers, id));
}

TEST (a_timer_may_cancel_itself)
{
    struct changer changer = { zmq_timers_new (), 0, 0, 0 };
    int other = 0;
    changer.own = zmq_timers_add (changer.timers, 1, cancels_itself, &changer);
    CHECK (zmq_timers_add (changer.timers, 3, counts, &other) >= 0);
    while (other < 3)
        run_next (changer.timers);
    CHECK_EQUAL (changer.calls, 1);
    CHECK_OK (zmq_timers_destroy (&changer.timers));
}

static void adds_another (int id, void *argument)
{
    struct changer *changer = argument;
    (void) id;
    if (changer->calls++ == 0)
        CHECK (zmq_timers_add (changer->timers, 1, counts, &changer->added) >= 0);
}

TEST (a_timer_may_add_another)
{
    struct changer changer = { zmq_timers_new (), 0, 0, 0 };
    changer.own = zmq_timers_add (changer.timers, 1, adds_another, &changer);
    while (changer.added == 0)
        run_next (changer.timers);
    CHECK_OK (zmq_timers_destroy (&changer.timers));
}
