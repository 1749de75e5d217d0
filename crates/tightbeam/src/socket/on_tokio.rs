//! Sockets that tokio's threads drive, instead of the I/O thread.
//!
//! A task of the runtime, the driver, has it listen to the socket's poll. Woken, it takes the seat as a thread does that blocks, and
//! wakes the tasks that wait for what came. While the runtime is busy with other things, the I/O thread takes the socket back.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use mio::Registry;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;
use tokio::task::coop::{RestoreOnPending, poll_proceed};

use super::core::Core;
use crate::error::{Error, Result};
use crate::reactor::io_thread::Driven;

/// The task that drives a socket. It ends when the socket does, or another takes its place; or it is dropped with its runtime.
struct Driver {
    core: Arc<Core>,
    number: u64,
    /// There until dropped.
    poll: Option<AsyncFd<Arc<Registry>>>,
}

/// A task's turn on a socket: where the runtime drives it, part of the time that the runtime gives the task.
pub(super) struct Turn(Option<RestoreOnPending>);

impl Turn {
    /// Something was received or sent.
    #[inline]
    pub(super) fn end(self) {
        if let Some(budget) = self.0 {
            budget.made_progress();
        }
    }
}

/// Has the current runtime listen to a socket's poll.
#[allow(
    deprecated,
    reason = "what follows it is unsafe, and asks for the newest tokio; the descriptor is owned"
)]
fn listen_to(poll: &Arc<Registry>) -> io::Result<AsyncFd<Arc<Registry>>> {
    let listen = |poll| AsyncFd::with_interest(poll, Interest::READABLE);
    match listen(Arc::clone(poll)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // The driver before has not gone yet: this one has a descriptor of its own.
            listen(Arc::new(poll.try_clone()?))
        }
        done => done,
    }
}

impl Core {
    /// Pending if the task is to let others run, although there may be something to do: then it comes back by itself.
    #[inline]
    pub(super) fn begin_turn(&self, cx: &mut Context<'_>) -> Poll<Turn> {
        if self.is_driven.load(Ordering::Relaxed) {
            poll_proceed(cx).map(|budget| Turn(Some(budget)))
        } else {
            Poll::Ready(Turn(None))
        }
    }

    /// Has the current runtime drive the socket.
    pub(super) fn drive_on_tokio(self: &Arc<Self>) -> Result<()> {
        let runtime = Handle::try_current()
            .map_err(|_| Error::BadArgument("no tokio runtime here: call this within one"))?;
        if self.is_forked() {
            // What would be registered here is the parent's, too.
            return Err(Error::Forked);
        }
        let poll = listen_to(&self.reactor()?.registry)
            .map_err(Error::io("have tokio listen to the socket's poll"))?;
        let mut guard = self.lock()?;
        let (number, before) = guard.waiters.driver.begin();
        guard.let_callers_drive(self);
        self.is_driven.store(true, Ordering::Relaxed);
        drop(guard);
        if let Some(before) = before {
            before.wake();
        }
        runtime.spawn(Driver { core: Arc::clone(self), number, poll: Some(poll) });
        Ok(())
    }

    /// Whether the driver with this number was called; none if it is not to drive any more.
    fn attend_driver(&self, number: u64, waker: &Waker) -> Option<bool> {
        // Copied and dropped without the lock. A task that was spawned has one waker all its life.
        let mut waker = Some(waker.clone());
        self.lock().ok()?.waiters.driver.attend(number, &mut waker)
    }

    /// One turn of the driver. True if there may be more to do.
    fn drive_a_turn(&self) -> bool {
        // Where an event descriptor was handed out, only the I/O thread drives.
        let Some(inside) = self.go_in() else { return false };
        let seat = inside.take_seat().or_else(|| {
            self.lock_always().waiters.driver.want_seat();
            // It may have become free before it was wanted.
            inside.take_seat()
        });
        seat.is_some_and(|mut seat| seat.turn())
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Driver { core, number, poll } = &mut *self;
        let (Some(mut due), Some(poll)) = (core.attend_driver(*number, cx.waker()), poll) else {
            return Poll::Ready(());
        };
        // What comes after it was last found to be pending wakes this task again.
        while let Poll::Ready(ready) = poll.poll_read_ready(cx) {
            // It fails when the runtime ends.
            let Ok(mut ready) = ready else { return Poll::Ready(()) };
            ready.clear_ready();
            due = true;
        }
        if due && core.drive_a_turn() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.core.is_forked() {
            // The epoll is the parent's, too, and so is what is registered there.
            std::mem::forget(self.poll.take());
            return;
        }
        self.poll = None;
        let mut guard = self.core.lock_always();
        let waker = guard.waiters.driver.end(self.number);
        self.core.is_driven.store(guard.waiters.driver.is_taken(), Ordering::Relaxed);
        let arm = guard.is_pinned() && self.core.handover.pin();
        drop(guard);
        drop(waker);
        if arm {
            self.core.arm();
        }
    }
}
