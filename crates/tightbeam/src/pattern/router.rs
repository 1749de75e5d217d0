//! ROUTER: prefixes what it receives with the sender's routing id, and sends by it (RFC 28).

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use slotmap::SecondaryMap;

use super::fair_queue::FairQueue;
use super::{Received, Refusal};
use crate::options::Options;
use crate::pipe::{Body, Parts, PipeId, Pipes};

#[derive(Debug)]
pub(crate) struct Router {
    incoming: FairQueue,
    routes: HashMap<Box<[u8]>, PipeId>,
    /// Each named peer's routing id. A peer whose id was taken stays without a name, and unheard.
    names: SecondaryMap<PipeId, Box<[u8]>>,
    /// The next id for a peer that brings none.
    next_id: u32,
    /// The routing id in front of the current message has been given out.
    addressed: bool,
}

impl Router {
    pub(super) fn new() -> Router {
        // Starts anywhere, so that the ids of one run are not taken for those of the last.
        let next_id = RandomState::new().hash_one(0) as u32;
        Router {
            incoming: FairQueue::default(),
            routes: HashMap::new(),
            names: SecondaryMap::new(),
            next_id,
            addressed: false,
        }
    }

    pub(super) fn identify(
        &mut self,
        pipes: &mut Pipes,
        id: PipeId,
        routing_id: &[u8],
        options: &Options,
    ) {
        let had_name = self.names.contains_key(id);
        let name: Box<[u8]> =
            if routing_id.is_empty() { self.generate() } else { routing_id.into() };
        match self.routes.get(&name) {
            Some(other) if *other != id && !options.router_handover => return,
            Some(other) if *other != id => self.unname(*other),
            _ => {}
        }
        if let Some(old) = self.names.insert(id, name.clone())
            && old != name
            && self.routes.get(&old) == Some(&id)
        {
            self.routes.remove(&old);
        }
        self.routes.insert(name, id);
        if !had_name && pipes.waiting(id) > 0 {
            self.incoming.readable(id);
        }
        if options.probe_router {
            pipes.push(id, &[], Parts::Slice(&[]));
        }
    }

    /// The old peer keeps its place in the fair queue until its messages are taken, but cannot be
    /// sent to any more.
    fn unname(&mut self, id: PipeId) {
        let name: Box<[u8]> = self.generate();
        self.names.insert(id, name);
    }

    fn generate(&mut self) -> Box<[u8]> {
        loop {
            self.next_id = self.next_id.wrapping_add(1);
            let mut id = [0; 5];
            id[1..].copy_from_slice(&self.next_id.to_be_bytes());
            if !self.routes.contains_key(&id[..]) {
                return id.into();
            }
        }
    }

    pub(super) fn detach(&mut self, id: PipeId) {
        if let Some(name) = self.names.get(id)
            && self.routes.get(name) == Some(&id)
        {
            self.routes.remove(name);
        }
    }

    pub(super) fn forget(&mut self, id: PipeId) {
        self.detach(id);
        if self.incoming.current() == Some(id) {
            self.addressed = false;
        }
        self.incoming.detach(id);
        self.names.remove(id);
    }

    /// What a peer without a name sends is dropped: it could never be received, and would keep us from
    /// seeing that the peer has gone.
    pub(super) fn readable(&mut self, pipes: &mut Pipes, id: PipeId) {
        if self.names.contains_key(id) {
            self.incoming.readable(id);
            return;
        }
        while pipes.waiting(id) > 0 {
            pipes.skip_message(id);
            pipes.count_drop(Some(id));
        }
    }

    pub(super) fn send(
        &mut self,
        pipes: &mut Pipes,
        parts: Parts<'_>,
        options: &Options,
    ) -> Result<(), Refusal> {
        if parts.len() < 2 {
            pipes.count_drop(None);
            return Ok(());
        }
        self.admit(pipes, parts.first(), options)?;
        let route = self.routes.get(parts.first()).copied();
        match route {
            Some(id) if pipes.has_room(id) => pipes.push(id, &[], parts.rest()),
            _ => pipes.count_drop(route),
        }
        Ok(())
    }

    /// Refuses what may not be dropped, by the routing id in front.
    pub(super) fn admit(
        &self,
        pipes: &Pipes,
        first: &[u8],
        options: &Options,
    ) -> Result<(), Refusal> {
        if !options.router_mandatory {
            return Ok(());
        }
        match self.routes.get(first) {
            Some(id) if pipes.has_room(*id) => Ok(()),
            Some(_) => Err(Refusal::WouldBlock("the addressed peer has no room for a message")),
            None => Err(Refusal::Unroutable),
        }
    }

    pub(super) fn recv<'a>(&'a mut self, pipes: &'a mut Pipes) -> Option<Received<'a>> {
        if self.addressed {
            let received = self.incoming.recv(pipes)?;
            self.addressed = received.more;
            return Some(received);
        }
        let id = self.incoming.current()?;
        self.addressed = true;
        let name = self.names.get(id).map_or(&[][..], |name| name);
        Some(Received { pipe: id, body: Body::Slice(name), more: true, quiet: true })
    }

    pub(super) fn can_recv(&self) -> bool {
        self.incoming.current().is_some()
    }
}
