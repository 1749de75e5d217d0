//! DEALER: sends to the peers in turn and receives from them in turn (RFC 28).

use super::fair_queue::FairQueue;
use super::load_balance::LoadBalance;
use super::{NO_PEER_WITH_ROOM, Received, Refusal};
use crate::pipe::{Parts, PipeId, Pipes};

#[derive(Debug, Default)]
pub(crate) struct Dealer {
    outgoing: LoadBalance,
    incoming: FairQueue,
}

impl Dealer {
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

    pub(super) fn send(&mut self, pipes: &mut Pipes, parts: Parts<'_>) -> Result<(), Refusal> {
        match self.outgoing.send(pipes, &[], parts) {
            Some(_) => Ok(()),
            None => Err(NO_PEER_WITH_ROOM),
        }
    }

    pub(super) fn recv<'p>(&mut self, pipes: &'p mut Pipes) -> Result<Received<'p>, Refusal> {
        self.incoming.recv(pipes)
    }

    pub(super) fn can_recv(&self) -> bool {
        self.incoming.current().is_some()
    }

    pub(super) fn can_send(&self, pipes: &Pipes) -> bool {
        self.outgoing.has_room(pipes)
    }
}
