//! PULL: messages come from the peers in turn (RFC 30).

use super::fair_queue::FairQueue;
use crate::pipe::PipeId;

#[derive(Debug, Default)]
pub(crate) struct Pull {
    pub(super) peers: FairQueue,
}

impl Pull {
    pub(super) fn readable(&mut self, id: PipeId) {
        self.peers.readable(id);
    }

    pub(super) fn forget(&mut self, id: PipeId) {
        self.peers.detach(id);
    }

    pub(super) fn can_recv(&self) -> bool {
        self.peers.current().is_some()
    }
}
