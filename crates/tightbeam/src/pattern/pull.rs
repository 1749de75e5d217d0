//! PULL: messages come from the peers in turn (RFC 30).

use super::fair_queue::FairQueue;
use super::{Received, Refusal};
use crate::pipe::{PipeId, Pipes};

#[derive(Debug, Default)]
pub(crate) struct Pull {
    peers: FairQueue,
}

impl Pull {
    pub(super) fn readable(&mut self, id: PipeId) {
        self.peers.readable(id);
    }

    pub(super) fn forget(&mut self, id: PipeId) {
        self.peers.detach(id);
    }

    pub(super) fn recv<'p>(&mut self, pipes: &'p mut Pipes) -> Result<Received<'p>, Refusal> {
        self.peers.recv(pipes)
    }

    pub(super) fn can_recv(&self) -> bool {
        self.peers.current().is_some()
    }
}
