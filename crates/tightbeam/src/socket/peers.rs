//! Peers: what a connection's protocol reports, from the handshake to subscriptions.

use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zmtp::{Encoder, Event, encode_header};

use super::state::{Source, State};
use crate::connection::{Loss, Origin, Phase, SessionId, SourceId};
use crate::error::{Error, Result};
use crate::message::{Frame, Peer, PeerInfo};
use crate::pattern::{News, Pattern, Request};
use crate::pipe::{Parts, Pipe, PipeId};
use crate::reactor::waiters::Interest;

/// What a handshake needs with a peer far away.
const NEEDED: Duration = Duration::from_millis(300);

impl State {
    /// The high-water marks of sending and receiving, in messages; 0 is no limit.
    pub(super) fn marks(&self) -> (usize, usize) {
        (self.options.sndhwm.unwrap_or(0), self.options.rcvhwm.unwrap_or(0))
    }

    /// A pipe to a peer of another process.
    pub(super) fn add_pipe(&mut self) -> PipeId {
        let (send, receive) = self.marks();
        self.attach_pipe(Pipe::new(send, receive, self.options.max_held_bytes))
    }

    /// Makes a pipe known to the pattern.
    pub(super) fn attach_pipe(&mut self, mut pipe: Pipe) -> PipeId {
        if self.options.conflates() {
            pipe.conflate();
        }
        let id = self.pipes.insert(pipe);
        self.pattern.attach(&mut self.pipes, id, &self.options);
        let (send, _) = self.marks();
        let room = if send == 0 { usize::MAX } else { send };
        self.waiters.notify(Interest::Send, room);
        id
    }

    /// Counts an accepted connection whose handshake is to come; the oldest such goes if there are
    /// too many.
    pub(super) fn admit(&mut self, id: SourceId, listener: SourceId, token: usize) {
        self.tell_accepted(id);
        let Some(listening) = self.listening(listener) else {
            return self.lose(id, Loss::Ours, token);
        };
        listening.pending.push_back((id, Instant::now()));
        if listening.pending.len() > listening.terms.options.max_handshakes
            && let Some(victim) = self.least_promising(listener)
        {
            self.put_on_notice(victim, listener);
        }
    }

    /// Gives up a pending handshake, once what has come from the peer was read: it may be all that was missing, with
    /// messages behind it.
    fn put_on_notice(&mut self, victim: SourceId, listener: SourceId) {
        if let Some(listening) = self.listening(listener) {
            listening.pending.retain(|(pending, _)| *pending != victim);
        }
        if let Some(connection) = self.connection(victim) {
            connection.put_on_notice();
            self.enlist(victim);
            self.deferred.kick = true;
        }
    }

    /// Which pending handshake to give up: among the older half the oldest of a peer that has said nothing. It has not
    /// heard from us that messages may flow, so it has sent none that could be lost. If all of those have said
    /// something, the oldest, once it has had the time that a handshake needs: a byte each must not be enough to keep out
    /// whoever comes. Until then any peer that has said nothing, even the one that comes: it will come again.
    fn least_promising(&self, listener: SourceId) -> Option<SourceId> {
        let Some(Source::Listener(listening)) = self.sources.get(listener) else { return None };
        let is_silent = |id: &SourceId| match self.sources.get(*id) {
            Some(Source::Connection(connection)) => connection.heard.is_none(),
            _ => false,
        };
        let pending = &listening.pending;
        let (oldest, came) = *pending.front()?;
        let mut all = pending.iter().map(|(id, _)| *id);
        let silent_half = all.clone().take(pending.len() / 2).find(is_silent);
        let rest = || if came.elapsed() >= NEEDED { None } else { all.find(is_silent) };
        silent_half.or_else(rest).or(Some(oldest))
    }

    /// Deals with what the protocol reports. True if there is something to write.
    pub(super) fn take_events(&mut self, id: SourceId, token: usize) -> bool {
        let mut reply = false;
        let mut before = 0;
        while let Some(event) = self.next_event(id) {
            match event {
                Event::Authenticate(asked) => self.begin_judging(id, asked),
                Event::Ready(peer) => {
                    self.establish(id, &peer);
                    reply = true;
                }
                Event::Pong => {
                    if let Some(connection) = self.connection(id) {
                        connection.note_pong();
                    }
                }
                Event::MessagesBefore(messages) => before = messages as usize,
                Event::Subscribe(topic) => self.subscribes(id, &topic, true, before, token),
                Event::Cancel(topic) => self.subscribes(id, &topic, false, before, token),
                Event::Within(topic, subscribe) if !self.options.only_first_subscribe => {
                    let request = Request { topic: &topic, subscribe, behind: 0, within: true };
                    self.connection_asks(id, request, token);
                }
                _ => {}
            }
        }
        reply
    }

    fn next_event(&mut self, id: SourceId) -> Option<Event> {
        self.connection(id)?.protocol()?.poll_event()
    }

    /// A peer subscribed or cancelled, behind so many messages of the same read.
    fn subscribes(
        &mut self,
        id: SourceId,
        topic: &[u8],
        subscribe: bool,
        before: usize,
        token: usize,
    ) {
        let pipe = self.connection(id).and_then(|connection| connection.pipe);
        let behind = before + pipe.map_or(0, |pipe| self.pipes.waiting(pipe));
        self.connection_asks(id, Request { topic, subscribe, behind, within: false }, token);
    }

    /// A connection's peer wants something from the publisher that this socket is, within its budget.
    fn connection_asks(&mut self, id: SourceId, request: Request<'_>, token: usize) {
        let Some(connection) = self.connection(id) else { return };
        let Some(pipe) = connection.pipe else { return };
        let terms = Arc::clone(&connection.terms);
        self.peer_asks(pipe, request);
        let (topics, bytes) = self.pattern.subscriptions_of(pipe);
        if topics > terms.options.max_subscriptions {
            self.lose(id, Loss::Budget("subscriptions"), token);
        } else if bytes > terms.options.max_topic_bytes {
            self.lose(id, Loss::Budget("bytes of topics"), token);
        }
    }

    /// The peer of a pipe wants something from the publisher that this socket is.
    pub(super) fn peer_asks(&mut self, pipe: PipeId, request: Request<'_>) {
        let State { pattern, pipes, options, .. } = self;
        let notices = pattern.peer_subscription(pipes, pipe, request, options);
        if notices > 0 {
            self.waiters.notify(Interest::Receive, notices);
        }
    }

    /// The handshake is complete: messages flow.
    fn establish(&mut self, id: SourceId, peer: &zmtp::Peer) {
        let Some(connection) = self.connection(id) else { return };
        let encoder = connection.protocol().and_then(zmtp::Connection::take_encoder);
        let Some(encoder) = encoder else { return };
        connection.establish(Some(peer.version), encoder);
        let info = PeerInfo {
            socket_type: peer.socket_type,
            routing_id: peer.routing_id.clone(),
            properties: peer.properties.clone(),
            authenticated: peer.granted.clone(),
            ..PeerInfo::default()
        };
        self.give_pipe(id, info);
        self.replay_subscriptions(id);
        self.tell_established(id);
    }

    /// There is no protocol, and so no handshake: bytes flow.
    pub(super) fn establish_raw(&mut self, id: SourceId) {
        let Some(connection) = self.connection(id) else { return };
        connection.establish(None, Encoder::raw());
        self.give_pipe(id, PeerInfo::default());
    }

    /// Gives a connection its pipe, and tells the pattern who is at the other end.
    fn give_pipe(&mut self, id: SourceId, info: PeerInfo) {
        let Some(connection) = self.connection(id) else { return };
        let origin = connection.origin;
        let address = connection.stream.peer_address();
        let descriptor = Some(connection.stream.as_raw_fd());
        let terms = Arc::clone(&connection.terms);
        let pipe = match origin {
            Origin::Listener(listener) => {
                if let Some(listening) = self.listening(listener) {
                    listening.pending.retain(|(pending, _)| *pending != id);
                }
                self.add_pipe()
            }
            Origin::Session(session) => self.session_pipe(session),
        };
        let routing_id = info.routing_id.clone();
        if let Some(connection) = self.connection(id) {
            connection.pipe = Some(pipe);
        }
        self.links.insert(pipe, id);
        if let Some(pipe) = self.pipes.get_mut(pipe) {
            pipe.peer = Some(Arc::new(Peer::new(PeerInfo { address, descriptor, ..info })));
        }
        self.pattern.identify(&mut self.pipes, pipe, &routing_id, &self.options);
        if self.pattern.notices(&terms.options).connect {
            self.notice(pipe);
        }
    }

    /// An empty message from the peer, which the peer has not sent.
    pub(super) fn notice(&mut self, id: PipeId) {
        let Some(pipe) = self.pipes.get_mut(id) else { return };
        let before = pipe.incoming.messages();
        let mut frame = [0; 9];
        let len = encode_header(false, false, 0, &mut frame);
        pipe.incoming.push(&mut frame[..len].to_vec(), 0..len, 1, len);
        if before == 0 {
            self.pattern.readable(&mut self.pipes, id);
            self.resume_skipped();
        }
        self.waiters.notify(Interest::Receive, 1);
    }

    fn session_pipe(&mut self, id: SessionId) -> PipeId {
        let existing = self.sessions.get_mut(id).and_then(|session| {
            session.reset();
            session.pipe
        });
        if let Some(pipe) = existing {
            return pipe;
        }
        let name = self.sessions.get(id).and_then(|session| session.peer_name.clone());
        let pipe = self.add_pipe();
        self.name_peer(pipe, name.as_deref());
        if let Some(session) = self.sessions.get_mut(id) {
            session.pipe = Some(pipe);
        }
        pipe
    }

    /// How the application wants to call the peer that it connects to, said anew for each.
    pub(super) fn next_peer_name(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(name) = &self.options.connect_routing_id else { return Ok(None) };
        let named = self.pattern.routes().is_some_and(|routes| routes.get(name).is_some());
        let mut sessions = self.sessions.values();
        if named || sessions.any(|session| session.peer_name.as_ref() == Some(name)) {
            return Err(Error::BadOption {
                option: "CONNECT_ROUTING_ID",
                given: format!("{name:02x?}").into(),
                expected: "a routing id that no other peer has",
            });
        }
        Ok(self.options.connect_routing_id.take())
    }

    /// Gives the peer of a pipe that was made by connecting the name that the application has for it.
    /// A STREAM tells in its own routing id how it calls the peer connected last.
    pub(super) fn name_peer(&mut self, pipe: PipeId, name: Option<&[u8]>) {
        if let Some(name) = name {
            self.pattern.assign(&mut self.pipes, pipe, name);
        }
        if let Pattern::Stream(stream) = &self.pattern {
            self.options.routing_id = stream.routes.name_of(pipe).to_vec();
        }
    }

    fn replay_subscriptions(&mut self, id: SourceId) {
        let State { sources, pattern, .. } = self;
        if let Some(Source::Connection(connection)) = sources.get_mut(id) {
            pattern.each_subscription(|topic| connection.announce(topic, true));
        }
    }

    /// Tells every peer what the application has sent as subscriptions, and sends the rest of the message.
    #[cold]
    pub(super) fn send_on(&mut self, parts: Parts<'_>) {
        for News { topic, subscribe } in self.pattern.take_news() {
            self.announce(&topic, subscribe);
        }
        let State { pattern, pipes, options, .. } = self;
        pattern.send_rest(pipes, parts, options);
        for News { topic, subscribe } in self.pattern.take_news() {
            // The other peers read it in the message.
            self.tell_neighbours(&topic, subscribe);
        }
    }

    /// Queues for every peer the news of a subscription, or of its end: behind the messages that wait, as
    /// a message, or else as a command, which goes before messages.
    pub(super) fn announce(&mut self, topic: &[u8], subscribe: bool) {
        for source in self.sources.values_mut() {
            if let Source::Connection(connection) = source
                && connection.phase == Phase::Traffic
                && let Some(pipe) = connection.pipe
            {
                if self.pipes.get(pipe).is_some_and(|pipe| pipe.outgoing.messages() > 0) {
                    let message = Frame::from([&[u8::from(subscribe)], topic].concat());
                    self.pipes.push(pipe, &[], Parts::Frames(std::slice::from_ref(&message)));
                } else {
                    connection.announce(topic, subscribe);
                    self.pipes.mark_dirty(pipe);
                }
            }
        }
        self.tell_neighbours(topic, subscribe);
    }
}
