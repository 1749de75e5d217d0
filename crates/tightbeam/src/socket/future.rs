//! Sending and receiving as futures. No executor is needed, and none is assumed.
//!
//! A socket on which a future waits stays with the I/O thread, which wakes the task, unless a task drives it (`on_tokio.rs`).

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use super::core::Core;
use super::guard::Guard;
use super::state::State;
use super::transfer::{NO_PARTS, take_message, take_rest};
use super::wait::Timing;
use crate::error::{Error, Result};
use crate::message::{Frame, Message};
use crate::pattern::Refusal;
use crate::reactor::io_thread::Driven;
use crate::reactor::waiters::Interest;

/// A task's place in a socket's list of waiters, taken only once it must wait.
#[derive(Debug)]
pub(crate) struct TaskPlace<C: Deref<Target = Core>> {
    core: C,
    interest: Interest,
    ticket: Option<u64>,
}

impl<C: Deref<Target = Core>> TaskPlace<C> {
    pub(crate) fn to_receive(core: C) -> TaskPlace<C> {
        TaskPlace { core, interest: Interest::Receive, ticket: None }
    }

    pub(crate) fn to_send(core: C) -> TaskPlace<C> {
        TaskPlace { core, interest: Interest::Send, ticket: None }
    }

    #[cfg(feature = "futures")]
    pub(super) fn core(&self) -> &Core {
        &self.core
    }

    /// Polls for a task of the application. Where a tokio runtime drives the socket, that takes part in the runtime's budget.
    #[inline]
    pub(super) fn in_turn<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Self, &Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        #[cfg(feature = "tokio")]
        let turn = std::task::ready!(self.core.begin_turn(cx));
        let polled = poll(self, cx);
        #[cfg(feature = "tokio")]
        if polled.is_ready() {
            turn.end();
        }
        polled
    }

    /// Receives a whole message, or waits for one.
    #[inline]
    pub(crate) fn poll_recv(&mut self, cx: &Context<'_>) -> Poll<Result<Message>> {
        let core: &Core = &self.core;
        let mut state = core.acquire(false)?;
        state.look_into_dry();
        let part = state.take_part();
        let whole = part.as_ref().is_ok_and(|part| !part.more());
        if whole && self.ticket.is_none() && state.is_done_with_part() {
            drop(state);
            return Poll::Ready(
                part.map(Message::from).map_err(|refusal| refusal.into_error(NO_PARTS)),
            );
        }
        finish_recv(Guard::new(core, state), core, part, &mut self.ticket, cx)
    }

    /// Sends a whole message, or waits for room.
    #[inline]
    pub(crate) fn poll_send(&mut self, frames: &[Frame], cx: &Context<'_>) -> Poll<Result<()>> {
        self.poll_room(cx, |core| core.send(frames, Some(Timing::Never)))
    }

    /// Tries what needs room, and waits if there is none.
    #[inline]
    pub(super) fn poll_room<R>(
        &mut self,
        cx: &Context<'_>,
        mut attempt: impl FnMut(&Core) -> Result<R>,
    ) -> Poll<Result<R>> {
        self.leave();
        match attempt(&self.core) {
            Err(Error::WouldBlock(_)) => {}
            done => return Poll::Ready(done),
        }
        self.core.lend_a_hand();
        let waker = cx.waker().clone();
        let guard = self.core.lock()?;
        self.ticket = Some(enter(guard, &self.core, self.interest, waker));
        // It may have become possible since the attempt; now it is notified of what comes.
        match attempt(&self.core) {
            Err(Error::WouldBlock(_)) => Poll::Pending,
            done => {
                self.leave();
                Poll::Ready(done)
            }
        }
    }

    /// Gives the place up. A notification that came meanwhile goes to the next in line.
    #[inline]
    fn leave(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            leave(&self.core, self.interest, ticket);
        }
    }
}

impl<C: Deref<Target = Core>> Drop for TaskPlace<C> {
    #[inline]
    fn drop(&mut self) {
        self.leave();
    }
}

/// What follows the first attempt to receive: it is done, or the task waits. Nothing comes between the last attempt and the place
/// in the list, for both are under the same lock.
#[inline(never)]
fn finish_recv<'a>(
    mut guard: Guard<'a>,
    core: &'a Core,
    part: Result<Frame, Refusal>,
    ticket: &mut Option<u64>,
    cx: &Context<'_>,
) -> Poll<Result<Message>> {
    if let Some(ticket) = ticket.take() {
        guard.waiters.remove(ticket);
    }
    let mut taken = match part {
        Ok(part) if part.more() => take_rest(&mut guard, part),
        part => part.map(Message::from),
    };
    guard.resume_skipped();
    if matches!(taken, Err(Refusal::WouldBlock(_))) {
        drop(guard);
        core.lend_a_hand();
        let waker = cx.waker().clone();
        guard = core.lock()?;
        taken = guard.take_settled(take_message);
        if matches!(taken, Err(Refusal::WouldBlock(_))) {
            core.settle_events(&mut guard);
            *ticket = Some(enter(guard, core, Interest::Receive, waker));
            return Poll::Pending;
        }
    }
    guard.let_callers_drive(core);
    if taken.is_ok() && guard.count_unasked() {
        drop(guard);
        core.glance();
    }
    Poll::Ready(taken.map_err(|refusal| refusal.into_error(NO_PARTS)))
}

/// Takes a place in the list, and writes what is queued. While a task waits, the I/O thread drives, or the driver.
fn enter(mut guard: Guard<'_>, core: &Core, interest: Interest, waker: Waker) -> u64 {
    let first = !guard.waiters.has_tasks();
    let ticket = guard.waiters.add_task(interest, waker);
    let has_output = !guard.pipes.dirty.is_empty();
    let arm = first && guard.is_pinned() && core.handover.pin();
    drop(guard);
    if arm {
        core.arm();
    }
    if has_output {
        core.flush_all();
    }
    ticket
}

#[cold]
fn leave(core: &Core, interest: Interest, ticket: u64) {
    if core.is_forked() {
        return;
    }
    let mut guard = core.lock_always();
    let state = &mut *guard;
    if !state.waiters.remove(ticket) && state.is_possible(interest) {
        state.waiters.notify(interest, 1);
    }
    guard.let_callers_drive(core);
}

impl Core {
    /// A task is about to wait. Where a task drives, this one does what is ready, which may be what it waits for; else that is
    /// the I/O thread's.
    fn lend_a_hand(&self) {
        if !self.has_ready.load(Ordering::SeqCst) || !self.lock_always().waiters.driver.is_taken() {
            return;
        }
        let Some(inside) = self.go_in() else { return };
        if let Some(mut seat) = inside.take_seat() {
            seat.work_off();
        }
    }
}

impl State {
    /// A task has left: if no other waits, threads that block may drive again.
    pub(super) fn let_callers_drive(&self, core: &Core) {
        if !self.is_pinned() {
            core.handover.unpin();
        }
    }
}

/// Receives a message; made by [`recv_async`](crate::AnySocket::recv_async).
///
/// Dropping it before it is ready loses nothing.
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct RecvFuture<'a> {
    place: TaskPlace<&'a Core>,
}

impl<'a> RecvFuture<'a> {
    pub(super) fn new(core: &'a Core) -> RecvFuture<'a> {
        RecvFuture { place: TaskPlace::to_receive(core) }
    }
}

impl Future for RecvFuture<'_> {
    type Output = Result<Message>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.place.in_turn(cx, |place, cx| place.poll_recv(cx))
    }
}

/// Sends a message; made by [`send_async`](crate::AnySocket::send_async).
///
/// Dropping it before it is ready sends nothing.
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct SendFuture<'a> {
    place: TaskPlace<&'a Core>,
    message: Option<Message>,
}

impl<'a> SendFuture<'a> {
    pub(super) fn new(core: &'a Core, message: Message) -> SendFuture<'a> {
        SendFuture { place: TaskPlace::to_send(core), message: Some(message) }
    }
}

impl Future for SendFuture<'_> {
    type Output = Result<(), super::SendError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(message) = &this.message else { return Poll::Pending };
        match this.place.in_turn(cx, |place, cx| place.poll_send(message.frames(), cx)) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => {
                // Dropped where it lies: moving it costs more than sending it.
                this.message = None;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => {
                let message = this.message.take().unwrap_or_default();
                Poll::Ready(Err(super::SendError { message, error }))
            }
        }
    }
}
