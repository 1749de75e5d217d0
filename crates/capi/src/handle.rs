//! Handles: what C holds instead of a value of Rust's.
//!
//! A handle is an address in a range that is reserved for its kind and holds nothing of ours: it is turned back into a number by
//! arithmetic and never followed. So `NULL`, the address of something else, and a handle of another kind are told at once; and
//! those who look behind a handle for a sign of their own (czmq does) read bytes that mean nothing, instead of crashing.
//!
//! The number names a [`Slot`] and the generation of the value in it. Slots are used again in turn, the one that was closed
//! longest ago first.

use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::raw::{self, Handle};
use crate::slot::{Entered, Slot};

/// Slots that are made at once.
const PAGE: usize = 256;
const PAGES: usize = 1024;
/// Values of one kind that may be open at the same time.
const SLOTS: usize = PAGE * PAGES;
/// Generations that differ in the handle.
const GENERATIONS: usize = 16;
/// Bytes from one handle to the next.
const STRIDE: usize = 16;

/// The open values of one kind.
#[derive(Debug)]
pub(crate) struct Slab<T: 'static> {
    /// The address of the first handle; 0 when the system had no room for the range.
    base: OnceLock<usize>,
    pages: [AtomicPtr<[Slot<T>; PAGE]>; PAGES],
    /// Where to look for an empty slot next.
    next: AtomicUsize,
    made: AtomicUsize,
}

impl<T: Send + Sync> Slab<T> {
    pub(crate) const fn new() -> Slab<T> {
        Slab {
            base: OnceLock::new(),
            pages: [const { AtomicPtr::new(ptr::null_mut()) }; PAGES],
            next: AtomicUsize::new(0),
            made: AtomicUsize::new(0),
        }
    }

    /// Keeps a value; `None` if there is no room for another one.
    pub(crate) fn insert(&'static self, value: T) -> Option<Handle> {
        let base = *self.base.get_or_init(|| raw::reserve(SLOTS * GENERATIONS * STRIDE));
        if base == 0 {
            return None;
        }
        let (index, slot, generation) = self.reserve()?;
        let number = (generation as usize % GENERATIONS) * SLOTS + index;
        let handle = raw::mark_handle(base + number * STRIDE);
        slot.open(value);
        Some(handle)
    }

    /// The value that the handle names, if it is open.
    #[inline]
    pub(crate) fn enter(&'static self, handle: Handle) -> Option<Entered<'static, T>> {
        let offset = handle.address().wrapping_sub(*self.base.get()?);
        if offset >= SLOTS * GENERATIONS * STRIDE || offset % STRIDE != 0 {
            return None;
        }
        let number = offset / STRIDE;
        let slot = self.slot(number % SLOTS)?;
        slot.enter((number / SLOTS) as u64, GENERATIONS as u64 - 1)
    }

    fn slot(&'static self, index: usize) -> Option<&'static Slot<T>> {
        Some(&raw::published(&self.pages[index / PAGE])?[index % PAGE])
    }

    /// An empty slot. Nothing here waits for another thread: in a forked child it may be gone.
    fn reserve(&'static self) -> Option<(usize, &'static Slot<T>, u64)> {
        loop {
            let made = self.made.load(Ordering::Acquire);
            // A page's worth of looks; all of them if there can be no more pages.
            let looks = if made < SLOTS { made.min(PAGE) } else { SLOTS };
            for _ in 0..looks {
                let index = self.next.fetch_add(1, Ordering::Relaxed) % made;
                if let Some(slot) = self.slot(index)
                    && let Some(generation) = slot.reserve()
                {
                    return Some((index, slot, generation));
                }
            }
            if made == SLOTS {
                return None;
            }
            self.add_page(made);
        }
    }

    fn add_page(&'static self, made: usize) {
        raw::publish(&self.pages[made / PAGE], Box::new(std::array::from_fn(|_| Slot::default())));
        // Whoever was quicker has counted it.
        let _ = self.made.compare_exchange(made, made + PAGE, Ordering::AcqRel, Ordering::Relaxed);
    }
}
