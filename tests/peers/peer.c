/* A peer on libzmq, whosever it is. README.md in this directory says what it does. cc -O2 peer.c -lzmq */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { MAX_LIST = 64, MAX_FRAMES = 1008, MAX_ROUTING_ID = 255, MAX_SOURCES = 1024 };
enum { ONLY_FIRST_SUBSCRIBE = 108 }; /* libzmq's header has it for those who ask for drafts */
enum { MAX_SIZE = 100000000, MAX_PARTS = 1000, SHOWN_BYTES = 72, UNSET = -2 };

struct slice {
    const unsigned char *data;
    size_t size;
};

struct list {
    const char *items[MAX_LIST];
    int count;
};

static struct {
    const char *role, *type, *endpoint;
    int socket_type;
    bool bind, connect, envelope, any_order;
    long count, show;
    size_t size;
    int parts, hwm, linger_ms, timeout_ms, heartbeat_ms;
    const char *lines, *id, *to;
    struct list subs, topics;
} options = {.count = -1, .size = 64, .parts = 1, .hwm = -1, .linger_ms = UNSET, .timeout_ms = 30000};

/* What was sent or received so far. */
static struct {
    long count, shown;
    uint64_t bytes, started_ns, ended_ns;
    uint32_t sum_a, sum_b;
    double *round_trips_us;
} done = {.sum_a = 1};

static struct {
    unsigned char *pattern;
    struct slice *lines;
    long line_count;
} content;

static struct {
    zmq_msg_t frames[MAX_FRAMES];
    int count;
} received;

static void *context, *sock;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- output ---- */

/* `escape` stands before a quote or backslash: "\\" inside JSON, "" elsewhere. */
static void print_text(struct slice s, size_t limit, const char *escape)
{
    for (size_t j = 0; j < s.size && j < limit; j++) {
        unsigned char c = s.data[j];
        if (c < 0x20 || c > 0x7e)
            printf("%s\\x%02x", escape, c);
        else
            printf("%s%c", c == '"' || c == '\\' ? escape : "", c);
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *error)
{
    double seconds = done.ended_ns ? (double)(done.ended_ns - done.started_ns) / 1e9 : 0;
    printf("{\"ok\": %s, \"language\": \"c\", \"role\": \"%s\", \"type\": \"%s\", \"count\": %ld, "
           "\"bytes\": %llu, \"checksum\": %lu, \"seconds\": %.6f",
           error ? "false" : "true", options.role, options.type, done.count,
           (unsigned long long)done.bytes, (unsigned long)(done.sum_b << 16 | done.sum_a), seconds);
    if (error) {
        printf(", \"error\": \"");
        print_text((struct slice){(const unsigned char *)error, strlen(error)}, SIZE_MAX, "\\");
        printf("\"");
    } else if (done.round_trips_us && done.count > 0) {
        long n = done.count;
        qsort(done.round_trips_us, (size_t)n, sizeof(double), ascending);
        printf(", \"p50_us\": %.2f, \"p99_us\": %.2f, \"max_us\": %.2f",
               done.round_trips_us[n * 50 / 100], done.round_trips_us[n * 99 / 100],
               done.round_trips_us[n - 1]);
    }
    printf("}\n");
    fflush(stdout);
}

static void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void fail(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    report(text);
    _exit(1);
}

static void usage(const char *what) __attribute__((noreturn));
static void usage(const char *what)
{
    fprintf(stderr, "peer: %s\nusage: peer ROLE TYPE ENDPOINT [OPTION]... (tests/peers/README.md)\n", what);
    exit(2);
}

static void check(int rc, const char *what)
{
    if (rc < 0)
        fail("%s: %s", what, zmq_strerror(zmq_errno()));
}

static void *must(void *memory)
{
    if (!memory)
        fail("out of memory");
    return memory;
}

/* ---- content: byte j of part p of message i is (31 i + 7 p + j) mod 256 ---- */

static struct slice window(unsigned long start)
{
    return (struct slice){content.pattern + (start & 0xff), options.size};
}

static int part_count(void)
{
    return content.lines ? 1 : options.parts;
}

static struct slice part_of(long i, int p)
{
    if (content.lines)
        return content.lines[i % content.line_count];
    return window(31ul * (unsigned long)i + 7ul * (unsigned long)p);
}

static void load_lines(void)
{
    FILE *file = fopen(options.lines, "rb");
    if (!file)
        fail("%s: %s", options.lines, strerror(errno));
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getline(&line, &room, file)) >= 0) {
        if (length > 0 && line[length - 1] == '\n')
            length--;
        size_t n = (size_t)content.line_count++;
        content.lines = must(realloc(content.lines, (n + 1) * sizeof *content.lines));
        content.lines[n] = (struct slice){(unsigned char *)line, (size_t)length};
        line = NULL;
        room = 0;
    }
    free(line);
    fclose(file);
    if (!content.line_count)
        fail("%s is empty", options.lines);
}

static void make_content(void)
{
    if (options.lines) {
        load_lines();
    } else {
        content.pattern = must(malloc(options.size + 255));
        for (size_t j = 0; j < options.size + 255; j++)
            content.pattern[j] = (unsigned char)j;
    }
    if (options.count < 0)
        options.count = content.lines ? content.line_count : 1;
}

static void checksum(struct slice s)
{
    const size_t most = 5552; /* bytes after which the sums could overflow 32 bits */
    while (s.size > 0) {
        size_t n = s.size < most ? s.size : most;
        for (size_t j = 0; j < n; j++) {
            done.sum_a += s.data[j];
            done.sum_b += done.sum_a;
        }
        done.sum_a %= 65521;
        done.sum_b %= 65521;
        s.data += n;
        s.size -= n;
    }
}

static void account_time(void)
{
    done.ended_ns = now_ns();
    if (!done.started_ns)
        done.started_ns = done.ended_ns;
}

static void account(struct slice part, bool first, const char *arrow)
{
    done.bytes += part.size;
    checksum(part);
    if (first && done.shown < options.show) {
        done.shown++;
        printf("SAID %s ", arrow);
        print_text(part, SHOWN_BYTES, "");
        printf("\n");
        fflush(stdout);
    }
}

/* ---- the frames before a message ---- */

static struct slice text(const char *s)
{
    return (struct slice){(const unsigned char *)s, strlen(s)};
}

static int prefix_of(long i, struct slice prefix[3])
{
    int n = 0;
    if (options.to)
        prefix[n++] = text(options.to);
    if (options.envelope)
        prefix[n++] = text("");
    if (options.topics.count)
        prefix[n++] = text(options.topics.items[i % options.topics.count]);
    return n;
}

/* ---- sending and receiving ---- */

static void send_frame(struct slice s, bool more)
{
    uint64_t deadline = now_ns() + (uint64_t)options.timeout_ms * 1000000u;
    while (zmq_send(sock, s.data, s.size, more ? ZMQ_SNDMORE : 0) < 0) {
        if (zmq_errno() != EHOSTUNREACH || now_ns() > deadline)
            fail("send of message %ld: %s", done.count, zmq_strerror(zmq_errno()));
        usleep(10000);
    }
}

static void send_message(long i)
{
    struct slice prefix[3];
    int prefixes = prefix_of(i, prefix), parts = part_count();
    for (int k = 0; k < prefixes; k++)
        send_frame(prefix[k], true);
    for (int p = 0; p < parts; p++)
        send_frame(part_of(i, p), p + 1 < parts);
}

static void release_received(void)
{
    while (received.count > 0)
        zmq_msg_close(&received.frames[--received.count]);
}

static void receive_message(void)
{
    release_received();
    int more = 1;
    while (more) {
        if (received.count == MAX_FRAMES)
            fail("message %ld has more than %d frames", done.count, MAX_FRAMES);
        zmq_msg_t *frame = &received.frames[received.count];
        zmq_msg_init(frame);
        if (zmq_msg_recv(frame, sock, 0) < 0)
            fail("receive of message %ld: %s", done.count, zmq_strerror(zmq_errno()));
        received.count++;
        more = zmq_msg_more(frame);
    }
}

static struct slice frame_at(int k)
{
    zmq_msg_t *frame = &received.frames[k];
    return (struct slice){zmq_msg_data(frame), zmq_msg_size(frame)};
}

static bool equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Whether the frames received from the one numbered `first` on are message i. */
static bool is_message(long i, int first)
{
    struct slice prefix[3];
    int prefixes = prefix_of(i, prefix), parts = part_count();
    if (received.count != first + prefixes + parts)
        return false;
    for (int k = 0; k < prefixes; k++)
        if (!equal(frame_at(first + k), prefix[k]))
            return false;
    for (int p = 0; p < parts; p++)
        if (!equal(frame_at(first + prefixes + p), part_of(i, p)))
            return false;
    return true;
}

/* Whether the frames from `first` on are the parts of any message. */
static bool is_some_message(int first)
{
    if (received.count != first + part_count())
        return false;
    if (content.lines)
        return true;
    struct slice head = frame_at(first);
    unsigned long base = head.size ? head.data[0] : 0;
    for (int p = 0; p < options.parts; p++)
        if (!equal(frame_at(first + p), window(base + 7ul * (unsigned long)p)))
            return false;
    return true;
}

static void account_received(int first, const char *arrow)
{
    account_time();
    for (int k = first; k < received.count; k++)
        account(frame_at(k), k == first, arrow);
}

/* ---- the roles ---- */

static void echo(void)
{
    int skip = options.socket_type == ZMQ_ROUTER;
    for (; options.count == 0 || done.count < options.count; done.count++) {
        receive_message();
        account_received(skip, "<-");
        for (int k = 0; k < received.count; k++)
            send_frame(frame_at(k), k + 1 < received.count);
    }
}

static void ask(void)
{
    struct slice prefix[3];
    done.round_trips_us = must(malloc(((size_t)options.count + 1) * sizeof(double)));
    done.started_ns = now_ns();
    for (long i = 0; i < options.count; i++) {
        uint64_t before_ns = now_ns();
        send_message(i);
        receive_message();
        done.round_trips_us[i] = (double)(now_ns() - before_ns) / 1e3;
        if (!is_message(i, 0))
            fail("reply %ld differs: %d frames, the last of %zu B", i, received.count,
                 frame_at(received.count - 1).size);
        account_received(prefix_of(i, prefix), "->");
        done.count++;
    }
}

static bool is_subscriber(void)
{
    return options.socket_type == ZMQ_SUB || options.socket_type == ZMQ_XSUB;
}

static bool is_pub_sub(void)
{
    return is_subscriber() || options.socket_type == ZMQ_PUB || options.socket_type == ZMQ_XPUB;
}

/* Sends hellos until a line comes on stdin, so that the harness knows when all subscribers are there. */
static void greet(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    struct slice hello = text("\xff\xff");
    while (poll(&input, 1, 10) == 0) {
        for (int k = 0; k < options.topics.count; k++) {
            send_frame(text(options.topics.items[k]), true);
            send_frame(hello, false);
        }
        if (!options.topics.count)
            send_frame(hello, false);
    }
}

static void source(void)
{
    if (is_pub_sub())
        greet();
    done.started_ns = now_ns();
    for (long i = 0; i < options.count; i++) {
        send_message(i);
        account_time();
        for (int p = 0; p < part_count(); p++)
            account(part_of(i, p), p == 0, "->");
        done.count++;
    }
}

/* The place that counts the messages of the peer with this routing id. */
static long *expected_from(struct slice id)
{
    static struct { unsigned char id[MAX_ROUTING_ID]; size_t size; long next; } sources[MAX_SOURCES];
    static int source_count;
    for (int k = 0; k < source_count; k++)
        if (equal(id, (struct slice){sources[k].id, sources[k].size}))
            return &sources[k].next;
    if (source_count == MAX_SOURCES || id.size > MAX_ROUTING_ID)
        fail("more than %d sources, or a routing id of more than %d B", MAX_SOURCES, MAX_ROUTING_ID);
    memcpy(sources[source_count].id, id.data, id.size);
    sources[source_count].size = id.size;
    return &sources[source_count++].next;
}

/* The first message from i on that passes the subscriptions. */
static long passing(long i)
{
    if (!is_subscriber() || !options.topics.count)
        return i;
    for (long k = i; k < i + options.topics.count; k++)
        for (int s = 0; s < options.subs.count; s++) {
            const char *prefix = options.subs.items[s];
            if (!strncmp(options.topics.items[k % options.topics.count], prefix, strlen(prefix)))
                return k;
        }
    fail("no topic passes the subscriptions");
}

static void sink(void)
{
    int first = options.socket_type == ZMQ_ROUTER;
    bool synced = false;
    struct slice prefix[3];
    while (done.count < options.count) {
        receive_message();
        if (options.socket_type == ZMQ_XPUB && received.count == 1)
            continue; /* a subscription */
        if (is_pub_sub() && equal(frame_at(received.count - 1), text("\xff\xff"))) {
            if (!synced)
                puts("SYNC");
            fflush(stdout);
            synced = true;
            continue;
        }
        long *expected = expected_from(first ? frame_at(0) : text(""));
        long i = passing(*expected);
        *expected = i + 1;
        int parts_at = first + prefix_of(i, prefix);
        if (!(options.any_order ? is_some_message(parts_at) : is_message(i, first)))
            fail("message %ld is not message %ld: %d frames, the last of %zu B", done.count, i,
                 received.count, frame_at(received.count - 1).size);
        account_received(parts_at, "<-");
        done.count++;
    }
}

static const struct {
    const char *role, *type;
    int socket_type;
    void (*run)(void);
} roles[] = {
    {"echo", "rep", ZMQ_REP, echo},       {"echo", "router", ZMQ_ROUTER, echo},
    {"echo", "dealer", ZMQ_DEALER, echo}, {"ask", "req", ZMQ_REQ, ask},
    {"ask", "dealer", ZMQ_DEALER, ask},   {"ask", "router", ZMQ_ROUTER, ask},
    {"source", "push", ZMQ_PUSH, source}, {"source", "pub", ZMQ_PUB, source},
    {"source", "dealer", ZMQ_DEALER, source}, {"source", "router", ZMQ_ROUTER, source},
    {"sink", "pull", ZMQ_PULL, sink},     {"sink", "sub", ZMQ_SUB, sink},
    {"sink", "router", ZMQ_ROUTER, sink}, {"sink", "dealer", ZMQ_DEALER, sink},
    {"echo", "pair", ZMQ_PAIR, echo},     {"ask", "pair", ZMQ_PAIR, ask},
    {"source", "pair", ZMQ_PAIR, source}, {"sink", "pair", ZMQ_PAIR, sink},
    {"source", "xpub", ZMQ_XPUB, source}, {"sink", "xsub", ZMQ_XSUB, sink},
    {"source", "xsub", ZMQ_XSUB, source}, {"sink", "xpub", ZMQ_XPUB, sink},
};

/* ---- command line and set-up ---- */

static long number(const char *s, long least, long most)
{
    char *end;
    long value = strtol(s, &end, 10);
    if (end == s || *end || value < least || value > most)
        usage("a number is malformed or out of range");
    return value;
}

static void append(struct list *list, const char *item)
{
    if (list->count == MAX_LIST)
        usage("too many --sub or --topic");
    list->items[list->count++] = item;
}

enum {
    BIND = 1, CONNECT, COUNT, SIZE, PARTS, LINES, SHOW, ID, TO, ENVELOPE, SUB, TOPIC, ANY_ORDER, HWM,
    LINGER, TIMEOUT, HEARTBEAT
};

static const struct option option_table[] = {
    {"bind", 0, 0, BIND},           {"connect", 0, 0, CONNECT},     {"count", 1, 0, COUNT},
    {"size", 1, 0, SIZE},           {"parts", 1, 0, PARTS},         {"lines", 1, 0, LINES},
    {"show", 1, 0, SHOW},           {"id", 1, 0, ID},               {"to", 1, 0, TO},
    {"envelope", 0, 0, ENVELOPE},   {"sub", 1, 0, SUB},             {"topic", 1, 0, TOPIC},
    {"any-order", 0, 0, ANY_ORDER}, {"hwm", 1, 0, HWM},             {"linger", 1, 0, LINGER},
    {"timeout", 1, 0, TIMEOUT},     {"heartbeat", 1, 0, HEARTBEAT}, {0},
};

static void set_option(int option, const char *value)
{
    switch (option) {
    case BIND: options.bind = true; break;
    case CONNECT: options.connect = true; break;
    case COUNT: options.count = number(value, 0, 1000000000); break;
    case SIZE: options.size = (size_t)number(value, 0, MAX_SIZE); break;
    case PARTS: options.parts = (int)number(value, 1, MAX_PARTS); break;
    case LINES: options.lines = value; break;
    case SHOW: options.show = number(value, 0, 1000000000); break;
    case ID: options.id = value; break;
    case TO: options.to = value; break;
    case ENVELOPE: options.envelope = true; break;
    case SUB: append(&options.subs, value); break;
    case TOPIC: append(&options.topics, value); break;
    case ANY_ORDER: options.any_order = true; break;
    case HWM: options.hwm = (int)number(value, 0, 1000000000); break;
    case LINGER: options.linger_ms = (int)number(value, -1, 1000000000); break;
    case TIMEOUT: options.timeout_ms = (int)number(value, 1, 1000000000); break;
    case HEARTBEAT: options.heartbeat_ms = (int)number(value, 0, 1000000000); break;
    default: usage("unknown option");
    }
}

static void (*parse(int argc, char **argv))(void)
{
    int option;
    while ((option = getopt_long(argc, argv, "", option_table, NULL)) != -1)
        set_option(option, optarg);
    if (argc - optind != 3)
        usage("ROLE, TYPE and ENDPOINT are needed");
    options.role = argv[optind];
    options.type = argv[optind + 1];
    options.endpoint = argv[optind + 2];
    if (options.bind && options.connect)
        usage("either --bind or --connect");
    if (!options.bind && !options.connect)
        options.bind = !strcmp(options.role, "echo") || !strcmp(options.role, "sink");
    if (options.linger_ms == UNSET)
        options.linger_ms = strcmp(options.role, "sink") ? -1 : 0;
    for (int s = 0; s < options.subs.count; s++)
        if (*options.subs.items[s] && !options.topics.count)
            usage("--sub needs --topic");
    if (!options.subs.count)
        append(&options.subs, "");
    for (size_t k = 0; k < sizeof roles / sizeof *roles; k++)
        if (!strcmp(roles[k].role, options.role) && !strcmp(roles[k].type, options.type)) {
            options.socket_type = roles[k].socket_type;
            return roles[k].run;
        }
    usage("this role does not exist for this type");
}

static void set_int(int option, int value)
{
    check(zmq_setsockopt(sock, option, &value, sizeof value), "zmq_setsockopt");
}

static void open_socket(void)
{
    context = must(zmq_ctx_new());
    sock = must(zmq_socket(context, options.socket_type));
    set_int(ZMQ_LINGER, options.linger_ms);
    set_int(ZMQ_SNDTIMEO, options.timeout_ms);
    set_int(ZMQ_RCVTIMEO, options.timeout_ms);
    if (options.hwm >= 0) {
        set_int(ZMQ_SNDHWM, options.hwm);
        set_int(ZMQ_RCVHWM, options.hwm);
    }
    if (options.heartbeat_ms)
        set_int(ZMQ_HEARTBEAT_IVL, options.heartbeat_ms);
    if (options.id)
        check(zmq_setsockopt(sock, ZMQ_ROUTING_ID, options.id, strlen(options.id)), "routing id");
    if (options.to)
        set_int(ZMQ_ROUTER_MANDATORY, 1);
    if (options.socket_type == ZMQ_XPUB || options.socket_type == ZMQ_XSUB)
        set_int(ONLY_FIRST_SUBSCRIBE, 1);
    for (int s = 0; is_subscriber() && s < options.subs.count; s++) {
        const char *prefix = options.subs.items[s];
        if (options.socket_type == ZMQ_SUB) {
            check(zmq_setsockopt(sock, ZMQ_SUBSCRIBE, prefix, strlen(prefix)), "subscribe");
            continue;
        }
        char request[1024];
        int length = snprintf(request, sizeof request, "\1%s", prefix);
        check(zmq_send(sock, request, (size_t)length, 0), "subscribe");
    }
    int rc = options.bind ? zmq_bind(sock, options.endpoint) : zmq_connect(sock, options.endpoint);
    check(rc, options.endpoint);
    char resolved[1024];
    size_t room = sizeof resolved;
    check(zmq_getsockopt(sock, ZMQ_LAST_ENDPOINT, resolved, &room), "last endpoint");
    printf("READY %s\n", resolved);
    fflush(stdout);
}

static void free_all(void)
{
    for (long k = 0; k < content.line_count; k++)
        free((void *)content.lines[k].data);
    free(content.lines);
    free(content.pattern);
    free(done.round_trips_us);
}

int main(int argc, char **argv)
{
    void (*run)(void) = parse(argc, argv);
    make_content();
    open_socket();
    run();
    release_received();
    check(zmq_close(sock), "close");
    check(zmq_ctx_term(context), "term");
    report(NULL);
    free_all();
    return 0;
}
