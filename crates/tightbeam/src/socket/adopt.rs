//! What accepted connections and made ones have in common: how they begin.

use std::io;
use std::sync::Arc;

use super::core::{Core, Reactor};
use super::state::{Source, State, Timer};
use super::turn::token_of;
use crate::connection::{Connection, Origin, Phase, SourceId};
use crate::session::{Session, Stage};
use crate::terms::Terms;
use crate::transport::Stream;

impl Core {
    /// Takes a stream in.
    pub(super) fn adopt(
        &self,
        reactor: &Reactor,
        mut stream: Stream,
        origin: Origin,
        phase: Phase,
    ) {
        let token = self.token();
        let mut guard = self.lock_always();
        let state = &mut *guard;
        // Without an origin the endpoint has ended meanwhile, and the stream is closed.
        let Some(terms) = state.terms_of(origin) else { return };
        if phase == Phase::Handshake {
            if matches!(origin, Origin::Listener(_)) && !stream.is_welcome(&terms.options) {
                let reason = "the filters of the endpoint do not let the peer in";
                let refused = io::Error::new(io::ErrorKind::PermissionDenied, reason);
                let endpoint = state.endpoint_of(origin);
                state.tell_accept_failed(endpoint.as_ref(), &refused);
                return;
            }
            // A connection works without its tuning.
            let _ = stream.tune(&terms.options);
        }
        let negotiation = match origin {
            Origin::Session(session) => state.sessions.get(session).and_then(Session::negotiation),
            Origin::Listener(_) => None,
        };
        let place = state.place_of(origin, &stream);
        let inserted = state.sources.try_insert_with_key(|id| {
            stream.register(&reactor.registry, token_of(id))?;
            let mut connection = Connection::new(stream, origin, phase, Arc::clone(&terms), place);
            connection.proxy = negotiation;
            Ok::<_, io::Error>(Source::Connection(Box::new(connection)))
        });
        let id = match (inserted, origin) {
            (Ok(id), _) => id,
            (Err(error), Origin::Session(session)) => {
                return state.retry_session(session, false, token, &error);
            }
            (Err(_), Origin::Listener(_)) => return,
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
                if phase == Phase::Handshake {
                    // Made at once.
                    state.tell_connected(id);
                    drop(guard);
                    return self.greet(id);
                }
                if let Some(timeout) = terms.options.connect_timeout {
                    state.set_timer_in(token, timeout, Timer::Connection(id));
                }
                state.tell_connecting(id);
            }
        }
    }

    /// Sends the greeting and starts the handshake's clock. Without a protocol there is neither.
    pub(super) fn greet(&self, id: SourceId) {
        let token = self.token();
        let mut guard = self.lock_always();
        guard.watch_protocol(id, token);
        let Some(connection) = guard.connection(id) else { return };
        let raw = connection.terms.raw;
        let greeting = connection.collect();
        if raw {
            guard.establish_raw(id);
        }
        drop(guard);
        if greeting || raw {
            self.write(id);
        }
    }
}

impl State {
    /// What holds for connections of this origin.
    fn terms_of(&self, origin: Origin) -> Option<Arc<Terms>> {
        let terms = match origin {
            Origin::Session(id) => &self.sessions.get(id)?.terms,
            Origin::Listener(id) => match self.sources.get(id)? {
                Source::Listener(listening) => &listening.terms,
                Source::Connection(_) | Source::Draining(_) => return None,
            },
        };
        Some(Arc::clone(terms))
    }
}
