/* Requests and replies: REQ asks, REP answers.

       request_reply server 'tcp://127.0.0.1:*'      prints where it listens
       request_reply client tcp://127.0.0.1:PORT */

#include "common.h"

static void serve(void *context, const char *endpoint)
{
    void *socket = listening(context, ZMQ_REP, endpoint);
    char name[64], reply[96];

    do {
        receive(socket, name, sizeof name);
        snprintf(reply, sizeof reply, "Hello, %s!", name);
        say(socket, reply, 0);
    } while (strcmp(name, "everybody") != 0);
    zmq_close(socket);
}

static void ask(void *context, const char *endpoint)
{
    static const char *const names[] = {"Ada", "Grace", "everybody"};
    void *socket = connected(context, ZMQ_REQ, endpoint);
    char reply[96];

    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        say(socket, names[k], 0);
        receive(socket, reply, sizeof reply);
        puts(reply);
    }
    zmq_close(socket);
}

int main(int argc, char **argv)
{
    void *context = zmq_ctx_new();

    if (argc == 3 && strcmp(argv[1], "server") == 0)
        serve(context, argv[2]);
    else if (argc == 3 && strcmp(argv[1], "client") == 0)
        ask(context, argv[2]);
    else
        fputs("request_reply server|client ENDPOINT\n", stderr);
    return zmq_ctx_term(context);
}
