//! PUSH: messages go to the peers in turn (RFC 30).

use super::load_balance::LoadBalance;
use crate::pipe::{PipeId, Pipes};

#[derive(Debug, Default)]
pub(crate) struct Push {
    pub(super) peers: LoadBalance,
}

impl Push {
    pub(super) fn attach(&mut self, id: PipeId) {
        self.peers.attach(id);
    }

    pub(super) fn detach(&mut self, id: PipeId) {
        self.peers.detach(id);
    }

    pub(super) fn can_send(&self, pipes: &Pipes) -> bool {
        self.peers.has_room(pipes)
    }
}
