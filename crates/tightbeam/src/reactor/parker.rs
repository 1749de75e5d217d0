//! How one waiting thread is woken, whichever way it sleeps.
//!
//! ```text
//!   EMPTY --sleep_*--> FUTEX | DESCRIPTOR | POLL --notify--> NOTIFIED --reset--> EMPTY
//!     +------------------------notify------------------------->^
//! ```
//!
//! The notifier changes the state under the socket's lock and does the waking system call, if the
//! sleeper needs one, after unlocking.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::sync::{AtomicU32, Ordering, thread_local};
use crate::sys::{self, EventFd, Woken};

const EMPTY: u32 = 0;
const NOTIFIED: u32 = 1;
const FUTEX: u32 = 2;
const DESCRIPTOR: u32 = 3;
const POLL: u32 = 4;

/// What the notifier still has to do for a sleeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wake {
    /// It was awake, or somebody else wakes it.
    Nothing,
    /// Call [`Parker::unpark`].
    Unpark,
    /// It sleeps in the socket's own poll: wake that.
    Poll,
}

/// One thread's place to sleep, for one wait at a time.
#[derive(Debug)]
pub(crate) struct Parker {
    word: AtomicU32,
    descriptor: OnceLock<EventFd>,
}

thread_local! {
    /// Those of this thread that are not in use. One is enough, unless a wait runs foreign code (a
    /// free function, a waker) that waits for something else.
    #[allow(clippy::missing_const_for_thread_local, reason = "the models' macro has no constants")]
    static MINE: RefCell<Vec<Arc<Parker>>> = RefCell::new(Vec::new());
}

/// A parker in use by this thread; the thread keeps it for its next wait.
#[derive(Debug)]
pub(crate) struct Mine(Option<Arc<Parker>>);

impl Deref for Mine {
    type Target = Arc<Parker>;

    fn deref(&self) -> &Arc<Parker> {
        self.0.as_ref().expect("present until dropped")
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        // Fails only while the thread is ending.
        let _ = MINE.try_with(|mine| mine.borrow_mut().extend(self.0.take()));
    }
}

impl Parker {
    fn new() -> Parker {
        Parker { word: AtomicU32::new(EMPTY), descriptor: OnceLock::new() }
    }

    /// A parker of this thread, reset.
    pub(crate) fn current() -> Mine {
        let kept = MINE.try_with(|mine| mine.borrow_mut().pop()).ok().flatten();
        let parker = kept.unwrap_or_else(|| Arc::new(Parker::new()));
        parker.reset();
        Mine(Some(parker))
    }

    /// Forgets an earlier notification. Who notifies of the next one has the parker by way of a lock.
    pub(crate) fn reset(&self) {
        self.word.store(EMPTY, Ordering::Relaxed);
    }

    /// Whether somebody notified since the last reset.
    pub(crate) fn is_notified(&self) -> bool {
        self.word.load(Ordering::SeqCst) == NOTIFIED
    }

    /// Notifies the thread; what remains to be done is answered, so that it can wait until a lock
    /// is released.
    pub(crate) fn notify(&self) -> Wake {
        match self.word.swap(NOTIFIED, Ordering::SeqCst) {
            FUTEX | DESCRIPTOR => Wake::Unpark,
            POLL => Wake::Poll,
            _ => Wake::Nothing,
        }
    }

    /// Ends the sleep of a thread that [`notify`](Parker::notify) found asleep.
    pub(crate) fn unpark(&self) {
        sys::futex_wake(&self.word, 1);
        if let Some(descriptor) = self.descriptor.get() {
            descriptor.signal();
        }
    }

    /// Sleeps until notified, the time passes, or a signal arrives.
    pub(crate) fn park(&self, timeout: Option<Duration>) -> Woken {
        if self.word.compare_exchange(EMPTY, FUTEX, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return Woken::Woken;
        }
        let woken = sys::futex_wait(&self.word, FUTEX, timeout);
        self.stop_sleeping(FUTEX);
        woken
    }

    /// The thread is about to sleep in the socket's poll. False if it was notified already.
    pub(crate) fn sleep_in_poll(&self) -> bool {
        self.word.compare_exchange(EMPTY, POLL, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// The thread came back from the socket's poll.
    pub(crate) fn left_poll(&self) {
        self.stop_sleeping(POLL);
    }

    /// The thread is about to sleep on its own descriptor beside others. False if it was notified
    /// already.
    pub(crate) fn sleep_on_descriptor(&self) -> bool {
        self.word.compare_exchange(EMPTY, DESCRIPTOR, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// The thread came back from waiting on its descriptor.
    pub(crate) fn left_descriptor(&self) {
        self.stop_sleeping(DESCRIPTOR);
        if let Some(descriptor) = self.descriptor.get() {
            descriptor.clear();
        }
    }

    /// The descriptor that becomes readable when the thread is notified while it sleeps on it.
    pub(crate) fn descriptor(&self) -> std::io::Result<&EventFd> {
        if let Some(descriptor) = self.descriptor.get() {
            return Ok(descriptor);
        }
        let made = EventFd::new()?;
        Ok(self.descriptor.get_or_init(|| made))
    }

    fn stop_sleeping(&self, how: u32) {
        if self.is_notified() {
            return;
        }
        let _ = self.word.compare_exchange(how, EMPTY, Ordering::SeqCst, Ordering::SeqCst);
    }
}
