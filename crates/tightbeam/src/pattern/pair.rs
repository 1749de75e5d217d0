//! PAIR: messages go to and come from one peer (RFC 31).

use std::collections::VecDeque;

use super::{NO_PEER_WITH_ROOM, NOTHING_TO_RECEIVE, Received, Refusal};
use crate::pipe::{Parts, PipeId, Pipes};

#[derive(Debug, Default)]
pub(crate) struct Pair {
    /// The one that messages go to.
    peer: Option<PipeId>,
    /// Those that have been the peer and are gone: what they sent may still be on its way (inproc).
    former: Vec<PipeId>,
    /// What has a whole message waiting, in the order of arrival: the peer, behind those whose place
    /// it took.
    incoming: VecDeque<PipeId>,
}

impl Pair {
    /// The first one is the peer until it goes. Others stay connected, unheard, and do not take its
    /// place: so it is with libzmq.
    pub(super) fn attach(&mut self, id: PipeId) {
        self.peer.get_or_insert(id);
    }

    pub(super) fn detach(&mut self, id: PipeId) {
        if self.peer == Some(id) {
            self.peer = None;
            self.former.push(id);
        }
    }

    pub(super) fn forget(&mut self, id: PipeId) {
        self.incoming.retain(|other| *other != id);
        self.former.retain(|other| *other != id);
    }

    pub(super) fn readable(&mut self, pipes: &mut Pipes, id: PipeId) {
        if self.peer == Some(id) || self.former.contains(&id) {
            self.incoming.push_back(id);
            return;
        }
        while pipes.waiting(id) > 0 {
            pipes.skip_message(id);
            pipes.count_drop(Some(id));
        }
    }

    pub(super) fn peer(&self) -> Option<PipeId> {
        self.peer
    }

    pub(super) fn send(&mut self, pipes: &mut Pipes, parts: Parts<'_>) -> Result<(), Refusal> {
        match self.peer {
            Some(peer) if pipes.offer(peer, &[], parts) => Ok(()),
            _ => Err(NO_PEER_WITH_ROOM),
        }
    }

    pub(super) fn recv<'p>(&mut self, pipes: &'p mut Pipes) -> Result<Received<'p>, Refusal> {
        let id = *self.incoming.front().ok_or(NOTHING_TO_RECEIVE)?;
        let part = pipes.pop(id).ok_or(NOTHING_TO_RECEIVE)?;
        if !part.more && part.left == 0 {
            self.incoming.pop_front();
        }
        Ok(Received { pipe: id, body: part.body, more: part.more, quiet: part.quiet })
    }

    pub(super) fn can_recv(&self) -> bool {
        !self.incoming.is_empty()
    }

    pub(super) fn can_send(&self, pipes: &Pipes) -> bool {
        self.peer.is_some_and(|peer| pipes.has_room(peer))
    }
}
