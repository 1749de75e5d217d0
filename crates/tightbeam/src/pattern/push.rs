//! PUSH: messages go to the peers in turn (RFC 30).

use super::load_balance::LoadBalance;
use super::{NO_PEER_WITH_ROOM, Refusal};
use crate::pipe::{Parts, PipeId, Pipes};

#[derive(Debug, Default)]
pub(crate) struct Push {
    peers: LoadBalance,
}

impl Push {
    pub(super) fn attach(&mut self, id: PipeId) {
        self.peers.attach(id);
    }

    pub(super) fn detach(&mut self, id: PipeId) {
        self.peers.detach(id);
    }

    pub(super) fn send(&mut self, pipes: &mut Pipes, parts: Parts<'_>) -> Result<(), Refusal> {
        match self.peers.send(pipes, &[], parts) {
            Some(_) => Ok(()),
            None => Err(NO_PEER_WITH_ROOM),
        }
    }

    pub(super) fn can_send(&self, pipes: &Pipes) -> bool {
        self.peers.has_room(pipes)
    }
}
