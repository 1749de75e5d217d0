/* What the examples share: ending when something fails, and saying where a socket listens. */
#ifndef COMMON_H
#define COMMON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* Answers what a call answered, if that is not -1. */
static inline int must(int result)
{
    if (result == -1) {
        fprintf(stderr, "%s\n", zmq_strerror(zmq_errno()));
        exit(EXIT_FAILURE);
    }
    return result;
}

/* Opens a socket that listens at an endpoint, and prints the port that `tcp://127.0.0.1:*` became. */
static inline void *listening(void *context, int type, const char *endpoint)
{
    void *socket = zmq_socket(context, type);
    char resolved[256];
    size_t size = sizeof resolved;

    must(zmq_bind(socket, endpoint));
    must(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, resolved, &size));
    printf("at %s\n", resolved);
    fflush(stdout);
    return socket;
}

/* Opens a socket that connects to an endpoint, now or as soon as somebody listens there. */
static inline void *connected(void *context, int type, const char *endpoint)
{
    void *socket = zmq_socket(context, type);
    must(zmq_connect(socket, endpoint));
    return socket;
}

/* Receives one part as a text, cut to the room there is. */
static inline void receive(void *socket, char *text, int room)
{
    int size = must(zmq_recv(socket, text, room - 1, 0));
    text[size < room ? size : room - 1] = '\0';
}

/* Sends a text as one part. */
static inline void say(void *socket, const char *text, int flags)
{
    must(zmq_send(socket, text, strlen(text), flags));
}

#endif
