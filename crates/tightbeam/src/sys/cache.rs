//! What processors can be told about memory.

/// Asks for the cache line at `place`, which is about to be written to: another processor may have it, and a store followed
/// by a locked instruction would wait until it has come. The place may be anything, also beyond memory that is in use.
#[inline(always)]
pub(crate) fn prefetch_for_writing(place: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which reads and writes nothing that a program could see, faults nowhere, and leaves registers alone.
    // Processors that do not know it take it for a `nop`.
    unsafe {
        std::arch::asm!(
            "prefetchw byte ptr [{place}]",
            place = in(reg) place,
            options(nostack, preserves_flags, readonly)
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the same.
    unsafe {
        std::arch::asm!(
            "prfm pstl1keep, [{place}]",
            place = in(reg) place,
            options(nostack, preserves_flags, readonly)
        );
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = place;
}

/// Asks for the cache line at `place`, which will be read soon. The place may be anything, also beyond memory that is in use.
#[inline(always)]
pub(crate) fn prefetch_for_reading(place: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which reads and writes nothing that a program could see, faults nowhere, and leaves registers alone.
    unsafe {
        std::arch::asm!(
            "prefetcht0 byte ptr [{place}]",
            place = in(reg) place,
            options(nostack, preserves_flags, readonly)
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the same.
    unsafe {
        std::arch::asm!(
            "prfm pldl1keep, [{place}]",
            place = in(reg) place,
            options(nostack, preserves_flags, readonly)
        );
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = place;
}
