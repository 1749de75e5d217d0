//! Handles: what C holds instead of a value of Rust's.
//!
//! A handle is an address in a range that is reserved for its kind and holds nothing of ours: it is turned back into a number by
//! arithmetic and never followed. So `NULL`, the address of something else, and a handle of another kind are told at once; and
//! those who look behind a handle for a sign of their own (czmq does) read bytes that mean nothing, instead of crashing.
//!
//! The number names a [`Slot`] and the generation of the value in it. Slots are used again in turn, the one that was closed
//! longest ago first.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::barrier;
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
/// Bytes of addresses that the handles of a page's slots have, those of all generations: a multiple of what memory is made
/// readable by.
const PAGE_SPAN: usize = PAGE * GENERATIONS * STRIDE;
const SPAN: usize = PAGES * PAGE_SPAN;

/// The open values of one kind.
#[derive(Debug)]
pub(crate) struct Slab<T: 'static> {
    /// The address of the first handle; 0 as long as there is no range.
    base: AtomicUsize,
    pages: [AtomicPtr<[Slot<T>; PAGE]>; PAGES],
    /// Where to look for an empty slot next.
    next: AtomicUsize,
    made: AtomicUsize,
}

impl<T: Send + Sync> Slab<T> {
    pub(crate) const fn new() -> Slab<T> {
        Slab {
            base: AtomicUsize::new(0),
            pages: [const { AtomicPtr::new(ptr::null_mut()) }; PAGES],
            next: AtomicUsize::new(0),
            made: AtomicUsize::new(0),
        }
    }

    /// Keeps a value; `None` if there is no room for another one.
    pub(crate) fn insert(&'static self, value: T) -> Option<Handle> {
        barrier::prepare();
        let base = self.base()?;
        let (index, slot, generation) = self.reserve(base)?;
        let number = index * GENERATIONS + generation as usize % GENERATIONS;
        let handle = raw::mark_handle(base + number * STRIDE);
        slot.open(value);
        Some(handle)
    }

    /// The value that the handle names, if it is open. Where it is inlined the thread's storage is asked for once, for the
    /// lock of a socket, too.
    #[inline(always)]
    pub(crate) fn enter(&'static self, handle: Handle) -> Option<Entered<'static, T>> {
        let base = self.base.load(Ordering::Acquire);
        let offset = handle.address().wrapping_sub(base);
        if base == 0 || offset >= SPAN || !offset.is_multiple_of(STRIDE) {
            return None;
        }
        let number = offset / STRIDE;
        let slot = self.slot(number / GENERATIONS)?;
        slot.enter((number % GENERATIONS) as u64, GENERATIONS as u64 - 1)
    }

    /// The range, which is reserved when it is first needed; `None` if the system has no room for it.
    fn base(&'static self) -> Option<usize> {
        let known = self.base.load(Ordering::Acquire);
        if known != 0 {
            return Some(known);
        }
        let range = raw::reserve(SPAN)?;
        match self.base.compare_exchange(0, range, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Some(range),
            Err(quicker) => {
                raw::release(range, SPAN);
                Some(quicker)
            }
        }
    }

    fn slot(&'static self, index: usize) -> Option<&'static Slot<T>> {
        Some(&raw::published(&self.pages[index / PAGE])?[index % PAGE])
    }

    /// An empty slot. Nothing here waits for another thread: in a forked child it may be gone.
    fn reserve(&'static self, base: usize) -> Option<(usize, &'static Slot<T>, u64)> {
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
            self.add_page(base, made)?;
        }
    }

    fn add_page(&'static self, base: usize, made: usize) -> Option<()> {
        let page = made / PAGE;
        raw::make_readable(base + page * PAGE_SPAN, PAGE_SPAN)?;
        // Made where they stay: they are more than a stack may have room for.
        let slots: Box<[Slot<T>]> = (0..PAGE).map(|_| Slot::default()).collect();
        raw::publish(&self.pages[page], slots.try_into().ok()?);
        // Whoever was quicker has counted it.
        let _ = self.made.compare_exchange(made, made + PAGE, Ordering::AcqRel, Ordering::Relaxed);
        Some(())
    }
}
