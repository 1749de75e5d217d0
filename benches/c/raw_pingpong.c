/* The limit of a round trip: blocking write and read over tcp or a Unix domain socket, no library, no framing. */
#include "raw_socket.h"

int main(int argc, char **argv)
{
    struct job job = parse_job(argc, argv);
    if (job.mode != LAT) {
        fprintf(stderr, "raw_pingpong knows lat; raw_stream knows thr and paced\n");
        return 2;
    }
    int fd = open_connection(&job);
    char *buffer = allocate(job.size);
    uint64_t *stamps_ns = allocate(job.count * sizeof *stamps_ns);
    double cpu_before = 0;
    for (size_t i = 0; i < job.warm_up + job.count; i++) {
        if (i == job.warm_up)
            cpu_before = cpu_s(&job);
        if (job.server) {
            read_all(fd, buffer, job.size);
            write_all(fd, buffer, job.size);
            continue;
        }
        uint64_t before_ns = now_ns();
        write_all(fd, buffer, job.size);
        read_all(fd, buffer, job.size);
        if (i >= job.warm_up)
            stamps_ns[i - job.warm_up] = now_ns() - before_ns;
    }
    if (job.server)
        print_cpu(cpu_s(&job) - cpu_before);
    else
        print_percentiles(stamps_ns, job.count, cpu_s(&job) - cpu_before);
    return 0;
}
