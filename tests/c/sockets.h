/* Sockets, endpoints, parts and threads for the cases. Every call in here that fails ends the case.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include "check.h"

#include <pthread.h>
#include <time.h>

#define TCP "tcp://127.0.0.1:*"

/* How long what must happen may take. */
#define LIMIT_MS 20000

UNUSED static void set_int (void *socket, int option, int value)
{
    CHECK_OK (zmq_setsockopt (socket, option, &value, sizeof value));
}

UNUSED static int get_int (void *socket, int option)
{
    int value = -12345;
    size_t size = sizeof value;
    CHECK_OK (zmq_getsockopt (socket, option, &value, &size));
    CHECK_EQUAL (size, sizeof value);
    return value;
}

/* A socket whose end nothing delays. */
UNUSED static void *open_socket (void *context, int type)
{
    void *socket = zmq_socket (context, type);
    CHECK (socket != NULL);
    set_int (socket, ZMQ_LINGER, 0);
    return socket;
}

UNUSED static void *open_context (void)
{
    void *context = zmq_ctx_new ();
    CHECK (context != NULL);
    return context;
}

UNUSED static void last_endpoint (void *socket, char endpoint[256])
{
    size_t size = 256;
    CHECK_OK (zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, endpoint, &size));
    CHECK_EQUAL (size, strlen (endpoint) + 1);
}

/* Binds, to a wildcard too, and finds out where. */
UNUSED static void bind_to (void *socket, const char *wanted, char endpoint[256])
{
    CHECK_OK (zmq_bind (socket, wanted));
    last_endpoint (socket, endpoint);
}

/* Two sockets of a context, one bound and the other connected to it. */
struct couple
{
    void *context;
    void *bound;
    void *connected;
    char endpoint[256];
};

UNUSED static struct couple couple (int bound, int connected, const char *where)
{
    struct couple made;
    made.context = open_context ();
    made.bound = open_socket (made.context, bound);
    made.connected = open_socket (made.context, connected);
    bind_to (made.bound, where, made.endpoint);
    CHECK_OK (zmq_connect (made.connected, made.endpoint));
    return made;
}

UNUSED static void part_couple (struct couple *made)
{
    CHECK_OK (zmq_close (made->connected));
    CHECK_OK (zmq_close (made->bound));
    CHECK_OK (zmq_ctx_term (made->context));
}

/* Closes up to three sockets, those that are not NULL, and ends their context. */
UNUSED static void end_all (void *context, void *one, void *two, void *three)
{
    CHECK_OK (one ? zmq_close (one) : 0);
    CHECK_OK (two ? zmq_close (two) : 0);
    CHECK_OK (three ? zmq_close (three) : 0);
    CHECK_OK (zmq_ctx_term (context));
}

UNUSED static void send_text (void *socket, const char *text, int flags)
{
    CHECK_EQUAL (zmq_send (socket, text, strlen (text), flags), strlen (text));
}

/* Receives one part, which must be this one. */
UNUSED static void expect_bytes (void *socket, const void *bytes, size_t size, int more)
{
    char buffer[1024];
    CHECK (size <= sizeof buffer);
    int received = zmq_recv (socket, buffer, sizeof buffer, 0);
    CHECK_EQUAL (received, size);
    if (memcmp (buffer, bytes, size) != 0) {
        fprintf (stderr, "received %.*s, expected %.*s\n", received, buffer, (int) size, (const char *) bytes);
        CHECK (!"the same bytes");
    }
    CHECK_EQUAL (get_int (socket, ZMQ_RCVMORE), more);
}

UNUSED static void expect_part (void *socket, const char *text, int more)
{
    expect_bytes (socket, text, strlen (text), more);
}

UNUSED static void expect_text (void *socket, const char *text)
{
    expect_part (socket, text, 0);
}

/* Receives and forgets a whole message; answers how many parts it had. */
UNUSED static int drop_message (void *socket)
{
    int parts = 0;
    do {
        CHECK (zmq_recv (socket, NULL, 0, 0) >= 0);
        parts++;
    } while (get_int (socket, ZMQ_RCVMORE));
    return parts;
}

/* Polls one socket; answers which of the events it has. */
UNUSED static int poll_for (void *socket, int events, long timeout_ms)
{
    zmq_pollitem_t item;
    memset (&item, 0, sizeof item);
    item.socket = socket;
    item.events = (short) events;
    item.revents = -1;
    int ready = zmq_poll (&item, 1, timeout_ms);
    CHECK (ready >= 0);
    CHECK_EQUAL (ready, item.revents != 0);
    return item.revents;
}

/* Waits until a socket has one of these events. */
UNUSED static void await_events (void *socket, int events)
{
    CHECK (poll_for (socket, events, LIMIT_MS) != 0);
}

UNUSED static long now_ms (void)
{
    struct timespec now;
    CHECK_OK (clock_gettime (CLOCK_MONOTONIC, &now));
    return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

UNUSED static void sleep_ms (long ms)
{
    struct timespec left = { ms / 1000, ms % 1000 * 1000000L };
    while (nanosleep (&left, &left) == -1)
        CHECK (errno == EINTR);
}

/* Waits, looking each millisecond. */
#define AWAIT(condition)                                                      \
    do {                                                                      \
        long await_end = now_ms () + LIMIT_MS;                                \
        while (!(condition)) {                                                \
            CHECK (now_ms () < await_end);                                    \
            sleep_ms (1);                                                     \
        }                                                                     \
    } while (0)

/* A thread of which another can tell whether it sleeps. */
struct worker
{
    pthread_t thread;
    void (*work) (struct worker *);
    void *context;
    void *socket;
    /* What the work found out. */
    long answer;
    int error;
    /* Its directory in /proc, once it runs. */
    char place[64];
    volatile int runs;
    volatile int ended;
};

UNUSED static void *worker_main (void *argument)
{
    struct worker *worker = argument;
    char link[48];
    ssize_t size = readlink ("/proc/thread-self", link, sizeof link - 1);
    CHECK (size > 0);
    link[size] = 0;
    snprintf (worker->place, sizeof worker->place, "/proc/%s/stat", link);
    __sync_synchronize ();
    worker->runs = 1;
    worker->work (worker);
    __sync_synchronize ();
    worker->ended = 1;
    return NULL;
}

UNUSED static void start_worker (struct worker *worker, void (*work) (struct worker *), void *socket)
{
    worker->work = work;
    worker->socket = socket;
    worker->answer = worker->error = worker->runs = worker->ended = 0;
    CHECK_OK (pthread_create (&worker->thread, NULL, worker_main, worker));
}

UNUSED static int worker_sleeps (const struct worker *worker)
{
    char line[256] = "";
    FILE *file = worker->runs ? fopen (worker->place, "r") : NULL;
    if (file == NULL)
        return 0;
    size_t size = fread (line, 1, sizeof line - 1, file);
    line[size] = 0;
    fclose (file);
    const char *after_name = strrchr (line, ')');
    return after_name != NULL && after_name[1] == ' ' && after_name[2] == 'S';
}

/* Waits until a worker sleeps, and goes on sleeping: it is blocked. Or its work is over. */
UNUSED static void await_asleep (const struct worker *worker)
{
    int seen = 0;
    AWAIT ((seen = worker_sleeps (worker) ? seen + 1 : 0) >= 5 || worker->ended);
}

UNUSED static void join_worker (struct worker *worker)
{
    CHECK_OK (pthread_join (worker->thread, NULL));
}

UNUSED static void signal_caught (int signal_number)
{
    (void) signal_number;
}

/* Lets a signal only interrupt: calls are not restarted. */
UNUSED static void catch_signal (int signal_number)
{
    struct sigaction action;
    memset (&action, 0, sizeof action);
    action.sa_handler = signal_caught;
    CHECK_OK (sigaction (signal_number, &action, NULL));
}

/* Ends the wait of a worker with a signal; it must say so. A thread on a busy machine sleeps before it waits as well, for a lock,
   and what comes then is over when it waits: up to three signals are sent. */
UNUSED static void expect_interrupted (struct worker *worker)
{
    catch_signal (SIGUSR1);
    for (int round = 0; round < 3 && !worker->ended; round++) {
        await_asleep (worker);
        CHECK_OK (pthread_kill (worker->thread, SIGUSR1));
        for (int ms = 0; ms < 2000 && !worker->ended; ms++)
            sleep_ms (1);
    }
    CHECK (worker->ended);
    join_worker (worker);
    CHECK_EQUAL (worker->answer, -1);
    CHECK_EQUAL (worker->error, EINTR);
}

/* Work: one blocking receive. */
UNUSED static void receive_once (struct worker *worker)
{
    char buffer[256];
    worker->answer = zmq_recv (worker->socket, buffer, sizeof buffer, 0);
    worker->error = errno;
}

/* A directory of its own for ipc, removed again with what is in it by name. */
UNUSED static void make_directory (char path[64])
{
    strcpy (path, "/tmp/tightbeam-c-XXXXXX");
    CHECK (mkdtemp (path) != NULL);
}

/* In a process of its own, which must end well: what is done to it is not done to other cases. */
UNUSED static void apart (void (*use) (void))
{
    fflush (NULL);
    unsigned left = alarm (0);
    alarm (left);
    pid_t child = fork ();
    CHECK (child >= 0);
    if (child == 0) {
        alarm (left > 1 ? left - 1 : 1);
        use ();
        exit (0);
    }
    int status = -1;
    CHECK_EQUAL (waitpid (child, &status, 0), child);
    CHECK_EQUAL (status, 0);
}

/* Whether valgrind looks at the process: it needs memory itself, and ends without. */
UNUSED static int in_valgrind (void)
{
    const char *loaded = getenv ("LD_PRELOAD");
    return loaded != NULL && strstr (loaded, "vgpreload") != NULL;
}

#endif
