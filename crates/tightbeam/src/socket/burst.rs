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
//! After a burst of 512 messages, which is a stream in portions, 2 sends in a row begin the next.
//!
//! A burst wakes the I/O thread. After one that followed soon after another it looks on for a while, so that the next ones wake it
//! no more: who answers many peers makes a burst for each group of answers.
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
/// A burst of so many messages is a stream: the next one is, too, as soon as so many are in a row.
const STREAM: u64 = 512;
const SHORT_RUN: u32 = 2;
/// The most that it takes after bursts that gathered nothing: answers to many peers, of which each waits for its own.
const LONG_RUN: u32 = 256;

/// Fewer sends between two looks than this are not worth gathering: each can be written by itself.
const FEW: u64 = 32;

/// Bursts of which one ends and the next begins within this time follow each other.
const SOON: Duration = Duration::from_micros(400);
/// After bursts that follow each other, so many looks in a row that find none are the last, until one begins.
const QUIET_LOOKS: u8 = 4;

/// Whether a send should write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// At once.
    Now,
    /// Later; this is the first of a burst.
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
    /// Sends since the last look, and before it.
    news: u64,
    gathered: u64,
    /// Something was written since the last look.
    written: bool,
    /// The I/O thread looks.
    watched: bool,
    /// When a look ended a burst last.
    ended: Option<Instant>,
    /// The last burst began soon after.
    recurs: bool,
    /// Looks in a row that found no burst.
    quiet: u8,
}

impl Default for Burst {
    fn default() -> Burst {
        Burst {
            going_on: false,
            run: 0,
            begins_after: RUN,
            last: None,
            news: 0,
            gathered: 0,
            written: false,
            watched: false,
            ended: None,
            recurs: false,
            quiet: 0,
        }
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
        self.recurs = self.ended.is_some_and(|ended| now.saturating_duration_since(ended) < SOON);
        When::BurstBegins
    }

    /// A burst begins. True if the I/O thread must be told, for it does not look.
    pub(crate) fn watch(&mut self) -> bool {
        !std::mem::replace(&mut self.watched, true)
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
            self.begins_after = (2 * self.begins_after).min(LONG_RUN);
            self.end();
        }
    }

    fn end(&mut self) {
        let Burst { begins_after, watched, recurs, .. } = *self;
        *self = Burst { begins_after, watched, recurs, ..Burst::default() };
    }

    /// The I/O thread looks.
    pub(crate) fn look(&mut self, now: Instant) -> Look {
        let news = std::mem::take(&mut self.news);
        let written = std::mem::take(&mut self.written);
        if !self.going_on {
            self.quiet += 1;
            return self.look_on(Look::Quiet);
        }
        self.gathered += news;
        if news >= FEW {
            return if written { Look::Steady } else { Look::Stale };
        }
        let was_a_stream = self.gathered >= STREAM;
        self.begins_after = if was_a_stream { SHORT_RUN } else { self.begins_after.max(RUN) };
        self.end();
        self.ended = Some(now);
        self.look_on(Look::Over)
    }

    /// What there was to see, or that it was seen for the last time.
    fn look_on(&mut self, seen: Look) -> Look {
        self.watched = self.recurs && self.quiet < QUIET_LOOKS;
        if self.watched { seen } else { Look::Last }
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
        let look = burst.look(Instant::now());
        assert_eq!(look, Look::Last, "a look that finds few sends ends it");
        assert_eq!(sends_until_it_begins(&mut burst), RUN);
    }

    #[test]
    fn after_a_stream_the_next_burst_begins_sooner() {
        let mut burst = Burst::default();
        let mut next_after = |messages: u64| {
            sends_until_it_begins(&mut burst);
            (1..messages).for_each(|_| assert!(burst.gathers(1)));
            while !matches!(burst.look(Instant::now()), Look::Last) {}
            sends_until_it_begins(&mut burst)
        };
        assert_eq!(next_after(STREAM - 1), RUN);
        assert_eq!(next_after(STREAM), SHORT_RUN);
        assert_eq!(next_after(1), RUN);
    }

    /// Begins a burst at this time. True if the I/O thread is told.
    fn begin(burst: &mut Burst, at: Instant) -> bool {
        burst.last = Some(at);
        burst.run = burst.begins_after;
        assert_eq!(burst.on_single_send(at), When::BurstBegins);
        burst.watch()
    }

    #[test]
    fn after_bursts_that_follow_each_other_the_io_thread_looks_on_and_is_not_told() {
        let mut burst = Burst::default();
        let mut now = Instant::now();
        assert!(begin(&mut burst, now), "the first");
        assert_eq!(burst.look(now), Look::Last);
        assert!(begin(&mut burst, now + SOON / 2), "the first that follows");
        for quiet in [1, QUIET_LOOKS - 1] {
            now += SOON;
            assert_eq!(burst.look(now), Look::Over);
            (0..quiet).for_each(|_| assert_eq!(burst.look(now), Look::Quiet));
            assert!(!begin(&mut burst, now + SOON / 2), "one that follows");
        }
        assert_eq!(burst.look(now), Look::Over);
        (1..QUIET_LOOKS).for_each(|_| assert_eq!(burst.look(now), Look::Quiet));
        assert_eq!(burst.look(now), Look::Last);
        assert!(begin(&mut burst, now + SOON), "one that comes later");
        assert_eq!(burst.look(now + SOON), Look::Last);
    }
}
