//! What processors can be told about memory.

/// Asks for the cache line at a place by the instruction of this processor, if it is one that is known here.
macro_rules! ask {
    ($place:ident, $x86_64:literal, $aarch64:literal) => {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a hint, which reads and writes nothing that a program could see, faults nowhere, and leaves registers alone.
        // Processors that do not know it take it for a `nop`.
        unsafe {
            std::arch::asm!($x86_64, place = in(reg) $place, options(nostack, preserves_flags, readonly));
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: the same.
        unsafe {
            std::arch::asm!($aarch64, place = in(reg) $place, options(nostack, preserves_flags, readonly));
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let _ = $place;
    };
}

/// Asks for the cache line at `place`, which is about to be written to: another processor may have it, and a store followed
/// by a locked instruction would wait until it has come. The place may be anything, also beyond memory that is in use.
#[inline(always)]
pub(crate) fn prefetch_for_writing(place: *const u8) {
    ask!(place, "prefetchw byte ptr [{place}]", "prfm pstl1keep, [{place}]");
}

/// Asks for the cache line at `place`, which will be read soon. The place may be anything, also beyond memory that is in use.
#[inline(always)]
pub(crate) fn prefetch_for_reading(place: *const u8) {
    ask!(place, "prefetcht0 byte ptr [{place}]", "prfm pldl1keep, [{place}]");
}
