//! Two sockets of one process and the lanes between them: who is called, and when. What sockets do
//! around a lane (`Core::attend`, `welcome`, `State::take_local`, `after_recv`, `settle_dry`, `Core::gather`) is retold. When
//! nobody is left who could end a wait, all waits end, and the model fails.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
use loom::thread;

use super::in_queue::InQueue;
use super::lane::{LaneEnd, Pushed};
use super::parts::Parts;
use super::{check, must_fail};

/// What is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    Nothing,
    /// The receiver does not note that it has used up everything: it is called once.
    FallingAsleep,
    /// The receiver does not say that it will not come back before it sleeps.
    Settling,
    /// The sender does not note that it found no room: nobody calls it.
    SenderWaits,
    /// Nobody looks for what was sent before both sides knew each other.
    AttendingAfterIntroduction,
    /// The other side is not called when this one closes.
    CallingAtTheEnd,
}

#[derive(Debug, Default)]
struct State {
    lane: Option<LaneEnd>,
    incoming: InQueue,
    /// All was received, and the lane counts on it that the receiver comes back.
    dry: bool,
    /// Whether the other socket is known, so that it can be called.
    introduced: bool,
    /// Times that the other socket was called to receive.
    called: usize,
    /// The other socket is closed.
    abandoned: bool,
    /// Its thread sleeps.
    waits: bool,
}

#[derive(Debug, Default)]
struct Socket {
    state: Mutex<State>,
    notified: Condvar,
}

struct World {
    sockets: [Socket; 2],
    without: Without,
    /// Threads that neither sleep nor are done. Not part of the protocol, so loom does not see it.
    busy: AtomicUsize,
    stalled: AtomicBool,
}

/// Everybody sleeps.
#[derive(Debug)]
struct Stalled;

const SENDER: usize = 0;
const RECEIVER: usize = 1;

impl World {
    fn new(threads: usize, without: Without) -> World {
        World {
            sockets: [Socket::default(), Socket::default()],
            without,
            busy: AtomicUsize::new(threads),
            stalled: AtomicBool::new(false),
        }
    }

    /// Two sockets that know each other; so many messages may be on their way.
    fn connected(send_hwm: usize, recv_hwm: usize, without: Without) -> Arc<World> {
        let world = World::new(2, without);
        let (mine, mut theirs) = LaneEnd::pair(send_hwm, 0);
        theirs.set_marks(0, recv_hwm);
        for (socket, end) in [(SENDER, mine), (RECEIVER, theirs)] {
            let mut state = world.lock(socket);
            state.lane = Some(end);
            state.introduced = true;
        }
        Arc::new(world)
    }

    fn lock(&self, socket: usize) -> MutexGuard<'_, State> {
        self.sockets[socket].state.lock().unwrap()
    }

    /// Sleeps until notified.
    fn wait<'a>(
        &'a self,
        socket: usize,
        mut guard: MutexGuard<'a, State>,
    ) -> Result<MutexGuard<'a, State>, Stalled> {
        guard.waits = true;
        if self.rests() {
            drop(guard);
            self.stall();
            return Err(Stalled);
        }
        while guard.waits {
            guard = self.sockets[socket].notified.wait(guard).unwrap();
        }
        if self.stalled.load(Ordering::SeqCst) { Err(Stalled) } else { Ok(guard) }
    }

    fn notify(&self, socket: usize, state: &mut State) {
        if std::mem::take(&mut state.waits) {
            self.busy.fetch_add(1, Ordering::SeqCst);
            self.sockets[socket].notified.notify_all();
        }
    }

    /// A thread sleeps or is done. True if it was the last one.
    fn rests(&self) -> bool {
        self.busy.fetch_sub(1, Ordering::SeqCst) == 1
    }

    /// Ends all waits, since nobody else will.
    fn stall(&self) {
        for socket in [SENDER, RECEIVER] {
            let mut guard = self.lock(socket);
            if guard.waits {
                self.stalled.store(true, Ordering::SeqCst);
                self.notify(socket, &mut guard);
            }
        }
    }

    /// A thread is done.
    fn finish(&self) {
        if self.rests() {
            self.stall();
        }
    }

    /// Releases a socket's lock, and then calls the other one.
    fn release(&self, socket: usize, guard: MutexGuard<'_, State>, call: bool) {
        let call = call && guard.introduced;
        drop(guard);
        if call {
            self.attend(1 - socket);
        }
    }

    /// Takes what has been sent, if all that came before was received. True if the sender is to be called.
    fn take_local(&self, socket: usize, state: &mut State, comes_back: bool) -> bool {
        let State { lane: Some(lane), incoming, .. } = state else { return false };
        let before = incoming.messages();
        let call = lane.refill(incoming, &mut None, comes_back);
        if incoming.messages() > before {
            self.notify(socket, state);
        }
        call && self.without != Without::SenderWaits
    }

    fn attend(&self, socket: usize) {
        let mut guard = self.lock(socket);
        let state = &mut *guard;
        let call = self.take_local(socket, state, false);
        let outlook = state.lane.as_ref().map(LaneEnd::outlook);
        state.abandoned |= outlook == Some(None);
        let room = matches!(outlook, Some(Some(1..)));
        if room || state.abandoned {
            self.notify(socket, state);
        }
        self.release(socket, guard, call);
    }

    /// Sends a message, waiting for room. False if nobody will receive it.
    fn send(&self) -> Result<bool, Stalled> {
        let mut guard = self.lock(SENDER);
        loop {
            let state = &mut *guard;
            if state.abandoned {
                return Ok(false);
            }
            match state.lane.as_ref().unwrap().push(&[], Parts(PhantomData)) {
                Pushed::Refused => guard = self.wait(SENDER, guard)?,
                Pushed::Quietly => return Ok(true),
                Pushed::CallReceiver | Pushed::Replaced(_) => {
                    state.called += 1;
                    let first = state.called == 1;
                    self.release(SENDER, guard, first || self.without != Without::FallingAsleep);
                    return Ok(true);
                }
            }
        }
    }

    /// Looks into the lane that counts on it. True if the sender is to be called.
    fn look_into_dry(&self, state: &mut State, comes_back: bool) -> bool {
        if !state.dry {
            return false;
        }
        let call = self.take_local(RECEIVER, state, comes_back);
        state.dry = comes_back && state.incoming.messages() == 0;
        call
    }

    /// Receives a message, waiting for it: where all was received, it first looks twice without being called.
    fn recv(&self) -> Result<(), Stalled> {
        let mut guard = self.lock(RECEIVER);
        let mut call = self.look_into_dry(&mut guard, true);
        if guard.dry {
            self.release(RECEIVER, guard, call);
            guard = self.lock(RECEIVER);
            call = self.look_into_dry(&mut guard, self.without == Without::Settling);
        }
        while guard.incoming.pop().is_none() {
            guard = self.wait(RECEIVER, guard)?;
        }
        let state = &mut *guard;
        if state.lane.as_mut().unwrap().count_received() {
            call |= self.take_local(RECEIVER, state, false);
        } else {
            state.dry = state.incoming.messages() == 0;
        }
        self.release(RECEIVER, guard, call);
        Ok(())
    }

    fn close_receiver(&self) {
        let guard = self.lock(RECEIVER);
        guard.lane.as_ref().unwrap().close();
        self.release(RECEIVER, guard, self.without != Without::CallingAtTheEnd);
    }

    /// The receiver takes its end, then the sender learns whom to call.
    fn introduce(&self, end: LaneEnd) {
        let mut guard = self.lock(RECEIVER);
        guard.lane = Some(end);
        guard.introduced = true;
        drop(guard);
        self.lock(SENDER).introduced = true;
        if self.without != Without::AttendingAfterIntroduction {
            self.attend(RECEIVER);
        }
    }
}

type Outcome = Result<(), Stalled>;

/// What the sender and the receiver do, in a thread each.
fn run(world: &Arc<World>, sender: fn(&World) -> Outcome, receiver: fn(&World) -> Outcome) {
    let other = {
        let world = Arc::clone(world);
        thread::spawn(move || {
            let _ = sender(&world);
            world.finish();
        })
    };
    let _ = receiver(world);
    world.finish();
    other.join().unwrap();
}

fn expect_no_stall(world: &World) {
    assert!(!world.stalled.load(Ordering::SeqCst), "somebody waits, and nobody calls");
}

const MESSAGES: usize = 5;

/// Messages for which there is room or not.
fn passing(send_hwm: usize, recv_hwm: usize, without: Without) {
    let world = World::connected(send_hwm, recv_hwm, without);
    run(
        &world,
        |world| (0..MESSAGES).try_for_each(|_| world.send().map(drop)),
        |world| (0..MESSAGES).try_for_each(|_| world.recv()),
    );
    expect_no_stall(&world);
}

#[test]
fn a_lane_passes_messages_whoever_waits() {
    check(|| passing(1, 1, Without::Nothing));
}

#[test]
fn a_lane_whose_receiver_reports_by_twos_passes_messages() {
    check(|| passing(1, 2, Without::Nothing));
    check(|| passing(2, 2, Without::Nothing));
}

#[test]
fn a_lane_without_a_mark_passes_messages() {
    check(|| passing(0, 1, Without::Nothing));
}

#[test]
fn a_lane_whose_receiver_does_not_note_that_it_sleeps_stalls() {
    must_fail(|| passing(1, 1, Without::FallingAsleep));
    must_fail(|| passing(0, 1, Without::FallingAsleep));
}

#[test]
fn a_lane_whose_receiver_sleeps_although_the_lane_counts_on_it_stalls() {
    must_fail(|| passing(0, 1, Without::Settling));
    must_fail(|| passing(2, 2, Without::Settling));
}

#[test]
fn a_lane_whose_sender_does_not_note_that_it_waits_stalls() {
    must_fail(|| passing(1, 1, Without::SenderWaits));
}

/// A message is sent while the sockets get to know each other.
fn introducing(without: Without) {
    let world = World::new(3, without);
    let (mine, theirs) = LaneEnd::pair(2, 0);
    world.lock(SENDER).lane = Some(mine);
    let world = Arc::new(world);
    let connecter = {
        let world = Arc::clone(&world);
        thread::spawn(move || {
            world.introduce(theirs);
            world.finish();
        })
    };
    run(&world, |world| world.send().map(drop), World::recv);
    connecter.join().unwrap();
    expect_no_stall(&world);
}

#[test]
fn a_lane_passes_what_was_sent_before_the_introduction() {
    check(|| introducing(Without::Nothing));
}

#[test]
fn a_lane_that_nobody_attends_after_the_introduction_stalls() {
    must_fail(|| introducing(Without::AttendingAfterIntroduction));
}

/// The receiver closes while the sender waits for room, or is about to.
fn closing(without: Without) {
    let world = World::connected(1, 1, without);
    let send_until_closed = |world: &World| {
        while world.send()? {}
        Ok(())
    };
    let receive_one_and_close = |world: &World| {
        world.recv()?;
        world.close_receiver();
        Ok(())
    };
    run(&world, send_until_closed, receive_one_and_close);
    expect_no_stall(&world);
}

#[test]
fn a_lane_that_is_closed_keeps_no_sender() {
    check(|| closing(Without::Nothing));
}

#[test]
fn a_lane_that_is_closed_without_a_call_keeps_its_sender() {
    must_fail(|| closing(Without::CallingAtTheEnd));
}
