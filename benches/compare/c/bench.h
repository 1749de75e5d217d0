/* What the programs in C share: the words they are told, clocks, pacing, control connection, results. ../README.md has the rules. */
#ifndef TIGHTBEAM_BENCH_H
#define TIGHTBEAM_BENCH_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum work { ROUND_TRIP, STREAM, PACED, ROUTER, PUBLISH, MATCH, IDLE, WORKS };

struct job {
    enum work work;
    bool server;
    bool both;                    /* one process, whose threads are the server and the client */
    int server_core, client_core; /* of both; -1 is any */
    const char *endpoint, *control, *stamps;
    size_t count, warm, size, parts, peers, topics, rest_ms;
    double rate; /* of PACED */
    bool apart, curve, pair, polled;
};

static inline void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static inline void *allocate(size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);
    if (!memory)
        die("calloc");
    return memory;
}

/* ---- the words: key=value ---- */

static inline const char *word(int argc, char **argv, const char *key)
{
    size_t len = strlen(key);
    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], key, len) && argv[i][len] == '=')
            return argv[i] + len + 1;
    return "";
}

static inline size_t number(int argc, char **argv, const char *key, size_t otherwise)
{
    const char *digits = word(argc, argv, key);
    return *digits ? strtoull(digits, NULL, 10) : otherwise;
}

static inline struct job parse_job(int argc, char **argv)
{
    static const char *const works[] = {"round-trip", "stream", "paced", "router", "publish", "match", "idle"};
    const char *role = word(argc, argv, "role"), *name = word(argc, argv, "work");
    struct job job = {
        .server = !strcmp(role, "server"),
        .both = !strcmp(role, "both"),
        .server_core = -1,
        .client_core = -1,
        .endpoint = word(argc, argv, "endpoint"),
        .control = word(argc, argv, "control"),
        .stamps = word(argc, argv, "stamps"),
        .count = number(argc, argv, "count", 1),
        .warm = number(argc, argv, "warm", 0),
        .size = number(argc, argv, "size", 64),
        .parts = number(argc, argv, "parts", 1),
        .peers = number(argc, argv, "peers", 1),
        .topics = number(argc, argv, "topics", 1),
        .rest_ms = number(argc, argv, "rest_ms", 1000),
        .rate = (double)number(argc, argv, "rate", 1),
        .apart = number(argc, argv, "apart", 0),
        .curve = number(argc, argv, "curve", 0),
        .pair = number(argc, argv, "pair", 0),
        .polled = number(argc, argv, "polled", 0),
    };
    while (job.work < WORKS && strcmp(name, works[job.work]))
        job.work++;
    bool shared = job.work == STREAM || job.work == ROUTER; /* the peers do equal parts of it */
    if (job.work == WORKS || !job.count || !job.peers || (shared && (job.count % job.peers || job.warm % job.peers))) {
        fprintf(stderr, "usage: PROGRAM work=... role=server|client|both endpoint=... [key=value]...\n");
        exit(2);
    }
    sscanf(word(argc, argv, "cores"), "%d,%d", &job.server_core, &job.client_core);
    return job;
}

static inline void ready(void)
{
    puts("READY");
    fflush(stdout);
}

/* Keeps the thread on its core, where one is given. */
static inline void pin(const struct job *job)
{
    int core = job->server ? job->server_core : job->client_core;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)(core < 0 ? 0 : core), &set);
    if (core >= 0 && sched_setaffinity(0, sizeof set, &set))
        die("sched_setaffinity");
}

/* ---- clocks and counters ---- */

static inline uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void sleep_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* Of all threads of this process: user and system time, context switches. */
struct used {
    double cpu_s;
    long switches;
};

static inline struct used used_so_far(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (struct used){(double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                             (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6,
                         use.ru_nvcsw + use.ru_nivcsw};
}

static inline struct used used_since(struct used before)
{
    struct used now = used_so_far();
    return (struct used){now.cpu_s - before.cpu_s, now.switches - before.switches};
}

/* ---- results: one JSON object in one line ---- */

static inline void print_used(struct used used)
{
    printf("{\"cpu_s\": %.6f, \"switches\": %ld}\n", used.cpu_s, used.switches);
}

static inline void print_time(uint64_t elapsed_ns, struct used used)
{
    printf("{\"seconds\": %.6f, \"cpu_s\": %.6f, \"switches\": %ld}\n", (double)elapsed_ns / 1e9, used.cpu_s, used.switches);
}

/* Leaves latencies for the harness. */
static inline void leave(const struct job *job, const uint64_t *stamps_ns, size_t count)
{
    FILE *file = fopen(job->stamps, "wb");
    if (!file || fwrite(stamps_ns, sizeof *stamps_ns, count, file) != count || fclose(file))
        die(job->stamps);
}

/* ---- the control connection: bytes with which one side tells the other that it has everything ---- */

static inline struct sockaddr_in control_address(const struct job *job)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    char host[64];
    int port;
    if (sscanf(job->control, "%63[0-9.]:%d", host, &port) != 2 || inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        fprintf(stderr, "control=%s is not A.B.C.D:PORT\n", job->control);
        exit(2);
    }
    address.sin_port = htons((uint16_t)port);
    return address;
}

static inline int control_listen(const struct job *job)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = control_address(job);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1))
        die("control");
    return fd;
}

static inline int no_delay(int fd)
{
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static inline int control_accept(int listener)
{
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        die("control");
    close(listener);
    return no_delay(fd);
}

/* Where both sides are threads, the server may not listen yet. */
static inline int control_connect(const struct job *job)
{
    struct sockaddr_in address = control_address(job);
    for (int tries = 0; tries < 5000; tries++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (!connect(fd, (struct sockaddr *)&address, sizeof address))
            return no_delay(fd);
        close(fd);
        sleep_ms(1);
    }
    die("control");
    return -1;
}

static inline void acknowledge(int control)
{
    if (write(control, "!", 1) != 1)
        die("control");
}

static inline void await_acknowledgement(int control)
{
    char byte;
    if (read(control, &byte, 1) != 1)
        die("control");
}

/* ---- pacing ---- */

struct pace {
    uint64_t next_ns, period_ns;
};

static inline struct pace pace_start(double rate)
{
    prctl(PR_SET_TIMERSLACK, 1ul);
    return (struct pace){now_ns(), (uint64_t)(1e9 / rate)};
}

/* Waits until the next message is due and returns the time from which its latency counts. */
static inline uint64_t pace_wait(struct pace *pace)
{
    const uint64_t sleep_above_ns = 60000, wake_early_ns = 30000;
    uint64_t due = pace->next_ns, now = now_ns();
    if (now >= due) {
        /* The last send took too long: what it delays counts as latency. */
        pace->next_ns += pace->period_ns;
        return due;
    }
    if (due - now > sleep_above_ns) {
        uint64_t wake = due - wake_early_ns;
        struct timespec t = {(time_t)(wake / 1000000000u), (long)(wake % 1000000000u)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        now = now_ns();
    }
    while (now < due) {
        sched_yield(); /* or the library's own thread would not get the core that this one spins on */
        now = now_ns();
    }
    /* Where the sleep was too long, the schedule moves: that is nobody's latency. */
    pace->next_ns = now + pace->period_ns;
    return now;
}

#endif
