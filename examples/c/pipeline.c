/* A pipeline: PUSH hands tasks out in turn, PULL takes them.

       pipeline source 'tcp://127.0.0.1:*'      prints where it listens
       pipeline worker tcp://127.0.0.1:PORT

   A message may be a struct of the program's own: both ends are of one machine here. */

#include "common.h"

enum { TASKS = 1000 };

struct task {
    int number; /* 0: there are no more */
};

static void hand_out(void *context, const char *endpoint)
{
    void *socket = listening(context, ZMQ_PUSH, endpoint);

    for (int number = TASKS; number >= 0; number--) {
        struct task task = {number};
        must(zmq_send(socket, &task, sizeof task, 0));
    }
    /* Closed sockets send what they hold before their context ends. */
    zmq_close(socket);
}

static void work(void *context, const char *endpoint)
{
    void *socket = connected(context, ZMQ_PULL, endpoint);
    struct task task;
    long sum = 0;

    do {
        must(zmq_recv(socket, &task, sizeof task, 0));
        sum += task.number;
    } while (task.number > 0);
    printf("the sum is %ld\n", sum);
    zmq_close(socket);
}

int main(int argc, char **argv)
{
    void *context = zmq_ctx_new();

    if (argc == 3 && strcmp(argv[1], "source") == 0)
        hand_out(context, argv[2]);
    else if (argc == 3 && strcmp(argv[1], "worker") == 0)
        work(context, argv[2]);
    else
        fputs("pipeline source|worker ENDPOINT\n", stderr);
    return zmq_ctx_term(context);
}
