//! What a thread does before it sleeps, in the poll of a socket or of several, or, for a socket that is not in the network, on a futex:
//! it looks for a moment longer, where the wait before was a brief one.
//!
//! Being put to sleep and woken costs both sides more than many an answer takes, most of all where a processor goes idle in
//! between. With each look the thread lets others have its processor: that may be where the peer works. What brings nothing, or
//! takes long, is tried more and more seldom.
//!
//! The first look is for the answer of the only peer, if there is one only: reading from it says as much as asking first whether it
//! has sent something. All others ask the kernel for whatever there is.

use std::cell::Cell;
use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::attempts::Attempts;
use super::core::{Core, Reactor, Seat};
use super::wait::{Slept, remaining};
use crate::reactor::parker::Parker;
use crate::sys::{self, PollFd, SignalMask};

/// How long to look. It is longer than a peer takes that has to be woken first: two that answer each other would otherwise
/// both look in vain as long as the other one sleeps.
const MOMENT: Duration = Duration::from_micros(50);
/// After a sleep that was no longer, the next wait may be over in a moment: most of this one was being woken.
const BRIEF: Duration = Duration::from_micros(100);
/// If the processor comes back later, others than the peer had it, too.
const LONG: Duration = Duration::from_micros(100);
/// What that counts as in vain attempts.
const COST_OF_LONG: u32 = 3;

/// Of so many first looks one is timed, even if they have paid.
const TIMED: u8 = 8;
/// If so many follow each other within this time, they do so quickly.
const QUICK: Duration = Duration::from_micros(50 * TIMED as u64);
/// Of so many first looks one is for everybody, even if there is only one peer: others may want to come.
const ASKED: u8 = 32;

/// Where more threads wait, they share processors: who lets others have them gets them back late, and takes them from those
/// that have something to do.
const CROWD: usize = 4;

/// Threads of this process that wait so. What a forked child inherits of it only makes a crowd of fewer.
static WAITING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// What waits of this thread have shown in which it drove no socket, or several.
    static OWN: Cell<Patience> = const { Cell::new(Patience::NEW) };
}

/// A thread that waits, as long as this lives.
pub(super) struct Waiting;

impl Waiting {
    pub(super) fn begin() -> Waiting {
        WAITING.fetch_add(1, Ordering::Relaxed);
        Waiting
    }

    fn threads() -> usize {
        WAITING.load(Ordering::Relaxed)
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
    /// First looks since one was timed.
    untimed: u8,
    /// When that was.
    timed: Option<Instant>,
    /// Waits follow each other quickly, as far as that is known.
    quick: bool,
    /// First looks since everybody was asked.
    unasked: u8,
}

/// True for one call in `of`.
fn is_one_of(count: &mut u8, of: u8) -> bool {
    *count = (*count + 1) % of;
    *count == 0
}

impl Patience {
    pub(super) const NEW: Patience = Patience {
        brief: false,
        attempts: Attempts::NONE,
        untimed: 0,
        timed: None,
        quick: false,
        unasked: 0,
    };

    /// Whether to look for a moment before the wait that begins, for which there is `left` so much time, where so many threads wait.
    fn is_worth_it(&mut self, left: Option<Duration>, waiting: usize) -> bool {
        let due = self.attempts.are_due();
        self.attempts.pass();
        due && self.brief && left.is_none_or(|left| left >= MOMENT) && waiting <= CROWD
    }

    /// Looks for a moment. Answers when that began if nothing `came`.
    fn look_for_a_moment(&mut self, mut came: impl FnMut() -> bool) -> Option<Instant> {
        let timed = self.times_the_first_look().then(Instant::now);
        if let Some(now) = timed {
            self.note_pace(now);
        }
        thread::yield_now();
        if came() {
            if let Some(start) = timed {
                self.looked(start.elapsed(), true);
            }
            return None;
        }
        let start = timed.unwrap_or_else(Instant::now);
        loop {
            thread::yield_now();
            let came = came();
            let took = start.elapsed();
            if came || took >= MOMENT {
                self.looked(took, came);
                return (!came).then_some(start);
            }
        }
    }

    /// Whether the clock is read before the first look: while looks have paid, seldom, for it takes part of what they save.
    fn times_the_first_look(&mut self) -> bool {
        is_one_of(&mut self.untimed, TIMED) || self.attempts.are_doubtful()
    }

    /// A first look begins now.
    fn note_pace(&mut self, now: Instant) {
        let last = self.timed.replace(now);
        self.quick = last.is_some_and(|last| now.saturating_duration_since(last) < QUICK);
    }

    /// Whether the first look is for everybody, and not for the only peer alone. Between waits that do not follow each other quickly
    /// the application does more than that could save.
    fn asks_everybody(&mut self) -> bool {
        is_one_of(&mut self.unasked, ASKED) || !self.quick
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

impl Core {
    /// Looks for news for a moment, if that is worth it and there is `left` so much time. Answers since when the thread waits, or
    /// none if there are news, which are dealt with. Notes whether the kernel was `asked` for all of them.
    #[inline]
    pub(super) fn linger(
        &self,
        reactor: &Reactor,
        seat: &mut Seat,
        left: Option<Duration>,
        asked: &mut bool,
        stop: impl Fn() -> bool,
    ) -> Option<Instant> {
        let Seat { poll, events, patience, .. } = seat;
        if !patience.is_worth_it(left, Waiting::threads()) {
            return Some(Instant::now());
        }
        events.clear();
        let mut directly = !patience.asks_everybody();
        let start = patience.look_for_a_moment(|| {
            if mem::take(&mut directly) && self.ask_the_only_peer(reactor) {
                // There may be more where this came from, of which the kernel tells nobody.
                return stop() || self.has_ready.load(Ordering::SeqCst);
            }
            *asked = true;
            let polled = poll.poll(events, Some(Duration::ZERO));
            (polled.is_ok() && !events.is_empty()) || stop()
        });
        if start.is_none() {
            self.take_events(reactor, events);
        }
        start
    }
}

/// Looks for a moment whether `for_what` has come, if that is worth it and there is `left` so much time, then sleeps; for waits in
/// which the thread drives no socket, or several.
fn look_or_sleep<W, R>(
    for_what: &mut W,
    left: Option<Duration>,
    mut look: impl FnMut(&mut W) -> Option<R>,
    sleep: impl FnOnce(&mut W) -> R,
) -> R {
    let _waiting = Waiting::begin();
    let mut patience = OWN.get();
    let mut came = None;
    let start = if patience.is_worth_it(left, Waiting::threads()) {
        patience.look_for_a_moment(|| {
            came = look(for_what);
            came.is_some()
        })
    } else {
        Some(Instant::now())
    };
    let came = came.unwrap_or_else(|| sleep(for_what));
    if let Some(start) = start {
        patience.slept(start.elapsed());
    }
    OWN.set(patience);
    came
}

/// Sleeps until others notify the thread: peers in this process, for a socket that has no others.
pub(super) fn park(parker: &Arc<Parker>, deadline: Option<Instant>) -> Slept {
    let look = |parker: &mut &Arc<Parker>| parker.is_notified().then_some(Slept::Notified);
    look_or_sleep(&mut &*parker, remaining(deadline), look, |parker| {
        super::wait::park(parker, deadline)
    })
}

/// Waits for one of these descriptors, as [`sys::ppoll`] does. With a mask it does not look: signals that this lets through get through
/// while the thread sleeps.
pub(super) fn poll(
    descriptors: &mut [PollFd],
    timeout: Option<Duration>,
    mask: Option<&SignalMask>,
) -> io::Result<usize> {
    if timeout == Some(Duration::ZERO) || mask.is_some() {
        return sys::ppoll(descriptors, timeout, mask);
    }
    let look = |descriptors: &mut &mut [PollFd]| {
        let found = sys::ppoll(descriptors, Some(Duration::ZERO), None);
        (!matches!(found, Ok(0))).then_some(found)
    };
    look_or_sleep(&mut &mut *descriptors, timeout, look, |descriptors| {
        sys::ppoll(descriptors, timeout, None)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AnySocket, Context, SocketType};

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn after_a_brief_sleep() -> Patience {
        let mut patience = Patience::NEW;
        patience.slept(Duration::ZERO);
        patience
    }

    /// How many waits in a row go by until a look is worth it.
    fn waits_without_a_look(patience: &mut Patience) -> u32 {
        (0..u32::MAX).find(|_| patience.is_worth_it(None, 1)).expect("some time it is")
    }

    #[test]
    fn only_a_brief_sleep_makes_a_look_worth_it() {
        let mut patience = Patience::NEW;
        assert!(!patience.is_worth_it(None, 1));
        patience.slept(BRIEF / 2);
        assert!(patience.is_worth_it(None, 1));
        patience.slept(BRIEF);
        assert!(!patience.is_worth_it(None, 1));
    }

    #[test]
    fn nobody_looks_beyond_a_deadline() {
        let mut patience = after_a_brief_sleep();
        assert!(!patience.is_worth_it(Some(MOMENT / 2), 1));
        assert!(patience.is_worth_it(Some(MOMENT), 1));
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
        assert_eq!(patience.look_for_a_moment(|| true), None);
        let before = Instant::now();
        let start = patience.look_for_a_moment(|| false).expect("nothing came");
        assert!(start >= before && before.elapsed() >= MOMENT);
    }

    #[test]
    fn the_first_look_is_timed_seldom_but_always_where_looks_were_in_vain() {
        let mut patience = after_a_brief_sleep();
        let timed = |patience: &mut Patience| {
            (0..4 * TIMED).filter(|_| patience.times_the_first_look()).count()
        };
        assert_eq!(timed(&mut patience), 4);
        patience.looked(MOMENT, false);
        assert_eq!(timed(&mut patience), 4 * usize::from(TIMED));
    }

    #[test]
    fn in_a_crowd_nobody_looks() {
        let mut patience = after_a_brief_sleep();
        assert!(!patience.is_worth_it(None, CROWD + 1));
        assert!(patience.is_worth_it(None, CROWD));
    }

    #[test]
    fn a_poll_that_looks_finds_what_is_there_and_gives_up_in_time() {
        let event = sys::EventFd::new().expect("there are descriptors");
        let poll_for = |timeout| {
            let mut descriptors =
                [PollFd::new(std::os::fd::AsRawFd::as_raw_fd(&event), PollFd::IN)];
            poll(&mut descriptors, Some(timeout), None).expect("no signal comes")
        };
        for timeout in [Duration::ZERO, MOMENT / 2, MOMENT, 2 * MOMENT] {
            OWN.set(after_a_brief_sleep());
            let start = Instant::now();
            assert_eq!(poll_for(timeout), 0);
            assert!(start.elapsed() >= timeout);
            event.signal();
            OWN.set(after_a_brief_sleep());
            assert_eq!(poll_for(timeout), 1);
            event.clear();
        }
    }

    #[test]
    fn everybody_is_asked_by_who_comes_seldom() {
        let mut patience = Patience::NEW;
        let mut now = Instant::now();
        let mut comes = |patience: &mut Patience, after| {
            now += after;
            patience.note_pace(now);
            (1..ASKED).filter(|_| patience.asks_everybody()).count()
        };
        assert!(comes(&mut patience, Duration::ZERO) > 1, "nothing is known");
        assert!(comes(&mut patience, QUICK / 2) <= 1, "it comes often");
        assert!(comes(&mut patience, QUICK) > 1, "it comes seldom");
    }

    /// A PULL that has heard a PUSH, and where it listens.
    fn server_with_a_peer(context: &Context) -> (AnySocket, AnySocket, String) {
        let pull = context.any_socket(SocketType::Pull).expect("a socket");
        let push = context.any_socket(SocketType::Push).expect("a socket");
        let endpoint = pull.bind("tcp://127.0.0.1:*").expect("a port").to_string();
        push.connect(&*endpoint).expect("an endpoint");
        push.send("first").expect("sent");
        pull.recv().expect("received");
        (pull, push, endpoint)
    }

    #[test]
    fn the_only_peer_is_asked_first_and_now_and_then_everybody() {
        let context = Context::new();
        let (pull, push, endpoint) = server_with_a_peer(&context);
        let core = pull.core();
        let inside = core.go_in().expect("the callers drive");
        let mut seat = inside.take_seat().expect("nobody else waits");
        let reactor = core.reactor.get().expect("it has bound");
        while seat.poll_now() {}
        let address = endpoint.strip_prefix("tcp://").expect("tcp");
        let _other = std::net::TcpStream::connect(address).expect("it listens");
        push.send("second").expect("sent");
        let sources = || core.lock_always().sources.len();
        let before = sources();
        seat.patience = Patience { quick: true, ..after_a_brief_sleep() };
        let look = |seat: &mut Seat| {
            let mut asked = false;
            assert_eq!(core.linger(reactor, seat, None, &mut asked, || true), None);
            asked
        };
        assert!(!look(&mut seat), "the peer is asked");
        assert_eq!(core.recv_queued().expect("open").expect("read by a look"), "second");
        let looks = (1..=ASKED).find(|_| look(&mut seat));
        assert!(looks.is_some() && sources() > before, "the kernel is asked");
    }
}
