/* Blocking TCP and Unix domain sockets for the raw contenders. */
#ifndef TIGHTBEAM_RAW_SOCKET_H
#define TIGHTBEAM_RAW_SOCKET_H

#include "bench.h"

#include <sys/uio.h>
#include <sys/un.h>

union address {
    struct sockaddr any;
    struct sockaddr_in tcp;
    struct sockaddr_un ipc;
};

/* tcp://A.B.C.D:PORT or ipc://PATH. */
static inline union address parse_endpoint(const char *endpoint)
{
    union address address = {0};
    char host[64];
    int port;
    if (!strncmp(endpoint, "ipc://", 6) && strlen(endpoint + 6) < sizeof address.ipc.sun_path) {
        address.ipc.sun_family = AF_UNIX;
        strcpy(address.ipc.sun_path, endpoint + 6);
    } else if (sscanf(endpoint, "tcp://%63[0-9.]:%d", host, &port) == 2) {
        address.tcp.sin_family = AF_INET;
        address.tcp.sin_port = htons((uint16_t)port);
        inet_pton(AF_INET, host, &address.tcp.sin_addr);
    } else {
        fprintf(stderr, "%s is not tcp://A.B.C.D:PORT or ipc://PATH\n", endpoint);
        exit(2);
    }
    return address;
}

/* A connection: accepted by the server, made by the client. */
static inline int open_connection(const struct job *job)
{
    int one = 1;
    union address address = parse_endpoint(job->endpoint);
    int tcp = address.any.sa_family == AF_INET;
    socklen_t size = tcp ? sizeof address.tcp : sizeof address.ipc;
    int fd = socket(address.any.sa_family, SOCK_STREAM, 0);
    if (fd < 0)
        die("socket");
    if (job->server) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, &address.any, size) || listen(fd, 1))
            die("bind");
        ready();
        int listener = fd;
        fd = accept(listener, NULL, NULL);
        close(listener);
        if (!tcp)
            unlink(address.ipc.sun_path);
        if (fd < 0)
            die("accept");
    } else if (connect(fd, &address.any, size)) {
        die("connect");
    }
    if (tcp)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static inline void read_all(int fd, void *buffer, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, (char *)buffer + done, size - done);
        if (n <= 0)
            die("read");
        done += (size_t)n;
    }
}

static inline void write_all(int fd, const void *buffer, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, (const char *)buffer + done, size - done);
        if (n <= 0)
            die("write");
        done += (size_t)n;
    }
}

#endif
