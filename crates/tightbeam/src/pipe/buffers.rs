//! Large buffers for the next segment or read, so that streaming allocates nothing and idle pipes hold nothing.
//!
//! The whole process shares them: of what one thread fills, another may have written the last byte, and a thread that
//! reads takes the buffer that the one before it has just emptied, which is still in the cache. Nobody waits for a
//! list: whoever finds it locked (in a forked child, perhaps for ever) goes to the allocator.

use std::sync::Mutex;

/// What one read takes.
pub(crate) const BUFFER_SIZE: usize = 128 * 1024;
/// What one segment gathers, and the short frame that makes it full may exceed.
pub(crate) const SEGMENT_SIZE: usize = 126 * 1024;
/// Smaller arenas are quickly had.
const LEAST_ARENA: usize = 4 * 1024;
/// Bytes that are kept of each kind.
const KEPT_BYTES: usize = 8 * 1024 * 1024;

/// To be appended to: empty.
static ARENAS: Mutex<Kept> = Mutex::new(Kept::new());
/// To be read into: of full length, with whatever was in them.
static CHUNKS: Mutex<Kept> = Mutex::new(Kept::new());

/// Buffers for later; the one that was given last comes last.
struct Kept {
    buffers: Vec<Vec<u8>>,
    /// Their capacities together.
    bytes: usize,
}

impl Kept {
    const fn new() -> Kept {
        Kept { buffers: Vec::new(), bytes: 0 }
    }

    /// Keeps a buffer, or gives it back.
    fn keep(&mut self, buffer: Vec<u8>) -> Option<Vec<u8>> {
        if self.bytes + buffer.capacity() > KEPT_BYTES {
            return Some(buffer);
        }
        self.bytes += buffer.capacity();
        self.buffers.push(buffer);
        None
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        let buffer = self.buffers.pop()?;
        self.bytes -= buffer.capacity();
        Some(buffer)
    }
}

/// A large empty buffer, if there is one left.
pub(crate) fn take_arena() -> Option<Vec<u8>> {
    ARENAS.try_lock().ok()?.take()
}

/// Gives a buffer back; small and odd ones are freed.
pub(crate) fn give_arena(mut arena: Vec<u8>) {
    arena.clear();
    if (LEAST_ARENA..2 * BUFFER_SIZE).contains(&arena.capacity()) {
        give(&ARENAS, arena);
    }
}

/// A buffer of [`BUFFER_SIZE`] bytes to read into.
pub(crate) fn take_chunk() -> Vec<u8> {
    let kept = CHUNKS.try_lock().ok().and_then(|mut chunks| chunks.take());
    kept.unwrap_or_else(|| vec![0; BUFFER_SIZE])
}

/// Gives a buffer back that was read into; others are freed.
pub(crate) fn give_chunk(chunk: Vec<u8>) {
    if chunk.len() == BUFFER_SIZE {
        give(&CHUNKS, chunk);
    }
}

fn give(kept: &Mutex<Kept>, buffer: Vec<u8>) {
    // What does not stay is freed without the lock.
    let _rest = match kept.try_lock() {
        Ok(mut kept) => kept.keep(buffer),
        Err(_) => Some(buffer),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_kept_up_to_a_bound_and_the_last_one_comes_first() {
        let mut kept = Kept::new();
        let mut n = 0;
        while kept.keep(Vec::with_capacity(300_000 + n)).is_none() {
            n += 1;
        }
        assert_eq!(n, KEPT_BYTES / 300_000);
        for n in (0..n).rev() {
            assert_eq!(kept.take().map(|buffer| buffer.capacity()), Some(300_000 + n));
        }
        assert!(kept.take().is_none());
        assert_eq!(kept.bytes, 0);
    }
}
