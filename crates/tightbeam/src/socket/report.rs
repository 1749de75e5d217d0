//! What is told to monitors, and counted: which events a socket's life amounts to, in libzmq's order.

use std::fmt::Display;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use zmtp::{Error as Protocol, Incompatibility, Violation};

use super::state::State;
use crate::connection::{Connection, Loss, Origin, Phase, SessionId, SourceId};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::monitor::{EventKind, MonitorEvent, Place, ProtocolError};
use crate::transport::Stream;
use crate::zap::ZapFault;

/// What has happened to a socket's connections since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Connections that were accepted.
    pub accepted: u64,
    /// Connections that were made.
    pub connected: u64,
    /// Handshakes that were completed.
    pub handshakes_succeeded: u64,
    /// Connections that ended before their handshake was complete, and not by this side's will.
    pub handshakes_failed: u64,
    /// Connections that ended after their handshake, and not by this side's will.
    pub disconnected: u64,
    /// Attempts to connect again that were planned.
    pub connect_retries: u64,
    /// Times that the system could not accept.
    pub accepts_failed: u64,
    /// Look-ups of names that failed.
    pub resolves_failed: u64,
    /// Peers sent off because they needed more than one peer may have.
    pub budgets_exceeded: u64,
}

/// What libzmq calls the end of a Unix domain connection that has no name.
const UNNAMED: &str = "ipc://";

fn descriptor(of: RawFd) -> u64 {
    u64::try_from(of).unwrap_or(0)
}

fn errno(error: &io::Error) -> u64 {
    error.raw_os_error().and_then(|errno| u64::try_from(errno).ok()).unwrap_or(libc::EIO as u64)
}

impl State {
    /// Tells the monitors, if there are any; the event is made only then.
    pub(super) fn tell(&mut self, make: impl FnOnce(&State) -> MonitorEvent) {
        if self.monitors.is_empty() {
            return;
        }
        let event = make(self);
        let mut wakers = Vec::new();
        self.monitors.tell(&event, &mut wakers);
        self.wake_later(wakers);
    }

    /// Wakers are foreign code: they are called after unlocking.
    pub(super) fn wake_later(&mut self, mut wakers: Vec<std::task::Waker>) {
        if !wakers.is_empty() {
            self.deferred.wakers.append(&mut wakers);
        }
    }

    pub(super) fn tell_listening(&mut self, endpoint: &Endpoint, listener: RawFd) {
        let value = descriptor(listener);
        self.tell(|_| MonitorEvent::new(EventKind::Listening, Place::bound(endpoint), value));
    }

    pub(super) fn tell_bind_failed(&mut self, endpoint: &Endpoint, error: &Error) {
        let value = u64::try_from(error.errno()).unwrap_or(0);
        self.tell(|_| {
            MonitorEvent::new(EventKind::BindFailed, Place::bound(endpoint), value).because(error)
        });
    }

    pub(super) fn tell_unbound(&mut self, endpoint: &Endpoint, listener: RawFd) {
        let value = descriptor(listener);
        self.tell(|_| MonitorEvent::new(EventKind::Closed, Place::bound(endpoint), value));
    }

    pub(super) fn tell_accept_failed(&mut self, endpoint: Option<&Endpoint>, error: &io::Error) {
        self.counters.accepts_failed += 1;
        self.tell(|_| {
            let place = endpoint.map_or(Place::NONE, Place::bound);
            MonitorEvent::new(EventKind::AcceptFailed, place, errno(error)).because(error)
        });
    }

    /// A connection was accepted.
    pub(super) fn tell_accepted(&mut self, id: SourceId) {
        self.counters.accepted += 1;
        self.tell_of(id, EventKind::Accepted, descriptor);
    }

    /// A connection is being made.
    pub(super) fn tell_connecting(&mut self, id: SourceId) {
        self.tell_of(id, EventKind::ConnectDelayed, |_| libc::EINPROGRESS as u64);
    }

    /// A connection was made.
    pub(super) fn tell_connected(&mut self, id: SourceId) {
        self.counters.connected += 1;
        if let Some(connection) = self.connection(id) {
            let ends = connection.stream.ends();
            let local = ends.map_or_else(|| UNNAMED.to_owned(), |ends| ends.0);
            connection.place.set_local(local);
        }
        self.tell_of(id, EventKind::Connected, descriptor);
    }

    /// A handshake is complete.
    pub(super) fn tell_established(&mut self, id: SourceId) {
        self.counters.handshakes_succeeded += 1;
        self.tell_of(id, EventKind::HandshakeSucceeded, |_| 0);
    }

    fn tell_of(&mut self, id: SourceId, kind: EventKind, value: impl FnOnce(RawFd) -> u64) {
        if self.monitors.is_empty() {
            return;
        }
        let Some(connection) = self.connection(id) else { return };
        let value = value(connection.stream.as_raw_fd());
        let place = connection.place.clone();
        self.tell(|_| MonitorEvent::new(kind, *place, value));
    }

    /// A name could not be looked up.
    pub(super) fn tell_unresolved(&mut self, id: SessionId, error: &io::Error) {
        self.counters.resolves_failed += 1;
        self.tell(|state| {
            MonitorEvent::new(EventKind::ResolveFailed, state.place_of_session(id), errno(error))
                .because(error)
        });
    }

    /// An endpoint will be connected to again.
    pub(super) fn tell_retry(&mut self, id: SessionId, pause: Duration, why: &dyn Display) {
        self.counters.connect_retries += 1;
        let value = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        self.tell(|state| {
            MonitorEvent::new(EventKind::ConnectRetried, state.place_of_session(id), value)
                .because(why)
        });
    }

    fn place_of_session(&self, id: SessionId) -> Place {
        self.sessions.get(id).map_or(Place::NONE, |session| Place::connecting(&session.endpoint))
    }

    /// Where a connection of this origin is, before anything is known but that.
    pub(super) fn place_of(&self, origin: Origin, stream: &Stream) -> Place {
        let endpoint = self.endpoint_of(origin);
        match (endpoint, origin) {
            (None, _) => Place::NONE,
            (Some(endpoint), Origin::Listener(_)) => {
                let (local, remote) = match stream.ends() {
                    Some(ends) => ends,
                    None => (endpoint.as_str().to_owned(), UNNAMED.to_owned()),
                };
                Place::accepted(Some(endpoint), local, remote)
            }
            (Some(endpoint), Origin::Session(_)) => Place::connecting(&endpoint),
        }
    }

    /// A connection has ended. What this side ends itself is no event, as with libzmq.
    pub(super) fn tell_loss(&mut self, connection: &Connection, loss: &Loss) {
        if matches!(loss, Loss::Ours) {
            return;
        }
        let event =
            |kind, value| MonitorEvent::new(kind, (*connection.place).clone(), value).because(loss);
        let value = descriptor(connection.stream.as_raw_fd());
        if matches!(loss, Loss::Budget(_) | Loss::Crowded) {
            self.counters.budgets_exceeded += 1;
            self.tell(|_| event(EventKind::BudgetExceeded, 0));
        }
        match connection.phase {
            Phase::Connecting => return self.tell(|_| event(EventKind::Closed, value)),
            Phase::Handshake => {
                self.counters.handshakes_failed += 1;
                if let Some((kind, value)) = handshake_failure(loss) {
                    self.tell(|_| event(kind, value));
                }
            }
            Phase::Traffic => {
                self.counters.disconnected += 1;
                if let Some((kind, value)) = message_failure(connection, loss) {
                    self.tell(|_| event(kind, value));
                }
            }
        }
        self.tell(|_| event(EventKind::Disconnected, value));
    }
}

/// The event of a handshake that failed, and its value; none where another one has told.
fn handshake_failure(loss: &Loss) -> Option<(EventKind, u64)> {
    let no_detail = |errno: i32| (EventKind::HandshakeFailedNoDetail, errno as u64);
    let protocol =
        |error: ProtocolError| (EventKind::HandshakeFailedProtocol, u64::from(error.number()));
    let auth = |status: u16| (EventKind::HandshakeFailedAuth, u64::from(status));
    Some(match loss {
        Loss::Budget(_) | Loss::Crowded | Loss::Ours => return None,
        Loss::Unjudged(fault) => return zap_failure(*fault),
        Loss::Closed => no_detail(libc::ECONNRESET),
        Loss::Network(error) => (EventKind::HandshakeFailedNoDetail, errno(error)),
        Loss::Proxy(_) => no_detail(libc::ECONNREFUSED),
        Loss::ConnectTimeout | Loss::Unanswered => no_detail(libc::ETIMEDOUT),
        Loss::Protocol(Protocol::TimedOut(_)) => no_detail(libc::EAGAIN),
        Loss::Protocol(Protocol::Misbehaved(violation)) => protocol(code_of(*violation)),
        Loss::Protocol(Protocol::Incompatible(Incompatibility::Mechanism { .. })) => {
            protocol(ProtocolError::ZmtpMechanismMismatch)
        }
        Loss::Protocol(Protocol::Denied(status)) => auth(*status),
        Loss::Protocol(Protocol::Refused(reason)) => match status_in(reason.as_bytes()) {
            Some(status) => auth(status),
            None => (EventKind::Refused, 0),
        },
        Loss::Protocol(Protocol::Incompatible(_)) => (EventKind::Refused, 0),
        Loss::Protocol(_) => no_detail(libc::EINVAL),
    })
}

/// As libzmq tells of a message of CURVE that does not hold, for want of another event.
fn message_failure(connection: &Connection, loss: &Loss) -> Option<(EventKind, u64)> {
    match loss {
        Loss::Protocol(Protocol::Misbehaved(
            violation @ (Violation::Undecipherable
            | Violation::NonceOutOfOrder
            | Violation::MalformedMessage),
        )) if connection.terms.is_sealed() => {
            Some((EventKind::HandshakeFailedProtocol, u64::from(code_of(*violation).number())))
        }
        _ => None,
    }
}

/// As libzmq tells of a handler that does not do its part.
fn zap_failure(fault: ZapFault) -> Option<(EventKind, u64)> {
    let error = match fault {
        ZapFault::NoHandler | ZapFault::HandlerLeft | ZapFault::Busy | ZapFault::Panicked => {
            return Some((EventKind::HandshakeFailedNoDetail, libc::EFAULT as u64));
        }
        ZapFault::MalformedReply => ProtocolError::ZapMalformedReply,
        ZapFault::BadVersion => ProtocolError::ZapBadVersion,
        ZapFault::BadRequestId => ProtocolError::ZapBadRequestId,
        ZapFault::InvalidStatus => ProtocolError::ZapInvalidStatusCode,
        ZapFault::InvalidMetadata => ProtocolError::ZapInvalidMetadata,
    };
    Some((EventKind::HandshakeFailedProtocol, u64::from(error.number())))
}

/// The status in the ERROR command of a peer that did not authenticate us (RFC 27, "Message Format").
fn status_in(reason: &[u8]) -> Option<u16> {
    match reason {
        [b'3'..=b'5', b'0', b'0'] => Some(u16::from(reason[0] - b'0') * 100),
        _ => None,
    }
}

fn code_of(violation: Violation) -> ProtocolError {
    match violation {
        Violation::UnexpectedCommand
        | Violation::UnexpectedMessage
        | Violation::MalformedCommand
        | Violation::ReservedFlags(_)
        | Violation::CommandWithMore => ProtocolError::ZmtpUnexpectedCommand,
        Violation::Undecipherable | Violation::InvalidKey => ProtocolError::ZmtpCryptographic,
        Violation::InvalidVouch => ProtocolError::ZmtpKeyExchange,
        Violation::NonceOutOfOrder => ProtocolError::ZmtpInvalidSequence,
        Violation::MalformedHello => ProtocolError::ZmtpMalformedHello,
        Violation::MalformedWelcome => ProtocolError::ZmtpMalformedWelcome,
        Violation::MalformedInitiate => ProtocolError::ZmtpMalformedInitiate,
        Violation::MalformedReady => ProtocolError::ZmtpMalformedReady,
        Violation::MalformedMessage => ProtocolError::ZmtpMalformedMessage,
        Violation::MalformedError => ProtocolError::ZmtpMalformedError,
        Violation::MalformedMetadata
        | Violation::TooManyProperties(_)
        | Violation::InvalidRoutingId => ProtocolError::ZmtpInvalidMetadata,
        _ => ProtocolError::ZmtpUnspecified,
    }
}
