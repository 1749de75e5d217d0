//! Waiting for several sockets and descriptors at once.

use std::ffi::{c_int, c_long, c_short};
use std::time::Duration;

use tightbeam::{AnySocket, PollItem, SignalMask, Wanted};

use crate::constants::{ZMQ_POLLERR, ZMQ_POLLIN, ZMQ_POLLOUT, ZMQ_POLLPRI, poll_bits};
use crate::entry::{Errno, Result, enter, int_len};
use crate::raw::{Out, Signals};
use crate::slot::Entered;
use crate::socket::socket;
use crate::types::zmq_pollitem_t;

/// So many items take no memory from the allocator.
const FEW: usize = 16;

/// Waits until one of the items has something that is wanted of it, at most so many milliseconds (-1: for ever). Answers how
/// many items have; 0 means that the time is over.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poll(items: Out<zmq_pollitem_t>, nitems: c_int, timeout: c_long) -> c_int {
    enter(-1, || poll(items_of(items, nitems)?, milliseconds(timeout), None))
}

/// The same with another signal mask (a `sigset_t`, or NULL) while it waits.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ppoll(
    items: Out<zmq_pollitem_t>,
    nitems: c_int,
    timeout: c_long,
    sigmask: Signals,
) -> c_int {
    enter(-1, || {
        let mask = sigmask.numbers().map(SignalMask::new);
        poll(items_of(items, nitems)?, milliseconds(timeout), mask)
    })
}

fn items_of<'a>(items: Out<zmq_pollitem_t>, nitems: c_int) -> Result<&'a mut [zmq_pollitem_t]> {
    let count = usize::try_from(nitems).map_err(|_| Errno(libc::EINVAL))?;
    items.array(count, libc::EFAULT)
}

/// A time-out; negative is for ever.
pub(crate) fn milliseconds(timeout: c_long) -> Option<Duration> {
    u64::try_from(timeout).ok().map(Duration::from_millis)
}

/// What a poll's bits want.
pub(crate) fn wanted(events: c_short) -> Wanted {
    let mut wanted = Wanted::default();
    wanted.ready.readable = events & ZMQ_POLLIN != 0;
    wanted.ready.writable = events & ZMQ_POLLOUT != 0;
    wanted.urgent = events & ZMQ_POLLPRI != 0;
    wanted.failure = events & ZMQ_POLLERR != 0;
    wanted
}

/// What was found, as a poll's bits.
pub(crate) fn found(ready: tightbeam::Readiness, urgent: bool, failed: bool) -> c_short {
    let bit = |bit, is_set| if is_set { bit } else { 0 };
    poll_bits(ready) | bit(ZMQ_POLLPRI, urgent) | bit(ZMQ_POLLERR, failed)
}

fn poll(
    items: &mut [zmq_pollitem_t],
    timeout: Option<Duration>,
    mask: Option<SignalMask>,
) -> Result<c_int> {
    items.iter_mut().for_each(|item| item.revents = 0);
    let (mut few, mut many) = ([const { None }; FEW], Vec::new());
    let sockets = room(&mut few, &mut many, items.len(), || None);
    for (socket, item) in sockets.iter_mut().zip(&*items) {
        *socket = if item.socket.is_null() { None } else { Some(self::socket(item.socket)?) };
    }
    let nothing = || PollItem::raw_descriptor(-1, Wanted::default());
    let (mut few, mut many) = (std::array::from_fn(|_| nothing()), Vec::new());
    let polled = room(&mut few, &mut many, items.len(), nothing);
    for ((polled, socket), item) in polled.iter_mut().zip(&*sockets).zip(&*items) {
        *polled = poll_item(socket.as_ref(), item);
    }
    let count = match mask {
        Some(mask) => tightbeam::ppoll(polled, timeout, &mask)?,
        None => tightbeam::poll(polled, timeout)?,
    };
    for (item, polled) in items.iter_mut().zip(&*polled) {
        item.revents = found(polled.ready(), polled.urgent(), polled.failed());
    }
    Ok(int_len(count))
}

fn poll_item<'a>(
    socket: Option<&'a Entered<'static, AnySocket>>,
    item: &zmq_pollitem_t,
) -> PollItem<'a> {
    let wanted = wanted(item.events);
    match socket {
        Some(socket) => PollItem::socket(socket, wanted.ready),
        None => PollItem::raw_descriptor(item.fd, wanted),
    }
}

/// Places for so many values, on the stack if they are few.
fn room<'a, T>(
    few: &'a mut [T; FEW],
    many: &'a mut Vec<T>,
    count: usize,
    empty: impl Fn() -> T,
) -> &'a mut [T] {
    if count <= FEW {
        return &mut few[..count];
    }
    many.resize_with(count, empty);
    many
}
