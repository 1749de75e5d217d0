//! Descriptors of the system that are waited for beside sockets: what is wanted of them, and what is found.

use std::os::fd::RawFd;
use std::time::Duration;

use mio::Interest;

use super::Readiness;
use super::poller::interrupted;
use crate::error::Result;
use crate::sys::{self, PollFd};

/// What is wanted of a descriptor of the system. A [`Readiness`] turns into one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// It can be read from or written to.
    pub ready: Readiness,
    /// It has urgent data (`POLLPRI`), such as the out-of-band byte of a TCP stream.
    pub urgent: bool,
    /// It was closed, hung up or is in error. That is reported together with whatever else is wanted; this
    /// is for those who want nothing else.
    pub failure: bool,
}

impl From<Readiness> for Wanted {
    fn from(ready: Readiness) -> Wanted {
        Wanted { ready, ..Wanted::default() }
    }
}

impl Wanted {
    pub(super) fn is_anything(self) -> bool {
        self != Wanted::default()
    }

    pub(super) fn of(self, fd: RawFd) -> PollFd {
        let bit = |bit, is_set| if is_set { bit } else { 0 };
        let events = bit(PollFd::IN, self.ready.readable)
            | bit(PollFd::OUT, self.ready.writable)
            | bit(PollFd::PRI, self.urgent);
        PollFd::new(fd, events)
    }

    /// What the system is to tell of.
    pub(super) fn interest(self) -> Option<Interest> {
        // Failures are always told of; who wants nothing else must want something.
        let urgent = (self.urgent || self.failure).then_some(Interest::PRIORITY);
        let readable = self.ready.readable.then_some(Interest::READABLE);
        let writable = self.ready.writable.then_some(Interest::WRITABLE);
        [urgent, readable, writable].into_iter().flatten().reduce(Interest::add)
    }
}

/// What is possible on a descriptor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) ready: Readiness,
    pub(super) urgent: bool,
    pub(super) failed: bool,
}

impl Found {
    pub(super) fn at(polled: &PollFd) -> Found {
        let has = |bits| polled.revents() & bits != 0;
        Found {
            ready: Readiness { readable: has(PollFd::IN), writable: has(PollFd::OUT) },
            urgent: has(PollFd::PRI),
            failed: has(PollFd::ERR | PollFd::HUP | PollFd::NVAL),
        }
    }

    pub(super) fn is_anything(self) -> bool {
        self != Found::default()
    }
}

impl From<Readiness> for Found {
    fn from(ready: Readiness) -> Found {
        Found { ready, ..Found::default() }
    }
}

/// What of the wanted is possible on one descriptor now.
pub(super) fn look_at(fd: RawFd, wanted: Wanted) -> Result<Found> {
    let mut polled = [wanted.of(fd)];
    sys::ppoll(&mut polled, Some(Duration::ZERO), None).map_err(interrupted)?;
    Ok(Found::at(&polled[0]))
}
