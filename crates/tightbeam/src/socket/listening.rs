//! Listening: bind, accept, unbind.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use zmtp::Role;

use super::core::{Core, Reactor};
use super::guard::Guard;
use super::state::{Listening, Source, Timer};
use super::turn::token_of;
use crate::connection::{Origin, Phase, SourceId};
use crate::endpoint::{Address, Endpoint};
use crate::error::{Error, Result};
use crate::terms::Terms;
use crate::transport::{Listener, SharedListener, ipc, tcp};

/// Connections accepted in one turn.
const ACCEPTS: usize = 32;
/// How long accepting pauses when the system has run out of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Core {
    /// Listens at an endpoint. Answers the endpoint with the port that the system chose.
    pub(crate) fn bind(&self, endpoint: &str) -> Result<Endpoint> {
        self.lock()?;
        let endpoint = Endpoint::parse_for(endpoint, self.socket_type)?;
        endpoint.for_bind()?;
        if let Address::Inproc(name) = endpoint.address() {
            return self.bind_local(&endpoint, name);
        }
        let bound = self.bind_network(&endpoint);
        if let Err(error @ Error::Io { .. }) = &bound {
            self.lock_always().tell_bind_failed(&endpoint, error);
        }
        bound
    }

    fn bind_network(&self, endpoint: &Endpoint) -> Result<Endpoint> {
        let terms = Terms::new(&self.lock()?.options, self.socket_type, Role::Listener)?;
        let options = &terms.options;
        let reactor = self.reactor()?;
        let (listener, resolved) = match endpoint.address() {
            Address::Tcp(address) => {
                let (listener, resolved) =
                    tcp::listen(address, options).map_err(Error::io("bind"))?;
                (Listener::Tcp(listener), resolved)
            }
            Address::Ipc(address) => {
                let (listener, address) =
                    ipc::listen(address, options).map_err(Error::io("bind"))?;
                (Listener::Ipc(listener), Endpoint::ipc(address))
            }
            Address::Inproc(_) => unreachable!("inproc was dealt with"),
        };
        let listener = Arc::new(SharedListener::new(listener));
        let inserted = self.lock().and_then(|guard| {
            self.insert_listener(guard, reactor, Arc::clone(&listener), &resolved, terms)
        });
        if inserted.is_err() {
            listener.close(&reactor.registry);
        }
        inserted?;
        self.tell_bound();
        Ok(resolved)
    }

    fn insert_listener(
        &self,
        mut guard: Guard<'_>,
        reactor: &Reactor,
        listener: Arc<SharedListener>,
        endpoint: &Endpoint,
        terms: Arc<Terms>,
    ) -> Result<()> {
        let state = &mut *guard;
        let descriptor = listener.descriptor();
        let registered = state.sources.try_insert_with_key(|id| {
            listener.register(&reactor.registry, token_of(id))?;
            Ok(Source::Listener(Box::new(Listening {
                listener,
                endpoint: endpoint.clone(),
                terms,
                listed: false,
                pending: std::collections::VecDeque::new(),
                resting: false,
            })))
        });
        let id = registered.map_err(Error::io("register the listener"))?;
        state.tell_listening(endpoint, descriptor);
        state.last_endpoint = Some(endpoint.clone());
        // A peer may have come before the registration: only reading tells.
        state.enlist(id);
        state.deferred.kick = true;
        Ok(())
    }

    /// Accepts what has come.
    pub(super) fn accept(&self, reactor: &Reactor, id: SourceId, listener: &SharedListener) {
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
        guard.tell_accept_failed(Some(&endpoint), error);
        guard.set_timer_in(token, ACCEPT_PAUSE, Timer::Accept(id));
    }
}
