//! How much memory is in use: a counting allocator, and what the kernel says.
#![allow(unsafe_code, reason = "an allocator is unsafe by nature")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};
use std::time::Instant;

use tightbeam_tests::peer::HANG;

/// The system's allocator, counting the bytes handed out.
pub(crate) struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

thread_local! {
    /// Bytes that this thread was handed out, given back or not.
    static MINE: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // Fails only while the thread is ending.
    let _ = MINE.try_with(|mine| mine.set(mine.get() + change.max(0)));
    let live = LIVE.fetch_add(change, Relaxed) + change;
    if change > 0 {
        PEAK.fetch_max(live, Relaxed);
    }
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: as our caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: as our caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: as our caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size.cast_signed() - layout.size().cast_signed());
        // SAFETY: as our caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Bytes of the heap in use.
pub(crate) fn live() -> isize {
    LIVE.load(Relaxed)
}

/// Bytes that this thread is handed out meanwhile.
pub(crate) fn handed_out(work: impl FnOnce()) -> isize {
    let before = MINE.get();
    work();
    MINE.get() - before
}

/// The most bytes in use since [`reset_peak`].
pub(crate) fn peak() -> isize {
    PEAK.load(Relaxed)
}

/// Starts to look for the peak anew.
pub(crate) fn reset_peak() {
    PEAK.store(live(), Relaxed);
}

/// The process's largest resident size so far, in bytes.
pub(crate) fn resident_peak() -> isize {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
    let kib = line.split_whitespace().nth(1).expect("a number");
    kib.parse::<isize>().expect("a number") * 1024
}

/// Waits until no more descriptors are open: the I/O thread closes some of them after a socket has ended.
pub(crate) fn wait_for_descriptors(most: usize) {
    let deadline = Instant::now() + HANG;
    while descriptors() > most {
        assert!(Instant::now() < deadline, "{} descriptors, expected {most}", descriptors());
        std::thread::yield_now();
    }
}

/// The descriptors that the process has open.
pub(crate) fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("procfs").count()
}
