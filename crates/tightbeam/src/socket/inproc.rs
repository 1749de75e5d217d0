//! Sockets of one process: names, and what crosses from one socket to another.
//!
//! No thread holds the locks of two sockets. What one has for the other lies in the lanes between
//! them; whoever put it there releases its own lock, and then calls the other socket, if that may not
//! come by itself: [`Core::attend`].
//!
//! ```text
//!   connect: a pipe, its lanes -- name bound? -- yes: the bound socket takes the other end (`welcome`),
//!                                       |             then the connecter learns of it (`meet`)
//!                                       \- no: waits in the context's names until somebody binds
//! ```

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use slotmap::SecondaryMap;
use zmtp::SocketType;

use super::core::Core;
use super::state::{Life, State};
use crate::context::names::{Introduction, Match, Neighbour, Offer};
use crate::endpoint::{Address, Endpoint};
use crate::error::{Error, Result};
use crate::message::Peer;
use crate::pattern::Request;
use crate::pipe::{LaneEnd, News, Pipe, PipeId};
use crate::reactor::waiters::Interest;

/// A socket's part in inproc.
#[derive(Debug, Default)]
pub(crate) struct Local {
    bound: Vec<Endpoint>,
    connected: Vec<(Endpoint, PipeId)>,
    /// Whose pipes are at the other end of this socket's, once known.
    neighbours: SecondaryMap<PipeId, Neighbour>,
}

impl Local {
    /// Whether the pipe leads to another socket of this process, and that is known.
    pub(super) fn is_connected(&self, pipe: PipeId) -> bool {
        self.neighbours.contains_key(pipe)
    }
}

/// What is given back to the context when the lock is released.
#[derive(Debug, Default)]
pub(super) struct Names {
    bound: Vec<Endpoint>,
    /// Offers that nobody needs any more.
    offered: Vec<(Endpoint, PipeId)>,
}

fn name_of(endpoint: &Endpoint) -> &str {
    match endpoint.address() {
        Address::Inproc(name) => name,
        _ => "",
    }
}

impl Core {
    /// Gives the socket a name, and connects those that have waited for it.
    pub(super) fn bind_local(&self, endpoint: &Endpoint, name: &Arc<str>) -> Result<Endpoint> {
        self.lock()?.check_raw(endpoint, self.socket_type)?;
        let Some(offers) = self.context.names().bind(name, &self.this) else {
            let source = io::Error::from_raw_os_error(libc::EADDRINUSE);
            return Err(Error::Io { operation: "bind", source });
        };
        let closed = match self.lock() {
            Ok(mut guard) => {
                guard.local.bound.push(endpoint.clone());
                guard.last_endpoint = Some(endpoint.clone());
                None
            }
            Err(closed) => {
                self.context.names().unbind(name, &self.this);
                Some(closed)
            }
        };
        offers.into_iter().for_each(|offer| self.offer(name, offer));
        closed.map_or_else(|| Ok(endpoint.clone()), Err)
    }

    /// Connects to the socket with a name, or to the next one that takes it.
    pub(super) fn connect_local(&self, endpoint: &Endpoint, name: &Arc<str>) -> Result<Endpoint> {
        let mut guard = self.lock()?;
        let state = &mut *guard;
        state.check_raw(endpoint, self.socket_type)?;
        let peer_name = state.next_peer_name()?;
        let (send, receive) = state.marks();
        let (mine, theirs) = LaneEnd::pair(send, receive);
        let pipe = state.attach_pipe(Pipe::local(mine));
        state.name_peer(pipe, peer_name.as_deref());
        state.local.connected.push((endpoint.clone(), pipe));
        state.last_endpoint = Some(endpoint.clone());
        let introduction = self.introduction(state);
        drop(guard);
        let from = Neighbour { core: Weak::clone(&self.this), pipe };
        self.offer(name, Offer { from, introduction, end: theirs });
        Ok(endpoint.clone())
    }

    fn introduction(&self, state: &State) -> Introduction {
        let routing_id = state.options.routing_id.clone();
        Introduction { socket_type: self.socket_type, routing_id }
    }

    /// Brings an offer to the socket with the name, or leaves it waiting.
    fn offer(&self, name: &Arc<str>, mut offer: Offer) {
        loop {
            let matched = self.context.names().connect(name, offer);
            let (core, found) = match matched {
                Match::Bound(core, found) => (core, found),
                Match::Waits => return,
                Match::Never(in_vain) => return drop(in_vain),
            };
            match core.welcome(found) {
                None => return,
                Some(refused) => offer = refused,
            }
            // It is closing, and about to give the name back itself.
            self.context.names().unbind(name, &core.this);
        }
    }

    /// Takes the other end of a connection; gives the offer back if the socket is closing.
    fn welcome(&self, offer: Offer) -> Option<Offer> {
        let mut guard = self.lock_always();
        if guard.life != Life::Open {
            return Some(offer);
        }
        // Which types may talk to each other is the wire's business: here nobody asks.
        let Offer { from, introduction, mut end } = offer;
        let state = &mut *guard;
        let (send, receive) = state.marks();
        end.set_marks(send, receive);
        let pipe = state.attach_pipe(Pipe::local(end));
        state.meet(pipe, from.clone(), introduction);
        let mine = self.introduction(state);
        drop(guard);
        if let Some(connecter) = from.core.upgrade() {
            let here = Neighbour { core: Weak::clone(&self.this), pipe };
            connecter.lock_always().meet(from.pipe, here, mine);
        }
        // What was sent before the other side knew whom to call.
        self.attend(pipe);
        None
    }

    /// Whether the socket is connected to another of this process, or waits for one.
    pub(crate) fn has_neighbour(&self) -> bool {
        !self.lock_always().local.connected.is_empty()
    }

    /// The socket at the other end of a pipe has something: messages, room, news, or its end.
    pub(super) fn attend(&self, id: PipeId) {
        let mut guard = self.lock_always();
        let state = &mut *guard;
        state.take_news(id);
        state.take_local(id);
        let Some(pipe) = state.pipes.get(id).filter(|pipe| !pipe.dead) else { return };
        let Some(lane) = pipe.lane() else { return };
        match lane.outlook() {
            None => state.leave_neighbour(id),
            Some(0) => {}
            Some(room) => {
                let senders = state.pattern.senders_to_wake(room);
                state.waiters.notify(Interest::Send, senders);
            }
        }
    }

    /// Gives one of the socket's names back; connections made through it go on.
    pub(super) fn unbind_local(&self, endpoint: &Endpoint, name: &str) -> Result<()> {
        let mut guard = self.lock()?;
        let found = guard.local.bound.iter().position(|bound| bound == endpoint);
        let at = found.ok_or_else(|| Error::UnknownEndpoint(endpoint.to_string()))?;
        guard.local.bound.swap_remove(at);
        drop(guard);
        self.context.names().unbind(name, &self.this);
        Ok(())
    }

    /// Ends one connection to a name. What was sent, and what has arrived, may still be received.
    pub(super) fn disconnect_local(&self, endpoint: &Endpoint) -> Result<()> {
        let mut guard = self.lock()?;
        let state = &mut *guard;
        let found = state.local.connected.iter().position(|(connected, _)| connected == endpoint);
        let at = found.ok_or_else(|| Error::UnknownEndpoint(endpoint.to_string()))?;
        let (endpoint, pipe) = state.local.connected.remove(at);
        let mut names = Names::default();
        state.leave_offer(endpoint, pipe, &mut names);
        state.bury_pipe(pipe);
        drop(guard);
        self.give_names_back(names);
        Ok(())
    }

    /// Tells the context which names this socket has done with.
    pub(super) fn give_names_back(&self, names: Names) {
        for endpoint in names.bound {
            self.context.names().unbind(name_of(&endpoint), &self.this);
        }
        for (endpoint, pipe) in names.offered {
            let from = Neighbour { core: Weak::clone(&self.this), pipe };
            let withdrawn = self.context.names().withdraw(name_of(&endpoint), &from);
            // After the lock of the names was released: it may hold bodies of the application.
            drop(withdrawn);
        }
    }
}

impl State {
    /// Between sockets of one process there are messages, and no bytes.
    fn check_raw(&self, endpoint: &Endpoint, socket: SocketType) -> Result<()> {
        if !self.pattern.sends_in_two(&self.options) {
            return Ok(());
        }
        Err(Error::UnfitTransport { endpoint: endpoint.to_string(), socket })
    }

    /// The socket at the other end of a pipe is known.
    fn meet(&mut self, id: PipeId, neighbour: Neighbour, introduction: Introduction) {
        let Some(pipe) = self.pipes.get_mut(id).filter(|pipe| !pipe.dead) else { return };
        let Introduction { socket_type, routing_id } = introduction;
        pipe.peer = Some(Arc::new(Peer::in_process(socket_type, routing_id.clone())));
        self.local.neighbours.insert(id, neighbour);
        let State { pattern, pipes, options, .. } = self;
        pattern.identify(pipes, id, &routing_id, options);
        pattern.each_subscription(|topic| pipes.tell(id, News::Subscribe(topic.into())));
        pipes.calls.push(id);
        // Both high-water marks count from here.
        let room = pipes.get(id).and_then(Pipe::lane).map_or(0, LaneEnd::room);
        self.waiters.notify(Interest::Send, self.pattern.senders_to_wake(room));
    }

    /// Tells every peer in this process of a subscription, or of its end.
    pub(super) fn tell_neighbours(&mut self, topic: &[u8], subscribe: bool) {
        for id in self.local.neighbours.keys() {
            let topic = Box::from(topic);
            let news = if subscribe { News::Subscribe(topic) } else { News::Cancel(topic) };
            self.pipes.tell(id, news);
        }
    }

    /// Something changed that every peer in this process may wait for.
    pub(super) fn call_neighbours(&mut self) {
        self.pipes.calls.extend(self.local.neighbours.keys());
    }

    /// Takes what a peer in this process has said beside messages.
    fn take_news(&mut self, id: PipeId) {
        let Some(pipe) = self.pipes.get(id) else { return };
        let Some((taken, news)) = pipe.lane().map(LaneEnd::take_news) else { return };
        if news.is_empty() {
            return;
        }
        let received = taken - pipe.incoming.messages() as u64;
        for (at, news) in news {
            let (topic, subscribe) = match &news {
                News::Subscribe(topic) => (topic, true),
                News::Cancel(topic) => (topic, false),
            };
            let behind = usize::try_from(at.saturating_sub(received)).unwrap_or(usize::MAX);
            self.peer_asks(id, Request { topic, subscribe, behind, within: false });
        }
    }

    /// Takes the messages of a peer in this process, if all that came before were received.
    pub(super) fn take_local(&mut self, id: PipeId) -> usize {
        self.look_for_local(id, false)
    }

    /// The same; if there are none, and somebody `comes_back` to look again, the peer need not call for the next one.
    pub(super) fn look_for_local(&mut self, id: PipeId, comes_back: bool) -> usize {
        let fresh = self.pipes.refill(id, comes_back);
        if self.pipes.get(id).is_some_and(|pipe| pipe.conflate) {
            self.pattern.replaced(id);
        }
        if fresh > 0 {
            self.pattern.readable(&mut self.pipes, id);
            self.waiters.notify(Interest::Receive, fresh);
        } else if self.pipes.get(id).is_some_and(|pipe| pipe.dead && pipe.unreceived() == 0)
            && !self.pattern.holds(id)
        {
            self.remove_pipe(id);
        }
        fresh
    }

    /// The socket at the other end has closed the connection.
    fn leave_neighbour(&mut self, id: PipeId) {
        self.local.connected.retain(|(_, pipe)| *pipe != id);
        // Who waits for an answer of this peer alone learns that there will be none.
        self.waiters.notify(Interest::Receive, 1);
        if let Some(pipe) = self.pipes.get_mut(id) {
            pipe.traffic.messages_dropped += pipe.unsent() as u64;
        }
        self.bury_pipe(id);
    }

    /// The socket is closing: it leaves its peers in this process, which may receive what was sent.
    pub(super) fn leave_process(&mut self) -> Names {
        if self.options.linger == Some(Duration::ZERO) {
            self.take_back();
        }
        let bound = std::mem::take(&mut self.local.bound);
        let mut names = Names { bound, offered: Vec::new() };
        for (endpoint, pipe) in std::mem::take(&mut self.local.connected) {
            self.leave_offer(endpoint, pipe, &mut names);
        }
        let local: Vec<PipeId> =
            self.pipes.iter().filter(|(_, pipe)| pipe.lane().is_some()).map(|(id, _)| id).collect();
        for id in local {
            self.bury_pipe(id);
        }
        // Nobody receives any more.
        self.pipes.dry.clear();
        names
    }

    /// If nobody has taken the other end yet, what was sent waits for somebody who does.
    fn leave_offer(&mut self, endpoint: Endpoint, id: PipeId, names: &mut Names) {
        let queued = self.pipes.get(id).map_or(0, Pipe::unsent);
        if !self.local.is_connected(id) && queued == 0 {
            names.offered.push((endpoint, id));
        }
    }

    /// Discards what waits for names that nobody has bound: the socket does not linger. What a peer has got stays its
    /// own.
    fn take_back(&mut self) {
        let State { pipes, undelivered, local, .. } = self;
        let mut discarded = Vec::new();
        let waiting = pipes.iter().filter(|(id, _)| !local.is_connected(*id));
        for lane in waiting.filter_map(|(_, pipe)| pipe.lane()) {
            let (messages, queue) = lane.take_back();
            *undelivered += messages;
            discarded.push(queue);
        }
        pipes.released.extend(discarded.into_iter().flat_map(|mut queue| queue.clear()));
    }

    /// The sockets that are to be called, once the lock is released.
    pub(super) fn take_calls(&mut self, calls: &mut Vec<(Arc<Core>, PipeId)>) {
        let State { local, pipes, .. } = self;
        pipes.calls.dedup();
        while let Some(id) = pipes.calls.pop() {
            let neighbour = local.neighbours.get(id);
            calls.extend(neighbour.and_then(|there| Some((there.core.upgrade()?, there.pipe))));
            if pipes.get(id).is_none() {
                local.neighbours.remove(id);
            }
        }
    }
}
