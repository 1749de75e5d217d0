//! Connecting: sessions, look-ups, attempts, disconnect.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zmtp::{Role, SocketType};

use super::core::Core;
use super::state::{State, Timer};
use crate::connection::{Loss, Origin, Phase, SessionId, SourceId};
use crate::endpoint::{Address, Endpoint, IpcAddress};
use crate::error::Result;
use crate::session::{Session, Stage};
use crate::terms::Terms;
use crate::transport::{Stream, TcpRoute, ipc, tcp};

/// The longest pause before a listener is asked again that had no room for one more connection.
const FULL_PAUSE: Duration = Duration::from_millis(20);

impl Core {
    /// Connects to an endpoint, in the background.
    pub(crate) fn connect(&self, endpoint: &str) -> Result<Endpoint> {
        self.lock()?;
        let endpoint = Endpoint::parse_for(endpoint, self.socket_type)?;
        endpoint.for_connect()?;
        if let Address::Inproc(name) = endpoint.address() {
            return self.connect_local(&endpoint, name);
        }
        self.reactor()?;
        let mut guard = self.lock()?;
        let state = &mut *guard;
        if connects_once(self.socket_type) && state.session_to(&endpoint).is_some() {
            return Ok(endpoint);
        }
        let terms = Terms::new(&state.options, self.socket_type, Role::Connecter)?;
        tcp::proxy(&terms.options)?;
        let name = state.next_peer_name()?;
        let pipe = (!state.options.immediate).then(|| state.add_pipe());
        if let Some(pipe) = pipe {
            state.name_peer(pipe, name.as_deref());
        }
        let mut session = Session::new(endpoint.clone(), terms, pipe);
        session.peer_name = name;
        let id = state.sessions.insert(session);
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
        let proxy = session.proxy();
        let address = match session.endpoint.address().clone() {
            Address::Tcp(address) => address,
            Address::Ipc(address) => {
                let terms = Arc::clone(&session.terms);
                drop(guard);
                return self.connect_ipc(id, &address, &terms);
            }
            Address::Inproc(_) => return,
        };
        drop(guard);
        if tcp::is_numeric(&address, proxy.as_ref()) {
            return self.resolved(id, tcp::routes(&address, proxy.as_ref(), ipv6));
        }
        let this = self.this.clone();
        let lookup = move || {
            let routes = tcp::routes(&address, proxy.as_ref(), ipv6);
            if let Some(core) = this.upgrade() {
                core.resolved(id, routes);
            }
        };
        if let Err(error) = self.context.lookups.run(lookup) {
            self.resolved(id, Err(error));
        }
    }

    /// A look-up has ended.
    fn resolved(&self, id: SessionId, routes: io::Result<Vec<TcpRoute>>) {
        let token = self.token();
        let mut guard = self.lock_always();
        let Some(session) = guard.sessions.get_mut(id) else { return };
        match routes {
            Ok(routes) => {
                session.untried = routes.into();
                drop(guard);
                self.try_next_address(id);
            }
            Err(error) => {
                guard.tell_unresolved(id, &error);
                guard.retry_session(id, false, token, &error);
                guard.check_closing();
            }
        }
    }

    /// Begins to connect to the next address of an endpoint.
    fn try_next_address(&self, id: SessionId) {
        let mut guard = self.lock_always();
        let Some(session) = guard.sessions.get_mut(id) else { return };
        let terms = Arc::clone(&session.terms);
        let Some(route) = session.untried.pop_front() else { return };
        drop(guard);
        let stream = tcp::connect(&route, &terms.options);
        match (stream, self.reactor.get()) {
            (Ok(stream), Some(reactor)) => {
                let unanswered = tcp::is_unanswered(&stream, &route);
                self.adopt(reactor, Stream::Tcp(stream), Origin::Session(id), Phase::Connecting);
                if unanswered {
                    self.expect_answer(id);
                }
            }
            (Err(error), _) => self.connect_failed(id, error),
            (Ok(_), None) => {}
        }
    }

    /// A listener of this machine answers at once, unless its queue is full: then the system drops what asked, and asks again
    /// after a second.
    fn expect_answer(&self, id: SessionId) {
        let token = self.token();
        let mut guard = self.lock_always();
        let Some(session) = guard.sessions.get_mut(id) else { return };
        if let Stage::Connected(source) = session.stage
            && let Some(patience) = session.patience()
        {
            guard.set_timer_in(token, patience, Timer::Redial(source));
        }
    }

    /// Tries once more, if there is still no answer.
    pub(super) fn redial(&self, id: SourceId) {
        let token = self.token();
        let mut guard = self.lock_always();
        if guard.connection(id).is_some_and(|connection| connection.phase == Phase::Connecting) {
            guard.lose(id, Loss::Unanswered, token);
        }
    }

    /// Connects to a Unix domain socket, which the system does at once or refuses.
    fn connect_ipc(&self, id: SessionId, address: &IpcAddress, terms: &Terms) {
        match (ipc::connect(address, &terms.options), self.reactor.get()) {
            (Ok(stream), Some(reactor)) => {
                self.adopt(reactor, Stream::Ipc(stream), Origin::Session(id), Phase::Handshake);
            }
            (Err(error), _) => self.connect_failed(id, error),
            (Ok(_), None) => {}
        }
    }

    fn connect_failed(&self, id: SessionId, error: io::Error) {
        let token = self.token();
        let mut guard = self.lock_always();
        let Some(session) = guard.sessions.get(id) else { return };
        let full = error.kind() == io::ErrorKind::WouldBlock;
        let loss = Loss::Network(error);
        if session.ends_with(&loss, Phase::Connecting) {
            guard.end_session(id);
        } else if full {
            guard.wait_for_listener(id, token, &loss);
        } else {
            guard.retry_session(id, true, token, &loss);
        }
        guard.check_closing();
    }

    /// The kernel says how a connection attempt ended, or the proxy has said something.
    pub(super) fn finish_connecting(&self, id: SourceId) {
        let token = self.token();
        let mut guard = self.lock_always();
        let Some(connection) = guard.connection(id) else { return };
        let made = match connection.stream.finish_connect() {
            Ok(true) => connection.pass_proxy(),
            other => other.map_err(Loss::Network),
        };
        match made {
            Ok(false) => {
                connection.blocked = true;
                guard.limit_proxy(id, token);
            }
            Ok(true) => {
                connection.phase = Phase::Handshake;
                connection.blocked = false;
                connection.begin_handshake();
                guard.tell_connected(id);
                guard.enlist(id);
                drop(guard);
                self.greet(id);
            }
            Err(loss) => guard.lose(id, loss, token),
        }
    }
}

/// Whether a second connection to the same endpoint is none: for most types the peer would count
/// twice where it should once.
fn connects_once(socket_type: SocketType) -> bool {
    matches!(socket_type, SocketType::Dealer | SocketType::Req | SocketType::Pub | SocketType::Sub)
}

impl State {
    /// A proxy that says nothing is given up like a peer that does not shake hands, unless the whole attempt has a limit.
    fn limit_proxy(&mut self, id: SourceId, token: usize) {
        let Some(connection) = self.connection(id) else { return };
        let options = &connection.terms.options;
        if connection.proxy.is_none()
            || options.connect_timeout.is_some()
            || connection.timer.is_some()
        {
            return;
        }
        let limit = options.handshake_ivl.and_then(|limit| Instant::now().checked_add(limit));
        connection.timer = limit;
        if let Some(at) = limit {
            self.set_timer(token, at, Timer::Connection(id));
        }
    }

    /// Too many wait at a Unix domain socket to be accepted. That is no failure: in TCP the system would have waited.
    fn wait_for_listener(&mut self, id: SessionId, token: usize, why: &Loss) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.stage = Stage::Waiting;
            let pause = session.next_pause().map_or(FULL_PAUSE, |pause| pause.min(FULL_PAUSE));
            self.set_timer_in(token, pause, Timer::Reconnect(id));
            self.tell_retry(id, pause, why);
        }
    }

    /// The session of an endpoint that is connected to.
    fn session_to(&self, endpoint: &Endpoint) -> Option<SessionId> {
        let mut sessions = self.sessions.iter();
        let found = sessions.find(|(_, session)| !session.ending && session.endpoint == *endpoint);
        found.map(|(id, _)| id)
    }
}
