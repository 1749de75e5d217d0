//! One part of a message.

use std::ffi::{CString, c_void};
use std::mem::MaybeUninit;
use std::num::NonZeroU16;
use std::ops::{Bound, Deref, RangeBounds};
use std::ptr::NonNull;
use std::sync::Arc;

use super::peer::Peer;
use super::storage::{Block, Foreign, FreeFn, OutOfMemory, Storage};

/// The most bytes that lie in the frame itself: what two pointers and the eight small bytes leave of
/// 64, which is 40 on 64-bit systems.
pub(super) const INLINE: usize = 64 - 2 * size_of::<usize>() - 8;
/// The `kind` of a frame whose body is elsewhere; smaller values are the length of an inline body.
const REFERENCE: u8 = 0xff;
/// Marks the memory of a live frame, so that C's messages can be checked before they are believed.
pub(super) const MARK: NonZeroU16 = NonZeroU16::new(0xb3a7).unwrap();

/// One part of a message: bytes, and what is known about where they came from.
///
/// A frame is 64 bytes and may be moved by copying them. Bodies of up to 40 bytes (48 on 32-bit
/// systems) lie inside it and
/// cost no allocation; larger ones are shared by [`Clone`] and [`slice`](Frame::slice) and freed by
/// the last frame that refers to them. Frames dereference to their bytes, and compare by them alone:
/// the peer, the group and the rest do not take part.
///
/// A frame may be sent to and shared between threads.
///
/// ```
/// use tightbeam::Frame;
///
/// let frame = Frame::from("hello");
/// assert_eq!(frame, "hello");
/// assert_eq!(&frame[..4], b"hell");
/// assert!(frame.is_inline());
///
/// let mut large = Frame::from(vec![7; 1_000]); // the vector is taken, not copied
/// let same = large.clone(); // shares the bytes
/// assert!(same.is_shared());
/// large.make_mut()[0] = 8; // copies them, since they are shared
/// assert_eq!((large[0], same[0]), (8, 7));
/// ```
#[repr(C, align(8))]
pub struct Frame {
    body: Body,
    pub(super) peer: Option<Arc<Peer>>,
    /// Rare, and C wants it with a NUL at its end.
    pub(super) group: Option<Arc<CString>>,
    pub(super) routing_id: u32,
    /// See `metadata`.
    pub(super) flags: u8,
    /// The length of an inline body, or [`REFERENCE`].
    kind: u8,
    pub(super) mark: NonZeroU16,
}

const _: () = assert!(size_of::<Frame>() == 64 && align_of::<Frame>() == 8);

#[derive(Clone, Copy)]
#[repr(C)]
union Body {
    inline: [MaybeUninit<u8>; INLINE],
    reference: Reference,
}

/// A body that lies elsewhere: `len` initialised bytes at `data`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Reference {
    /// What keeps the bytes alive: a counted reference, or nothing if they live for ever (and may
    /// not be written to).
    pub(super) storage: Option<Storage>,
    pub(super) data: NonNull<u8>,
    pub(super) len: usize,
}

// SAFETY: the bytes are only written through `&mut Frame` while no other frame shares them, storages
// hold `Send + Sync` values (for foreign buffers `from_foreign` demands it), and their counts are
// atomic.
unsafe impl Send for Frame {}
// SAFETY: as above; through `&Frame` the bytes are only read.
unsafe impl Sync for Frame {}

impl Drop for Frame {
    #[inline]
    fn drop(&mut self) {
        if let Some(Reference { storage: Some(storage), .. }) = self.reference() {
            // SAFETY: the frame's own counted reference, not used afterwards.
            unsafe { storage.release() }
        }
    }
}

impl Clone for Frame {
    /// Shares a body that lies outside the frame, copies one that lies inside; everything else is
    /// kept.
    #[inline]
    fn clone(&self) -> Frame {
        if let Some(Reference { storage: Some(storage), .. }) = self.reference() {
            storage.retain();
        }
        Frame {
            body: self.body,
            peer: self.peer.clone(),
            group: self.group.clone(),
            routing_id: self.routing_id,
            flags: self.flags,
            kind: self.kind,
            mark: MARK,
        }
    }
}

impl Default for Frame {
    fn default() -> Frame {
        Frame::new()
    }
}

impl Deref for Frame {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        let (data, len) = match self.reference() {
            Some(reference) => (reference.data.as_ptr().cast_const(), reference.len),
            None => (self.inline_ptr(), self.kind.into()),
        };
        // SAFETY: `len` bytes are initialised there and live as long as the frame; they are only
        // written through `&mut` to the one frame that refers to them.
        unsafe { std::slice::from_raw_parts(data, len) }
    }
}

/// Making frames.
impl Frame {
    /// An empty frame.
    #[inline]
    #[must_use]
    pub const fn new() -> Frame {
        Frame::with(Body { inline: [MaybeUninit::uninit(); INLINE] }, 0)
    }

    /// A frame with a copy of `bytes`.
    ///
    /// Like a vector, it aborts if there is no memory; [`try_copy_from`](Frame::try_copy_from) says so.
    #[inline]
    #[must_use]
    pub fn copy_from(bytes: &[u8]) -> Frame {
        match Frame::try_copy_from(bytes) {
            Ok(frame) => frame,
            Err(OutOfMemory) => alloc_failed(bytes.len()),
        }
    }

    /// A frame with a copy of `bytes`.
    ///
    /// # Errors
    ///
    /// There is no memory for the copy.
    #[inline]
    pub fn try_copy_from(bytes: &[u8]) -> Result<Frame, OutOfMemory> {
        if bytes.len() <= INLINE { Ok(Frame::inline(bytes)) } else { Frame::copy_to_heap(bytes) }
    }

    /// A frame of `len` zero bytes, to be written through [`make_mut`](Frame::make_mut).
    ///
    /// # Errors
    ///
    /// There is no memory for so many bytes; however large the number, nothing is aborted.
    ///
    /// ```
    /// # use tightbeam::Frame;
    /// let mut frame = Frame::try_zeroed(100)?;
    /// frame.make_mut()[99] = 1;
    /// assert!(Frame::try_zeroed(usize::MAX).is_err());
    /// # Ok::<(), tightbeam::OutOfMemory>(())
    /// ```
    pub fn try_zeroed(len: usize) -> Result<Frame, OutOfMemory> {
        if len <= INLINE {
            return Ok(Frame::inline(&[0; INLINE][..len]));
        }
        Ok(Frame::from_block(Block::alloc(len, true)?, len))
    }

    /// A frame that refers to bytes which live for ever, without copying them. It counts as
    /// [shared](Frame::is_shared).
    #[must_use]
    pub const fn from_static(bytes: &'static [u8]) -> Frame {
        // SAFETY: a slice's pointer is not null. It is never written through: see `Reference`.
        let data = unsafe { NonNull::new_unchecked(bytes.as_ptr().cast_mut()) };
        Frame::by_reference(Reference { storage: None, data, len: bytes.len() })
    }

    /// A frame that refers to bytes which `owner` holds, without copying them unless they are few.
    /// The owner is dropped, on whichever thread that happens, when the last frame that refers to
    /// it is; if the bytes were few, at once.
    ///
    /// ```
    /// # use tightbeam::Frame;
    /// let lines = std::sync::Arc::new([b'-'; 500]);
    /// let frame = Frame::from_owner(SharedLines(lines.clone()));
    /// assert_eq!(frame.as_ptr(), lines.as_ptr());
    ///
    /// struct SharedLines(std::sync::Arc<[u8; 500]>);
    /// impl AsRef<[u8]> for SharedLines {
    ///     fn as_ref(&self) -> &[u8] {
    ///         &self.0[..]
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn from_owner(owner: impl AsRef<[u8]> + Send + Sync + 'static) -> Frame {
        let (storage, bytes) = Storage::from_owner(owner);
        // Held by a frame before anything else happens, so that it is released in any case.
        let frame = Frame::by_reference(Reference {
            storage: Some(storage),
            data: bytes.cast(),
            len: bytes.len(),
        });
        if frame.len() <= INLINE { Frame::inline(&frame) } else { frame }
    }

    /// A frame that refers to a foreign buffer of `len` bytes, without copying it.
    ///
    /// `free(data, hint)` is called exactly once, on the thread that drops the last frame which
    /// refers to the buffer. Without `free` the buffer is a constant: it is never freed, never
    /// written to by [`make_mut`](Frame::make_mut), and always counts as [shared](Frame::is_shared).
    /// `data` may be null if `len` is 0.
    ///
    /// # Safety
    ///
    /// `len` initialised bytes at `data` stay readable (with `free`, also writable) and are changed
    /// by nobody else, until `free` is called; without `free`, for ever. `len` is at most
    /// `isize::MAX`. `free` may be called on any thread and does not unwind.
    #[must_use]
    pub unsafe fn from_foreign(
        data: *mut u8,
        len: usize,
        free: Option<FreeFn>,
        hint: *mut c_void,
    ) -> Frame {
        let storage =
            free.map(|free| Storage::from_foreign(Foreign { data: data.cast(), free, hint }));
        let data = NonNull::new(data).unwrap_or(NonNull::dangling());
        Frame::by_reference(Reference { storage, data, len })
    }

    /// The first `len` bytes of a block become the body. The bytes must be initialised.
    pub(super) fn from_block(block: NonNull<Block>, len: usize) -> Frame {
        let storage = Some(Block::into_storage(block));
        Frame::by_reference(Reference { storage, data: Block::data(block), len })
    }

    pub(super) const fn by_reference(reference: Reference) -> Frame {
        Frame::with(Body { reference }, REFERENCE)
    }

    #[inline]
    const fn with(body: Body, kind: u8) -> Frame {
        Frame { body, peer: None, group: None, routing_id: 0, flags: 0, kind, mark: MARK }
    }

    /// A body inside the frame; `bytes` must be few enough.
    #[inline]
    pub(super) fn inline(bytes: &[u8]) -> Frame {
        let len = bytes.len();
        assert!(len <= INLINE);
        let mut frame = Frame::new();
        frame.kind = len as u8;
        let (from, to) = (bytes.as_ptr(), (&raw mut frame.body).cast::<u8>());
        // SAFETY: there is room, as just checked, and a new frame overlaps nothing.
        unsafe { to.copy_from_nonoverlapping(from, len) }
        frame
    }

    /// A frame with a copy of the bytes from `start` on, in a block that could hold them all: such blocks are
    /// used again, and those of one stream should be of one size.
    pub(crate) fn try_copy_tail(bytes: &[u8], start: usize) -> Result<Frame, OutOfMemory> {
        let tail = &bytes[start..];
        if tail.len() <= INLINE {
            return Ok(Frame::inline(tail));
        }
        let block = Block::alloc(bytes.len(), false)?;
        // SAFETY: room for more bytes was just allocated, so the two do not overlap.
        unsafe {
            std::ptr::copy_nonoverlapping(tail.as_ptr(), Block::data(block).as_ptr(), tail.len());
        }
        Ok(Frame::from_block(block, tail.len()))
    }

    fn copy_to_heap(bytes: &[u8]) -> Result<Frame, OutOfMemory> {
        Frame::try_copy_tail(bytes, 0)
    }
}

/// The bytes.
impl Frame {
    /// How many bytes the body has.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.reference().map_or(self.kind.into(), |reference| reference.len)
    }

    /// Whether the body has no bytes.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the body lies in the frame itself.
    #[inline]
    #[must_use]
    pub fn is_inline(&self) -> bool {
        self.kind != REFERENCE
    }

    /// Whether other frames may refer to the same bytes, or the bytes are a constant.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        match self.reference() {
            Some(Reference { storage: Some(storage), .. }) => !storage.is_unique(),
            Some(Reference { storage: None, .. }) => true,
            None => false,
        }
    }

    /// The bytes, to write to. If they are shared or may not be written to, they are copied first.
    ///
    /// Like a vector, it aborts if there is no memory for the copy;
    /// [`try_make_mut`](Frame::try_make_mut) says so.
    pub fn make_mut(&mut self) -> &mut [u8] {
        if self.ensure_mut().is_err() {
            alloc_failed(self.len());
        }
        self.bytes_mut()
    }

    /// The bytes, to write to. If they are shared or may not be written to, they are copied first.
    ///
    /// # Errors
    ///
    /// There is no memory for the copy; the frame is as it was.
    pub fn try_make_mut(&mut self) -> Result<&mut [u8], OutOfMemory> {
        self.ensure_mut()?;
        Ok(self.bytes_mut())
    }

    /// A new part with some of the bytes, which it shares unless they are few. It has no peer, no
    /// group and no routing id, and is not followed by [more](Frame::more).
    ///
    /// # Panics
    ///
    /// As for a slice, the range must lie within the body.
    ///
    /// ```
    /// # use tightbeam::Frame;
    /// let frame = Frame::from(vec![1; 100]);
    /// assert_eq!(frame.slice(10..).len(), 90);
    /// ```
    #[must_use]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Frame {
        let bounds = (range.start_bound().cloned(), range.end_bound().cloned());
        let bytes = &self[bounds as (Bound<usize>, Bound<usize>)];
        match self.reference() {
            Some(Reference { storage, .. }) if bytes.len() > INLINE => {
                if let Some(storage) = storage {
                    storage.retain();
                }
                // SAFETY: `bytes` lies within the body, so this stays within its allocation; going
                // from the body's own pointer keeps the right to write, which `bytes` lacks.
                let data = unsafe {
                    let offset = bytes.as_ptr().offset_from_unsigned(self.as_ptr());
                    self.body.reference.data.add(offset)
                };
                Frame::by_reference(Reference { storage, data, len: bytes.len() })
            }
            _ => Frame::inline(bytes),
        }
    }

    /// The reference to the body, unless it is inline.
    #[inline]
    pub(super) fn reference(&self) -> Option<Reference> {
        if self.kind != REFERENCE {
            return None;
        }
        // SAFETY: `kind` says which field of the union was written.
        Some(unsafe { self.body.reference })
    }

    #[inline]
    fn inline_ptr(&self) -> *const u8 {
        (&raw const self.body).cast()
    }

    /// Makes the bytes this frame's own and writable.
    fn ensure_mut(&mut self) -> Result<(), OutOfMemory> {
        let own = match self.reference() {
            Some(Reference { storage: Some(storage), .. }) => {
                storage.is_writable() && storage.is_unique()
            }
            Some(Reference { storage: None, .. }) => false,
            None => true,
        };
        if own { Ok(()) } else { self.copy_body() }
    }

    /// Replaces the body by a copy that is this frame's own.
    pub(super) fn copy_body(&mut self) -> Result<(), OutOfMemory> {
        let mut copy = Frame::try_copy_from(self)?;
        // The old body goes with `copy`, the rest of the frame stays.
        std::mem::swap(&mut self.body, &mut copy.body);
        std::mem::swap(&mut self.kind, &mut copy.kind);
        Ok(())
    }

    /// Empties the body after its reference was taken out by hand.
    pub(super) fn forget_body(&mut self) {
        self.kind = 0;
    }

    /// The bytes, after [`Frame::ensure_mut`].
    fn bytes_mut(&mut self) -> &mut [u8] {
        let (data, len) = self.raw_body();
        // SAFETY: as for `deref`; and the bytes are writable and this frame's own.
        unsafe { std::slice::from_raw_parts_mut(data, len) }
    }

    /// Where the bytes are and how many. They may be written to under the rules of `Reference`.
    pub(super) fn raw_body(&mut self) -> (*mut u8, usize) {
        match self.reference() {
            Some(reference) => (reference.data.as_ptr(), reference.len),
            None => ((&raw mut self.body).cast(), self.kind.into()),
        }
    }
}

/// What Rust's own collections do when there is no memory.
#[cold]
fn alloc_failed(len: usize) -> ! {
    match std::alloc::Layout::array::<u8>(len) {
        Ok(layout) => std::alloc::handle_alloc_error(layout),
        Err(_) => unreachable!("a slice is never that large"),
    }
}
