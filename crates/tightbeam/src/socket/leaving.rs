//! Unbind and disconnect: endpoints end, what is queued for their peers lingers.

use std::time::Duration;

use super::core::Core;
use super::state::{Source, State, Timer};
use crate::connection::{Loss, Origin, Phase, SessionId, SourceId};
use crate::endpoint::{Address, Endpoint};
use crate::error::{Error, Result};
use crate::pipe::PipeId;
use crate::session::Stage;

impl Core {
    /// Ends whatever was bound or connected by this name: listeners with the connections that they accepted, and sessions,
    /// each of them if it was connected to several times. What is queued is sent for as long as the socket lingers. Does
    /// not wait.
    pub(crate) fn leave(&self, endpoint: &str) -> Result<()> {
        let unknown = || Error::UnknownEndpoint(endpoint.to_owned());
        self.lock()?;
        let wanted = match Endpoint::parse_for(endpoint, self.socket_type) {
            // It has a transport and an address: there is just nothing at such an address.
            Err(Error::BadEndpoint { .. }) if has_address(endpoint) => return Err(unknown()),
            Err(Error::EndpointTooLong { .. }) => return Err(unknown()),
            parsed => parsed?,
        };
        if let Address::Inproc(name) = wanted.address() {
            let unbound = self.unbind_local(&wanted, name);
            return unbound.or_else(|_| self.disconnect_local(&wanted));
        }
        self.flush_all();
        let token = self.token();
        let mut guard = self.lock()?;
        let state = &mut *guard;
        let listeners = state.listeners_at(&wanted);
        let sessions: Vec<SessionId> = state
            .sessions
            .iter()
            .filter(|(_, session)| !session.ending && session.endpoint == wanted)
            .map(|(id, _)| id)
            .collect();
        if listeners.is_empty() && sessions.is_empty() {
            return Err(unknown());
        }
        for id in listeners {
            state.close_listener(id);
            state.leave_accepted(id, token);
        }
        for id in sessions {
            state.disconnect_session(id, token);
        }
        Ok(())
    }
}

impl Core {
    /// The application has ended the connections of these pipes.
    pub(super) fn hang_up(&self, pipes: &[PipeId]) {
        let token = self.token();
        let mut guard = self.lock_always();
        guard.resume_skipped();
        for pipe in pipes {
            guard.hang_up(*pipe, token);
        }
    }
}

fn has_address(endpoint: &str) -> bool {
    endpoint
        .split_once("://")
        .is_some_and(|(transport, address)| !transport.is_empty() && !address.is_empty())
}

impl State {
    fn listeners_at(&self, endpoint: &Endpoint) -> Vec<SourceId> {
        let is_there = |source: &Source| match source {
            Source::Listener(listening) => listening.endpoint.is_at(endpoint),
            Source::Connection(_) | Source::Draining(_) => false,
        };
        self.sources.iter().filter(|(_, source)| is_there(source)).map(|(id, _)| id).collect()
    }

    /// Stops listening at an endpoint.
    pub(super) fn close_listener(&mut self, id: SourceId) {
        let Some(Source::Listener(listening)) = self.sources.remove(id) else { return };
        self.tell_unbound(&listening.endpoint, listening.listener.descriptor());
        self.deferred.listeners.push(listening.listener);
    }

    /// Ends the connections that a listener accepted; what they brought may still be received.
    fn leave_accepted(&mut self, listener: SourceId, token: usize) {
        let accepted = |source: &Source| match source {
            Source::Connection(connection) => connection.origin == Origin::Listener(listener),
            Source::Listener(_) | Source::Draining(_) => false,
        };
        let accepted: Vec<SourceId> =
            self.sources.iter().filter(|(_, source)| accepted(source)).map(|(id, _)| id).collect();
        for id in accepted {
            let pipe = self.connection(id).and_then(|connection| connection.pipe);
            if !pipe.is_some_and(|pipe| self.lingers(pipe)) {
                self.lose(id, Loss::Ours, token);
                continue;
            }
            if let Some(connection) = self.connection(id) {
                connection.leaving = true;
            }
            if let Some(linger) = self.options.linger {
                self.set_timer_in(token, linger, Timer::Leave(id));
            }
        }
    }

    /// Takes no more messages for the pipe. Whether those that are queued are still to be sent.
    fn lingers(&mut self, id: PipeId) -> bool {
        let patient = self.options.linger != Some(Duration::ZERO);
        let Some(pipe) = self.pipes.get_mut(id) else { return false };
        let lingers = patient && pipe.outgoing.messages() > 0;
        pipe.closing = lingers;
        if lingers {
            self.retire_pipe(id);
        }
        lingers
    }

    /// Nothing more goes to the endpoint, and nothing more comes from it; what is queued lingers.
    fn disconnect_session(&mut self, id: SessionId, token: usize) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.ending = true;
        let pipe = session.pipe;
        let stage = session.stage;
        let is_last = session.ends_with(&Loss::Closed, Phase::Traffic);
        if let Some(pipe) = pipe {
            self.forget_unread(pipe);
        }
        if (is_last && !self.has_traffic(stage)) || !pipe.is_some_and(|pipe| self.lingers(pipe)) {
            return self.cut_session(id, token);
        }
        if let Some(linger) = self.options.linger {
            self.set_timer_in(token, linger, Timer::Disconnect(id));
        }
    }

    fn has_traffic(&mut self, stage: Stage) -> bool {
        let Stage::Connected(source) = stage else { return false };
        self.connection(source).is_some_and(|connection| connection.phase == Phase::Traffic)
    }

    /// Closes the connection of a pipe once what is queued was written, and does not make it again.
    fn hang_up(&mut self, id: PipeId, token: usize) {
        self.retire_pipe(id);
        let found = self.sessions.iter_mut().find(|(_, session)| session.pipe == Some(id));
        let session = found.map(|(id, session)| {
            session.ending = true;
            id
        });
        if let Some(source) = self.links.get(id).copied() {
            if let Some(connection) = self.connection(source) {
                connection.leaving = true;
            }
            self.close_if_drained(source, token);
        } else if let Some(session) = session
            && self.pipes.get(id).is_none_or(|pipe| pipe.outgoing.messages() == 0)
        {
            self.cut_session(session, token);
        }
    }

    /// Drops what has come and was not received. While a message is received part by part all
    /// stays, as it may be that one.
    pub(super) fn forget_unread(&mut self, id: PipeId) {
        if self.more {
            return;
        }
        self.pattern.forget(id);
        let Some(pipe) = self.pipes.get_mut(id) else { return };
        pipe.traffic.messages_dropped += pipe.incoming.messages() as u64;
        pipe.paused = false;
        let dropped = pipe.incoming.clear();
        self.pipes.released.extend(dropped);
        self.resume_reading(id);
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
