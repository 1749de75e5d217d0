//! Claiming, leaving, re-arming, pinning, and the seat.

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

use super::handover::{Entry, Exit, Handover, Watch};
use super::{check, must_fail};

/// What the I/O thread does before it sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    AnnounceThenLook,
    LookThenAnnounce,
    AnnounceOnly,
}

/// A caller leaves while the I/O thread goes to sleep: one of the two must notice.
fn leaving_while_falling_asleep(before: Before) {
    let handover = Arc::new(Handover::new());
    let watch = Arc::new(Watch::new());
    assert_eq!(handover.enter(), Entry::Claimed);
    let caller = {
        let (handover, watch) = (Arc::clone(&handover), Arc::clone(&watch));
        thread::spawn(move || handover.leave(&watch))
    };
    let abandoned = || {
        let sight = handover.look();
        sight.claimed && !sight.occupied
    };
    let noticed = match before {
        Before::AnnounceThenLook => {
            watch.sleep();
            abandoned()
        }
        Before::LookThenAnnounce => {
            let noticed = abandoned();
            watch.sleep();
            noticed
        }
        Before::AnnounceOnly => {
            watch.sleep();
            false
        }
    };
    let exit = caller.join().unwrap();
    assert!(noticed || exit == Exit::Unwatched, "abandoned, and nobody looks");
}

#[test]
fn a_caller_that_leaves_is_noticed() {
    check(|| leaving_while_falling_asleep(Before::AnnounceThenLook));
}

#[test]
fn without_a_look_or_with_an_early_one_it_is_not() {
    must_fail(|| leaving_while_falling_asleep(Before::LookThenAnnounce));
    must_fail(|| leaving_while_falling_asleep(Before::AnnounceOnly));
}

/// The socket's interest in the parent poll; a lock is what the kernel has.
#[derive(Debug, Default)]
struct Interest {
    masked: Mutex<bool>,
}

impl Interest {
    fn set(&self, masked: bool) {
        *self.masked.lock().unwrap() = masked;
    }
}

/// A call that blocks, as far as claims go.
fn visit(handover: &Handover, watch: &Watch, interest: &Interest) {
    match handover.enter() {
        Entry::Pinned => return,
        Entry::Claimed => interest.set(true),
        Entry::Joined => {}
    }
    match handover.leave(watch) {
        Exit::Arm => interest.set(false),
        Exit::Unwatched if handover.rearm() => interest.set(false),
        Exit::Unwatched | Exit::Nothing => {}
    }
}

/// Callers come and go while the I/O thread takes the socket back: it is never armed and masked.
#[test]
fn a_socket_given_back_is_heard() {
    check(|| {
        let shared = Arc::new((Handover::new(), Watch::new(), Interest::default()));
        let caller = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                visit(&shared.0, &shared.1, &shared.2);
                visit(&shared.0, &shared.1, &shared.2);
            })
        };
        let (handover, watch, interest) = &*shared;
        if handover.rearm() {
            interest.set(false);
        }
        visit(handover, watch, interest);
        caller.join().unwrap();
        let masked = *interest.masked.lock().unwrap();
        assert!(!masked || handover.is_claimed(), "masked, and the I/O thread would drive");
    });
}

/// Callers leave while a future pins the socket.
fn pinning_while_leaving(arm: bool) {
    let shared = Arc::new((Handover::new(), Watch::new(), Interest::default()));
    let callers: Vec<_> = (0..2)
        .map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (handover, watch, interest) = &*shared;
                if arm {
                    return visit(handover, watch, interest);
                }
                match handover.enter() {
                    Entry::Pinned => return,
                    Entry::Claimed => interest.set(true),
                    Entry::Joined => {}
                }
                handover.leave(watch);
            })
        })
        .collect();
    let (handover, _, interest) = &*shared;
    if handover.pin() {
        interest.set(false);
    }
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    assert!(!handover.is_claimed() && !*interest.masked.lock().unwrap(), "a future waits unheard");
}

#[test]
fn a_pinned_socket_ends_armed() {
    check(|| pinning_while_leaving(true));
}

#[test]
fn without_arming_on_leaving_a_pinned_socket_stays_masked() {
    must_fail(|| pinning_while_leaving(false));
}

/// The seat: `std`'s mutex, with its orderings.
#[derive(Debug, Default)]
struct Seat {
    taken: AtomicBool,
}

impl Seat {
    fn try_take(&self) -> bool {
        self.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    fn free(&self) {
        self.taken.store(false, Ordering::Release);
    }
}

/// A caller claims while the I/O thread drives: it gets the seat, or is offered it.
fn claiming_while_the_io_thread_drives(claimed: fn(&Handover) -> bool) {
    let shared = Arc::new((Handover::new(), Seat::default()));
    let caller = {
        let shared = Arc::clone(&shared);
        thread::spawn(move || {
            let (handover, seat) = &*shared;
            assert_eq!(handover.enter(), Entry::Claimed);
            seat.try_take()
        })
    };
    let (handover, seat) = &*shared;
    let mut offered = false;
    if !handover.is_claimed() && seat.try_take() {
        seat.free();
        offered = claimed(handover);
    }
    assert!(caller.join().unwrap() || offered, "everybody follows, and nobody drives");
}

#[test]
fn a_caller_that_claims_gets_the_seat() {
    check(|| claiming_while_the_io_thread_drives(Handover::claimed_meanwhile));
}

#[test]
fn without_an_offer_by_the_io_thread_nobody_drives() {
    must_fail(|| claiming_while_the_io_thread_drives(|_| false));
    // A mere load may be older than the seat's release.
    must_fail(|| claiming_while_the_io_thread_drives(Handover::is_claimed));
}
