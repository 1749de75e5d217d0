//! When bytes leave: at once, or gathered because many sends follow each other.
//!
//! ```text
//!   SINGLE --8 sends in a row, each right behind the last--> BURST
//!     ^                                                        |
//!     +-----a look (every 100 us) that finds few new sends-----+
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
#[derive(Debug, Default)]
pub(crate) struct Burst {
    going_on: bool,
    run: u32,
    last: Option<Instant>,
    /// Sends since the last look.
    news: u64,
    /// Something was written since the last look.
    written: bool,
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
        if self.run < RUN {
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

    /// The I/O thread looks.
    pub(crate) fn look(&mut self) -> Look {
        let news = std::mem::take(&mut self.news);
        let written = std::mem::take(&mut self.written);
        if news < FEW {
            *self = Burst::default();
            Look::Over
        } else if written {
            Look::Steady
        } else {
            Look::Stale
        }
    }
}
