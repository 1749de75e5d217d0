//! When bytes leave: at once, or gathered because many sends follow each other.
//!
//! ```text
//!   SINGLE --8 sends in a row, each right behind the last--> BURST
//!     ^                                                        |
//!     +-----a look (every 100 us) that finds few new sends-----+
//!     +-----a flush that finds little more than a message------+
//!           for each peer: then it takes longer to begin again
//! ```
//!
//! In a burst a send only queues; a full segment or the high-water mark is written by the sender,
//! and by the I/O thread's look what nobody has written since the look before. The clock is read for single sends alone, where a system
//! call follows anyway.

use std::time::{Duration, Instant};

use crate::reactor::io_thread::Look;

/// Sends this close to the one before are in a row. The time is what the application spends
/// between two calls: the calls themselves do not count.
const GAP: Duration = Duration::from_micros(3);
/// Messages of so many bytes gain nothing from being gathered.
pub(super) const LARGE: usize = 32 * 1024;
/// So many in a row are a burst.
const RUN: u32 = 8;
/// The most that it takes after bursts that gathered nothing: answers to many peers, of which each waits for its own.
const LONG_RUN: u32 = 256;

/// Fewer sends between two looks than this are not worth gathering: each can be written by itself.
const FEW: u64 = 32;

/// Whether a send should write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// At once.
    Now,
    /// Later; this is the first of a burst, and the I/O thread must be told.
    BurstBegins,
    /// Later.
    Later,
}

/// The sends of one socket.
#[derive(Debug)]
pub(crate) struct Burst {
    going_on: bool,
    run: u32,
    /// So many in a row are the next burst.
    begins_after: u32,
    last: Option<Instant>,
    /// Sends since the last look.
    news: u64,
    /// Something was written since the last look.
    written: bool,
}

impl Default for Burst {
    fn default() -> Burst {
        Burst { going_on: false, run: 0, begins_after: RUN, last: None, news: 0, written: false }
    }
}

impl Burst {
    /// A message of so many bytes was queued.
    pub(crate) fn on_send(&mut self, bytes: usize) -> When {
        if self.gathers(bytes) {
            When::Later
        } else if bytes >= LARGE {
            When::Now
        } else {
            self.on_single_send(Instant::now())
        }
    }

    /// Whether a message of so many bytes that was queued is one of a burst.
    #[inline(always)]
    pub(crate) fn gathers(&mut self, bytes: usize) -> bool {
        let gathered = self.going_on && bytes < LARGE;
        self.news += u64::from(gathered);
        gathered
    }

    fn on_single_send(&mut self, now: Instant) -> When {
        let close = self.last.is_some_and(|last| now.saturating_duration_since(last) < GAP);
        self.run = if close { self.run + 1 } else { 0 };
        if self.run < self.begins_after {
            return When::Now;
        }
        self.going_on = true;
        self.news = 1;
        When::BurstBegins
    }

    /// Whether sends are being gathered.
    pub(crate) fn is_going_on(&self) -> bool {
        self.going_on
    }

    /// Something was written.
    pub(crate) fn on_write(&mut self) {
        if self.going_on {
            self.written = true;
        } else {
            self.last = Some(Instant::now());
        }
    }

    /// So many messages for so many peers are about to be written, on a socket that a task drives. Where that is little more than one for
    /// each, gathering only delays them, and brings the I/O thread in, which looks at bursts.
    pub(crate) fn on_flush(&mut self, messages: usize, peers: usize) {
        if !self.going_on {
            return;
        }
        if messages >= 2 * peers {
            self.begins_after = RUN;
        } else {
            let begins_after = (2 * self.begins_after).min(LONG_RUN);
            *self = Burst { begins_after, ..Burst::default() };
        }
    }

    /// The I/O thread looks.
    pub(crate) fn look(&mut self) -> Look {
        let news = std::mem::take(&mut self.news);
        let written = std::mem::take(&mut self.written);
        if news < FEW {
            *self = Burst { begins_after: self.begins_after, ..Burst::default() };
            Look::Over
        } else if written {
            Look::Steady
        } else {
            Look::Stale
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many sends in a row it takes until a burst begins.
    fn sends_until_it_begins(burst: &mut Burst) -> u32 {
        for n in 1..=2 * LONG_RUN {
            burst.on_write();
            let now = burst.last.expect("something was written");
            if burst.on_single_send(now) == When::BurstBegins {
                return n;
            }
        }
        panic!("no burst begins");
    }

    #[test]
    fn bursts_that_gather_nothing_begin_later_up_to_a_limit() {
        let mut burst = Burst::default();
        let mut expected = RUN;
        while expected < 4 * LONG_RUN {
            assert_eq!(sends_until_it_begins(&mut burst), expected.min(LONG_RUN));
            burst.on_flush(19, 10);
            assert!(!burst.is_going_on());
            expected *= 2;
        }
    }

    #[test]
    fn a_burst_that_gathers_goes_on_and_the_next_begins_soon() {
        let mut burst = Burst::default();
        sends_until_it_begins(&mut burst);
        burst.on_flush(1, 1);
        sends_until_it_begins(&mut burst);
        burst.on_flush(20, 10);
        assert!(burst.is_going_on());
        assert_eq!(burst.look(), Look::Over, "a look that finds few sends ends it");
        assert_eq!(sends_until_it_begins(&mut burst), RUN);
    }
}
