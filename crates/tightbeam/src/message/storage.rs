//! Shared bodies: reference-counted storage of several kinds behind one thin pointer.

use std::alloc::Layout;
use std::ffi::c_void;
use std::ptr::NonNull;

use bytes::Bytes;

use super::refcount::RefCount;
use super::spare;

/// There is no memory for a body of the size that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("out of memory")]
pub struct OutOfMemory;

/// What a storage holds, for conversions that can hand the original back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Block,
    Vec,
    Bytes,
    Opaque,
}

/// What a storage can do; one static per kind.
struct Vtable {
    /// Frees the storage. SAFETY: the pointer is the one the storage was made with, and its last
    /// reference is gone.
    free: unsafe fn(NonNull<Header>),
    kind: Kind,
    /// Whether a sole owner may write to the bytes.
    writable: bool,
}

/// The common start of every storage.
#[repr(C)]
pub(super) struct Header {
    refs: RefCount,
    vtable: &'static Vtable,
}

/// One reference to a storage. `Copy`, since it lives in a union: whoever holds it counts by hand.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Storage(NonNull<Header>);

impl Storage {
    fn header(&self) -> &Header {
        // SAFETY: a `Storage` is only held where a counted reference keeps its header alive, and
        // nobody makes a `&mut` to a header before the last reference is gone.
        unsafe { self.0.as_ref() }
    }

    /// Adds a reference.
    #[inline]
    pub(super) fn retain(self) {
        self.header().refs.retain();
    }

    /// Gives up a reference; the last one frees the storage on this thread.
    ///
    /// # Safety
    ///
    /// The caller has a counted reference and does not use it afterwards.
    #[inline]
    pub(super) unsafe fn release(self) {
        if self.header().refs.release() {
            // SAFETY: this was the last reference, and the pointer came from the constructor that
            // set the vtable.
            unsafe { (self.header().vtable.free)(self.0) }
        }
    }

    /// Whether there is no other reference.
    pub(super) fn is_unique(self) -> bool {
        self.header().refs.is_unique()
    }

    /// Whether a sole owner may write.
    pub(super) fn is_writable(self) -> bool {
        self.header().vtable.writable
    }

    pub(super) fn kind(self) -> Kind {
        self.header().vtable.kind
    }

    /// Takes a vector: its storage and its bytes.
    pub(super) fn from_vec(vec: Vec<u8>) -> (Storage, NonNull<u8>) {
        let owned = Owned::leak(vec, &VEC);
        // SAFETY: just made and not shared yet.
        let vec = unsafe { &mut (*owned.as_ptr()).value };
        (Storage(owned.cast()), NonNull::from(vec.as_mut_slice()).cast())
    }

    /// Takes the vector back, if there is one, nobody else refers to it, and it starts at `data`.
    ///
    /// # Safety
    ///
    /// If it returns `Some`, as for [`Storage::release`]: the reference was given up.
    pub(super) unsafe fn take_vec(self, data: NonNull<u8>) -> Option<Vec<u8>> {
        if self.kind() != Kind::Vec || !self.is_unique() {
            return None;
        }
        let owned = self.0.cast::<Owned<Vec<u8>>>();
        // SAFETY: the kind says how it was made, and nobody else refers to it.
        if unsafe { &(*owned.as_ptr()).value }.as_ptr() != data.as_ptr() {
            return None;
        }
        // SAFETY: as above, and the caller gives his reference up.
        Some(unsafe { Box::from_raw(owned.as_ptr()) }.value)
    }

    pub(super) fn from_bytes(bytes: Bytes) -> Storage {
        Storage(Owned::leak(bytes, &BYTES).cast())
    }

    /// The `Bytes` this storage was made from, if it was.
    pub(super) fn as_bytes(&self) -> Option<&Bytes> {
        // SAFETY: the kind says how it was made; it is never written to while references exist.
        (self.kind() == Kind::Bytes)
            .then(|| unsafe { &self.0.cast::<Owned<Bytes>>().as_ref().value })
    }

    /// Takes any owner of bytes: its storage and its bytes, asked for once.
    pub(super) fn from_owner<T>(owner: T) -> (Storage, NonNull<[u8]>)
    where
        T: AsRef<[u8]> + Send + Sync + 'static,
    {
        let owned = Box::new(Owned::new(owner, const { &Vtable::opaque::<T>(false) }));
        // Asked for before it is leaked: `as_ref` is foreign code and may panic.
        let bytes = NonNull::from(owned.value.as_ref());
        // SAFETY: a pointer from a box is not null.
        (Storage(unsafe { NonNull::new_unchecked(Box::into_raw(owned)) }.cast()), bytes)
    }

    /// Takes a foreign buffer; see [`Foreign`].
    pub(super) fn from_foreign(foreign: Foreign) -> Storage {
        Storage(Owned::leak(foreign, const { &Vtable::opaque::<Foreign>(true) }).cast())
    }
}

/// A storage that owns a value which owns the bytes.
#[repr(C)]
struct Owned<T> {
    header: Header,
    value: T,
}

impl<T> Owned<T> {
    fn new(value: T, vtable: &'static Vtable) -> Owned<T> {
        Owned { header: Header { refs: RefCount::one(), vtable }, value }
    }

    fn leak(value: T, vtable: &'static Vtable) -> NonNull<Owned<T>> {
        NonNull::from(Box::leak(Box::new(Owned::new(value, vtable))))
    }

    /// SAFETY: `header` starts an `Owned<T>` leaked from a box, and nobody refers to it any more.
    unsafe fn free(header: NonNull<Header>) {
        // SAFETY: promised by the caller.
        drop(unsafe { Box::from_raw(header.cast::<Owned<T>>().as_ptr()) });
    }
}

impl Vtable {
    const fn opaque<T>(writable: bool) -> Vtable {
        Vtable { free: Owned::<T>::free, kind: Kind::Opaque, writable }
    }
}

static VEC: Vtable = Vtable { free: Owned::<Vec<u8>>::free, kind: Kind::Vec, writable: true };
static BYTES: Vtable = Vtable { free: Owned::<Bytes>::free, kind: Kind::Bytes, writable: false };
static BLOCK: Vtable = Vtable { free: Block::free, kind: Kind::Block, writable: true };

/// A function that C gave to free a buffer, called with the buffer and a hint.
pub(super) type FreeFn = unsafe extern "C" fn(*mut c_void, *mut c_void);

/// A buffer that C lent us; dropping it calls the function that gives it back.
pub(super) struct Foreign {
    pub(super) data: *mut c_void,
    pub(super) free: FreeFn,
    pub(super) hint: *mut c_void,
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // SAFETY: whoever made the `Foreign` promised that the function may be called once, on any
        // thread, with these arguments.
        unsafe { (self.free)(self.data, self.hint) }
    }
}

/// Storage whose bytes follow it in the same allocation.
///
/// Aligned to 16 so that the bytes are: users put arrays of numbers in messages.
#[repr(C, align(16))]
pub(super) struct Block {
    header: Header,
    capacity: usize,
}

impl Block {
    const OVERHEAD: usize = size_of::<Block>();

    fn layout(capacity: usize) -> Result<Layout, OutOfMemory> {
        let size = capacity.checked_add(Block::OVERHEAD).ok_or(OutOfMemory)?;
        Layout::from_size_align(size, align_of::<Block>()).map_err(|_| OutOfMemory)
    }

    /// Whether a block of this capacity could exist at all.
    pub(super) fn check(capacity: usize) -> Result<(), OutOfMemory> {
        Block::layout(capacity).map(drop)
    }

    /// Allocates room for `capacity` bytes, not initialised unless `zeroed`. The caller owns it as
    /// the one reference, and gives it away with [`Block::into_storage`] or [`Block::dealloc`].
    pub(super) fn alloc(capacity: usize, zeroed: bool) -> Result<NonNull<Block>, OutOfMemory> {
        if !zeroed && let Some(spare) = spare::take(capacity) {
            return Ok(spare.into_block());
        }
        Block::alloc_fresh(capacity, zeroed)
    }

    fn alloc_fresh(capacity: usize, zeroed: bool) -> Result<NonNull<Block>, OutOfMemory> {
        let layout = Block::layout(capacity)?;
        // SAFETY: the size is at least that of `Block`, which is not zero.
        let block = unsafe {
            if zeroed { std::alloc::alloc_zeroed(layout) } else { std::alloc::alloc(layout) }
        };
        let block = NonNull::new(block.cast::<Block>()).ok_or(OutOfMemory)?;
        let header = Header { refs: RefCount::one(), vtable: &BLOCK };
        // SAFETY: freshly allocated, large enough and aligned for a `Block`.
        unsafe { block.write(Block { header, capacity }) };
        Ok(block)
    }

    /// Makes a block that nobody shares larger; on failure the old one is still there.
    ///
    /// # Safety
    ///
    /// `block` comes from this type, the caller is its only owner, and uses only the returned
    /// pointer after success. `capacity` is not smaller than before.
    pub(super) unsafe fn grow(
        block: NonNull<Block>,
        capacity: usize,
    ) -> Result<NonNull<Block>, OutOfMemory> {
        let new = Block::layout(capacity)?;
        // SAFETY: the caller owns the block; it was allocated with the layout of its capacity,
        // and the new size is checked and not zero.
        let grown = unsafe {
            let old = Block::layout((*block.as_ptr()).capacity)?;
            std::alloc::realloc(block.as_ptr().cast(), old, new.size())
        };
        let grown = NonNull::new(grown.cast::<Block>()).ok_or(OutOfMemory)?;
        // SAFETY: the header was moved along with the bytes; the caller is the only owner.
        unsafe { (*grown.as_ptr()).capacity = capacity };
        Ok(grown)
    }

    /// Where the bytes are. Only computes the address; the pointer may be used as long as the
    /// block lives and is not grown.
    pub(super) fn data(block: NonNull<Block>) -> NonNull<u8> {
        // SAFETY: the allocation extends at least `OVERHEAD` bytes from its start.
        unsafe { block.cast::<u8>().add(Block::OVERHEAD) }
    }

    /// The block as a reference of a frame.
    pub(super) fn into_storage(block: NonNull<Block>) -> Storage {
        Storage(block.cast())
    }

    /// Frees a block that nobody refers to.
    ///
    /// # Safety
    ///
    /// As for [`Block::grow`]; the pointer is dead afterwards.
    pub(super) unsafe fn dealloc(block: NonNull<Block>) {
        // SAFETY: promised by the caller; the header needs no drop.
        unsafe {
            // Never fails: the same size was laid out when the block was made.
            if let Ok(layout) = Block::layout((*block.as_ptr()).capacity) {
                std::alloc::dealloc(block.as_ptr().cast(), layout);
            }
        }
    }

    /// SAFETY: `header` starts a block, and nobody refers to it any more.
    unsafe fn free(header: NonNull<Header>) {
        spare::keep(FreeBlock(header.cast()));
    }
}

/// A block that nobody refers to.
#[derive(Debug)]
pub(super) struct FreeBlock(NonNull<Block>);

// SAFETY: it owns its block alone, and a block is plain memory.
unsafe impl Send for FreeBlock {}

impl FreeBlock {
    #[cfg(test)]
    pub(super) fn alloc(capacity: usize) -> Result<FreeBlock, OutOfMemory> {
        Block::alloc_fresh(capacity, false).map(FreeBlock)
    }

    pub(super) fn capacity(&self) -> usize {
        // SAFETY: it owns the block, whose header was written when it was made.
        unsafe { (*self.0.as_ptr()).capacity }
    }

    /// The block with one reference, as [`Block::alloc`] makes it. Its bytes are what they were.
    fn into_block(self) -> NonNull<Block> {
        let block = std::mem::ManuallyDrop::new(self).0;
        // SAFETY: nobody else refers to it; its last reference was given up.
        unsafe { (*block.as_ptr()).header.refs = RefCount::one() };
        block
    }
}

impl Drop for FreeBlock {
    fn drop(&mut self) {
        // SAFETY: it owns the block alone, and is gone.
        unsafe { Block::dealloc(self.0) }
    }
}
