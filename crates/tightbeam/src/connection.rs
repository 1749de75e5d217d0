//! One network connection: a stream, its protocol state, and the turns in which it is read and
//! written.
//!
//! Reading and writing are done by whoever holds the connection's read or write token, without the
//! socket's lock: `begin_*` takes out what the turn needs, the job runs, `finish_*` puts it back.

mod proxy;
mod raw;
mod read;
mod recode;
mod write;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use slotmap::new_key_type;
use zmtp::{Encoder, Transmit, Version};

pub(crate) use read::{Arrival, LargeBody, ReadJob};
pub(crate) use write::{WriteOutcome, Writer, Written};

use crate::monitor::Place;
use crate::pipe::PipeId;
use crate::terms::Terms;
use crate::transport::{Negotiation, SocksError, Stream};
use crate::zap::ZapFault;

new_key_type! {
    /// Names a listener or a connection; as a number it is its token in the socket's poll.
    pub(crate) struct SourceId;
    /// Names an endpoint that was connected to.
    pub(crate) struct SessionId;
}

/// Bytes of commands from which on a peer that reads none must wait for more: the protocol bounds
/// what it has not handed over.
const MOST_COMMANDS: usize = 64 * 1024;

/// Who made the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Accepted by this listener.
    Listener(SourceId),
    /// Made for this endpoint.
    Session(SessionId),
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Loss {
    /// The peer closed it.
    #[error("the peer closed the connection")]
    Closed,
    /// The network broke it, or it could not be made.
    #[error("{0}")]
    Network(#[from] io::Error),
    /// The protocol forbids to go on.
    #[error("{0}")]
    Protocol(#[from] zmtp::Error),
    /// More is held for the peer than it is allowed.
    #[error("the peer exceeded its budget of {0}")]
    Budget(&'static str),
    /// More is held for all peers than the socket may hold.
    #[error("the socket holds more than it may for all peers, and most of it for this one")]
    Crowded,
    /// The proxy does not connect us.
    #[error("{0}")]
    Proxy(#[from] SocksError),
    /// The attempt took too long.
    #[error("the connection was not made in time")]
    ConnectTimeout,
    /// The system of this machine has not answered: too many wait to be accepted.
    #[error("the listener's queue is full")]
    Unanswered,
    /// Nobody could say whether the peer may come in.
    #[error("the peer could not be authenticated: {0}")]
    Unjudged(#[from] ZapFault),
    /// We end it.
    #[error("closed by this side")]
    Ours,
}

impl Loss {
    /// Whether nobody listens at the address.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Loss::Network(error) if error.kind() == io::ErrorKind::ConnectionRefused)
    }

    /// Whether connecting again cannot help.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Loss::Protocol(error) => error.is_final(),
            Loss::Budget(_) | Loss::Crowded | Loss::Ours => true,
            Loss::Closed
            | Loss::Network(_)
            | Loss::Proxy(_)
            | Loss::ConnectTimeout
            | Loss::Unanswered
            | Loss::Unjudged(_) => false,
        }
    }
}

/// What is spoken on a connection.
#[derive(Debug)]
enum Protocol {
    Zmtp(Box<zmtp::Connection>),
    /// Nothing: bytes are messages.
    Raw,
}

impl Protocol {
    fn new(terms: &Terms) -> Protocol {
        if terms.raw {
            return Protocol::Raw;
        }
        let protocol = zmtp::Connection::new(Arc::clone(&terms.protocol), Instant::now());
        Protocol::Zmtp(Box::new(protocol))
    }
}

/// How far the connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The kernel is connecting.
    Connecting,
    /// Greeting and handshake.
    Handshake,
    /// Messages flow.
    Traffic,
}

/// One network connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: Arc<Stream>,
    pub(crate) origin: Origin,
    pub(crate) terms: Arc<Terms>,
    pub(crate) place: Box<Place>,
    pub(crate) phase: Phase,
    pub(crate) pipe: Option<PipeId>,
    /// The deadline that stands in the socket's timers.
    pub(crate) timer: Option<Instant>,
    /// Why it is to end as soon as no job has a part of it.
    pub(crate) ending: Option<Loss>,
    /// Its endpoint was unbound: it ends when all is written.
    pub(crate) leaving: bool,
    /// Others want its place.
    on_notice: bool,
    /// The protocol; away while a reader has it.
    protocol: Option<Protocol>,
    /// Bytes read and not consumed: the start of a frame.
    rest: Vec<u8>,
    /// A large body that is being read into place.
    large: Option<Box<LargeBody>>,
    /// Whether the peer may come in is being decided: nothing is read before.
    pub(crate) judging: bool,
    /// What is left of a read from before the decision is to be looked at again.
    held_back: bool,
    /// The kernel may have something to read: only EAGAIN, or a short read, says otherwise.
    pub(crate) readable: bool,
    /// The peer has closed its side, or the connection failed: a short read proves nothing.
    pub(crate) hung_up: bool,
    /// Nothing more can be written, for the peer has closed. What it had sent before is read to the end.
    broken: bool,
    /// When the peer said something last.
    pub(crate) heard: Option<Instant>,
    /// When a PING was sent that nothing has answered, and how long the last answer took.
    pub(crate) pinged: Option<Instant>,
    pub(crate) round_trip: Option<Duration>,
    /// In the socket's list of ready sources.
    pub(crate) listed: bool,
    reading: bool,
    /// The kernel reported readability while a reader was at it.
    read_event: bool,
    /// What the connection speaks, once the handshake is complete.
    version: Option<Version>,
    /// What turns canonical frames into this peer's wire, until the writer has it.
    encoder: Option<Encoder>,
    /// Handshake bytes to write as they are.
    raw: Vec<u8>,
    /// Canonical commands that go before the next message.
    commands: Vec<u8>,
    /// What is being written; away while a writer has it.
    writer: Option<Box<Writer>>,
    /// The kernel's buffer is full; an event ends that.
    pub(crate) blocked: bool,
    /// The kernel reported writability while a writer was at it.
    write_event: bool,
    /// It became writable again, and nobody has written yet.
    pub(crate) resumed: bool,
    /// Somebody wanted to write while a writer was at it.
    again: bool,
    /// What is still to be said to the proxy that connects us, if there is one.
    pub(crate) proxy: Option<Box<Negotiation>>,
}

impl Connection {
    pub(crate) fn new(
        stream: Stream,
        origin: Origin,
        phase: Phase,
        terms: Arc<Terms>,
        place: Place,
    ) -> Connection {
        let protocol = Some(Protocol::new(&terms));
        let stream = Arc::new(stream);
        let writer = Writer::new(Arc::clone(&stream));
        Connection {
            stream,
            origin,
            terms,
            place: Box::new(place),
            phase,
            pipe: None,
            timer: None,
            ending: None,
            leaving: false,
            on_notice: false,
            protocol,
            rest: Vec::new(),
            large: None,
            judging: false,
            held_back: false,
            readable: false,
            hung_up: false,
            broken: false,
            heard: None,
            pinged: None,
            round_trip: None,
            listed: false,
            reading: false,
            read_event: false,
            version: None,
            encoder: None,
            raw: Vec::new(),
            commands: Vec::new(),
            writer: Some(writer),
            blocked: phase == Phase::Connecting,
            write_event: false,
            resumed: false,
            again: false,
            proxy: None,
        }
    }

    /// Notes what the kernel reports. True if there is something to do.
    pub(crate) fn note_event(&mut self, event: &mio::event::Event) -> bool {
        let closed = event.is_read_closed() || event.is_error();
        self.hung_up |= closed;
        let readable = closed || event.is_readable();
        if readable {
            self.readable = true;
            self.read_event = self.reading;
        }
        if event.is_writable() || event.is_error() {
            self.write_event |= self.is_writing();
            if std::mem::take(&mut self.blocked) {
                self.resumed = true;
                self.stream.watch_room(false);
            }
        }
        readable || self.resumed
    }

    /// The kernel takes no more. False if it has said otherwise since.
    pub(crate) fn block(&mut self) -> bool {
        let watched = std::mem::replace(&mut self.blocked, !self.write_event);
        if self.blocked && !watched {
            self.stream.watch_room(true);
        }
        self.blocked
    }

    /// The kernel has taken what it would not take before, unasked.
    #[inline]
    pub(crate) fn unblock(&mut self) {
        if std::mem::take(&mut self.blocked) {
            self.stream.watch_room(false);
        }
    }

    /// The peer takes nothing more: only reading goes on, to the end of what has arrived. A peer of ipc may take nothing
    /// and go on sending.
    pub(crate) fn end_writing(&mut self) {
        self.stream.end_input();
        self.broken = true;
        self.hung_up = true;
        self.look_again();
    }

    /// The kernel is to be asked for input, whatever it has said.
    pub(crate) fn look_again(&mut self) {
        self.readable = true;
        self.read_event = self.reading;
    }

    /// Others want its place: it ends unless what has come by now completes the handshake.
    pub(crate) fn put_on_notice(&mut self) {
        self.on_notice = true;
        self.look_again();
    }

    /// Why a handshake that was put on notice ends, once all that has come was read.
    pub(crate) fn end_of_notice(&self) -> Option<Loss> {
        let waits = || self.reading || (self.readable && !self.judging);
        let ends = self.on_notice && self.phase != Phase::Traffic && !waits();
        ends.then_some(Loss::Budget("pending handshakes"))
    }

    /// Whether nothing can be written any more.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether a job has a part of the connection.
    pub(crate) fn is_busy(&self) -> bool {
        self.reading || self.is_writing()
    }

    /// Whether a writer has a part of the connection.
    pub(crate) fn is_writing(&self) -> bool {
        self.writer.is_none()
    }

    /// The protocol, unless a reader has it, or there is none.
    pub(crate) fn protocol(&mut self) -> Option<&mut zmtp::Connection> {
        match self.protocol.as_mut()? {
            Protocol::Zmtp(protocol) => Some(protocol),
            Protocol::Raw => None,
        }
    }

    /// The connection was made: the protocol, and the handshake's clock, start now.
    pub(crate) fn begin_handshake(&mut self) {
        self.phase = Phase::Handshake;
        self.protocol = Some(Protocol::new(&self.terms));
    }

    /// Messages flow from now on.
    pub(crate) fn establish(&mut self, version: Option<Version>, encoder: Encoder) {
        self.phase = Phase::Traffic;
        self.version = version;
        self.encoder = Some(encoder);
    }

    /// The decision on the peer is made. True if something is to be read.
    pub(crate) fn end_judging(&mut self) -> bool {
        self.judging = false;
        self.held_back = !self.rest.is_empty();
        self.readable || self.held_back
    }

    /// A PONG has come.
    pub(crate) fn note_pong(&mut self) {
        let sent = self.pinged.take();
        let took = sent.and_then(|sent| self.heard?.checked_duration_since(sent));
        self.round_trip = took.or(self.round_trip);
    }

    /// Queues what the protocol wants to say. True if there is anything to write.
    pub(crate) fn collect(&mut self) -> bool {
        if (self.blocked || self.is_writing()) && self.commands.len() >= MOST_COMMANDS {
            return true;
        }
        if let Some(Protocol::Zmtp(protocol)) = self.protocol.as_mut() {
            let mut bytes = Vec::new();
            loop {
                match protocol.take_transmit(&mut bytes) {
                    Transmit::Nothing => break,
                    Transmit::Raw => self.raw.append(&mut bytes),
                    Transmit::Canonical => self.commands.append(&mut bytes),
                }
            }
        }
        !self.raw.is_empty() || !self.commands.is_empty()
    }

    /// Queues a subscription or its cancellation for a peer whose handshake is complete.
    pub(crate) fn announce(&mut self, topic: &[u8], subscribe: bool) {
        if let Some(version) = self.version {
            zmtp::append_subscription(version, subscribe, topic, &mut self.commands);
        }
    }

    /// Whether something waits to be written that is not in the pipe.
    pub(crate) fn has_own_output(&self) -> bool {
        !self.raw.is_empty() || !self.commands.is_empty()
    }

    /// Bytes of commands that wait to be written.
    pub(crate) fn waiting_commands(&self) -> usize {
        self.commands.len()
    }

    /// Bytes held that are not in the pipe.
    pub(crate) fn held_bytes(&self) -> usize {
        self.rest.len() + self.large.as_ref().map_or(0, |large| large.received())
    }
}
