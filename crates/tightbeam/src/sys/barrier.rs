//! Barriers of which one side bears the cost. Where two threads each write one word and then read the other's, both need a
//! barrier between, or each may miss what the other has written. Here those who come often pass a light one, which only keeps the
//! compiler from changing the order, and whoever comes rarely a heavy one: it has every processor that runs a thread of this
//! process pass a full barrier meanwhile. Together they order what two full barriers would.
//!
//! The lock of a socket stands on them (`bias.rs`), and the handles of the C library.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering, compiler_fence};
use std::thread;
use std::time::Duration;

use super::platform::{barrier_everywhere, futex_wait, futex_wake, register_for_barriers};

/// A processor has long since written what it was about to write.
const LONG: Duration = Duration::from_millis(50);

const UNASKED: u8 = 0;
const THERE: u8 = 1;
/// The system refuses what it had promised: a filter of system calls, perhaps. Some may still rely on light barriers.
const REFUSED: u8 = 2;
/// Nobody relies on them.
const NONE: u8 = 3;

static STATE: AtomicU8 = AtomicU8::new(UNASKED);

/// Asks the system for heavy barriers, before the first light one is relied on: it takes milliseconds in a process that has threads.
pub fn prepare() {
    if STATE.load(Ordering::Relaxed) == UNASKED {
        let found = if register_for_barriers() { THERE } else { NONE };
        let _ = STATE.compare_exchange(UNASKED, found, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// Whether there are heavy barriers. To be asked after a light barrier, by each who relies on it.
#[inline]
pub fn is_there() -> bool {
    STATE.load(Ordering::Relaxed) == THERE
}

/// Orders what this thread did before and does after it, for those who call [`heavy_barrier`].
#[inline]
pub fn light_barrier() {
    compiler_fence(Ordering::SeqCst);
}

/// Orders what this thread did before and does after it, for those who have passed a [`light_barrier`] and found that
/// heavy ones [are there](is_there).
pub fn heavy_barrier() {
    // A forked child may have to register again.
    if STATE.load(Ordering::Acquire) == NONE
        || barrier_everywhere()
        || (register_for_barriers() && barrier_everywhere())
    {
        return;
    }
    // Whoever asks from now on is told; what those are writing who asked before is seen by all in the end.
    let _ = STATE.compare_exchange(THERE, REFUSED, Ordering::SeqCst, Ordering::Relaxed);
    thread::sleep(LONG);
    STATE.store(NONE, Ordering::Release);
}

/// A [`heavy_barrier`] for those who rely on light ones without asking whether heavy ones are still there: where the system refuses, it
/// waits until what other threads have written is seen by all.
pub(super) fn heavy_barrier_or_wait() {
    heavy_barrier();
    if !is_there() {
        thread::sleep(LONG);
    }
}

pub(super) fn sleep(word: &AtomicU32, expected: u32) {
    futex_wait(word, expected, None);
}

#[cold]
pub(super) fn wake(word: &AtomicU32) {
    futex_wake(word, u32::MAX);
}
