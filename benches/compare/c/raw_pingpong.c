/* The limit of a round trip: blocking write and read over tcp or a Unix domain socket, no library, no framing. */
#include "raw_socket.h"

int main(int argc, char **argv)
{
    struct job job = parse_job(argc, argv);
    if (job.work != ROUND_TRIP) {
        fprintf(stderr, "raw_pingpong knows round-trip; raw_stream knows stream and paced\n");
        return 2;
    }
    int fd = open_connection(&job);
    char *buffer = allocate(job.size);
    uint64_t *stamps_ns = allocate(job.count * sizeof *stamps_ns);
    struct used before = {0};
    uint64_t started_ns = 0;
    for (size_t i = 0; i < job.warm + job.count; i++) {
        if (i == job.warm) {
            before = used_so_far();
            started_ns = now_ns();
        }
        if (job.server) {
            read_all(fd, buffer, job.size);
            write_all(fd, buffer, job.size);
            continue;
        }
        uint64_t before_ns = now_ns();
        write_all(fd, buffer, job.size);
        read_all(fd, buffer, job.size);
        if (i >= job.warm)
            stamps_ns[i - job.warm] = now_ns() - before_ns;
    }
    uint64_t elapsed_ns = now_ns() - started_ns;
    struct used used = used_since(before);
    if (job.server) {
        print_used(used);
    } else {
        leave(&job, stamps_ns, job.count);
        print_time(elapsed_ns, used);
    }
    return 0;
}
