//! Messages for many peers at once, encoded and kept once for all of them.
//!
//! While messages follow each other to the same peers, they are gathered here. They become a run that the peers' queues
//! share as soon as anybody else looks at the pipes, a message goes elsewhere, the run is long, or one of the peers has
//! no more room. All of it goes to each of the peers: a slow one holds on to nothing that is not for it.

use super::buffers::SEGMENT_SIZE;
use super::out_queue::OutQueue;
use super::parts::{Parts, REFERENCE_FROM};
use super::segment::Segment;
use super::{Pipe, PipeId, Pipes};
use crate::message::Frame;

/// Fewer peers get a copy each.
const MANY: usize = 9;
/// Less than this is copied to what each peer has queued already: writing it by itself would cost more.
const SHARED_FROM: usize = 8 * 1024;

/// What is gathered, and for whom.
#[derive(Debug, Default)]
pub(super) struct FanOut {
    targets: Vec<PipeId>,
    segment: Segment,
    /// Bytes of the bodies in it.
    body_bytes: u64,
    /// Messages that each of the targets has room for beside these.
    room: usize,
}

impl FanOut {
    fn push(&mut self, parts: Parts<'_>) {
        self.segment.push_message(parts);
        self.body_bytes += parts.body_bytes() as u64;
        self.room -= 1;
    }

    fn is_full(&self) -> bool {
        self.room == 0 || self.segment.remaining() >= SEGMENT_SIZE
    }
}

impl Pipe {
    /// How many messages more may be queued, for a pipe to another process.
    fn wire_room(&self) -> usize {
        match self.send_hwm {
            _ if self.lane.is_some() || self.conflate || self.dead || self.closing => 0,
            0 => usize::MAX,
            mark => mark.saturating_sub(self.outgoing.messages()),
        }
    }
}

impl Pipes {
    /// Queues a message for all of these peers, or leaves that to the caller: they are few, or not all have room, or
    /// it is a message whose body need not be copied.
    pub(crate) fn offer_to_all(&mut self, targets: &[PipeId], parts: Parts<'_>) -> bool {
        if targets.is_empty() {
            return true;
        }
        let small = parts.body_bytes() < REFERENCE_FROM;
        if self.fan_out.segment.messages() == 0 || self.fan_out.targets != targets || !small {
            self.settle();
            if targets.len() < MANY || !small || !self.gather_for(targets) {
                return false;
            }
        }
        self.fan_out.push(parts);
        if self.fan_out.is_full() {
            self.settle();
        }
        true
    }

    /// Begins to gather. False if any of the targets has no room.
    fn gather_for(&mut self, targets: &[PipeId]) -> bool {
        let room = |id: &PipeId| self.slots.get(*id).map_or(0, Pipe::wire_room);
        let Some(least) = targets.iter().map(room).min().filter(|least| *least > 0) else {
            return false;
        };
        self.fan_out.room = least;
        self.fan_out.targets.clear();
        self.fan_out.targets.extend_from_slice(targets);
        targets.iter().for_each(|id| self.mark_dirty(*id));
        true
    }

    /// Gives those whom it is for what was gathered.
    #[inline]
    pub(crate) fn settle(&mut self) {
        if self.fan_out.segment.messages() > 0 {
            self.hand_out();
        }
    }

    #[inline(never)]
    fn hand_out(&mut self) {
        let segment = std::mem::take(&mut self.fan_out.segment);
        let (messages, len) = (segment.messages(), segment.remaining());
        let wire = segment.into_wire();
        if len < SHARED_FROM {
            self.for_each_target(messages, |queue| queue.push_wire(&wire, messages));
        } else {
            let run = Frame::from(wire);
            self.for_each_target(messages, |queue| queue.push_run(&run, messages));
        }
    }

    fn for_each_target(&mut self, messages: usize, push: impl Fn(&mut OutQueue)) {
        let Pipes { slots, urgent, fan_out, .. } = self;
        let body_bytes = std::mem::take(&mut fan_out.body_bytes);
        for &id in &fan_out.targets {
            let Some(pipe) = slots.get_mut(id) else { continue };
            push(&mut pipe.outgoing);
            pipe.traffic.messages_sent += messages as u64;
            pipe.traffic.bytes_sent += body_bytes;
            if pipe.outgoing.bytes() >= SEGMENT_SIZE || !pipe.has_wire_room() {
                urgent.push(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PIPES: usize = 12;

    /// The frames that are queued, and what else there is to know of each pipe.
    fn contents(
        pipes: &Pipes,
        ids: &[PipeId],
    ) -> Vec<(Vec<u8>, usize, usize, crate::pipe::Traffic)> {
        let of = |id: &PipeId| {
            let pipe = pipes.get(*id).expect("there");
            let bytes = pipe.outgoing.wire_bytes();
            (bytes, pipe.outgoing.bytes(), pipe.outgoing.messages(), pipe.traffic)
        };
        ids.iter().map(of).collect()
    }

    fn offer_each(pipes: &mut Pipes, targets: &[PipeId], parts: Parts<'_>) {
        for id in targets {
            if !pipes.offer(*id, &[], parts) {
                pipes.count_drop(Some(*id));
            }
        }
    }

    fn pipes(marks: &[usize]) -> (Pipes, Vec<PipeId>) {
        let mut pipes = Pipes::default();
        let ids = marks.iter().map(|mark| pipes.insert(Pipe::new(*mark, 0, 0))).collect();
        (pipes, ids)
    }

    /// Which pipes a message goes to, its length, and whether somebody looks at the pipes behind it.
    fn message() -> impl Strategy<Value = (usize, usize, bool)> {
        let length =
            prop_oneof![8 => 0..300_usize, 2 => 300..5000_usize, 1 => 15_000..20_000_usize];
        (prop_oneof![6 => Just(0), 1 => 1..PIPES], length, proptest::bool::weighted(0.05))
    }

    proptest! {
        #[test]
        fn each_peer_gets_what_it_would_get_by_itself(
            marks in proptest::collection::vec(prop_oneof![2 => Just(0), 1 => 1..60_usize], PIPES),
            messages in proptest::collection::vec(message(), 0..150),
        ) {
            let (mut one, ids) = pipes(&marks);
            let (mut other, others) = pipes(&marks);
            for (n, (first, length, look)) in messages.into_iter().enumerate() {
                let (targets, body) = (&ids[first..], vec![n as u8; length]);
                let frames = [Frame::copy_from(&body), Frame::copy_from(b"end")];
                let parts = if n % 5 == 0 || length >= REFERENCE_FROM {
                    Parts::Frames(&frames)
                } else {
                    Parts::Slice(&body)
                };
                if !one.offer_to_all(targets, parts) {
                    offer_each(&mut one, targets, parts);
                }
                offer_each(&mut other, &others[first..], parts);
                if look {
                    one.settle();
                    prop_assert_eq!(contents(&one, &ids), contents(&other, &others));
                }
            }
            one.settle();
            prop_assert_eq!(contents(&one, &ids), contents(&other, &others));
            one.dirty.sort_unstable();
            other.dirty.sort_unstable();
            prop_assert_eq!(one.dirty, other.dirty);
        }
    }

    #[test]
    fn what_many_get_is_kept_once() {
        let (mut pipes, ids) = pipes(&[0; 100]);
        for _ in 0..1000 {
            assert!(pipes.offer_to_all(&ids, Parts::Slice(&[7; 64])));
        }
        pipes.settle();
        let segments: Vec<_> =
            ids.iter().filter_map(|id| pipes.get_mut(*id)?.outgoing.take_segment()).collect();
        assert!(segments.iter().all(|segment| segment.remaining() == 66_000));
        let starts: Vec<_> =
            segments.iter().map(|segment| segment.slices(66_000)[0].as_ptr()).collect();
        assert!(starts.len() == 100 && starts.iter().all(|start| *start == starts[0]));
    }

    #[test]
    fn a_run_that_was_begun_is_sent_again_from_the_next_message_on() {
        let (mut pipes, ids) = pipes(&[0; 10]);
        let (one, other) = (Parts::Slice(&[1; 64]), Parts::Slice(&[2; 64]));
        for _ in 0..2 {
            pipes.push(ids[0], &[], other);
            (0..200).for_each(|_| assert!(pipes.offer_to_all(&ids, one)));
            pipes.settle();
        }
        let queue = &mut pipes.get_mut(ids[0]).expect("there").outgoing;
        let mut segment = queue.take_segment().expect("queued");
        assert_eq!(segment.frames().count(), 402);
        segment.advance(201 * 66 + 1);
        queue.put_back(segment);
        // What is left of the first run is gone with the message that was begun, which is not of it.
        assert!(queue.rewind().is_some());
        assert_eq!((queue.messages(), queue.wire_bytes().len()), (200, 200 * 66));
        assert!(queue.wire_bytes()[2..].starts_with(&[1; 64]));
    }

    #[test]
    fn a_full_peer_has_the_others_served_one_by_one() {
        let (mut pipes, ids) = pipes(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        let mut gathered = 0;
        for _ in 0..5 {
            gathered += usize::from(pipes.offer_to_all(&ids, Parts::Slice(b"x")));
        }
        assert_eq!(gathered, 2);
        // No longer than until its last place is taken.
        assert_eq!(pipes.urgent, [ids[9]]);
    }
}
