//! DEALER: sends to the peers in turn and receives from them in turn (RFC 28).

use super::fair_queue::FairQueue;
use super::load_balance::LoadBalance;
use crate::pipe::{PipeId, Pipes};

#[derive(Debug, Default)]
pub(crate) struct Dealer {
    pub(super) outgoing: LoadBalance,
    pub(super) incoming: FairQueue,
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

    pub(super) fn can_recv(&self) -> bool {
        self.incoming.current().is_some()
    }

    pub(super) fn can_send(&self, pipes: &Pipes) -> bool {
        self.outgoing.has_room(pipes)
    }
}
