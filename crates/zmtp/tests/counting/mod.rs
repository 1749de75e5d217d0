//! An allocator that counts what each thread holds.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counted. Programs that count make it their `#[global_allocator]`.
pub(crate) struct Counting;

thread_local! {
    /// In bytes. What another thread allocated and this one frees wraps around, which differences survive.
    static HELD: Cell<usize> = const { Cell::new(0) };
    /// The most that was held since the count began.
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes on to the system's allocator unchanged; the counters touch no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.get().wrapping_add(layout.size());
        HELD.set(held);
        PEAK.set(PEAK.get().max(held));
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.set(HELD.get().wrapping_sub(layout.size()));
        // SAFETY: `memory` came from `System.alloc` with this layout.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// The peak of what this thread allocated in `work` above what it held before, in bytes.
pub(crate) fn peak_of(work: impl FnOnce()) -> usize {
    // A program may have freed here what it allocated elsewhere: the count begins high enough for that.
    let before = usize::MAX / 2;
    HELD.set(before);
    PEAK.set(before);
    work();
    PEAK.get() - before
}
