//! Listening: bind, accept, unbind.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use mio::unix::SourceFd;
use zmtp::Role;

use super::core::{Core, Reactor};
use super::state::{Guard, Listening, Source, State, Timer};
use super::turn::token_of;
use crate::connection::{Origin, Phase, SourceId};
use crate::endpoint::{Address, Endpoint, TcpAddress};
use crate::error::{Error, Result};
use crate::monitor::EventKind;
use crate::terms::Terms;
use crate::transport::{Listener, tcp};

/// Connections accepted in one turn.
const ACCEPTS: usize = 32;
/// How long accepting pauses when the system has run out of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Core {
    /// Listens at an endpoint. Answers the endpoint with the port that the system chose.
    pub(crate) fn bind(&self, endpoint: &str) -> Result<Endpoint> {
        let endpoint: Endpoint = endpoint.parse()?;
        endpoint.for_bind()?;
        if let Address::Inproc(name) = endpoint.address() {
            return self.bind_local(&endpoint, name);
        }
        let terms = Terms::new(&self.lock()?.options, self.socket_type, Role::Listener)?;
        let options = &terms.options;
        let reactor = self.reactor()?;
        let Address::Tcp(TcpAddress { target, .. }) = endpoint.address() else {
            unreachable!("inproc was dealt with");
        };
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

    /// Stops listening at an endpoint.
    pub(crate) fn unbind(&self, endpoint: &str) -> Result<()> {
        let mut guard = self.lock()?;
        let wanted: Endpoint = endpoint.parse()?;
        if let Address::Inproc(name) = wanted.address() {
            drop(guard);
            return self.unbind_local(&wanted, name);
        }
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
}

impl State {
    /// Stops listening at an endpoint; connections that it accepted go on.
    pub(super) fn close_listener(&mut self, id: SourceId, registry: &mio::Registry) {
        let Some(Source::Listener(listening)) = self.sources.remove(id) else { return };
        let _ = registry.deregister(&mut SourceFd(&listening.listener.as_raw_fd()));
        self.monitors.tell(EventKind::Closed, Some(&listening.endpoint), None);
    }
}
