//! The end of connections, of pipes and of the socket itself.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::burst::Burst;
use super::core::Core;
use super::state::{Life, Source, State, Timer};
use crate::connection::{Connection, Loss, Origin, Phase, SessionId, SourceId};
use crate::endpoint::Endpoint;
use crate::pipe::{PipeId, Segment};
use crate::reactor::shared::Command;
use crate::reactor::waiters::Interest;
use crate::session::Stage;

impl State {
    /// Ends a connection, now or as soon as nobody reads or writes it any more.
    pub(super) fn lose(&mut self, id: SourceId, loss: Loss, token: usize) {
        let Some(connection) = self.connection(id) else { return };
        if connection.ending.is_some() {
            return;
        }
        let busy = connection.is_busy();
        // Who reads or writes just now is done soon, and what was written is to arrive: so is the reason why a handshake ends.
        let shakes = connection.phase == Phase::Handshake;
        let cuts = busy && !shakes && !self.drains(id, &loss);
        let Some(connection) = self.connection(id) else { return };
        connection.ending = Some(loss);
        if cuts {
            connection.stream.shutdown();
        } else if !busy {
            self.finish_loss(id, token);
        }
    }

    /// Nothing more can be written. If that is because the peer has closed, what it had sent before comes first: all of
    /// it, whatever the mark, for nothing is behind it, and the connection is not made again before.
    pub(super) fn fail_to_write(&mut self, id: SourceId, error: io::Error, token: usize) {
        let has_closed = matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset);
        let receives = self.life == Life::Open;
        let Some(connection) = self.connection(id) else { return };
        if !has_closed || !receives || connection.phase != Phase::Traffic {
            return self.lose(id, error.into(), token);
        }
        connection.end_writing();
        let (pipe, origin) = (connection.pipe, connection.origin);
        if let (Some(pipe), Origin::Listener(_)) = (pipe, origin) {
            self.retire_pipe(pipe);
        }
        self.enlist(id);
        self.deferred.kick = true;
    }

    /// Removes a connection that is to end, unless it is still busy.
    pub(super) fn finish_loss(&mut self, id: SourceId, token: usize) {
        let Some(connection) = self.connection(id).filter(|connection| !connection.is_busy())
        else {
            return;
        };
        let loss = connection.ending.take().unwrap_or(Loss::Ours);
        connection.say_farewell();
        let stream = Arc::clone(&connection.stream);
        let source = if self.drains(id, &loss) {
            self.drain(id, &stream, token)
        } else {
            self.deferred.streams.push(stream);
            self.sources.remove(id)
        };
        let Some(Source::Connection(mut connection)) = source else { return };
        if let Some(at) = connection.timer.take() {
            self.timers.remove(&(at, Timer::Connection(id)));
        }
        self.tell_loss(&connection, &loss);
        self.rescue_queues(&mut connection);
        if connection.phase == Phase::Traffic
            && !matches!(loss, Loss::Ours)
            && self.pattern.notices(&connection.terms.options).disconnect
            && let Some(pipe) = connection.pipe
        {
            self.notice(pipe);
        }
        match connection.origin {
            Origin::Listener(listener) => {
                if let Some(listening) = self.listening(listener) {
                    listening.pending.retain(|(pending, _)| *pending != id);
                }
                if let Some(pipe) = connection.pipe {
                    self.bury_pipe(pipe);
                }
            }
            Origin::Session(session) => self.session_lost(session, &connection, &loss, token),
        }
        self.check_closing();
    }

    /// Keeps whole messages: those received, and those of which no byte was written.
    fn rescue_queues(&mut self, connection: &mut Connection) {
        let recoded = connection.take_recoded();
        let Some(id) = connection.pipe else { return };
        self.links.remove(id);
        let Some(pipe) = self.pipes.get_mut(id) else { return };
        if let Some(segment) = recoded {
            pipe.outgoing.put_back(segment);
        }
        let queued = pipe.outgoing.messages();
        let begun = pipe.outgoing.rewind();
        pipe.traffic.messages_dropped += (queued - pipe.outgoing.messages()) as u64;
        pipe.paused = false;
        if begun.is_some() && pipe.is_relaxed() {
            // If nothing is left, no write will ever tell them.
            let room = pipe.send_hwm.saturating_sub(pipe.outgoing.messages());
            self.waiters.notify(Interest::Send, self.pattern.senders_to_wake(room));
        }
        let incomplete = pipe.incoming.forget_incomplete();
        self.pipes.released.extend(incomplete);
        self.pipes.released.extend(begun.into_iter().flat_map(Segment::into_bodies));
    }

    fn session_lost(&mut self, id: SessionId, lost: &Connection, loss: &Loss, token: usize) {
        let Some(session) = self.sessions.get_mut(id) else {
            if let Some(pipe) = lost.pipe {
                self.bury_pipe(pipe);
            }
            return;
        };
        session.stage = Stage::Waiting;
        let immediate = session.terms.options.immediate;
        let closing = matches!(self.life, Life::Closing { .. } | Life::Gone);
        let idle = (closing || session.ending)
            && session
                .pipe
                .is_none_or(|p| self.pipes.get(p).is_none_or(|p| !p.outgoing.has_output()));
        if session.ends_with(loss, lost.phase) || idle {
            self.end_session(id);
            return;
        }
        if let Some(pipe) = lost.pipe {
            let notices = self.pattern.interrupt(&self.pipes, pipe, &self.options);
            if notices > 0 {
                self.waiters.notify(Interest::Receive, notices);
            }
            if immediate {
                // The pipe was made for this connection, and goes with it.
                if let Some(session) = self.sessions.get_mut(id) {
                    session.pipe = None;
                }
                self.bury_pipe(pipe);
            }
        }
        if matches!(loss, Loss::Unanswered) {
            // Whoever was to be asked has been waited for.
            return self.set_timer(token, Instant::now(), Timer::Reconnect(id));
        }
        let try_next_address = lost.phase == Phase::Connecting;
        self.retry_session(id, try_next_address, token, loss);
    }

    /// Plans the next attempt: at once with an address not tried yet, otherwise after a pause.
    pub(super) fn retry_session(
        &mut self,
        id: SessionId,
        next_address: bool,
        token: usize,
        why: &dyn std::fmt::Display,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.stage = Stage::Waiting;
        if next_address && !session.untried.is_empty() {
            self.set_timer(token, Instant::now(), Timer::Reconnect(id));
            return;
        }
        session.untried.clear();
        match session.next_pause() {
            Some(pause) => {
                self.set_timer_in(token, pause, Timer::Reconnect(id));
                self.tell_retry(id, pause, why);
            }
            None => self.end_session(id),
        }
    }

    /// The endpoint will not be connected to again.
    pub(super) fn end_session(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.remove(id)
            && let Some(pipe) = session.pipe
        {
            self.bury_pipe(pipe);
        }
    }

    /// The pattern sends nothing more through the pipe; who waits to do so is told.
    pub(super) fn retire_pipe(&mut self, id: PipeId) {
        let State { pattern, pipes, options, .. } = self;
        let notices = pattern.detach(pipes, id, options);
        if notices > 0 {
            self.waiters.notify(Interest::Receive, notices);
        }
        let senders = self.pattern.senders_to_wake(0);
        self.waiters.notify(Interest::Send, senders);
    }

    /// Nothing more can be sent through the pipe; it stays until what it holds was received.
    pub(super) fn bury_pipe(&mut self, id: PipeId) {
        self.links.remove(id);
        self.retire_pipe(id);
        let Some(pipe) = self.pipes.get_mut(id) else { return };
        pipe.dead = true;
        self.undelivered += pipe.outgoing.messages();
        let empty = pipe.unreceived() == 0 && !self.pattern.holds(id);
        if empty || self.life != Life::Open {
            self.remove_pipe(id);
        } else {
            self.pipes.close_lane(id);
        }
    }

    pub(super) fn endpoint_of(&self, origin: Origin) -> Option<Endpoint> {
        match origin {
            Origin::Listener(id) => match self.sources.get(id) {
                Some(Source::Listener(listening)) => Some(listening.endpoint.clone()),
                _ => None,
            },
            Origin::Session(id) => self.sessions.get(id).map(|session| session.endpoint.clone()),
        }
    }

    /// While the socket is closing, or has unbound or disconnected, a connection with nothing left to write is
    /// closed.
    pub(super) fn close_if_drained(&mut self, id: SourceId, token: usize) {
        let closing = matches!(self.life, Life::Closing { .. });
        let Some(connection) = self.connection(id) else { return };
        let (origin, leaving) = (connection.origin, connection.leaving);
        if !closing && !leaving && !self.is_ending(origin) {
            return;
        }
        let Some(connection) = self.connection(id) else { return };
        let pipe = connection.pipe;
        // A peer that was accepted is sent nothing that it has not asked for.
        let accepted = matches!(connection.origin, Origin::Listener(_));
        if (connection.phase != Phase::Traffic && !accepted) || connection.is_writing() {
            return;
        }
        if pipe.and_then(|pipe| self.pipes.get(pipe)).is_none_or(|p| p.outgoing.messages() == 0) {
            self.lose(id, Loss::Ours, token);
        }
    }

    fn is_ending(&self, origin: Origin) -> bool {
        let Origin::Session(id) = origin else { return false };
        self.sessions.get(id).is_some_and(|session| session.ending)
    }

    /// While the socket is closing: whether anything is left to wait for.
    pub(super) fn check_closing(&mut self) {
        let Life::Closing { .. } = self.life else { return };
        if self.sources.is_empty() && self.sessions.is_empty() {
            self.life = Life::Gone;
            self.deferred.ended = true;
            self.timers.clear();
            let mut wakers = Vec::new();
            self.monitors.end(&mut wakers);
            self.wake_later(wakers);
            self.waiters.notify_all();
        }
    }
}

impl Connection {
    /// Tells the peer why, if the protocol has something to say and the kernel takes it at once.
    fn say_farewell(&mut self) {
        // Later there is nothing to say, and a message may be half written.
        if self.phase == Phase::Handshake
            && self.collect()
            && let Some(mut job) = self.begin_write(None, false)
        {
            job.run();
            self.finish_write(job);
        }
    }
}

impl Core {
    /// Closes the socket: what is queued may still be sent for as long as it lingers. Answers when
    /// the time is over; none is never. Does not wait.
    pub(crate) fn close(&self) {
        if self.is_forked() {
            self.abandon();
            return;
        }
        self.flush_all();
        let token = self.token();
        let mut guard = self.lock_always();
        if matches!(guard.life, Life::Closing { .. } | Life::Gone) {
            return;
        }
        let linger = guard.options.linger;
        let until = linger.map(|linger| Instant::now() + linger.min(FAR));
        guard.life = Life::Closing { until };
        // Nobody sends any more, and nobody looks whether a burst is over.
        guard.burst = Burst::default();
        // What was lost with peers that left earlier is counted as dropped, not here.
        guard.undelivered = 0;
        let state = &mut *guard;
        state.waiters.notify_all();
        state.pipes.released.extend(state.staged.clear());
        let sources: Vec<SourceId> = state.sources.keys().collect();
        for id in sources {
            match state.sources.get(id) {
                Some(Source::Listener(_)) => state.close_listener(id),
                _ => state.close_if_drained(id, token),
            }
        }
        state.close_idle_sessions(token);
        if let Some(until) = until {
            state.set_timer(token, until, Timer::Linger);
        }
        let names = state.leave_process();
        state.check_closing();
        drop(guard);
        self.flush_all();
        self.give_names_back(names);
    }

    /// The time to linger is over: what is left is dropped.
    pub(super) fn finish_closing(&self) {
        let token = self.token();
        let mut guard = self.lock_always();
        if !matches!(guard.life, Life::Closing { .. }) {
            return;
        }
        let state = &mut *guard;
        let sessions: Vec<SessionId> = state.sessions.keys().collect();
        for id in sessions {
            state.end_session(id);
        }
        let sources: Vec<SourceId> = state.sources.keys().collect();
        for id in sources {
            state.lose(id, Loss::Ours, token);
            state.end_draining(id);
        }
        state.check_closing();
    }

    /// The context is shut down: everybody who waits is told.
    pub(crate) fn terminate(&self) {
        let mut guard = self.lock_always();
        let state = &mut *guard;
        if state.life == Life::Open {
            state.life = Life::Terminated;
            state.waiters.notify_all();
            let mut wakers = Vec::new();
            state.monitors.stop_waiting(&mut wakers);
            state.wake_later(wakers);
        }
    }

    /// Takes the socket out of its I/O thread for good.
    pub(crate) fn leave_reactor(&self) {
        if let Some(reactor) = self.reactor.get() {
            reactor.io.deregister(reactor.poll_fd);
            reactor.io.post(Command::Remove(reactor.token));
        }
    }
}

/// Longer than any process runs; added to the clock it stays in range.
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

impl State {
    /// Endpoints that wait to be connected to, and have nothing to send, end.
    fn close_idle_sessions(&mut self, token: usize) {
        let sessions: Vec<SessionId> = self.sessions.keys().collect();
        for id in sessions {
            let Some(session) = self.sessions.get(id) else { continue };
            let queued = session
                .pipe
                .and_then(|pipe| self.pipes.get(pipe))
                .is_some_and(|pipe| pipe.outgoing.messages() > 0);
            if queued {
                continue;
            }
            match session.stage {
                Stage::Connected(source) => self.lose(source, Loss::Ours, token),
                Stage::Resolving | Stage::Waiting => self.end_session(id),
            }
        }
    }
}
