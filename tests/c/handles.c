/* Handles that some use while others close them, and what is left of the value behind. */
#include "sockets.h"

#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define USERS 3

static int open_descriptors (void)
{
    int count = 0;
    DIR *directory = opendir ("/proc/self/fd");
    CHECK (directory != NULL);
    while (readdir (directory) != NULL)
        count++;
    closedir (directory);
    return count;
}

/* A socket that holds a descriptor, by which it can be told whether it is gone. */
static void *socket_with_descriptor (void *context)
{
    void *socket = open_socket (context, ZMQ_PAIR);
    CHECK (get_int (socket, ZMQ_FD) >= 0);
    return socket;
}

static pthread_barrier_t start;

static void use_until_it_is_closed (struct worker *worker)
{
    pthread_barrier_wait (&start);
    do
        worker->answer = zmq_send (worker->socket, "x", 1, ZMQ_DONTWAIT);
    while (worker->answer == -1 && errno == EAGAIN);
    worker->error = errno;
}

static void close_it (struct worker *worker)
{
    pthread_barrier_wait (&start);
    worker->answer = zmq_close (worker->socket);
    worker->error = errno;
}

/* One round: whoever uses it is told, one of two has closed it, and nothing is left of it. */
static void use_and_close (void *context)
{
    struct worker workers[USERS + 1];
    void *socket = socket_with_descriptor (context);
    CHECK_OK (pthread_barrier_init (&start, NULL, USERS + 2));
    for (size_t at = 0; at < USERS; at++)
        start_worker (&workers[at], use_until_it_is_closed, socket);
    start_worker (&workers[USERS], close_it, socket);
    pthread_barrier_wait (&start);
    int closed = zmq_close (socket) == 0;
    for (size_t at = 0; at <= USERS; at++)
        join_worker (&workers[at]);
    for (size_t at = 0; at < USERS; at++) {
        CHECK_EQUAL (workers[at].answer, -1);
        CHECK_EQUAL (workers[at].error, ENOTSOCK);
    }
    CHECK_EQUAL (closed + (workers[USERS].answer == 0), 1);
    CHECK_OK (pthread_barrier_destroy (&start));
}

/* Descriptors of sockets that have ended may be closed a little later. */
static void use_and_close_often (int rounds)
{
    int before = open_descriptors ();
    void *context = open_context ();
    while (rounds-- > 0)
        use_and_close (context);
    CHECK_OK (zmq_ctx_term (context));
    AWAIT (open_descriptors () == before);
}

ONLY_OURS (a_socket_can_be_closed_while_others_use_it_and_is_gone_when_they_have_left, "a socket of libzmq belongs to one thread")
{
    use_and_close_often (200);
}

static void *within;

static void close_within (void *data, void *hint)
{
    CHECK_EQUAL (zmq_send (hint, data, 6, 0), 6);
    CHECK_OK (zmq_close (within));
    CHECK_ERRNO (zmq_send (within, "x", 1, 0), ENOTSOCK);
}

/* The message is freed while the call that fills it anew is in the socket. */
ONLY_OURS (a_socket_can_be_used_and_closed_within_a_call_in_it, "libzmq looks into memory that it has freed")
{
    static char data[] = "within";
    zmq_msg_t message;
    int before = open_descriptors ();
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://within"), other = couple (ZMQ_PAIR, ZMQ_PAIR, "inproc://other");
    within = pair.bound;
    CHECK (get_int (within, ZMQ_FD) >= 0);
    send_text (pair.connected, "x", 0);
    CHECK_OK (zmq_msg_init_data (&message, data, sizeof data - 1, close_within, other.bound));
    CHECK_EQUAL (zmq_msg_recv (&message, within, 0), 1);
    expect_text (other.connected, "within");
    CHECK_ERRNO (zmq_send (within, "x", 1, 0), ENOTSOCK);
    CHECK_OK (zmq_msg_close (&message));
    end_all (pair.context, pair.connected, NULL, NULL);
    part_couple (&other);
    AWAIT (open_descriptors () == before);
}

/* From now on, in this thread and those that it starts. */
static void refuse_barriers (void)
{
    struct sock_filter rules[] = {
        BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
        BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { COUNT (rules), rules };
    CHECK_OK (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    CHECK_OK (prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void with_barriers_refused_later (void)
{
    void *context = open_context ();
    struct worker receiver;
    void *socket = socket_with_descriptor (context);
    start_worker (&receiver, receive_once, socket);
    await_asleep (&receiver);
    refuse_barriers ();
    CHECK_OK (zmq_close (socket));
    join_worker (&receiver);
    CHECK_EQUAL (receiver.error, ENOTSOCK);
    use_and_close_often (20);
    CHECK_OK (zmq_ctx_term (context));
}

static void with_barriers_refused_at_first (void)
{
    refuse_barriers ();
    use_and_close_often (20);
}

/* The system may forbid the barriers by which one thread knows of the others, before or after the first socket. */
ONLY_OURS (sockets_are_closed_as_well_where_the_system_forbids_barriers, "libzmq needs none")
{
    if (in_valgrind ())
        return;
    apart (with_barriers_refused_at_first);
    apart (with_barriers_refused_later);
}
