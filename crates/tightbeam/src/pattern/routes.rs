//! Peers by their routing ids, and their messages with the id in front: what ROUTER and STREAM share.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use slotmap::SecondaryMap;

use super::fair_queue::FairQueue;
use super::{NOTHING_TO_RECEIVE, Received, Refusal};
use crate::pipe::{Body, PipeId, Pipes};

#[derive(Debug)]
struct Name {
    id: Box<[u8]>,
    /// The application chose it: what the peer calls itself does not count.
    fixed: bool,
    /// Another peer has taken the name over: what this one sends is dropped from now on.
    deposed: bool,
}

#[derive(Debug)]
pub(crate) struct Routes {
    by_id: HashMap<Box<[u8]>, PipeId>,
    /// Each named peer's routing id. A peer whose id was taken stays without a name, and unheard.
    names: SecondaryMap<PipeId, Name>,
    /// The next id for a peer that brings none.
    next_id: u32,
    incoming: FairQueue,
    /// The routing id in front of the current message has been given out.
    addressed: bool,
}

impl Routes {
    pub(super) fn new() -> Routes {
        // Starts anywhere, so that the ids of one run are not taken for those of the last.
        let next_id = RandomState::new().hash_one(0) as u32;
        Routes {
            by_id: HashMap::new(),
            names: SecondaryMap::new(),
            next_id,
            incoming: FairQueue::default(),
            addressed: false,
        }
    }

    /// The peer with this routing id.
    pub(crate) fn get(&self, id: &[u8]) -> Option<PipeId> {
        self.by_id.get(id).copied()
    }

    /// A peer's routing id; empty if it has none.
    pub(crate) fn name_of(&self, pipe: PipeId) -> &[u8] {
        self.names.get(pipe).map_or(&[], |name| &name.id)
    }

    /// Names a peer as the application wants it.
    pub(crate) fn assign(&mut self, pipes: &mut Pipes, pipe: PipeId, id: &[u8]) {
        self.name(pipes, pipe, id, false);
        if let Some(name) = self.names.get_mut(pipe)
            && *name.id == *id
        {
            name.fixed = true;
        }
    }

    /// Names a peer as it calls itself, or with a name of ours if it does not. Without `handover` a
    /// name that another peer has is not given.
    pub(super) fn name(&mut self, pipes: &mut Pipes, pipe: PipeId, id: &[u8], handover: bool) {
        let old = self.names.get(pipe);
        if old.is_some_and(|name| name.fixed || (id.is_empty() && !name.deposed)) {
            return;
        }
        let had_name = old.is_some();
        let id: Box<[u8]> = if id.is_empty() { self.generate() } else { id.into() };
        match self.by_id.get(&id).copied() {
            Some(other) if other != pipe && !handover => return,
            Some(other) if other != pipe => self.depose(pipes, other),
            _ => {}
        }
        self.detach(pipe);
        self.names.insert(pipe, Name { id: id.clone(), fixed: false, deposed: false });
        self.by_id.insert(id, pipe);
        if !had_name && pipes.waiting(pipe) > 0 {
            self.incoming.readable(pipe);
        }
    }

    /// The name goes to another peer. What has arrived under it may still be received.
    fn depose(&mut self, pipes: &Pipes, pipe: PipeId) {
        if pipes.waiting(pipe) == 0 {
            self.names.remove(pipe);
        } else if let Some(name) = self.names.get_mut(pipe) {
            name.deposed = true;
        }
    }

    fn generate(&mut self) -> Box<[u8]> {
        loop {
            self.next_id = self.next_id.wrapping_add(1);
            let mut id = [0; 5];
            id[1..].copy_from_slice(&self.next_id.to_be_bytes());
            if !self.by_id.contains_key(&id[..]) {
                return id.into();
            }
        }
    }

    /// The peer cannot be sent to any more.
    pub(super) fn detach(&mut self, pipe: PipeId) {
        if let Some(name) = self.names.get(pipe)
            && self.by_id.get(&name.id) == Some(&pipe)
        {
            self.by_id.remove(&name.id);
        }
    }

    pub(super) fn forget(&mut self, pipe: PipeId) {
        self.detach(pipe);
        if self.incoming.current() == Some(pipe) {
            self.addressed = false;
        }
        self.incoming.detach(pipe);
        self.names.remove(pipe);
    }

    /// The application ends the connection: what is queued is written first, and what has arrived is
    /// dropped, unless it is just being received.
    pub(super) fn hang_up(&mut self, pipes: &mut Pipes, pipe: PipeId) {
        self.detach(pipe);
        if self.addressed && self.incoming.current() == Some(pipe) {
            if let Some(name) = self.names.get_mut(pipe) {
                name.deposed = true;
            }
        } else {
            self.incoming.detach(pipe);
            self.names.remove(pipe);
            drop_waiting(pipes, pipe);
        }
        pipes.hang_up(pipe);
    }

    /// What a peer without a name sends is dropped: it could never be received, and would keep us from
    /// seeing that the peer has gone.
    pub(super) fn readable(&mut self, pipes: &mut Pipes, pipe: PipeId) {
        if self.names.get(pipe).is_some_and(|name| !name.deposed) {
            self.incoming.readable(pipe);
        } else {
            drop_waiting(pipes, pipe);
        }
    }

    /// Whether a message to this routing id would be queued now.
    pub(super) fn admit(&self, pipes: &Pipes, id: &[u8]) -> Result<(), Refusal> {
        match self.get(id) {
            Some(pipe) if pipes.has_room(pipe) => Ok(()),
            Some(_) => Err(Refusal::WouldBlock("the addressed peer has no room for a message")),
            None => Err(Refusal::Unroutable),
        }
    }

    /// Whether any peer has room for a message.
    pub(super) fn any_has_room(&self, pipes: &Pipes) -> bool {
        self.by_id.values().any(|pipe| pipes.has_room(*pipe))
    }

    pub(super) fn recv<'a>(&'a mut self, pipes: &'a mut Pipes) -> Result<Received<'a>, Refusal> {
        if self.addressed {
            let received = self.incoming.recv(pipes)?;
            self.addressed = received.more;
            return Ok(received);
        }
        let pipe = self.incoming.current().ok_or(NOTHING_TO_RECEIVE)?;
        self.addressed = true;
        Ok(Received { pipe, body: Body::Slice(self.name_of(pipe)), more: true, quiet: true })
    }

    pub(super) fn can_recv(&self) -> bool {
        self.incoming.current().is_some()
    }
}

fn drop_waiting(pipes: &mut Pipes, pipe: PipeId) {
    while pipes.waiting(pipe) > 0 {
        pipes.skip_message(pipe);
        pipes.count_drop(Some(pipe));
    }
}
