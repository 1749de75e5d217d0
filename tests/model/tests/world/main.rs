//! One socket in a small world, checked with shuttle: callers, futures, the I/O thread, a peer, and a
//! kernel of epolls. Random schedules and PCT: each finds what the other misses.
//!
//! The decisions are the library's own files (`handover`, `waiters`, `parker`), built on shuttle's
//! atomics. What moves between them (`socket/wait.rs`, `future.rs`, `turn.rs`, `driven.rs`, `io_thread.rs`) is
//! retold in `core` and `io_thread` here, step for step. Whoever sleeps for good blocks, so shuttle
//! reports a lost wake-up as a deadlock: a message has arrived, everybody sleeps, and nobody will come.
//!
//! Every step of the protocol has a variant without it, which the checkers must catch.

mod core;
#[allow(dead_code, reason = "the library uses more of it")]
#[path = "../../../../crates/tightbeam/src/reactor/driver.rs"]
mod driver;
#[allow(dead_code, reason = "the library uses more of it")]
#[path = "../../../../crates/tightbeam/src/reactor/handover.rs"]
mod handover;
mod io_thread;
mod kernel;
#[allow(dead_code, reason = "the library uses more of it")]
#[path = "../../../../crates/tightbeam/src/reactor/parker.rs"]
mod parker;
mod roles;
mod sync;
mod sys;
#[allow(dead_code, reason = "the library uses more of it")]
#[path = "../../../../crates/tightbeam/src/reactor/waiters.rs"]
mod waiters;

use std::panic::catch_unwind;

use roles::{Role, play};

/// What is left out, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// The I/O thread does not look at the sockets once more after it announced that it sleeps.
    NoLookBeforeSleep,
    /// It looks, but announces only then.
    LookBeforeAnnouncing,
    /// It does not look into its inbox once more.
    NoInboxBeforeSleep,
    /// A caller that leaves does not ask whether the I/O thread sleeps.
    LeaveUnseen,
    /// The socket is given back without the MOD that reports pending events.
    RearmWithoutMod,
    /// The list of ready sources is not handed over with the socket.
    ReadyListStays,
    /// A caller that drove leaves without offering the seat.
    CallerKeepsSeat,
    /// The I/O thread drove while a caller claimed the socket, and offers nothing.
    IoThreadKeepsSeat,
    /// A thread that was offered the seat and does not take it passes nothing on.
    OfferNotPassedOn,
    /// A future that was notified and is dropped passes nothing on.
    DroppedNotification,
    /// Who comes to a claimed and pinned socket follows, though nobody else may be left to drive.
    PinnedFollows,
    /// The last caller that leaves a pinned socket does not arm it.
    PinnedNotArmed,
    /// The I/O thread takes the poll out of the parent without being inside.
    SetAsideFromOutside,
    /// An event that comes between the read that found nothing and its end is forgotten.
    EventForgotten,
    /// A driver goes to sleep without asking whether it was notified meanwhile.
    SleepsNotified,
    /// A notified driver's poll is not woken.
    PollNotWoken,
}

/// Schedules of each kind for a scenario that must hold.
const RANDOM: usize = if cfg!(debug_assertions) { 2_000 } else { 10_000 };
const PCT: usize = RANDOM;
/// A flaw must show within so many rounds, of so many schedules of each kind: most show in the first, and schedules are random.
const ROUNDS: usize = 60;
const CATCH: usize = 10_000;

fn check(roles: &'static [Role]) {
    shuttle::check_random(move || play(roles, Flaw::None), RANDOM);
    shuttle::check_pct(move || play(roles, Flaw::None), PCT, 3);
}

/// The checker must not believe that the protocol works without this step.
fn must_fail(flaw: Flaw, roles: &'static [Role]) {
    let random = || catch_unwind(|| shuttle::check_random(move || play(roles, flaw), CATCH));
    let pct = || catch_unwind(|| shuttle::check_pct(move || play(roles, flaw), CATCH, 3));
    let caught = (0..ROUNDS).any(|_| random().is_err() || pct().is_err());
    assert!(caught, "{flaw:?} went unnoticed");
}

const TWO: &[Role] = &[Role::Receiver(2), Role::Receiver(1)];
const CROWD: &[Role] = &[Role::Receiver(2), Role::Receiver(2), Role::Receiver(1)];
const IMPATIENT: &[Role] =
    &[Role::Receiver(2), Role::Impatient(2), Role::Impatient(1), Role::Receiver(1)];
const FUTURES: &[Role] = &[Role::Task(2), Role::Receiver(2), Role::Receiver(1)];
const DROPPED: &[Role] = &[Role::Task(2), Role::Dropper(2)];
const MIXED: &[Role] =
    &[Role::Receiver(2), Role::Dropper(1), Role::Task(1), Role::Impatient(1), Role::Glancer(2)];
const ALONE: &[Role] = &[Role::Receiver(3)];
const LEFT_BEHIND: &[Role] = &[Role::Receiver(1), Role::Unclaimed(3)];
const SHUTDOWN: &[Role] = &[Role::Guest, Role::Guest, Role::Shutdown];

#[test]
fn one_caller_gets_everything() {
    check(ALONE);
    check(LEFT_BEHIND);
}

#[test]
fn a_shutdown_ends_every_wait() {
    check(SHUTDOWN);
}

#[test]
fn callers_pass_the_seat() {
    check(TWO);
    check(CROWD);
}

#[test]
fn callers_may_give_up() {
    check(IMPATIENT);
}

#[test]
fn futures_and_callers_mix() {
    check(FUTURES);
    check(DROPPED);
    check(MIXED);
}

macro_rules! flaws {
    ($($test:ident: $flaw:ident in $roles:ident;)*) => {$(
        #[test]
        fn $test() {
            must_fail(Flaw::$flaw, $roles);
        }
    )*};
}

flaws! {
    without_a_look_before_sleeping_it_fails: NoLookBeforeSleep in ALONE;
    with_the_look_before_the_announcement_it_fails: LookBeforeAnnouncing in ALONE;
    without_the_inbox_before_sleeping_it_fails: NoInboxBeforeSleep in ALONE;
    without_asking_who_sleeps_on_leaving_it_fails: LeaveUnseen in ALONE;
    without_the_mod_on_rearming_it_fails: RearmWithoutMod in ALONE;
    without_handing_over_the_ready_list_it_fails: ReadyListStays in LEFT_BEHIND;
    without_the_seat_passed_by_callers_it_fails: CallerKeepsSeat in TWO;
    without_the_seat_passed_by_the_io_thread_it_fails: IoThreadKeepsSeat in ALONE;
    without_passing_an_offer_on_it_fails: OfferNotPassedOn in IMPATIENT;
    without_passing_a_notification_on_it_fails: DroppedNotification in DROPPED;
    with_followers_only_in_a_pinned_socket_it_fails: PinnedFollows in FUTURES;
    without_arming_a_pinned_socket_it_fails: PinnedNotArmed in FUTURES;
    with_the_poll_set_aside_from_outside_it_fails: SetAsideFromOutside in FUTURES;
    without_events_noted_while_reading_it_fails: EventForgotten in ALONE;
    without_asking_before_sleeping_in_the_poll_it_fails: SleepsNotified in SHUTDOWN;
    without_waking_the_poll_it_fails: PollNotWoken in SHUTDOWN;
}
