//! How the receives of a socket have waited, and what the next ones do about it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tightbeam::{Error, Result, Timing};

/// So long a receive tries before it sleeps: about what it takes to fall asleep and be woken on another core.
const MOMENT: Duration = Duration::from_micros(50);
/// Who has let others run for so long might as well have slept.
const OTHERS: Duration = Duration::from_micros(6);
/// At most so many waits are passed over after one in which that was in vain.
const RARELY: u32 = 255;

/// How the receives of a socket have waited. Threads that share the socket may see each other's values; they are hints.
#[derive(Default)]
pub(crate) struct Pace {
    /// One had to wait, and nothing was sent since.
    waited: AtomicBool,
    /// So many waits are passed over before one tries for a moment again.
    passed_over: AtomicU32,
    /// The same the last time that was in vain; 0 if it was not.
    in_vain: AtomicU32,
}

impl Pace {
    /// Whether a receive had to wait since the last call.
    pub(crate) fn take_waited(&self) -> bool {
        let waited = self.waited.load(Ordering::Relaxed);
        if waited {
            self.waited.store(false, Ordering::Relaxed);
        }
        waited
    }

    /// Tries for a moment, where the peers have answered within one lately; others run meanwhile if they want to. A receive
    /// that is about to sleep calls this.
    pub(crate) fn try_for_a_moment<T>(
        &self,
        mut attempt: impl FnMut(Timing) -> Result<T>,
    ) -> Result<T> {
        self.waited.store(true, Ordering::Relaxed);
        let passed_over = self.passed_over.load(Ordering::Relaxed);
        if passed_over > 0 {
            self.passed_over.store(passed_over - 1, Ordering::Relaxed);
            return Err(Error::WouldBlock("it would sleep"));
        }
        let begun = Instant::now();
        let mut now = begun;
        let (mut alone, mut tried);
        loop {
            // First, for the peer may want this core, and has to answer before there is anything to find.
            thread::yield_now();
            alone = now.elapsed() < OTHERS;
            tried = attempt(Timing::Never);
            now = Instant::now();
            let is_over = !alone || now - begun >= MOMENT;
            if is_over || !matches!(tried, Err(Error::WouldBlock(_))) {
                break;
            }
        }
        let paid = alone && !matches!(tried, Err(Error::WouldBlock(_)));
        let in_vain = 2 * self.in_vain.load(Ordering::Relaxed) + 1;
        let in_vain = if paid { 0 } else { in_vain.min(RARELY) };
        self.in_vain.store(in_vain, Ordering::Relaxed);
        self.passed_over.store(in_vain, Ordering::Relaxed);
        tried
    }
}
