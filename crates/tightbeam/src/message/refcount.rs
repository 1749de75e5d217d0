//! The reference count of a shared body, alone in its file so that a model checker can include it
//! beside a `sync` module of its own.

use super::sync::{AtomicUsize, Ordering};

/// Counts above this were never reached by counting: the body is pinned instead of freed too early.
const LIMIT: usize = usize::MAX / 2;
/// Half way between the limit and wrapping around, so that neither is reached by races.
const PINNED: usize = LIMIT + LIMIT / 2;

/// How many frames refer to one body.
///
/// It never panics or aborts: a count that leaked clones drive over half the range sticks there and
/// the body is leaked.
#[derive(Debug)]
pub(super) struct RefCount(AtomicUsize);

impl RefCount {
    /// One reference.
    pub(super) fn one() -> RefCount {
        RefCount(AtomicUsize::new(1))
    }

    /// A count that is almost, but not yet, too high.
    #[cfg(test)]
    pub(super) fn at_limit() -> RefCount {
        RefCount(AtomicUsize::new(LIMIT))
    }

    /// Adds a reference. Relaxed is enough: whoever can clone already has one.
    #[inline]
    pub(super) fn retain(&self) {
        if self.0.fetch_add(1, Ordering::Relaxed) > LIMIT {
            self.0.store(PINNED, Ordering::Relaxed);
        }
    }

    /// Takes a reference away; true for the last one, whose owner then frees the body and sees
    /// everything that other owners did to it before.
    #[inline]
    #[must_use]
    pub(super) fn release(&self) -> bool {
        // Most bodies have one owner from beginning to end: nobody else can add a reference, so that
        // there is nothing to count, and a load costs less than a locked subtraction.
        if self.is_unique() {
            return true;
        }
        match self.0.fetch_sub(1, Ordering::Release) {
            1 => {
                // A load, not a fence: thread sanitizers do not understand fences, and on the last
                // release the cost does not matter.
                self.0.load(Ordering::Acquire);
                true
            }
            count if count > LIMIT => {
                self.0.store(PINNED, Ordering::Relaxed);
                false
            }
            _ => false,
        }
    }

    /// Whether the caller's reference is the only one, and so may write. It pairs with the release
    /// of the others, whose reads must have happened before.
    #[inline]
    pub(super) fn is_unique(&self) -> bool {
        self.0.load(Ordering::Acquire) == 1
    }
}
