/* What the process around the library does: its signals, its limits, how it and its threads end. */
#include "sockets.h"

#include <sys/resource.h>

static void limit_to (int resource, rlim_t value)
{
    struct rlimit limit;
    CHECK_OK (getrlimit (resource, &limit));
    limit.rlim_cur = value;
    CHECK_OK (setrlimit (resource, &limit));
}

/* Limits the process to the address space that it has, and so much more. */
static void leave_address_space (long bytes)
{
    long pages = 0;
    FILE *file = fopen ("/proc/self/statm", "r");
    CHECK (file != NULL);
    CHECK_EQUAL (fscanf (file, "%ld", &pages), 1);
    fclose (file);
    limit_to (RLIMIT_AS, (rlim_t) (pages * sysconf (_SC_PAGESIZE) + bytes));
}

static void exchange (struct couple *pair)
{
    send_text (pair->connected, "text", 0);
    expect_text (pair->bound, "text");
}

static void hold_a_signal_back (void)
{
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    exchange (&pair);
    CHECK_OK (zmq_connect (pair.connected, "tcp://localhost:9"));
    sigset_t held;
    CHECK_OK (sigemptyset (&held));
    CHECK_OK (sigaddset (&held, SIGUSR1));
    CHECK_OK (pthread_sigmask (SIG_BLOCK, &held, NULL));
    catch_signal (SIGUSR1);
    CHECK_OK (kill (getpid (), SIGUSR1));
    sleep_ms (20);
    sigset_t waiting;
    CHECK_OK (sigpending (&waiting));
    CHECK_EQUAL (sigismember (&waiting, SIGUSR1), 1);
    int taken = 0;
    CHECK_OK (sigwait (&held, &taken));
    CHECK_EQUAL (taken, SIGUSR1);
    part_couple (&pair);
}

/* No thread of the library takes a signal that the program's own threads hold back to wait for it. */
ONLY_OURS (signals_of_the_process_go_to_its_own_threads, "a thread of libzmq may take one before it holds them back")
{
    apart (hold_a_signal_back);
}

/* Starting the library's threads leaves the caller's mask as it was. */
TEST (a_threads_own_signals_stay_as_they_are)
{
    sigset_t before, after;
    CHECK_OK (pthread_sigmask (SIG_SETMASK, NULL, &before));
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    CHECK_OK (pthread_sigmask (SIG_SETMASK, NULL, &after));
    for (int number = 1; number < 32; number++)
        CHECK_EQUAL (sigismember (&after, number), sigismember (&before, number));
    part_couple (&pair);
}

static void live_on_little_data (void)
{
    limit_to (RLIMIT_DATA, (rlim_t) 60 << 20);
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    exchange (&pair);
    void *timers = zmq_timers_new ();
    CHECK (timers != NULL);
    CHECK_OK (zmq_timers_destroy (&timers));
    part_couple (&pair);
}

/* Address space that is only set apart counts as no data, and is not locked. */
TEST (a_process_needs_little_memory_of_its_own)
{
    apart (live_on_little_data);
}

static void exits_by_itself (void *argument)
{
    *(int *) argument = 1;
    pthread_exit (NULL);
}

TEST (a_thread_may_end_itself)
{
    int run = 0;
    void *thread = zmq_threadstart (exits_by_itself, &run);
    CHECK (thread != NULL);
    zmq_threadclose (thread);
    CHECK_EQUAL (run, 1);
}

/* So many times 500 KB of stack. */
static int stack_filled (int times)
{
    volatile char large[500 << 10];
    large[0] = 1;
    return times == 1 ? 1 : stack_filled (times - 1) + large[0];
}

static void fills_its_stack (void *argument)
{
    *(int *) argument = stack_filled (10);
}

TEST (a_thread_has_as_much_stack_as_any_other)
{
    int filled = 0;
    void *thread = zmq_threadstart (fills_its_stack, &filled);
    CHECK (thread != NULL);
    zmq_threadclose (thread);
    CHECK_EQUAL (filled, 10);
}

static volatile int started;

static void starts (void *argument)
{
    (void) argument;
    started = 1;
}

static long spare;

static void start_a_thread_in_what_is_left (void)
{
    leave_address_space (spare);
    void *thread = zmq_threadstart (starts, NULL);
    sleep_ms (10);
    CHECK (thread != NULL || !started);
}

/* The caller frees what a thread would use when there is none. */
ONLY_OURS (a_thread_that_cannot_be_has_not_run, "libzmq aborts")
{
    for (spare = 0; spare < 80 << 20 && !in_valgrind (); spare += 4 << 20)
        apart (start_a_thread_in_what_is_left);
}

static void run_out_of_address_space (void)
{
    struct rlimit before;
    CHECK_OK (getrlimit (RLIMIT_AS, &before));
    leave_address_space (1 << 20);
    /* There is one if other cases of this process have had some. */
    void *context = zmq_ctx_new ();
    CHECK (context != NULL || errno == EMFILE);
    CHECK_OK (setrlimit (RLIMIT_AS, &before));
    if (context == NULL)
        context = open_context ();
    CHECK_OK (zmq_ctx_term (context));
}

/* Contexts come again when there is memory again. */
ONLY_OURS (without_address_space_there_is_no_context_until_there_is, "libzmq aborts")
{
    if (!in_valgrind ())
        apart (run_out_of_address_space);
}

static struct couple last;

static void use_at_exit (void)
{
    exchange (&last);
    part_couple (&last);
}

static void leave_it_to_the_exit (void)
{
    last = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    CHECK_OK (atexit (use_at_exit));
}

TEST (sockets_can_be_used_and_ended_at_exit)
{
    apart (leave_it_to_the_exit);
}

static void exit_while_another_thread_waits (void)
{
    static struct worker worker;
    last = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    start_worker (&worker, receive_once, last.bound);
    await_asleep (&worker);
}

TEST (a_program_may_exit_with_sockets_open_and_threads_waiting)
{
    apart (exit_while_another_thread_waits);
}

static pthread_key_t key;

static void use_at_the_end_of_the_thread (void *argument)
{
    struct couple *pair = argument;
    exchange (pair);
    await_events (pair->connected, ZMQ_POLLOUT);
    part_couple (pair);
}

static void *keep_for_the_end (void *argument)
{
    exchange (argument);
    CHECK_OK (pthread_setspecific (key, argument));
    return NULL;
}

/* Values of a thread's own are gone by then, also those of the library. What it makes at that time is never freed, a few
   hundred bytes for each such thread: valgrind would say so. */
TEST (sockets_can_be_used_while_a_thread_ends)
{
    if (in_valgrind ())
        return;
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, TCP);
    pthread_t thread;
    CHECK_OK (pthread_key_create (&key, use_at_the_end_of_the_thread));
    CHECK_OK (pthread_create (&thread, NULL, keep_for_the_end, &pair));
    CHECK_OK (pthread_join (thread, NULL));
}
