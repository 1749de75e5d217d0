//! Binding and connecting, and what comes of it: listeners, sessions and connections.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zmtp::{Config, Event, Heartbeat, Role, SocketType};

use super::core::{Core, Reactor};
use super::state::{Guard, Listening, Source, State, Timer};
use super::turn::token_of;
use crate::connection::{Connection, Loss, Origin, Phase, SessionId, SourceId};
use crate::endpoint::{Address, Endpoint};
use crate::error::{Error, Result};
use crate::message::{Peer, PeerInfo};
use crate::monitor::EventKind;
use crate::options::Options;
use crate::pipe::{Pipe, PipeId};
use crate::reactor::waiters::Interest;
use crate::session::{Session, Stage};
use crate::transport::{Listener, Stream, tcp};

/// Connections accepted in one turn.
const ACCEPTS: usize = 32;
/// How long accepting pauses when the system has run out of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Core {
    /// Listens at an endpoint. Answers the endpoint with the port that the system chose.
    pub(crate) fn bind(&self, endpoint: &str) -> Result<Endpoint> {
        let endpoint: Endpoint = endpoint.parse()?;
        endpoint.for_bind()?;
        let options = self.lock()?.options.clone();
        let reactor = self.reactor()?;
        let Address::Tcp { target, .. } = endpoint.address();
        let addresses =
            tcp::resolve(target, options.ipv6).map_err(Error::io("look up the host"))?;
        let mut bound = Err(Error::UnknownEndpoint(endpoint.to_string()));
        for address in addresses {
            bound = tcp::listen(address, &options).map_err(Error::io("bind"));
            if bound.is_ok() {
                break;
            }
        }
        let listener = bound?;
        let local = listener.local_addr().map_err(Error::io("bind"))?;
        let resolved = Endpoint::tcp(local);
        let guard = self.lock()?;
        self.insert_listener(guard, reactor, Listener::Tcp(listener), resolved.clone())?;
        Ok(resolved)
    }

    fn insert_listener(
        &self,
        mut guard: Guard<'_>,
        reactor: &Reactor,
        mut listener: Listener,
        endpoint: Endpoint,
    ) -> Result<()> {
        let state = &mut *guard;
        let registered = state.sources.try_insert_with_key(|id| {
            listener.register(&reactor.registry, token_of(id))?;
            Ok(Source::Listener(Listening {
                listener: Arc::new(listener),
                endpoint: endpoint.clone(),
                listed: false,
                pending: std::collections::VecDeque::new(),
                resting: false,
            }))
        });
        let id = registered.map_err(Error::io("register the listener"))?;
        state.monitors.tell(EventKind::Listening, Some(&endpoint), None);
        state.last_endpoint = Some(endpoint);
        // A peer may have come before the registration: only reading tells.
        state.enlist(id);
        state.deferred.kick = true;
        Ok(())
    }

    /// Accepts what has come.
    pub(super) fn accept(&self, reactor: &Reactor, id: SourceId, listener: &Listener) {
        for _ in 0..ACCEPTS {
            match listener.accept() {
                Ok(stream) => self.adopt(reactor, stream, Origin::Listener(id), Phase::Handshake),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return,
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    _ => return self.pause_accepting(id, &error),
                },
            }
        }
        let mut guard = self.lock_always();
        guard.enlist(id);
    }

    /// The system has no descriptor or memory left: trying at once again would spin.
    fn pause_accepting(&self, id: SourceId, error: &io::Error) {
        let token = self.token();
        let mut guard = self.lock_always();
        let Some(listening) = guard.listening(id) else { return };
        listening.resting = true;
        let endpoint = listening.endpoint.clone();
        guard.monitors.tell(EventKind::AcceptFailed, Some(&endpoint), Some(error));
        guard.set_timer_in(token, ACCEPT_PAUSE, Timer::Accept(id));
    }

    /// Connects to an endpoint, in the background.
    pub(crate) fn connect(&self, endpoint: &str) -> Result<Endpoint> {
        let endpoint: Endpoint = endpoint.parse()?;
        endpoint.for_connect()?;
        self.lock()?;
        self.reactor()?;
        let mut guard = self.lock()?;
        let state = &mut *guard;
        if connects_once(self.socket_type) && state.session_to(&endpoint).is_some() {
            return Ok(endpoint);
        }
        let pipe = (!state.options.immediate).then(|| state.add_pipe());
        let id = state.sessions.insert(Session::new(endpoint.clone(), pipe));
        state.last_endpoint = Some(endpoint.clone());
        drop(guard);
        self.start_session(id);
        Ok(endpoint)
    }

    /// Looks an endpoint up, in a thread of its own if that can take long, and connects.
    pub(super) fn start_session(&self, id: SessionId) {
        let mut guard = self.lock_always();
        let ipv6 = guard.options.ipv6;
        let Some(session) = guard.sessions.get_mut(id) else { return };
        if !session.untried.is_empty() {
            drop(guard);
            return self.try_next_address(id);
        }
        session.stage = Stage::Resolving;
        let Address::Tcp { target, .. } = session.endpoint.address().clone();
        drop(guard);
        if tcp::is_numeric(&target) {
            return self.resolved(id, tcp::resolve(&target, ipv6));
        }
        let this = self.this.clone();
        let lookup = move || {
            let addresses = tcp::resolve(&target, ipv6);
            if let Some(core) = this.upgrade() {
                core.resolved(id, addresses);
            }
        };
        let spawned = std::thread::Builder::new().name("tightbeam-lookup".into()).spawn(lookup);
        if let Err(error) = spawned {
            self.resolved(id, Err(error));
        }
    }

    /// A look-up has ended.
    fn resolved(&self, id: SessionId, addresses: io::Result<Vec<SocketAddr>>) {
        let token = self.token();
        let mut guard = self.lock_always();
        let Some(session) = guard.sessions.get_mut(id) else { return };
        match addresses {
            Ok(addresses) => {
                session.untried = addresses.into();
                drop(guard);
                self.try_next_address(id);
            }
            Err(error) => {
                let endpoint = session.endpoint.clone();
                guard.monitors.tell(EventKind::ConnectRetried, Some(&endpoint), Some(&error));
                guard.retry_session(id, false, token);
                guard.check_closing();
            }
        }
    }

    /// Begins to connect to the next address of an endpoint.
    fn try_next_address(&self, id: SessionId) {
        let mut guard = self.lock_always();
        let options = guard.options.clone();
        let Some(session) = guard.sessions.get_mut(id) else { return };
        let Some(address) = session.untried.pop_front() else { return };
        let Address::Tcp { source, .. } = session.endpoint.address().clone();
        drop(guard);
        let source = source.map(|source| tcp::resolve(&source, options.ipv6)).transpose();
        let stream = source.and_then(|source| {
            let source = source.and_then(|found| found.into_iter().next());
            tcp::connect(address, source, &options)
        });
        match (stream, self.reactor.get()) {
            (Ok(stream), Some(reactor)) => {
                self.adopt(reactor, Stream::Tcp(stream), Origin::Session(id), Phase::Connecting);
            }
            (Err(error), _) => self.connect_failed(id, &error),
            (Ok(_), None) => {}
        }
    }

    fn connect_failed(&self, id: SessionId, error: &io::Error) {
        let token = self.token();
        let mut guard = self.lock_always();
        let endpoint = guard.endpoint_of(Origin::Session(id));
        guard.monitors.tell(EventKind::ConnectRetried, endpoint.as_ref(), Some(error));
        guard.retry_session(id, true, token);
        guard.check_closing();
    }

    /// Takes a stream in.
    fn adopt(&self, reactor: &Reactor, mut stream: Stream, origin: Origin, phase: Phase) {
        let token = self.token();
        let now = Instant::now();
        let mut guard = self.lock_always();
        let state = &mut *guard;
        if phase == Phase::Handshake {
            let Stream::Tcp(tcp) = &stream;
            // A connection works without its tuning.
            let _ = tcp::tune(tcp, &state.options);
        }
        let role = if phase == Phase::Connecting { Role::Connecter } else { Role::Listener };
        let protocol = zmtp::Connection::new(Arc::new(config(&state.options, self, role)), now);
        let inserted = state.sources.try_insert_with_key(|id| {
            stream.register(&reactor.registry, token_of(id))?;
            let connection = Connection::new(stream, origin, phase, protocol);
            Ok::<_, io::Error>(Source::Connection(Box::new(connection)))
        });
        let Ok(id) = inserted else {
            if let Origin::Session(session) = origin {
                state.retry_session(session, false, token);
            }
            return;
        };
        match origin {
            Origin::Listener(listener) => {
                state.admit(id, listener, token);
                drop(guard);
                self.greet(id);
            }
            Origin::Session(session) => {
                if let Some(session) = state.sessions.get_mut(session) {
                    session.stage = Stage::Connected(id);
                }
                if let Some(timeout) = state.options.connect_timeout {
                    state.set_timer_in(token, timeout, Timer::Connection(id));
                }
                let endpoint = state.endpoint_of(origin);
                state.monitors.tell(EventKind::ConnectDelayed, endpoint.as_ref(), None);
            }
        }
    }

    /// The kernel says how a connection attempt ended.
    pub(super) fn finish_connecting(&self, id: SourceId) {
        let token = self.token();
        let mut guard = self.lock_always();
        let Some(connection) = guard.connection(id) else { return };
        match connection.stream.finish_connect() {
            Ok(false) => connection.blocked = true,
            Ok(true) => {
                connection.phase = Phase::Handshake;
                connection.blocked = false;
                let config = Arc::new(config(&guard.options, self, Role::Connecter));
                let protocol = zmtp::Connection::new(config, Instant::now());
                let Some(connection) = guard.connection(id) else { return };
                connection.begin_handshake(protocol);
                let origin = connection.origin;
                let endpoint = guard.endpoint_of(origin);
                guard.monitors.tell(EventKind::Connected, endpoint.as_ref(), None);
                guard.enlist(id);
                drop(guard);
                self.greet(id);
            }
            Err(error) => guard.lose(id, Loss::Network(error), token),
        }
    }

    /// Sends the greeting and starts the handshake's clock.
    fn greet(&self, id: SourceId) {
        let token = self.token();
        let mut guard = self.lock_always();
        guard.watch_protocol(id, token);
        let Some(connection) = guard.connection(id) else { return };
        let greeting = connection.collect();
        drop(guard);
        if greeting {
            self.write(id);
        }
    }

    /// Stops listening at an endpoint.
    pub(crate) fn unbind(&self, endpoint: &str) -> Result<()> {
        let mut guard = self.lock()?;
        let wanted: Endpoint = endpoint.parse()?;
        let found = guard.sources.iter().find_map(|(id, source)| match source {
            Source::Listener(listening) if listening.endpoint == wanted => Some(id),
            _ => None,
        });
        let (Some(id), Some(reactor)) = (found, self.reactor.get()) else {
            return Err(Error::UnknownEndpoint(endpoint.to_owned()));
        };
        guard.close_listener(id, &reactor.registry);
        Ok(())
    }

    /// Ends the connection to an endpoint, once what is queued for it was sent or the time to linger
    /// is over. Does not wait.
    pub(crate) fn disconnect(&self, endpoint: &str) -> Result<()> {
        self.flush_all();
        let token = self.token();
        let mut guard = self.lock()?;
        let Some(id) = guard.session_to(&endpoint.parse()?) else {
            return Err(Error::UnknownEndpoint(endpoint.to_owned()));
        };
        guard.disconnect_session(id, token);
        Ok(())
    }
}

/// Whether a second connection to the same endpoint is none: for most types the peer would count
/// twice where it should once.
fn connects_once(socket_type: SocketType) -> bool {
    matches!(socket_type, SocketType::Dealer | SocketType::Req | SocketType::Pub | SocketType::Sub)
}

impl State {
    /// The session of an endpoint that is connected to.
    fn session_to(&self, endpoint: &Endpoint) -> Option<SessionId> {
        let mut sessions = self.sessions.iter();
        let found = sessions.find(|(_, session)| !session.ending && session.endpoint == *endpoint);
        found.map(|(id, _)| id)
    }

    /// Nothing more goes to the endpoint; what is queued lingers.
    fn disconnect_session(&mut self, id: SessionId, token: usize) {
        let linger = self.options.linger;
        let pipe = self.sessions.get(id).and_then(|session| session.pipe);
        let queued = pipe
            .and_then(|pipe| self.pipes.get_mut(pipe))
            .filter(|pipe| pipe.outgoing.messages() > 0 && linger != Some(Duration::ZERO));
        let (Some(pipe_id), Some(pipe)) = (pipe, queued) else {
            return self.cut_session(id, token);
        };
        pipe.closing = true;
        self.retire_pipe(pipe_id);
        if let Some(session) = self.sessions.get_mut(id) {
            session.ending = true;
        }
        if let Some(linger) = linger {
            self.set_timer_in(token, linger, Timer::Disconnect(id));
        }
    }

    /// Ends the connection to an endpoint now.
    pub(super) fn cut_session(&mut self, id: SessionId, token: usize) {
        let stage = self.sessions.get(id).map(|session| session.stage);
        self.end_session(id);
        if let Some(Stage::Connected(source)) = stage {
            self.lose(source, Loss::Ours, token);
        }
        self.check_closing();
    }

    /// A pipe with the socket's high-water marks, known to the pattern.
    fn add_pipe(&mut self) -> PipeId {
        let send = self.options.sndhwm.unwrap_or(0);
        let receive = self.options.rcvhwm.unwrap_or(0);
        let id = self.pipes.insert(Pipe::new(send, receive, self.options.max_held_bytes));
        self.pattern.attach(&mut self.pipes, id, &self.options);
        let room = if send == 0 { usize::MAX } else { send };
        self.waiters.notify(Interest::Send, room);
        id
    }

    /// Counts an accepted connection whose handshake is to come; the oldest such goes if there are
    /// too many.
    fn admit(&mut self, id: SourceId, listener: SourceId, token: usize) {
        let most = self.options.max_handshakes;
        let endpoint = self.endpoint_of(Origin::Listener(listener));
        self.monitors.tell(EventKind::Accepted, endpoint.as_ref(), None);
        let Some(listening) = self.listening(listener) else {
            return self.lose(id, Loss::Ours, token);
        };
        listening.pending.push_back(id);
        if listening.pending.len() > most
            && let Some(oldest) = listening.pending.pop_front()
        {
            self.lose(oldest, Loss::Budget("pending handshakes"), token);
        }
    }

    /// Deals with what the protocol reports. True if there is something to write.
    pub(super) fn take_events(&mut self, id: SourceId, token: usize) -> bool {
        let mut reply = false;
        while let Some(event) = self.next_event(id) {
            match event {
                Event::Ready(peer) => {
                    self.establish(id, &peer);
                    reply = true;
                }
                Event::Subscribe(topic) => self.peer_subscribes(id, &topic, true, token),
                Event::Cancel(topic) => self.peer_subscribes(id, &topic, false, token),
                _ => {}
            }
        }
        reply
    }

    fn next_event(&mut self, id: SourceId) -> Option<Event> {
        self.connection(id)?.protocol()?.poll_event()
    }

    fn peer_subscribes(&mut self, id: SourceId, topic: &[u8], subscribe: bool, token: usize) {
        let Some(pipe) = self.connection(id).and_then(|connection| connection.pipe) else { return };
        self.pattern.peer_subscription(pipe, topic, subscribe);
        let (topics, bytes) = self.pattern.subscriptions_of(pipe);
        if topics > self.options.max_subscriptions {
            self.lose(id, Loss::Budget("subscriptions"), token);
        } else if bytes > self.options.max_topic_bytes {
            self.lose(id, Loss::Budget("bytes of topics"), token);
        }
    }

    /// The handshake is complete: the connection gets its pipe.
    fn establish(&mut self, id: SourceId, peer: &zmtp::Peer) {
        let Some(connection) = self.connection(id) else { return };
        let Some(encoder) = connection.protocol().map(|protocol| protocol.encoder()) else {
            return;
        };
        connection.establish(peer.version, encoder);
        let origin = connection.origin;
        let address = connection.stream.peer_address();
        let descriptor = Some(connection.stream.as_raw_fd());
        let pipe = match origin {
            Origin::Listener(listener) => {
                if let Some(listening) = self.listening(listener) {
                    listening.pending.retain(|pending| *pending != id);
                }
                self.add_pipe()
            }
            Origin::Session(session) => self.session_pipe(session),
        };
        if let Some(connection) = self.connection(id) {
            connection.pipe = Some(pipe);
        }
        self.links.insert(pipe, id);
        if let Some(pipe) = self.pipes.get_mut(pipe) {
            pipe.peer = Some(Arc::new(Peer::new(PeerInfo {
                address,
                socket_type: peer.socket_type,
                routing_id: peer.routing_id.clone(),
                properties: peer.properties.clone(),
                authenticated: Vec::new(),
                descriptor,
            })));
        }
        self.pattern.identify(&mut self.pipes, pipe, &peer.routing_id, &self.options);
        self.replay_subscriptions(id);
        let endpoint = self.endpoint_of(origin);
        self.monitors.tell(EventKind::HandshakeSucceeded, endpoint.as_ref(), None);
    }

    fn session_pipe(&mut self, id: SessionId) -> PipeId {
        let existing = self.sessions.get_mut(id).and_then(|session| {
            session.reset();
            session.pipe
        });
        let pipe = existing.unwrap_or_else(|| self.add_pipe());
        if let Some(session) = self.sessions.get_mut(id) {
            session.pipe = Some(pipe);
        }
        pipe
    }

    fn replay_subscriptions(&mut self, id: SourceId) {
        let State { sources, pattern, .. } = self;
        if let Some(Source::Connection(connection)) = sources.get_mut(id) {
            pattern.each_subscription(|topic| connection.announce(topic, true));
        }
    }

    /// Tells every peer of a subscription, or its end. Answers whom there is something to write to.
    pub(super) fn announce(&mut self, topic: &[u8], subscribe: bool) -> Vec<SourceId> {
        let mut told = Vec::new();
        for (id, source) in &mut self.sources {
            if let Source::Connection(connection) = source
                && connection.phase == Phase::Traffic
            {
                connection.announce(topic, subscribe);
                told.push(id);
            }
        }
        told
    }
}

/// What a connection's protocol must know.
fn config(options: &Options, core: &Core, role: Role) -> Config {
    let mut config = Config::new(core.socket_type, role);
    config.routing_id.clone_from(&options.routing_id);
    config.properties.clone_from(&options.metadata);
    // What could never be held is refused at its header.
    let most = options.max_held_bytes as u64;
    config.max_message_size = Some(options.max_message_size().map_or(most, |size| size.min(most)));
    config.limits.frames_per_message = u32::try_from(options.max_frames).unwrap_or(u32::MAX);
    config.limits.topic = options.max_topic_bytes as u64;
    config.handshake_timeout = options.handshake_ivl;
    config.heartbeat = options.heartbeat_ivl.map(|interval| Heartbeat {
        interval,
        timeout: options.heartbeat_timeout().unwrap_or(interval),
        ttl: Duration::from_millis(u64::from(options.heartbeat_ttl_ds) * 100),
    });
    config
}
