//! Connecting: sessions, look-ups, attempts, disconnect.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use zmtp::{Role, SocketType};

use super::core::Core;
use super::state::{State, Timer};
use crate::connection::{Loss, Origin, Phase, SessionId, SourceId};
use crate::endpoint::{Address, Endpoint, IpcAddress, TcpAddress};
use crate::error::Result;
use crate::monitor::EventKind;
use crate::session::{Session, Stage};
use crate::terms::Terms;
use crate::transport::{Stream, ipc, tcp};

/// The longest pause before a listener is asked again that had no room for one more connection.
const FULL_PAUSE: Duration = Duration::from_millis(20);

impl Core {
    /// Connects to an endpoint, in the background.
    pub(crate) fn connect(&self, endpoint: &str) -> Result<Endpoint> {
        let endpoint: Endpoint = endpoint.parse()?;
        endpoint.for_connect()?;
        if let Address::Inproc(name) = endpoint.address() {
            return self.connect_local(&endpoint, name);
        }
        self.lock()?;
        self.reactor()?;
        let mut guard = self.lock()?;
        let state = &mut *guard;
        if connects_once(self.socket_type) && state.session_to(&endpoint).is_some() {
            return Ok(endpoint);
        }
        let terms = Terms::new(&state.options, self.socket_type, Role::Connecter)?;
        let pipe = (!state.options.immediate).then(|| state.add_pipe());
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
        let target = match session.endpoint.address().clone() {
            Address::Tcp(address) => address.target,
            Address::Ipc(address) => {
                let terms = Arc::clone(&session.terms);
                drop(guard);
                return self.connect_ipc(id, &address, &terms);
            }
            Address::Inproc(_) => return,
        };
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
        let Address::Tcp(TcpAddress { source, .. }) = session.endpoint.address().clone() else {
            return;
        };
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

    /// Connects to a Unix domain socket, which the system does at once or refuses.
    fn connect_ipc(&self, id: SessionId, address: &IpcAddress, terms: &Terms) {
        match (ipc::connect(address, &terms.options), self.reactor.get()) {
            (Ok(stream), Some(reactor)) => {
                self.adopt(reactor, Stream::Ipc(stream), Origin::Session(id), Phase::Handshake);
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
        if error.kind() == io::ErrorKind::WouldBlock {
            guard.wait_for_listener(id, token);
        } else {
            guard.retry_session(id, true, token);
        }
        guard.check_closing();
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
}

/// Whether a second connection to the same endpoint is none: for most types the peer would count
/// twice where it should once.
fn connects_once(socket_type: SocketType) -> bool {
    matches!(socket_type, SocketType::Dealer | SocketType::Req | SocketType::Pub | SocketType::Sub)
}

impl State {
    /// Too many wait at a Unix domain socket to be accepted. That is no failure: in TCP the system would have waited.
    fn wait_for_listener(&mut self, id: SessionId, token: usize) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.stage = Stage::Waiting;
            let pause = session.next_pause().map_or(FULL_PAUSE, |pause| pause.min(FULL_PAUSE));
            self.set_timer_in(token, pause, Timer::Reconnect(id));
        }
    }

    /// The session of an endpoint that is connected to.
    fn session_to(&self, endpoint: &Endpoint) -> Option<SessionId> {
        let mut sessions = self.sessions.iter();
        let found = sessions.find(|(_, session)| !session.ending && session.endpoint == *endpoint);
        found.map(|(id, _)| id)
    }
}
