//! Incoming messages are taken from the peers in turn, one whole message at a time.

use std::collections::VecDeque;

use super::{NOTHING_TO_RECEIVE, Received, Refusal};
use crate::pipe::{PipeId, Pipes};

/// The peers that have a whole message waiting, the next one first.
#[derive(Debug, Default)]
pub(crate) struct FairQueue {
    turn: VecDeque<PipeId>,
}

impl FairQueue {
    /// A pipe that had no message has one now.
    pub(crate) fn readable(&mut self, id: PipeId) {
        debug_assert!(!self.turn.contains(&id), "told twice that a pipe became readable");
        self.turn.push_back(id);
    }

    pub(crate) fn detach(&mut self, id: PipeId) {
        self.turn.retain(|other| *other != id);
    }

    /// The peer whose message comes next.
    pub(crate) fn current(&self) -> Option<PipeId> {
        self.turn.front().copied()
    }

    /// Takes the next part.
    #[inline(always)]
    pub(crate) fn recv<'p>(&mut self, pipes: &'p mut Pipes) -> Result<Received<'p>, Refusal> {
        let id = self.current().ok_or(NOTHING_TO_RECEIVE)?;
        let part = pipes.pop(id).ok_or(NOTHING_TO_RECEIVE)?;
        if !part.more {
            self.finish(part.left > 0);
            if part.left > 0 && self.turn.len() > 1 {
                part.expect_next();
            }
        }
        Ok(Received { pipe: id, body: part.body, more: part.more, quiet: part.quiet })
    }

    /// Drops the rest of the current message, or all of it.
    pub(crate) fn skip(&mut self, pipes: &mut Pipes) {
        let Some(id) = self.current() else { return };
        pipes.skip_message(id);
        self.finish(pipes.waiting(id) > 0);
    }

    /// The current peer's message was taken to its end: the next peer's turn.
    pub(super) fn finish(&mut self, has_more: bool) {
        if !has_more {
            self.turn.pop_front();
        } else if self.turn.len() > 1 {
            self.turn.rotate_left(1);
        }
    }
}
