/* Everybody hears what they subscribed to.

       publish_subscribe publisher 'tcp://127.0.0.1:*'      prints where it listens
       publish_subscribe subscriber tcp://127.0.0.1:PORT

   What is published before somebody subscribes is gone. This publisher is an XPUB, which hears of subscriptions, and begins
   with the first one; a PUB would not wait. */

#include "common.h"

static void publish(void *context, const char *endpoint)
{
    static const char *const news[][2] = {
        {"sport", "nobody won"}, {"weather", "rain"}, {"weather", "sun"}, {"weather", "that is all"}};
    void *socket = listening(context, ZMQ_XPUB, endpoint);
    char subscription[64];

    receive(socket, subscription, sizeof subscription);
    for (size_t k = 0; k < sizeof news / sizeof news[0]; k++) {
        say(socket, news[k][0], ZMQ_SNDMORE);
        say(socket, news[k][1], 0);
    }
    zmq_close(socket);
}

static void subscribe(void *context, const char *endpoint)
{
    void *socket = connected(context, ZMQ_SUB, endpoint);
    char topic[64], text[64];

    must(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "weather", 7));
    do {
        receive(socket, topic, sizeof topic);
        receive(socket, text, sizeof text);
        printf("%s: %s\n", topic, text);
    } while (strcmp(text, "that is all") != 0);
    zmq_close(socket);
}

int main(int argc, char **argv)
{
    void *context = zmq_ctx_new();

    if (argc == 3 && strcmp(argv[1], "publisher") == 0)
        publish(context, argv[2]);
    else if (argc == 3 && strcmp(argv[1], "subscriber") == 0)
        subscribe(context, argv[2]);
    else
        fputs("publish_subscribe publisher|subscriber ENDPOINT\n", stderr);
    return zmq_ctx_term(context);
}
