//! A place for a value that some threads use while another closes it. It has no lock, which a forked child might find taken
//! for ever, and may be looked at at any time, by whoever holds an old number of it.
//!
//! ```text
//! EMPTY --reserve--> BEING_MADE --open--> OPEN --close--> CLOSED --the last user leaves--> BEING_EMPTIED --> EMPTY
//! ```
//!
//! A user announces itself in a word of its thread's own ([`records`]), so that it writes to nothing that another thread often
//! reads, and needs no locked instruction. Whoever finds that word in use (a call within a call) or has none is counted beside the
//! state.
//!
//! ```text
//! a user                                        who empties
//! enter:  mine = this slot                      word is CLOSED, nobody is counted
//!         light barrier                         heavy barrier
//!         word is OPEN? otherwise leave         any thread's word is this slot? give up
//!   (it uses the value)                         word: as it was -> BEING_EMPTIED, or give up
//! leave:  mine = 0                                (the value is dropped)
//!         light barrier                         word: BEING_EMPTIED -> EMPTY, the next generation
//!         word is CLOSED? try to empty
//! ```
//!
//! All who leave a closed slot try to empty it, also those who were not let in. Of a light barrier and a heavy one
//! ([`barrier`](super::barrier)) one comes first. If it is the light one, who empties sees what the user wrote before it;
//! otherwise the user sees that the slot is closed.
//!
//! *Nobody uses a value that is gone.* Let a user have found OPEN, and another thread empty that generation. The user's light barrier
//! came first, so the other sees the announcement and gives up, or sees what the user has written there later, which says (release,
//! acquire) that the use has ended.
//!
//! *A closed slot is emptied.* Somebody has left it last. Let one give up before. If it saw a thread's announcement, then the
//! light barrier with which that one leaves comes after the heavy one: it finds CLOSED, and counted at most those who came
//! since, and tries. If somebody is counted, that one leaves by a subtraction that follows in the order of the word, finds CLOSED,
//! and tries if it is the last. If the word has changed, somebody was counted meanwhile, or somebody else empties. Two who try at
//! once have both taken back their announcements; each sees those of others only if they have yet to leave, and try.
//!
//! *Nobody mistakes a value for the next.* State and generation are one word: whoever announces itself, is slow, and then finds
//! the next generation is not let in, or is let in and has been announced all the time. And who is slow to empty finds that the
//! word has another generation.

use std::ptr;

use super::barrier::{heavy_barrier, is_there, light_barrier};
use super::records;
use super::sync::{AtomicU64, AtomicUsize, Ordering, UnsafeCell};

const EMPTY: u64 = 0;
const BEING_MADE: u64 = 1 << 32;
const OPEN: u64 = 2 << 32;
const CLOSED: u64 = 3 << 32;
const BEING_EMPTIED: u64 = 4 << 32;
const STATE: u64 = 7 << 32;
const GENERATION: u64 = 1 << 35;
const GENERATION_BITS: u64 = !(GENERATION - 1);
const COUNTED: u64 = BEING_MADE - 1;

/// See the module. Those who are counted write to their slot, and neighbours are used by different threads: each slot has cache
/// lines of its own (two, which some processors fetch together).
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Slot<T> {
    /// Generation, state, and in the lower half how many are looking or using that have not announced themselves.
    word: AtomicU64,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value is shared between those who have entered (`T: Sync`), and moved in and out by others than made it
// (`T: Send`), each alone: see `open` and `empty`.
unsafe impl<T: Send + Sync> Sync for Slot<T> {}

/// Whoever holds one uses the value of a slot, which stays where it is meanwhile.
#[derive(Debug)]
pub(crate) struct Entered<'a, T> {
    slot: &'a Slot<T>,
    /// Where the user has announced itself; if nowhere, it is counted.
    announced: Option<&'static AtomicUsize>,
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
    #[inline(always)]
    pub(crate) fn enter(&self, generation: u64, mask: u64) -> Option<Entered<'_, T>> {
        let mine = records::mine();
        if mine.load(Ordering::Relaxed) == 0 {
            // Release: whoever sees this must have seen how the last use ended.
            mine.store(self.address(), Ordering::Release);
            light_barrier();
            let entered = Entered { slot: self, announced: Some(mine) };
            if is_there() {
                let word = self.word.load(Ordering::Acquire);
                return is_open(word, generation, mask).then_some(entered);
            }
        }
        self.enter_counted(generation, mask)
    }

    #[cold]
    fn enter_counted(&self, generation: u64, mask: u64) -> Option<Entered<'_, T>> {
        records::prepare();
        let word = self.word.fetch_add(1, Ordering::Acquire);
        let entered = Entered { slot: self, announced: None };
        is_open(word, generation, mask).then_some(entered)
    }

    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Empties a closed slot, unless somebody is in it, who will try the same; `word` was found by one who has left.
    #[cold]
    fn empty(&self, word: u64) {
        if word & COUNTED != 0 {
            return;
        }
        heavy_barrier();
        if records::all().any(|inside| inside.load(Ordering::Acquire) == self.address()) {
            return;
        }
        let mine = (word & GENERATION_BITS) | BEING_EMPTIED;
        let taken = self.word.compare_exchange(word, mine, Ordering::Acquire, Ordering::Relaxed);
        if taken.is_err() {
            return;
        }
        // SAFETY: nobody uses it, and nobody will: whoever looks finds that it is not open. See the module.
        let value = self.value.with_mut(|place| unsafe { (*place).take() });
        self.word.fetch_add(GENERATION - BEING_EMPTIED, Ordering::Release);
        drop(value);
    }
}

/// Whether the slot with this word is open, with a value of that generation in it.
#[inline]
fn is_open(word: u64, generation: u64, mask: u64) -> bool {
    word & STATE == OPEN && (word / GENERATION) & mask == generation
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
        let word = match self.announced {
            Some(mine) => {
                mine.store(0, Ordering::Release);
                light_barrier();
                self.slot.word.load(Ordering::Relaxed)
            }
            None => self.slot.word.fetch_sub(1, Ordering::Release) - 1,
        };
        if word & STATE == CLOSED {
            self.slot.empty(word);
        }
    }
}
