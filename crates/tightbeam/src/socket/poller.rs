//! Waiting for several sockets and descriptors at once.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::Core;
use super::wait::{Driving, Inside, Place, remaining};
use super::{Readiness, SocketBase, flush};
use crate::error::{Error, Result};
use crate::reactor::parker::Parker;
use crate::reactor::waiters::Interest;
use crate::sys::{self, PollFd};

/// Up to so many sockets are driven by the thread that polls them; more are left to the I/O thread,
/// for waiting on many nested polls costs more than being woken.
pub(super) const DRIVEN: usize = 16;

#[derive(Debug)]
enum Target<'a> {
    Socket(&'a Core),
    Descriptor(BorrowedFd<'a>),
}

/// A socket or a descriptor to wait for, and what [`poll`] found.
#[derive(Debug)]
pub struct PollItem<'a> {
    target: Target<'a>,
    wanted: Readiness,
    ready: Readiness,
    failed: bool,
}

impl<'a> PollItem<'a> {
    /// Waits for a socket.
    #[must_use]
    pub fn socket(socket: &'a SocketBase, wanted: Readiness) -> PollItem<'a> {
        PollItem::new(Target::Socket(socket.core()), wanted)
    }

    /// Waits for any other descriptor of the system.
    #[must_use]
    pub fn descriptor(descriptor: &'a impl AsFd, wanted: Readiness) -> PollItem<'a> {
        PollItem::new(Target::Descriptor(descriptor.as_fd()), wanted)
    }

    fn new(target: Target<'a>, wanted: Readiness) -> PollItem<'a> {
        PollItem { target, wanted, ready: Readiness::default(), failed: false }
    }

    /// What of the wanted was possible.
    #[must_use]
    pub fn ready(&self) -> Readiness {
        self.ready
    }

    /// A descriptor was closed, hung up or in error; sockets never are.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.failed
    }

    fn core(&self) -> Option<&'a Core> {
        match self.target {
            Target::Socket(core) => Some(core),
            Target::Descriptor(_) => None,
        }
    }

    fn is_ready(&self) -> bool {
        self.failed || self.ready != Readiness::default()
    }
}

/// Waits until one of the items has something that is wanted of it, at most so long (`None`: for
/// ever). Answers how many items have; [`PollItem::ready`] says what. 0 means that the time is over.
///
/// The same socket may stand in several items. There is no limit to the number of items.
///
/// ```
/// use std::time::Duration;
/// use tightbeam::{Context, PollItem, Pull, Push, Readiness, poll};
///
/// let context = Context::new();
/// let (left, right) = (context.socket::<Pull>()?, context.socket::<Pull>()?);
/// left.bind("tcp://127.0.0.1:*")?;
/// let push = context.socket::<Push>()?;
/// push.connect(right.bind("tcp://127.0.0.1:*")?)?;
/// push.send("hello")?;
///
/// let wanted = Readiness { readable: true, writable: false };
/// let mut items = [PollItem::socket(&left, wanted), PollItem::socket(&right, wanted)];
/// assert_eq!(poll(&mut items, Some(Duration::from_secs(5)))?, 1);
/// assert!(items[1].ready().readable);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Interrupted`] by a signal; [`Error::Terminated`], [`Error::Closed`] and [`Error::Forked`]
/// if a socket is; [`Error::Io`] if the system is out of descriptors.
pub fn poll(items: &mut [PollItem<'_>], timeout: Option<Duration>) -> Result<usize> {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut over = timeout == Some(Duration::ZERO);
    loop {
        let ready = look(items)?;
        if ready > 0 || over {
            return Ok(ready);
        }
        over = !wait(items, deadline)?;
    }
}

/// Looks at every item without waiting.
fn look(items: &mut [PollItem<'_>]) -> Result<usize> {
    let mut descriptors = Vec::new();
    for item in &mut *items {
        match item.target {
            Target::Socket(core) => {
                let now = core.readiness()?;
                item.ready = Readiness {
                    readable: now.readable && item.wanted.readable,
                    writable: now.writable && item.wanted.writable,
                };
            }
            Target::Descriptor(descriptor) => {
                descriptors.push(poll_fd(descriptor.as_raw_fd(), item.wanted))
            }
        }
    }
    if !descriptors.is_empty() {
        sys::ppoll(&mut descriptors, Some(Duration::ZERO)).map_err(interrupted)?;
    }
    let mut found = descriptors.iter();
    for item in items.iter_mut().filter(|item| item.core().is_none()) {
        let events = found.next().map_or(0, PollFd::revents);
        (item.ready, item.failed) = self::found(events);
    }
    Ok(items.iter().filter(|item| item.is_ready()).count())
}

fn poll_fd(descriptor: RawFd, wanted: Readiness) -> PollFd {
    let readable = if wanted.readable { PollFd::IN } else { 0 };
    let writable = if wanted.writable { PollFd::OUT } else { 0 };
    PollFd::new(descriptor, readable | writable)
}

/// What is possible on one descriptor now, and whether it was closed, hung up or is in error.
pub(super) fn look_at(fd: RawFd, wanted: Readiness) -> Result<(Readiness, bool)> {
    let mut polled = [poll_fd(fd, wanted)];
    sys::ppoll(&mut polled, Some(Duration::ZERO)).map_err(interrupted)?;
    Ok(found(polled[0].revents()))
}

fn found(events: i16) -> (Readiness, bool) {
    let ready =
        Readiness { readable: events & PollFd::IN != 0, writable: events & PollFd::OUT != 0 };
    (ready, events & (PollFd::ERR | PollFd::HUP | PollFd::NVAL) != 0)
}

/// Waits until something may have changed. False if the time is over.
fn wait(items: &[PollItem<'_>], deadline: Option<Instant>) -> Result<bool> {
    flush::all_of_this_thread();
    let parker = Parker::current();
    let own = parker.descriptor().map_err(Error::io("make a descriptor to wait on"))?;
    let mut places = Vec::new();
    for item in items {
        if let Some(core) = item.core() {
            let place = core.observe(&parker, item.wanted)?;
            let Some(place) = place else { return Ok(true) };
            places.push(place);
        }
    }
    let drive = places.len() <= DRIVEN;
    let inside: Vec<Inside<'_>> =
        items.iter().filter(|_| drive).filter_map(|item| item.core()?.go_in()).collect();
    let mut seats: Vec<Driving<'_>> = inside.iter().filter_map(Inside::take_seat).collect();
    // What is ready already is not reported again.
    let mut unfinished = false;
    for seat in &mut seats {
        unfinished |= seat.work_off();
    }

    let mut descriptors = vec![PollFd::new(own.as_raw_fd(), PollFd::IN)];
    descriptors.extend(seats.iter().map(|seat| PollFd::new(seat.poll_fd(), PollFd::IN)));
    descriptors.extend(items.iter().filter_map(|item| match item.target {
        Target::Descriptor(descriptor) => Some(poll_fd(descriptor.as_raw_fd(), item.wanted)),
        Target::Socket(_) => None,
    }));
    if !parker.sleep_on_descriptor() {
        return Ok(true);
    }
    let timeout = if unfinished { Some(Duration::ZERO) } else { remaining(deadline) };
    let found = sys::ppoll(&mut descriptors, timeout);
    parker.left_descriptor();
    let found = found.map_err(interrupted)?;
    for (seat, descriptor) in seats.iter_mut().zip(&descriptors[1..]) {
        if descriptor.revents() != 0 {
            seat.poll_now();
        }
    }
    drop(seats);
    drop(inside);
    places.into_iter().for_each(Place::give_up);
    Ok(found > 0 || unfinished)
}

pub(super) fn interrupted(error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::Interrupted {
        return Error::Interrupted;
    }
    Error::Io { operation: "poll", source: error }
}

impl Core {
    /// A place among the waiters; none if what is wanted is there already.
    fn observe<'a>(&'a self, parker: &Arc<Parker>, wanted: Readiness) -> Result<Option<Place<'a>>> {
        let mut guard = self.lock()?;
        let now = guard.readiness();
        if (now.readable && wanted.readable) || (now.writable && wanted.writable) {
            return Ok(None);
        }
        let ticket = guard.waiters.add_thread(Interest::Observe, parker);
        let has_output = !guard.pipes.dirty.is_empty();
        drop(guard);
        let place = Place::new(self, ticket);
        if has_output {
            self.flush_all();
        }
        Ok(Some(place))
    }
}
