//! Outgoing messages go to the peers in turn, skipping those without room (RFC 30, "PUSH").

use crate::pipe::{Outgoing, PipeId, Pipes};

/// The peers that may be sent to.
#[derive(Debug, Default)]
pub(crate) struct LoadBalance {
    peers: Vec<PipeId>,
    /// Whose turn it is.
    next: usize,
}

impl LoadBalance {
    pub(crate) fn attach(&mut self, id: PipeId) {
        self.peers.push(id);
    }

    pub(crate) fn detach(&mut self, id: PipeId) {
        let Some(at) = self.peers.iter().position(|other| *other == id) else { return };
        self.peers.remove(at);
        if at < self.next {
            self.next -= 1;
        }
    }

    /// Queues a message for the next peer with room, and answers which that was; then it is the turn of
    /// the one behind it.
    #[inline(always)]
    pub(crate) fn send<'a>(
        &mut self,
        pipes: &mut Pipes,
        prefix: &[u8],
        parts: impl Outgoing<'a>,
    ) -> Option<PipeId> {
        for _ in 0..self.peers.len() {
            if self.next >= self.peers.len() {
                self.next = 0;
            }
            let id = self.peers[self.next];
            self.next += 1;
            if pipes.offer(id, prefix, parts) {
                return Some(id);
            }
        }
        None
    }

    /// Which one [`send`](LoadBalance::send) would find.
    pub(crate) fn next_with_room(&self, pipes: &Pipes) -> Option<PipeId> {
        let (before, from) = self.peers.split_at(self.next.min(self.peers.len()));
        from.iter().chain(before).copied().find(|id| pipes.has_room(*id))
    }

    /// Whether [`send`](LoadBalance::send) would find one.
    pub(crate) fn has_room(&self, pipes: &Pipes) -> bool {
        self.peers.iter().any(|id| pipes.has_room(*id))
    }
}
