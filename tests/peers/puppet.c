/* A socket of the system's libzmq on strings: README.md in this directory has the commands. cc -O2 puppet.c -lzmq */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum { LIMIT_MS = 20000, IDLE_MS = 5, MAX_WORDS = 1100, MAX_BYTES = 4 << 20 };

static void *context, *sock, *events;
static void *handler; /* of requests to authenticate, in the same context */
static zmq_msg_t last; /* the last part that was received */

static void done(bool good)
{
    if (good)
        printf("= ok\n");
    else
        printf("= error %d\n", zmq_errno());
}

static void print_hex(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    printf(" x");
    for (size_t i = 0; i < size; i++) {
        putchar("0123456789abcdef"[bytes[i] >> 4]);
        putchar("0123456789abcdef"[bytes[i] & 15]);
    }
}

static int digit(char letter)
{
    return letter <= '9' ? letter - '0' : letter - 'a' + 10;
}

/* The bytes that a word says: x and hexadecimal. */
static size_t bytes_of(const char *word, unsigned char *bytes)
{
    size_t size = 0;
    for (word++; word[0] && word[1] && size < MAX_BYTES; word += 2)
        bytes[size++] = digit(word[0]) << 4 | digit(word[1]);
    return size;
}

static void set_int(void *socket, int option, int value)
{
    zmq_setsockopt(socket, option, &value, sizeof value);
}

static void dismiss(void)
{
    set_int(handler, ZMQ_LINGER, 0);
    zmq_close(handler);
    handler = NULL;
}

static void close_all(void)
{
    if (handler)
        dismiss();
    if (!sock)
        return;
    zmq_socket_monitor(sock, NULL, 0);
    set_int(events, ZMQ_LINGER, 0);
    zmq_close(events);
    zmq_close(sock);
    sock = NULL;
}

static void open_socket(int type)
{
    static int count;
    char endpoint[40];
    snprintf(endpoint, sizeof endpoint, "inproc://events-%d", count++);
    close_all();
    context = zmq_ctx_new();
    sock = zmq_socket(context, type);
    events = zmq_socket(context, ZMQ_PAIR);
    if (!sock || !events) {
        done(false);
        return;
    }
    set_int(sock, ZMQ_SNDTIMEO, LIMIT_MS);
    zmq_socket_monitor(sock, endpoint, ZMQ_EVENT_ALL);
    done(zmq_connect(events, endpoint) == 0);
}

static void set(int option, const char *kind, const char *word)
{
    static unsigned char bytes[MAX_BYTES];
    int value = atoi(word);
    int64_t wide = atoll(word);
    int rc;
    if (strcmp(kind, "int") == 0)
        rc = zmq_setsockopt(sock, option, &value, sizeof value);
    else if (strcmp(kind, "int64") == 0)
        rc = zmq_setsockopt(sock, option, &wide, sizeof wide);
    else
        rc = zmq_setsockopt(sock, option, bytes, bytes_of(word, bytes));
    done(rc == 0);
}

static void attach(int (*call)(void *, const char *), const char *endpoint)
{
    char resolved[1024];
    size_t room = sizeof resolved;
    if (call(sock, endpoint) || zmq_getsockopt(sock, ZMQ_LAST_ENDPOINT, resolved, &room))
        done(false);
    else
        printf("= ok %s\n", resolved);
}

static void open_handler(int type)
{
    if (handler)
        dismiss();
    handler = zmq_socket(context, type);
    done(handler && zmq_bind(handler, "inproc://zeromq.zap.01") == 0);
}

static void send_parts(void *socket, int flags, char **words, int count)
{
    static unsigned char bytes[MAX_BYTES];
    for (int k = 0; k < count; k++) {
        size_t size = bytes_of(words[k], bytes);
        if (zmq_send(socket, bytes, size, flags | (k + 1 < count ? ZMQ_SNDMORE : 0)) < 0) {
            done(false);
            return;
        }
    }
    done(true);
}

static void receive(void *socket, int timeout_ms)
{
    bool more = true, first = true;
    set_int(socket, ZMQ_RCVTIMEO, timeout_ms);
    while (more) {
        zmq_msg_close(&last);
        zmq_msg_init(&last);
        if (zmq_msg_recv(&last, socket, 0) < 0) {
            done(false);
            return;
        }
        if (first)
            printf("= ok");
        first = false;
        print_hex(zmq_msg_data(&last), zmq_msg_size(&last));
        more = zmq_msg_more(&last);
    }
    printf("\n");
}

static void property(const char *name)
{
    const char *value = zmq_msg_gets(&last, name);
    if (value)
        printf("= ok %s\n", value);
    else
        done(false);
}

static void next_event(int timeout_ms)
{
    unsigned char head[6];
    char address[1024];
    uint16_t event;
    uint32_t value;
    set_int(events, ZMQ_RCVTIMEO, timeout_ms);
    if (zmq_recv(events, head, sizeof head, 0) != sizeof head) {
        done(false);
        return;
    }
    int length = zmq_recv(events, address, sizeof address - 1, 0);
    address[length < 0 ? 0 : length] = 0;
    memcpy(&event, head, sizeof event);
    memcpy(&value, head + 2, sizeof value);
    printf("= ok %u %u %s\n", event, value, address);
}

static bool stir(void)
{
    size_t room = sizeof(int);
    int ready;
    return zmq_getsockopt(sock, ZMQ_EVENTS, &ready, &room) == 0;
}

static void obey(char **words, int count)
{
    const char *verb = words[0], *first = count > 1 ? words[1] : "";
    if (strcmp(verb, "open") == 0)
        open_socket(atoi(first));
    else if (strcmp(verb, "set") == 0 && count == 4)
        set(atoi(first), words[2], words[3]);
    else if (strcmp(verb, "bind") == 0)
        attach(zmq_bind, first);
    else if (strcmp(verb, "connect") == 0)
        attach(zmq_connect, first);
    else if (strcmp(verb, "unbind") == 0)
        done(zmq_unbind(sock, first) == 0);
    else if (strcmp(verb, "disconnect") == 0)
        done(zmq_disconnect(sock, first) == 0);
    else if (strcmp(verb, "send") == 0)
        send_parts(sock, 0, words + 1, count - 1);
    else if (strcmp(verb, "try") == 0)
        send_parts(sock, ZMQ_DONTWAIT, words + 1, count - 1);
    else if (strcmp(verb, "recv") == 0)
        receive(sock, atoi(first));
    else if (strcmp(verb, "handler") == 0)
        open_handler(atoi(first));
    else if (strcmp(verb, "asked") == 0 && handler)
        receive(handler, atoi(first));
    else if (strcmp(verb, "reply") == 0 && handler)
        send_parts(handler, 0, words + 1, count - 1);
    else if (strcmp(verb, "dismiss") == 0 && handler) {
        dismiss();
        done(true);
    } else if (strcmp(verb, "gets") == 0)
        property(first);
    else if (strcmp(verb, "event") == 0)
        next_event(atoi(first));
    else if (strcmp(verb, "stir") == 0)
        done(stir());
    else if (strcmp(verb, "close") == 0) {
        close_all();
        done(true);
    } else if (strcmp(verb, "finish") == 0) {
        close_all();
        done(zmq_ctx_term(context) == 0);
    } else if (strcmp(verb, "end") == 0) {
        if (sock) {
            set_int(sock, ZMQ_LINGER, 0);
            close_all();
            zmq_ctx_term(context);
        }
        done(true);
    } else
        printf("= unknown\n");
}

/* libzmq does some things only when it is called, so whoever waits for the next command calls it now and then. */
static void await_command(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (sock && poll(&input, 1, IDLE_MS) == 0)
        stir();
}

int main(void)
{
    char *line = NULL, *words[MAX_WORDS];
    size_t room = 0;
    zmq_msg_init(&last);
    printf("READY\n");
    fflush(stdout);
    while (getline(&line, &room, stdin) > 0) {
        int count = 0;
        for (char *word = strtok(line, " \n"); word && count < MAX_WORDS; word = strtok(NULL, " \n"))
            words[count++] = word;
        if (count)
            obey(words, count);
        fflush(stdout);
        await_command();
    }
    /* Whoever pulled the strings has gone: what lingers has nobody to wait for it. */
    _Exit(0);
}
