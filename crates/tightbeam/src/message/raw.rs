//! Frames in memory that C owns. For the C ABI; Rust has no use for this.

use std::num::NonZeroU16;

use super::frame::{Frame, MARK};
use super::storage::{OutOfMemory, Storage};

impl Frame {
    /// Where the bytes are, to be written by C, which does not know about sharing: other frames that
    /// share the bytes see what is written. Only storage that nobody may write to, such as
    /// [`Bytes`](bytes::Bytes) or an [owner](Frame::from_owner), is copied first; a constant of C's
    /// ([`from_foreign`](Frame::from_foreign) without `free`) is C's affair and is not.
    ///
    /// The pointer is valid until the frame is moved, dropped or changed. Writing through it is
    /// subject to the usual rules: no reference to the bytes may be alive, nor another thread read
    /// them.
    ///
    /// # Errors
    ///
    /// There is no memory for the copy; the frame is as it was.
    pub fn as_mut_ptr(&mut self) -> Result<*mut u8, OutOfMemory> {
        let read_only = |storage: Storage| !storage.is_writable();
        if self.reference().and_then(|body| body.storage).is_some_and(read_only) {
            self.copy_body()?;
        }
        Ok(self.raw_body().0)
    }

    /// Whether the 64 bytes at `frame` look like a live frame: one that was written there and not
    /// [buried](Frame::bury). Zeroed memory never does; arbitrary memory does with a chance of one
    /// in 65,536.
    ///
    /// # Safety
    ///
    /// 64 bytes at `frame` are readable, and it is aligned to 8.
    #[must_use]
    pub unsafe fn is_live(frame: *const Frame) -> bool {
        // SAFETY: readable, says the caller; any bit pattern is a `u16`.
        unsafe { (&raw const (*frame).mark).cast::<u16>().read() == MARK.get() }
    }

    /// Drops a frame in C's memory and marks the memory as dead, so that a second close is seen.
    ///
    /// # Safety
    ///
    /// `frame` points to a live frame, which nobody uses afterwards.
    pub unsafe fn bury(frame: *mut Frame) {
        // SAFETY: promised by the caller. The mark goes first: a free function that looks at the
        // message again must find it closed.
        unsafe {
            let body = frame.read();
            (&raw mut (*frame).mark).cast::<Option<NonZeroU16>>().write(None);
            drop(body);
        }
    }
}
