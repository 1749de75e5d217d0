//! REP: a request from any peer, then the reply to it, in strict turn (RFC 28).
//!
//! ```text
//!   IDLE --first part of a request--> RECEIVING --last part--> REPLYING --send--> IDLE
//! ```

use zmtp::encode_header;

use super::fair_queue::FairQueue;
use super::{NOTHING_TO_RECEIVE, Received, Refusal};
use crate::pipe::{Body, Parts, PipeId, Pipes};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Turn {
    #[default]
    Idle,
    Receiving,
    Replying,
}

#[derive(Debug, Default)]
pub(crate) struct Rep {
    incoming: FairQueue,
    turn: Turn,
    /// Who asked; none if it is gone.
    asker: Option<PipeId>,
    /// The request's envelope, delimiter included, in wire form.
    envelope: Vec<u8>,
}

impl Rep {
    pub(super) fn detach(&mut self, id: PipeId) {
        if self.asker == Some(id) {
            self.asker = None;
        }
    }

    pub(super) fn forget(&mut self, id: PipeId) {
        self.detach(id);
        self.incoming.detach(id);
    }

    pub(super) fn readable(&mut self, id: PipeId) {
        self.incoming.readable(id);
    }

    /// Whether it is time to reply; a reply always has somewhere to go, or is dropped.
    pub(super) fn admit(&self) -> Result<bool, Refusal> {
        if self.turn == Turn::Replying {
            return Ok(true);
        }
        Err(Refusal::OutOfTurn("a REP socket receives a request before it replies"))
    }

    /// Who gets the reply.
    pub(super) fn asker(&self) -> Option<PipeId> {
        self.asker
    }

    pub(super) fn send(&mut self, pipes: &mut Pipes, parts: Parts<'_>) -> Result<(), Refusal> {
        self.admit()?;
        self.turn = Turn::Idle;
        match self.asker.take() {
            Some(asker) if pipes.has_room(asker) => pipes.push(asker, &self.envelope, parts),
            gone => pipes.count_drop(gone),
        }
        Ok(())
    }

    pub(super) fn recv<'p>(&mut self, pipes: &'p mut Pipes) -> Result<Received<'p>, Refusal> {
        if self.turn == Turn::Replying {
            return Err(Refusal::OutOfTurn("a REP socket replies before it receives again"));
        }
        if !self.can_recv(pipes) {
            return Err(NOTHING_TO_RECEIVE);
        }
        if self.turn == Turn::Idle {
            self.take_envelope(pipes);
            self.turn = Turn::Receiving;
        }
        let received = self.incoming.recv(pipes)?;
        if !received.more {
            self.turn = Turn::Replying;
        }
        Ok(received)
    }

    fn take_envelope(&mut self, pipes: &mut Pipes) {
        self.asker = self.incoming.current().filter(|id| pipes.get(*id).is_some_and(|p| !p.dead));
        self.envelope.clear();
        while let Ok(part) = self.incoming.recv(pipes) {
            let body = part.body.as_slice();
            let is_delimiter = body.is_empty();
            let mut header = [0; 9];
            let n = encode_header(true, false, body.len() as u64, &mut header);
            self.envelope.extend_from_slice(&header[..n]);
            self.envelope.extend_from_slice(body);
            if let Body::Frame(frame) = part.body {
                let frame = std::mem::take(frame);
                pipes.released.push(frame);
            }
            if is_delimiter {
                return;
            }
        }
    }

    /// Discards what has no delimiter, or nothing behind it.
    pub(super) fn can_recv(&mut self, pipes: &mut Pipes) -> bool {
        match self.turn {
            Turn::Replying => return false,
            Turn::Receiving => return true,
            Turn::Idle => {}
        }
        while let Some(current) = self.incoming.current() {
            let is_request = pipes.get(current).is_some_and(|pipe| {
                pipe.incoming.peek().any(|(body, more)| body.is_empty() && more)
            });
            if is_request {
                return true;
            }
            self.incoming.skip(pipes);
        }
        false
    }

    pub(super) fn can_send(&self) -> bool {
        self.turn == Turn::Replying
    }
}
