/* The transport ipc. */
#include "sockets.h"

#include <sys/stat.h>

static void make_endpoint (const char *directory, char endpoint[128])
{
    snprintf (endpoint, 128, "ipc://%s/socket", directory);
}

static int exists (const char *endpoint)
{
    struct stat about;
    return stat (endpoint + 6, &about) == 0;
}

/* Removes what may be left of a path: libzmq leaves it where it is. */
static void clean_up (const char *directory, const char *endpoint)
{
    CHECK (unlink (endpoint + 6) == 0 || errno == ENOENT);
    CHECK_OK (rmdir (directory));
}

TEST (a_path_is_made_by_bind)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    char directory[64], endpoint[128];
    struct stat about;
    make_directory (directory);
    make_endpoint (directory, endpoint);
    CHECK_OK (zmq_bind (pull, endpoint));
    CHECK_OK (stat (endpoint + 6, &about));
    CHECK (S_ISSOCK (about.st_mode));
    end_all (context, pull, NULL, NULL);
    clean_up (directory, endpoint);
}

TEST (a_path_can_be_bound_again_once_it_was_unbound)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    char directory[64], endpoint[128];
    make_directory (directory);
    make_endpoint (directory, endpoint);
    for (int round = 0; round < 3; round++) {
        CHECK_OK (zmq_bind (pull, endpoint));
        CHECK_OK (zmq_unbind (pull, endpoint));
    }
    CHECK_OK (zmq_bind (pull, endpoint));
    CHECK_OK (zmq_connect (push, endpoint));
    send_text (push, "after all", 0);
    expect_text (pull, "after all");
    end_all (context, pull, push, NULL);
    clean_up (directory, endpoint);
}

TEST (messages_go_both_ways)
{
    struct couple pair = couple (ZMQ_PAIR, ZMQ_PAIR, "ipc://*");
    send_text (pair.connected, "there", 0);
    send_text (pair.bound, "back", 0);
    expect_text (pair.bound, "there");
    expect_text (pair.connected, "back");
    part_couple (&pair);
}

TEST (a_star_makes_a_path_of_its_own)
{
    void *context = open_context ();
    void *one = open_socket (context, ZMQ_PULL);
    void *two = open_socket (context, ZMQ_PULL);
    char first[256], second[256];
    bind_to (one, "ipc://*", first);
    bind_to (two, "ipc://*", second);
    CHECK (strncmp (first, "ipc://", 6) == 0);
    CHECK (strcmp (first, second) != 0);
    CHECK (exists (first));
    CHECK_OK (zmq_unbind (one, first));
    AWAIT (!exists (first));
    end_all (context, one, two, NULL);
    CHECK (!exists (second));
}

TEST (a_later_bind_overrides_the_one_before)
{
    void *context = open_context ();
    void *one = open_socket (context, ZMQ_PULL);
    void *two = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    char directory[64], endpoint[128];
    make_directory (directory);
    make_endpoint (directory, endpoint);
    CHECK_OK (zmq_bind (one, endpoint));
    CHECK_OK (zmq_bind (two, endpoint));
    CHECK_OK (zmq_connect (push, endpoint));
    send_text (push, "to the later", 0);
    expect_text (two, "to the later");
    end_all (context, one, two, push);
    clean_up (directory, endpoint);
}

TEST (a_path_left_behind_is_bound_over)
{
    char directory[64], endpoint[128];
    make_directory (directory);
    make_endpoint (directory, endpoint);
    pid_t child = fork ();
    if (child == 0) {
        void *context = open_context ();
        void *pull = open_socket (context, ZMQ_PULL);
        _exit (zmq_bind (pull, endpoint) != 0);
    }
    int status = -1;
    CHECK_EQUAL (waitpid (child, &status, 0), child);
    CHECK_EQUAL (status, 0);
    CHECK (exists (endpoint));
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    CHECK_OK (zmq_bind (pull, endpoint));
    end_all (context, pull, NULL, NULL);
    clean_up (directory, endpoint);
}

TEST (the_abstract_namespace_leaves_no_path)
{
    char wanted[64];
    snprintf (wanted, sizeof wanted, "ipc://@tightbeam-abstract-%d", (int) getpid ());
    struct couple pair = couple (ZMQ_PULL, ZMQ_PUSH, wanted);
    void *other = open_socket (pair.context, ZMQ_PULL);
    CHECK (strcmp (pair.endpoint, wanted) == 0);
    CHECK (!exists (wanted));
    send_text (pair.connected, "abstract", 0);
    expect_text (pair.bound, "abstract");
    CHECK_ERRNO (zmq_bind (other, wanted), EADDRINUSE);
    CHECK_OK (zmq_close (other));
    part_couple (&pair);
}

TEST (a_path_of_107_characters_fits_and_a_longer_one_is_ENAMETOOLONG)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    char directory[64], endpoint[256];
    make_directory (directory);
    snprintf (endpoint, sizeof endpoint, "ipc://%s/", directory);
    size_t used = strlen (endpoint);
    memset (endpoint + used, 'n', 120);
    endpoint[6 + 107] = 0;
    CHECK_OK (zmq_bind (pull, endpoint));
    CHECK_OK (zmq_close (pull));
    CHECK (unlink (endpoint + 6) == 0 || errno == ENOENT);
    pull = open_socket (context, ZMQ_PULL);
    endpoint[6 + 107] = 'n';
    endpoint[6 + 108] = 0;
    CHECK_ERRNO (zmq_bind (pull, endpoint), ENAMETOOLONG);
    CHECK_ERRNO (zmq_connect (pull, endpoint), ENAMETOOLONG);
    end_all (context, pull, NULL, NULL);
    CHECK_OK (rmdir (directory));
}

TEST (a_directory_that_is_not_there_fails_the_bind)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    CHECK_ERRNO (zmq_bind (pull, "ipc:///tmp/tightbeam-no-such-directory/socket"), ENOENT);
    end_all (context, pull, NULL, NULL);
}

TEST (a_connect_waits_for_the_path)
{
    void *context = open_context ();
    void *pull = open_socket (context, ZMQ_PULL);
    void *push = open_socket (context, ZMQ_PUSH);
    char directory[64], endpoint[128];
    make_directory (directory);
    make_endpoint (directory, endpoint);
    set_int (push, ZMQ_RECONNECT_IVL, 5);
    CHECK_OK (zmq_connect (push, endpoint));
    send_text (push, "early", 0);
    CHECK_OK (zmq_bind (pull, endpoint));
    expect_text (pull, "early");
    end_all (context, pull, push, NULL);
    clean_up (directory, endpoint);
}

static int try_to_reach (void *pull, const char *endpoint)
{
    void *context = open_context ();
    void *push = open_socket (context, ZMQ_PUSH);
    CHECK_OK (zmq_connect (push, endpoint));
    send_text (push, "may I", 0);
    int heard = poll_for (pull, ZMQ_POLLIN, 100);
    if (heard)
        expect_text (pull, "may I");
    end_all (context, push, NULL, NULL);
    return heard;
}

TEST (filters_let_in_whom_they_name)
{
    static const int filters[] = { ZMQ_IPC_FILTER_PID, ZMQ_IPC_FILTER_UID, ZMQ_IPC_FILTER_GID };
    const int own[] = { (int) getpid (), (int) getuid (), (int) getgid () };
    for (size_t at = 0; at < COUNT (filters); at++) {
        void *context = open_context ();
        void *pull = open_socket (context, ZMQ_PULL);
        char endpoint[256];
        set_int (pull, filters[at], own[at]);
        bind_to (pull, "ipc://*", endpoint);
        AWAIT (try_to_reach (pull, endpoint));
        end_all (context, pull, NULL, NULL);
    }
}

TEST (filters_keep_out_whom_they_do_not_name)
{
    static const int filters[] = { ZMQ_IPC_FILTER_PID, ZMQ_IPC_FILTER_UID, ZMQ_IPC_FILTER_GID };
    for (size_t at = 0; at < COUNT (filters); at++) {
        void *context = open_context ();
        void *pull = open_socket (context, ZMQ_PULL);
        char endpoint[256];
        set_int (pull, filters[at], 54321);
        bind_to (pull, "ipc://*", endpoint);
        CHECK (!try_to_reach (pull, endpoint));
        end_all (context, pull, NULL, NULL);
    }
}
