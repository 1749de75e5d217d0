//! Pipes: the queues between a socket's pattern and one peer.
//!
//! A pattern sees pipes and nothing below them. What it does to them that the engine has to follow
//! up (output to write, room made by receiving) is noted in lists here.

pub(crate) mod buffers;
mod fan_out;
mod in_queue;
mod lane;
mod out_queue;
mod parts;
mod segment;
mod staged;
mod sync;
mod traffic;

use std::sync::Arc;

use slotmap::{SlotMap, new_key_type};

pub(crate) use in_queue::InQueue;
pub(crate) use lane::{LaneEnd, News};
pub(crate) use out_queue::OutQueue;
pub(crate) use parts::{Body, Outgoing, Part, Parts, REFERENCE_FROM};
pub(crate) use segment::{Position, Segment};
pub(crate) use staged::{SHORT, Staged};

pub use traffic::Traffic;

use crate::message::{Frame, Peer};
use fan_out::FanOut;
use lane::Pushed;

new_key_type! {
    /// Names a pipe for as long as it exists; never reused for another.
    pub(crate) struct PipeId;
}

/// Bytes read for each message that may wait: a mark of 1,000 allows full reads.
const TYPICAL_MESSAGE: usize = 128;
/// The least that is worth a system call, in bytes.
const LEAST_READ: usize = 8 * 1024;
/// Bytes that may wait when blocked senders come back.
const RELAXED_BYTES: usize = 1 << 20;

/// The queues to and from one peer.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    pub(crate) incoming: InQueue,
    pub(crate) outgoing: OutQueue,
    /// Messages that may wait to be sent; 0 is no limit.
    pub(crate) send_hwm: usize,
    /// Messages that may wait to be received; 0 is no limit.
    pub(crate) recv_hwm: usize,
    /// Bytes of whole messages that may wait to be received, too.
    pub(crate) recv_bytes: usize,
    /// Who is at the other end, once known.
    pub(crate) peer: Option<Arc<Peer>>,
    /// The peer is gone for good: what it sent may still be received.
    pub(crate) dead: bool,
    /// Its endpoint was unbound or disconnected: what is queued may still be sent, and nothing more passes.
    pub(crate) closing: bool,
    /// Reading stopped at the high-water mark.
    pub(crate) paused: bool,
    /// Listed in [`Pipes::dirty`].
    pub(crate) dirty: bool,
    /// Of what waits only the last message is kept, and of that the last part, in both directions
    /// (CONFLATE). There are no high-water marks.
    pub(crate) conflate: bool,
    pub(crate) traffic: Traffic,
    /// The peer is a socket of this process: messages go into its lane, and `outgoing` stays empty.
    lane: Option<Box<LaneEnd>>,
}

impl Pipe {
    pub(crate) fn new(send_hwm: usize, recv_hwm: usize, recv_bytes: usize) -> Pipe {
        Pipe { send_hwm, recv_hwm, recv_bytes, ..Pipe::default() }
    }

    /// A pipe to a socket of this process.
    pub(crate) fn local(lane: LaneEnd) -> Pipe {
        Pipe { lane: Some(Box::new(lane)), ..Pipe::default() }
    }

    /// Keeps only the last message from here on.
    pub(crate) fn conflate(&mut self) {
        self.conflate = true;
        (self.send_hwm, self.recv_hwm) = (0, 0);
        if let Some(lane) = &self.lane {
            lane.conflate();
        }
    }

    /// Drops all that has arrived but the last part of the last message. Answers the bodies.
    pub(crate) fn conflate_incoming(&mut self) -> Vec<Frame> {
        let mut dropped = Vec::new();
        while self.incoming.messages() > 1 || self.incoming.peek().next().is_some_and(|part| part.1)
        {
            let Some(part) = self.incoming.pop() else { break };
            self.traffic.messages_dropped += u64::from(!part.more);
            if let Body::Frame(frame) = part.body {
                dropped.push(std::mem::take(frame));
            }
        }
        dropped
    }

    /// The way to a peer in this process.
    pub(crate) fn lane(&self) -> Option<&LaneEnd> {
        self.lane.as_deref()
    }

    /// Whether one more message may be queued.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        match &self.lane {
            None => self.has_wire_room(),
            Some(lane) => !self.dead && !self.closing && lane.has_room(),
        }
    }

    /// The same for a peer of another process.
    #[inline]
    fn has_wire_room(&self) -> bool {
        !self.dead
            && !self.closing
            && (self.send_hwm == 0 || self.outgoing.messages() < self.send_hwm)
    }

    /// Messages that wait to be sent, or to be received by a socket of this process.
    pub(crate) fn unsent(&self) -> usize {
        self.lane.as_ref().map_or_else(|| self.outgoing.messages(), |lane| lane.unreceived())
    }

    /// Whether all that was taken out of the lane was received, and nothing else is to be done about it.
    pub(crate) fn is_merely_dry(&self) -> bool {
        let told = self.lane.as_ref().is_none_or(|lane| !lane.has_report());
        told && self.incoming.messages() == 0 && !self.dead && !self.conflate
    }

    /// Messages that wait to be received.
    pub(crate) fn unreceived(&self) -> usize {
        self.incoming.messages() + self.lane.as_ref().map_or(0, |lane| lane.waiting())
    }

    /// Applies the socket's high-water marks.
    pub(crate) fn set_marks(&mut self, send_hwm: usize, recv_hwm: usize) {
        if self.conflate {
            return;
        }
        (self.send_hwm, self.recv_hwm) = (send_hwm, recv_hwm);
        if let Some(lane) = &mut self.lane {
            lane.set_marks(send_hwm, recv_hwm);
        }
    }

    /// Whether senders that wait should come back: half of the mark is free again. Waking them for
    /// every single place would cost a switch of threads for every message.
    pub(crate) fn is_relaxed(&self) -> bool {
        self.send_hwm == 0
            || (self.outgoing.messages() <= self.send_hwm / 2
                && self.outgoing.bytes() <= RELAXED_BYTES)
    }

    /// Whether reading has to stop.
    pub(crate) fn is_full(&self) -> bool {
        let messages = self.incoming.messages();
        (self.recv_hwm != 0 && messages >= self.recv_hwm)
            || (messages > 0 && self.incoming.bytes() >= self.recv_bytes)
    }

    /// The most to read at once: few messages may wait for a small mark, and one read can bring many.
    pub(crate) fn read_limit(&self) -> usize {
        match self.recv_hwm {
            0 => usize::MAX,
            mark => mark.saturating_mul(TYPICAL_MESSAGE).max(LEAST_READ),
        }
    }

    /// Whether reading, once stopped, may go on: half of the mark is free again.
    pub(crate) fn may_resume(&self) -> bool {
        self.may_resume_with(self.incoming.messages())
    }

    /// The same once no more than so many messages are left.
    #[inline]
    fn may_resume_with(&self, messages: usize) -> bool {
        messages == 0
            || ((self.recv_hwm == 0 || messages <= self.recv_hwm / 2)
                && self.incoming.bytes() <= self.recv_bytes / 2)
    }
}

/// All pipes of a socket.
#[derive(Debug, Default)]
pub(crate) struct Pipes {
    slots: SlotMap<PipeId, Pipe>,
    /// Pipes with output that nobody has begun to write.
    pub(crate) dirty: Vec<PipeId>,
    /// Pipes whose output should not wait for more: a full segment, or no room left.
    pub(crate) urgent: Vec<PipeId>,
    /// Pipes from which the pattern dropped messages unasked: reading them may go on.
    pub(crate) skipped: Vec<PipeId>,
    /// Bodies to drop once the lock is released: dropping one may run foreign code.
    pub(crate) released: Vec<Frame>,
    /// Pipes whose messages were all received, and whose lane counts on it that somebody looks into it: a receiver who
    /// comes back, as long as nobody waits.
    pub(crate) dry: Vec<PipeId>,
    /// Pipes whose peer in this process has to be called.
    pub(crate) calls: Vec<PipeId>,
    /// Pipes that the application has ended: their connections are closed once all is written.
    pub(crate) hung_up: Vec<PipeId>,
    /// Messages for many pipes that are not in their queues yet.
    fan_out: FanOut,
    /// What pipes that are gone have carried, and drops that belong to none.
    gone: Traffic,
}

impl Pipes {
    pub(crate) fn insert(&mut self, pipe: Pipe) -> PipeId {
        self.slots.insert(pipe)
    }

    pub(crate) fn get(&self, id: PipeId) -> Option<&Pipe> {
        self.slots.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: PipeId) -> Option<&mut Pipe> {
        self.slots.get_mut(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (PipeId, &Pipe)> {
        self.slots.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Pipe> {
        self.slots.values_mut()
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    #[inline]
    pub(crate) fn has_room(&self, id: PipeId) -> bool {
        self.get(id).is_some_and(Pipe::has_room)
    }

    /// Queues a message for one peer. Admission was checked by the pattern.
    #[inline]
    pub(crate) fn push(&mut self, id: PipeId, prefix: &[u8], parts: Parts<'_>) {
        match self.slots.get_mut(id) {
            Some(pipe) if pipe.lane.is_some() => {
                Self::hand_over(pipe, id, &mut self.calls, &mut self.released, prefix, parts);
            }
            Some(pipe) if pipe.conflate => self.replace(id, parts),
            Some(pipe) => {
                Self::push_to(pipe, id, &mut self.dirty, &mut self.urgent, prefix, parts);
            }
            None => {}
        }
    }

    /// Queues a message for one peer if it has room.
    #[inline(always)]
    pub(crate) fn offer<'a>(
        &mut self,
        id: PipeId,
        prefix: &[u8],
        parts: impl Outgoing<'a>,
    ) -> bool {
        match self.slots.get_mut(id) {
            Some(pipe) if pipe.lane.is_some() => {
                let (calls, released) = (&mut self.calls, &mut self.released);
                Self::hand_over(pipe, id, calls, released, prefix, parts.parts())
            }
            Some(pipe) if pipe.has_wire_room() => {
                if pipe.conflate {
                    self.replace(id, parts.parts());
                    return true;
                }
                Self::push_to(pipe, id, &mut self.dirty, &mut self.urgent, prefix, parts);
                true
            }
            _ => false,
        }
    }

    /// Queues the last part of a message in the place of all that waits.
    #[cold]
    fn replace(&mut self, id: PipeId, parts: Parts<'_>) {
        let Some(pipe) = self.slots.get_mut(id) else { return };
        let queued = pipe.outgoing.messages();
        let unwritten = pipe.outgoing.drop_unwritten();
        pipe.traffic.messages_dropped += (queued - pipe.outgoing.messages()) as u64;
        self.released.extend(unwritten.into_iter().flat_map(Segment::into_bodies));
        Self::push_to(pipe, id, &mut self.dirty, &mut self.urgent, &[], parts.last());
    }

    /// Hands a message to a peer in this process if it has room.
    #[inline(never)]
    fn hand_over(
        pipe: &mut Pipe,
        id: PipeId,
        calls: &mut Vec<PipeId>,
        released: &mut Vec<Frame>,
        prefix: &[u8],
        parts: Parts<'_>,
    ) -> bool {
        let Some(lane) = pipe.lane.as_ref().filter(|_| !pipe.dead && !pipe.closing) else {
            return false;
        };
        match lane.push(prefix, parts) {
            Pushed::Refused => return false,
            Pushed::Quietly => {}
            Pushed::CallReceiver => calls.push(id),
            Pushed::Replaced(mut replaced) => {
                pipe.traffic.messages_dropped += replaced.messages() as u64;
                released.extend(replaced.clear());
                calls.push(id);
            }
        }
        pipe.traffic.messages_sent += 1;
        pipe.traffic.bytes_sent += parts.body_bytes() as u64;
        true
    }

    /// Tells the peer of a pipe, if it is in this process, something beside messages.
    pub(crate) fn tell(&mut self, id: PipeId, news: News) {
        if let Some(lane) = self.slots.get(id).and_then(Pipe::lane) {
            lane.tell(news);
            self.calls.push(id);
        }
    }

    /// Closes the lanes to a peer in this process.
    pub(crate) fn close_lane(&mut self, id: PipeId) {
        if let Some(lane) = self.slots.get(id).and_then(Pipe::lane) {
            lane.close();
            self.calls.push(id);
        }
    }

    /// Takes what a peer in this process has sent, if all that came before was received. Answers the
    /// messages that are new. If there are none, the peer calls for the next one, unless somebody `comes_back`.
    pub(crate) fn refill(&mut self, id: PipeId, comes_back: bool) -> usize {
        let Some(pipe) = self.slots.get_mut(id) else { return 0 };
        let Some(lane) = &mut pipe.lane else { return 0 };
        let before = pipe.incoming.messages();
        let mut stale = None;
        if lane.refill(&mut pipe.incoming, &mut stale, comes_back) {
            self.calls.push(id);
        }
        if let Some(mut stale) = stale {
            pipe.traffic.messages_dropped += stale.messages() as u64;
            self.released.extend(stale.clear());
        }
        if pipe.conflate {
            self.released.extend(pipe.conflate_incoming());
        }
        pipe.incoming.messages().saturating_sub(before)
    }

    /// The pipe's connection has something to write, be it only commands.
    pub(crate) fn mark_dirty(&mut self, id: PipeId) {
        if let Some(pipe) = self.slots.get_mut(id)
            && !std::mem::replace(&mut pipe.dirty, true)
        {
            self.dirty.push(id);
        }
    }

    #[inline(always)]
    fn push_to<'a>(
        pipe: &mut Pipe,
        id: PipeId,
        dirty: &mut Vec<PipeId>,
        urgent: &mut Vec<PipeId>,
        prefix: &[u8],
        parts: impl Outgoing<'a>,
    ) {
        pipe.outgoing.push(prefix, parts);
        pipe.traffic.messages_sent += 1;
        pipe.traffic.bytes_sent += parts.bytes() as u64;
        if !std::mem::replace(&mut pipe.dirty, true) {
            dirty.push(id);
        }
        if dirty.len() > 1 {
            pipe.outgoing.expect_more();
        }
        let full = pipe.send_hwm != 0 && pipe.outgoing.messages() >= pipe.send_hwm;
        if full || pipe.outgoing.bytes() >= buffers::SEGMENT_SIZE {
            urgent.push(id);
        }
    }

    /// Nothing more goes through the pipe than what is queued; then its connection is closed.
    pub(crate) fn hang_up(&mut self, id: PipeId) {
        if let Some(pipe) = self.slots.get_mut(id) {
            pipe.closing = true;
            self.hung_up.push(id);
        }
    }

    /// Counts a message that was not queued for this peer.
    pub(crate) fn count_drop(&mut self, id: Option<PipeId>) {
        let pipe = id.and_then(|id| self.slots.get_mut(id));
        pipe.map_or(&mut self.gone, |pipe| &mut pipe.traffic).messages_dropped += 1;
    }

    /// Takes the next part that the peer sent.
    #[inline(always)]
    pub(crate) fn pop(&mut self, id: PipeId) -> Option<Part<'_>> {
        let pipe = self.slots.get_mut(id)?;
        let left = pipe.incoming.messages().saturating_sub(1);
        let resumes = pipe.paused && pipe.may_resume_with(left);
        let mut part = pipe.incoming.pop()?;
        part.quiet &= !pipe.dead && !resumes;
        if let Some(lane) = &mut pipe.lane
            && !part.more
        {
            part.quiet &= !lane.count_received();
        }
        pipe.traffic.messages_received += u64::from(!part.more);
        pipe.traffic.bytes_received += part.body.as_slice().len() as u64;
        Some(part)
    }

    /// Drops the rest of the message whose first parts were taken, or a whole one.
    pub(crate) fn skip_message(&mut self, id: PipeId) {
        let Some(pipe) = self.slots.get_mut(id) else { return };
        if self.skipped.last() != Some(&id) {
            self.skipped.push(id);
        }
        while let Some(part) = pipe.incoming.pop() {
            let more = part.more;
            if let Body::Frame(frame) = part.body {
                self.released.push(std::mem::take(frame));
            }
            if !more {
                break;
            }
        }
        if let Some(lane) = &mut pipe.lane {
            lane.count_received();
        }
    }

    /// Whole messages that this peer's pipe holds.
    pub(crate) fn waiting(&self, id: PipeId) -> usize {
        self.get(id).map_or(0, |pipe| pipe.incoming.messages())
    }

    /// Messages of this peer that wait to be received, wherever they lie.
    pub(crate) fn unreceived(&self, id: PipeId) -> usize {
        self.get(id).map_or(0, Pipe::unreceived)
    }

    /// Counts a message for the application that the pattern made for this peer.
    pub(crate) fn count_received(&mut self, id: PipeId, bytes: usize) {
        if let Some(pipe) = self.slots.get_mut(id) {
            pipe.traffic.messages_received += 1;
            pipe.traffic.bytes_received += bytes as u64;
        }
    }

    /// What the socket's pipes have carried together.
    pub(crate) fn traffic(&self) -> Traffic {
        let mut all = self.gone;
        for pipe in self.slots.values() {
            all += pipe.traffic;
        }
        all
    }

    /// Removes a pipe; its contents are released once the lock is.
    pub(crate) fn remove(&mut self, id: PipeId) {
        if let Some(mut pipe) = self.slots.remove(id) {
            pipe.traffic.messages_dropped += pipe.outgoing.messages() as u64;
            if let Some(lane) = pipe.lane.take() {
                lane.close();
                self.released.extend(lane.take_rest().clear());
                self.calls.push(id);
            }
            self.gone += pipe.traffic;
            self.released.extend(pipe.incoming.clear());
            for segment in pipe.outgoing.clear() {
                self.released.extend(segment.into_bodies());
            }
            self.dirty.retain(|dirty| *dirty != id);
        }
    }
}
