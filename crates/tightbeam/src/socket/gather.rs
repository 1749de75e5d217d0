//! What a receiver does before it sleeps, where the last message of a socket of this process was received: it comes back to look
//! for the next ones, so that the sender need not call it. Calling and waking costs the sender as much as a hundred messages.
//!
//! * Where the last ones came in numbers, it lets some gather for a moment. A receiver that is quicker than its sender would
//!   otherwise look for each few messages, and both would spend their time on the lane's lock.
//! * Where they came one by one, it lets other threads have its processor, once: on the same one, that is where the peer works
//!   on its answer.
//!
//! What brings nothing, or takes long, is tried more and more seldom.

use std::thread;
use std::time::{Duration, Instant};

use super::attempts::Attempts;
use super::core::Core;
use super::flush;
use super::guard::Guard;
use super::state::State;
use crate::error::Result;
use crate::sys;

/// How long messages may gather.
const MOMENT: Duration = Duration::from_micros(4);
/// So many messages at once are a stream, for which it is worth waiting...
const FEW: usize = 4;
/// ... and so many are enough: there may be as many already.
const MANY: usize = 128;
/// If the processor comes back later, others than the peer had it, too.
const LONG: Duration = Duration::from_micros(50);
/// What that counts as in vain attempts.
const COST_OF_LONG: u32 = 3;

/// What to do before sleeping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Gather,
    Yield,
    Nothing,
}

/// What earlier attempts have shown.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    /// How many messages were there the last time that a look found any.
    found: usize,
    gathering: Attempts,
    yielding: Attempts,
}

impl Gather {
    fn way(&self) -> Way {
        match self.found {
            0..FEW if self.yielding.are_due() => Way::Yield,
            FEW..MANY if self.gathering.are_due() && sys::has_several_processors() => Way::Gather,
            _ => Way::Nothing,
        }
    }

    fn looked(&mut self, found: usize) {
        if found > 0 {
            self.found = found;
        }
        self.gathering.pass();
        self.yielding.pass();
    }

    fn tried(&mut self, way: Way, took: Duration, found: usize) {
        let attempts = match way {
            Way::Gather => &mut self.gathering,
            Way::Yield if took > LONG => return self.yielding.was_vain(COST_OF_LONG),
            Way::Yield => &mut self.yielding,
            Way::Nothing => return,
        };
        match found {
            0 => attempts.was_vain(1),
            _ => attempts.was_worth_it(),
        }
    }
}

impl State {
    /// Looks into lanes that count on it, if nothing is to gather there first. Whoever waits after this must
    /// [settle](State::settle_dry) them.
    #[inline(always)]
    pub(super) fn look_into_dry(&mut self) {
        if !self.pipes.dry.is_empty() {
            self.begin_to_look();
        }
    }

    #[inline(never)]
    fn begin_to_look(&mut self) {
        let State { pattern, pipes, gather, .. } = self;
        match gather.way() {
            // While there are others to receive from, this one is to have its turn among them.
            Way::Gather if pattern.can_recv(pipes) => drop(self.refill_dry(false)),
            Way::Gather => {}
            Way::Yield => drop(self.refill_dry(true)),
            Way::Nothing => drop(self.refill_dry(false)),
        }
    }

    /// Looks into lanes that count on it. Where there is nothing, the sender will call.
    #[inline(always)]
    pub(super) fn settle_dry(&mut self) {
        if !self.pipes.dry.is_empty() {
            self.refill_dry(false);
        }
    }

    /// Looks into lanes that count on it; where there is nothing, the sender will call, unless somebody `comes_back`. Answers
    /// how many messages were there.
    #[inline(never)]
    fn refill_dry(&mut self, comes_back: bool) -> usize {
        let mut found = 0;
        for at in (0..self.pipes.dry.len()).rev() {
            let fresh = self.look_for_local(self.pipes.dry[at], comes_back);
            // A call may have filled it meanwhile, and then it may be listed twice.
            if !comes_back || self.pipes.waiting(self.pipes.dry[at]) > 0 {
                self.pipes.dry.swap_remove(at);
            }
            found += fresh;
        }
        self.gather.looked(found);
        found
    }
}

impl Core {
    /// Comes back after a moment to look once more, if that is worth it; afterwards senders call again.
    pub(super) fn gather<'a>(&'a self, mut guard: Guard<'a>) -> Result<Guard<'a>> {
        let way = guard.gather.way();
        // Who waits for connections over the network, too, has other things to do.
        if way == Way::Nothing || self.reactor.get().is_some() {
            guard.settle_dry();
            return Ok(guard);
        }
        drop(guard);
        flush::all_of_this_thread();
        let start = Instant::now();
        if way == Way::Yield {
            thread::yield_now();
        } else {
            while start.elapsed() < MOMENT {
                for _ in 0..8 {
                    std::hint::spin_loop();
                }
            }
        }
        let took = start.elapsed();
        let mut guard = self.lock()?;
        let found = guard.refill_dry(false);
        guard.gather.tried(way, took, found);
        Ok(guard)
    }
}
