//! Who drives a socket: the I/O thread or its callers.
//!
//! ```text
//!                 enter (a call that blocks)
//!        ARMED ------------------------------> CLAIMED, n inside
//!          ^                                     |        ^
//!          |                                leave|        |enter
//!          |  rearm: nobody came back            v        |
//!          +------------------------------ CLAIMED, none inside
//! ```
//!
//! *Armed*: the socket's poll is in the I/O thread's with READABLE interest, and the I/O thread
//! drives it. *Claimed*: it is there with an interest that never fires, and the threads that block
//! in the socket drive it. The claim outlives the call, so that steady ping-pong changes nothing in
//! the kernel; the I/O thread takes back what its callers have left alone for a while. A *pinned*
//! socket (a future waits on it, or its descriptor was handed out) is never claimed; if callers are
//! inside when it is pinned, they go on, and whoever comes meanwhile joins them, until all have left.
//!
//! This file decides and counts; whoever is told to mask or to arm does the system call. Nothing
//! else in the library writes these words. The models in `tests/model` check it with loom and
//! shuttle.

use super::sync::{AtomicBool, AtomicU64, Ordering};

/// Callers drive.
const CLAIMED: u64 = 1;
/// Only the I/O thread may drive.
const PINNED: u64 = 1 << 1;
/// One caller that waits inside.
const INSIDE: u64 = 1 << 8;
/// More threads than a system runs: the count cannot overflow.
const INSIDE_MASK: u64 = 0xffff_ff00;
/// One departure: the upper half counts them, so that a look can tell whether anybody was here.
const DEPARTURE: u64 = 1 << 32;

const fn inside(word: u64) -> u64 {
    word & INSIDE_MASK
}

/// What a caller that wants to block has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It took the socket from the I/O thread: mask the socket's poll in the parent, then drive.
    Claimed,
    /// The socket was claimed already: drive, or follow whoever does.
    Joined,
    /// The I/O thread drives, always: follow. Do not `leave`.
    Pinned,
}

/// What a caller that stops waiting has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing: others are inside, or the I/O thread looks.
    Nothing,
    /// Arm the socket's poll in the parent: it was pinned meanwhile.
    Arm,
    /// The I/O thread sleeps without looking: wake it, or [`Handover::rearm`] and arm.
    Unwatched,
}

/// The state of one socket.
#[derive(Debug)]
pub(crate) struct Handover {
    word: AtomicU64,
}

impl Handover {
    pub(crate) fn new() -> Handover {
        Handover { word: AtomicU64::new(0) }
    }

    /// A caller is about to block.
    pub(crate) fn enter(&self) -> Entry {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let driven = word & CLAIMED != 0 && inside(word) != 0;
            if word & PINNED != 0 && !driven {
                return Entry::Pinned;
            }
            let next = (word | CLAIMED) + INSIDE;
            match self.word.compare_exchange_weak(word, next, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) if word & CLAIMED == 0 => return Entry::Claimed,
                Ok(_) => return Entry::Joined,
                Err(now) => word = now,
            }
        }
    }

    /// A caller that entered stops waiting. The departure is published before `watch` is read;
    /// the I/O thread publishes that it sleeps before it reads the sockets: one of the two sees the
    /// other.
    pub(crate) fn leave(&self, watch: &Watch) -> Exit {
        let step = DEPARTURE.wrapping_sub(INSIDE);
        let word = self.word.fetch_add(step, Ordering::SeqCst).wrapping_add(step);
        if inside(word) != 0 {
            return Exit::Nothing;
        }
        if word & PINNED != 0 {
            return if self.rearm() { Exit::Arm } else { Exit::Nothing };
        }
        if watch.sleeps() { Exit::Unwatched } else { Exit::Nothing }
    }

    /// Gives a claimed socket with nobody inside back to the I/O thread. True if this call did it:
    /// then the caller arms the poll.
    pub(crate) fn rearm(&self) -> bool {
        let mut word = self.word.load(Ordering::SeqCst);
        while word & CLAIMED != 0 && inside(word) == 0 {
            let next = word & !CLAIMED;
            match self.word.compare_exchange_weak(word, next, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// From now on only the I/O thread drives. True if the caller must arm the poll; if callers are
    /// inside, the last of them will be told to.
    pub(crate) fn pin(&self) -> bool {
        self.word.fetch_or(PINNED, Ordering::SeqCst);
        self.rearm()
    }

    /// Callers may claim again.
    pub(crate) fn unpin(&self) {
        self.word.fetch_and(!PINNED, Ordering::SeqCst);
    }

    /// Whether the I/O thread must leave the socket alone.
    pub(crate) fn is_claimed(&self) -> bool {
        self.word.load(Ordering::SeqCst) & CLAIMED != 0
    }

    /// The I/O thread has left the seat. True if callers have claimed the socket meanwhile: one of
    /// them may have found the seat taken, and must be offered it. A caller that claims after this
    /// finds the seat free: this writes the word that it claims by, even if it changes nothing.
    pub(crate) fn claimed_meanwhile(&self) -> bool {
        self.word.fetch_or(0, Ordering::SeqCst) & CLAIMED != 0
    }

    /// What a look of the I/O thread sees. It writes, even if it changes nothing: then a caller that
    /// leaves later sees what the I/O thread announced before, without a total order of all words.
    pub(crate) fn look(&self) -> Sight {
        let word = self.word.fetch_or(0, Ordering::SeqCst);
        Sight {
            claimed: word & CLAIMED != 0,
            occupied: inside(word) != 0,
            departures: (word >> 32) as u32,
        }
    }
}

/// One look at a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sight {
    /// Callers drive it.
    pub(crate) claimed: bool,
    /// A caller is waiting inside.
    pub(crate) occupied: bool,
    /// How often a caller has left, modulo 2^32.
    pub(crate) departures: u32,
}

/// Whether the I/O thread looks at claimed sockets from time to time, or sleeps.
#[derive(Debug)]
pub(crate) struct Watch {
    asleep: AtomicBool,
}

impl Watch {
    pub(crate) fn new() -> Watch {
        Watch { asleep: AtomicBool::new(false) }
    }

    /// The I/O thread means to sleep without looking. It must look at every claimed socket once
    /// more after this, and [`wake`](Watch::wake) instead of sleeping if one is abandoned.
    pub(crate) fn sleep(&self) {
        self.asleep.store(true, Ordering::SeqCst);
    }

    /// The I/O thread looks again.
    pub(crate) fn wake(&self) {
        self.asleep.store(false, Ordering::SeqCst);
    }

    fn sleeps(&self) -> bool {
        self.asleep.load(Ordering::SeqCst)
    }
}
