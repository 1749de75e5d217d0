//! Signs of life: heartbeats and the time-out of the handshake.

use std::time::{Duration, Instant};

use crate::error::Timeout;
use crate::timers::{Timer, Timers};
use crate::{Heartbeat, command};

/// How long a client of CURVE may take to bring its cookie back (RFC 26, "The WELCOME Command"), however
/// long the handshake may take.
const COOKIE_LIFE: Duration = Duration::from_secs(60);

/// Timers that cost nothing per message: a read notes that something was heard, and only a timer that
/// expires looks at that.
#[derive(Debug)]
pub(super) struct Life {
    timers: Timers,
    heartbeat: Option<Heartbeat>,
    /// Something arrived since the PING that the Pong timer waits for.
    heard_since_ping: bool,
    /// Something arrived since the peer's last PING.
    heard_since_peer_ping: bool,
}

impl Life {
    pub(super) fn new(now: Instant, handshake_timeout: Option<Duration>) -> Self {
        let mut timers = Timers::default();
        timers.set(Timer::Handshake, handshake_timeout.and_then(|t| now.checked_add(t)));
        Self { timers, heartbeat: None, heard_since_ping: false, heard_since_peer_ping: false }
    }

    /// The handshake is complete; `heartbeat` is given if the peer understands PING.
    pub(super) fn establish(&mut self, now: Instant, heartbeat: Option<Heartbeat>) {
        self.timers.set(Timer::Handshake, None);
        self.timers.set(Timer::Cookie, None);
        self.heartbeat = heartbeat.filter(|heartbeat| !heartbeat.interval.is_zero());
        self.set_next_ping(now);
    }

    /// A cookie is given out, or has come back.
    pub(super) fn keep_cookie(&mut self, now: Instant, given: bool) {
        let at = if given { now.checked_add(COOKIE_LIFE) } else { None };
        self.timers.set(Timer::Cookie, at);
    }

    /// Something arrived.
    #[inline]
    pub(super) const fn heard(&mut self) {
        self.heard_since_ping = true;
        self.heard_since_peer_ping = true;
    }

    /// The peer sent PING; zero takes back what an earlier one announced.
    pub(super) fn pinged(&mut self, now: Instant, ttl: Duration) {
        self.heard_since_peer_ping = false;
        let at = if ttl.is_zero() { None } else { now.checked_add(ttl) };
        self.timers.set(Timer::PeerTtl, at);
    }

    /// Whether the handshake should have been complete by now.
    pub(super) fn handshake_is_late(&self, now: Instant) -> bool {
        let late = |timer| self.timers.get(timer).is_some_and(|at| at <= now);
        late(Timer::Handshake) || late(Timer::Cookie)
    }

    /// When to call [`Self::expire`].
    pub(super) fn next(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Handles the timers that have expired; a PING that is due goes to `out`.
    pub(super) fn expire(&mut self, now: Instant, out: &mut Vec<u8>) -> Result<(), Timeout> {
        if self.handshake_is_late(now) {
            return Err(Timeout::Handshake);
        }
        if self.timers.take_expired(Timer::Pong, now) && !self.heard_since_ping {
            return Err(Timeout::Heartbeat);
        }
        if self.timers.take_expired(Timer::PeerTtl, now) && !self.heard_since_peer_ping {
            return Err(Timeout::PeerTtl);
        }
        if self.timers.take_expired(Timer::Ping, now) {
            self.ping(now, out);
        }
        Ok(())
    }

    /// Sends PING. The Pong timer counts from the first PING that nothing has followed, so that a dead
    /// peer is found out at most interval + time-out after its last sign of life.
    fn ping(&mut self, now: Instant, out: &mut Vec<u8>) {
        let Some(heartbeat) = self.heartbeat else { return };
        let tenths = u16::try_from(heartbeat.ttl.as_millis() / 100).unwrap_or(u16::MAX);
        command::append(command::PING, &[&tenths.to_be_bytes()], out);
        if self.heard_since_ping || self.timers.get(Timer::Pong).is_none() {
            self.heard_since_ping = false;
            if !heartbeat.timeout.is_zero() {
                self.timers.set(Timer::Pong, now.checked_add(heartbeat.timeout));
            }
        }
        self.set_next_ping(now);
    }

    fn set_next_ping(&mut self, now: Instant) {
        let at = self.heartbeat.and_then(|heartbeat| now.checked_add(heartbeat.interval));
        self.timers.set(Timer::Ping, at);
    }
}
