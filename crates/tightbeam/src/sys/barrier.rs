//! Barriers of which one side bears the cost, and sleeping on a word: what [`Bias`](super::bias::Bias) is built on; a model
//! checker puts its own here.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, compiler_fence};
use std::thread;
use std::time::Duration;

use super::platform::{barrier_everywhere, futex_wait, futex_wake, register_for_barriers};

/// A processor has written what it was about to write long before.
const LONG: Duration = Duration::from_millis(50);

/// The system has refused a barrier that it had promised: a filter of system calls, perhaps.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// Whether there are heavy barriers.
pub(super) fn is_there() -> bool {
    static PROMISED: OnceLock<bool> = OnceLock::new();
    *PROMISED.get_or_init(register_for_barriers) && !REFUSED.load(Ordering::Relaxed)
}

/// Orders what this thread did before and does after it, for those who call [`heavy_barrier`].
#[inline(always)]
pub(super) fn light_barrier() {
    compiler_fence(Ordering::SeqCst);
}

/// Has all processors that run this process pass a barrier.
pub(super) fn heavy_barrier() {
    if barrier_everywhere() || (register_for_barriers() && barrier_everywhere()) {
        return;
    }
    REFUSED.store(true, Ordering::Relaxed);
    thread::sleep(LONG);
}

pub(super) fn sleep(word: &AtomicU32, expected: u32) {
    futex_wait(word, expected, None);
}

pub(super) fn wake(word: &AtomicU32) {
    futex_wake(word, u32::MAX);
}
