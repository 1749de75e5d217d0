//! A place for a value that some threads use while another closes it. It has no lock, which a forked child might find taken
//! for ever, and may be looked at at any time, by whoever holds an old number of it.
//!
//! ```text
//! EMPTY --reserve--> BEING_MADE --open--> OPEN --close--> CLOSED --the last user leaves--> BEING_EMPTIED --> EMPTY
//! ```
//!
//! A word counts the users beside the state, so that one addition enters and one subtraction leaves.

use super::sync::{AtomicU64, Ordering, UnsafeCell};

const EMPTY: u64 = 0;
const BEING_MADE: u64 = 1 << 32;
const OPEN: u64 = 2 << 32;
const CLOSED: u64 = 3 << 32;
const BEING_EMPTIED: u64 = 4 << 32;
const STATE: u64 = 7 << 32;
const GENERATION: u64 = 1 << 35;
const GENERATION_BITS: u64 = !(GENERATION - 1);

/// See the module. Every call writes to its slot, and neighbours are used by different threads: each slot has cache lines
/// of its own (two, which some processors fetch together).
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Slot<T> {
    /// Generation, state, and in the lower half how many are looking or using.
    word: AtomicU64,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value is shared between those who have entered (`T: Sync`), and moved in and out by others than made it
// (`T: Send`), each alone: see `open` and `leave`.
unsafe impl<T: Send + Sync> Sync for Slot<T> {}

/// Whoever holds one uses the value of a slot, which stays where it is meanwhile.
#[derive(Debug)]
pub(crate) struct Entered<'a, T> {
    slot: &'a Slot<T>,
}

impl<T> Default for Slot<T> {
    fn default() -> Slot<T> {
        Slot { word: AtomicU64::new(EMPTY), value: UnsafeCell::new(None) }
    }
}

impl<T> Slot<T> {
    /// Takes an empty slot; answers the generation of the value that will be in it.
    pub(crate) fn reserve(&self) -> Option<u64> {
        let word = self.word.load(Ordering::Relaxed);
        if word & STATE != EMPTY {
            return None;
        }
        let made = (word & !STATE) | BEING_MADE;
        let taken = self.word.compare_exchange(word, made, Ordering::Acquire, Ordering::Relaxed);
        taken.is_ok().then_some(word / GENERATION)
    }

    /// Puts a value in the slot that the caller has reserved.
    pub(crate) fn open(&self, value: T) {
        // SAFETY: only the thread that has reserved it touches the value before it is open.
        self.value.with_mut(|place| unsafe { *place = Some(value) });
        // Others may be looking meanwhile, so that the number of users must be kept.
        self.word.fetch_add(OPEN - BEING_MADE, Ordering::Release);
    }

    /// The value, if it is open and of that generation.
    #[inline]
    pub(crate) fn enter(&self, generation: u64, mask: u64) -> Option<Entered<'_, T>> {
        let word = self.word.fetch_add(1, Ordering::Acquire);
        let entered = Entered { slot: self };
        (word & STATE == OPEN && (word / GENERATION) & mask == generation).then_some(entered)
    }

    /// The last one out empties a closed slot.
    #[cold]
    fn empty(&self, word: u64) {
        let mine = (word & GENERATION_BITS) | BEING_EMPTIED;
        let taken = self.word.compare_exchange(word, mine, Ordering::Acquire, Ordering::Relaxed);
        if taken.is_err() {
            return;
        }
        // SAFETY: nobody uses it, and nobody will: whoever looks finds that it is not open.
        let value = self.value.with_mut(|place| unsafe { (*place).take() });
        self.word.fetch_add(GENERATION - BEING_EMPTIED, Ordering::Release);
        drop(value);
    }
}

impl<T> Entered<'_, T> {
    /// Closes the slot to others. The value is dropped when the last user leaves. False if another thread has closed it.
    pub(crate) fn close(&self) -> bool {
        let mut word = self.slot.word.load(Ordering::Relaxed);
        while word & STATE == OPEN {
            let closed = word + (CLOSED - OPEN);
            let closing = self.slot.word.compare_exchange_weak(
                word,
                closed,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
            match closing {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }
}

impl<T> std::ops::Deref for Entered<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: it was open when this was made, and is emptied only after it is dropped.
        self.slot.value.with(|place| unsafe { (*place).as_ref().unwrap_unchecked() })
    }
}

impl<T> Drop for Entered<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let word = self.slot.word.fetch_sub(1, Ordering::Release) - 1;
        if word & STATE == CLOSED && word & (u64::from(u32::MAX)) == 0 {
            self.slot.empty(word);
        }
    }
}
