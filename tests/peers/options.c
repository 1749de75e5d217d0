/* Asks libzmq what it does with options. Each line of standard input is a question about a socket that was just opened,
   and has its answer on one line of standard output:

       TYPE OPTION VALUE ROOM

   The numbers of the type and the option; the value to set first, x and hexadecimal, NULL for a null pointer, or = to set nothing;
   how many bytes there are for a get afterwards, or - for no get. The answer has a word for each of the two: for the set ok or the
   errno, - if there was none; for the get the value in hexadecimal (= in front, so that an empty one is seen), the errno, or -.

   A type of -1 asks about a context that was just made; its values are ints, whatever the room. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* Closed sockets live on for a while in another thread: so many questions are asked of one context. */
#define QUESTIONS_OF_A_CONTEXT 400
#define LONGEST 100000

static void set(void *socket, int option, const char *text)
{
    static unsigned char value[LONGEST];
    size_t length = 0;
    int failed;
    if (strcmp(text, "NULL") == 0) {
        failed = zmq_setsockopt(socket, option, NULL, 0);
    } else {
        unsigned byte;
        while (length < LONGEST && sscanf(text + 1 + 2 * length, "%2x", &byte) == 1)
            value[length++] = (unsigned char)byte;
        failed = zmq_setsockopt(socket, option, value, length);
    }
    if (failed)
        printf("%d", zmq_errno());
    else
        printf("ok");
}

static void get(void *socket, int option, size_t room)
{
    static unsigned char value[LONGEST];
    size_t length = room;
    if (zmq_getsockopt(socket, option, value, &length)) {
        printf(" %d\n", zmq_errno());
        return;
    }
    printf(" =");
    for (size_t i = 0; i < length && i < LONGEST; i++)
        printf("%02x", value[i]);
    printf("\n");
}

static void ask_context(int option, const char *text, const char *room)
{
    void *context = zmq_ctx_new();
    unsigned char byte[4] = {0};
    int value;
    if (strcmp(text, "=") == 0) {
        printf("-");
    } else {
        for (size_t i = 0; i < 4; i++)
            sscanf(text + 1 + 2 * i, "%2hhx", &byte[i]);
        memcpy(&value, byte, sizeof value);
        if (zmq_ctx_set(context, option, value))
            printf("%d", zmq_errno());
        else
            printf("ok");
    }
    if (strcmp(room, "-") == 0) {
        printf(" -\n");
    } else {
        errno = 0;
        value = zmq_ctx_get(context, option);
        if (value == -1 && zmq_errno() == EINVAL) {
            printf(" %d\n", EINVAL);
        } else {
            memcpy(byte, &value, sizeof value);
            printf(" =%02x%02x%02x%02x\n", byte[0], byte[1], byte[2], byte[3]);
        }
    }
    zmq_ctx_term(context);
}

int main(void)
{
    static char value[2 * LONGEST + 2];
    char room[16];
    int type, option, asked = 0, none = 0;
    void *context = zmq_ctx_new();
    while (scanf("%d %d %200000s %15s", &type, &option, value, room) == 4) {
        if (type == -1) {
            ask_context(option, value, room);
            continue;
        }
        if (++asked % QUESTIONS_OF_A_CONTEXT == 0) {
            zmq_ctx_term(context);
            context = zmq_ctx_new();
        }
        void *socket = zmq_socket(context, type);
        if (!socket) {
            fprintf(stderr, "socket of type %d: %s\n", type, zmq_strerror(zmq_errno()));
            return 1;
        }
        if (strcmp(value, "=") == 0)
            printf("-");
        else
            set(socket, option, value);
        if (strcmp(room, "-") == 0)
            printf(" -\n");
        else
            get(socket, option, (size_t)strtoul(room, NULL, 10));
        zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
        zmq_close(socket);
    }
    zmq_ctx_term(context);
    return 0;
}
