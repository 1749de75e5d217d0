//! Closing without losing what was written. A TCP stream that is closed while the peer goes on sending is reset, and
//! with it goes what the peer has not received yet. So the last word is said, and what comes is thrown away until the
//! peer has closed its side, too: for a while, and never longer than the socket lingers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::Core;
use super::state::{Life, Source, State, Timer};
use crate::connection::{Loss, Phase, SourceId};
use crate::transport::{Discarded, Stream};

/// How often it is asked whether the peer's system has taken everything. Once it has, its application has had at least
/// this time to close.
const TICK: Duration = Duration::from_millis(100);
/// So many times in a row the peer's system may have taken nothing more.
const MOST_IDLE_TICKS: u32 = 10;
/// The longest that a stream is held open for a peer that takes what it gets slowly.
const MOST: Duration = Duration::from_secs(30);

/// A stream that is on its way out.
#[derive(Debug)]
pub(crate) struct Draining {
    stream: Arc<Stream>,
    /// In the list of ready sources.
    pub(super) listed: bool,
    /// What the peer's system had not taken when it was last asked.
    unsent: usize,
    idle_ticks: u32,
    until: Instant,
}

impl State {
    /// Whether the loss of a connection leaves something to wait for.
    pub(super) fn drains(&mut self, id: SourceId, loss: &Loss) -> bool {
        let lingers = match self.life {
            Life::Open | Life::Terminated => self.options.linger != Some(Duration::ZERO),
            Life::Closing { until } => until.is_none_or(|until| until > Instant::now()),
            Life::Gone => false,
        };
        lingers
            && matches!(loss, Loss::Ours)
            && self.connection(id).is_some_and(|connection| {
                connection.phase == Phase::Traffic && connection.stream.may_be_reset()
            })
    }

    /// Puts a stream in the place of its connection, until the peer has closed.
    pub(super) fn drain(
        &mut self,
        id: SourceId,
        stream: &Arc<Stream>,
        token: usize,
    ) -> Option<Source> {
        let place = self.sources.get_mut(id)?;
        let draining = Draining {
            stream: Arc::clone(stream),
            listed: false,
            unsent: usize::MAX,
            idle_ticks: 0,
            until: Instant::now() + MOST,
        };
        let connection = std::mem::replace(place, Source::Draining(Box::new(draining)));
        self.enlist(id);
        self.deferred.kick = true;
        self.set_timer_in(token, TICK, Timer::Drain(id));
        Some(connection)
    }

    /// Closes a stream that was draining.
    pub(super) fn end_draining(&mut self, id: SourceId) {
        if !matches!(self.sources.get(id), Some(Source::Draining(_))) {
            return;
        }
        if let Some(Source::Draining(draining)) = self.sources.remove(id) {
            self.deferred.streams.push(draining.stream);
        }
        self.check_closing();
    }
}

impl Core {
    /// Throws away what has come; the first time, says that nothing more follows.
    pub(super) fn turn_draining(&self, id: SourceId, stream: &Stream) {
        stream.finish_writing();
        let discarded = stream.discard();
        let mut guard = self.lock_always();
        match discarded {
            Discarded::Ended => guard.end_draining(id),
            Discarded::Some => guard.enlist(id),
            Discarded::All => {}
        }
    }

    /// Whether it is worth while to wait for the peer any longer.
    pub(super) fn on_drain_timer(&self, id: SourceId, now: Instant) {
        let token = self.token();
        let mut guard = self.lock_always();
        let Some(Source::Draining(draining)) = guard.sources.get_mut(id) else { return };
        let unsent = draining.stream.unsent();
        draining.idle_ticks = if unsent < draining.unsent { 0 } else { draining.idle_ticks + 1 };
        draining.unsent = unsent;
        if unsent == 0 || draining.idle_ticks >= MOST_IDLE_TICKS || now >= draining.until {
            guard.end_draining(id);
        } else {
            guard.set_timer_in(token, TICK, Timer::Drain(id));
        }
    }
}

impl Draining {
    pub(super) fn stream(&self) -> Arc<Stream> {
        Arc::clone(&self.stream)
    }
}
