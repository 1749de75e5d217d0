//! Events: their kinds, with libzmq's numbers, and what they say.

use crate::endpoint::Endpoint;

/// What happened. The numbers below 2^32 are libzmq's (`ZMQ_EVENT_*`); those above are events that libzmq
/// does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(u64)]
pub enum EventKind {
    /// A connection to the endpoint was made; the handshake follows. Value: its descriptor.
    Connected = 0x1,
    /// A connection is being made in the background. Value: `EINPROGRESS`.
    ConnectDelayed = 0x2,
    /// A connection will be tried again. Value: after how many milliseconds.
    ConnectRetried = 0x4,
    /// The socket was bound to the endpoint. Value: the listener's descriptor.
    Listening = 0x8,
    /// The socket could not be bound. Value: the errno.
    BindFailed = 0x10,
    /// A connection was accepted; the handshake follows. Value: its descriptor.
    Accepted = 0x20,
    /// A connection could not be accepted. Value: the errno.
    AcceptFailed = 0x40,
    /// A bound endpoint was closed, or a connection could not be made. Value: the descriptor closed.
    Closed = 0x80,
    /// A bound endpoint could not be cleaned up. Value: the errno.
    CloseFailed = 0x100,
    /// A connection ended that this side did not end. Value: its descriptor.
    Disconnected = 0x200,
    /// The last event of a monitor.
    MonitorStopped = 0x400,
    /// The handshake failed: the network broke, or it took too long. Value: the errno.
    HandshakeFailedNoDetail = 0x800,
    /// The handshake is complete: messages flow.
    HandshakeSucceeded = 0x1000,
    /// The handshake failed: the peer broke the protocol. Value: a [`ProtocolError`].
    HandshakeFailedProtocol = 0x2000,
    /// The handshake failed: a peer was not authenticated. Value: the status, 300, 400 or 500.
    HandshakeFailedAuth = 0x4000,
    /// The queues of a peer, asked for. Values: messages to be sent, messages to be received.
    PipesStats = 0x1_0000,
    /// Not of libzmq: a name could not be looked up.
    ResolveFailed = 1 << 32,
    /// Not of libzmq: two sound peers cannot talk (socket types, versions), or the peer refused this side.
    Refused = 1 << 33,
    /// Not of libzmq: the peer needed more memory, frames or subscriptions than one peer may have.
    BudgetExceeded = 1 << 34,
    /// Not of libzmq: the monitor was not read in time. Value: how many events are missing here.
    EventsDropped = 1 << 35,
}

impl EventKind {
    /// All that a version 1 monitor of libzmq tells (`ZMQ_EVENT_ALL`).
    pub const ALL_V1: u64 = 0xffff;
    /// All that a version 2 monitor of libzmq tells (`ZMQ_EVENT_ALL_V2`).
    pub const ALL_V2: u64 = 0x1_ffff;
    /// All there is.
    pub const ALL: u64 = u64::MAX;

    /// The number, one bit; numbers are combined into masks with `|`.
    #[must_use]
    pub const fn number(self) -> u64 {
        self as u64
    }

    /// Whether libzmq has this event.
    #[must_use]
    pub const fn is_of_libzmq(self) -> bool {
        self.number() <= Self::ALL_V2
    }

    /// Whether a handshake failed.
    #[must_use]
    pub const fn is_handshake_failure(self) -> bool {
        matches!(
            self,
            EventKind::HandshakeFailedNoDetail
                | EventKind::HandshakeFailedProtocol
                | EventKind::HandshakeFailedAuth
                | EventKind::Refused
        )
    }
}

/// How a peer broke the protocol in its handshake, with libzmq's numbers (`ZMQ_PROTOCOL_ERROR_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u32)]
pub enum ProtocolError {
    /// None of the others.
    ZmtpUnspecified = 0x1000_0000,
    /// A frame or command that has no place where it came.
    ZmtpUnexpectedCommand = 0x1000_0001,
    /// Commands out of order.
    ZmtpInvalidSequence = 0x1000_0002,
    /// The exchange of keys failed.
    ZmtpKeyExchange = 0x1000_0003,
    /// A malformed command, of no particular kind.
    ZmtpMalformedCommand = 0x1000_0011,
    /// A malformed MESSAGE command.
    ZmtpMalformedMessage = 0x1000_0012,
    /// A malformed HELLO command.
    ZmtpMalformedHello = 0x1000_0013,
    /// A malformed INITIATE command.
    ZmtpMalformedInitiate = 0x1000_0014,
    /// A malformed ERROR command.
    ZmtpMalformedError = 0x1000_0015,
    /// A malformed READY command.
    ZmtpMalformedReady = 0x1000_0016,
    /// A malformed WELCOME command.
    ZmtpMalformedWelcome = 0x1000_0017,
    /// Malformed metadata.
    ZmtpInvalidMetadata = 0x1000_0018,
    /// A box that does not open.
    ZmtpCryptographic = 0x1100_0001,
    /// The two ends use different security mechanisms.
    ZmtpMechanismMismatch = 0x1100_0002,
    /// The authentication handler failed, of no particular kind.
    ZapUnspecified = 0x2000_0000,
    /// The authentication handler's reply is malformed.
    ZapMalformedReply = 0x2000_0001,
    /// The authentication handler's reply is to another request.
    ZapBadRequestId = 0x2000_0002,
    /// The authentication handler's reply has another version.
    ZapBadVersion = 0x2000_0003,
    /// The authentication handler's reply has an unknown status.
    ZapInvalidStatusCode = 0x2000_0004,
    /// The authentication handler's reply has malformed metadata.
    ZapInvalidMetadata = 0x2000_0005,
}

impl ProtocolError {
    const ALL: [ProtocolError; 20] = [
        ProtocolError::ZmtpUnspecified,
        ProtocolError::ZmtpUnexpectedCommand,
        ProtocolError::ZmtpInvalidSequence,
        ProtocolError::ZmtpKeyExchange,
        ProtocolError::ZmtpMalformedCommand,
        ProtocolError::ZmtpMalformedMessage,
        ProtocolError::ZmtpMalformedHello,
        ProtocolError::ZmtpMalformedInitiate,
        ProtocolError::ZmtpMalformedError,
        ProtocolError::ZmtpMalformedReady,
        ProtocolError::ZmtpMalformedWelcome,
        ProtocolError::ZmtpInvalidMetadata,
        ProtocolError::ZmtpCryptographic,
        ProtocolError::ZmtpMechanismMismatch,
        ProtocolError::ZapUnspecified,
        ProtocolError::ZapMalformedReply,
        ProtocolError::ZapBadRequestId,
        ProtocolError::ZapBadVersion,
        ProtocolError::ZapInvalidStatusCode,
        ProtocolError::ZapInvalidMetadata,
    ];

    /// libzmq's number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }
}

/// Where something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    endpoint: Option<Endpoint>,
    local: String,
    remote: String,
}

impl Place {
    /// Nowhere in particular.
    pub(crate) const NONE: Place =
        Place { endpoint: None, local: String::new(), remote: String::new() };

    /// At an endpoint that is bound, or was to be.
    pub(crate) fn bound(endpoint: &Endpoint) -> Place {
        let local = endpoint.as_str().to_owned();
        Place { endpoint: Some(endpoint.clone()), local, remote: String::new() }
    }

    /// At an endpoint that is connected to, before there is a connection.
    pub(crate) fn connecting(endpoint: &Endpoint) -> Place {
        let remote = endpoint.as_str().to_owned();
        Place { endpoint: Some(endpoint.clone()), local: String::new(), remote }
    }

    /// The two ends of an accepted connection.
    pub(crate) fn accepted(endpoint: Option<Endpoint>, local: String, remote: String) -> Place {
        Place { endpoint, local, remote }
    }

    /// A connection was made: it has an address of its own.
    pub(crate) fn set_local(&mut self, local: String) {
        self.local = local;
    }

    /// The endpoint that was bound or connected to.
    pub(crate) fn into_endpoint(self) -> Option<Endpoint> {
        self.endpoint
    }

    /// The same without the address of this end.
    pub(crate) fn without_local(&self) -> Place {
        Place { local: String::new(), ..self.clone() }
    }

    /// Which of the two is the one that the socket knows by name.
    fn is_connecting(&self) -> bool {
        self.endpoint.as_ref().is_some_and(|endpoint| endpoint.as_str() == self.remote)
    }
}

/// One event of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MonitorEvent {
    /// What happened.
    pub kind: EventKind,
    /// Why, in words, where there is a reason.
    pub reason: Option<String>,
    /// The endpoint that was bound or connected to, where it is known.
    pub endpoint: Option<Endpoint>,
    /// Our end: the endpoint that was bound, or a connection's own address and port. Empty where there
    /// is none.
    pub local: String,
    /// The other end: the endpoint that was connected to, or the address and port of a peer that came.
    /// Empty where there is none.
    pub remote: String,
    connecting: bool,
    values: [u64; 2],
}

impl MonitorEvent {
    pub(crate) fn new(kind: EventKind, place: Place, value: u64) -> MonitorEvent {
        let connecting = place.is_connecting();
        let Place { endpoint, local, remote } = place;
        let values = [value, 0];
        MonitorEvent { kind, reason: None, endpoint, local, remote, connecting, values }
    }

    /// The same, with the reason in words.
    pub(crate) fn because(mut self, reason: impl ToString) -> MonitorEvent {
        self.reason = Some(reason.to_string());
        self
    }

    /// The same, with the second value of [`EventKind::PipesStats`].
    pub(crate) fn with_second(mut self, value: u64) -> MonitorEvent {
        self.values[1] = value;
        self
    }

    /// What [`kind`](MonitorEvent::kind) says that the value is; 0 where there is none.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.values[0]
    }

    /// All values: two of [`EventKind::PipesStats`], one of every other kind.
    #[must_use]
    pub fn values(&self) -> &[u64] {
        match self.kind {
            EventKind::PipesStats => &self.values,
            _ => &self.values[..1],
        }
    }

    /// The value of [`EventKind::HandshakeFailedProtocol`], by name.
    #[must_use]
    pub fn protocol_error(&self) -> Option<ProtocolError> {
        let value = (self.kind == EventKind::HandshakeFailedProtocol).then(|| self.value())?;
        ProtocolError::ALL.into_iter().find(|error| u64::from(error.number()) == value)
    }

    /// The one endpoint of a version 1 event: where the socket is bound, or what it connects to. As
    /// libzmq's, that of [`EventKind::BindFailed`] has no transport in front.
    #[must_use]
    pub fn address(&self) -> &str {
        if self.connecting { &self.remote } else { self.local_address() }
    }

    pub(super) fn local_address(&self) -> &str {
        match (self.kind, self.local.split_once("://")) {
            (EventKind::BindFailed, Some((_, address))) => address,
            _ => &self.local,
        }
    }
}
