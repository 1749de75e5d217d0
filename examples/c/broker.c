/* A broker between clients and workers who do not know of each other: ROUTER in front, DEALER behind.

       broker broker 'tcp://127.0.0.1:*' 'tcp://127.0.0.1:*' 'tcp://127.0.0.1:*'   prints where it listens: front, back, control
       broker worker tcp://127.0.0.1:BACK
       broker client tcp://127.0.0.1:FRONT
       broker stop   tcp://127.0.0.1:CONTROL */

#include "common.h"

static void pass_on(void *context, char **endpoints)
{
    void *front = listening(context, ZMQ_ROUTER, endpoints[0]);
    void *back = listening(context, ZMQ_DEALER, endpoints[1]);
    void *control = listening(context, ZMQ_PULL, endpoints[2]);

    /* Runs until it is told to end. */
    must(zmq_proxy_steerable(front, back, NULL, control));
    zmq_close(front);
    zmq_close(back);
    zmq_close(control);
}

static void work(void *context, const char *endpoint)
{
    void *socket = connected(context, ZMQ_REP, endpoint);
    char text[64];

    do {
        receive(socket, text, sizeof text);
        say(socket, text, 0);
    } while (strcmp(text, "the end") != 0);
    zmq_close(socket);
}

static void ask(void *context, const char *endpoint)
{
    static const char *const texts[] = {"once", "twice", "the end"};
    void *socket = connected(context, ZMQ_REQ, endpoint);
    char reply[64];

    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
        say(socket, texts[k], 0);
        receive(socket, reply, sizeof reply);
        printf("%s, %s\n", texts[k], reply);
    }
    zmq_close(socket);
}

static void stop(void *context, const char *endpoint)
{
    void *socket = connected(context, ZMQ_PUSH, endpoint);
    say(socket, "TERMINATE", 0);
    zmq_close(socket);
}

int main(int argc, char **argv)
{
    void *context = zmq_ctx_new();

    if (argc == 5 && strcmp(argv[1], "broker") == 0)
        pass_on(context, argv + 2);
    else if (argc == 3 && strcmp(argv[1], "worker") == 0)
        work(context, argv[2]);
    else if (argc == 3 && strcmp(argv[1], "client") == 0)
        ask(context, argv[2]);
    else if (argc == 3 && strcmp(argv[1], "stop") == 0)
        stop(context, argv[2]);
    else
        fputs("broker broker|worker|client|stop ENDPOINT...\n", stderr);
    return zmq_ctx_term(context);
}
