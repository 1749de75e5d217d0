/* One publisher and one subscriber with many subscriptions: what a message costs that nobody wants, and one that one wants. */
#include "zmq_bench.h"

enum { TOPIC_LEN = 16, PROBE_LEN = 8 };

static void write_topic(char *to, size_t index)
{
    memcpy(to, "topic/", 6);
    for (size_t i = TOPIC_LEN; i-- > 6; index /= 10)
        to[i] = (char)('0' + index % 10);
}

/* All topics in the order in which the server goes through them: consecutive ones are far apart. */
static char *topics_in_turn(const struct job *job)
{
    char *topics = allocate(job->topics * TOPIC_LEN);
    for (size_t i = 0; i < job->topics; i++)
        write_topic(topics + i * TOPIC_LEN, i * 7919 % job->topics);
    return topics;
}

struct publisher {
    void *socket;
    char *body;
    size_t turn;
};

/* Sends n messages with the next topics of the table, and returns the time that took. */
static uint64_t send_topics(const struct job *job, struct publisher *publisher, const char *topics, size_t n)
{
    uint64_t before_ns = now_ns();
    for (size_t i = 0; i < n; i++) {
        memcpy(publisher->body, topics + publisher->turn * TOPIC_LEN, TOPIC_LEN);
        send_message(publisher->socket, publisher->body, job->size, 1);
        if (++publisher->turn == job->topics)
            publisher->turn = 0;
    }
    return now_ns() - before_ns;
}

void match_publish(const struct job *job)
{
    int control;
    char *topics = topics_in_turn(job), *misses = topics_in_turn(job);
    struct publisher publisher = {.socket = serve(job, ZMQ_PUB, &control), .body = allocate(job->size)};
    for (size_t i = 1; i <= job->topics; i++)
        misses[i * TOPIC_LEN - 1] = 'x';
    probe(job, publisher.socket, control);
    send_topics(job, &publisher, misses, job->warm);
    uint64_t none_ns = send_topics(job, &publisher, misses, job->count), one_ns = 0;
    struct used before = used_so_far();
    for (size_t window = 0; window < job->count / WINDOW; window++) {
        one_ns += send_topics(job, &publisher, topics, WINDOW);
        await_acknowledgement(control);
    }
    struct used used = used_since(before);
    close_socket(publisher.socket);
    printf("{\"seconds\": %.6f, \"none_ns\": %.1f, \"one_ns\": %.1f, \"cpu_s\": %.6f, \"switches\": %ld}\n",
           (double)(none_ns + one_ns) / 1e9, (double)none_ns / (double)job->count, (double)one_ns / (double)job->count,
           used.cpu_s, used.switches);
}

void match_subscribe(const struct job *job)
{
    int control = control_connect(job);
    void *socket = open_socket(job, ZMQ_SUB);
    char *body = allocate(job->size + TOPIC_LEN);
    uint64_t before_ns = now_ns();
    for (size_t i = 0; i < job->topics; i++) {
        write_topic(body, i);
        subscribe(socket, body, TOPIC_LEN);
    }
    /* The last one, so that the publisher has all of them when a probe arrives. */
    subscribe(socket, PROBE, PROBE_LEN);
    receive_message(socket, body, job->size, 1);
    uint64_t subscribe_ns = now_ns() - before_ns;
    acknowledge(control);
    struct used before = used_so_far();
    for (size_t received = 0; received < job->count;) {
        receive_message(socket, body, job->size, 1);
        if (memcmp(body, PROBE, PROBE_LEN) && ++received % WINDOW == 0)
            acknowledge(control);
    }
    struct used used = used_since(before);
    close_socket(socket);
    printf("{\"subscribe_s\": %.6f, \"cpu_s\": %.6f, \"switches\": %ld}\n", (double)subscribe_ns / 1e9, used.cpu_s, used.switches);
}
