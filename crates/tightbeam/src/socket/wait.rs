//! Waiting: the thread that waits for a socket drives it.

use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use super::core::{Core, Reactor, Seat};
use super::flush;
use super::guard::Guard;
use super::linger::{self, Waiting};
use super::state::State;
use crate::error::{Error, Result};
use crate::reactor::handover::{Entry, Exit};
use crate::reactor::io_thread::Driven;
use crate::reactor::parker::Parker;
use crate::reactor::shared::Command;
use crate::reactor::waiters::Interest;
use crate::sys::{self, PollFd, Woken};

/// A sleep that lasts longer is one that survives being stopped and continued.
const SHORT: Duration = Duration::from_millis(10);
/// After a short sleep, so many are taken to be short, too.
const BRISK: u8 = 64;

/// Callers that leave within this time of each other keep the socket and wake the I/O thread to
/// watch it; slower ones give it back each time.
const HOT: Duration = Duration::from_millis(2);

/// How long a call may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// Not at all, not even for another thread to release the socket's lock
    /// ([`Error::Busy`](crate::Error::Busy)).
    TryLock,
    /// Not at all.
    Never,
    /// So long.
    Within(Duration),
    /// Until it is done, or the context ends.
    Forever,
}

impl From<Option<Duration>> for Timing {
    /// An option's value: none is for ever.
    fn from(timeout: Option<Duration>) -> Timing {
        match timeout {
            None => Timing::Forever,
            Some(Duration::ZERO) => Timing::Never,
            Some(timeout) => Timing::Within(timeout),
        }
    }
}

impl Timing {
    /// When to give up; none is never, or a time beyond the clock's range.
    fn deadline(self) -> Option<Instant> {
        match self {
            Timing::Within(timeout) => Instant::now().checked_add(timeout),
            Timing::TryLock | Timing::Never | Timing::Forever => None,
        }
    }

    /// Whether it may sleep.
    pub(super) fn waits(self) -> bool {
        !matches!(self, Timing::TryLock | Timing::Never | Timing::Within(Duration::ZERO))
    }
}

/// How a sleep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slept {
    Notified,
    TimedOut,
    Interrupted,
}

/// Time left; `None` is for ever.
pub(super) fn remaining(deadline: Option<Instant>) -> Option<Duration> {
    deadline.map(|at| at.saturating_duration_since(Instant::now()))
}

/// A thread's place in the list of waiters. Given up also when the wait panics (in a free function or
/// a waker): a notification to a place that nobody looks at any more would be lost.
pub(super) struct Place<'a> {
    core: &'a Core,
    ticket: u64,
}

impl<'a> Place<'a> {
    pub(super) fn new(core: &'a Core, ticket: u64) -> Place<'a> {
        Place { core, ticket }
    }

    /// Gives the place up; for a waiter that only looked, and leaves everything to others.
    pub(super) fn give_up(self) {
        let (mut guard, offered_seat) = self.leave(false);
        if offered_seat {
            guard.pass_the_seat();
        }
    }

    /// Gives the place up, for the next attempt. True if the seat was offered to this thread.
    fn leave(self, drove: bool) -> (Guard<'a>, bool) {
        let mut guard = self.core.lock_always();
        guard.waiters.remove(self.ticket);
        if drove {
            guard.pass_the_seat();
        }
        let offered_seat = guard.waiters.take_offer(self.ticket);
        std::mem::forget(self);
        (guard, offered_seat)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut guard = self.core.lock_always();
        if !guard.waiters.remove(self.ticket) {
            let state = &mut *guard;
            state.waiters.notify_all();
        }
    }
}

/// A caller that is inside: it leaves when this is dropped, whatever happens.
pub(super) struct Inside<'a> {
    core: &'a Core,
    reactor: &'a Reactor,
}

impl<'a> Inside<'a> {
    /// Takes the seat if it is free.
    pub(super) fn take_seat(&self) -> Option<Driving<'a>> {
        let seat = Some(self.reactor.try_seat()?);
        Some(Driving { core: self.core, reactor: self.reactor, seat })
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.core.exit(self.reactor);
    }
}

/// The seat in a caller's hands: it goes on to whoever waits when this is dropped.
pub(super) struct Driving<'a> {
    core: &'a Core,
    reactor: &'a Reactor,
    seat: Option<MutexGuard<'a, Seat>>,
}

impl Deref for Driving<'_> {
    type Target = Seat;

    fn deref(&self) -> &Seat {
        self.seat.as_ref().expect("present until dropped")
    }
}

impl DerefMut for Driving<'_> {
    fn deref_mut(&mut self) -> &mut Seat {
        self.seat.as_mut().expect("present until dropped")
    }
}

/// A caller that is inside and has the seat.
pub(super) struct Driver<'a> {
    // Fields are dropped in this order: first the seat goes on.
    seat: Driving<'a>,
    _inside: Inside<'a>,
}

impl<'a> Deref for Driver<'a> {
    type Target = Driving<'a>;

    fn deref(&self) -> &Driving<'a> {
        &self.seat
    }
}

impl<'a> DerefMut for Driver<'a> {
    fn deref_mut(&mut self) -> &mut Driving<'a> {
        &mut self.seat
    }
}

impl Driving<'_> {
    /// Leaves the seat; the caller passes it on.
    fn give_up(&mut self) {
        self.seat = None;
    }

    /// The descriptor that tells of events.
    pub(super) fn poll_fd(&self) -> RawFd {
        self.reactor.poll_fd
    }

    /// Deals with what is ready already. True if there may be more.
    pub(super) fn work_off(&mut self) -> bool {
        self.core.some_turns(self.reactor)
    }

    /// Asks the kernel for news, and deals with the first of it. True if there may be more.
    #[cfg(feature = "tokio")]
    pub(super) fn turn(&mut self) -> bool {
        let (core, reactor) = (self.core, self.reactor);
        let unread = core.poll_now(reactor, self);
        core.some_turns(reactor) || unread
    }

    /// Asks the kernel for news, and deals with it. True if there were any.
    pub(super) fn poll_now(&mut self) -> bool {
        let (core, reactor) = (self.core, self.reactor);
        core.poll_now(reactor, self);
        let heard = !self.events.is_empty();
        core.some_turns(reactor);
        heard
    }
}

impl Drop for Driving<'_> {
    fn drop(&mut self) {
        if self.seat.take().is_some() {
            self.core.pass_the_seat();
        }
    }
}

impl Core {
    /// Tries until it succeeds, fails, or the time is over; between attempts the thread sleeps.
    /// `attempt` says [`Error::WouldBlock`] if it is worth waiting.
    pub(super) fn block_on<'a, R>(
        &'a self,
        mut guard: Guard<'a>,
        interest: Interest,
        timing: Timing,
        mut attempt: impl FnMut(&mut Guard<'a>) -> Result<R>,
    ) -> Result<(R, Guard<'a>)> {
        let deadline = timing.deadline();
        let mut slept = Slept::Notified;
        let mut offered_seat = false;
        let mut has_waited = false;
        loop {
            // Under the same lock as the attempt before it, so that nothing is missed in between.
            let attempted = match attempt(&mut guard) {
                Err(Error::WouldBlock(why)) => match slept {
                    _ if !timing.waits() => Err(Error::WouldBlock(why)),
                    Slept::Interrupted => Err(Error::Interrupted),
                    Slept::TimedOut => Err(Error::WouldBlock(why)),
                    Slept::Notified => Ok(None),
                },
                done => done.map(Some),
            };
            if offered_seat && !matches!(attempted, Ok(None)) {
                // This thread will not take it, and whoever made the offer counts on somebody.
                guard.pass_the_seat();
            }
            if let Some(result) = attempted? {
                if has_waited && interest == Interest::Send {
                    guard.pass_room_on();
                }
                return Ok((result, guard));
            }
            has_waited = true;
            let parker = Parker::current();
            let ticket = guard.waiters.add_thread(interest, &parker);
            let has_output = !guard.pipes.dirty.is_empty();
            drop(guard);
            let place = Place { core: self, ticket };
            let drove;
            (slept, drove) = self.sleep(&parker, deadline, has_output);
            (guard, offered_seat) = place.leave(drove);
            guard.check_open()?;
        }
    }

    /// Sleeps until notified, in the socket's own poll if it can be had. Answers whether it was: then
    /// the seat is free, and must be passed on.
    fn sleep(
        &self,
        parker: &Arc<Parker>,
        deadline: Option<Instant>,
        has_output: bool,
    ) -> (Slept, bool) {
        flush::all_of_this_thread();
        let Some(reactor) = self.reactor.get() else {
            return (linger::park(parker, deadline), false);
        };
        if has_output {
            self.flush_all();
        }
        let Some(inside) = self.enter(reactor) else { return (park(parker, deadline), false) };
        match inside.take_seat() {
            Some(mut seat) => {
                let slept = self.drive_seat(reactor, &mut seat, parker, deadline);
                seat.give_up();
                (slept, true)
            }
            None => (park(parker, deadline), false),
        }
    }

    /// Goes in, if the socket is in the reactor and its callers may drive it.
    pub(super) fn go_in(&self) -> Option<Inside<'_>> {
        self.enter(self.reactor.get()?)
    }

    /// Goes in and takes the seat, for a caller that is told of news whoever drives. If somebody else
    /// has the seat, the socket is left to them, and to the I/O thread after them.
    pub(super) fn try_to_drive(&self) -> Option<Driver<'_>> {
        let inside = self.go_in()?;
        match inside.take_seat() {
            Some(seat) => Some(Driver { seat, _inside: inside }),
            None => {
                drop(inside);
                self.give_back();
                None
            }
        }
    }

    /// Goes in, so that the I/O thread leaves the socket alone; `None` if it must not.
    fn enter<'a>(&'a self, reactor: &'a Reactor) -> Option<Inside<'a>> {
        match self.handover.enter() {
            Entry::Pinned => return None,
            Entry::Claimed => self.mask(reactor),
            Entry::Joined => {}
        }
        Some(Inside { core: self, reactor })
    }

    /// Takes the socket's poll away from the I/O thread.
    fn mask(&self, reactor: &Reactor) {
        // If it fails, the I/O thread is woken for nothing, and ignores it.
        let _ = reactor.io.mask(reactor.poll_fd, reactor.token);
        reactor.io.post(Command::Watch(reactor.token));
    }

    /// A thread that entered leaves.
    pub(super) fn exit(&self, reactor: &Reactor) {
        match self.handover.leave(reactor.io.watch()) {
            Exit::Nothing => {}
            Exit::Arm => self.arm(),
            Exit::Unwatched => {
                let within = u64::try_from(HOT.as_nanos()).unwrap_or(u64::MAX);
                if self.left_unwatched_again(within) {
                    reactor.io.post(Command::Watch(reactor.token));
                    reactor.io.wake();
                } else if self.handover.rearm() {
                    self.arm();
                }
            }
        }
    }

    /// Whoever waits without the seat may take it now.
    pub(super) fn pass_the_seat(&self) {
        self.lock_always().pass_the_seat();
    }

    /// Drives the socket until its driver is notified.
    fn drive_seat(
        &self,
        reactor: &Reactor,
        seat: &mut Seat,
        parker: &Arc<Parker>,
        deadline: Option<Instant>,
    ) -> Slept {
        // Nobody else asks the kernel while callers come and go: each asks once, however late it is.
        let mut asked = false;
        let _waiting = Waiting::begin();
        loop {
            let idle = !self.some_turns_unless(reactor, || parker.is_notified());
            if parker.is_notified() {
                return Slept::Notified;
            }
            let mut waits_since = None;
            if idle {
                let left = remaining(deadline);
                let stop = || parker.is_notified();
                waits_since = self.linger(reactor, seat, left, &mut asked, stop);
                if waits_since.is_none() {
                    continue;
                }
            }
            let left = remaining(deadline);
            if asked && left == Some(Duration::ZERO) {
                return Slept::TimedOut;
            }
            let timeout = if idle { left } else { Some(Duration::ZERO) };
            if !parker.sleep_in_poll() {
                return Slept::Notified;
            }
            let polled = seat.sleep(timeout);
            if let Some(since) = waits_since {
                seat.patience.slept(since.elapsed());
            }
            asked = true;
            parker.left_poll();
            self.take_events(reactor, &seat.events);
            if polled.is_err() {
                // Only a signal ends the wait with an error.
                return Slept::Interrupted;
            }
        }
    }

    /// The poll that tells of what [`glance`](Core::glance) would find, if it is the callers' to ask.
    pub(super) fn unheard(&self) -> Option<RawFd> {
        self.reactor.get().filter(|_| self.handover.is_claimed()).map(|reactor| reactor.poll_fd)
    }

    /// Asks the kernel for news without waiting, if it is the callers' to ask. True if something
    /// may have changed.
    pub(super) fn glance(&self) -> bool {
        let Some(reactor) = self.reactor.get() else { return false };
        if !self.handover.is_claimed() {
            return false;
        }
        let Some(inside) = self.enter(reactor) else { return false };
        let Some(mut seat) = inside.take_seat() else { return false };
        seat.poll_now();
        true
    }

    /// Takes the events that are there. True if there may be more.
    pub(super) fn poll_now(&self, reactor: &Reactor, seat: &mut Seat) -> bool {
        if seat.poll.poll(&mut seat.events, Some(Duration::ZERO)).is_err() {
            return true;
        }
        self.take_events(reactor, &seat.events);
        seat.events.iter().count() >= super::core::EVENTS
    }
}

impl Seat {
    /// Waits for events; only a signal ends it with an error.
    ///
    /// The kernel ends an `epoll_wait` when the process is stopped and continued (SIGSTOP, SIGCONT), as if a handler
    /// had run, and goes on with a `ppoll`. That takes one more system call, so only long waits do it. A wait turns
    /// out to be long by its time-out, which costs half a microsecond: while waits are short, few have one.
    fn sleep(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if self.brisk > 0 || timeout.is_some_and(|timeout| timeout <= SHORT) {
            self.brisk = self.brisk.saturating_sub(1);
            return self.poll.poll(&mut self.events, timeout);
        }
        self.poll.poll(&mut self.events, Some(SHORT))?;
        if !self.events.is_empty() {
            self.brisk = BRISK;
            return Ok(());
        }
        let left = timeout.map(|timeout| timeout.saturating_sub(SHORT));
        sys::ppoll(&mut [PollFd::new(self.poll.as_raw_fd(), PollFd::IN)], left, None)?;
        self.poll.poll(&mut self.events, Some(Duration::ZERO))
    }
}

impl State {
    fn pass_the_seat(&mut self) {
        let left = self.has_ready();
        self.waiters.pass_the_seat(left);
    }

    /// A sender that was woken has sent. More room may have come than it was told of, of which nobody else will be told:
    /// while it was on its way, nobody asked for it.
    fn pass_room_on(&mut self) {
        if self.waiters.want_room() && self.pattern.can_send(&self.pipes, &self.options) {
            self.waiters.notify(Interest::Send, 1);
        }
    }
}

/// Sleeps without driving.
pub(super) fn park(parker: &Arc<Parker>, deadline: Option<Instant>) -> Slept {
    match parker.park(remaining(deadline)) {
        Woken::Interrupted if !parker.is_notified() => Slept::Interrupted,
        Woken::TimedOut if !parker.is_notified() => Slept::TimedOut,
        _ => Slept::Notified,
    }
}
