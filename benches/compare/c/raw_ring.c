/*
 * The limit of streaming between two threads: a ring of bytes that both see, with one writer and one reader. Frames of a 4
 * byte length and a body are copied in and copied out. A side tells the other how far it is once for each STEP bytes, as
 * raw_stream gathers what it writes; who finds the ring full or empty looks for a while and then sleeps on a futex.
 */
#include "raw_threads.h"

#include <sys/mman.h>

enum { RING = 256 * 1024, STEP = 16 * 1024, LOOKS = 10000 };

/* How far a side is, in bytes since the beginning, as it has told the other; whether it sleeps. */
struct mark {
    _Alignas(128) _Atomic uint64_t at;
    _Atomic uint32_t sleeps;
};

/* What a side knows by itself. */
struct end {
    struct mark *own, *other;
    uint64_t ahead;     /* how far it may be ahead of the other */
    uint64_t at, limit; /* how far it is, and how far it may go before it has to look again */
    uint64_t told;      /* how far it was when it told the other */
};

static struct mark written, read_out;
static char *ring; /* mapped twice in a row, so that what crosses its end lies in one piece */

static void map_ring(void)
{
    int fd = memfd_create("ring", 0);
    ring = mmap(NULL, 2 * (size_t)RING, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fd < 0 || ftruncate(fd, RING) || ring == MAP_FAILED)
        die("memfd_create");
    for (int half = 0; half < 2; half++)
        if (mmap(ring + half * RING, RING, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
            die("mmap");
    close(fd);
}

/* Tells the other side, and wakes it. */
static void tell(struct end *end)
{
    end->told = end->at;
    atomic_store_explicit(&end->own->at, end->at, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&end->other->sleeps, memory_order_relaxed)) {
        atomic_store(&end->other->sleeps, 0);
        futex_wake(&end->other->sleeps);
    }
}

/* Where the other side lets this one go. */
static uint64_t look(const struct end *end)
{
    return atomic_load(&end->other->at) + end->ahead;
}

/* Waits until it may go further. */
static void await(struct end *end)
{
    tell(end);
    for (int looks = 0; (end->limit = look(end)) == end->at; looks++) {
        if (looks < LOOKS)
            continue;
        atomic_store(&end->own->sleeps, 1);
        if (look(end) == end->at)
            futex_wait(&end->own->sleeps, 1);
        atomic_store(&end->own->sleeps, 0);
    }
}

/* Where the next piece lies in the ring; leaves its size, which is at most what it was. */
static inline char *next_piece(struct end *end, size_t *size)
{
    if (end->at == end->limit)
        await(end);
    uint64_t there = end->limit - end->at;
    *size = *size > there ? there : *size;
    *size = *size > STEP ? STEP : *size;
    return ring + end->at % RING;
}

static inline void advance(struct end *end, size_t size)
{
    end->at += size;
    if (end->at - end->told >= STEP)
        tell(end);
}

static inline void put(struct end *end, const char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        size_t n = size - done;
        char *piece = next_piece(end, &n);
        memcpy(piece, bytes + done, n);
        advance(end, n);
        done += n;
    }
}

static inline void take(struct end *end, char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        size_t n = size - done;
        const char *piece = next_piece(end, &n);
        memcpy(bytes + done, piece, n);
        advance(end, n);
        done += n;
    }
}

static void *receive(void *argument)
{
    const struct job *job = argument;
    struct end end = {.own = &read_out, .other = &written};
    char *body = allocate(job->size);
    struct used before = {0};
    uint64_t first_ns = 0;
    pin(job);
    ready();
    for (size_t i = 0; i < job->warm + job->count; i++) {
        uint32_t size;
        take(&end, (char *)&size, sizeof size);
        if (size != job->size) {
            errno = EMSGSIZE;
            die("frame");
        }
        take(&end, body, size);
        if (i == job->warm) {
            before = used_so_far();
            first_ns = now_ns();
        }
    }
    print_time(now_ns() - first_ns, used_since(before)); /* of the process: the sender has nothing to add */
    return NULL;
}

static void stream(const struct job *job)
{
    struct end end = {.own = &written, .other = &read_out, .ahead = RING, .limit = RING};
    char *body = allocate(job->size);
    uint32_t size = (uint32_t)job->size;
    for (size_t i = 0; i < job->warm + job->count; i++) {
        put(&end, (const char *)&size, sizeof size);
        put(&end, body, size);
    }
    tell(&end);
}

int main(int argc, char **argv)
{
    struct job job = parse_job(argc, argv);
    if (!job.both || job.work != STREAM) {
        fprintf(stderr, "raw_ring knows stream of both\n");
        return 2;
    }
    map_ring();
    run_both(&job, receive, stream);
    print_used((struct used){0});
    return 0;
}
