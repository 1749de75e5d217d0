/*
 * The limit of streaming: frames of a 4 byte length and a body over tcp. Small ones are copied into 64 KB and written when
 * that is full; the receiver reads up to 64 KB, parses, and copies each body out, as zmq_recv does. Paced messages are
 * written one by one.
 */
#include "raw_socket.h"

enum { BUFFER = 64 * 1024, PREFIX = 4 };

static int fd;

/* ---- sender ---- */

static char out[BUFFER];
static size_t out_used;

static void flush(void)
{
    write_all(fd, out, out_used);
    out_used = 0;
}

static void send_frame(const char *body, size_t size)
{
    uint32_t prefix = (uint32_t)size;
    if (PREFIX + size > BUFFER - out_used)
        flush();
    if (PREFIX + size <= BUFFER) {
        memcpy(out + out_used, &prefix, PREFIX);
        memcpy(out + out_used + PREFIX, body, size);
        out_used += PREFIX + size;
        return;
    }
    struct iovec both[2] = {{&prefix, PREFIX}, {(void *)body, size}};
    ssize_t n = writev(fd, both, 2);
    if (n < PREFIX)
        die("writev");
    write_all(fd, body + (n - PREFIX), size - (size_t)(n - PREFIX));
}

static void stream(const struct job *job)
{
    char *body = allocate(job->size);
    struct used before = used_so_far();
    for (size_t i = 0; i < job->warm + job->count; i++)
        send_frame(body, job->size);
    flush();
    print_used(used_since(before));
}

static void stream_paced(const struct job *job)
{
    char *body = allocate(job->size);
    struct used before = used_so_far();
    struct pace pace = pace_start(job->rate);
    for (size_t i = 0; i < job->warm + job->count; i++) {
        uint64_t stamp_ns = pace_wait(&pace);
        memcpy(body, &stamp_ns, sizeof stamp_ns);
        send_frame(body, job->size);
        flush();
    }
    print_used(used_since(before));
}

/* ---- receiver ---- */

static char in[BUFFER];
static size_t in_start, in_end;

static void fill(void)
{
    memmove(in, in + in_start, in_end - in_start);
    in_end -= in_start;
    in_start = 0;
    ssize_t n = read(fd, in + in_end, BUFFER - in_end);
    if (n <= 0)
        die("read");
    in_end += (size_t)n;
}

static void receive_frame(char *body, size_t room)
{
    uint32_t size;
    while (in_end - in_start < PREFIX)
        fill();
    memcpy(&size, in + in_start, PREFIX);
    in_start += PREFIX;
    if (size > room) {
        errno = EMSGSIZE;
        die("frame");
    }
    if (PREFIX + (size_t)size <= BUFFER)
        while (in_end - in_start < size)
            fill();
    size_t here = in_end - in_start < size ? in_end - in_start : size;
    memcpy(body, in + in_start, here);
    in_start += here;
    read_all(fd, body + here, size - here);
}

static void receive(const struct job *job)
{
    char *body = allocate(job->size);
    uint64_t *latencies_ns = allocate(job->count * sizeof *latencies_ns);
    size_t total = job->warm + job->count;
    uint64_t first_ns = 0;
    struct used before = {0};
    for (size_t i = 0; i < total; i++) {
        receive_frame(body, job->size);
        if (i == job->warm) {
            first_ns = now_ns();
            before = used_so_far();
        }
        if (job->work == PACED && i >= job->warm) {
            uint64_t stamp_ns;
            memcpy(&stamp_ns, body, sizeof stamp_ns);
            latencies_ns[i - job->warm] = now_ns() - stamp_ns;
        }
    }
    uint64_t elapsed_ns = now_ns() - first_ns;
    struct used used = used_since(before);
    if (job->work == PACED)
        leave(job, latencies_ns, job->count);
    print_time(elapsed_ns, used);
}

int main(int argc, char **argv)
{
    struct job job = parse_job(argc, argv);
    if (job.work != STREAM && job.work != PACED) {
        fprintf(stderr, "raw_stream knows stream and paced; raw_pingpong knows round-trip\n");
        return 2;
    }
    fd = open_connection(&job);
    if (job.server)
        receive(&job);
    else if (job.work == PACED)
        stream_paced(&job);
    else
        stream(&job);
    return 0;
}
