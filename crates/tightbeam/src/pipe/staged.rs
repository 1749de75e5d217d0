//! The first parts of a message, as long as the last one has not come.

use std::iter;

use zmtp::{Frames, encode_header};

use super::parts::{Parts, Wire};
use crate::message::Frame;
use crate::sys;

/// Parts of up to so many bytes are copied, as they go over the wire.
pub(crate) const SHORT: usize = 1024;
/// Bytes of copied parts: what comes behind them is kept as it is.
const MOST_COPIED: usize = 16 * 1024;

/// See the module. Its memory is kept for the next message.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    /// Short parts in wire form, each with more behind it.
    wire: Vec<u8>,
    /// How many they are, and the bytes of their bodies.
    in_wire: usize,
    body_bytes: usize,
    /// The parts from the first one on that is long.
    frames: Vec<Frame>,
}

impl Staged {
    pub(crate) fn len(&self) -> usize {
        self.in_wire + self.frames.len()
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.in_wire == 0 && self.frames.is_empty()
    }

    /// Keeps a part that is short, unless a long one stands before it.
    #[inline]
    pub(crate) fn push_copy(&mut self, body: &[u8]) -> bool {
        let has_room = body.len() <= SHORT && self.wire.len() < MOST_COPIED;
        if !has_room || !self.frames.is_empty() {
            return false;
        }
        let short = u8::try_from(body.len());
        if !short.is_ok_and(|len| sys::append_within(&mut self.wire, [1, len], body)) {
            let mut header = [0; 9];
            let n = encode_header(true, false, body.len() as u64, &mut header);
            self.wire.extend_from_slice(&header[..n]);
            self.wire.extend_from_slice(body);
        }
        self.in_wire += 1;
        self.body_bytes += body.len();
        true
    }

    /// Keeps a part.
    pub(crate) fn push(&mut self, frame: &Frame) {
        if !self.push_copy(frame) {
            self.frames.push(frame.clone());
        }
    }

    /// The message with its last part, if all of them are short.
    #[inline]
    pub(crate) fn with<'a>(&'a self, last: Parts<'a>) -> Option<Parts<'a>> {
        if !self.frames.is_empty() {
            return None;
        }
        let last = match last {
            Parts::Slice(body) => body,
            Parts::Frames([frame]) if frame.len() <= SHORT => frame,
            _ => return None,
        };
        let (count, body_bytes) = (self.in_wire, self.body_bytes);
        Some(Parts::Wire(Wire { front: &self.wire, count, body_bytes, last }))
    }

    /// The message with its last parts, whatever they are.
    pub(crate) fn and(&self, last: Parts<'_>) -> Vec<Frame> {
        let copied = Frames::new(&self.wire).map(|(_, body)| Frame::copy_from(body));
        let mut all: Vec<Frame> = copied.chain(self.frames.iter().cloned()).collect();
        match last {
            Parts::Frames(frames) => all.extend_from_slice(frames),
            _ => all.extend(iter::once(Frame::copy_from(last.first()))),
        }
        all
    }

    /// Forgets all parts. Bodies are to be dropped once the lock is released.
    pub(crate) fn clear(&mut self) -> impl Iterator<Item = Frame> {
        self.wire.clear();
        (self.in_wire, self.body_bytes) = (0, 0);
        self.frames.drain(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(parts: Parts<'_>) -> Vec<Vec<u8>> {
        let each = iter::successors(Some(parts), |parts| Some(parts.rest()));
        each.take(parts.len()).map(|parts| parts.first().to_vec()).collect()
    }

    #[test]
    fn a_message_is_the_same_however_its_parts_are_kept() {
        let lengths = [0, 1, 255, 256, SHORT, 3, SHORT + 1, 5, 20_000, 0];
        for count in 1..=lengths.len() {
            let parts: Vec<Vec<u8>> =
                lengths[..count].iter().enumerate().map(|(n, len)| vec![n as u8; *len]).collect();
            let mut staged = Staged::default();
            for part in &parts[..count - 1] {
                staged.push(&Frame::copy_from(part));
            }
            assert_eq!((staged.len(), staged.is_empty()), (count - 1, count == 1));
            let last = [Frame::copy_from(&parts[count - 1])];
            let all = staged.and(Parts::Frames(&last));
            assert!(all.iter().map(|frame| &frame[..]).eq(&parts));
            let Some(short) = staged.with(Parts::Frames(&last)) else {
                assert!(count > 6, "only the seventh is long");
                continue;
            };
            assert_eq!(bodies(short), parts);
            assert_eq!(short.body_bytes(), parts.iter().map(Vec::len).sum::<usize>());
            assert_eq!(short.last().first(), parts[count - 1]);
            assert_eq!(staged.clear().count(), 0);
            assert!(staged.is_empty());
        }
    }

    #[test]
    fn what_is_copied_is_bounded() {
        let mut staged = Staged::default();
        (0..1000).for_each(|_| staged.push(&Frame::copy_from(&[7; SHORT])));
        assert!(staged.wire.len() <= MOST_COPIED + SHORT + 9);
        assert_eq!(staged.and(Parts::Slice(b"end")).len(), 1001);
    }
}
