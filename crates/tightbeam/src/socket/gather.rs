//! Waiting a moment for more, where messages of this process come in a stream.
//!
//! A receiver that is quicker than its sender uses up what there is after a few messages. If it looked for more at once, both
//! would spend their time on the lane's lock; if it slept, the sender would on waking it, which costs as much as a hundred
//! messages. So where the last ones came in numbers, it first lets the next ones gather; the sender need not call it
//! meanwhile. Where that brings nothing it is tried more and more seldom.

use std::time::{Duration, Instant};

use super::core::Core;
use super::flush;
use super::guard::Guard;
use super::state::State;
use crate::error::Result;
use crate::sys;

/// How long it waits.
const MOMENT: Duration = Duration::from_micros(4);
/// So many messages at once are a stream, for which it is worth waiting...
const FEW: usize = 4;
/// ... and so many are enough: there may be as many already.
const MANY: usize = 128;
/// After so many vain attempts in a row it rests no longer than before: 2 to the power of it.
const MOST_VAIN: u32 = 10;

/// What earlier attempts have shown.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    /// How many messages were there the last time that there were any.
    found: usize,
    /// Attempts that brought nothing, since one that did.
    vain: u32,
    /// So many times more it is not tried.
    rest: u32,
}

impl Gather {
    fn is_worth_it(&self) -> bool {
        (FEW..MANY).contains(&self.found) && self.rest == 0
    }

    fn looked(&mut self, found: usize) {
        if found > 0 {
            self.found = found;
        }
        self.rest = self.rest.saturating_sub(1);
    }

    fn waited(&mut self, found: usize) {
        if found > 0 {
            self.vain = 0;
        } else {
            self.vain = (self.vain + 1).min(MOST_VAIN);
            self.rest = 1 << self.vain;
        }
    }
}

impl State {
    /// Looks into lanes that count on it, unless something may [gather](Core::gather) there first. Whoever waits after this
    /// must [settle](State::settle_dry) them.
    #[inline(always)]
    pub(super) fn look_into_dry(&mut self) {
        if !self.pipes.dry.is_empty() && !self.gather.is_worth_it() {
            self.refill_dry();
        }
    }

    /// Looks into lanes that count on it. Where there is nothing, the sender will call.
    #[inline(always)]
    pub(super) fn settle_dry(&mut self) {
        if !self.pipes.dry.is_empty() {
            self.refill_dry();
        }
    }

    /// Answers how many messages were there.
    #[inline(never)]
    fn refill_dry(&mut self) -> usize {
        let mut found = 0;
        while let Some(id) = self.pipes.dry.pop() {
            found += self.take_local(id);
        }
        self.gather.looked(found);
        found
    }
}

impl Core {
    /// Lets messages gather for a moment, if that is worth it; afterwards senders call again.
    pub(super) fn gather<'a>(&'a self, mut guard: Guard<'a>) -> Result<Guard<'a>> {
        let network = self.reactor.get().is_some();
        if network || !guard.gather.is_worth_it() || !sys::has_several_processors() {
            guard.settle_dry();
            return Ok(guard);
        }
        drop(guard);
        flush::all_of_this_thread();
        let start = Instant::now();
        while start.elapsed() < MOMENT {
            for _ in 0..8 {
                std::hint::spin_loop();
            }
        }
        let mut guard = self.lock()?;
        let found = guard.refill_dry();
        guard.gather.waited(found);
        Ok(guard)
    }
}
