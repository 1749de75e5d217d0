//! Timers as a table.

use std::time::Instant;

/// What a connection can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The handshake must be complete.
    Handshake,
    /// A cookie is no longer good.
    Cookie,
    /// The next PING is due.
    Ping,
    /// Something must have arrived since a PING.
    Pong,
    /// Something must have arrived since the peer's PING.
    PeerTtl,
}

/// When each timer expires.
#[derive(Debug, Default)]
pub(crate) struct Timers([Option<Instant>; 5]);

impl Timers {
    /// Sets or, with `None`, stops a timer.
    pub(crate) fn set(&mut self, timer: Timer, at: Option<Instant>) {
        if let Some(slot) = self.0.get_mut(timer as usize) {
            *slot = at;
        }
    }

    pub(crate) fn get(&self, timer: Timer) -> Option<Instant> {
        self.0.get(timer as usize).copied().flatten()
    }

    /// Stops the timer if it has expired, and says whether it had.
    pub(crate) fn take_expired(&mut self, timer: Timer, now: Instant) -> bool {
        let expired = self.get(timer).is_some_and(|at| at <= now);
        if expired {
            self.set(timer, None);
        }
        expired
    }

    /// When the first timer expires.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }
}
