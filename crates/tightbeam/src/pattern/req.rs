//! REQ: a request to one peer, then its reply, in strict turn (RFC 28).
//!
//! ```text
//!   IDLE --send--> AWAITING --first part of the reply--> RECEIVING --last part--> IDLE
//! ```

use std::hash::{BuildHasher, RandomState};

use super::fair_queue::FairQueue;
use super::load_balance::LoadBalance;
use super::{NO_PEER_WITH_ROOM, NOTHING_TO_RECEIVE, Received, Refusal};
use crate::options::Options;
use crate::pipe::{Parts, PipeId, Pipes};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Idle,
    /// A request is out; `id` is the number that the reply must carry, if it carries one.
    Awaiting {
        from: PipeId,
        id: Option<u32>,
    },
    Receiving,
}

#[derive(Debug)]
pub(crate) struct Req {
    outgoing: LoadBalance,
    incoming: FairQueue,
    turn: Turn,
    next_id: u32,
}

/// An empty frame with more to come: what separates the envelope from the body.
const DELIMITER: [u8; 2] = [1, 0];

impl Req {
    pub(super) fn new() -> Req {
        Req {
            outgoing: LoadBalance::default(),
            incoming: FairQueue::default(),
            turn: Turn::Idle,
            next_id: RandomState::new().hash_one(0) as u32,
        }
    }

    pub(super) fn attach(&mut self, id: PipeId) {
        self.outgoing.attach(id);
    }

    pub(super) fn detach(&mut self, id: PipeId) {
        self.outgoing.detach(id);
    }

    pub(super) fn forget(&mut self, id: PipeId) {
        self.incoming.detach(id);
    }

    pub(super) fn readable(&mut self, id: PipeId) {
        self.incoming.readable(id);
    }

    fn check_turn(&self, options: &Options) -> Result<(), Refusal> {
        if self.turn == Turn::Idle || options.req_relaxed {
            return Ok(());
        }
        Err(Refusal::OutOfTurn("a REQ socket receives the reply before it sends again"))
    }

    /// Whether a peer has room, if it is time to send.
    pub(super) fn admit(&self, pipes: &Pipes, options: &Options) -> Result<bool, Refusal> {
        self.check_turn(options)?;
        Ok(self.outgoing.has_room(pipes))
    }

    pub(super) fn next_receiver(&self, pipes: &Pipes) -> Option<PipeId> {
        self.outgoing.next_with_room(pipes)
    }

    pub(super) fn send(
        &mut self,
        pipes: &mut Pipes,
        parts: Parts<'_>,
        options: &Options,
    ) -> Result<(), Refusal> {
        self.check_turn(options)?;
        // Before the request goes out: a peer of this process may reply at once.
        if self.incoming.current().is_some() && self.outgoing.has_room(pipes) {
            self.discard_all(pipes);
        }
        let number = self.next_id.wrapping_add(1);
        let id = options.req_correlate.then_some(number);
        let [a, b, c, d] = number.to_be_bytes();
        let envelope = [1, 4, a, b, c, d, DELIMITER[0], DELIMITER[1]];
        let prefix = if id.is_some() { &envelope[..] } else { &DELIMITER };
        let Some(from) = self.outgoing.send(pipes, prefix, parts) else {
            return Err(NO_PEER_WITH_ROOM);
        };
        self.next_id = number;
        self.turn = Turn::Awaiting { from, id };
        Ok(())
    }

    /// Whatever came before a request is no reply to it, nor is the rest of a reply that was given up.
    fn discard_all(&mut self, pipes: &mut Pipes) {
        while self.incoming.current().is_some() {
            self.incoming.skip(pipes);
        }
        self.turn = Turn::Idle;
    }

    pub(super) fn recv<'p>(&mut self, pipes: &'p mut Pipes) -> Result<Received<'p>, Refusal> {
        if self.turn == Turn::Idle {
            return Err(Refusal::OutOfTurn("a REQ socket sends a request before it receives"));
        }
        if !self.can_recv(pipes) {
            return Err(NOTHING_TO_RECEIVE);
        }
        if let Turn::Awaiting { id, .. } = self.turn {
            for _ in 0..1 + usize::from(id.is_some()) {
                self.incoming.recv(pipes)?;
            }
            self.turn = Turn::Receiving;
        }
        let received = self.incoming.recv(pipes)?;
        if !received.more {
            self.turn = Turn::Idle;
        }
        Ok(received)
    }

    /// Discards what is not the reply that is awaited.
    pub(super) fn can_recv(&mut self, pipes: &mut Pipes) -> bool {
        let (from, id) = match self.turn {
            Turn::Idle => return false,
            Turn::Receiving => return true,
            Turn::Awaiting { from, id } => (from, id),
        };
        while let Some(current) = self.incoming.current() {
            if current == from && has_envelope(pipes, current, id) {
                return true;
            }
            self.incoming.skip(pipes);
        }
        false
    }

    pub(super) fn can_send(&self, pipes: &Pipes) -> bool {
        self.turn == Turn::Idle && self.outgoing.has_room(pipes)
    }
}

/// Whether the next message begins with the request's number, if it had one, and a delimiter, and
/// has a body.
fn has_envelope(pipes: &Pipes, from: PipeId, id: Option<u32>) -> bool {
    let Some(pipe) = pipes.get(from) else { return false };
    let mut parts = pipe.incoming.peek();
    if let Some(id) = id
        && parts.next() != Some((&id.to_be_bytes()[..], true))
    {
        return false;
    }
    parts.next() == Some((&[][..], true))
}
