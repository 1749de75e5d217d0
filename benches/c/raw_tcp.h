/* Blocking TCP for the raw contenders. */
#ifndef TIGHTBEAM_RAW_TCP_H
#define TIGHTBEAM_RAW_TCP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"

/* A connection: accepted by the server, made by the client. */
static inline int open_connection(const struct job *job)
{
    char host[64];
    int port, one = 1;
    if (sscanf(job->endpoint, "tcp://%63[0-9.]:%d", host, &port) != 2) {
        fprintf(stderr, "%s is not tcp://A.B.C.D:PORT\n", job->endpoint);
        exit(2);
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, host, &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        die("socket");
    if (job->server) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1))
            die("bind");
        ready();
        int listener = fd;
        fd = accept(listener, NULL, NULL);
        close(listener);
        if (fd < 0)
            die("accept");
    } else if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        die("connect");
    }
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
