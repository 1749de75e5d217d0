//! Messages received from one peer, as they were on the wire, decoded when they are taken.

use std::collections::VecDeque;
use std::ops::Range;

use zmtp::{FrameHeader, encode_header};

use super::buffers::{self, BUFFER_SIZE};
use super::parts::{Body, Part, Parts};
use crate::message::Frame;
use crate::sys;

/// A chunk up to this size stays with the pipe between messages.
const SMALL_CHUNK: usize = 512;
/// Bytes that a chunk gathers of messages from this process.
const LOCAL_CHUNK: usize = 16 * 1024;
/// A chunk of these that was filled to so great a part goes back to the sender, who may need it as much the next time.
const WELL_FILLED: usize = 8;
/// How far ahead of what is written memory is asked for, in bytes: the receiver has read it, and its processor has to give
/// it up before it can be written to.
const AHEAD: usize = 256;

/// The filled part of a buffer. The buffer keeps its length, so that a pooled one need not be
/// cleared before it is read into again.
#[derive(Debug)]
struct Chunk {
    buffer: Vec<u8>,
    end: usize,
}

impl Chunk {
    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        &self.buffer[..self.end]
    }

    fn append(&mut self, bytes: &[u8]) {
        let end = self.end + bytes.len();
        match self.buffer.get_mut(self.end..end) {
            Some(room) => room.copy_from_slice(bytes),
            None => {
                self.buffer.truncate(self.end);
                self.buffer.extend_from_slice(bytes);
            }
        }
        self.end = end;
    }
}

#[derive(Debug)]
enum Piece {
    /// Canonical frames; commands among them have been executed and are skipped.
    Chunk(Chunk),
    /// One frame with a body of its own.
    Large { more: bool, body: Frame },
}

impl Piece {
    fn wire_len(&self) -> usize {
        match self {
            Piece::Chunk(chunk) => chunk.end,
            Piece::Large { body, .. } => body.len(),
        }
    }
}

/// Messages received and not yet taken.
#[derive(Debug, Default)]
pub(crate) struct InQueue {
    pieces: VecDeque<Piece>,
    /// Frames from this process that are still being gathered; a piece once they are
    /// [sealed](InQueue::seal).
    open: Vec<u8>,
    /// How much of the first piece was taken.
    head: usize,
    messages: usize,
    /// The large body given out last, until it is taken.
    taken: Frame,
    /// Bytes held in pieces.
    bytes: usize,
    /// Bytes at the end that belong to a message that is not complete.
    incomplete: usize,
}

impl InQueue {
    /// Whole messages waiting.
    pub(crate) fn messages(&self) -> usize {
        self.messages
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds frames. `whole` of their bytes, from the start, complete `messages` messages. The
    /// buffer is taken over if it is well filled, and copied otherwise.
    pub(crate) fn push(
        &mut self,
        buffer: &mut Vec<u8>,
        range: Range<usize>,
        messages: usize,
        whole: usize,
    ) {
        let len = range.len();
        self.bytes += len;
        self.messages += messages;
        self.incomplete = if messages > 0 { len - whole } else { self.incomplete + len };
        if len < BUFFER_SIZE / 4 {
            self.append(&buffer[range]);
            return;
        }
        self.trim();
        if matches!(self.pieces.front(), Some(Piece::Chunk(chunk)) if chunk.end == 0) {
            self.pieces.pop_front();
        }
        let mut chunk = Chunk { buffer: std::mem::take(buffer), end: range.end };
        if self.pieces.is_empty() {
            self.head = range.start;
            self.bytes += range.start;
        } else if range.start > 0 {
            chunk.buffer.copy_within(range, 0);
            chunk.end = len;
        }
        self.pieces.push_back(Piece::Chunk(chunk));
    }

    fn append(&mut self, bytes: &[u8]) {
        if let Some(Piece::Chunk(chunk)) = self.pieces.back_mut()
            && (chunk.buffer.capacity() - chunk.end >= bytes.len() || chunk.end < BUFFER_SIZE / 4)
        {
            chunk.append(bytes);
            return;
        }
        let chunk = Chunk { buffer: bytes.to_vec(), end: bytes.len() };
        if self.pieces.capacity() == 0 {
            // Most queues never have more, and keep it.
            self.pieces.reserve_exact(1);
        }
        self.pieces.push_back(Piece::Chunk(chunk));
    }

    /// Adds a frame whose body was read into storage of its own.
    pub(crate) fn push_large(&mut self, more: bool, body: Frame) {
        self.bytes += body.len();
        self.incomplete = if more { self.incomplete + body.len() } else { 0 };
        self.messages += usize::from(!more);
        self.trim();
        self.pieces.push_back(Piece::Large { more, body });
    }

    /// Adds a whole message from a socket of this process: frames in wire form, then `parts`. Bodies
    /// that lie outside their frame are not copied.
    #[inline]
    pub(crate) fn push_message(&mut self, prefix: &[u8], parts: Parts<'_>) {
        match parts {
            Parts::Slice(body) if prefix.is_empty() => self.push_copy(false, body),
            _ => self.push_parts(prefix, parts),
        }
        self.messages += 1;
    }

    #[inline(never)]
    fn push_parts(&mut self, prefix: &[u8], parts: Parts<'_>) {
        if !prefix.is_empty() {
            self.push_frames(prefix);
        }
        match parts {
            Parts::Slice(body) | Parts::Lent(body) => self.push_copy(false, body),
            Parts::Frames(frames) => {
                let last = frames.len().saturating_sub(1);
                for (i, frame) in frames.iter().enumerate() {
                    if frame.is_inline() {
                        self.push_copy(i < last, frame);
                    } else {
                        self.seal();
                        self.bytes += frame.len();
                        let body = frame.share_body();
                        self.pieces.push_back(Piece::Large { more: i < last, body });
                    }
                }
            }
            Parts::Wire(wire) => {
                self.push_frames(wire.front);
                self.push_copy(false, wire.last);
            }
        }
    }

    fn push_frames(&mut self, frames: &[u8]) {
        self.reserve(frames.len());
        self.open.extend_from_slice(frames);
    }

    #[inline(always)]
    fn push_copy(&mut self, more: bool, body: &[u8]) {
        self.reserve(9 + body.len());
        let ahead = self.open.as_ptr().wrapping_add(self.open.len() + AHEAD);
        sys::prefetch_for_writing(ahead);
        match u8::try_from(body.len()) {
            Ok(len) => {
                // There is, as it was reserved.
                let has_room = sys::append_within(&mut self.open, [u8::from(more), len], body);
                debug_assert!(has_room);
            }
            Err(_) => {
                self.push_long_header(more, body.len());
                self.open.extend_from_slice(body);
            }
        }
    }

    #[inline(never)]
    fn push_long_header(&mut self, more: bool, len: usize) {
        let mut header = [0; 9];
        let n = encode_header(more, false, len as u64, &mut header);
        self.open.extend_from_slice(&header[..n]);
    }

    /// Makes room for so many bytes: a frame lies in one piece.
    #[inline(always)]
    fn reserve(&mut self, bytes: usize) {
        if self.open.capacity() - self.open.len() < bytes {
            self.make_room(bytes);
        }
    }

    #[cold]
    fn make_room(&mut self, bytes: usize) {
        let needed = self.open.len() + bytes;
        if needed > LOCAL_CHUNK && !self.open.is_empty() {
            self.seal();
            self.open.reserve_exact(bytes.max(LOCAL_CHUNK));
        } else {
            let capacity = (4 * self.open.capacity()).min(LOCAL_CHUNK).max(needed);
            self.open.reserve_exact(capacity - self.open.len());
        }
    }

    /// What was gathered becomes a piece, from which it can be taken.
    pub(crate) fn seal(&mut self) {
        if !self.open.is_empty() {
            let buffer = std::mem::take(&mut self.open);
            self.bytes += buffer.len();
            self.pieces.push_back(Piece::Chunk(Chunk { end: buffer.len(), buffer }));
        }
    }

    /// All was taken: messages may be pushed, into the buffer that the last ones came in if that suits them.
    pub(crate) fn start_over(&mut self) {
        (self.head, self.bytes) = (0, 0);
        while let Some(piece) = self.pieces.pop_front() {
            let Piece::Chunk(Chunk { mut buffer, end }) = piece else { continue };
            let capacity = buffer.capacity();
            let suits = capacity <= 2 * LOCAL_CHUNK && end >= capacity / WELL_FILLED;
            if suits || capacity <= SMALL_CHUNK {
                buffer.clear();
                self.open = buffer;
            }
        }
    }

    /// Takes the next part. Only whole messages are given out.
    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<Part<'_>> {
        if self.messages == 0 {
            return None;
        }
        // Nearly every frame is short, and in the first chunk: it needs no second look.
        let short = match self.pieces.front() {
            Some(Piece::Chunk(chunk)) => short_frame(chunk.bytes(), self.head),
            _ => None,
        };
        let Some((more, len)) = short else { return self.pop_other() };
        let Some(Piece::Chunk(chunk)) = self.pieces.front() else { return None };
        let at = self.head + 2;
        let body = Body::Slice(chunk.bytes().get(at..at + len)?);
        self.head = at + len;
        self.messages -= usize::from(!more);
        let left = self.messages;
        Some(Part { body, more, left, quiet: left > 0 })
    }

    /// The same for any other frame.
    #[inline(never)]
    fn pop_other(&mut self) -> Option<Part<'_>> {
        let (Some(header), at) = self.seek()? else { return self.pop_large() };
        let Some(Piece::Chunk(chunk)) = self.pieces.front() else { return None };
        let end = at + usize::try_from(header.body_len).ok()?;
        let body = Body::Slice(chunk.bytes().get(at..end)?);
        self.head = end;
        self.messages -= usize::from(!header.more);
        let left = self.messages;
        Some(Part { body, more: header.more, left, quiet: left > 0 })
    }

    fn pop_large(&mut self) -> Option<Part<'_>> {
        let Some(Piece::Large { more, body }) = self.pieces.pop_front() else { return None };
        self.bytes -= body.len();
        self.messages -= usize::from(!more);
        self.taken = body;
        let left = self.messages;
        Some(Part { body: Body::Frame(&mut self.taken), more, left, quiet: left > 0 })
    }

    /// Moves to the next data frame: its header and where its body starts in the first chunk, or
    /// no header if it is a large one.
    fn seek(&mut self) -> Option<(Option<FrameHeader>, usize)> {
        loop {
            self.trim();
            let Piece::Chunk(chunk) = self.pieces.front()? else { return Some((None, 0)) };
            let header = FrameHeader::parse(chunk.bytes().get(self.head..)?).ok()??;
            let body = self.head + header.header_len;
            if !header.command {
                return Some((Some(header), body));
            }
            self.head = body + usize::try_from(header.body_len).ok()?;
        }
    }

    /// Lets go of a first chunk that was taken to the end; small ones are kept for the next read.
    pub(crate) fn trim(&mut self) {
        while let Some(Piece::Chunk(chunk)) = self.pieces.front_mut() {
            if self.head < chunk.end {
                return;
            }
            self.bytes -= chunk.end;
            self.head = 0;
            if self.pieces.len() == 1 && self.keep_small() {
                return;
            }
            if let Some(Piece::Chunk(chunk)) = self.pieces.pop_front() {
                buffers::give_chunk(chunk.buffer);
            }
        }
    }

    fn keep_small(&mut self) -> bool {
        match self.pieces.front_mut() {
            Some(Piece::Chunk(chunk)) if chunk.buffer.capacity() <= SMALL_CHUNK => {
                chunk.end = 0;
                true
            }
            _ => false,
        }
    }

    /// The first part of the next message, without taking it.
    #[inline]
    pub(crate) fn first_body(&self) -> Option<&[u8]> {
        if self.messages > 0
            && let Some(Piece::Chunk(chunk)) = self.pieces.front()
            && let Some((_, len)) = short_frame(chunk.bytes(), self.head)
        {
            let at = self.head + 2;
            return chunk.bytes().get(at..at + len);
        }
        self.peek().next().map(|(body, _)| body)
    }

    /// The parts of the next message, without taking them.
    pub(crate) fn peek(&self) -> Peek<'_> {
        Peek { queue: self, piece: 0, at: self.head, done: self.messages == 0 }
    }

    /// The connection broke: forget the message that did not arrive in full.
    pub(crate) fn forget_incomplete(&mut self) -> Vec<Frame> {
        let mut excess = std::mem::take(&mut self.incomplete);
        let mut released = Vec::new();
        while excess > 0 {
            let Some(last) = self.pieces.back_mut() else { break };
            let len = last.wire_len();
            match last {
                Piece::Chunk(chunk) if len > excess => {
                    chunk.end = len - excess;
                    self.bytes -= excess;
                    break;
                }
                _ => {
                    self.bytes -= len;
                    excess -= len;
                }
            }
            if let Some(Piece::Large { body, .. }) = self.pieces.pop_back() {
                released.push(body);
            }
        }
        released
    }

    /// Empties the queue; large bodies are to be dropped once the lock is released.
    pub(crate) fn clear(&mut self) -> Vec<Frame> {
        let pieces = std::mem::take(self).pieces;
        let large = |piece| match piece {
            Piece::Large { body, .. } => Some(body),
            Piece::Chunk(_) => None,
        };
        pieces.into_iter().filter_map(large).collect()
    }
}

/// Whether the frame at `at` has more behind it, and its length, if it is a data frame in the short
/// form.
#[inline]
fn short_frame(bytes: &[u8], at: usize) -> Option<(bool, usize)> {
    match bytes.get(at..)? {
        [flags @ (0 | 1), length, ..] => Some((*flags == 1, usize::from(*length))),
        _ => None,
    }
}

/// Walks over the parts of the first message.
#[derive(Debug)]
pub(crate) struct Peek<'a> {
    queue: &'a InQueue,
    piece: usize,
    at: usize,
    done: bool,
}

impl<'a> Iterator for Peek<'a> {
    type Item = (&'a [u8], bool);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            let chunk = match self.queue.pieces.get(self.piece)? {
                Piece::Chunk(chunk) => chunk,
                Piece::Large { more, body } => {
                    self.next_piece();
                    self.done = !more;
                    return Some((body, *more));
                }
            };
            let Some(header) = FrameHeader::parse(chunk.bytes().get(self.at..)?).ok()? else {
                self.next_piece();
                continue;
            };
            let body = self.at + header.header_len;
            self.at = body + usize::try_from(header.body_len).ok()?;
            if !header.command {
                self.done = !header.more;
                return Some((chunk.bytes().get(body..self.at)?, header.more));
            }
        }
        None
    }
}

impl Peek<'_> {
    fn next_piece(&mut self) {
        self.piece += 1;
        self.at = 0;
    }
}
