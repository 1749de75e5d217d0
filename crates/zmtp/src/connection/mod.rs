//! One end of one connection.

mod life;
mod side;
mod state;
mod traffic;
mod transcode;

use std::sync::Arc;
use std::time::Instant;

use life::Life;
use side::{Events, Side};
use state::{State, Step, proceed};
use traffic::{Inbound, Scan};
pub use traffic::{Progress, Traffic};

use crate::error::{Error, Misuse, TEMPORARY, Timeout};
use crate::mechanism::Channel;
use crate::metadata::{Metadata, USER_ID, is_local};
use crate::reader::Reader;
use crate::{Config, Encoder, Event, FrameHeader, Peer, Verdict, Version, command, greeting};

/// One end of one connection: greeting, handshake, then traffic.
///
/// The driver presents what it read to [`handle_read`](Self::handle_read), then takes events
/// ([`poll_event`](Self::poll_event)) and bytes to send ([`take_transmit`](Self::take_transmit)) until
/// there are none, and calls [`handle_timeout`](Self::handle_timeout) when the time of
/// [`poll_timeout`](Self::poll_timeout) has come. It should read what has arrived before it says that
/// time is up. The first error is final: every later call answers the same one.
#[derive(Debug)]
pub struct Connection {
    state: State,
    side: Side,
    /// Until the driver takes it.
    encoder: Option<Encoder>,
    failure: Option<Box<Failure>>,
}

/// How a connection ended.
#[derive(Debug)]
struct Failure {
    error: Error,
    /// The driver is still to be told: the error came behind traffic that was delivered first.
    due: Option<Instant>,
}

/// What kind of bytes [`Connection::take_transmit`] appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transmit {
    /// None.
    Nothing,
    /// Bytes of the greeting or the handshake, to be sent as they are.
    Raw,
    /// Command frames in canonical form, to go through the [`Encoder`].
    Canonical,
}

impl Connection {
    /// Starts a connection; the signature is ready to be sent.
    #[must_use]
    pub fn new(config: Arc<Config>, now: Instant) -> Connection {
        let failure = config.validate().err();
        let failure = failure.map(|error| Box::new(Failure { error, due: Some(now) }));
        let handshake = match failure {
            Some(_) => Vec::new(),
            None => greeting::signature(&config.routing_id).to_vec(),
        };
        let side = Side {
            handshake,
            commands: Vec::new(),
            events: Events::default(),
            life: Life::new(now, config.handshake_timeout),
            peer_knows_commands: false,
            config,
        };
        Connection { state: State::Signature, side, encoder: None, failure }
    }

    /// Deals with bytes that arrived: what an earlier call left over, and what came behind it.
    ///
    /// With CURVE what is consumed has been opened in place: the messages are where they came.
    ///
    /// Messages that stand before a violation are delivered: the error then comes with the next call,
    /// and [`poll_timeout`](Self::poll_timeout) asks for that at once.
    ///
    /// # Errors
    /// Any but [`Error::Misuse`].
    pub fn handle_read(&mut self, now: Instant, input: &mut [u8]) -> Result<Progress, Error> {
        self.check_failure()?;
        if !input.is_empty() {
            self.side.life.heard();
        }
        let mut start = 0;
        if !self.is_ready() {
            if self.side.life.handshake_is_late(now) {
                return Err(self.fail(Error::TimedOut(Timeout::Handshake)));
            }
            start = self.shake_hands(now, input).map_err(|error| self.fail(error))?;
        }
        let State::Traffic(inbound) = &mut self.state else {
            return Ok(Progress::handshake(start));
        };
        let Scan { progress, error } = inbound.scan(now, input, start, &mut self.side);
        if let Some(error) = error {
            if progress.consumed == 0 {
                return Err(self.fail(error));
            }
            self.failure = Some(Box::new(Failure { error, due: Some(now) }));
        }
        Ok(progress)
    }

    /// Goes through the states up to the traffic and answers how many bytes that took.
    fn shake_hands(&mut self, now: Instant, input: &[u8]) -> Result<usize, Error> {
        let mut reader = Reader::new(input);
        loop {
            let state = std::mem::replace(&mut self.state, State::Closed);
            match state.step(now, &mut self.side, &mut reader)? {
                Step::Next(next) => self.state = next,
                Step::Wait(state) => {
                    self.state = state;
                    break;
                }
                Step::Ready(version, metadata, channel) => {
                    self.establish(now, version, metadata, channel);
                    break;
                }
            }
        }
        Ok(input.len() - reader.rest().len())
    }

    fn establish(
        &mut self,
        now: Instant,
        version: Version,
        metadata: Metadata,
        channel: Option<Channel>,
    ) {
        let config = Arc::clone(&self.side.config);
        self.side.events.ready(Peer {
            version,
            socket_type: metadata.socket_type,
            routing_id: metadata.routing_id,
            properties: metadata.properties,
            granted: metadata.granted,
            mechanism: config.mechanism.name(),
        });
        self.side.life.establish(now, config.heartbeat.filter(|_| version >= Version::V3_0));
        if version == Version::V1_0 && config.publishes() {
            // A 1.0 subscriber filters for itself and sends nothing (RFC 13, "Broadcast Content").
            self.side.events.subscription(true, b"");
        }
        let (sealer, opener) = channel.map(|channel| (channel.sealer, channel.opener)).unzip();
        self.encoder = Some(Encoder::new(version, sealer));
        self.state = State::Traffic(Inbound::new(&config, version, opener));
    }

    /// Handles the timers that have expired: an overdue handshake, a PING to send, a peer that is
    /// silent for too long.
    ///
    /// # Errors
    /// [`Error::TimedOut`], or an error that a read left behind.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.check_failure()?;
        let expired = self.side.life.expire(now, &mut self.side.commands);
        expired.map_err(|timeout| self.fail(Error::TimedOut(timeout)))
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); a moment in the past means at once.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.failure {
            Some(failure) => failure.due,
            None => self.side.life.next(),
        }
    }

    /// Appends bytes to send now, all of the kind that it answers; call it until it answers
    /// [`Transmit::Nothing`]. After an error it holds the ERROR command, if one is due.
    pub fn take_transmit(&mut self, out: &mut Vec<u8>) -> Transmit {
        if !self.side.handshake.is_empty() {
            out.append(&mut self.side.handshake);
            self.side.handshake = Vec::new();
            Transmit::Raw
        } else if !self.side.commands.is_empty() {
            out.append(&mut self.side.commands);
            Transmit::Canonical
        } else {
            Transmit::Nothing
        }
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.side.events.poll()
    }

    /// Answers [`Event::Authenticate`]. While the verdict is out no input is consumed, and the driver
    /// should not read any; what a read left unconsumed must be presented again afterwards.
    ///
    /// # Errors
    /// [`Error::Denied`] if the verdict is not to accept, [`Error::Misuse`] if none was asked for.
    pub fn handle_verdict(&mut self, now: Instant, verdict: Verdict) -> Result<(), Error> {
        self.check_failure()?;
        let granted = match verdict {
            Verdict::Accept { user_id, properties } => {
                let user_id = user_id.map(|id| (USER_ID.to_owned(), id));
                let given = properties.into_iter().filter(|(name, _)| !is_local(name.as_bytes()));
                given.chain(user_id).collect()
            }
            Verdict::Temporary => return Err(self.fail(Error::Denied(TEMPORARY))),
            Verdict::Deny { status } => return Err(self.fail(Error::Denied(status))),
        };
        let step = match std::mem::replace(&mut self.state, State::Closed) {
            State::Handshake { version, mechanism } => mechanism
                .handle_accept(&self.side.config, granted, &mut self.side.handshake)
                .map(|outcome| proceed(&mut self.side, version, outcome)),
            _ => Err(Error::Misuse(Misuse::UnexpectedVerdict)),
        };
        match step.map_err(|error| self.fail(error))? {
            Step::Wait(state) | Step::Next(state) => self.state = state,
            Step::Ready(version, metadata, channel) => {
                self.establish(now, version, metadata, channel);
            }
        }
        Ok(())
    }

    /// What turns canonical frames into bytes for this peer, once, after [`Event::Ready`]: with CURVE a
    /// second one would use nonces twice.
    #[must_use]
    pub const fn take_encoder(&mut self) -> Option<Encoder> {
        self.encoder.take()
    }

    /// Counts a data frame whose header was [`Progress::partial`] and whose body the driver has read
    /// itself; the next [`handle_read`](Self::handle_read) starts behind it. Answers how many messages
    /// it completes, 0 or 1. While such a body comes in, [`handle_body_part`](Self::handle_body_part)
    /// keeps the heartbeat from taking the peer for dead. The length in the header is only what the
    /// peer claims: memory should grow with what arrives.
    ///
    /// # Errors
    /// [`Error::Misuse`] where no such frame can be, [`Error::Misbehaved`] if it is above a limit.
    pub fn handle_large_body(&mut self, _now: Instant, header: FrameHeader) -> Result<u32, Error> {
        self.check_failure()?;
        self.handle_body_part();
        let counted = match &mut self.state {
            State::Traffic(inbound) if inbound.takes_bodies() && !header.command => {
                inbound.count_large(header)
            }
            _ => Err(Error::Misuse(Misuse::UnexpectedBody)),
        };
        counted.map_err(|error| self.fail(error))
    }

    /// Notes that a part of a large body, which the driver reads itself, arrived: a sign of life.
    pub const fn handle_body_part(&mut self) {
        self.side.life.heard();
    }

    /// Whether the handshake is complete and the connection has not failed.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Traffic(_))
    }

    /// Answers the error that ended the connection, if any.
    fn check_failure(&mut self) -> Result<(), Error> {
        let Some(failure) = &mut self.failure else { return Ok(()) };
        failure.due = None;
        self.state = State::Closed;
        Err(failure.error.clone())
    }

    /// Ends the connection; the ERROR command goes out if the peer is owed one and understands it.
    fn fail(&mut self, error: Error) -> Error {
        let mechanism = &self.side.config.mechanism;
        let (is_plain, may_refuse) = (mechanism.is_plain(), mechanism.may_refuse());
        let reason = error.reason_for_peer();
        let reason = reason.filter(|_| self.side.peer_knows_commands && may_refuse);
        match reason {
            Some(reason) if is_plain => {
                command::append_plain_error(&reason, &mut self.side.handshake);
            }
            Some(reason) => command::append_error(&reason, &mut self.side.handshake),
            None => {}
        }
        self.state = State::Closed;
        self.failure = Some(Box::new(Failure { error: error.clone(), due: None }));
        error
    }
}
