//! Parts that are sent one by one: they wait until the last one comes, and leave with it as one message.

use super::core::Core;
use super::guard::Guard;
use super::state::State;
use super::transfer::copy_of;
use super::wait::Timing;
use crate::error::Result;
use crate::message::Frame;
use crate::pattern::Refusal;
use crate::pipe::{Parts, SHORT};
use crate::reactor::waiters::Interest;
use crate::sys::Locked;

impl Core {
    /// Sends the next part of a message; the last one sends them all.
    pub(crate) fn send_part(
        &self,
        frame: &Frame,
        more: bool,
        timing: Option<Timing>,
    ) -> Result<()> {
        let frames = std::slice::from_ref(frame);
        if !more {
            return self.send(frames, timing);
        }
        self.check_lengths(frames)?;
        self.stage(Parts::Frames(frames), timing)
    }

    /// The same with a part that is copied.
    #[inline]
    pub(crate) fn send_slice_part(
        &self,
        body: &[u8],
        more: bool,
        timing: Option<Timing>,
    ) -> Result<()> {
        if !more {
            return self.send_slice(body, timing);
        }
        if body.len() > SHORT || body.len() > self.max_part {
            return self.send_part(&copy_of(body)?, true, timing);
        }
        self.stage(Parts::Slice(body), timing)
    }

    fn stage(&self, part: Parts<'_>, timing: Option<Timing>) -> Result<()> {
        let mut state = self.acquire(timing == Some(Timing::TryLock))?;
        if !state.staged.is_empty() {
            if state.pattern.sends_in_two(&state.options) {
                return self.send_behind(state, part, timing);
            }
        } else if let Err(refusal) = state.admit_first(part) {
            return self.wait_to_stage(Guard::new(self, state), refusal, part, timing);
        }
        let staged = state.stage(part);
        if state.has_put_off() {
            drop(Guard::new(self, state));
        }
        staged
    }

    #[cold]
    fn wait_to_stage<'a>(
        &'a self,
        guard: Guard<'a>,
        refusal: Refusal,
        part: Parts<'_>,
        timing: Option<Timing>,
    ) -> Result<()> {
        if !matches!(refusal, Refusal::WouldBlock(_)) {
            return Err(refusal.into_error(part));
        }
        let timing = timing.unwrap_or_else(|| guard.options.sndtimeo.into());
        let ((), mut guard) = self.block_on(guard, Interest::Send, timing, |guard| {
            guard.admit_first(part).map_err(|refusal| refusal.into_error(part))
        })?;
        guard.stage(part)
    }

    /// Sends the last parts of a message, behind those that are staged.
    #[inline(never)]
    pub(super) fn send_behind(
        &self,
        mut state: Locked<'_, State>,
        last: Parts<'_>,
        timing: Option<Timing>,
    ) -> Result<()> {
        match state.offer_behind(last) {
            Ok(bytes) if state.is_done_with_message(bytes) => Ok(()),
            Ok(bytes) => {
                self.after_send(Guard::new(self, state), bytes);
                Ok(())
            }
            Err(Refusal::WouldBlock(_)) => {
                self.wait_to_send_behind(Guard::new(self, state), last, timing)
            }
            Err(refusal) => {
                drop(Guard::new(self, state));
                Err(refusal.into_error(last))
            }
        }
    }

    #[cold]
    fn wait_to_send_behind<'a>(
        &'a self,
        mut guard: Guard<'a>,
        last: Parts<'_>,
        timing: Option<Timing>,
    ) -> Result<()> {
        let timing = timing.unwrap_or_else(|| guard.options.sndtimeo.into());
        if !timing.waits() {
            self.settle_events(&mut guard);
        }
        let attempt = |guard: &mut Guard<'_>| {
            guard.offer_behind(last).map_err(|refusal| refusal.into_error(last))
        };
        let (bytes, guard) = self.block_on(guard, Interest::Send, timing, attempt)?;
        self.after_send(guard, bytes);
        Ok(())
    }
}

impl State {
    /// Whether a message that begins with this part finds room: asked with the first one, so that the last one is not refused.
    #[inline]
    fn admit_first(&mut self, first: Parts<'_>) -> Result<(), Refusal> {
        let State { pattern, pipes, options, .. } = self;
        if options.xpub_nodrop {
            // Only then does a publisher look at its queues.
            pipes.settle();
        }
        pattern.admit(pipes, first.first(), options)
    }

    /// Keeps a part until the last one comes.
    #[inline]
    fn stage(&mut self, part: Parts<'_>) -> Result<()> {
        // One more has to follow.
        self.check_count(2)?;
        match part {
            Parts::Frames([frame]) => self.staged.push(frame),
            _ if self.staged.push_copy(part.first()) => {}
            _ => self.staged.push(&copy_of(part.first())?),
        }
        Ok(())
    }

    /// Queues what is staged and the last parts of its message, or says why not. Answers the bytes of their bodies.
    fn offer_behind(&mut self, last: Parts<'_>) -> Result<usize, Refusal> {
        let mut staged = std::mem::take(&mut self.staged);
        let all;
        let parts = match staged.with(last) {
            Some(parts) => parts,
            None => {
                all = staged.and(last);
                Parts::Frames(&all)
            }
        };
        let offered = match self.offer(parts) {
            // The peer was there when the first part was admitted, and has left since.
            Err(Refusal::Unroutable) if !staged.is_empty() => {
                self.pipes.count_drop(None);
                Ok(0)
            }
            offered => offered.map(|()| parts.body_bytes()),
        };
        // After a malformed message, too, the next part begins another: trying the last one again cannot help.
        if matches!(offered, Ok(_) | Err(Refusal::Malformed(_))) {
            self.pipes.released.extend(staged.clear());
        }
        self.staged = staged;
        offered
    }
}
