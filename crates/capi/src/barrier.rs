//! Barriers of which one side bears the cost. Where two threads each write one word and then read the other's, both need a
//! barrier between, or each may miss what the other has written. Here those who come often pass a light one, which only keeps the
//! compiler from changing the order, and whoever comes rarely a heavy one: it has every processor that runs a thread of this
//! process pass a full barrier meanwhile. Together they order what two full barriers would.

use std::sync::atomic::{AtomicU8, Ordering, compiler_fence};
use std::thread;
use std::time::Duration;

/// A processor has long since written what it was about to write.
const LONG: Duration = Duration::from_millis(50);

const UNASKED: u8 = 0;
const THERE: u8 = 1;
/// The system refuses what it had promised: a filter of system calls, perhaps. Some may still rely on light barriers.
const REFUSED: u8 = 2;
/// Nobody relies on them.
const NONE: u8 = 3;

static STATE: AtomicU8 = AtomicU8::new(UNASKED);

/// Asks the system for heavy barriers, when the first value is kept: it takes milliseconds in a process that has threads.
pub(crate) fn prepare() {
    if STATE.load(Ordering::Relaxed) == UNASKED {
        let found = if register() { THERE } else { NONE };
        let _ = STATE.compare_exchange(UNASKED, found, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// Whether there are heavy barriers. To be asked after a light barrier, by each who relies on it.
#[inline]
pub(crate) fn is_there() -> bool {
    STATE.load(Ordering::Relaxed) == THERE
}

/// Orders what this thread did before and does after it, for those who call [`heavy_barrier`].
#[inline]
pub(crate) fn light_barrier() {
    compiler_fence(Ordering::SeqCst);
}

/// Orders what this thread did before and does after it, for those who have passed a [`light_barrier`] and found that
/// heavy ones [are there](is_there).
pub(crate) fn heavy_barrier() {
    // A forked child may have to register again.
    if STATE.load(Ordering::Acquire) == NONE || everywhere() || (register() && everywhere()) {
        return;
    }
    // Whoever asks from now on is told; what those are writing who asked before is seen by all in the end.
    let _ = STATE.compare_exchange(THERE, REFUSED, Ordering::SeqCst, Ordering::Relaxed);
    thread::sleep(LONG);
    STATE.store(NONE, Ordering::Release);
}

fn register() -> bool {
    command(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
}

fn everywhere() -> bool {
    command(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
}

fn command(command: libc::c_int) -> bool {
    // SAFETY: takes numbers only, and fails for those that it does not know.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}
