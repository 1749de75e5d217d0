//! What a thread does before it sleeps in a socket's poll: it looks for a moment longer, where the wait before was a brief one.
//!
//! Being put to sleep and woken costs both sides more than many an answer takes, most of all where a processor goes idle in
//! between. With each look the thread lets others have its processor: that may be where the peer works. What brings nothing, or
//! takes long, is tried more and more seldom.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::attempts::Attempts;
use super::core::Seat;

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

/// Threads of this process that wait in the polls of sockets. What a forked child inherits of it only makes a crowd of fewer.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// A thread that waits in a socket's poll, as long as this lives.
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
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// The last wait was a brief one.
    brief: bool,
    attempts: Attempts,
}

impl Patience {
    /// Whether to look for a moment before the wait that begins, for which there is `left` so much time.
    fn is_worth_it(&mut self, left: Option<Duration>) -> bool {
        let due = self.attempts.are_due();
        self.attempts.pass();
        due && self.brief && left.is_none_or(|left| left >= MOMENT)
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
        self.patience.is_worth_it(left)
            && WAITING.load(Ordering::Relaxed) <= CROWD
            && self.look_for_a_moment(start, stop)
    }

    fn look_for_a_moment(&mut self, start: Instant, stop: impl Fn() -> bool) -> bool {
        loop {
            thread::yield_now();
            let polled = self.poll.poll(&mut self.events, Some(Duration::ZERO));
            let came = (polled.is_ok() && !self.events.is_empty()) || stop();
            let took = start.elapsed();
            if came || took >= MOMENT {
                self.patience.looked(took, came);
                return came;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn after_a_brief_sleep() -> Patience {
        let mut patience = Patience::default();
        patience.slept(Duration::ZERO);
        patience
    }

    /// How many waits in a row go by until a look is worth it.
    fn waits_without_a_look(patience: &mut Patience) -> u32 {
        (0..u32::MAX).find(|_| patience.is_worth_it(None)).expect("some time it is")
    }

    #[test]
    fn only_a_brief_sleep_makes_a_look_worth_it() {
        let mut patience = Patience::default();
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
        let mut seat = Seat::new(mio::Poll::new().expect("there are descriptors"));
        assert!(seat.look_for_a_moment(Instant::now(), || true));
        let start = Instant::now();
        assert!(!seat.look_for_a_moment(start, || false));
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
