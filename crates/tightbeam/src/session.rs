//! One endpoint's life across reconnects.
//!
//! ```text
//!   RESOLVING --addresses--> CONNECTING --connected--> CONNECTED
//!       ^                      |  next address            |
//!       +------ WAITING <------+--------------------------+  (broken)
//! ```

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use crate::connection::{Loss, Phase, SourceId};
use crate::endpoint::{Address, Endpoint, HostPort};
use crate::pipe::PipeId;
use crate::terms::Terms;
use crate::transport::{Negotiation, TcpRoute, tcp};

/// What a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its name is being looked up.
    Resolving,
    /// It waits until it may try again.
    Waiting,
    /// A connection is being made, or is there.
    Connected(SourceId),
}

/// An endpoint that was connected to.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) endpoint: Endpoint,
    pub(crate) terms: Arc<Terms>,
    pub(crate) stage: Stage,
    /// The pipe that outlives connections; none yet if it waits for the handshake.
    pub(crate) pipe: Option<PipeId>,
    /// How the application calls the peer, if it does.
    pub(crate) peer_name: Option<Vec<u8>>,
    /// The application has disconnected: it goes on until what is queued was sent.
    pub(crate) ending: bool,
    /// The ways to the endpoint that have not been tried since it was looked up.
    pub(crate) untried: VecDeque<TcpRoute>,
    /// How long the last pause was.
    pause: Option<Duration>,
    /// Attempts in a row that a listener of this machine has left unanswered.
    unanswered: u32,
}

impl Session {
    pub(crate) fn new(endpoint: Endpoint, terms: Arc<Terms>, pipe: Option<PipeId>) -> Session {
        let (stage, untried) = (Stage::Resolving, VecDeque::new());
        let (peer_name, ending) = (None, false);
        let (pause, unanswered) = (None, 0);
        Session { endpoint, terms, stage, pipe, peer_name, ending, untried, pause, unanswered }
    }

    /// The proxy that connects to the endpoint for us. It was found well-formed when the endpoint was connected to.
    pub(crate) fn proxy(&self) -> Option<HostPort> {
        match self.endpoint.address() {
            Address::Tcp(_) => tcp::proxy(&self.terms.options).ok().flatten(),
            Address::Ipc(_) | Address::Inproc(_) => None,
        }
    }

    /// What is to be said to the proxy once it is reached.
    pub(crate) fn negotiation(&self) -> Option<Box<Negotiation>> {
        let (Address::Tcp(address), Some(_)) = (self.endpoint.address(), self.proxy()) else {
            return None;
        };
        let options = &self.terms.options;
        let (user, password) = (&options.socks_username, &options.socks_password);
        Some(Box::new(Negotiation::new(&address.target, user, password)))
    }

    /// A handshake succeeded: the next pause is the first again.
    pub(crate) fn reset(&mut self) {
        (self.pause, self.unanswered) = (None, 0);
        self.untried.clear();
    }

    /// Whether a connection, or an attempt, that ended so is the last one.
    pub(crate) fn ends_with(&self, loss: &Loss, phase: Phase) -> bool {
        let stops = |bit| self.terms.options.reconnect_stop & bit != 0;
        // With CURVE, what breaks the protocol may be somebody's on the way, who must not silence this end for good.
        let meddled =
            matches!(loss, Loss::Protocol(zmtp::Error::Misbehaved(_))) && self.terms.is_sealed();
        (loss.is_final() && !meddled)
            || (stops(STOP_REFUSED) && loss.is_refusal() && self.untried.is_empty())
            || (stops(STOP_HANDSHAKE_FAILED) && phase == Phase::Handshake)
            || (stops(STOP_AFTER_DISCONNECT) && self.ending)
    }

    /// How long to wait for the answer of a listener of this machine: longer each time, and in the end (`None`) until the
    /// system itself asks again.
    pub(crate) fn patience(&mut self) -> Option<Duration> {
        let patience = LEAST_PATIENCE.saturating_mul(1 << self.unanswered.min(REDIALS));
        self.unanswered += 1;
        (self.unanswered <= REDIALS && self.terms.options.connect_timeout.is_none())
            .then_some(patience)
    }

    /// How long to wait before the next attempt; `None` if there is to be none. Without a maximum
    /// the pause is the interval and up to as much again, at random, so that the peers of a
    /// restarted server do not come all at once; with one it doubles from the interval up to it.
    pub(crate) fn next_pause(&mut self) -> Option<Duration> {
        let options = &self.terms.options;
        let interval = options.reconnect_ivl?.max(LEAST_PAUSE);
        let maximum = options.reconnect_ivl_max.filter(|maximum| *maximum > interval);
        let pause = match (maximum, self.pause) {
            (None, _) => interval + jitter(interval),
            (Some(_), None) => interval,
            (Some(maximum), Some(last)) => last.saturating_mul(2).min(maximum),
        };
        self.pause = Some(pause);
        Some(pause)
    }
}

// The bits of RECONNECT_STOP.
const STOP_REFUSED: i32 = 1;
const STOP_HANDSHAKE_FAILED: i32 = 2;
const STOP_AFTER_DISCONNECT: i32 = 4;

/// Even an interval of 0 is no reason to spin on a port that refuses.
const LEAST_PAUSE: Duration = Duration::from_millis(1);
/// How long the first answer of a listener of this machine is waited for, twice as long for each that follows.
const LEAST_PATIENCE: Duration = Duration::from_millis(20);
/// So often in a row; then the system's own second is over.
const REDIALS: u32 = 5;

fn jitter(interval: Duration) -> Duration {
    let random = RandomState::new().hash_one(0u8);
    let nanos = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(random.checked_rem(nanos).unwrap_or(0))
}
