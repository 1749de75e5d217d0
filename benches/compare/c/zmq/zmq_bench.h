/* What the pieces of work share, on whichever libzmq.so.5 this program finds: sockets by zmq_send and zmq_recv. */
#ifndef TIGHTBEAM_ZMQ_BENCH_H
#define TIGHTBEAM_ZMQ_BENCH_H

#include "../bench.h"

#include <zmq.h>

extern void *context;

void check(int rc, const char *what);

/* A socket that is bound or connected, as the job's side does; the server says that it is ready. */
void *open_socket(const struct job *job, int type);
/* The server's end of the control connection is opened before its socket is, as `control_listen` says. */
void *serve(const struct job *job, int type, int *control);

void send_message(void *socket, const char *body, size_t size, size_t parts);
/* Room for the longest part that is expected. */
void receive_message(void *socket, char *body, size_t size, size_t parts);
void close_socket(void *socket);

/* Runs the work of the job's peers in a thread each, or here if there is one. */
void side_by_side(const struct job *job, void (*work)(const struct job *, size_t peer, void *shared), void *shared);

enum { WINDOW = 2000 }; /* messages that subscribers acknowledge together */
#define PROBE "?probe?/" /* what begins messages that are sent until everybody has subscribed */
/* Sends those until the client says that it has one. */
void probe(const struct job *job, void *socket, int control);
void subscribe(void *socket, const char *topic, size_t len);

/* Each side of each piece of work. */
void round_trip_answer(const struct job *job);
void round_trip_ask(const struct job *job);
void stream_receive(const struct job *job);
void stream_send(const struct job *job);
void router_answer(const struct job *job);
void router_ask(const struct job *job);
void publish_send(const struct job *job);
void publish_receive(const struct job *job);
void match_publish(const struct job *job);
void match_subscribe(const struct job *job);
void idle_serve(const struct job *job);
void idle_connect(const struct job *job);

#endif
