//! Who may come into a lock without its mutex: nobody, or one thread, the owner of the bias.
//!
//! ```text
//!   owner:  inside = 1 ; light barrier ; owner still me?       others:  owner = nobody ; heavy barrier ; inside = 0?
//! ```
//!
//! The light barrier only keeps the compiler from reordering; the heavy one has all processors that run this process pass
//! a barrier. So one of the two sees the other: the owner that its bias is gone, or the other that the owner is inside.
//!
//! A thread that was slow between its two steps may announce itself long after its bias went to somebody else. So
//! each has a seat of its own to announce itself in, which never becomes another's; who comes when there are no more seats
//! does not become an owner.
//!
//! Everything but [`enter`](Bias::enter) and [`leave`](Bias::leave) is called with the lock's mutex held.

use super::barrier::{heavy_barrier_or_wait, light_barrier, sleep, wake};
use super::sync::{AtomicU32, AtomicUsize, Ordering};

/// The name of threads that have none. Names are small numbers.
pub(super) const UNNAMED: usize = 0;
/// As the owner: nobody.
const NOBODY: usize = usize::MAX;
/// Threads that may ever be owners of one lock.
const SEATS: usize = 4;

#[derive(Debug)]
pub(crate) struct Bias {
    /// The name of the owner, and its seat: name * [`SEATS`] + seat.
    owner: AtomicUsize,
    seats: [Seat; SEATS],
}

/// One thread's, for good.
#[derive(Debug)]
pub(crate) struct Seat {
    name: AtomicUsize,
    /// 1 while its thread is inside without the mutex, or believes that it may be. Written by that thread.
    inside: AtomicU32,
    /// How often it has come. Written by that thread.
    visits: AtomicUsize,
}

impl Bias {
    pub(crate) fn new() -> Bias {
        let seat = |_| Seat {
            name: AtomicUsize::new(UNNAMED),
            inside: AtomicU32::new(0),
            visits: AtomicUsize::new(0),
        };
        Bias { owner: AtomicUsize::new(NOBODY), seats: std::array::from_fn(seat) }
    }

    /// Comes in, if this thread is the owner; it [leaves](Bias::leave) the seat that is answered.
    #[inline(always)]
    pub(crate) fn enter(&self, me: usize) -> Option<&Seat> {
        let owner = self.owner.load(Ordering::Relaxed);
        if owner / SEATS != me {
            return None;
        }
        let seat = &self.seats[owner % SEATS];
        assert!(seat.inside.load(Ordering::Relaxed) == 0, "a thread locks what it has locked");
        seat.inside.store(1, Ordering::Relaxed);
        light_barrier();
        if self.owner.load(Ordering::Relaxed) != owner {
            self.leave(seat);
            return None;
        }
        seat.visits.store(seat.visits.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        Some(seat)
    }

    /// The owner leaves.
    #[inline(always)]
    pub(crate) fn leave(&self, seat: &Seat) {
        seat.inside.store(0, Ordering::Release);
        light_barrier();
        if self.owner.load(Ordering::Relaxed) == NOBODY {
            // Whoever took the bias may have seen this thread inside, and sleeps until it is not.
            wake(&seat.inside);
        }
    }

    /// Makes the thread that has the lock the owner, if there is a seat for it.
    pub(crate) fn give(&self, me: usize) {
        let free = |name| name == me || name == UNNAMED;
        let found = self.seats.iter().position(|seat| free(seat.name.load(Ordering::Relaxed)));
        let Some(at) = found else { return };
        self.seats[at].name.store(me, Ordering::Relaxed);
        self.seats[at].visits.store(0, Ordering::Relaxed);
        self.owner.store(me * SEATS + at, Ordering::Relaxed);
    }

    /// Takes the bias from its owner, if there is one, who may still be inside. Answers how often it came.
    pub(crate) fn take(&self) -> Option<usize> {
        let owner = self.owner.load(Ordering::Relaxed);
        if owner == NOBODY {
            return None;
        }
        self.owner.store(NOBODY, Ordering::Relaxed);
        heavy_barrier_or_wait();
        Some(self.seats[owner % SEATS].visits.load(Ordering::Relaxed))
    }

    /// Whether one that was the owner is still inside. If not, what it did there is seen.
    pub(crate) fn is_occupied(&self) -> bool {
        self.seats.iter().any(|seat| seat.inside.load(Ordering::Acquire) != 0)
    }

    /// Sleeps until one that was the owner has left.
    pub(crate) fn wait_until_left(&self) {
        for seat in &self.seats {
            while seat.inside.load(Ordering::Acquire) != 0 {
                sleep(&seat.inside, 1);
            }
        }
    }
}
