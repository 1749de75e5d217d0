//! A socket in an event loop of the application's own, whose thread drives it.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::core::Core;
use super::watch::Watch;
use super::{Readiness, flush};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;

/// Lets an event loop wait for a socket and drive it, as a thread does that blocks in it: a message that arrives wakes
/// the loop, and no other thread.
///
/// Whoever waits for the socket calls [`expect`](LoopWatch::expect), tries once more, and returns to the loop, which
/// watches the [`descriptors`](LoopWatch::descriptors) for being readable. Whenever one is, the loop calls
/// [`turn`](LoopWatch::turn), and whoever waits tries again. While the loop is busy with other things, the I/O
/// thread takes the socket over; nothing else has to be done about that.
///
/// ```
/// use std::time::Duration;
/// use tightbeam::{Context, PollItem, Pull, Push, Readiness, poll};
///
/// let context = Context::new();
/// let pull = context.socket::<Pull>()?;
/// let push = context.socket::<Push>()?;
/// push.connect(pull.bind("tcp://127.0.0.1:*")?)?;
/// push.send("hello")?;
///
/// let wanted = Readiness { readable: true, writable: false };
/// let watch = pull.loop_watch()?;
/// watch.expect(wanted)?;
/// let received = loop {
///     if let Ok(message) = pull.try_recv() {
///         break message;
///     }
///     // Here an event loop would wait for everything else, too.
///     let mut items: Vec<_> =
///         watch.descriptors().into_iter().flatten().map(|fd| PollItem::raw_descriptor(fd, wanted)).collect();
///     poll(&mut items, Some(Duration::from_secs(5)))?;
///     watch.turn();
/// };
/// assert_eq!(received[0], *b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The socket may be closed while it is watched. Dropping the watch ends it.
#[derive(Debug)]
pub struct LoopWatch {
    core: Arc<Core>,
    watch: Arc<Watch>,
}

impl LoopWatch {
    pub(super) fn new(core: &Arc<Core>) -> Result<LoopWatch> {
        let watch = Watch::of_loop()?;
        core.add_watch(&watch)?;
        Ok(LoopWatch { core: Arc::clone(core), watch })
    }

    /// What the loop has to watch for being readable. The second is there once the socket has bound or connected over
    /// the network; it stays the same, and is closed with the socket. Never read from them.
    #[must_use]
    pub fn descriptors(&self) -> [Option<RawFd>; 2] {
        let told = self.watch.descriptor().map(AsRawFd::as_raw_fd);
        [told, self.core.reactor.get().map(|reactor| reactor.poll_fd)]
    }

    /// From now on the descriptors tell when what is wanted may have become possible. Writes what this thread's sends
    /// have left to be written. All who wait try once more after this, also those who did before: what the descriptors
    /// were about to tell them they do not tell again. It need not be called again before something else is wanted. True if there is more to do: then [`turn`](LoopWatch::turn) is to be called soon, whatever the
    /// descriptors say. Does not wait but for locks.
    ///
    /// # Errors
    /// [`Error::Terminated`], [`Error::Closed`], [`Error::Forked`].
    pub fn expect(&self, wanted: Readiness) -> Result<bool> {
        flush::all_of_this_thread();
        let guard = self.core.lock()?;
        let has_output = !guard.pipes.dirty.is_empty();
        drop(guard);
        if has_output {
            self.core.flush_all();
        }
        if self.watch.quiet() {
            self.watch.clear();
        }
        let unfinished = self.core.has_ready.load(Ordering::SeqCst)
            && self.core.try_to_drive().is_some_and(|mut driver| driver.work_off());
        let guard = self.core.lock()?;
        self.watch.settle(wanted);
        drop(guard);
        Ok(unfinished)
    }

    /// One of the descriptors is readable: does what is to be done, a bounded turn of it. True if there is more: then
    /// it is to be called again soon, whatever the descriptors say.
    #[must_use = "more may be left to do"]
    pub fn turn(&self) -> bool {
        if self.core.is_forked() {
            return false;
        }
        let told = self.watch.quiet();
        let mut driver = self.core.try_to_drive();
        let heard = driver.as_mut().is_some_and(|driver| driver.poll_now());
        // Whoever has told it signals a little later, perhaps after it has looked: then nothing else has woken it.
        if told || !heard {
            self.watch.clear();
        }
        let unfinished = driver.is_some_and(|mut driver| driver.work_off());
        self.watch.listen();
        unfinished
    }

    /// Whether the next receive finds a message, as far as has been read. Waits for the lock alone, and makes no
    /// descriptor tell less.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.core.lock().is_ok_and(|mut guard| guard.readiness().readable)
    }
}

impl Drop for LoopWatch {
    fn drop(&mut self) {
        self.core.remove_watch(&self.watch, false);
    }
}
