//! A few large buffers per thread, so that streaming allocates nothing and idle pipes hold nothing.

use std::cell::RefCell;
use std::thread::LocalKey;

/// Capacity of a pooled buffer: what one read takes and one segment gathers.
pub(crate) const BUFFER_SIZE: usize = 128 * 1024;
/// Buffers of a kind that a thread keeps for later.
const KEPT: usize = 4;

type Pool = LocalKey<RefCell<Vec<Vec<u8>>>>;

thread_local! {
    /// To be appended to: empty.
    static ARENAS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    /// To be read into: of full length, with whatever was in them.
    static CHUNKS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A large empty buffer, if this thread has one left.
pub(crate) fn take_arena() -> Option<Vec<u8>> {
    take(&ARENAS)
}

/// Gives an empty buffer back; small and odd ones are freed.
pub(crate) fn give_arena(arena: Vec<u8>) {
    if (BUFFER_SIZE..2 * BUFFER_SIZE).contains(&arena.capacity()) {
        give(&ARENAS, arena);
    }
}

/// A buffer of [`BUFFER_SIZE`] bytes to read into.
pub(crate) fn take_chunk() -> Vec<u8> {
    take(&CHUNKS).unwrap_or_else(|| vec![0; BUFFER_SIZE])
}

/// Gives a buffer back that was read into; others are freed.
pub(crate) fn give_chunk(chunk: Vec<u8>) {
    if chunk.len() == BUFFER_SIZE {
        give(&CHUNKS, chunk);
    }
}

// Both fail only while the thread is ending, and then the buffers are freed.
fn take(pool: &'static Pool) -> Option<Vec<u8>> {
    pool.try_with(|pool| pool.borrow_mut().pop()).ok().flatten()
}

fn give(pool: &'static Pool, buffer: Vec<u8>) {
    let _ = pool.try_with(|pool| {
        let mut pool = pool.borrow_mut();
        if pool.len() < KEPT {
            pool.push(buffer);
        }
    });
}
