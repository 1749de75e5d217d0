/* One publisher, many subscribers: all get everything, or each has a topic of its own. At most two windows of messages are on
 * their way: the subscribers acknowledge a window when the last of them has it. */
#include "zmq_bench.h"

#include <fcntl.h>
#include <stdatomic.h>

enum { TOPIC_LEN = 8 };

static void write_topic(char *to, size_t subscriber)
{
    char topic[32];
    snprintf(topic, sizeof topic, "t%07zu", subscriber);
    memcpy(to, topic, TOPIC_LEN);
}

/* Where each subscriber has a topic of its own, a tenth of it for each. */
static size_t window_of(const struct job *job)
{
    return job->apart ? WINDOW / 10 * job->peers : WINDOW;
}

void subscribe(void *socket, const char *topic, size_t len)
{
    check(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, len), "zmq_setsockopt");
}

void probe(const struct job *job, void *socket, int control)
{
    char *body = allocate(job->size), byte;
    int flags = fcntl(control, F_GETFL);
    memcpy(body, PROBE, TOPIC_LEN);
    fcntl(control, F_SETFL, flags | O_NONBLOCK);
    do {
        send_message(socket, body, job->size, 1);
        sleep_ms(2);
    } while (read(control, &byte, 1) != 1);
    fcntl(control, F_SETFL, flags);
    free(body);
}

void publish_send(const struct job *job)
{
    int control;
    void *socket = serve(job, ZMQ_PUB, &control);
    char *body = allocate(job->size);
    size_t turn = 0, window = window_of(job), windows = job->count / window;
    probe(job, socket, control);
    write_topic(body, 0);
    struct used before = used_so_far();
    uint64_t started_ns = now_ns();
    for (size_t i = 0; i < job->count; i++) {
        if (i % window == 0 && i >= 2 * window)
            await_acknowledgement(control);
        if (job->apart) {
            /* The digits of the topics up to 999, which snprintf would take longer for than a send. */
            body[5] = (char)('0' + turn / 100);
            body[6] = (char)('0' + turn / 10 % 10);
            body[7] = (char)('0' + turn % 10);
            turn = turn + 1 == job->peers ? 0 : turn + 1;
        }
        send_message(socket, body, job->size, 1);
    }
    for (size_t i = 0; i < 2 && i < windows; i++)
        await_acknowledgement(control);
    uint64_t elapsed_ns = now_ns() - started_ns;
    struct used used = used_since(before);
    close_socket(socket);
    print_time(elapsed_ns, used);
}

/* What the subscribers have, together: the last one to do a step (the probe, a window) acknowledges it. */
struct progress {
    int control;
    atomic_size_t done;
};

static void step(const struct job *job, struct progress *progress)
{
    if ((atomic_fetch_add(&progress->done, 1) + 1) % job->peers == 0)
        acknowledge(progress->control);
}

static void receive(const struct job *job, size_t peer, void *shared)
{
    struct progress *progress = shared;
    void *socket = open_socket(job, ZMQ_SUB);
    char *body = allocate(job->size);
    size_t each = job->apart ? job->peers : 1, window = window_of(job) / each, total = job->count / each;
    if (job->apart) {
        write_topic(body, peer);
        subscribe(socket, body, TOPIC_LEN);
        subscribe(socket, PROBE, TOPIC_LEN);
    } else {
        subscribe(socket, "", 0);
    }
    receive_message(socket, body, job->size, 1);
    step(job, progress);
    for (size_t received = 0; received < total;) {
        receive_message(socket, body, job->size, 1);
        if (!memcmp(body, PROBE, TOPIC_LEN))
            continue;
        if (++received % window == 0)
            step(job, progress);
    }
    close_socket(socket);
    free(body);
}

void publish_receive(const struct job *job)
{
    struct progress progress = {.control = control_connect(job)};
    struct used before = used_so_far();
    side_by_side(job, receive, &progress);
    print_used(used_since(before));
}
