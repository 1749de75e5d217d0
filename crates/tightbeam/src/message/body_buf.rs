//! Receiving a large body straight into the allocation that it stays in.

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use super::frame::Frame;
use super::storage::{Block, OutOfMemory};
use crate::sys;

/// The most that is allocated before anything was received, and the most that [`BodyBuf::spare`]
/// gives at once.
const AHEAD: usize = 1 << 20;

/// A body that is being received: it grows with what arrives, whatever size was announced, and
/// becomes a [`Frame`] without being copied.
///
/// Never more than twice what was received, or 1 MiB if that is more, is allocated; and of that
/// never more than 1 MiB beyond what was received is touched, so that the kernel need not provide it.
pub(crate) struct BodyBuf {
    block: NonNull<Block>,
    capacity: usize,
    /// How many bytes were received; not more than are initialised.
    received: usize,
    /// How many bytes from the start are initialised; not more than the capacity.
    initialised: usize,
    total: usize,
}

// SAFETY: a `BodyBuf` owns its block alone, and a block is plain memory.
unsafe impl Send for BodyBuf {}
// SAFETY: nothing can be changed through `&BodyBuf`.
unsafe impl Sync for BodyBuf {}

impl BodyBuf {
    /// A buffer for a body of `total` bytes, as announced by the peer.
    ///
    /// # Errors
    ///
    /// This machine cannot have so much memory, or has none left for the beginning of it.
    pub(crate) fn with_len(total: u64) -> Result<BodyBuf, OutOfMemory> {
        let total = usize::try_from(total).map_err(|_| OutOfMemory)?;
        // Sizes that could never be allocated are refused at once, not after having been received.
        Block::check(total)?;
        let capacity = total.min(AHEAD);
        let block = Block::alloc(capacity, false)?;
        Ok(BodyBuf { block, capacity, received: 0, initialised: 0, total })
    }

    /// How many bytes are still to be received.
    pub(crate) fn remaining(&self) -> usize {
        self.total - self.received
    }

    /// How many bytes there is room for just now.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many bytes the next read takes at most: what remains, or less where the buffer has to grow
    /// first. 0 only if nothing remains.
    ///
    /// # Errors
    ///
    /// There is no memory to grow; the buffer is as it was.
    pub(crate) fn room(&mut self) -> Result<usize, OutOfMemory> {
        self.make_room()?;
        Ok((self.capacity - self.received).min(AHEAD))
    }

    /// How many bytes were received.
    pub(crate) fn received(&self) -> usize {
        self.received
    }

    /// Where to read the next bytes to: as much as fits, at most 1 MiB, empty only if nothing
    /// remains. Tell [`advance`](BodyBuf::advance) how much was read. Each byte of the body is
    /// zeroed once before it is handed out; it may be handed out again unread.
    ///
    /// # Errors
    ///
    /// There is no memory to grow; the buffer is as it was.
    pub(crate) fn spare(&mut self) -> Result<&mut [u8], OutOfMemory> {
        self.make_room()?;
        let end = self.capacity.min(self.received.saturating_add(AHEAD));
        let start = Block::data(self.block);
        // SAFETY: `received <= initialised` and `end` lie within the capacity of the block, which
        // this buffer owns alone; everything up to `end` is initialised when the slice is made.
        unsafe {
            if self.initialised < end {
                start.add(self.initialised).write_bytes(0, end - self.initialised);
                self.initialised = end;
            }
            let spare = start.add(self.received).as_ptr();
            Ok(std::slice::from_raw_parts_mut(spare, end - self.received))
        }
    }

    /// Reads the next bytes from a descriptor, at most 1 MiB, without zeroing anything first; says
    /// how many, 0 at the end of the stream or if nothing remains.
    ///
    /// # Errors
    ///
    /// As the `read` system call; or there is no memory to grow, and nothing was read.
    pub(crate) fn read_from(&mut self, fd: BorrowedFd<'_>) -> io::Result<usize> {
        let room = self.room().map_err(|OutOfMemory| io::ErrorKind::OutOfMemory)?;
        // SAFETY: so much room is left after the bytes received, in a block that this buffer owns
        // alone; it need not be initialised.
        let spare = unsafe {
            let spare = Block::data(self.block).add(self.received);
            std::slice::from_raw_parts_mut(spare.cast().as_ptr(), room)
        };
        let n = sys::read_into(fd, spare)?.len();
        self.received += n;
        self.initialised = self.initialised.max(self.received);
        Ok(n)
    }

    /// Says that `n` bytes were read to the start of [`spare`](BodyBuf::spare).
    ///
    /// # Panics
    ///
    /// That was more than `spare` gave.
    pub(crate) fn advance(&mut self, n: usize) {
        assert!(n <= self.initialised - self.received, "more was read than there was room for");
        self.received += n;
    }

    /// Copies as many of `bytes` as the body still lacks, without zeroing anything, and says how
    /// many that were.
    ///
    /// # Errors
    ///
    /// There is no memory to grow; what fitted was copied and counts as received.
    pub(crate) fn extend(&mut self, bytes: &[u8]) -> Result<usize, OutOfMemory> {
        let mut rest = &bytes[..bytes.len().min(self.remaining())];
        let copied = rest.len();
        while !rest.is_empty() {
            self.make_room()?;
            let n = rest.len().min(self.capacity - self.received);
            // SAFETY: there is room for `n` bytes after those received, in a block that this
            // buffer owns alone; and `rest` has as many.
            unsafe {
                let to = Block::data(self.block).add(self.received);
                to.copy_from_nonoverlapping(NonNull::from(rest).cast(), n);
            }
            self.received += n;
            self.initialised = self.initialised.max(self.received);
            rest = &rest[n..];
        }
        Ok(copied)
    }

    /// The body, without copying it: what was received, if that is not all.
    pub(crate) fn finish(self) -> Frame {
        let buf = std::mem::ManuallyDrop::new(self);
        Frame::from_block(buf.block, buf.received)
    }

    /// Makes sure that at least one byte fits, unless nothing remains.
    fn make_room(&mut self) -> Result<(), OutOfMemory> {
        if self.received == self.capacity && self.received < self.total {
            let capacity = self.total.min(self.received.saturating_mul(2));
            // SAFETY: this buffer owns the block alone, replaces its pointer, and only grows it.
            self.block = unsafe { Block::grow(self.block, capacity)? };
            self.capacity = capacity;
        }
        Ok(())
    }
}

impl Drop for BodyBuf {
    fn drop(&mut self) {
        // SAFETY: this buffer owns the block alone, and is gone.
        unsafe { Block::dealloc(self.block) }
    }
}

impl fmt::Debug for BodyBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BodyBuf({} of {} bytes)", self.received, self.total)
    }
}
