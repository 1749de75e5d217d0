//! Sending and receiving, whole messages and part by part.

use super::core::Core;
use super::guard::Guard;
use super::state::State;
use super::wait::Timing;
use crate::error::{Error, Result};
use crate::message::{Frame, Message};
use crate::pattern::{Pattern, Received, Refusal};
use crate::pipe::{Body, Outgoing, Parts, REFERENCE_FROM};
use crate::reactor::waiters::Interest;

/// Receives after which a receiver asks the kernel for news, so that a full queue from one peer does
/// not hide the others.
const ASK_AFTER: u32 = 100;
/// The same while there is one peer only: new ones may be waiting to be accepted.
const ASK_SELDOM: u32 = 1000;

/// For refusals that have nothing to do with a message.
pub(super) const NO_PARTS: Parts<'_> = Parts::Slice(&[]);

/// What was copied to the caller's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// Length of the part in bytes. If the buffer was shorter, the rest is lost.
    pub len: usize,
    /// Whether more parts of the same message follow.
    pub more: bool,
}

impl Core {
    #[inline]
    pub(super) fn lock_for(&self, timing: Option<Timing>) -> Result<Guard<'_>> {
        let mut state = self.acquire(timing == Some(Timing::TryLock))?;
        state.pipes.settle();
        Ok(Guard::new(self, state))
    }

    /// Sends a whole message; staged parts go before it. The caller keeps what is refused.
    pub(crate) fn send(&self, frames: &[Frame], timing: Option<Timing>) -> Result<()> {
        if frames.is_empty() {
            return Err(Error::BadMessage("a message has at least one part"));
        }
        self.check_lengths(frames)?;
        let mut state = self.acquire(timing == Some(Timing::TryLock))?;
        if frames.len() > 1 {
            state.check_count(frames.len())?;
        }
        if state.staged.is_empty() {
            let parts = Parts::Frames(frames);
            return match state.offer(parts) {
                Ok(()) if state.is_done_with_message(parts.body_bytes()) => Ok(()),
                offered => self.after_offer(Guard::new(self, state), offered, parts, timing),
            };
        }
        self.send_behind(state, Parts::Frames(frames), timing)
    }

    /// The context may limit what is sent.
    #[inline]
    pub(super) fn check_lengths(&self, frames: &[Frame]) -> Result<()> {
        let most = self.max_part;
        match frames.iter().find(|frame| frame.len() > most) {
            Some(frame) => Err(Error::TooLong { size: frame.len(), most }),
            None => Ok(()),
        }
    }

    /// Sends a message of one part, copied from `body`.
    pub(crate) fn send_slice(&self, body: &[u8], timing: Option<Timing>) -> Result<()> {
        if body.len() >= REFERENCE_FROM || body.len() > self.max_part {
            return self.send_large_slice(body, timing);
        }
        let mut state = self.acquire(timing == Some(Timing::TryLock))?;
        if state.staged.is_empty() {
            return match state.offer(body) {
                Ok(()) if state.is_done_with_message(body.len()) => Ok(()),
                offered => {
                    let guard = Guard::new(self, state);
                    self.after_offer(guard, offered, Parts::Slice(body), timing)
                }
            };
        }
        self.send_behind(state, Parts::Slice(body), timing)
    }

    /// What follows the first attempt, if there is anything to do.
    #[inline(never)]
    fn after_offer(
        &self,
        guard: Guard<'_>,
        offered: Result<(), Refusal>,
        parts: Parts<'_>,
        timing: Option<Timing>,
    ) -> Result<()> {
        match offered {
            Ok(()) => {
                self.after_send(guard, parts.body_bytes());
                Ok(())
            }
            Err(Refusal::WouldBlock(_)) => self.wait_to_send(guard, parts, timing),
            Err(refusal) => Err(refusal.into_error(parts)),
        }
    }

    #[cold]
    fn wait_to_send<'a>(
        &'a self,
        mut guard: Guard<'a>,
        parts: Parts<'_>,
        timing: Option<Timing>,
    ) -> Result<()> {
        let timing = timing.unwrap_or_else(|| guard.options.sndtimeo.into());
        if !timing.waits() {
            self.settle_events(&mut guard);
        }
        let attempt =
            |guard: &mut Guard<'_>| guard.offer(parts).map_err(|refusal| refusal.into_error(parts));
        let ((), guard) = self.block_on(guard, Interest::Send, timing, attempt)?;
        self.after_send(guard, parts.body_bytes());
        Ok(())
    }

    /// Receives a whole message, or the parts of one that are left.
    pub(crate) fn recv(&self, timing: Option<Timing>) -> Result<Message> {
        self.receive(timing, take_message)
    }

    /// Receives the next part.
    pub(crate) fn recv_part(&self, timing: Option<Timing>) -> Result<Frame> {
        self.receive(timing, State::take_part)
    }

    /// Receives the next part into the caller's buffer.
    pub(crate) fn recv_into(&self, buffer: &mut [u8], timing: Option<Timing>) -> Result<Copied> {
        let mut copy = |part: &Received<'_>| {
            let bytes = part.body.as_slice();
            let n = bytes.len().min(buffer.len());
            buffer[..n].copy_from_slice(&bytes[..n]);
            Copied { len: bytes.len(), more: part.more }
        };
        let mut state = self.acquire(timing == Some(Timing::TryLock))?;
        state.look_into_dry();
        match state.with_part(&mut copy) {
            Ok(copied) if state.is_done_with_part() => Ok(copied),
            taken => {
                let guard = Guard::new(self, state);
                self.after_take(guard, taken, timing, |state| state.with_part(&mut copy))
            }
        }
    }

    #[inline]
    fn receive<R>(
        &self,
        timing: Option<Timing>,
        mut take: impl FnMut(&mut State) -> Result<R, Refusal>,
    ) -> Result<R> {
        let mut state = self.acquire(timing == Some(Timing::TryLock))?;
        state.look_into_dry();
        match take(&mut state) {
            Ok(received) if state.is_done_with_part() => Ok(received),
            taken => self.after_take(Guard::new(self, state), taken, timing, take),
        }
    }

    /// What follows the first attempt, if there is anything to do.
    #[inline(never)]
    fn after_take<'a, R>(
        &'a self,
        mut guard: Guard<'a>,
        taken: Result<R, Refusal>,
        timing: Option<Timing>,
        take: impl FnMut(&mut State) -> Result<R, Refusal>,
    ) -> Result<R> {
        let resumed = guard.resume_skipped();
        match taken {
            Err(Refusal::WouldBlock(why)) => {
                self.wait_to_receive(guard, (!resumed).then_some(why), timing, take)
            }
            Err(refusal) => Err(refusal.into_error(NO_PARTS)),
            Ok(received) => {
                if guard.count_unasked() {
                    drop(guard);
                    self.glance();
                }
                Ok(received)
            }
        }
    }

    /// Receives a message that is here already; the kernel is not asked whether there is one.
    pub(crate) fn recv_queued(&self) -> Result<Option<Message>> {
        let mut guard = self.lock()?;
        guard.settle_dry();
        let taken = take_message(&mut guard);
        guard.resume_skipped();
        match taken {
            Ok(message) => {
                if guard.count_unasked() {
                    drop(guard);
                    self.glance();
                }
                Ok(Some(message))
            }
            // Not now, not in turn, or never.
            Err(_) => Ok(None),
        }
    }

    /// Whether the next send finds room; if not, why: [`Error::WouldBlock`] if it is worth waiting.
    #[cfg(feature = "futures")]
    pub(super) fn room_for_one(&self) -> Result<()> {
        let mut guard = self.lock()?;
        if guard.pattern.can_send(&guard.pipes, &guard.options) {
            return Ok(());
        }
        let State { pattern, pipes, options, .. } = &mut *guard;
        match pattern.admit(pipes, &[], options) {
            Err(refusal) => Err(refusal.into_error(NO_PARTS)),
            Ok(()) => Err(Error::WouldBlock("no peer has room for a message")),
        }
    }

    /// Whether the next send finds room, as far as the socket can tell without the message.
    pub(crate) fn has_room(&self) -> Result<bool> {
        let guard = self.lock()?;
        Ok(guard.pattern.can_send(&guard.pipes, &guard.options))
    }

    /// `refused` says why, if an attempt under this guard has just found nothing.
    #[cold]
    fn wait_to_receive<'a, R>(
        &'a self,
        mut guard: Guard<'a>,
        mut refused: Option<&'static str>,
        timing: Option<Timing>,
        mut take: impl FnMut(&mut State) -> Result<R, Refusal>,
    ) -> Result<R> {
        let timing = timing.unwrap_or_else(|| guard.options.rcvtimeo.into());
        if !timing.waits() && timing != Timing::TryLock {
            // Nobody else asks the kernel while the callers have claimed the socket.
            drop(guard);
            self.glance();
            guard = self.lock()?;
            refused = None;
        }
        if !timing.waits() {
            self.settle_events(&mut guard);
        }
        if timing.waits() && !guard.pipes.dry.is_empty() {
            guard = self.gather(guard)?;
            refused = None;
        }
        let (received, mut guard) = self.block_on(guard, Interest::Receive, timing, |guard| {
            if let Some(why) = refused.take() {
                return Err(Error::WouldBlock(why));
            }
            guard.take_settled(&mut take).map_err(|refusal| refusal.into_error(NO_PARTS))
        })?;
        if guard.count_unasked() {
            drop(guard);
            self.glance();
        }
        Ok(received)
    }
}

/// Takes a whole message, or the parts of one that are left.
#[inline]
pub(super) fn take_message(state: &mut State) -> Result<Message, Refusal> {
    let frame = state.take_part()?;
    if frame.more() { take_rest(state, frame) } else { Ok(Message::from(frame)) }
}

/// Takes what follows a part.
pub(super) fn take_rest(state: &mut State, mut frame: Frame) -> Result<Message, Refusal> {
    let mut message = Message::new();
    while frame.more() {
        message.push(frame);
        frame = state.take_part()?;
    }
    message.push(frame);
    Ok(message)
}

impl State {
    /// Takes what there is, behind what is passed over.
    pub(super) fn take_settled<R>(
        &mut self,
        mut take: impl FnMut(&mut State) -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        self.settle_dry();
        let mut taken = take(self);
        while self.resume_skipped() && matches!(taken, Err(Refusal::WouldBlock(_))) {
            self.settle_dry();
            taken = take(self);
        }
        taken
    }

    /// A message of so many bytes was queued: whether nothing follows from it.
    #[inline(always)]
    pub(super) fn is_done_with_message(&mut self, bytes: usize) -> bool {
        !self.has_put_off() && self.needs_no_write(bytes)
    }

    /// A part was received: whether nothing follows from it. Then it is counted.
    #[inline(always)]
    pub(super) fn is_done_with_part(&mut self) -> bool {
        let done = self.unasked + 1 < self.ask_after()
            && self.pipes.skipped.is_empty()
            && !self.has_put_off();
        self.unasked += u32::from(done);
        done
    }

    /// A part was received. True after many: the kernel is to be asked for news.
    pub(super) fn count_unasked(&mut self) -> bool {
        self.unasked += 1;
        let ask = self.unasked >= self.ask_after();
        if ask {
            self.unasked = 0;
        }
        ask
    }

    #[inline(always)]
    fn ask_after(&self) -> u32 {
        if self.pipes.len() > 1 { ASK_AFTER } else { ASK_SELDOM }
    }

    /// Refuses what peers would refuse with the connection: the parts that are staged and so many more.
    pub(super) fn check_count(&self, parts: usize) -> Result<()> {
        let most = self.options.max_frames;
        let most = match self.pattern {
            // The routing id stays here.
            Pattern::Router(_) | Pattern::Stream(_) => most.saturating_add(1),
            // A delimiter goes in front, and maybe the number of the request.
            Pattern::Req(_) => most.saturating_sub(1 + usize::from(self.options.req_correlate)),
            _ => most,
        };
        if self.staged.len() + parts <= most {
            return Ok(());
        }
        Err(Error::BadMessage("the message has more parts than peers accept"))
    }

    /// Queues a message, or says why not.
    #[inline(always)]
    pub(super) fn offer<'a>(&mut self, parts: impl Outgoing<'a>) -> Result<(), Refusal> {
        let State { pattern, pipes, options, .. } = self;
        pattern.send(pipes, parts, options)?;
        match self.pattern {
            Pattern::XSub(_) => self.send_on(parts.parts()),
            _ => self.turn_changed(),
        }
        Ok(())
    }

    /// Where sending and receiving take turns, those who only look are told of each. Where a message
    /// may end a connection, that is done once the lock is released.
    #[inline(always)]
    fn turn_changed(&mut self) {
        match self.pattern {
            Pattern::Req(_) | Pattern::Rep(_) if !self.waiters.is_empty() => {
                self.waiters.notify(Interest::Observe, 0);
            }
            Pattern::Router(_) | Pattern::Stream(_) if !self.pipes.hung_up.is_empty() => {
                self.defer_hang_ups();
            }
            _ => {}
        }
    }

    #[cold]
    fn defer_hang_ups(&mut self) {
        let State { pipes, deferred, .. } = self;
        deferred.hung_up.append(&mut pipes.hung_up);
    }

    /// Takes the next part and shows it to `f`; what it lies in is let go afterwards.
    #[inline(always)]
    fn with_part<R>(&mut self, f: impl FnOnce(&Received<'_>) -> R) -> Result<R, Refusal> {
        let State { pattern, pipes, .. } = self;
        let received = pattern.recv(pipes)?;
        let result = f(&received);
        let (pipe, more, quiet) = (received.pipe, received.more, received.quiet);
        if let Body::Frame(frame) = received.body {
            let unused = std::mem::take(frame);
            pipes.released.push(unused);
        }
        self.more = more;
        if !quiet {
            self.after_recv(pipe);
        }
        self.turn_changed();
        Ok(result)
    }

    pub(super) fn take_part(&mut self) -> Result<Frame, Refusal> {
        let State { pattern, pipes, .. } = self;
        let received = pattern.recv(pipes)?;
        let (pipe, more, quiet) = (received.pipe, received.more, received.quiet);
        let mut frame = received.body.into_frame();
        frame.set_more(more);
        self.more = more;
        frame.set_peer(self.pipes.get(pipe).and_then(|pipe| pipe.peer.clone()));
        if !quiet {
            self.after_recv(pipe);
        }
        self.turn_changed();
        Ok(frame)
    }
}

pub(super) fn copy_of(body: &[u8]) -> Result<Frame> {
    Frame::try_copy_from(body).map_err(|_| Error::OutOfMemory(body.len()))
}
