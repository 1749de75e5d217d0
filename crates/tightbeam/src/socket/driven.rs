//! The I/O thread's side of a socket: what it does for one that nobody drives, and what is due.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::core::Core;
use super::state::{Life, State, Timer};
use crate::connection::{Loss, Phase, SourceId};
use crate::error::Error;
use crate::reactor::handover::Handover;
use crate::reactor::io_thread::{Driven, Look};
use crate::reactor::shared::Command;

/// A socket with more sources than this stays in the parent poll: putting it back there takes the kernel a look at each.
const SET_ASIDE: usize = 16;

impl Driven for Core {
    fn handover(&self) -> &Handover {
        &self.handover
    }

    fn arm(&self) {
        let Some(reactor) = self.reactor.get() else { return };
        // If the system refuses, the ready list at least is seen to.
        let armed = reactor.io.arm(reactor.poll_fd, reactor.token).is_ok();
        if !armed || self.has_ready.load(Ordering::SeqCst) {
            reactor.io.post(Command::Work(reactor.token));
        }
    }

    fn set_aside(&self) {
        let Some(reactor) = self.reactor.get() else { return };
        if self.lock_always().sources.len() > SET_ASIDE {
            return;
        }
        // While this thread is inside, nobody arms the poll.
        if let Some(_inside) = self.go_in() {
            reactor.io.deregister(reactor.poll_fd);
        }
    }

    fn drive(&self) -> bool {
        let Some(reactor) = self.reactor.get() else { return false };
        if std::mem::take(&mut self.lock_always().flush_requested) {
            self.flush_all();
        }
        if self.handover.is_claimed() {
            return false;
        }
        let Some(mut seat) = reactor.try_seat() else { return false };
        let unread = self.poll_now(reactor, &mut seat);
        let unfinished = self.some_turns(reactor);
        drop(seat);
        if self.handover.claimed_meanwhile() {
            self.pass_the_seat();
            return false;
        }
        unread || unfinished
    }

    fn look_at_burst(&self) -> Look {
        let now = Instant::now();
        let look = match self.acquire(true) {
            Ok(mut state) => state.burst.look(now),
            // Whoever holds the lock is sending: waiting for it would only slow the burst down.
            Err(Error::Busy) => Look::Steady,
            Err(_) => Look::Last,
        };
        if !matches!(look, Look::Steady | Look::Quiet) {
            self.flush_all();
        }
        if matches!(look, Look::Over | Look::Last) {
            self.give_back();
        }
        look
    }

    fn expire(&self, now: Instant) -> Option<Instant> {
        loop {
            // Not `while let`, which would hold the lock that what is due takes.
            let mut guard = self.lock_always();
            let Some(timer) = guard.next_due(now) else {
                return guard.timers.first().map(|(at, _)| *at);
            };
            drop(guard);
            self.on_timer(timer, now);
        }
    }

    fn give_up(&self) {
        let mut guard = self.lock_always();
        let state = &mut *guard;
        if state.life == Life::Open {
            state.life = Life::Terminated;
        }
        state.waiters.notify_all();
    }
}

impl State {
    fn next_due(&mut self, now: Instant) -> Option<Timer> {
        let first = *self.timers.first()?;
        if first.0 > now {
            return None;
        }
        self.timers.remove(&first);
        Some(first.1)
    }
}

impl Core {
    fn on_timer(&self, timer: Timer, now: Instant) {
        match timer {
            Timer::Connection(id) => self.on_connection_timer(id, now),
            Timer::Redial(id) => self.redial(id),
            Timer::Reconnect(session) => self.start_session(session),
            Timer::Accept(id) => {
                let mut guard = self.lock_always();
                if let Some(listening) = guard.listening(id) {
                    listening.resting = false;
                }
                guard.enlist(id);
                guard.deferred.kick = true;
            }
            Timer::Disconnect(session) => {
                let token = self.token();
                self.lock_always().cut_session(session, token);
            }
            Timer::Leave(id) => {
                let token = self.token();
                self.lock_always().lose(id, Loss::Ours, token);
            }
            Timer::Drain(id) => self.on_drain_timer(id, now),
            Timer::Linger => self.finish_closing(),
        }
    }

    fn on_connection_timer(&self, id: SourceId, now: Instant) {
        let token = self.token();
        let mut guard = self.lock_always();
        let Some(connection) = guard.connection(id) else { return };
        connection.timer = None;
        if connection.phase == Phase::Connecting {
            guard.lose(id, Loss::ConnectTimeout, token);
            return;
        }
        if connection.terms.raw {
            // The time to connect, and it has.
            return;
        }
        let unread = connection.readable;
        let paused = connection.pipe;
        let paused = paused.and_then(|pipe| guard.pipes.get(pipe)).is_some_and(|pipe| pipe.paused);
        let Some(connection) = guard.connection(id) else { return };
        let Some(protocol) = connection.protocol() else {
            // A reader has it: there is life. Look again soon.
            let soon = now + Duration::from_millis(10);
            connection.timer = Some(soon);
            guard.set_timer(token, soon, Timer::Connection(id));
            return;
        };
        if paused && unread {
            // What lies in the kernel until there is room for it is a sign of life, too.
            protocol.handle_body_part();
        }
        if let Err(error) = protocol.handle_timeout(now) {
            guard.lose(id, error.into(), token);
            return;
        }
        let reply = connection.collect();
        if reply && connection.pinged.is_none() {
            // What falls due is a PING.
            connection.pinged = Some(now);
        }
        guard.watch_protocol(id, token);
        drop(guard);
        if reply {
            self.write(id);
        }
    }
}
