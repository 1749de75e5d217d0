//! What a thread does before it sleeps, in a socket's poll or, for a socket that is not in the network, on a futex: it looks for a
//! moment longer, where the wait before was a brief one.
//!
//! Being put to sleep and woken costs both sides more than many an answer takes, most of all where a processor goes idle in
//! between. With each look the thread lets others have its processor: that may be where the peer works. What brings nothing, or
//! takes long, is tried more and more seldom.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::attempts::Attempts;
use super::core::Seat;
use super::wait::{self, Slept};
use crate::reactor::parker::Parker;

/// How long to look. It is longer than a peer takes that has to be woken first: two that answer each other would otherwise
/// both look in vain as long as the other one sleeps.
const MOMENT: Duration = Duration::from_micros(50);
/// After a sleep that was no longer, the next wait may be over in a moment: most of this one was being woken.
const BRIEF: Duration = Duration::from_micros(100);
/// If the processor comes back later, others than the peer had it, too.
const LONG: Duration = Duration::from_micros(100);
/// What that counts as in vain attempts.
const COST_OF_LONG: u32 = 3;

/// Where more threads wait, they share processors: who lets others have them gets them back late, and takes them from those
/// that have something to do.
const CROWD: usize = 4;

/// Threads of this process that wait in the polls of sockets, or for a socket of the process. What a forked child inherits of it only makes a crowd of fewer.
static WAITING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// What waits of this thread have shown in which it drove nothing.
    static OWN: Cell<Patience> = const { Cell::new(Patience::NEW) };
}

/// A thread that waits, as long as this lives.
pub(super) struct Waiting;

impl Waiting {
    pub(super) fn begin() -> Waiting {
        WAITING.fetch_add(1, Ordering::Relaxed);
        Waiting
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What earlier waits have shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// The last wait was a brief one.
    brief: bool,
    attempts: Attempts,
}

impl Patience {
    pub(super) const NEW: Patience = Patience { brief: false, attempts: Attempts::NONE };

    /// Whether to look for a moment before the wait that begins, for which there is `left` so much time.
    fn is_worth_it(&mut self, left: Option<Duration>) -> bool {
        let due = self.attempts.are_due();
        self.attempts.pass();
        due && self.brief
            && left.is_none_or(|left| left >= MOMENT)
            && WAITING.load(Ordering::Relaxed) <= CROWD
    }

    /// Looks for a moment from `start` on. True if something `came`.
    fn look_for_a_moment(&mut self, start: Instant, mut came: impl FnMut() -> bool) -> bool {
        loop {
            thread::yield_now();
            let came = came();
            let took = start.elapsed();
            if came || took >= MOMENT {
                self.looked(took, came);
                return came;
            }
        }
    }

    /// The thread looked so long, and something `came` or not.
    fn looked(&mut self, took: Duration, came: bool) {
        if took >= LONG {
            self.brief = false;
            self.attempts.was_vain(COST_OF_LONG);
        } else if came {
            self.attempts.was_worth_it();
        } else {
            self.attempts.was_vain(1);
        }
    }

    /// The thread slept so long.
    pub(super) fn slept(&mut self, took: Duration) {
        self.brief = took < BRIEF;
    }
}

impl Seat {
    /// Asks for events for a moment from `start` on, if that is worth it and there is `left` so much time. True if there are
    /// any, or `stop` has come true.
    #[inline]
    pub(super) fn linger(
        &mut self,
        start: Instant,
        left: Option<Duration>,
        stop: impl Fn() -> bool,
    ) -> bool {
        let Seat { poll, events, patience, .. } = self;
        patience.is_worth_it(left)
            && patience.look_for_a_moment(start, || {
                let polled = poll.poll(events, Some(Duration::ZERO));
                (polled.is_ok() && !events.is_empty()) || stop()
            })
    }
}

/// Sleeps until others notify the thread: peers in this process, for a socket that has no others.
pub(super) fn park(parker: &Arc<Parker>, deadline: Option<Instant>) -> Slept {
    let _waiting = Waiting::begin();
    let mut patience = OWN.get();
    let start = Instant::now();
    let came = patience.is_worth_it(wait::remaining(deadline))
        && patience.look_for_a_moment(start, || parker.is_notified());
    let slept = if came { Slept::Notified } else { wait::park(parker, deadline) };
    if !came {
        patience.slept(start.elapsed());
    }
    OWN.set(patience);
    slept
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn after_a_brief_sleep() -> Patience {
        let mut patience = Patience::NEW;
        patience.slept(Duration::ZERO);
        patience
    }

    /// How many waits in a row go by until a look is worth it.
    fn waits_without_a_look(patience: &mut Patience) -> u32 {
        (0..u32::MAX).find(|_| patience.is_worth_it(None)).expect("some time it is")
    }

    #[test]
    fn only_a_brief_sleep_makes_a_look_worth_it() {
        let mut patience = Patience::NEW;
        assert!(!patience.is_worth_it(None));
        patience.slept(BRIEF / 2);
        assert!(patience.is_worth_it(None));
        patience.slept(BRIEF);
        assert!(!patience.is_worth_it(None));
    }

    #[test]
    fn nobody_looks_beyond_a_deadline() {
        let mut patience = after_a_brief_sleep();
        assert!(!patience.is_worth_it(Some(MOMENT / 2)));
        assert!(patience.is_worth_it(Some(MOMENT)));
    }

    #[test]
    fn looks_in_vain_become_seldom_and_one_that_pays_is_followed_by_the_next() {
        let mut patience = after_a_brief_sleep();
        let mut before = 0;
        for _ in 0..5 {
            patience.looked(MOMENT, false);
            let rested = waits_without_a_look(&mut patience);
            assert!(rested > before);
            before = rested;
        }
        patience.looked(MOMENT / 2, true);
        assert_eq!(waits_without_a_look(&mut patience), 0);
    }

    #[test]
    fn a_look_that_took_long_counts_as_vain_whatever_it_brought() {
        let mut patience = after_a_brief_sleep();
        patience.looked(MILLISECOND, true);
        patience.slept(Duration::ZERO);
        assert!(waits_without_a_look(&mut patience) >= 1 << COST_OF_LONG);
    }

    #[test]
    fn a_moment_ends_when_it_is_to_stop_or_is_over() {
        let mut patience = after_a_brief_sleep();
        assert!(patience.look_for_a_moment(Instant::now(), || true));
        let start = Instant::now();
        assert!(!patience.look_for_a_moment(start, || false));
        assert!(start.elapsed() >= MOMENT);
    }

    #[test]
    fn in_a_crowd_nobody_looks() {
        let mut seat = Seat::new(mio::Poll::new().expect("there are descriptors"));
        seat.patience = after_a_brief_sleep();
        let _crowd = [0; CROWD + 1].map(|_| Waiting::begin());
        assert!(!seat.linger(Instant::now(), None, || true));
    }
}
