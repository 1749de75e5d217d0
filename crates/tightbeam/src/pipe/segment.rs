//! Segments: runs of whole messages on their way out, in wire form.
//!
//! A segment is an arena of canonical frames (ZMTP 2.0 and later), with large bodies and runs of frames for several
//! peers referenced from where they lie. Where messages end is not stored: the frames say it, and only a broken
//! connection has to ask.

use std::io::IoSlice;

use zmtp::{FrameHeader, encode_header};

use super::buffers::SEGMENT_SIZE;
use super::parts::{CACHE_LINE, Parts, REFERENCE_FROM};
use crate::message::{Frame, OutOfMemory};
use crate::sys;

/// Most slices handed to one gather write.
const MAX_SLICES: usize = 64;

/// A run of whole messages.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    arena: Vec<u8>,
    /// Large bodies, and runs of whole messages, each with the arena offset before which it belongs. A body has
    /// its header in front of that.
    bodies: Vec<(usize, Frame)>,
    /// Bytes that the first body lacks at its start: they were written from the caller's memory.
    gone: usize,
    /// Bytes of the arena and the bodies together.
    len: usize,
    written: usize,
    messages: u32,
    /// Another message like the last one would be too much.
    full: bool,
}

impl Segment {
    pub(super) fn with_arena(arena: Vec<u8>) -> Segment {
        Segment { arena, ..Segment::default() }
    }

    /// Whether the next message begins another segment.
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.full || self.len >= SEGMENT_SIZE
    }

    /// A message or a run was added, by which the length grew since it was `before`.
    fn note_growth(&mut self, before: usize) {
        let like_it = self.len - before;
        self.full = self.len + like_it > SEGMENT_SIZE || self.bodies.len() >= MAX_SLICES / 2;
    }

    #[inline]
    fn push_header(&mut self, more: bool, len: usize) -> usize {
        if let Ok(len) = u8::try_from(len) {
            // A copy of known length needs no call.
            self.arena.extend_from_slice(&[u8::from(more), len]);
            return 2;
        }
        let mut header = [0; 9];
        let n = encode_header(more, false, len as u64, &mut header);
        self.arena.extend_from_slice(&header[..n]);
        n
    }

    /// Whole messages in it.
    pub(super) fn messages(&self) -> usize {
        self.messages as usize
    }

    /// Appends a message of one part of up to 255 bytes, and says how many bytes that took. `None` if it is longer, or
    /// has no room.
    #[inline(always)]
    pub(super) fn push_short(&mut self, body: &[u8]) -> Option<usize> {
        let len = u8::try_from(body.len()).ok()?;
        let bytes = 2 + body.len();
        if self.is_full() || !sys::append_within(&mut self.arena, [0, len], body) {
            return None;
        }
        self.len += bytes;
        self.messages += 1;
        Some(bytes)
    }

    /// Appends a message: frames that are in wire form already, then `parts`, which may be [lent](Parts::Lent); says
    /// how many bytes that took.
    #[inline(always)]
    pub(super) fn push(&mut self, prefix: &[u8], parts: Parts<'_>, lent: bool) -> usize {
        let before = self.len;
        if !prefix.is_empty() {
            self.arena.extend_from_slice(prefix);
            self.len += prefix.len();
        }
        match parts {
            Parts::Lent(body) if lent => self.push_lent(body.len()),
            parts => self.push_parts(parts, true),
        }
        self.messages += 1;
        self.note_growth(before);
        self.len - before
    }

    /// The memory that the next message will be written to is fetched.
    #[inline(always)]
    pub(super) fn expect_more(&self) {
        sys::prefetch_for_writing(self.arena.as_ptr_range().end.wrapping_add(CACHE_LINE));
    }

    /// Appends whole messages that are in wire form already.
    pub(super) fn push_wire(&mut self, wire: &[u8], messages: usize) {
        self.arena.extend_from_slice(wire);
        self.count_run(wire.len(), messages);
    }

    /// The same, and they stay where they are.
    pub(super) fn push_run(&mut self, run: &Frame, messages: usize) {
        self.bodies.push((self.arena.len(), run.clone()));
        self.count_run(run.len(), messages);
    }

    fn count_run(&mut self, bytes: usize, messages: usize) {
        let before = self.len;
        self.len += bytes;
        self.messages += u32::try_from(messages).unwrap_or(u32::MAX);
        self.note_growth(before);
    }

    /// Appends a message whose bodies are all copied.
    #[inline(never)]
    pub(super) fn push_message(&mut self, parts: Parts<'_>) {
        self.push_parts(parts, false);
        self.messages += 1;
    }

    #[inline(always)]
    fn push_parts(&mut self, parts: Parts<'_>, by_reference: bool) {
        match parts {
            Parts::Slice(body) | Parts::Lent(body) => self.push_part(false, body, None),
            Parts::Frames(frames) => {
                let last = frames.len().saturating_sub(1);
                for (i, frame) in frames.iter().enumerate() {
                    let shared = (by_reference && !frame.is_inline()).then_some(frame);
                    self.push_part(i < last, frame, shared);
                }
            }
            Parts::Wire(wire) => {
                self.arena.extend_from_slice(wire.front);
                self.len += wire.front.len();
                self.push_part(false, wire.last, None);
            }
        }
    }

    #[inline(always)]
    fn push_part(&mut self, more: bool, body: &[u8], shared: Option<&Frame>) {
        let n = self.push_header(more, body.len());
        match shared {
            Some(frame) if body.len() >= REFERENCE_FROM => {
                self.bodies.push((self.arena.len(), frame.clone()));
            }
            _ => self.arena.extend_from_slice(body),
        }
        self.len += n + body.len();
    }

    /// A part whose body stays with the caller, who writes it or pays it back.
    fn push_lent(&mut self, len: usize) {
        let n = self.push_header(false, len);
        self.bodies.push((self.arena.len(), Frame::new()));
        self.len += n + len;
    }

    /// The next unwritten bytes, so many, of a segment that has nothing but a message with this lent body.
    pub(crate) fn lent_slices<'a>(&'a self, body: &'a [u8], bytes: usize) -> [IoSlice<'a>; 2] {
        let written = self.written.min(self.arena.len());
        let head = &self.arena[written..];
        let rest = &body[self.written - written..];
        let in_head = bytes.min(head.len());
        [IoSlice::new(&head[..in_head]), IoSlice::new(&rest[..bytes - in_head])]
    }

    /// Keeps a copy of what is not written of such a body. Without memory for it the message counts as
    /// begun, and goes with the connection.
    pub(crate) fn pay_back(&mut self, body: &[u8]) -> Result<(), OutOfMemory> {
        let gone = self.written.saturating_sub(self.arena.len());
        let Some((_, place)) = self.bodies.first_mut() else { return Ok(()) };
        match Frame::try_copy_tail(body, gone) {
            Ok(rest) => {
                (*place, self.gone) = (rest, gone);
                Ok(())
            }
            Err(error) => {
                self.written = self.written.max(1);
                Err(error)
            }
        }
    }

    /// Bytes not yet written.
    pub(crate) fn remaining(&self) -> usize {
        self.len - self.written
    }

    /// Whether a part of it was written.
    pub(crate) fn is_begun(&self) -> bool {
        self.written > 0
    }

    /// Marks bytes as written.
    pub(crate) fn advance(&mut self, n: usize) {
        self.written += n;
    }

    /// The next unwritten bytes, so many, of a segment without references: they lie in one piece.
    pub(crate) fn as_single(&self, bytes: usize) -> Option<&[u8]> {
        self.bodies.is_empty().then(|| &self.arena[self.written..self.written + bytes])
    }

    /// Calls `f` with each run of the next unwritten bytes, so many, in order.
    fn for_each_slice<'a>(&'a self, bytes: usize, mut f: impl FnMut(&'a [u8])) {
        // What is gone was written.
        let mut skip = self.written - self.gone;
        let mut left = bytes;
        let mut emit = |run: &'a [u8]| {
            let from = skip.min(run.len());
            skip -= from;
            let to = run.len().min(from + left);
            left -= to - from;
            if from < to {
                f(&run[from..to]);
            }
        };
        let mut at = 0;
        for (offset, body) in &self.bodies {
            emit(&self.arena[at..*offset]);
            emit(body);
            at = *offset;
        }
        emit(&self.arena[at..]);
    }

    /// The next unwritten bytes, so many, as slices for a gather write.
    pub(crate) fn slices(&self, bytes: usize) -> Vec<IoSlice<'_>> {
        let mut slices = Vec::with_capacity(2 * self.bodies.len() + 1);
        self.for_each_slice(bytes, |run| slices.push(IoSlice::new(run)));
        slices
    }

    /// The frames from the start, whatever was written: header and body of each, or what is left of it.
    pub(crate) fn frames(&self) -> SegmentFrames<'_> {
        self.frames_from(Position::default())
    }

    /// The frames from a position on.
    pub(crate) fn frames_from(&self, position: Position) -> SegmentFrames<'_> {
        SegmentFrames { segment: self, position }
    }

    /// Drops the messages of which any byte was written; what is left is sent again in full. Answers
    /// what it was, to be dropped once the lock is released.
    pub(super) fn keep_unwritten(&mut self) -> Option<Segment> {
        if self.written == 0 {
            return None;
        }
        let mut rest = Segment::default();
        let mut wire = 0;
        let mut fresh = false;
        let mut at_message_start = true;
        for (header, body, shared) in self.frames() {
            if at_message_start {
                fresh = wire >= self.written;
            }
            if fresh {
                rest.push_part(header.more, body, shared);
                rest.messages += u32::from(!header.more);
            }
            at_message_start = !header.more;
            // Not the length of the body, of which a part may be gone: only of one that was begun.
            wire += header.header_len + header.body_len as usize;
        }
        Some(std::mem::replace(self, rest))
    }

    /// The referenced bodies, to be dropped once the lock is released.
    pub(crate) fn into_bodies(self) -> impl Iterator<Item = Frame> {
        self.bodies.into_iter().map(|(_, frame)| frame)
    }

    /// The arena with what is in it, of a segment without references.
    pub(super) fn into_wire(self) -> Vec<u8> {
        self.arena
    }

    /// The same, of a segment that is done with.
    pub(super) fn take_bodies(&mut self) -> Vec<(usize, Frame)> {
        std::mem::take(&mut self.bodies)
    }

    /// The arena, empty.
    pub(super) fn into_arena(mut self) -> Vec<u8> {
        self.arena.clear();
        self.arena
    }
}

/// Where in a segment a frame begins: in the arena, how many bodies and runs outside it come before, and in the
/// next run, if it is there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Position {
    at: usize,
    body: usize,
    in_run: usize,
}

/// Iterates over the frames of a segment.
#[derive(Debug)]
pub(crate) struct SegmentFrames<'a> {
    segment: &'a Segment,
    position: Position,
}

impl SegmentFrames<'_> {
    /// Where the next frame begins.
    pub(crate) fn position(&self) -> Position {
        self.position
    }
}

impl<'a> Iterator for SegmentFrames<'a> {
    type Item = (FrameHeader, &'a [u8], Option<&'a Frame>);

    fn next(&mut self) -> Option<Self::Item> {
        let Position { at, body, in_run } = &mut self.position;
        // A body's offset is behind its header.
        if let Some((offset, run)) = self.segment.bodies.get(*body)
            && *offset == *at
        {
            let header = FrameHeader::parse(run.get(*in_run..)?).ok()??;
            let start = *in_run + header.header_len;
            *in_run = start + usize::try_from(header.body_len).ok()?;
            let frame = run.get(start..*in_run)?;
            if *in_run == run.len() {
                *body += 1;
                *in_run = 0;
            }
            return Some((header, frame, None));
        }
        let header = FrameHeader::parse(&self.segment.arena[*at..]).ok()??;
        *at += header.header_len;
        if let Some((offset, frame)) = self.segment.bodies.get(*body)
            && *offset == *at
        {
            *body += 1;
            return Some((header, frame, Some(frame)));
        }
        let end = *at + usize::try_from(header.body_len).ok()?;
        let body = self.segment.arena.get(*at..end)?;
        *at = end;
        Some((header, body, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(length: usize) -> Segment {
        let mut segment = Segment::default();
        while !segment.is_full() {
            let body = vec![1; length];
            segment.push(&[], Parts::Slice(&body), false);
        }
        segment
    }

    #[test]
    fn a_segment_is_full_before_a_message_like_the_last_one_would_be_too_much() {
        for length in [64, 255, 1024, 8192, 16_000, 60_000, SEGMENT_SIZE - 9] {
            let header = if length < 256 { 2 } else { 9 };
            let segment = filled(length);
            assert_eq!(segment.remaining(), SEGMENT_SIZE / (length + header) * (length + header));
        }
        assert_eq!(filled(SEGMENT_SIZE).messages(), 1);
    }

    #[test]
    fn a_part_of_a_segment_is_given_out_as_it_would_be_in_the_whole() {
        let mut segment = Segment::default();
        let frames = [Frame::from(vec![1; REFERENCE_FROM]), Frame::from(vec![2; REFERENCE_FROM])];
        segment.push(&[], Parts::Frames(&frames), false);
        let bytes = |slices: Vec<IoSlice<'_>>| slices.iter().flat_map(|s| s.to_vec()).collect();
        let whole: Vec<u8> = bytes(segment.slices(segment.remaining()));
        let mut pieces = Vec::new();
        while segment.remaining() > 0 {
            let n = segment.remaining().min(5000);
            let piece: Vec<u8> = bytes(segment.slices(n));
            assert_eq!(piece.len(), n);
            pieces.extend(piece);
            segment.advance(n);
        }
        assert_eq!(pieces, whole);
    }
}
