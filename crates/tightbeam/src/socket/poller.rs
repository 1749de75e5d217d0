//! Waiting for several sockets and descriptors at once.

use std::cell::Cell;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::core::Core;
use super::descriptor::{Found, Wanted};
use super::wait::{Driving, Inside, Place, remaining};
use super::{Readiness, SocketBase, flush, linger};
use crate::error::{Error, Result};
use crate::reactor::parker::Parker;
use crate::reactor::waiters::Interest;
use crate::sys::{self, PollFd, SignalMask};

/// Up to so many sockets are driven by the thread that polls them, or so many for each that it finds ready;
/// more are left to the I/O thread, for waiting on many nested polls costs more than being woken.
pub(super) const DRIVEN: usize = 16;
/// A thread's polls count as finding at least so many ready: handing 64 sockets to the I/O thread and taking them back costs as much
/// as five waits on their polls.
const FOUND_AT_LEAST: usize = 4;

thread_local! {
    /// What this thread's polls find: the most, forgotten slowly, so that sockets do not go to and fro.
    static FOUND: Cell<usize> = const { Cell::new(FOUND_AT_LEAST) };
}

/// A poll of this thread's found so many.
fn note_found(ready: usize) {
    let remembered = FOUND.get() * 7 / 8;
    FOUND.set(ready.max(remembered).max(FOUND_AT_LEAST));
}

#[derive(Debug)]
enum Target<'a> {
    Socket(&'a Core),
    Descriptor(RawFd, PhantomData<BorrowedFd<'a>>),
}

/// A socket or a descriptor to wait for, and what [`poll`] found.
#[derive(Debug)]
pub struct PollItem<'a> {
    target: Target<'a>,
    wanted: Wanted,
    found: Found,
}

impl<'a> PollItem<'a> {
    /// Waits for a socket.
    #[must_use]
    pub fn socket(socket: &'a SocketBase, wanted: Readiness) -> PollItem<'a> {
        PollItem::new(Target::Socket(socket.core()), wanted.into())
    }

    /// Waits for any other descriptor of the system.
    #[must_use]
    pub fn descriptor(descriptor: &'a impl AsFd, wanted: impl Into<Wanted>) -> PollItem<'a> {
        PollItem::raw_descriptor(descriptor.as_fd().as_raw_fd(), wanted)
    }

    /// The same by its number: one that is not open has [`failed`](PollItem::failed), a negative one is
    /// skipped.
    #[must_use]
    pub fn raw_descriptor(descriptor: RawFd, wanted: impl Into<Wanted>) -> PollItem<'a> {
        PollItem::new(Target::Descriptor(descriptor, PhantomData), wanted.into())
    }

    fn new(target: Target<'a>, wanted: Wanted) -> PollItem<'a> {
        PollItem { target, wanted, found: Found::default() }
    }

    /// What of the wanted was possible.
    #[must_use]
    pub fn ready(&self) -> Readiness {
        self.found.ready
    }

    /// A descriptor has urgent data, and that was wanted; sockets never have.
    #[must_use]
    pub fn urgent(&self) -> bool {
        self.found.urgent
    }

    /// A descriptor was closed, hung up or in error; sockets never are.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.found.failed
    }

    fn core(&self) -> Option<&'a Core> {
        match self.target {
            Target::Socket(core) => Some(core),
            Target::Descriptor(..) => None,
        }
    }

    /// Notes what of the wanted is possible, if it is a socket.
    fn look_at_socket(&mut self, events: impl FnOnce(&Core) -> Result<Readiness>) -> Result<()> {
        let Some(core) = self.core() else { return Ok(()) };
        let (now, wanted) = (events(core)?, self.wanted.ready);
        self.found = Found::from(Readiness {
            readable: now.readable && wanted.readable,
            writable: now.writable && wanted.writable,
        });
        Ok(())
    }

    /// What the kernel is to be asked, unless all that is wanted was found, or somebody else asks.
    fn question(&self) -> Option<PollFd> {
        match self.target {
            Target::Descriptor(..) => self.polled(),
            Target::Socket(_) if self.found == Found::from(self.wanted.ready) => None,
            Target::Socket(core) => Some(PollFd::new(core.unheard()?, PollFd::IN)),
        }
    }

    fn polled(&self) -> Option<PollFd> {
        match self.target {
            Target::Socket(_) => None,
            Target::Descriptor(fd, _) => Some(self.wanted.of(fd)),
        }
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
    poll_until(items, timeout, None)
}

/// The same with another signal mask while it waits, as POSIX has it for `ppoll`: a signal that the thread
/// holds back and the mask does not is handled in the wait and nowhere else. It ends this call,
/// unless something was ready; also if it came before the call, and with no time to wait.
///
/// ```
/// use std::time::Duration;
/// use tightbeam::{SignalMask, ppoll};
///
/// // Nothing is held back during the wait.
/// assert_eq!(ppoll(&mut [], Some(Duration::from_millis(1)), &SignalMask::new([]))?, 0);
/// # Ok::<(), tightbeam::Error>(())
/// ```
///
/// # Errors
/// As [`poll`].
pub fn ppoll(
    items: &mut [PollItem<'_>],
    timeout: Option<Duration>,
    mask: &SignalMask,
) -> Result<usize> {
    poll_until(items, timeout, Some(mask))
}

fn poll_until(
    items: &mut [PollItem<'_>],
    timeout: Option<Duration>,
    mask: Option<&SignalMask>,
) -> Result<usize> {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut over = timeout == Some(Duration::ZERO);
    loop {
        let ready = look(items, mask)?;
        if ready > 0 || over {
            note_found(ready);
            return Ok(ready);
        }
        over = !wait(items, deadline, mask)?;
    }
}

/// Looks at every item without waiting. Answers how many have something.
fn look(items: &mut [PollItem<'_>], mask: Option<&SignalMask>) -> Result<usize> {
    let (mut ready, mut questions) = (0, 0);
    for item in &mut *items {
        item.look_at_socket(Core::known_events)?;
        ready += usize::from(item.core().is_some() && item.found.is_anything());
        questions += usize::from(item.question().is_some());
    }
    if questions == 0 && (mask.is_none() || ready > 0) {
        return Ok(ready);
    }
    match items {
        [item] if mask.is_none() && item.core().is_some() => item.look_at_socket(Core::events)?,
        _ => ask(items, mask, ready > 0)?,
    }
    Ok(items.iter().filter(|item| item.found.is_anything()).count())
}

/// Asks the kernel for what only it knows, once for all items.
fn ask(items: &mut [PollItem<'_>], mask: Option<&SignalMask>, any_ready: bool) -> Result<()> {
    let question = |item: &PollItem<'_>| item.question().unwrap_or(PollFd::new(-1, 0));
    let mut polled: Vec<_> = items.iter().map(question).collect();
    match sys::ppoll(&mut polled, Some(Duration::ZERO), mask).map_err(interrupted) {
        // What is ready comes first.
        Err(Error::Interrupted) if any_ready => {}
        done => drop(done?),
    }
    for (item, polled) in items.iter_mut().zip(&polled) {
        match item.target {
            Target::Descriptor(..) => item.found = Found::at(polled),
            Target::Socket(core) => {
                if polled.revents() != 0 || core.has_ready.load(Ordering::SeqCst) {
                    item.look_at_socket(Core::events)?;
                }
            }
        }
    }
    Ok(())
}

/// Waits until something may have changed. False if the time is over.
fn wait(
    items: &[PollItem<'_>],
    deadline: Option<Instant>,
    mask: Option<&SignalMask>,
) -> Result<bool> {
    flush::all_of_this_thread();
    let parker = Parker::current();
    let own = parker.descriptor().map_err(Error::io("make a descriptor to wait on"))?;
    let mut places = Vec::new();
    for item in items {
        if let Some(core) = item.core() {
            let place = core.observe(&parker, item.wanted.ready)?;
            let Some(place) = place else { return Ok(true) };
            places.push(place);
        }
    }
    let drive = places.len() <= DRIVEN * FOUND.get();
    if !drive {
        // The I/O thread hears only of those that it may drive.
        let claimed =
            items.iter().filter_map(PollItem::core).filter(|core| core.unheard().is_some());
        claimed.for_each(Core::give_back);
    }
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
    descriptors.extend(items.iter().filter_map(PollItem::polled));
    if !parker.sleep_on_descriptor() {
        return Ok(true);
    }
    let timeout = if unfinished { Some(Duration::ZERO) } else { remaining(deadline) };
    let found = linger::poll(&mut descriptors, timeout, mask);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_poll_finds_is_forgotten_slowly_and_not_below_a_few() {
        note_found(40);
        assert_eq!(FOUND.get(), 40);
        note_found(1);
        assert_eq!(FOUND.get(), 35, "one poll that finds little changes little");
        for _ in 0..20 {
            note_found(0);
        }
        assert_eq!(FOUND.get(), FOUND_AT_LEAST);
    }
}
