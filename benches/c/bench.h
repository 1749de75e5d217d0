/* What the C contenders share: the command line, clocks, percentiles, pacing, results. ../README.md has the rules. */
#ifndef TIGHTBEAM_BENCH_H
#define TIGHTBEAM_BENCH_H

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

enum mode { LAT, THR, PACED, MATCH, CURVE };

enum { TOPIC_LEN = 16 };

struct job {
    enum mode mode;
    bool server;
    bool both; /* one process, whose threads are the server and the client */
    int server_core, client_core; /* of both; -1 is any */
    const char *endpoint;
    size_t count, size, warm_up;
    double rate;  /* of PACED */
    size_t sends; /* of MATCH, where count is the number of topics */
};

static inline uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* User and system time of all threads of this process; of this thread alone if it shares the process with the other side. */
static inline double cpu_s(const struct job *job)
{
    struct rusage use;
    getrusage(job->both ? RUSAGE_THREAD : RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

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

static inline struct job parse_job(int argc, char **argv)
{
    static const char *const modes[] = {"lat", "thr", "paced", "match", "curve"};
    struct job job = {0};
    while (argc >= 6 && job.mode <= CURVE && strcmp(argv[1], modes[job.mode]))
        job.mode++;
    if (argc < 6 || job.mode > CURVE) {
        fprintf(stderr, "usage: PROGRAM lat|thr|paced|match|curve server|client ENDPOINT COUNT SIZE [RATE|SENDS]\n"
                        "       PROGRAM lat|thr both ENDPOINT COUNT SIZE [SERVER_CORE CLIENT_CORE]\n");
        exit(2);
    }
    job.server = !strcmp(argv[2], "server");
    job.both = !strcmp(argv[2], "both");
    job.server_core = argc > 7 ? atoi(argv[6]) : -1;
    job.client_core = argc > 7 ? atoi(argv[7]) : -1;
    job.endpoint = argv[3];
    job.count = strtoull(argv[4], NULL, 10);
    job.size = strtoull(argv[5], NULL, 10);
    job.rate = argc > 6 ? atof(argv[6]) : 0;
    job.sends = argc > 6 ? strtoull(argv[6], NULL, 10) : 0;
    job.warm_up = job.mode == THR || job.mode == CURVE ? 0 : (job.mode == MATCH ? job.sends : job.count) / 10;
    if (!job.count || (job.mode == PACED && (job.size < 8 || job.rate <= 0)) ||
        (job.mode == MATCH && (job.size < TOPIC_LEN || !job.sends))) {
        fprintf(stderr, "COUNT must not be 0; paced needs a SIZE of at least 8 and a RATE, "
                        "match a SIZE of at least 16 and SENDS\n");
        exit(2);
    }
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

/* ---- results: one JSON object in one line ---- */

static inline int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static inline void print_percentiles(uint64_t *ns, size_t n, double cpu)
{
    qsort(ns, n, sizeof *ns, ascending);
    printf("{\"p50_ns\": %llu, \"p99_ns\": %llu, \"p999_ns\": %llu, \"max_ns\": %llu, \"cpu_s\": %.6f}\n",
           (unsigned long long)ns[n * 50 / 100], (unsigned long long)ns[n * 99 / 100],
           (unsigned long long)ns[n * 999 / 1000], (unsigned long long)ns[n - 1], cpu);
}

/* From the first message to the last, at the receiver. */
static inline void print_rate(const struct job *job, uint64_t elapsed_ns, double cpu)
{
    double seconds = (double)elapsed_ns / 1e9;
    printf("{\"rate\": %.1f, \"seconds\": %.6f, \"cpu_s\": %.6f}\n",
           (double)(job->count - 1) / seconds, seconds, cpu);
}

static inline void print_cpu(double cpu)
{
    printf("{\"cpu_s\": %.6f}\n", cpu);
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
