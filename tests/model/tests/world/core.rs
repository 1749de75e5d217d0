//! The socket: `socket/core.rs`, `wait.rs`, `turn.rs`, `driven.rs` and `future.rs`, retold with counted messages.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use shuttle::rand::Rng;
use shuttle::sync::{Condvar, Mutex, MutexGuard};

use super::Flaw;
use super::handover::{Entry, Exit, Handover};
use super::io_thread::{Command, IoShared};
use super::kernel::{Kernel, WAKE};
use super::parker::Parker;
use super::sys::Woken;
use super::waiters::{Interest, Waiters, Wakeups};

/// Turns before the kernel is asked for news again.
const TURNS: usize = 3;

/// A connection's reading side.
#[derive(Debug, Default, Clone)]
struct Connection {
    readable: bool,
    reading: bool,
    read_event: bool,
    listed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Messages that were read and wait to be received.
    queue: usize,
    /// All that were ever read.
    arrived: usize,
    connections: Vec<Connection>,
    ready: VecDeque<usize>,
    waiters: Waiters,
    shut_down: bool,
}

impl State {
    fn enlist(&mut self, id: usize) {
        if !std::mem::replace(&mut self.connections[id].listed, true) {
            self.ready.push_back(id);
        }
    }

    fn take(&mut self) -> bool {
        let some = self.queue > 0;
        self.queue -= usize::from(some);
        some
    }

    fn pass_the_seat(&mut self) {
        let left = !self.ready.is_empty();
        self.waiters.pass_the_seat(left);
    }
}

/// How a sleep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slept {
    Notified,
    GaveUp,
}

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) flaw: Flaw,
    pub(crate) handover: Handover,
    pub(crate) kernel: Arc<Kernel>,
    pub(crate) io: IoShared,
    state: Mutex<State>,
    /// Something was read; for the test itself.
    read: Condvar,
    seat: Mutex<()>,
    /// Whether a future pinned the socket, for the flaw of that name.
    pinned: Mutex<bool>,
}

impl Core {
    pub(crate) fn new(flaw: Flaw, connections: usize) -> Core {
        let kernel = Arc::new(Kernel::new(connections));
        let connections = vec![Connection::default(); connections];
        Core {
            flaw,
            handover: Handover::new(),
            io: IoShared::new(Arc::clone(&kernel)),
            kernel,
            state: Mutex::new(State { connections, ..State::default() }),
            read: Condvar::new(),
            seat: Mutex::new(()),
            pinned: Mutex::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Waits until so many messages have been read.
    pub(crate) fn wait_for(&self, messages: usize) {
        let mut state = self.lock();
        while state.arrived < messages {
            state = self.read.wait(state).unwrap();
        }
    }

    /// A message that was received is for somebody else.
    pub(crate) fn give_back(&self) {
        self.with(|state| {
            state.queue += 1;
            state.waiters.notify(Interest::Receive, 1);
        });
    }

    /// Ends every wait.
    pub(crate) fn shut_down(&self) {
        self.with(|state| {
            state.shut_down = true;
            state.waiters.notify_all();
        });
    }

    /// Works under the lock, then does what was put off.
    fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        let result = work(&mut state);
        let mut wakeups = Wakeups::default();
        state.waiters.take_wakeups(&mut wakeups);
        drop(state);
        if wakeups.poll && self.flaw != Flaw::PollNotWoken {
            self.kernel.wake_inner();
        }
        wakeups.wake_threads();
        wakeups.wake_tasks();
        result
    }

    /// Receives a message; `patient` is without a time-out and signals.
    pub(crate) fn recv(&self, patient: bool) -> bool {
        let mut slept = Slept::Notified;
        let mut offered_seat = false;
        loop {
            let parker = Parker::current();
            let step = self.with(|state| {
                let taken = !state.shut_down && state.take();
                if taken || slept == Slept::GaveUp || state.shut_down {
                    if offered_seat && self.flaw != Flaw::OfferNotPassedOn {
                        state.pass_the_seat();
                    }
                    return Err(taken);
                }
                Ok(state.waiters.add_thread(Interest::Receive, &parker))
            });
            let ticket = match step {
                Ok(ticket) => ticket,
                Err(taken) => return taken,
            };
            let drove;
            (slept, drove) = self.sleep(&parker, patient);
            offered_seat = self.with(|state| {
                state.waiters.remove(ticket);
                if drove && self.flaw != Flaw::CallerKeepsSeat {
                    state.pass_the_seat();
                }
                state.waiters.take_offer(ticket)
            });
        }
    }

    /// Answers whether it drove, too: then the seat is to be passed on.
    fn sleep(&self, parker: &Arc<Parker>, patient: bool) -> (Slept, bool) {
        match self.handover.enter() {
            Entry::Pinned => return (park(parker, patient), false),
            Entry::Claimed => self.mask(),
            Entry::Joined if self.flaw == Flaw::PinnedFollows && *self.pinned.lock().unwrap() => {
                self.exit();
                return (park(parker, patient), false);
            }
            Entry::Joined => {}
        }
        let slept = match self.seat.try_lock() {
            Ok(seat) => {
                let slept = self.drive_seat(parker, patient);
                drop(seat);
                (slept, true)
            }
            Err(_) => (park(parker, patient), false),
        };
        self.exit();
        slept
    }

    fn mask(&self) {
        self.kernel.mask();
        self.io.post(Command::Watch);
    }

    fn exit(&self) {
        match self.handover.leave(self.io.watch()) {
            Exit::Nothing => {}
            Exit::Arm if self.flaw == Flaw::PinnedNotArmed => {}
            Exit::Arm => self.arm(),
            Exit::Unwatched if self.flaw == Flaw::LeaveUnseen => {}
            Exit::Unwatched => {
                if shuttle::rand::thread_rng().r#gen() {
                    self.io.post(Command::Watch);
                    self.io.wake();
                } else if self.handover.rearm() {
                    self.arm();
                }
            }
        }
    }

    fn drive_seat(&self, parker: &Parker, patient: bool) -> Slept {
        loop {
            let idle = !self.some_turns(|| parker.is_notified());
            if parker.is_notified() {
                return Slept::Notified;
            }
            let timeout = match idle {
                false => Some(Duration::ZERO),
                true => (!patient).then_some(Duration::MAX),
            };
            if self.flaw == Flaw::SleepsNotified {
                parker.sleep_in_poll();
            } else if !parker.sleep_in_poll() {
                return Slept::Notified;
            }
            let polled = self.kernel.poll_inner(timeout);
            parker.left_poll();
            let Ok(events) = polled else { return Slept::GaveUp };
            let passed = idle && events.is_empty();
            self.note_events(&events);
            if passed {
                return Slept::GaveUp;
            }
        }
    }

    /// Asks the kernel for news without waiting.
    pub(crate) fn glance(&self) {
        if !self.handover.is_claimed() {
            return;
        }
        match self.handover.enter() {
            Entry::Pinned => return,
            Entry::Claimed => self.mask(),
            Entry::Joined => {}
        }
        if let Ok(seat) = self.seat.try_lock() {
            self.poll_now();
            self.some_turns(|| false);
            drop(seat);
            self.with(State::pass_the_seat);
        }
        self.exit();
    }

    fn poll_now(&self) {
        if let Ok(events) = self.kernel.poll_inner(Some(Duration::ZERO)) {
            self.note_events(&events);
        }
    }

    fn note_events(&self, events: &[usize]) {
        let mut state = self.lock();
        for event in events.iter().filter(|event| **event != WAKE) {
            let connection = &mut state.connections[*event];
            connection.readable = true;
            connection.read_event = connection.reading;
            state.enlist(*event);
        }
    }

    /// True if there may be more to do.
    fn some_turns(&self, stop: impl Fn() -> bool) -> bool {
        (0..TURNS).all(|_| stop() || self.turn())
    }

    /// Deals with one ready connection: reads one message, or learns that there is none. Events may
    /// come, and be noted by nobody else than the one who holds the seat, in between; the flaw is
    /// to clear the kernel's news after the read instead of before it.
    fn turn(&self) -> bool {
        let id = {
            let mut state = self.lock();
            let Some(id) = state.ready.pop_front() else { return false };
            let connection = &mut state.connections[id];
            connection.listed = false;
            if !connection.readable {
                return true;
            }
            connection.reading = true;
            connection.read_event = false;
            id
        };
        let got = self.kernel.read(id);
        if self.flaw == Flaw::EventForgotten {
            // As if what the kernel reported meanwhile were old news.
            let _ = self.kernel.poll_inner(Some(Duration::ZERO));
        }
        self.with(|state| self.end_read(state, id, got));
        true
    }

    fn end_read(&self, state: &mut State, id: usize, got: bool) {
        let connection = &mut state.connections[id];
        connection.reading = false;
        if !got && !connection.read_event {
            connection.readable = false;
        }
        if connection.readable {
            state.enlist(id);
        }
        if got {
            state.queue += 1;
            state.arrived += 1;
            state.waiters.notify(Interest::Receive, 1);
            self.read.notify_all();
        }
    }

    /// The I/O thread's side.
    pub(crate) fn arm(&self) {
        if self.flaw != Flaw::RearmWithoutMod {
            self.kernel.arm();
        }
        if !self.lock().ready.is_empty() && self.flaw != Flaw::ReadyListStays {
            self.io.post(Command::Work);
        }
    }

    /// Out of the parent, the socket's poll is as silent as with an interest that never fires.
    pub(crate) fn set_aside(&self) {
        if self.flaw == Flaw::SetAsideFromOutside {
            return self.kernel.mask();
        }
        match self.handover.enter() {
            Entry::Pinned => return,
            Entry::Claimed => self.mask(),
            Entry::Joined => {}
        }
        self.kernel.mask();
        self.exit();
    }

    pub(crate) fn drive(&self) -> bool {
        if self.handover.is_claimed() {
            return false;
        }
        let Ok(seat) = self.seat.try_lock() else { return false };
        self.poll_now();
        let unfinished = self.some_turns(|| false);
        drop(seat);
        if self.handover.claimed_meanwhile() {
            if self.flaw != Flaw::IoThreadKeepsSeat {
                self.with(State::pass_the_seat);
            }
            return false;
        }
        unfinished
    }
}

fn park(parker: &Parker, patient: bool) -> Slept {
    match parker.park((!patient).then_some(Duration::MAX)) {
        Woken::Interrupted | Woken::TimedOut if !parker.is_notified() => Slept::GaveUp,
        _ => Slept::Notified,
    }
}

/// A future that receives.
#[derive(Debug)]
pub(crate) struct Waiting {
    core: Arc<Core>,
    ticket: Option<u64>,
}

impl Waiting {
    pub(crate) fn new(core: &Arc<Core>) -> Waiting {
        Waiting { core: Arc::clone(core), ticket: None }
    }

    /// Whether a message was received.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> bool {
        self.leave();
        if self.try_recv() {
            return true;
        }
        self.enter(cx.waker());
        if self.try_recv() {
            self.leave();
            return true;
        }
        false
    }

    fn try_recv(&self) -> bool {
        let core = &self.core;
        if core.with(State::take) {
            return true;
        }
        core.glance();
        core.with(State::take)
    }

    fn enter(&mut self, waker: &Waker) {
        let arm = {
            let mut state = self.core.lock();
            let first = !state.waiters.has_tasks();
            self.ticket = Some(state.waiters.add_task(Interest::Receive, waker.clone()));
            *self.core.pinned.lock().unwrap() = true;
            first && self.core.handover.pin()
        };
        if arm {
            self.core.arm();
        }
    }

    fn leave(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        let core = Arc::clone(&self.core);
        core.with(|state| {
            let notified = !state.waiters.remove(ticket);
            if notified && state.queue > 0 && core.flaw != Flaw::DroppedNotification {
                state.waiters.notify(Interest::Receive, 1);
            }
            if !state.waiters.has_tasks() {
                core.handover.unpin();
                *core.pinned.lock().unwrap() = false;
            }
        });
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.leave();
    }
}
