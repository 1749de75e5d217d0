//! Messages on their way to one peer, in wire form.
//!
//! The queue is made of segments. A segment is an arena of canonical frames (ZMTP 2.0 and later),
//! with large bodies and runs of frames for several peers referenced from where they lie. Where
//! messages end is not stored: the frames say it, and only a broken connection has to ask.

use std::collections::VecDeque;
use std::io::IoSlice;

use zmtp::{FrameHeader, encode_header};

use super::buffers::{self, BUFFER_SIZE};
use super::parts::{CACHE_LINE, Outgoing, Parts, REFERENCE_FROM};
use crate::message::{Frame, OutOfMemory};
use crate::sys;

/// Arenas up to this size stay with the pipe between messages.
const SMALL_ARENA: usize = 512;
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
    messages: usize,
}

impl Segment {
    fn with_arena(arena: Vec<u8>) -> Segment {
        Segment { arena, ..Segment::default() }
    }

    fn is_full(&self) -> bool {
        self.len >= BUFFER_SIZE || self.bodies.len() >= MAX_SLICES / 2
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
        self.messages
    }

    /// Appends a message whose bodies are all copied.
    #[inline(never)]
    pub(super) fn push_message(&mut self, parts: Parts<'_>) {
        match parts {
            Parts::Slice(body) | Parts::Lent(body) => self.push_part(false, body, None),
            Parts::Frames(frames) => {
                let last = frames.len().saturating_sub(1);
                for (i, frame) in frames.iter().enumerate() {
                    self.push_part(i < last, frame, None);
                }
            }
        }
        self.messages += 1;
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

    /// The unwritten bytes of a segment that has nothing but a message with this lent body.
    pub(crate) fn lent_slices<'a>(&'a self, body: &'a [u8]) -> [IoSlice<'a>; 2] {
        let head = self.written.min(self.arena.len());
        [IoSlice::new(&self.arena[head..]), IoSlice::new(&body[self.written - head..])]
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

    /// The single slice of a segment without references.
    pub(crate) fn as_single(&self) -> Option<&[u8]> {
        self.bodies.is_empty().then(|| &self.arena[self.written..])
    }

    /// Calls `f` with each run of unwritten bytes, in order.
    fn for_each_slice<'a>(&'a self, mut f: impl FnMut(&'a [u8])) {
        // What is gone was written.
        let mut skip = self.written - self.gone;
        let mut emit = |bytes: &'a [u8]| {
            let from = skip.min(bytes.len());
            skip -= from;
            if from < bytes.len() {
                f(&bytes[from..]);
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

    /// The unwritten bytes as slices for a gather write.
    pub(crate) fn slices(&self) -> Vec<IoSlice<'_>> {
        let mut slices = Vec::with_capacity(2 * self.bodies.len() + 1);
        self.for_each_slice(|bytes| slices.push(IoSlice::new(bytes)));
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
    fn keep_unwritten(&mut self) -> Option<Segment> {
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
                rest.messages += usize::from(!header.more);
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

    fn into_arena(mut self) -> Vec<u8> {
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

/// Messages queued for one peer.
#[derive(Debug, Default)]
pub(crate) struct OutQueue {
    segments: VecDeque<Segment>,
    /// Messages not yet written in full, those in a writer's hands included.
    messages: usize,
    /// Bytes queued, without those in a writer's hands.
    bytes: usize,
    spare: Vec<u8>,
    /// The body of the next message is [borrowed](OutQueue::borrow).
    borrows: bool,
}

impl OutQueue {
    /// Messages not yet handed to the kernel in full.
    pub(crate) fn messages(&self) -> usize {
        self.messages
    }

    /// Bytes waiting to be taken by a writer.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// All that is queued, as it goes over the wire.
    #[cfg(test)]
    pub(super) fn wire_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for segment in &self.segments {
            segment.for_each_slice(|slice| bytes.extend_from_slice(slice));
        }
        bytes
    }

    /// Whether a writer would find something.
    pub(crate) fn has_output(&self) -> bool {
        !self.segments.is_empty()
    }

    /// The next message, if its part is [lent](Parts::Lent), is not copied: whoever pushes it
    /// [takes it out](OutQueue::take_borrowed) before the lock is released, and writes the body or
    /// [pays it back](Segment::pay_back). There must be no output.
    pub(crate) fn borrow(&mut self) {
        self.borrows = true;
    }

    /// Takes out the message that was borrowed, for a writer, if it was; nothing is borrowed from here on.
    pub(crate) fn take_borrowed(&mut self) -> Option<Segment> {
        if std::mem::take(&mut self.borrows) { None } else { self.take_segment() }
    }

    /// Appends a whole message: frames that are in wire form already, then `parts`.
    #[inline(always)]
    pub(crate) fn push<'a>(&mut self, prefix: &[u8], parts: impl Outgoing<'a>) {
        // Nearly every message is short, and goes where the one before it went.
        let short = match parts.slice() {
            Some(body) if prefix.is_empty() => self.push_short(body),
            _ => false,
        };
        if !short {
            self.push_other(prefix, parts.parts());
        }
    }

    /// Appends a message of one part of up to 255 bytes. False if the last segment has no room for it.
    #[inline(always)]
    fn push_short(&mut self, body: &[u8]) -> bool {
        let (Ok(len), Some(segment)) = (u8::try_from(body.len()), self.segments.back_mut()) else {
            return false;
        };
        let bytes = 2 + body.len();
        if segment.is_full() || segment.arena.capacity() - segment.arena.len() < bytes {
            return false;
        }
        segment.arena.extend_from_slice(&[0, len]);
        segment.arena.extend_from_slice(body);
        segment.len += bytes;
        segment.messages += 1;
        self.messages += 1;
        self.bytes += bytes;
        true
    }

    /// The same for any other message.
    #[inline(never)]
    fn push_other(&mut self, prefix: &[u8], parts: Parts<'_>) {
        let segment = Self::open_segment(&mut self.segments, &mut self.spare);
        let before = segment.len;
        if !prefix.is_empty() {
            segment.arena.extend_from_slice(prefix);
            segment.len += prefix.len();
        }
        match parts {
            Parts::Slice(body) => segment.push_part(false, body, None),
            Parts::Lent(body) if std::mem::take(&mut self.borrows) => segment.push_lent(body.len()),
            Parts::Lent(body) => segment.push_part(false, body, None),
            Parts::Frames(frames) => {
                let last = frames.len().saturating_sub(1);
                for (i, frame) in frames.iter().enumerate() {
                    let shared = (!frame.is_inline()).then_some(frame);
                    segment.push_part(i < last, frame, shared);
                }
            }
        }
        segment.messages += 1;
        self.messages += 1;
        self.bytes += segment.len - before;
    }

    /// Others get messages before this peer gets the next one: until then the processor may fetch the memory that it
    /// will be written to, for which stores would wait.
    #[inline(always)]
    pub(crate) fn expect_more(&self) {
        if let Some(Segment { arena, .. }) = self.segments.back() {
            sys::prefetch_for_writing(arena.as_ptr_range().end.wrapping_add(CACHE_LINE));
        }
    }

    /// Appends whole messages that are in wire form already.
    pub(super) fn push_wire(&mut self, wire: &[u8], messages: usize) {
        let segment = Self::open_segment(&mut self.segments, &mut self.spare);
        segment.arena.extend_from_slice(wire);
        self.count_run(wire.len(), messages);
    }

    /// The same, and they stay where they are.
    pub(super) fn push_run(&mut self, run: &Frame, messages: usize) {
        let segment = Self::open_segment(&mut self.segments, &mut self.spare);
        segment.bodies.push((segment.arena.len(), run.clone()));
        self.count_run(run.len(), messages);
    }

    fn count_run(&mut self, bytes: usize, messages: usize) {
        if let Some(segment) = self.segments.back_mut() {
            segment.len += bytes;
            segment.messages += messages;
        }
        self.messages += messages;
        self.bytes += bytes;
    }

    #[inline(always)]
    fn open_segment<'a>(
        segments: &'a mut VecDeque<Segment>,
        spare: &mut Vec<u8>,
    ) -> &'a mut Segment {
        if segments.back().is_none_or(Segment::is_full) {
            let mut arena = std::mem::take(spare);
            if arena.capacity() == 0 || !segments.is_empty() {
                arena = buffers::take_arena().unwrap_or(arena);
                arena.clear();
            }
            segments.push_back(Segment::with_arena(arena));
        }
        // Pushed just now if it was empty.
        let last = segments.len() - 1;
        &mut segments[last]
    }

    /// Drops the messages of which nothing was written, and begins a new segment. What is answered is to be
    /// dropped once the lock is released.
    pub(crate) fn drop_unwritten(&mut self) -> VecDeque<Segment> {
        let begun = self.segments.front().is_some_and(Segment::is_begun);
        let unwritten = self.segments.split_off(usize::from(begun));
        for segment in &unwritten {
            self.messages -= segment.messages;
            self.bytes -= segment.remaining();
        }
        self.segments.push_back(Segment::default());
        unwritten
    }

    /// Takes what a writer should write next; it comes back through [`OutQueue::put_back`] or
    /// [`OutQueue::written`].
    pub(crate) fn take_segment(&mut self) -> Option<Segment> {
        let segment = self.segments.pop_front()?;
        self.bytes -= segment.remaining();
        Some(segment)
    }

    /// A writer could not finish the segment.
    pub(crate) fn put_back(&mut self, segment: Segment) {
        self.bytes += segment.remaining();
        self.segments.push_front(segment);
    }

    /// A writer finished the segment. The bodies it referenced are answered, to be dropped once
    /// the lock is released.
    pub(crate) fn written(&mut self, mut segment: Segment) -> Vec<(usize, Frame)> {
        self.messages -= segment.messages;
        let bodies = std::mem::take(&mut segment.bodies);
        let arena = segment.into_arena();
        if arena.capacity() <= SMALL_ARENA && self.spare.capacity() == 0 {
            self.spare = arena;
        } else {
            buffers::give_arena(arena);
        }
        bodies
    }

    /// The connection broke: forget the message that was partly written, keep the rest. What is
    /// answered is to be dropped once the lock is released.
    pub(crate) fn rewind(&mut self) -> Option<Segment> {
        let first = self.segments.front_mut()?;
        let (bytes, messages) = (first.remaining(), first.messages);
        let begun = first.keep_unwritten();
        self.bytes = self.bytes - bytes + first.remaining();
        self.messages -= messages - first.messages;
        if first.messages == 0 {
            self.segments.pop_front();
        }
        begun
    }

    /// Empties the queue; its contents are to be dropped once the lock is released.
    pub(crate) fn clear(&mut self) -> VecDeque<Segment> {
        self.messages = 0;
        self.bytes = 0;
        std::mem::take(&mut self.segments)
    }
}
