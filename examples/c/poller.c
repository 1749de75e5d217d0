/* One thread waits for several sockets: readings come in at one, questions at the other.

       poller server 'tcp://127.0.0.1:*' 'tcp://127.0.0.1:*'      prints where it listens
       poller client tcp://127.0.0.1:PORT tcp://127.0.0.1:PORT */

#include "common.h"

enum { READINGS = 100 };

static void serve(void *context, const char *for_readings, const char *for_questions)
{
    void *readings = listening(context, ZMQ_PULL, for_readings);
    void *questions = listening(context, ZMQ_REP, for_questions);
    zmq_pollitem_t items[] = {{readings, 0, ZMQ_POLLIN, 0}, {questions, 0, ZMQ_POLLIN, 0}};
    char text[64];
    int count = 0, told = 0;

    while (told < READINGS) {
        must(zmq_poll(items, 2, -1));
        if (items[0].revents & ZMQ_POLLIN) {
            receive(readings, text, sizeof text);
            count++;
        }
        if (items[1].revents & ZMQ_POLLIN) {
            receive(questions, text, sizeof text);
            snprintf(text, sizeof text, "%d", told = count);
            say(questions, text, 0);
        }
    }
    zmq_close(readings);
    zmq_close(questions);
}

static void measure(void *context, const char *for_readings, const char *for_questions)
{
    void *readings = connected(context, ZMQ_PUSH, for_readings);
    void *questions = connected(context, ZMQ_REQ, for_questions);
    char text[64] = "";

    for (int k = 0; k < READINGS; k++)
        say(readings, "21.5", 0);
    while (atoi(text) < READINGS) {
        say(questions, "how many?", 0);
        receive(questions, text, sizeof text);
    }
    printf("%s readings have arrived\n", text);
    zmq_close(readings);
    zmq_close(questions);
}

int main(int argc, char **argv)
{
    void *context = zmq_ctx_new();

    if (argc == 4 && strcmp(argv[1], "server") == 0)
        serve(context, argv[2], argv[3]);
    else if (argc == 4 && strcmp(argv[1], "client") == 0)
        measure(context, argv[2], argv[3]);
    else
        fputs("poller server|client ENDPOINT ENDPOINT\n", stderr);
    return zmq_ctx_term(context);
}
