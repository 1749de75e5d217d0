#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Goes before each function. */
#ifndef ZMQ_EXPORT
#if defined(__GNUC__)
#define ZMQ_EXPORT __attribute__((visibility("default")))
#else
#define ZMQ_EXPORT
#endif
#endif

/* Versions as numbers that can be compared. */
#define ZMQ_MAKE_VERSION(major, minor, patch) ((major) * 10000 + (minor) * 100 + (patch))
#define ZMQ_VERSION ZMQ_MAKE_VERSION(ZMQ_VERSION_MAJOR, ZMQ_VERSION_MINOR, ZMQ_VERSION_PATCH)

/* What there is, for programs that ask. */
#define ZMQ_HAS_CAPABILITIES 1
#define ZMQ_HAVE_TIMERS 1
#define ZMQ_DEFINED_STDINT 1
#if defined(ZMQ_BUILD_DRAFT_API)
#define ZMQ_HAVE_POLLER 1
#define ZMQ_HAVE_PPOLL 1
#endif

/* Names of the properties that zmq_msg_gets knows. */
#if defined(ZMQ_BUILD_DRAFT_API)
#define ZMQ_MSG_PROPERTY_ROUTING_ID "Routing-Id"
#define ZMQ_MSG_PROPERTY_SOCKET_TYPE "Socket-Type"
#define ZMQ_MSG_PROPERTY_USER_ID "User-Id"
#define ZMQ_MSG_PROPERTY_PEER_ADDRESS "Peer-Address"
#endif

/* That of <sys/uio.h>. */
struct iovec;
