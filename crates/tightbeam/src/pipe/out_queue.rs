//! Messages on their way to one peer, in wire form, in segments.

use std::collections::VecDeque;

use super::buffers;
use super::parts::{Outgoing, Parts};
use super::segment::Segment;
use crate::message::Frame;

/// Arenas up to this size stay with the pipe between messages.
const SMALL_ARENA: usize = 512;

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
            segment
                .slices(segment.remaining())
                .iter()
                .for_each(|slice| bytes.extend_from_slice(slice));
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
        let last = self.segments.back_mut();
        let Some(bytes) = last.and_then(|segment| segment.push_short(body)) else { return false };
        self.messages += 1;
        self.bytes += bytes;
        true
    }

    /// The same for any other message.
    #[inline(never)]
    fn push_other(&mut self, prefix: &[u8], parts: Parts<'_>) {
        let lent = matches!(parts, Parts::Lent(_)) && std::mem::take(&mut self.borrows);
        let segment = Self::open_segment(&mut self.segments, &mut self.spare);
        self.bytes += segment.push(prefix, parts, lent);
        self.messages += 1;
    }

    /// Others get messages before this peer gets the next one: until then the processor may fetch the memory that it
    /// will be written to, for which stores would wait.
    #[inline(always)]
    pub(crate) fn expect_more(&self) {
        if let Some(segment) = self.segments.back() {
            segment.expect_more();
        }
    }

    /// Appends whole messages that are in wire form already.
    pub(super) fn push_wire(&mut self, wire: &[u8], messages: usize) {
        let segment = Self::open_segment(&mut self.segments, &mut self.spare);
        segment.push_wire(wire, messages);
        self.messages += messages;
        self.bytes += wire.len();
    }

    /// The same, and they stay where they are.
    pub(super) fn push_run(&mut self, run: &Frame, messages: usize) {
        let segment = Self::open_segment(&mut self.segments, &mut self.spare);
        segment.push_run(run, messages);
        self.messages += messages;
        self.bytes += run.len();
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
            self.messages -= segment.messages();
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
        self.messages -= segment.messages();
        let bodies = segment.take_bodies();
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
        let (bytes, messages) = (first.remaining(), first.messages());
        let begun = first.keep_unwritten();
        self.bytes = self.bytes - bytes + first.remaining();
        self.messages -= messages - first.messages();
        if first.messages() == 0 {
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
