//! Binding and connecting: listeners, sessions and connection attempts.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use zmtp::{Role, SocketType};

use super::core::{Core, Reactor};
use super::state::{Guard, Listening, Source, State, Timer};
use super::turn::token_of;
use crate::connection::{Connection, Loss, Origin, Phase, SessionId, SourceId};
use crate::endpoint::{Address, Endpoint};
use crate::error::{Error, Result};
use crate::monitor::EventKind;
use crate::session::{Session, Stage};
use crate::terms::Terms;
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
        let terms = Terms::new(&self.lock()?.options, self.socket_type, Role::Listener);
        let options = &terms.options;
        let reactor = self.reactor()?;
        let Address::Tcp { target, .. } = endpoint.address();
        let addresses =
            tcp::resolve(target, options.ipv6).map_err(Error::io("look up the host"))?;
        let mut bound = Err(Error::UnknownEndpoint(endpoint.to_string()));
        for address in addresses {
            bound = tcp::listen(address, options).map_err(Error::io("bind"));
            if bound.is_ok() {
                break;
            }
        }
        let listener = bound?;
        let local = listener.local_addr().map_err(Error::io("bind"))?;
        let resolved = Endpoint::tcp(local);
        let guard = self.lock()?;
        self.insert_listener(guard, reactor, Listener::Tcp(listener), &resolved, terms)?;
        Ok(resolved)
    }

    fn insert_listener(
        &self,
        mut guard: Guard<'_>,
        reactor: &Reactor,
        mut listener: Listener,
        endpoint: &Endpoint,
        terms: Arc<Terms>,
    ) -> Result<()> {
        let state = &mut *guard;
        let registered = state.sources.try_insert_with_key(|id| {
            listener.register(&reactor.registry, token_of(id))?;
            Ok(Source::Listener(Listening {
                listener: Arc::new(listener),
                endpoint: endpoint.clone(),
                terms,
                listed: false,
                pending: std::collections::VecDeque::new(),
                resting: false,
            }))
        });
        let id = registered.map_err(Error::io("register the listener"))?;
        state.monitors.tell(EventKind::Listening, Some(endpoint), None);
        state.last_endpoint = Some(endpoint.clone());
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
        let terms = Terms::new(&state.options, self.socket_type, Role::Connecter);
        let id = state.sessions.insert(Session::new(endpoint.clone(), terms, pipe));
        state.last_endpoint = Some(endpoint.clone());
        drop(guard);
        self.start_session(id);
        Ok(endpoint)
    }

    /// Looks an endpoint up, in a thread of its own if that can take long, and connects.
    pub(super) fn start_session(&self, id: SessionId) {
        let mut guard = self.lock_always();
        let Some(session) = guard.sessions.get_mut(id) else { return };
        let ipv6 = session.terms.options.ipv6;
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
        let Some(session) = guard.sessions.get_mut(id) else { return };
        let terms = Arc::clone(&session.terms);
        let Some(address) = session.untried.pop_front() else { return };
        let Address::Tcp { source, .. } = session.endpoint.address().clone();
        drop(guard);
        let options = &terms.options;
        let source = source.map(|source| tcp::resolve(&source, options.ipv6)).transpose();
        let stream = source.and_then(|source| {
            let source = source.and_then(|found| found.into_iter().next());
            tcp::connect(address, source, options)
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
        let mut guard = self.lock_always();
        let state = &mut *guard;
        // Without an origin the endpoint has ended meanwhile, and the stream is closed.
        let Some(terms) = state.terms_of(origin) else { return };
        if phase == Phase::Handshake {
            let Stream::Tcp(tcp) = &stream;
            // A connection works without its tuning.
            let _ = tcp::tune(tcp, &terms.options);
        }
        let inserted = state.sources.try_insert_with_key(|id| {
            stream.register(&reactor.registry, token_of(id))?;
            let connection = Connection::new(stream, origin, phase, Arc::clone(&terms));
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
                if let Some(timeout) = terms.options.connect_timeout {
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
                connection.begin_handshake();
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
    /// What holds for connections of this origin.
    fn terms_of(&self, origin: Origin) -> Option<Arc<Terms>> {
        let terms = match origin {
            Origin::Session(id) => &self.sessions.get(id)?.terms,
            Origin::Listener(id) => match self.sources.get(id)? {
                Source::Listener(listening) => &listening.terms,
                Source::Connection(_) => return None,
            },
        };
        Some(Arc::clone(terms))
    }

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
}
