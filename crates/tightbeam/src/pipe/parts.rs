//! The parts of a message on their way out and in.

use zmtp::Frames;

use crate::message::Frame;
use crate::sys;

/// Bodies of at least this many bytes are referenced by the out-queue instead of being copied.
pub(crate) const REFERENCE_FROM: usize = 16 * 1024;

/// What processors fetch from memory at once, in bytes, nearly everywhere.
pub(super) const CACHE_LINE: usize = 64;

/// A message to send, borrowed from the caller, who keeps it if it is refused.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Parts<'a> {
    /// One part, shorter than [`REFERENCE_FROM`].
    Slice(&'a [u8]),
    /// One part that is copied only if the queue which gets it was not told to
    /// [borrow](super::OutQueue::borrow) it.
    Lent(&'a [u8]),
    /// One or more parts.
    Frames(&'a [Frame]),
    /// Two or more that are short.
    Wire(Wire<'a>),
}

/// Short parts, all but the last in wire form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wire<'a> {
    /// Frames, each with more behind it.
    pub(crate) front: &'a [u8],
    /// How many they are, and the bytes of their bodies.
    pub(crate) count: usize,
    pub(crate) body_bytes: usize,
    pub(crate) last: &'a [u8],
}

impl<'a> Wire<'a> {
    fn first(&self) -> &'a [u8] {
        Frames::new(self.front).next().map_or(self.last, |(_, body)| body)
    }

    fn rest(&self) -> Parts<'a> {
        let mut frames = Frames::new(self.front);
        let Some((_, body)) = frames.next() else { return Parts::Frames(&[]) };
        Parts::Wire(Wire {
            front: frames.rest(),
            count: self.count - 1,
            body_bytes: self.body_bytes - body.len(),
            last: self.last,
        })
    }
}

/// What is sent. A slice by itself, which nearly every message is, goes from function to function in registers; [`Parts`] are
/// written to the stack in words and read back in pairs, for which the processor waits.
pub(crate) trait Outgoing<'a>: Copy {
    fn parts(self) -> Parts<'a>;

    /// The only part, if it is to be copied.
    fn slice(self) -> Option<&'a [u8]>;

    /// Bytes of all bodies.
    fn bytes(self) -> usize;
}

impl<'a> Outgoing<'a> for &'a [u8] {
    #[inline(always)]
    fn parts(self) -> Parts<'a> {
        Parts::Slice(self)
    }

    #[inline(always)]
    fn slice(self) -> Option<&'a [u8]> {
        Some(self)
    }

    #[inline(always)]
    fn bytes(self) -> usize {
        self.len()
    }
}

impl<'a> Outgoing<'a> for Parts<'a> {
    #[inline(always)]
    fn parts(self) -> Parts<'a> {
        self
    }

    #[inline(always)]
    fn slice(self) -> Option<&'a [u8]> {
        if let Parts::Slice(body) = self { Some(body) } else { None }
    }

    fn bytes(self) -> usize {
        self.body_bytes()
    }
}

impl<'a> Parts<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Parts::Slice(_) | Parts::Lent(_) => 1,
            Parts::Frames(frames) => frames.len(),
            Parts::Wire(wire) => wire.count + 1,
        }
    }

    /// The bytes of the first part.
    pub(crate) fn first(&self) -> &'a [u8] {
        match self {
            Parts::Slice(bytes) | Parts::Lent(bytes) => bytes,
            Parts::Frames(frames) => frames.first().map_or(&[], |frame| frame),
            Parts::Wire(wire) => wire.first(),
        }
    }

    /// All parts but the first.
    pub(crate) fn rest(&self) -> Parts<'a> {
        match self {
            Parts::Slice(_) | Parts::Lent(_) => Parts::Frames(&[]),
            Parts::Frames(frames) => Parts::Frames(frames.get(1..).unwrap_or(&[])),
            Parts::Wire(wire) => wire.rest(),
        }
    }

    /// The last part alone.
    pub(crate) fn last(&self) -> Parts<'a> {
        match self {
            Parts::Slice(_) | Parts::Lent(_) => *self,
            Parts::Frames(frames) => Parts::Frames(&frames[frames.len().saturating_sub(1)..]),
            Parts::Wire(wire) => Parts::Slice(wire.last),
        }
    }

    /// Bytes of all bodies.
    pub(crate) fn body_bytes(&self) -> usize {
        match self {
            Parts::Slice(bytes) | Parts::Lent(bytes) => bytes.len(),
            Parts::Frames(frames) => frames.iter().map(|frame| frame.len()).sum(),
            Parts::Wire(wire) => wire.body_bytes + wire.last.len(),
        }
    }
}

/// A received body, still where it was read to.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    /// In a buffer shared with others: copy it.
    Slice(&'a [u8]),
    /// In storage of its own, to be taken out.
    Frame(&'a mut Frame),
}

impl Body<'_> {
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Body::Slice(bytes) => bytes,
            Body::Frame(frame) => frame,
        }
    }

    pub(crate) fn into_frame(self) -> Frame {
        match self {
            Body::Slice(bytes) => Frame::copy_from(bytes),
            Body::Frame(frame) => std::mem::take(frame),
        }
    }
}

/// One part taken from an in-queue.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) body: Body<'a>,
    pub(crate) more: bool,
    /// Whole messages that wait behind this part's.
    pub(crate) left: usize,
    /// Taking it changes nothing else: the pipe is neither empty, nor stopped, nor done with.
    pub(crate) quiet: bool,
}

impl Part<'_> {
    /// Messages of others are taken before the one behind this: until then the processor may fetch it, for which
    /// whoever copies it would wait.
    #[inline(always)]
    pub(crate) fn expect_next(&self) {
        if let Body::Slice(bytes) = self.body {
            sys::prefetch_for_reading(bytes.as_ptr_range().end.wrapping_add(CACHE_LINE));
        }
    }
}
