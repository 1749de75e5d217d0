//! The options of a socket and of a context: ONE table each. What is in a table works; everything else is unknown.

mod context;
pub(crate) mod filter;
mod foreign;
mod metadata;
pub mod number;
mod raw;
mod security;
mod spec;
mod table;
#[cfg(test)]
mod tests;

use std::time::Duration;

use zmtp::SocketType;

pub use self::context::{CONTEXT_TABLE, ContextOptionSpec};
pub use self::spec::{Access, Effect, Kind, OptionSpec, OwnedValue, Value};
pub use self::table::TABLE;

pub(crate) use self::context::{ContextOptions, ThreadOptions};
pub(crate) use self::security::{Mechanism, Security};

pub(crate) use self::filter::AddressFilter;
use self::foreign::Foreign;
use self::spec::Slot;
use crate::error::{Error, Result};

/// The options of one socket that are kept as values. The fields have libzmq's names; what the numbers mean is said
/// at [`number`].
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// The type of the socket: it decides which options exist.
    socket: SocketType,
    /// In bytes; empty until it is set.
    pub(crate) routing_id: Vec<u8>,
    /// In messages; `None`: no limit.
    pub(crate) sndhwm: Option<usize>,
    /// In messages; `None`: no limit.
    pub(crate) rcvhwm: Option<usize>,
    /// `None`: forever. SUB and XSUB have nothing to linger for.
    pub(crate) linger: Option<Duration>,
    /// `None`: forever.
    pub(crate) sndtimeo: Option<Duration>,
    /// `None`: forever.
    pub(crate) rcvtimeo: Option<Duration>,
    /// `None`: never reconnect.
    pub(crate) reconnect_ivl: Option<Duration>,
    /// `None`: the interval does not grow.
    pub(crate) reconnect_ivl_max: Option<Duration>,
    /// In connections.
    pub(crate) backlog: i32,
    /// In bytes, as set; see [`Options::max_message_size`].
    maxmsgsize: i64,
    /// Whether pipes wait for the handshake.
    pub(crate) immediate: bool,
    /// `None`: no limit.
    pub(crate) handshake_ivl: Option<Duration>,
    /// `None`: no heartbeats.
    pub(crate) heartbeat_ivl: Option<Duration>,
    /// In tenths of a second, as on the wire; 0: not said.
    pub(crate) heartbeat_ttl_ds: u16,
    /// As set; see [`Options::heartbeat_timeout`].
    heartbeat_timeout: Option<Duration>,
    /// `None`: as long as the system tries.
    pub(crate) connect_timeout: Option<Duration>,
    /// In bytes; `None`: the system's default.
    pub(crate) sndbuf: Option<usize>,
    /// In bytes; `None`: the system's default.
    pub(crate) rcvbuf: Option<usize>,
    /// `None`: the system's default.
    pub(crate) tcp_keepalive: Option<bool>,
    /// In probes; `None`: the system's default.
    pub(crate) tcp_keepalive_cnt: Option<u32>,
    /// `None`: the system's default.
    pub(crate) tcp_keepalive_idle: Option<Duration>,
    /// `None`: the system's default.
    pub(crate) tcp_keepalive_intvl: Option<Duration>,
    /// `None`: the system's default.
    pub(crate) tcp_maxrt: Option<Duration>,
    pub(crate) ipv6: bool,
    pub(crate) router_mandatory: bool,
    pub(crate) router_handover: bool,
    pub(crate) probe_router: bool,
    pub(crate) req_correlate: bool,
    pub(crate) req_relaxed: bool,
    pub(crate) xpub_nodrop: bool,
    /// The longest part that may be sent, in bytes; `None`: no limit. The context says so.
    pub(crate) max_part: Option<usize>,
    /// Whether large bodies are read into place; the context says so.
    pub(crate) zero_copy_recv: bool,
    /// The I/O threads that connections may use, as bits; 0: any.
    pub(crate) affinity: u64,
    /// Whether only the last message of each peer is kept.
    pub(crate) conflate: bool,
    /// In the bits of the type-of-service byte; 0: the system's default.
    pub(crate) tos: i32,
    /// Of packets, for the system's queues; 0: the system's default.
    pub(crate) priority: i32,
    /// In microseconds for which the kernel spins for input; 0: the system's default.
    pub(crate) busy_poll: i32,
    /// The peers that a tcp listener takes; empty: all.
    pub(crate) tcp_accept_filters: Vec<AddressFilter>,
    /// The processes, users and groups that an ipc listener takes; all three empty: all.
    pub(crate) ipc_filter_pid: Vec<i32>,
    pub(crate) ipc_filter_uid: Vec<i32>,
    pub(crate) ipc_filter_gid: Vec<i32>,
    /// `host:port`; empty: none.
    pub(crate) socks_proxy: Vec<u8>,
    pub(crate) socks_username: Vec<u8>,
    pub(crate) socks_password: Vec<u8>,
    /// A listening socket that the next bind takes instead of opening one.
    pub(crate) use_fd: Option<i32>,
    /// The name of a network interface; empty: any.
    pub(crate) bindtodevice: Vec<u8>,
    /// What ends reconnecting, as bits: 1 refused, 2 handshake failed, 4 after a disconnect.
    pub(crate) reconnect_stop: i32,
    pub(crate) router_raw: bool,
    /// Which events of its connections a ROUTER tells, as bits: 1 connect, 2 disconnect.
    pub(crate) router_notify: u8,
    /// Whether a STREAM tells of them.
    pub(crate) stream_notify: bool,
    /// The name of the peer that the next connect reaches.
    pub(crate) connect_routing_id: Option<Vec<u8>>,
    /// Subscriptions that are known already are reported too.
    pub(crate) xpub_verbose: bool,
    /// Unsubscriptions of topics that others still want are reported too.
    pub(crate) xpub_verbose_unsubscribe: bool,
    pub(crate) xpub_manual: bool,
    pub(crate) xpub_manual_last_value: bool,
    pub(crate) xpub_welcome_msg: Vec<u8>,
    pub(crate) invert_matching: bool,
    pub(crate) only_first_subscribe: bool,
    pub(crate) security: Security,
    foreign: Foreign,
    /// Properties for the handshake: names (which begin with `X-`, each once) and values.
    pub(crate) metadata: Vec<(String, Vec<u8>)>,
    /// In frames of one message.
    pub(crate) max_frames: usize,
    /// In bytes of one connection.
    pub(crate) max_held_bytes: usize,
    /// In topics of one peer.
    pub(crate) max_subscriptions: usize,
    /// In bytes of one peer's topics.
    pub(crate) max_topic_bytes: usize,
    /// In connections of one listener.
    pub(crate) max_handshakes: usize,
    pub(crate) bounds: Bounds,
}

/// Bounds that hardly anybody has to change.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// In bytes of all peers.
    pub(crate) max_socket_bytes: Option<usize>,
    /// In bytes of one command.
    pub(crate) max_command_bytes: usize,
    /// In properties of one peer.
    pub(crate) max_properties: usize,
    /// In bytes of one PING.
    pub(crate) max_ping_context: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            max_socket_bytes: None,
            max_command_bytes: 64 * 1024,
            max_properties: 256,
            max_ping_context: 16,
        }
    }
}

/// The row of an option, whatever the socket.
#[must_use]
pub fn find(number: i32) -> Option<&'static OptionSpec> {
    // The rows stand in the order of their numbers (a test sees to it).
    TABLE.binary_search_by_key(&number, OptionSpec::number).ok().map(|i| &TABLE[i])
}

/// Subscribers have nothing to linger for.
fn default_linger(socket: SocketType, context: &ContextOptions) -> Option<Duration> {
    let subscribes = matches!(socket, SocketType::Sub | SocketType::XSub);
    if context.blocky && !subscribes { None } else { Some(Duration::ZERO) }
}

impl Options {
    /// The options of a new socket of this type.
    pub(crate) fn new(socket: SocketType, context: &ContextOptions) -> Options {
        Options {
            socket,
            routing_id: Vec::new(),
            sndhwm: Some(1000),
            rcvhwm: Some(1000),
            linger: default_linger(socket, context),
            sndtimeo: None,
            rcvtimeo: None,
            reconnect_ivl: Some(Duration::from_millis(100)),
            reconnect_ivl_max: None,
            backlog: 100,
            maxmsgsize: -1,
            immediate: false,
            handshake_ivl: Some(Duration::from_secs(30)),
            heartbeat_ivl: None,
            heartbeat_ttl_ds: 0,
            heartbeat_timeout: None,
            connect_timeout: None,
            sndbuf: None,
            rcvbuf: None,
            tcp_keepalive: None,
            tcp_keepalive_cnt: None,
            tcp_keepalive_idle: None,
            tcp_keepalive_intvl: None,
            tcp_maxrt: None,
            ipv6: context.ipv6,
            router_mandatory: false,
            router_handover: false,
            probe_router: false,
            req_correlate: false,
            req_relaxed: false,
            xpub_nodrop: false,
            max_part: context.max_part(),
            zero_copy_recv: context.zero_copy_recv,
            affinity: 0,
            conflate: false,
            tos: 0,
            priority: 0,
            busy_poll: 0,
            tcp_accept_filters: Vec::new(),
            ipc_filter_pid: Vec::new(),
            ipc_filter_uid: Vec::new(),
            ipc_filter_gid: Vec::new(),
            socks_proxy: Vec::new(),
            socks_username: Vec::new(),
            socks_password: Vec::new(),
            use_fd: None,
            bindtodevice: Vec::new(),
            reconnect_stop: 0,
            router_raw: false,
            router_notify: 0,
            stream_notify: true,
            connect_routing_id: None,
            xpub_verbose: false,
            xpub_verbose_unsubscribe: false,
            xpub_manual: false,
            xpub_manual_last_value: false,
            xpub_welcome_msg: Vec::new(),
            invert_matching: false,
            only_first_subscribe: false,
            security: Security::default(),
            foreign: Foreign::default(),
            metadata: Vec::new(),
            max_frames: 65_536,
            max_held_bytes: 1 << 30,
            max_subscriptions: 1_000_000,
            max_topic_bytes: 64 << 20,
            max_handshakes: 1024,
            bounds: Bounds::default(),
        }
    }

    /// Whether pipes keep only the last message: CONFLATE, on the socket types that have a use for it.
    pub(crate) fn conflates(&self) -> bool {
        use SocketType::{Dealer, Pub, Pull, Push, Sub};
        self.conflate && matches!(self.socket, Dealer | Pub | Pull | Push | Sub)
    }

    /// The largest message part that a peer may send, in bytes; `None`: no limit.
    pub(crate) fn max_message_size(&self) -> Option<u64> {
        u64::try_from(self.maxmsgsize).ok()
    }

    /// How long to wait for traffic after a heartbeat; `None` when there are no heartbeats.
    pub(crate) fn heartbeat_timeout(&self) -> Option<Duration> {
        self.heartbeat_ivl.map(|ivl| self.heartbeat_timeout.unwrap_or(ivl))
    }

    /// The row of an option that this socket type has.
    ///
    /// # Errors
    /// [`Error::UnknownOption`].
    pub(crate) fn spec(&self, number: i32) -> Result<&'static OptionSpec> {
        let spec = find(number).ok_or_else(|| Error::UnknownOption(number.to_string()))?;
        if spec.sockets.contains(&self.socket) {
            Ok(spec)
        } else {
            Err(Error::UnknownOption(format!("{} of a {} socket", spec.name, self.socket)))
        }
    }

    /// Sets an option; on failure nothing changes. An option of kind [`OptionSpec::is_socket`] is checked and not
    /// set: the socket does the rest.
    ///
    /// # Errors
    /// [`Error::UnknownOption`] when this socket type has no such option, [`Error::BadOption`] when it cannot be set
    /// or the value is not acceptable.
    pub(crate) fn set(&mut self, number: i32, value: Value<'_>) -> Result<()> {
        let spec = self.spec(number)?;
        spec.check(value)?;
        match (spec.slot, value) {
            (Slot::Int { write, .. }, Value::Int(v)) => write(self, i64::from(v)),
            (Slot::Int { write, .. }, Value::Int64(v)) => write(self, v),
            (Slot::Bytes { write, .. }, Value::Bytes(v)) => write(self, v),
            (Slot::UInt64 { write, .. }, Value::UInt64(v)) => write(self, v),
            (Slot::Append(append), v) if append(self, v) => {}
            (Slot::Socket, _) => {}
            _ => return Err(spec.refuse(value)),
        }
        Ok(())
    }

    /// Reads an option.
    ///
    /// # Errors
    /// [`Error::UnknownOption`] when this socket type has no such option, and also when the socket itself answers it
    /// ([`OptionSpec::is_socket`]); [`Error::BadOption`] when it cannot be read.
    pub(crate) fn get(&self, number: i32) -> Result<OwnedValue> {
        let spec = self.spec(number)?;
        spec.check_get()?;
        self.read(spec).ok_or_else(|| Error::UnknownOption(spec.name.to_owned()))
    }

    /// The value of a row, whether or not it may be read from outside.
    fn read(&self, spec: &OptionSpec) -> Option<OwnedValue> {
        match (spec.slot, spec.kind) {
            (Slot::Int { read, .. }, Kind::Int64 { .. }) => Some(OwnedValue::Int64(read(self))),
            (Slot::UInt64 { read, .. }, _) => Some(OwnedValue::UInt64(read(self))),
            (Slot::Int { read, .. } | Slot::Read(read), _) => {
                Some(OwnedValue::Int(i32::try_from(read(self)).unwrap_or(i32::MAX)))
            }
            (Slot::Bytes { read, .. }, _) => Some(OwnedValue::Bytes(read(self))),
            (Slot::Append(_) | Slot::Socket, _) => None,
        }
    }
}
