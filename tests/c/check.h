/* Cases with sentences as names. A program made of this header and some `TEST`s runs
 *
 *     program --list    prints the names of its cases, those that are not for this library with the reason why
 *     program NAME      runs one of them in this process
 *     program --here    runs all of them in this process, one after the other
 *     program           runs all of them, each in a child, so that a crash or a hang is the failure of one
 *
 * The environment says which library it is linked with (`ZMQ_LIBRARY=debian`; anything else is ours), and after how many
 * seconds a case hangs (`CHECK_LIMIT`, otherwise 30). Include it before everything else.
 */
#ifndef CHECK_H
#define CHECK_H

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#define UNUSED __attribute__ ((unused))
#define COUNT(array) (sizeof (array) / sizeof (array)[0])

struct check_case
{
    char name[128];
    void (*run) (void);
    /* A case that is one row of a table has its row, and this instead. */
    void (*run_row) (const void *row);
    const void *row;
    const char *only_ours;
    const char *only_debian;
};

static struct check_case check_cases[512];
static size_t check_count;

UNUSED static struct check_case *check_add (const char *name)
{
    struct check_case *added = &check_cases[check_count++];
    if (check_count > COUNT (check_cases) || strlen (name) >= sizeof added->name)
        abort ();
    memcpy (added->name, name, strlen (name) + 1);
    return added;
}

UNUSED static void check_add_row (const char *name, void (*run_row) (const void *), const void *row)
{
    struct check_case *added = check_add (name);
    added->run_row = run_row;
    added->row = row;
}

/* A case; its body follows. */
#define TEST(name) CHECK_CASE (name, NULL, NULL)

/* A case that does not hold, or cannot be tried, on one of the libraries; the reason says how that one behaves. */
#define ONLY_OURS(name, reason) CHECK_CASE (name, reason, NULL)
#define ONLY_DEBIAN(name, reason) CHECK_CASE (name, NULL, reason)

#define CHECK_CASE(name, ours, debian)                                        \
    static void name (void);                                                  \
    __attribute__ ((constructor)) static void check_add_##name (void)         \
    {                                                                         \
        struct check_case *added = check_add (#name);                         \
        added->run = name;                                                    \
        added->only_ours = ours;                                              \
        added->only_debian = debian;                                          \
    }                                                                         \
    static void name (void)

/* Ends the process: the case has failed. Threads of the case may call it. */
UNUSED static void check_fail (const char *file, int line, const char *text)
{
    int error = errno;
    fprintf (stderr, "%s:%d: %s (errno %d: %s)\n", file, line, text, error, zmq_strerror (error));
    fflush (NULL);
    _exit (1);
}

UNUSED static void check_equal (const char *file, int line, const char *text, long long is, long long expected)
{
    if (is == expected)
        return;
    int error = errno;
    fprintf (stderr, "%s:%d: %s is %lld, expected %lld\n", file, line, text, is, expected);
    errno = error;
    check_fail (file, line, text);
}

/* A failed call must say why: a call that leaves errno alone is told from one that sets it. */
UNUSED static void check_errno (const char *file, int line, const char *text, int failed, int expected)
{
    int error = errno;
    if (failed && error == expected)
        return;
    fprintf (stderr, "%s:%d: %s %s, expected errno %d: %s\n", file, line, text,
             failed ? "failed otherwise" : "succeeded", expected, zmq_strerror (expected));
    errno = error;
    check_fail (file, line, text);
}

#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition))                                                     \
            check_fail (__FILE__, __LINE__, #condition);                      \
    } while (0)

#define CHECK_EQUAL(is, expected) check_equal (__FILE__, __LINE__, #is, (long long) (is), (long long) (expected))

/* The call answers 0. */
#define CHECK_OK(call) CHECK_EQUAL (call, 0)

/* The call answers -1 with this errno. */
#define CHECK_ERRNO(call, expected)                                           \
    do {                                                                      \
        errno = 0;                                                            \
        long check_answer = (long) (call);                                    \
        check_errno (__FILE__, __LINE__, #call, check_answer == -1, expected); \
    } while (0)

/* The call answers NULL with this errno. */
#define CHECK_NULL(call, expected)                                            \
    do {                                                                      \
        errno = 0;                                                            \
        const void *check_answer = (call);                                    \
        check_errno (__FILE__, __LINE__, #call, check_answer == NULL, expected); \
    } while (0)

UNUSED static int on_debian (void)
{
    const char *library = getenv ("ZMQ_LIBRARY");
    return library != NULL && strcmp (library, "debian") == 0;
}

static void check_hangs (int signal_number)
{
    static const char text[] = "the case hangs\n";
    ssize_t written = write (2, text, sizeof text - 1);
    (void) written;
    (void) signal_number;
    _exit (1);
}

static void check_run (const struct check_case *one)
{
    const char *limit = getenv ("CHECK_LIMIT");
    signal (SIGALRM, check_hangs);
    alarm (limit != NULL ? (unsigned) atoi (limit) : 30);
    if (one->run != NULL)
        one->run ();
    else
        one->run_row (one->row);
    alarm (0);
}

/* Why a case is not for the library at hand. */
static const char *check_skipped (const struct check_case *one)
{
    return on_debian () ? one->only_ours : one->only_debian;
}

/* Runs a case in a child; whether it passed. */
static int check_run_apart (const struct check_case *one)
{
    fflush (NULL);
    pid_t child = fork ();
    if (child == 0) {
        check_run (one);
        exit (0);
    }
    int status = 0;
    while (waitpid (child, &status, 0) == -1 && errno == EINTR)
        continue;
    if (WIFSIGNALED (status))
        printf ("    ended by signal %d\n", WTERMSIG (status));
    return child > 0 && WIFEXITED (status) && WEXITSTATUS (status) == 0;
}

static int check_run_all (void)
{
    int failures = 0;
    for (size_t at = 0; at < check_count; at++) {
        const struct check_case *one = &check_cases[at];
        if (check_skipped (one)) {
            printf ("skipped %s: %s\n", one->name, check_skipped (one));
            continue;
        }
        int passed = check_run_apart (one);
        printf ("%s %s\n", passed ? "passed" : "FAILED", one->name);
        failures += !passed;
    }
    return failures != 0;
}

/* For tools that look at a process: the failure of one case is the end. */
static int check_run_here (void)
{
    for (size_t at = 0; at < check_count; at++)
        if (!check_skipped (&check_cases[at])) {
            fprintf (stderr, "%s\n", check_cases[at].name);
            check_run (&check_cases[at]);
        }
    return 0;
}

int main (int argc, char **argv)
{
    if (argc == 1)
        return check_run_all ();
    if (strcmp (argv[1], "--here") == 0)
        return check_run_here ();
    int list = strcmp (argv[1], "--list") == 0;
    for (size_t at = 0; at < check_count; at++) {
        const struct check_case *one = &check_cases[at];
        const char *skipped = check_skipped (one);
        if (list)
            printf ("%s%s%s\n", one->name, skipped ? "\t" : "", skipped ? skipped : "");
        else if (strcmp (argv[1], one->name) == 0) {
            if (skipped == NULL)
                check_run (one);
            return 0;
        }
    }
    if (!list)
        fprintf (stderr, "no case %s\n", argv[1]);
    return !list;
}

#endif
