/* What libzmq does not have. Prints the line of the first thing that is not so, or nothing. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <tightbeam.h>

#define MUST(what) \
    do { \
        if (!(what)) { \
            printf("line %d: %s\n", __LINE__, #what); \
            return 1; \
        } \
    } while (0)

/* What a program that is older than a member knows of the statistics. */
struct old_stats {
    size_t struct_size;
    uint64_t messages_sent;
};

/* And one that is newer. */
struct new_stats {
    tightbeam_socket_stats_t stats;
    uint64_t more;
};

static int is_readable(int fd)
{
    struct pollfd item = {0, POLLIN, 0};
    item.fd = fd;
    return poll(&item, 1, 0);
}

int main(void)
{
    void *context = zmq_ctx_new();
    void *push = zmq_socket(context, ZMQ_PUSH);
    void *pull = zmq_socket(context, ZMQ_PULL);
    tightbeam_socket_stats_t stats;
    tightbeam_peer_stats_t peers[2];
    struct old_stats old[2] = {{sizeof(struct old_stats), 0}, {7, 7}};
    struct new_stats new_stats;
    char endpoint[64], buffer[8];
    size_t size = sizeof endpoint, count = 2;
    int fd = -1, frames = 3;

    zmq_bind(pull, "tcp://127.0.0.1:*");
    zmq_getsockopt(pull, ZMQ_LAST_ENDPOINT, endpoint, &size);
    zmq_connect(push, endpoint);
    MUST(tightbeam_readable_fd(pull, &fd) == 0 && fd >= 0);
    MUST(!is_readable(fd));
    MUST(zmq_send(push, "hello", 5, 0) == 5);
    while (!is_readable(fd))
        poll(NULL, 0, 1);
    MUST(is_readable(fd));
    MUST(zmq_recv(pull, buffer, sizeof buffer, 0) == 5);
    MUST(!is_readable(fd));

    stats.struct_size = sizeof stats;
    MUST(tightbeam_socket_stats(push, &stats) == 0);
    MUST(stats.struct_size == sizeof stats);
    MUST(stats.messages_sent == 1 && stats.bytes_sent == 5 && stats.messages_received == 0);
    MUST(stats.connections == 1 && stats.established == 1 && stats.peers == 1);
    MUST(tightbeam_socket_stats(push, (void *) old) == 0);
    MUST(old[0].messages_sent == 1 && old[1].struct_size == 7 && old[1].messages_sent == 7);
    new_stats.stats.struct_size = sizeof new_stats;
    new_stats.more = 7;
    MUST(tightbeam_socket_stats(push, &new_stats.stats) == 0);
    MUST(new_stats.more == 0 && new_stats.stats.messages_sent == 1);
    stats.struct_size = 3;
    MUST(tightbeam_socket_stats(push, &stats) == -1 && errno == EINVAL);
    MUST(tightbeam_socket_stats(push, NULL) == -1 && errno == EFAULT);
    MUST(tightbeam_socket_stats(context, &stats) == -1 && errno == ENOTSOCK);

    peers[0].struct_size = sizeof peers[0];
    MUST(tightbeam_peer_stats(pull, peers, &count) == 0 && count == 1);
    MUST(strcmp(peers[0].address, "127.0.0.1") == 0);
    MUST(strcmp(peers[0].endpoint, endpoint) == 0);
    MUST(peers[0].messages_received == 1 && peers[0].connected == 1);
    MUST(peers[0].last_heard_ms >= 0 && peers[0].round_trip_us == -1);
    count = 0;
    MUST(tightbeam_peer_stats(pull, NULL, &count) == 0 && count == 1);
    MUST(tightbeam_peer_stats(pull, peers, NULL) == -1 && errno == EFAULT);

    MUST(zmq_setsockopt(push, TIGHTBEAM_MAX_FRAMES, &frames, sizeof frames) == 0);
    frames = 0;
    size = sizeof frames;
    MUST(zmq_getsockopt(push, TIGHTBEAM_MAX_FRAMES, &frames, &size) == 0 && frames == 3);

    MUST(tightbeam_ctx_term_timeout(push, 0) == -1 && errno == EFAULT);
    MUST(tightbeam_ctx_term_timeout(context, -2) == -1 && errno == EINVAL);
    MUST(tightbeam_ctx_term_timeout(context, 1) == -1 && errno == EAGAIN);
    MUST(zmq_send(push, "hello", 5, 0) == -1 && errno == ETERM);
    zmq_close(push);
    zmq_close(pull);
    MUST(tightbeam_ctx_term_timeout(context, 10000) == 0);
    MUST(tightbeam_ctx_term_timeout(context, 0) == -1 && errno == EFAULT);
    return 0;
}
