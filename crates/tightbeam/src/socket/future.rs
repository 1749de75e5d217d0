//! Sending and receiving as futures. No executor is needed, and none is assumed.
//!
//! A socket on which a future waits stays with the I/O thread, which wakes the task.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::core::Core;
use super::wait::Timing;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::reactor::io_thread::Driven;
use crate::reactor::waiters::Interest;

/// A place in the socket's list of waiters.
#[derive(Debug)]
pub(super) struct Waiting {
    core: Arc<Core>,
    interest: Interest,
    ticket: Option<u64>,
}

impl Waiting {
    pub(super) fn new(core: Arc<Core>, interest: Interest) -> Waiting {
        Waiting { core, interest, ticket: None }
    }

    #[cfg(feature = "futures")]
    pub(super) fn core(&self) -> &Core {
        &self.core
    }

    /// Tries, and waits if it must.
    pub(super) fn poll<R>(
        &mut self,
        cx: &Context<'_>,
        mut attempt: impl FnMut(&Core) -> Result<R>,
    ) -> Poll<Result<R>> {
        self.leave();
        match attempt(&self.core) {
            Err(Error::WouldBlock(_)) => {}
            done => return Poll::Ready(done),
        }
        if let Err(error) = self.enter(cx) {
            return Poll::Ready(Err(error));
        }
        // It may have become possible since the attempt; now it is notified of what comes.
        match attempt(&self.core) {
            Err(Error::WouldBlock(_)) => {}
            done => {
                self.leave();
                return Poll::Ready(done);
            }
        }
        self.core.flush_all();
        Poll::Pending
    }

    /// Takes a place in the list. While a future waits, the I/O thread drives.
    fn enter(&mut self, cx: &Context<'_>) -> Result<()> {
        let waker = cx.waker().clone();
        let mut guard = self.core.lock()?;
        guard.settle_dry();
        let first = !guard.waiters.has_tasks();
        self.ticket = Some(guard.waiters.add_task(self.interest, waker));
        let arm = first && self.core.handover.pin();
        drop(guard);
        if arm {
            self.core.arm();
        }
        Ok(())
    }

    /// Gives the place up. A notification that came meanwhile goes to the next in line.
    fn leave(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        if self.core.is_forked() {
            return;
        }
        let mut guard = self.core.lock_always();
        let state = &mut *guard;
        if !state.waiters.remove(ticket) && state.is_possible(self.interest) {
            state.waiters.notify(self.interest, 1);
        }
        if !state.is_pinned() {
            self.core.handover.unpin();
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Receives a message; made by [`recv_async`](crate::AnySocket::recv_async).
///
/// Dropping it before it is ready loses nothing.
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct RecvFuture {
    waiting: Waiting,
}

impl RecvFuture {
    pub(crate) fn new(core: Arc<Core>) -> RecvFuture {
        RecvFuture { waiting: Waiting::new(core, Interest::Receive) }
    }
}

impl Future for RecvFuture {
    type Output = Result<Message>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.waiting.poll(cx, |core| core.recv(Some(Timing::Never)))
    }
}

/// Sends a message; made by [`send_async`](crate::AnySocket::send_async).
///
/// Dropping it before it is ready sends nothing.
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct SendFuture {
    waiting: Waiting,
    message: Option<Message>,
}

impl SendFuture {
    pub(crate) fn new(core: Arc<Core>, message: Message) -> SendFuture {
        SendFuture { waiting: Waiting::new(core, Interest::Send), message: Some(message) }
    }
}

impl Future for SendFuture {
    type Output = Result<(), super::SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(message) = &this.message else { return Poll::Pending };
        let frames = message.frames();
        let sent = this.waiting.poll(cx, |core| core.send(frames, Some(Timing::Never)));
        sent.map(|sent| {
            let message = this.message.take().unwrap_or_default();
            sent.map_err(|error| super::SendError { message, error })
        })
    }
}
