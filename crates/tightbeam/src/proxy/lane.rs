//! One direction of a proxy.

use super::handle::Shared;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::socket::AnySocket;

/// Messages passed before the other direction gets its turn.
const BATCH: usize = 256;

/// Why a lane stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// There is nothing to take.
    Empty,
    /// The receiving side has no room.
    Full,
    /// The capture socket has no room.
    CaptureFull,
    /// The side had room, but not for this message.
    Refused,
    /// There may be more.
    Budget,
}

/// A message that was taken and not passed on yet.
#[derive(Debug)]
struct Held {
    message: Message,
    captured: bool,
}

/// One direction.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    /// Whether it begins at the front.
    from_front: bool,
    from: &'a AnySocket,
    to: &'a AnySocket,
    capture: Option<&'a AnySocket>,
    held: Option<Held>,
    stop: Stop,
}

/// What one pass has moved.
#[derive(Debug, Default)]
pub(super) struct Moved {
    pub(super) messages_in: u64,
    pub(super) bytes_in: u64,
    pub(super) messages_out: u64,
    pub(super) bytes_out: u64,
}

impl<'a> Lane<'a> {
    pub(super) fn new(from_front: bool, from: &'a AnySocket, to: &'a AnySocket) -> Lane<'a> {
        Lane { from_front, from, to, capture: None, held: None, stop: Stop::Empty }
    }

    pub(super) fn waits_for_message_of(&self, socket: &AnySocket) -> bool {
        self.stop == Stop::Empty && self.from.is_same(socket)
    }

    pub(super) fn waits_for_room_of(&self, socket: &AnySocket) -> bool {
        match self.stop {
            Stop::Full => self.to.is_same(socket),
            Stop::CaptureFull => self.capture.is_some_and(|capture| capture.is_same(socket)),
            Stop::Empty | Stop::Refused | Stop::Budget => false,
        }
    }

    /// Nobody tells when the message that is held may go.
    pub(super) fn is_to_be_asked_again(&self) -> bool {
        self.stop == Stop::Refused
    }

    /// Passes up to a batch of messages.
    pub(super) fn pass(&mut self, capture: Option<&'a AnySocket>, shared: &Shared) -> Result<Stop> {
        self.capture = capture;
        let mut moved = Moved::default();
        let stopped = self.pass_batch(&mut moved);
        shared.count(self.from_front, &moved);
        self.stop = stopped?;
        Ok(self.stop)
    }

    fn pass_batch(&mut self, moved: &mut Moved) -> Result<Stop> {
        for _ in 0..BATCH {
            let held = match self.held.take() {
                Some(held) => held,
                None => match self.take(moved)? {
                    Ok(message) => Held { message, captured: false },
                    Err(stop) => return Ok(stop),
                },
            };
            if let Some(stop) = self.give(held, moved)? {
                return Ok(stop);
            }
        }
        Ok(Stop::Budget)
    }

    /// Takes a message, if it can go on.
    fn take(&self, moved: &mut Moved) -> Result<Result<Message, Stop>> {
        // A REP that is both sides has room only when it has taken a request.
        if !self.from.is_same(self.to) && !self.to.has_room()? {
            return Ok(Err(Stop::Full));
        }
        if let Some(capture) = self.capture
            && !capture.has_room()?
        {
            return Ok(Err(Stop::CaptureFull));
        }
        let Some(message) = self.from.recv_queued()? else { return Ok(Err(Stop::Empty)) };
        moved.messages_in += 1;
        moved.bytes_in += bytes_of(&message);
        Ok(Ok(message))
    }

    /// Passes a message on, or holds it and says why.
    fn give(&mut self, mut held: Held, moved: &mut Moved) -> Result<Option<Stop>> {
        if let Some(capture) = self.capture
            && !held.captured
        {
            match capture.try_send(held.message.clone()).map_err(Error::from) {
                Ok(()) => held.captured = true,
                Err(error) if error.is_would_block() => {
                    self.held = Some(held);
                    let full = !capture.has_room()?;
                    return Ok(Some(if full { Stop::CaptureFull } else { Stop::Refused }));
                }
                // A capture socket that refuses the message itself misses it.
                Err(Error::BadMessage(_) | Error::Unroutable(_)) => held.captured = true,
                Err(error) => return Err(error),
            }
        }
        let bytes = bytes_of(&held.message);
        match self.to.try_send(held.message) {
            Ok(()) => {
                moved.messages_out += 1;
                moved.bytes_out += bytes;
                Ok(None)
            }
            Err(refused) if refused.error.is_would_block() => {
                self.held = Some(Held { message: refused.message, captured: held.captured });
                let full = !self.to.has_room()?;
                Ok(Some(if full { Stop::Full } else { Stop::Refused }))
            }
            // What one peer sends must not end the proxy for the others.
            Err(refused) => match refused.error {
                Error::BadMessage(_) | Error::Unroutable(_) => Ok(None),
                error => Err(error),
            },
        }
    }
}

fn bytes_of(message: &Message) -> u64 {
    message.iter().map(|frame| frame.len() as u64).sum()
}
