//! The numbers of the options, by name: libzmq's, and from 10,000 up our own.
//!
//! Unless said otherwise an option is an `int`, and a set of it holds for endpoints that are bound or connected later.

/// The name that the peers see (and ROUTER addresses): 1 to 255 bytes.
pub const ROUTING_ID: i32 = 5;
/// Set only, SUB: receive what begins with these bytes too; counted when repeated. At once.
pub const SUBSCRIBE: i32 = 6;
/// Set only, SUB: take one such subscription back; unknown ones are ignored. At once.
pub const UNSUBSCRIBE: i32 = 7;
/// The kernel's send buffer (`SO_SNDBUF`), in bytes; -1: the system's default.
pub const SNDBUF: i32 = 11;
/// The kernel's receive buffer (`SO_RCVBUF`), in bytes; -1: the system's default.
pub const RCVBUF: i32 = 12;
/// Get only: whether the part received last has more parts behind it.
pub const RCVMORE: i32 = 13;
/// Get only: what the socket is ready for: 1 to receive, 2 to send.
pub const EVENTS: i32 = 15;
/// Get only: the number of the socket's type.
pub const TYPE: i32 = 16;
/// How long a closed socket tries to send what is queued, in ms; -1: forever, 0: not at all. At once.
pub const LINGER: i32 = 17;
/// Pause before a broken connection is tried again, in ms; -1: never again.
pub const RECONNECT_IVL: i32 = 18;
/// How many connections may wait to be accepted.
pub const BACKLOG: i32 = 19;
/// The longest pause between attempts, in ms: the pause doubles up to it; 0: it does not grow.
pub const RECONNECT_IVL_MAX: i32 = 21;
/// The largest message part accepted from a peer, in bytes, an `int64_t`; negative: no limit.
pub const MAXMSGSIZE: i32 = 22;
/// How many messages may wait to be sent to one peer; 0: no limit. At once.
pub const SNDHWM: i32 = 23;
/// How many messages of one peer may wait to be received before reading from it stops; 0: no limit. What the last read
/// brought, at most 128 KiB, is kept beyond that. At once.
pub const RCVHWM: i32 = 24;
/// How long a receive waits, in ms; -1: forever, 0: not at all. At once.
pub const RCVTIMEO: i32 = 27;
/// How long a send waits, in ms; -1: forever, 0: not at all. At once.
pub const SNDTIMEO: i32 = 28;
/// Get only: the endpoint bound or connected last, as the system resolved it.
pub const LAST_ENDPOINT: i32 = 32;
/// Set only, ROUTER: a message to an unknown peer is an error instead of being dropped. At once.
pub const ROUTER_MANDATORY: i32 = 33;
/// TCP keep-alive: 1 on, 0 off, -1 the system's default.
pub const TCP_KEEPALIVE: i32 = 34;
/// Keep-alive probes before the connection counts as dead; -1: the system's default.
pub const TCP_KEEPALIVE_CNT: i32 = 35;
/// Silence before the first keep-alive probe, in seconds; -1: the system's default.
pub const TCP_KEEPALIVE_IDLE: i32 = 36;
/// Pause between keep-alive probes, in seconds; -1: the system's default.
pub const TCP_KEEPALIVE_INTVL: i32 = 37;
/// Queue messages only for connections whose handshake is done: 0 or 1.
pub const IMMEDIATE: i32 = 39;
/// Use IPv6 too: 0 or 1.
pub const IPV6: i32 = 42;
/// Set only, ROUTER, DEALER, REQ: send an empty message to each new peer. At once.
pub const PROBE_ROUTER: i32 = 51;
/// Set only, REQ: number the requests and take only the reply with the same number. At once.
pub const REQ_CORRELATE: i32 = 52;
/// Set only, REQ: allow a new request before the reply. At once.
pub const REQ_RELAXED: i32 = 53;
/// Set only, ROUTER: a new peer takes over a routing id that is in use. At once.
pub const ROUTER_HANDOVER: i32 = 56;
/// How long a handshake may take, in ms; 0: any time.
pub const HANDSHAKE_IVL: i32 = 66;
/// Set only, PUB, XPUB: a full queue makes send wait or fail instead of dropping. At once.
pub const XPUB_NODROP: i32 = 69;
/// Pause between the heartbeats sent to a peer, in ms; 0: none.
pub const HEARTBEAT_IVL: i32 = 75;
/// How long a peer should wait for our traffic, sent to it with each heartbeat, in ms, rounded down to 100; 0: not said.
pub const HEARTBEAT_TTL: i32 = 76;
/// How long to wait for a peer's traffic after a heartbeat, in ms; until it is set, `HEARTBEAT_IVL`.
pub const HEARTBEAT_TIMEOUT: i32 = 77;
/// How long connecting may take, in ms; 0: as long as the system tries.
pub const CONNECT_TIMEOUT: i32 = 79;
/// How long sent bytes may stay without acknowledgement (`TCP_USER_TIMEOUT`), in ms; 0: the system's default.
pub const TCP_MAXRT: i32 = 80;
/// Set only: a property for the peers to see, `X-name:value`; one for each set, the same name replaces.
pub const METADATA: i32 = 95;

/// The most frames in one message from a peer; a peer that sends more is disconnected.
pub const MAX_FRAMES: i32 = 10_000;
/// The most bytes held for one connection, an `int64_t`. Reading from it stops there while whole messages wait to be
/// received; a peer with a longer message is disconnected.
pub const MAX_HELD_BYTES: i32 = 10_001;
/// PUB, XPUB: the most topics that one peer may subscribe; a peer with more is disconnected.
pub const MAX_SUBSCRIPTIONS: i32 = 10_002;
/// PUB, XPUB: the most bytes in the topics of one peer, an `int64_t`; a peer with more is disconnected.
pub const MAX_TOPIC_BYTES: i32 = 10_003;
/// The most connections of a listener whose handshake is not done; beyond it the oldest silent one is closed.
pub const MAX_HANDSHAKES: i32 = 10_004;

/// The numbers of the context's options.
pub mod context {
    /// How many I/O threads the context has; 0: none, only inproc works. Before the first socket.
    pub const IO_THREADS: i32 = 1;
    /// How many sockets the context may have.
    pub const MAX_SOCKETS: i32 = 2;
    /// Whether new sockets use IPv6 too.
    pub const IPV6: i32 = 42;
    /// Whether new sockets linger forever (1, libzmq's default) or not at all (0).
    pub const BLOCKY: i32 = 70;
}
