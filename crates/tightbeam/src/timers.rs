//! Timers for an application's own loop: what is due is called when the loop says so.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

/// Names a timer in its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId(i32);

impl TimerId {
    /// The number, at least 1.
    #[must_use]
    pub fn as_i32(self) -> i32 {
        self.0
    }

    /// A timer's name from a number, whatever it is.
    #[must_use]
    pub fn from_i32(number: i32) -> TimerId {
        TimerId(number)
    }
}

type Handler = Box<dyn FnMut(&Timers, TimerId) + Send>;

const UNKNOWN: Error = Error::BadArgument("there is no such timer");
/// Longer than any process runs; added to the clock it stays in range.
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

struct Timer {
    interval: Duration,
    at: Instant,
    /// Away while it runs.
    handler: Option<Handler>,
}

#[derive(Default)]
struct State {
    timers: HashMap<TimerId, Timer>,
    /// All of them, the next one first.
    order: BTreeSet<(Instant, TimerId)>,
    last: i32,
}

/// A set of timers that fire again and again, each at its interval, until they are cancelled. They fire
/// within [`execute`](Timers::execute), in the order of their times, and never by themselves.
///
/// A loop asks [`timeout`](Timers::timeout) how long it may wait, waits, and calls `execute`. A timer whose time
/// has passed several times fires once, and next an interval after that. Handlers may add, change and
/// cancel timers, their own too; what they add is not called by the same `execute`, even if it is due.
///
/// A set may be shared between threads; no lock is held while a handler runs. Each method that reads the
/// clock has a form with `_at` that is told the time, so that what uses timers can be tested
/// without waiting.
///
/// ```
/// use std::time::Duration;
/// use tightbeam::{Poller, Timers};
///
/// let (sender, ticks) = std::sync::mpsc::channel();
/// let timers = Timers::new();
/// timers.add(Duration::from_millis(2), move |timers, id| {
///     sender.send(()).expect("the loop below listens");
///     timers.set_interval(id, Duration::from_millis(1)).expect("it is there");
/// });
/// let mut poller = Poller::new()?;
/// while ticks.try_iter().count() < 1 {
///     let event = poller.wait(timers.timeout());
///     assert!(event.unwrap_err().is_would_block(), "there are no sockets");
///     timers.execute();
/// }
/// # Ok::<(), tightbeam::Error>(())
/// ```
#[derive(Default)]
pub struct Timers {
    state: Mutex<State>,
}

impl fmt::Debug for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timers").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Timers {
    /// An empty set.
    #[must_use]
    pub fn new() -> Timers {
        Timers::default()
    }

    /// Adds a timer that fires an interval from now, and then at each interval.
    pub fn add(
        &self,
        interval: Duration,
        handler: impl FnMut(&Timers, TimerId) + Send + 'static,
    ) -> TimerId {
        self.add_at(Instant::now(), interval, handler)
    }

    /// The same, with this time for now.
    pub fn add_at(
        &self,
        now: Instant,
        interval: Duration,
        handler: impl FnMut(&Timers, TimerId) + Send + 'static,
    ) -> TimerId {
        let mut state = self.state();
        let id = state.unused();
        let at = now + interval.min(FAR);
        state.timers.insert(id, Timer { interval, at, handler: Some(Box::new(handler)) });
        state.order.insert((at, id));
        id
    }

    /// Takes a timer out. If it is just running, it runs to its end.
    ///
    /// # Errors
    /// [`Error::BadArgument`] if there is no such timer.
    pub fn cancel(&self, id: TimerId) -> Result<()> {
        let mut state = self.state();
        let timer = state.timers.remove(&id).ok_or(UNKNOWN)?;
        state.order.remove(&(timer.at, id));
        drop(state);
        // Only now: what the handler holds may use this set when it is dropped.
        drop(timer);
        Ok(())
    }

    /// Changes a timer's interval; it fires next such an interval from now.
    ///
    /// # Errors
    /// [`Error::BadArgument`] if there is no such timer.
    pub fn set_interval(&self, id: TimerId, interval: Duration) -> Result<()> {
        self.set_interval_at(Instant::now(), id, interval)
    }

    /// The same, with this time for now.
    ///
    /// # Errors
    /// As [`set_interval`](Timers::set_interval).
    pub fn set_interval_at(&self, now: Instant, id: TimerId, interval: Duration) -> Result<()> {
        self.state().put_off(now, id, Some(interval))
    }

    /// Starts a timer's interval again: it fires next an interval from now.
    ///
    /// # Errors
    /// [`Error::BadArgument`] if there is no such timer.
    pub fn reset(&self, id: TimerId) -> Result<()> {
        self.reset_at(Instant::now(), id)
    }

    /// The same, with this time for now.
    ///
    /// # Errors
    /// As [`reset`](Timers::reset).
    pub fn reset_at(&self, now: Instant, id: TimerId) -> Result<()> {
        self.state().put_off(now, id, None)
    }

    /// How long until the next timer is due, zero if one is; none if there are no timers.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout_at(Instant::now())
    }

    /// The same, with this time for now.
    #[must_use]
    pub fn timeout_at(&self, now: Instant) -> Option<Duration> {
        self.state().order.first().map(|(at, _)| at.saturating_duration_since(now))
    }

    /// Calls the handler of each timer that is due, once. Answers how many were called.
    pub fn execute(&self) -> usize {
        self.execute_at(Instant::now())
    }

    /// The same, with this time for now.
    pub fn execute_at(&self, now: Instant) -> usize {
        let due: Vec<TimerId> =
            self.state().order.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| *id).collect();
        due.into_iter().filter(|id| self.call(now, *id)).count()
    }

    /// How many timers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().timers.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls one handler, unless an earlier one has cancelled the timer or put it off.
    fn call(&self, now: Instant, id: TimerId) -> bool {
        let mut state = self.state();
        let Some(timer) = state.timers.get_mut(&id).filter(|timer| timer.at <= now) else {
            return false;
        };
        let handler = timer.handler.take();
        // Before it is called, so that what it does to its own timer holds. There is such a timer.
        let _ = state.put_off(now, id, None);
        drop(state);
        // Another thread may be running it.
        let Some(handler) = handler else { return false };
        let mut running = Running { timers: self, id, handler: Some(handler) };
        if let Some(handler) = &mut running.handler {
            handler(self, id);
        }
        true
    }
}

/// A handler that runs: it goes back when this is dropped, also if it has panicked.
struct Running<'a> {
    timers: &'a Timers,
    id: TimerId,
    handler: Option<Handler>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.timers.state();
        if let Some(timer) = state.timers.get_mut(&self.id) {
            timer.handler = self.handler.take();
        }
    }
}

impl State {
    fn unused(&mut self) -> TimerId {
        loop {
            self.last = self.last.checked_add(1).unwrap_or(1);
            let id = TimerId(self.last);
            if !self.timers.contains_key(&id) {
                return id;
            }
        }
    }

    /// The timer fires next an interval from now.
    fn put_off(&mut self, now: Instant, id: TimerId, interval: Option<Duration>) -> Result<()> {
        let timer = self.timers.get_mut(&id).ok_or(UNKNOWN)?;
        timer.interval = interval.unwrap_or(timer.interval);
        let at = now + timer.interval.min(FAR);
        let before = std::mem::replace(&mut timer.at, at);
        self.order.remove(&(before, id));
        self.order.insert((at, id));
        Ok(())
    }
}
