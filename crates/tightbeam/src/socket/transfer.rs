//! Sending and receiving, whole messages and part by part.

use super::core::Core;
use super::state::{Guard, State};
use super::wait::Timing;
use crate::error::{Error, Result};
use crate::message::{Frame, Message};
use crate::pattern::Received;
use crate::pipe::{Body, Parts, REFERENCE_FROM};
use crate::reactor::waiters::Interest;

const NOTHING_TO_RECEIVE: Error = Error::WouldBlock("no message has arrived");
/// Receives after which a receiver asks the kernel for news, so that a full queue from one peer does
/// not hide the others.
const ASK_AFTER: u32 = 100;

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
    fn lock_for(&self, timing: Timing) -> Result<Guard<'_>> {
        if timing == Timing::TryLock { self.try_lock() } else { self.lock() }
    }

    /// Sends a whole message; staged parts go before it. The caller keeps what is refused.
    pub(crate) fn send(&self, frames: &[Frame], timing: Option<Timing>) -> Result<()> {
        if frames.is_empty() {
            return Err(Error::BadMessage("a message has at least one part"));
        }
        let guard = self.lock_for(timing.unwrap_or(Timing::Forever))?;
        if guard.staged.is_empty() {
            return self.send_parts(guard, Parts::Frames(frames), timing);
        }
        let mut all = guard.staged.clone();
        all.extend_from_slice(frames);
        drop(guard);
        self.send_staged(&all, timing)
    }

    /// Sends a message of one part, copied from `body`.
    pub(crate) fn send_slice(&self, body: &[u8], timing: Option<Timing>) -> Result<()> {
        if body.len() >= REFERENCE_FROM {
            return self.send(&[Frame::copy_from(body)], timing);
        }
        let guard = self.lock_for(timing.unwrap_or(Timing::Forever))?;
        if guard.staged.is_empty() {
            return self.send_parts(guard, Parts::Slice(body), timing);
        }
        drop(guard);
        self.send(&[Frame::copy_from(body)], timing)
    }

    /// Sends the next part of a message; the last one sends them all.
    pub(crate) fn send_part(
        &self,
        frame: &Frame,
        more: bool,
        timing: Option<Timing>,
    ) -> Result<()> {
        if !more {
            return self.send(std::slice::from_ref(frame), timing);
        }
        let guard = self.lock_for(timing.unwrap_or(Timing::Forever))?;
        if !guard.staged.is_empty() {
            return self.stage(guard, frame);
        }
        // Whether there is room is asked with the first part, so that the last one is not refused.
        let timing = timing.unwrap_or_else(|| guard.options.sndtimeo.into());
        let ((), guard) = self.block_on(guard, Interest::Send, timing, |guard| {
            let State { pattern, pipes, options, .. } = &mut **guard;
            pattern.admit(pipes, options)
        })?;
        self.stage(guard, frame)
    }

    fn stage(&self, mut guard: Guard<'_>, frame: &Frame) -> Result<()> {
        if guard.staged.len() + 1 >= guard.options.max_frames {
            return Err(Error::BadMessage("the message has more parts than peers accept"));
        }
        guard.staged.push(frame.clone());
        Ok(())
    }

    fn send_staged(&self, all: &[Frame], timing: Option<Timing>) -> Result<()> {
        let guard = self.lock_for(timing.unwrap_or(Timing::Forever))?;
        let timing = timing.unwrap_or_else(|| guard.options.sndtimeo.into());
        let ((), mut guard) = self.block_on(guard, Interest::Send, timing, |guard| {
            let State { pattern, pipes, options, .. } = &mut **guard;
            pattern.send(pipes, Parts::Frames(all), options)
        })?;
        let staged = std::mem::take(&mut guard.staged);
        guard.pipes.released.extend(staged);
        self.after_send(guard);
        Ok(())
    }

    #[inline]
    fn send_parts(
        &self,
        guard: Guard<'_>,
        parts: Parts<'_>,
        timing: Option<Timing>,
    ) -> Result<()> {
        let timing = timing.unwrap_or_else(|| guard.options.sndtimeo.into());
        let ((), guard) = self.block_on(guard, Interest::Send, timing, |guard| {
            let State { pattern, pipes, options, .. } = &mut **guard;
            pattern.send(pipes, parts, options)
        })?;
        self.after_send(guard);
        Ok(())
    }

    /// Receives a whole message, or the parts of one that are left.
    pub(crate) fn recv(&self, timing: Option<Timing>) -> Result<Message> {
        self.receive(timing, |state| {
            let mut frame = state.take_part()?;
            if !frame.more() {
                return Ok(Message::from(frame));
            }
            let mut message = Message::new();
            while frame.more() {
                message.push(frame);
                frame = state.take_part()?;
            }
            message.push(frame);
            Ok(message)
        })
    }

    /// Receives the next part.
    pub(crate) fn recv_part(&self, timing: Option<Timing>) -> Result<Frame> {
        self.receive(timing, State::take_part)
    }

    /// Receives the next part into the caller's buffer.
    pub(crate) fn recv_into(&self, buffer: &mut [u8], timing: Option<Timing>) -> Result<Copied> {
        self.receive(timing, |state| {
            state.with_part(|part| {
                let bytes = part.body.as_slice();
                let n = bytes.len().min(buffer.len());
                buffer[..n].copy_from_slice(&bytes[..n]);
                Copied { len: bytes.len(), more: part.more }
            })
        })
    }

    fn receive<R>(
        &self,
        timing: Option<Timing>,
        mut take: impl FnMut(&mut State) -> Result<R>,
    ) -> Result<R> {
        let guard = self.lock_for(timing.unwrap_or(Timing::Forever))?;
        let timing = timing.unwrap_or_else(|| guard.options.rcvtimeo.into());
        let (received, mut guard) =
            self.block_on(guard, Interest::Receive, timing, |guard| take(guard))?;
        guard.unasked += 1;
        if guard.unasked >= ASK_AFTER {
            guard.unasked = 0;
            drop(guard);
            self.glance();
        }
        Ok(received)
    }
}

impl State {
    /// Takes the next part and shows it to `f`; what it lies in is let go afterwards.
    #[inline]
    fn with_part<R>(&mut self, f: impl FnOnce(&Received<'_>) -> R) -> Result<R> {
        let State { pattern, pipes, .. } = self;
        let Some(received) = pattern.recv(pipes)? else { return Err(NOTHING_TO_RECEIVE) };
        let result = f(&received);
        let (pipe, more) = (received.pipe, received.more);
        if let Body::Frame(frame) = received.body {
            pipes.released.push(frame);
        }
        self.more = more;
        if let Some(pipe) = pipe {
            self.after_recv(pipe);
        }
        Ok(result)
    }

    fn take_part(&mut self) -> Result<Frame> {
        let State { pattern, pipes, .. } = self;
        let Some(received) = pattern.recv(pipes)? else { return Err(NOTHING_TO_RECEIVE) };
        let (pipe, more) = (received.pipe, received.more);
        let mut frame = received.body.into_frame();
        frame.set_more(more);
        self.more = more;
        if let Some(pipe) = pipe {
            frame.set_peer(self.pipes.get(pipe).and_then(|pipe| pipe.peer.clone()));
            self.after_recv(pipe);
        }
        Ok(frame)
    }
}
