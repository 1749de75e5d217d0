//! Outgoing messages go to the peers in turn, skipping those without room (RFC 30, "PUSH").

use std::collections::VecDeque;

use crate::pipe::{PipeId, Pipes};

/// The peers that may be sent to, the next one first.
#[derive(Debug, Default)]
pub(crate) struct LoadBalance {
    turn: VecDeque<PipeId>,
}

impl LoadBalance {
    pub(crate) fn attach(&mut self, id: PipeId) {
        self.turn.push_back(id);
    }

    pub(crate) fn detach(&mut self, id: PipeId) {
        self.turn.retain(|other| *other != id);
    }

    /// The next peer with room; it moves to the end of the line.
    pub(crate) fn next(&mut self, pipes: &Pipes) -> Option<PipeId> {
        let at = self.turn.iter().position(|id| pipes.has_room(*id))?;
        self.turn.rotate_left(at);
        let id = *self.turn.front()?;
        self.turn.rotate_left(1);
        Some(id)
    }

    /// Whether [`next`](LoadBalance::next) would find one.
    pub(crate) fn has_room(&self, pipes: &Pipes) -> bool {
        self.turn.iter().any(|id| pipes.has_room(*id))
    }
}
