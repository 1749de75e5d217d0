//! The numbers of the options, by name: libzmq's, and from 10,000 up our own.
//!
//! Unless said otherwise an option is an `int`, and a set of it holds for endpoints that are bound or connected later.

/// The I/O threads that may serve this socket, as bits (a `uint64_t`): bit 0 is the first. 0: any. All connections
/// of a socket live in one thread, the least loaded of those, chosen with the first endpoint: what is set later comes too late.
pub const AFFINITY: i32 = 4;
/// The name that the peers see (and ROUTER addresses): 1 to 255 bytes.
pub const ROUTING_ID: i32 = 5;
/// Set only: receive what begins with these bytes, too; counted when repeated. On an XPUB with `XPUB_MANUAL`: what the peer
/// gets whose request was received last. At once.
pub const SUBSCRIBE: i32 = 6;
/// Set only: take one such subscription back; unknown ones are ignored. At once.
pub const UNSUBSCRIBE: i32 = 7;
/// The data rate of multicast, in kilobits per second. Stored; the transports pgm and epgm are refused.
pub const RATE: i32 = 8;
/// How long multicast can go back, in ms. Stored; the transports pgm and epgm are refused.
pub const RECOVERY_IVL: i32 = 9;
/// The kernel's send buffer (`SO_SNDBUF`), in bytes; -1: the system's default.
pub const SNDBUF: i32 = 11;
/// The kernel's receive buffer (`SO_RCVBUF`), in bytes; -1: the system's default.
pub const RCVBUF: i32 = 12;
/// Get only: whether the part received last has more parts behind it.
pub const RCVMORE: i32 = 13;
/// Get only: a descriptor that becomes readable when EVENTS may have changed; reading EVENTS clears it.
pub const FD: i32 = 14;
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
/// How many routers multicast may pass. Stored; the transports pgm, epgm and udp are refused.
pub const MULTICAST_HOPS: i32 = 25;
/// How long a receive waits, in ms; -1: forever, 0: not at all. At once.
pub const RCVTIMEO: i32 = 27;
/// How long a send waits, in ms; -1: forever, 0: not at all. At once.
pub const SNDTIMEO: i32 = 28;
/// The opposite of `IPV6`, by which it was replaced: 0 or 1.
pub const IPV4ONLY: i32 = 31;
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
/// Set only: take tcp connections from this address or range (CIDR) alone; each set adds one, and none at all clears them.
pub const TCP_ACCEPT_FILTER: i32 = 38;
/// Queue messages only for connections whose handshake is done: 0 or 1.
pub const IMMEDIATE: i32 = 39;
/// Set only, PUB, XPUB: every subscription is received, those of topics that are subscribed already too. At once.
pub const XPUB_VERBOSE: i32 = 40;
/// Set only, REP, ROUTER: peers are plain connections without ZMTP; replaced by STREAM. At once for sending, and for connections of
/// endpoints that are bound or connected later.
pub const ROUTER_RAW: i32 = 41;
/// Use IPv6 too: 0 or 1.
pub const IPV6: i32 = 42;
/// Get only: the security mechanism that the other options add up to: 0 NULL, 1 PLAIN, 2 CURVE, 3 GSSAPI. With GSSAPI, which is not
/// there, bind and connect are refused over a network.
pub const MECHANISM: i32 = 43;
/// Be the server of PLAIN: 0 or 1. Every peer is judged by the context's authenticator, or by the handler of ZAP; without either, nobody
/// comes in. 0 takes every mechanism back. See `MECHANISM`.
pub const PLAIN_SERVER: i32 = 44;
/// The name to log in with; makes this end a client of PLAIN. None at all takes PLAIN back. See `MECHANISM`.
pub const PLAIN_USERNAME: i32 = 45;
/// The password to log in with; as `PLAIN_USERNAME`.
pub const PLAIN_PASSWORD: i32 = 46;
/// Be the server of CURVE: 0 or 1. Every peer is judged as with PLAIN; without a judge, and without a domain, all may come in that know the
/// public key. 0 takes every mechanism back. See `MECHANISM`.
pub const CURVE_SERVER: i32 = 47;
/// The public key of this end. See `MECHANISM`.
pub const CURVE_PUBLICKEY: i32 = 48;
/// The secret key of this end. See `MECHANISM`.
pub const CURVE_SECRETKEY: i32 = 49;
/// The server's public key; makes this end a client of CURVE. See `MECHANISM`.
pub const CURVE_SERVERKEY: i32 = 50;
/// Set only, ROUTER, DEALER, REQ: send an empty message to each new peer. At once.
pub const PROBE_ROUTER: i32 = 51;
/// Set only, REQ: number the requests and take only the reply with the same number. At once.
pub const REQ_CORRELATE: i32 = 52;
/// Set only, REQ: allow a new request before the reply. At once.
pub const REQ_RELAXED: i32 = 53;
/// Keep the last message alone of each peer, and its last part: 0 or 1. For PULL, PUSH, SUB, PUB and DEALER; on others it has
/// no effect.
pub const CONFLATE: i32 = 54;
/// The domain that whoever judges peers is told. With one, peers of NULL are judged, too, and where there is nobody to judge, nobody comes
/// in.
pub const ZAP_DOMAIN: i32 = 55;
/// Set only, ROUTER: a new peer takes over a routing id that is in use. At once.
pub const ROUTER_HANDOVER: i32 = 56;
/// The type-of-service byte of packets (`IP_TOS`, `IPV6_TCLASS`), also of accepted connections; 0: the system's default.
pub const TOS: i32 = 57;
/// Set only: take ipc connections from this process; each set adds one, and none at all clears them.
pub const IPC_FILTER_PID: i32 = 58;
/// Set only: take ipc connections from this user; each set adds one, and none at all clears them.
pub const IPC_FILTER_UID: i32 = 59;
/// Set only: take ipc connections from this group; each set adds one, and none at all clears them.
pub const IPC_FILTER_GID: i32 = 60;
/// Set only, REP, ROUTER, STREAM: the name by which this side knows the peer that the next connect reaches; used once. A connect is
/// refused when another peer has the name.
pub const CONNECT_ROUTING_ID: i32 = 61;
/// Be the server of GSSAPI: 0 or 1. Stored; see `MECHANISM`.
pub const GSSAPI_SERVER: i32 = 62;
/// The principal of this end. Stored; see `MECHANISM`.
pub const GSSAPI_PRINCIPAL: i32 = 63;
/// The principal of the server; makes this end a client of GSSAPI. Stored; see `MECHANISM`.
pub const GSSAPI_SERVICE_PRINCIPAL: i32 = 64;
/// Whether GSSAPI does not encrypt: 0 or 1. Stored.
pub const GSSAPI_PLAINTEXT: i32 = 65;
/// How long a handshake may take, in ms; 0: any time.
pub const HANDSHAKE_IVL: i32 = 66;
/// Connect over tcp through this SOCKS5 proxy, `host:port`. It is told the names of hosts, which are not looked up here.
pub const SOCKS_PROXY: i32 = 68;
/// Set only, PUB, XPUB: a full queue makes send wait or fail instead of dropping. At once.
pub const XPUB_NODROP: i32 = 69;
/// Set only, PUB, XPUB: subscriptions are only received; the application makes them. At once.
pub const XPUB_MANUAL: i32 = 71;
/// Set only, PUB, XPUB: a message that each new subscriber is sent first; none: no message. At once.
pub const XPUB_WELCOME_MSG: i32 = 72;
/// Set only, STREAM: an empty message from each peer that connects, and from each that disconnects: 0 or 1.
pub const STREAM_NOTIFY: i32 = 73;
/// Subscriptions select what does not begin with them; both sides have to set it. At once.
pub const INVERT_MATCHING: i32 = 74;
/// Pause between the heartbeats sent to a peer, in ms; 0: none.
pub const HEARTBEAT_IVL: i32 = 75;
/// How long a peer should wait for our traffic, sent to it with each heartbeat, in ms, rounded down to 100; 0: not said.
pub const HEARTBEAT_TTL: i32 = 76;
/// How long to wait for a peer's traffic after a heartbeat, in ms, 0: for ever; until it is set, `HEARTBEAT_IVL`.
pub const HEARTBEAT_TIMEOUT: i32 = 77;
/// Set only, PUB, XPUB: every subscription and every unsubscription is received. At once.
pub const XPUB_VERBOSER: i32 = 78;
/// How long connecting may take, in ms; 0: as long as the system tries.
pub const CONNECT_TIMEOUT: i32 = 79;
/// How long sent bytes may stay without acknowledgement (`TCP_USER_TIMEOUT`), in ms; 0: the system's default.
pub const TCP_MAXRT: i32 = 80;
/// Get only: 0, as libzmq says of these types, although sockets may be shared between threads here.
pub const THREAD_SAFE: i32 = 81;
/// The largest packet of multicast, in bytes. Stored; the transports pgm and epgm are refused.
pub const MULTICAST_MAXTPDU: i32 = 84;
/// Set only: a buffer of vmci, in bytes, a `uint64_t`. Stored; the transport vmci is refused.
pub const VMCI_BUFFER_SIZE: i32 = 85;
/// Set only: the least buffer of vmci, in bytes, a `uint64_t`. Stored; the transport vmci is refused.
pub const VMCI_BUFFER_MIN_SIZE: i32 = 86;
/// Set only: the largest buffer of vmci, in bytes, a `uint64_t`. Stored; the transport vmci is refused.
pub const VMCI_BUFFER_MAX_SIZE: i32 = 87;
/// Set only: how long connecting over vmci may take, in ms. Stored; the transport vmci is refused.
pub const VMCI_CONNECT_TIMEOUT: i32 = 88;
/// A descriptor of a listening socket, which the next bind over tcp or ipc takes instead of opening one; -1: none. The
/// host in the endpoint then means nothing. The descriptor belongs to the socket from there on, which closes it when it
/// is unbound or closed: nobody else may close it, and it serves one bind.
pub const USE_FD: i32 = 89;
/// What kind of name `GSSAPI_PRINCIPAL` is. Stored.
pub const GSSAPI_PRINCIPAL_NAMETYPE: i32 = 90;
/// What kind of name `GSSAPI_SERVICE_PRINCIPAL` is. Stored.
pub const GSSAPI_SERVICE_PRINCIPAL_NAMETYPE: i32 = 91;
/// Use this network interface alone (`SO_BINDTODEVICE`), which needs CAP_NET_RAW.
pub const BINDTODEVICE: i32 = 92;
/// Ask a handler of ZAP for sockets with a domain only: 0 or 1. A server of PLAIN without a domain then lets nobody in, one of CURVE every key.
pub const ZAP_ENFORCE_DOMAIN: i32 = 93;
/// A shortcut of Windows for connections within the machine. Stored; there is nothing like it on other systems.
pub const LOOPBACK_FASTPATH: i32 = 94;
/// Set only: a property for the peers to see, `X-name:value`; one for each set, the same name replaces.
pub const METADATA: i32 = 95;
/// ROUTER: an empty message from each peer that connects (1) and that disconnects (2); the bits add up.
pub const ROUTER_NOTIFY: i32 = 97;
/// Receive multicast of this machine too. Stored; the transport udp is refused.
pub const MULTICAST_LOOP: i32 = 96;
/// Set only, PUB, XPUB: as `XPUB_MANUAL`, and the next message goes to the last subscriber alone. At once.
pub const XPUB_MANUAL_LAST_VALUE: i32 = 98;
/// The name for the SOCKS5 proxy; none: no log-in.
pub const SOCKS_USERNAME: i32 = 99;
/// The password for the SOCKS5 proxy.
pub const SOCKS_PASSWORD: i32 = 100;
/// Set only, PUB, XPUB, XSUB: no part of a message is a subscription that has data before it. At once.
pub const ONLY_FIRST_SUBSCRIBE: i32 = 108;
/// What ends the attempts to connect again, as bits: 1 a refused connection, 2 a failed handshake, 4 a disconnect.
pub const RECONNECT_STOP: i32 = 109;
/// The priority of packets in the system's queues (`SO_PRIORITY`), above 6 only with `CAP_NET_ADMIN`; 0: the system's
/// default.
pub const PRIORITY: i32 = 112;
/// Set only: for how long the kernel spins for input from tcp before it sleeps (`SO_BUSY_POLL`), in microseconds;
/// 0: the system's default.
pub const BUSY_POLL: i32 = 113;
/// Get only: how many different topics are subscribed: by the peers of a PUB or XPUB, by a SUB or XSUB.
pub const TOPICS_COUNT: i32 = 116;

/// The most frames in one message: one with more is not sent, and a peer that sends it is disconnected.
pub const MAX_FRAMES: i32 = 10_000;
/// The most bytes held for one connection, an `int64_t`. Reading from it stops there while whole messages wait to be
/// received; a peer with a longer message is disconnected.
pub const MAX_HELD_BYTES: i32 = 10_001;
/// PUB, XPUB: the most topics that one peer may subscribe; a peer with more is disconnected.
pub const MAX_SUBSCRIPTIONS: i32 = 10_002;
/// PUB, XPUB: the most bytes in the topics of one peer, an `int64_t`; a peer with more is disconnected.
pub const MAX_TOPIC_BYTES: i32 = 10_003;
/// The most connections of a listener whose handshake is not done; beyond it one of the older half that has said nothing gives
/// way, or the oldest that has had 0.3 s; before that who comes is sent off, and comes again.
pub const MAX_HANDSHAKES: i32 = 10_004;
/// The most bytes held for all peers together that have come from them and were not received, an `int64_t`; 0: no limit.
/// Beyond it, by an eighth at most, the peer for which most is held is disconnected, and what waits of it is dropped. At once.
pub const MAX_SOCKET_BYTES: i32 = 10_005;
/// The longest command of a handshake, and later of any but a subscription, in bytes; a peer with a longer one is disconnected.
pub const MAX_COMMAND_BYTES: i32 = 10_006;
/// The most metadata properties of a peer; one with more is disconnected.
pub const MAX_PROPERTIES: i32 = 10_007;
/// The longest context of a peer's PING, which is sent back to it, in bytes; a peer with a longer one is disconnected.
pub const MAX_PING_CONTEXT: i32 = 10_008;

/// The numbers of the context's options.
pub mod context {
    /// How many I/O threads the context has; 0: none, only inproc works. They start when they are needed. Before the first socket.
    pub const IO_THREADS: i32 = 1;
    /// How many sockets the context may have, those that are closed and still sending included. At once.
    pub const MAX_SOCKETS: i32 = 2;
    /// Get only: the most that `MAX_SOCKETS` is good for, as libzmq says it; this library has no such limit.
    pub const SOCKET_LIMIT: i32 = 3;
    /// Set only: the priority of the I/O threads under a real-time policy; under others any number means nice -20. Before the first
    /// socket.
    pub const THREAD_PRIORITY: i32 = 3;
    /// The scheduling policy of the I/O threads, a number of `sched.h`; -1: that of the thread that needs them first. Before the first
    /// socket.
    pub const THREAD_SCHED_POLICY: i32 = 4;
    /// The longest part that may be sent, in bytes; the default is no limit. For sockets that are opened later.
    pub const MAX_MSGSZ: i32 = 5;
    /// Get only: the size of a message in memory, in bytes.
    pub const MSG_T_SIZE: i32 = 6;
    /// Set only: a processor that the I/O threads may run on; each set adds one, without any they may run on all. Before the first
    /// socket.
    pub const THREAD_AFFINITY_CPU_ADD: i32 = 7;
    /// Set only: takes one of those processors back. Before the first socket.
    pub const THREAD_AFFINITY_CPU_REMOVE: i32 = 8;
    /// What stands before the names of the I/O threads, a number or text; 0 is what a get answers for text that is no number. Before the
    /// first socket.
    pub const THREAD_NAME_PREFIX: i32 = 9;
    /// Whether large bodies are read into memory of their own (1), or copied there from a buffer that grows with them (0). For sockets
    /// that are opened later.
    pub const ZERO_COPY_RECV: i32 = 10;
    /// Whether new sockets use IPv6 too.
    pub const IPV6: i32 = 42;
    /// Whether new sockets linger forever (1, libzmq's default) or not at all (0).
    pub const BLOCKY: i32 = 70;
}
