//! What `lane` is built on; a model checker puts its own here.

use std::hint::spin_loop;
pub(super) use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
pub(super) use std::sync::{Arc, Mutex, MutexGuard};

/// How often a sender looks whether the receiver has come and gone.
const LOOKS: usize = 200;

/// A sender in a stream takes the lane's lock again as soon as it has released it. The receiver would find it locked nearly
/// always, and sleep, although it is never held for long. So it asks, and the sender lets it go first.
///
/// This is courtesy, and nothing depends on it. It has cache lines of its own, for the sender looks at it with each message.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Turnstile {
    asked: AtomicBool,
}

impl Turnstile {
    /// The receiver wants to have the lock; it says when it is [done](Turnstile::done).
    pub(super) fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    pub(super) fn done(&self) {
        self.asked.store(false, Ordering::Relaxed);
    }

    /// Called by the sender before it takes the lock.
    #[inline(always)]
    pub(super) fn let_go_first(&self) {
        if self.asked.load(Ordering::Relaxed) {
            self.wait();
        }
    }

    #[cold]
    fn wait(&self) {
        for _ in 0..LOOKS {
            if !self.asked.load(Ordering::Relaxed) {
                return;
            }
            spin_loop();
        }
        // It does not run just now.
        self.done();
    }
}
