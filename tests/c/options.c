/* zmq_setsockopt, zmq_getsockopt: each option's type, default, range, refusals and lengths, on each socket type. What options
   do is tried elsewhere. */
#include "sockets.h"

/* Hidden in libzmq's header, and there all the same. */
enum { ZAP_ENFORCE_DOMAIN = 93, LOOPBACK_FASTPATH = 94, METADATA = 95, MULTICAST_LOOP = 96, XPUB_MANUAL_LAST_VALUE = 98,
       SOCKS_USERNAME = 99, SOCKS_PASSWORD = 100,
       ONLY_FIRST_SUBSCRIBE = 108, RECONNECT_STOP = 109 };

enum { SOCKET_TYPES = 12 };

#define ONLY(type) (1u << (type))
#define ANY ((1u << SOCKET_TYPES) - 1)
/* A REP is a ROUTER in disguise. */
#define ROUTERS (ONLY (ZMQ_ROUTER) | ONLY (ZMQ_REP))
#define PUBLISHERS (ONLY (ZMQ_PUB) | ONLY (ZMQ_XPUB))
#define SUBSCRIBERS (ONLY (ZMQ_SUB) | ONLY (ZMQ_XSUB))

enum access { SET = 1, GET = 2, BOTH = 3 };

/* An option whose value is a number of some size. The lists end where their counts say. */
struct numeric
{
    const char *name;
    int option;
    size_t size;
    unsigned types;
    enum access access;
    long long initial;
    int accepted_count;
    long long accepted[4];
    int refused_count;
    long long refused[4];
};

#define INT sizeof (int)
#define TOP 0x7fffffff

static const struct numeric numbers[] = {
  { "AFFINITY", ZMQ_AFFINITY, 8, ANY, BOTH, 0, 3, { 1, 3, -1 }, 0, { 0 } },
  { "RATE", ZMQ_RATE, INT, ANY, BOTH, 100, 3, { 1, 100, TOP }, 3, { 0, -1, -TOP } },
  { "RECOVERY_IVL", ZMQ_RECOVERY_IVL, INT, ANY, BOTH, 10000, 3, { 0, 1, TOP }, 2, { -1, -TOP } },
  { "SNDBUF", ZMQ_SNDBUF, INT, ANY, BOTH, -1, 4, { -1, 0, 1, TOP }, 2, { -2, -TOP } },
  { "RCVBUF", ZMQ_RCVBUF, INT, ANY, BOTH, -1, 4, { -1, 0, 1, TOP }, 2, { -2, -TOP } },
  { "RCVMORE", ZMQ_RCVMORE, INT, ANY, GET, 0, 0, { 0 }, 0, { 0 } },
  { "RECONNECT_IVL", ZMQ_RECONNECT_IVL, INT, ANY, BOTH, 100, 4, { -1, 0, 1, TOP }, 2, { -2, -TOP } },
  { "RECONNECT_IVL_MAX", ZMQ_RECONNECT_IVL_MAX, INT, ANY, BOTH, 0, 3, { 0, 1, TOP }, 2, { -1, -TOP } },
  { "BACKLOG", ZMQ_BACKLOG, INT, ANY, BOTH, 100, 3, { 0, 1, TOP }, 2, { -1, -TOP } },
  { "MAXMSGSIZE", ZMQ_MAXMSGSIZE, 8, ANY, BOTH, -1, 4, { -1, 0, 1, 0x7fffffffffffffff }, 0, { 0 } },
  { "SNDHWM", ZMQ_SNDHWM, INT, ANY, BOTH, 1000, 3, { 0, 1, TOP }, 2, { -1, -TOP } },
  { "RCVHWM", ZMQ_RCVHWM, INT, ANY, BOTH, 1000, 3, { 0, 1, TOP }, 2, { -1, -TOP } },
  { "MULTICAST_HOPS", ZMQ_MULTICAST_HOPS, INT, ANY, BOTH, 1, 2, { 1, 255 }, 2, { 0, -1 } },
  { "RCVTIMEO", ZMQ_RCVTIMEO, INT, ANY, BOTH, -1, 4, { -1, 0, 1, TOP }, 2, { -2, -TOP } },
  { "SNDTIMEO", ZMQ_SNDTIMEO, INT, ANY, BOTH, -1, 4, { -1, 0, 1, TOP }, 2, { -2, -TOP } },
  { "IPV4ONLY", ZMQ_IPV4ONLY, INT, ANY, BOTH, 1, 2, { 0, 1 }, 2, { 2, -1 } },
  { "ROUTER_MANDATORY", ZMQ_ROUTER_MANDATORY, INT, ROUTERS, SET, 0, 3, { 0, 1, 2 }, 2, { -1, -TOP } },
  { "TCP_KEEPALIVE", ZMQ_TCP_KEEPALIVE, INT, ANY, BOTH, -1, 3, { -1, 0, 1 }, 2, { -2, 2 } },
  { "TCP_KEEPALIVE_CNT", ZMQ_TCP_KEEPALIVE_CNT, INT, ANY, BOTH, -1, 3, { -1, 1, 10 }, 2, { -2, -TOP } },
  { "TCP_KEEPALIVE_IDLE", ZMQ_TCP_KEEPALIVE_IDLE, INT, ANY, BOTH, -1, 3, { -1, 1, 10 }, 2, { -2, -TOP } },
  { "TCP_KEEPALIVE_INTVL", ZMQ_TCP_KEEPALIVE_INTVL, INT, ANY, BOTH, -1, 3, { -1, 1, 10 }, 2, { -2, -TOP } },
  { "IMMEDIATE", ZMQ_IMMEDIATE, INT, ANY, BOTH, 0, 2, { 0, 1 }, 2, { 2, -1 } },
  { "XPUB_VERBOSE", ZMQ_XPUB_VERBOSE, INT, PUBLISHERS, SET, 0, 2, { 0, 1 }, 1, { -1 } },
  { "ROUTER_RAW", ZMQ_ROUTER_RAW, INT, ROUTERS, SET, 0, 2, { 0, 1 }, 1, { -1 } },
  { "IPV6", ZMQ_IPV6, INT, ANY, BOTH, 0, 2, { 0, 1 }, 2, { 2, -1 } },
  { "MECHANISM", ZMQ_MECHANISM, INT, ANY, GET, ZMQ_NULL, 0, { 0 }, 0, { 0 } },
  { "PLAIN_SERVER", ZMQ_PLAIN_SERVER, INT, ANY, BOTH, 0, 2, { 0, 1 }, 2, { 2, -1 } },
  { "PROBE_ROUTER", ZMQ_PROBE_ROUTER, INT, ROUTERS | ONLY (ZMQ_REQ) | ONLY (ZMQ_DEALER), SET, 0, 2, { 0, 1 }, 1, { -1 } },
  { "REQ_CORRELATE", ZMQ_REQ_CORRELATE, INT, ONLY (ZMQ_REQ), SET, 0, 2, { 0, 1 }, 1, { -1 } },
  { "REQ_RELAXED", ZMQ_REQ_RELAXED, INT, ONLY (ZMQ_REQ), SET, 0, 2, { 0, 1 }, 1, { -1 } },
  { "CONFLATE", ZMQ_CONFLATE, INT, ANY, BOTH, 0, 2, { 0, 1 }, 2, { 2, -1 } },
  { "ROUTER_HANDOVER", ZMQ_ROUTER_HANDOVER, INT, ROUTERS, SET, 0, 2, { 0, 1 }, 1, { -1 } },
  { "TOS", ZMQ_TOS, INT, ANY, BOTH, 0, 3, { 0, 1, 255 }, 2, { -1, -TOP } },
  { "HANDSHAKE_IVL", ZMQ_HANDSHAKE_IVL, INT, ANY, BOTH, 30000, 3, { 0, 1, TOP }, 2, { -1, -TOP } },
  { "XPUB_NODROP", ZMQ_XPUB_NODROP, INT, PUBLISHERS, SET, 0, 2, { 0, 1 }, 1, { -1 } },
  { "XPUB_MANUAL", ZMQ_XPUB_MANUAL, INT, PUBLISHERS, SET, 0, 2, { 0, 1 }, 1, { -1 } },
  { "STREAM_NOTIFY", ZMQ_STREAM_NOTIFY, INT, ONLY (ZMQ_STREAM), SET, 1, 2, { 0, 1 }, 2, { 2, -1 } },
  { "INVERT_MATCHING", ZMQ_INVERT_MATCHING, INT, ANY, BOTH, 0, 2, { 0, 1 }, 0, { 0 } },
  { "HEARTBEAT_IVL", ZMQ_HEARTBEAT_IVL, INT, ANY, BOTH, 0, 3, { 0, 1, TOP }, 2, { -1, -TOP } },
  { "HEARTBEAT_TTL", ZMQ_HEARTBEAT_TTL, INT, ANY, BOTH, 0, 3, { 0, 100, 6553500 }, 3, { 6553600, TOP, -1000 } },
  { "HEARTBEAT_TIMEOUT", ZMQ_HEARTBEAT_TIMEOUT, INT, ANY, BOTH, -1, 3, { 0, 1, TOP }, 2, { -1, -TOP } },
  { "XPUB_VERBOSER", ZMQ_XPUB_VERBOSER, INT, PUBLISHERS, SET, 0, 2, { 0, 1 }, 1, { -1 } },
  { "CONNECT_TIMEOUT", ZMQ_CONNECT_TIMEOUT, INT, ANY, BOTH, 0, 3, { 0, 1, TOP }, 2, { -1, -TOP } },
  { "TCP_MAXRT", ZMQ_TCP_MAXRT, INT, ANY, BOTH, 0, 3, { 0, 1, TOP }, 2, { -1, -TOP } },
  { "THREAD_SAFE", ZMQ_THREAD_SAFE, INT, ANY, GET, 0, 0, { 0 }, 0, { 0 } },
  { "MULTICAST_MAXTPDU", ZMQ_MULTICAST_MAXTPDU, INT, ANY, BOTH, 1500, 2, { 1, TOP }, 2, { 0, -1 } },
  { "USE_FD", ZMQ_USE_FD, INT, ANY, BOTH, -1, 2, { -1, 0 }, 2, { -2, -TOP } },
  { "GSSAPI_SERVER", ZMQ_GSSAPI_SERVER, INT, ANY, BOTH, 0, 2, { 0, 1 }, 2, { 2, -1 } },
  { "GSSAPI_PLAINTEXT", ZMQ_GSSAPI_PLAINTEXT, INT, ANY, BOTH, 0, 2, { 0, 1 }, 2, { 2, -1 } },
  { "GSSAPI_PRINCIPAL_NAMETYPE", ZMQ_GSSAPI_PRINCIPAL_NAMETYPE, INT, ANY, BOTH, 0, 3, { 0, 1, 2 }, 2, { 3, -1 } },
  { "GSSAPI_SERVICE_PRINCIPAL_NAMETYPE", ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE, INT, ANY, BOTH, 0, 3, { 0, 1, 2 }, 2, { 3, -1 } },
  { "ZAP_ENFORCE_DOMAIN", ZAP_ENFORCE_DOMAIN, INT, ANY, BOTH, 0, 2, { 0, 1 }, 0, { 0 } },
  { "LOOPBACK_FASTPATH", LOOPBACK_FASTPATH, INT, ANY, BOTH, 0, 2, { 0, 1 }, 0, { 0 } },
  { "MULTICAST_LOOP", MULTICAST_LOOP, INT, ANY, BOTH, 1, 2, { 0, 1 }, 0, { 0 } },
  { "XPUB_MANUAL_LAST_VALUE", XPUB_MANUAL_LAST_VALUE, INT, PUBLISHERS, SET, 0, 2, { 0, 1 }, 1, { -1 } },
  { "ONLY_FIRST_SUBSCRIBE", ONLY_FIRST_SUBSCRIBE, INT, PUBLISHERS | ONLY (ZMQ_XSUB), SET, 0, 2, { 0, 1 }, 1, { -1 } },
  { "RECONNECT_STOP", RECONNECT_STOP, INT, ANY, BOTH, 0, 4, { 0, 1, 2, 3 }, 0, { 0 } },
};

/* What a missing value of no length does: nothing, as it is refused; clear; or change the mechanism, whatever a get says then. */
enum emptied { REFUSES, CLEARS, UNSETS };

/* An option whose value is text, told with a NUL behind it, or bytes. */
struct texts
{
    const char *name;
    int option;
    unsigned types;
    enum access access;
    int is_text;
    enum emptied emptied;
    size_t longest;
};

static const struct texts texts[] = {
  { "ROUTING_ID", ZMQ_ROUTING_ID, ANY, BOTH, 0, REFUSES, 255 },
  { "PLAIN_USERNAME", ZMQ_PLAIN_USERNAME, ANY, BOTH, 1, UNSETS, 255 },
  { "PLAIN_PASSWORD", ZMQ_PLAIN_PASSWORD, ANY, BOTH, 1, UNSETS, 255 },
  { "ZAP_DOMAIN", ZMQ_ZAP_DOMAIN, ANY, BOTH, 1, REFUSES, 255 },
  { "GSSAPI_PRINCIPAL", ZMQ_GSSAPI_PRINCIPAL, ANY, BOTH, 1, REFUSES, 255 },
  { "GSSAPI_SERVICE_PRINCIPAL", ZMQ_GSSAPI_SERVICE_PRINCIPAL, ANY, BOTH, 1, REFUSES, 255 },
  { "SOCKS_PROXY", ZMQ_SOCKS_PROXY, ANY, BOTH, 1, CLEARS, 255 },
  { "SOCKS_USERNAME", SOCKS_USERNAME, ANY, BOTH, 1, CLEARS, 255 },
  { "SOCKS_PASSWORD", SOCKS_PASSWORD, ANY, BOTH, 1, CLEARS, 255 },
  { "BINDTODEVICE", ZMQ_BINDTODEVICE, ANY, BOTH, 1, CLEARS, 16 },
  { "CONNECT_ROUTING_ID", ZMQ_CONNECT_ROUTING_ID, ROUTERS | ONLY (ZMQ_STREAM), SET, 0, REFUSES, 255 },
  { "XPUB_WELCOME_MSG", ZMQ_XPUB_WELCOME_MSG, PUBLISHERS, SET, 0, CLEARS, 1000 },
};

static int has (unsigned types, int type)
{
    return (types >> type & 1) != 0;
}

/* Sets a number of the option's size; what setsockopt answers. */
static int put (void *socket, const struct numeric *row, long long value)
{
    int narrow = (int) value;
    return zmq_setsockopt (socket, row->option, row->size == INT ? (const void *) &narrow : &value, row->size);
}

static long long look (void *socket, const struct numeric *row)
{
    long long wide = -12345;
    int narrow = -12345;
    size_t size = row->size;
    CHECK_OK (zmq_getsockopt (socket, row->option, size == INT ? (void *) &narrow : &wide, &size));
    CHECK_EQUAL (size, row->size);
    return row->size == INT ? narrow : wide;
}

/* Runs something on a new socket of each type. */
static void on_each_type (const void *row, void (*work) (const void *, void *, int))
{
    void *context = open_context ();
    for (int type = 0; type < SOCKET_TYPES; type++) {
        void *socket = zmq_socket (context, type);
        CHECK (socket != NULL);
        work (row, socket, type);
        CHECK_OK (zmq_close (socket));
    }
    CHECK_OK (zmq_ctx_term (context));
}

static void check_default (const void *row, void *socket, int type)
{
    const struct numeric *number = row;
    (void) type;
    CHECK_EQUAL (look (socket, number), number->initial);
}

static void check_accepted (const void *row, void *socket, int type)
{
    const struct numeric *number = row;
    if (!has (number->types, type))
        return;
    for (int at = 0; at < number->accepted_count; at++) {
        CHECK_OK (put (socket, number, number->accepted[at]));
        if (number->access & GET)
            CHECK_EQUAL (look (socket, number), number->accepted[at]);
    }
}

static void check_refused (const void *row, void *socket, int type)
{
    const struct numeric *number = row;
    if (!has (number->types, type))
        return;
    for (int at = 0; at < number->refused_count; at++) {
        CHECK_ERRNO (put (socket, number, number->refused[at]), EINVAL);
        if (number->access & GET)
            CHECK_EQUAL (look (socket, number), number->initial);
    }
}

static void check_lengths (const void *row, void *socket, int type)
{
    const struct numeric *number = row;
    char buffer[64] = { 1 };
    for (size_t size = 0; size <= 16; size++) {
        size_t room = size;
        if (size == number->size)
            continue;
        if (number->access & SET && has (number->types, type))
            CHECK_ERRNO (zmq_setsockopt (socket, number->option, buffer, size), EINVAL);
        if (number->access & GET && size < number->size)
            CHECK_ERRNO (zmq_getsockopt (socket, number->option, buffer, &room), EINVAL);
    }
}

static void check_unreadable (const void *row, void *socket, int type)
{
    static const size_t rooms[] = { 4, 8, 256 };
    const struct numeric *number = row;
    char buffer[256];
    (void) type;
    for (size_t at = 0; at < COUNT (rooms); at++) {
        size_t room = rooms[at];
        CHECK_ERRNO (zmq_getsockopt (socket, number->option, buffer, &room), EINVAL);
    }
}

static void check_unsettable (const void *row, void *socket, int type)
{
    const struct numeric *number = row;
    (void) type;
    CHECK_ERRNO (put (socket, number, 0), EINVAL);
    CHECK_ERRNO (put (socket, number, 1), EINVAL);
}

static void check_others (const void *row, void *socket, int type)
{
    const struct numeric *number = row;
    if (!has (number->types, type))
        CHECK_ERRNO (put (socket, number, number->accepted[0]), EINVAL);
}

#define CASE_OF_ROWS(name, check)                                             \
    static void name (const void *row)                                        \
    {                                                                         \
        on_each_type (row, check);                                            \
    }

CASE_OF_ROWS (has_its_default, check_default)
CASE_OF_ROWS (takes_its_values, check_accepted)
CASE_OF_ROWS (refuses_others, check_refused)
CASE_OF_ROWS (has_one_length, check_lengths)
CASE_OF_ROWS (cannot_be_read, check_unreadable)
CASE_OF_ROWS (cannot_be_set, check_unsettable)
CASE_OF_ROWS (is_of_its_sockets, check_others)

/* Text of a length. */
static void make_text (char *text, size_t size)
{
    for (size_t at = 0; at < size; at++)
        text[at] = (char) ('a' + at % 26);
    text[size] = 0;
}

static void expect_value (void *socket, const struct texts *row, const char *text)
{
    char told[512];
    size_t size = sizeof told, length = strlen (text) + (row->is_text ? 1 : 0);
    CHECK_OK (zmq_getsockopt (socket, row->option, told, &size));
    CHECK_EQUAL (size, length);
    CHECK (memcmp (told, text, length) == 0);
}

static void check_texts (const void *row, void *socket, int type)
{
    const struct texts *texts = row;
    char text[2048];
    const size_t lengths[] = { 1, 5, texts->longest - 1, texts->longest };
    if (texts->access & GET)
        expect_value (socket, texts, "");
    for (size_t at = 0; at < COUNT (lengths) && has (texts->types, type); at++) {
        make_text (text, lengths[at]);
        CHECK_OK (zmq_setsockopt (socket, texts->option, text, lengths[at]));
        if (texts->access & GET)
            expect_value (socket, texts, text);
    }
}

static void check_long_texts (const void *row, void *socket, int type)
{
    const struct texts *texts = row;
    char text[2048];
    make_text (text, texts->longest + 1);
    if (has (texts->types, type))
        CHECK_ERRNO (zmq_setsockopt (socket, texts->option, text, texts->longest + 1), EINVAL);
}

static const struct numeric mechanism = { "MECHANISM", ZMQ_MECHANISM, INT, ANY, GET, 0, 0, { 0 }, 0, { 0 } };

static void check_no_text (const void *row, void *socket, int type)
{
    const struct texts *texts = row;
    if (!has (texts->types, type) || texts->access == SET)
        return;
    CHECK_OK (zmq_setsockopt (socket, texts->option, "abc", 3));
    if (texts->emptied == REFUSES)
        CHECK_ERRNO (zmq_setsockopt (socket, texts->option, NULL, 0), EINVAL);
    else
        CHECK_OK (zmq_setsockopt (socket, texts->option, NULL, 0));
    if (texts->emptied == UNSETS)
        CHECK_EQUAL (look (socket, &mechanism), ZMQ_NULL);
    else
        expect_value (socket, texts, texts->emptied == CLEARS ? "" : "abc");
}

static void check_room (const void *row, void *socket, int type)
{
    const struct texts *texts = row;
    char told[16];
    if (!has (texts->types, type) || !(texts->access & GET))
        return;
    CHECK_OK (zmq_setsockopt (socket, texts->option, "abcdef", 6));
    size_t needed = texts->is_text ? 7 : 6;
    for (size_t room = 0; room < needed; room++) {
        size_t size = room;
        CHECK_ERRNO (zmq_getsockopt (socket, texts->option, told, &size), EINVAL);
    }
    CHECK_OK (zmq_getsockopt (socket, texts->option, told, &needed));
}

static void check_other_texts (const void *row, void *socket, int type)
{
    const struct texts *texts = row;
    if (!has (texts->types, type))
        CHECK_ERRNO (zmq_setsockopt (socket, texts->option, "abc", 3), EINVAL);
}

CASE_OF_ROWS (holds_text, check_texts)
CASE_OF_ROWS (has_a_longest_text, check_long_texts)
CASE_OF_ROWS (is_cleared_or_not, check_no_text)
CASE_OF_ROWS (needs_room, check_room)
CASE_OF_ROWS (is_text_of_its_sockets, check_other_texts)

static void add_case (const char *option, const char *claim, void (*run) (const void *), const void *row)
{
    char name[128];
    snprintf (name, sizeof name, "%s_%s", option, claim);
    check_add_row (name, run, row);
}

__attribute__ ((constructor)) static void add_rows (void)
{
    for (size_t at = 0; at < COUNT (numbers); at++) {
        const struct numeric *row = &numbers[at];
        if (row->access & GET)
            add_case (row->name, "has_its_default", has_its_default, row);
        else
            add_case (row->name, "cannot_be_read", cannot_be_read, row);
        if (row->access & SET)
            add_case (row->name, "takes_its_values", takes_its_values, row);
        else
            add_case (row->name, "cannot_be_set", cannot_be_set, row);
        if (row->refused_count > 0)
            add_case (row->name, "refuses_other_values_with_EINVAL", refuses_others, row);
        if (row->types != ANY)
            add_case (row->name, "is_EINVAL_on_other_sockets", is_of_its_sockets, row);
        add_case (row->name, "has_one_length_and_others_are_EINVAL", has_one_length, row);
    }
    static const char *const claims[] = { "refuses_nothing_with_EINVAL", "is_cleared_by_nothing", "unsets_the_mechanism_with_nothing" };
    for (size_t at = 0; at < COUNT (texts); at++) {
        const struct texts *row = &texts[at];
        add_case (row->name, "is_empty_at_first_and_holds_what_it_is_given", holds_text, row);
        if (row->access & GET) {
            if (row->option != ZMQ_SOCKS_PROXY)
                add_case (row->name, "refuses_what_is_too_long_with_EINVAL", has_a_longest_text, row);
            add_case (row->name, claims[row->emptied], is_cleared_or_not, row);
            add_case (row->name, "needs_room_for_all_of_it", needs_room, row);
        }
        if (row->types != ANY)
            add_case (row->name, "is_EINVAL_on_other_sockets", is_text_of_its_sockets, row);
    }
}
