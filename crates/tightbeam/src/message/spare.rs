//! A few large blocks that nobody refers to any more, for the next bodies of their size.
//!
//! An allocator gives large blocks back to the kernel and gets them again page by page, zeroed; and
//! of what one thread allocates and another frees, it takes the coldest first. Here it is the one that
//! was read last. Nobody waits for the list: whoever finds it locked (in a forked child, perhaps for
//! ever) goes to the allocator.

use std::sync::Mutex;

use super::storage::FreeBlock;

/// Smaller blocks are quickly had, and larger ones are worth their page faults.
const SIZES: std::ops::RangeInclusive<usize> = 16 * 1024..=1024 * 1024;
/// Bytes that are kept, in the whole process.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

static SPARE: Mutex<Spare> = Mutex::new(Spare::new());

#[derive(Debug)]
struct Spare {
    /// The one that was freed last comes last.
    blocks: Vec<FreeBlock>,
    /// Their capacities together.
    bytes: usize,
}

impl Spare {
    const fn new() -> Spare {
        Spare { blocks: Vec::new(), bytes: 0 }
    }

    /// Keeps a block, or gives it back.
    fn keep(&mut self, block: FreeBlock) -> Option<FreeBlock> {
        if self.bytes + block.capacity() > KEPT_BYTES {
            return Some(block);
        }
        self.bytes += block.capacity();
        self.blocks.push(block);
        None
    }

    fn take(&mut self) -> Option<FreeBlock> {
        let block = self.blocks.pop()?;
        self.bytes -= block.capacity();
        Some(block)
    }
}

/// Whether a block may hold a body of so many bytes, and not much more.
fn fits(block: &FreeBlock, bytes: usize) -> bool {
    (bytes..=2 * bytes).contains(&block.capacity())
}

/// Keeps a block for later, or frees it.
#[inline]
pub(super) fn keep(block: FreeBlock) {
    if SIZES.contains(&block.capacity()) {
        // What does not stay is dropped without the lock.
        let _rest = match SPARE.try_lock() {
            Ok(mut spare) => spare.keep(block),
            Err(_) => Some(block),
        };
    }
}

/// The block that was kept last, if it fits. If not, it is freed: sizes have changed.
#[inline]
pub(super) fn take(bytes: usize) -> Option<FreeBlock> {
    if !SIZES.contains(&bytes) {
        return None;
    }
    let last = SPARE.try_lock().ok()?.take();
    last.filter(|block| fits(block, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(capacity: usize) -> FreeBlock {
        FreeBlock::alloc(capacity).expect("memory")
    }

    #[test]
    fn blocks_are_kept_up_to_a_bound_and_the_last_one_comes_first() {
        let mut spare = Spare::new();
        let mut kept = 0;
        while spare.keep(block(300_000 + kept)).is_none() {
            kept += 1;
        }
        assert_eq!(kept, KEPT_BYTES / 300_000);
        assert!(spare.bytes <= KEPT_BYTES);
        for n in (0..kept).rev() {
            assert_eq!(spare.take().map(|block| block.capacity()), Some(300_000 + n));
        }
        assert!(spare.take().is_none());
        assert_eq!(spare.bytes, 0);
    }

    #[test]
    fn a_block_holds_bodies_of_half_its_size_or_more() {
        let block = block(100_000);
        assert!(fits(&block, 100_000));
        assert!(fits(&block, 50_000));
        assert!(!fits(&block, 100_001));
        assert!(!fits(&block, 49_999));
    }
}
