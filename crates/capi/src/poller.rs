//! Pollers: sets of sockets and descriptors that are waited for again and again.
//!
//! All of this is draft. The entries say so one by one, for the header.

use std::collections::HashMap;
use std::ffi::{c_int, c_long, c_short};
use std::sync::{Mutex, MutexGuard, TryLockError};

use tightbeam::{PollEvent, Poller};

use crate::constants::{ZMQ_POLLERR, ZMQ_POLLIN, ZMQ_POLLOUT, ZMQ_POLLPRI};
use crate::entry::{Errno, Result, enter, int_len, status};
use crate::handle::Slab;
use crate::poll::{found, milliseconds, wanted};
use crate::raw::{Handle, Out};
use crate::slot::Entered;
use crate::socket::socket;
use crate::types::{zmq_fd_t, zmq_poller_event_t};

/// A poller is for one thread at a time: a lock that another one has, who may wait for ever, is `EBUSY`.
static POLLERS: Slab<Mutex<Members>> = Slab::new();

const NO_DESCRIPTOR: zmq_fd_t = -1;

struct Members {
    poller: Poller,
    /// What C knows of each, by the key in the poller.
    known: HashMap<u64, Known>,
}

#[derive(Clone, Copy)]
struct Known {
    socket: Handle,
    fd: zmq_fd_t,
    user_data: Handle,
}

fn poller(handle: Handle) -> Result<Entered<'static, Mutex<Members>>> {
    POLLERS.enter(handle).ok_or(Errno(libc::EFAULT))
}

fn lock(poller: &Mutex<Members>) -> Result<MutexGuard<'_, Members>> {
    match poller.try_lock() {
        Ok(members) => Ok(members),
        Err(TryLockError::Poisoned(members)) => Ok(members.into_inner()),
        Err(TryLockError::WouldBlock) => Err(Errno(libc::EBUSY)),
    }
}

/// Handles lie far below the numbers of descriptors.
fn key_of_socket(socket: Handle) -> u64 {
    socket.address() as u64
}

fn key_of_descriptor(fd: zmq_fd_t) -> u64 {
    u64::MAX - u64::from(fd.unsigned_abs())
}

fn check_descriptor(fd: zmq_fd_t) -> Result<()> {
    if fd < 0 { Err(Errno(libc::EBADF)) } else { Ok(()) }
}

fn check_events(events: c_short) -> Result<()> {
    let all = ZMQ_POLLIN | ZMQ_POLLOUT | ZMQ_POLLERR | ZMQ_POLLPRI;
    if events & !all == 0 { Ok(()) } else { Err(Errno(libc::EINVAL)) }
}

/// Makes an empty poller. NULL with errno `EMFILE` if there are too many, or no descriptors left.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_new() -> Handle {
    enter(Handle::NULL, || {
        let members = Members { poller: Poller::new()?, known: HashMap::new() };
        POLLERS.insert(Mutex::new(members)).ok_or(Errno(libc::EMFILE))
    })
}

/// Ends a poller and sets the variable to NULL.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_destroy(poller_p: Out<Handle>) -> c_int {
    status(|| {
        poller(poller_p.get(libc::EFAULT)?)?.close();
        poller_p.put(Handle::NULL);
        Ok(())
    })
}

/// How many sockets and descriptors are in a poller.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_size(poller: Handle) -> c_int {
    enter(-1, || {
        let poller = self::poller(poller)?;
        Ok(int_len(lock(&poller)?.poller.len()))
    })
}

/// Adds a socket. Its events come with `user_data`.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_add(
    poller: Handle,
    socket: Handle,
    user_data: Handle,
    events: c_short,
) -> c_int {
    status(|| {
        let (poller, opened) = (self::poller(poller)?, self::socket(socket)?);
        check_events(events)?;
        let (mut members, key) = (lock(&poller)?, key_of_socket(socket));
        members.poller.add(&opened, key, wanted(events).ready)?;
        members.known.insert(key, Known { socket, fd: NO_DESCRIPTOR, user_data });
        Ok(())
    })
}

/// Changes what is wanted of a socket; nothing, too.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_modify(poller: Handle, socket: Handle, events: c_short) -> c_int {
    status(|| {
        let (poller, opened) = (self::poller(poller)?, self::socket(socket)?);
        check_events(events)?;
        Ok(lock(&poller)?.poller.modify(&opened, wanted(events).ready)?)
    })
}

/// Removes a socket.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_remove(poller: Handle, socket: Handle) -> c_int {
    status(|| {
        let (poller, opened) = (self::poller(poller)?, self::socket(socket)?);
        let mut members = lock(&poller)?;
        members.poller.remove(&opened)?;
        members.known.remove(&key_of_socket(socket));
        Ok(())
    })
}

/// Adds a descriptor. Its events come with `user_data`.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_add_fd(
    poller: Handle,
    fd: zmq_fd_t,
    user_data: Handle,
    events: c_short,
) -> c_int {
    status(|| {
        let poller = self::poller(poller)?;
        check_descriptor(fd)?;
        check_events(events)?;
        let (mut members, key) = (lock(&poller)?, key_of_descriptor(fd));
        members.poller.add_descriptor(&fd, key, wanted(events))?;
        members.known.insert(key, Known { socket: Handle::NULL, fd, user_data });
        Ok(())
    })
}

/// Changes what is wanted of a descriptor; nothing, too.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_modify_fd(poller: Handle, fd: zmq_fd_t, events: c_short) -> c_int {
    status(|| {
        let poller = self::poller(poller)?;
        check_descriptor(fd)?;
        check_events(events)?;
        Ok(lock(&poller)?.poller.modify_descriptor(&fd, wanted(events))?)
    })
}

/// Removes a descriptor.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_remove_fd(poller: Handle, fd: zmq_fd_t) -> c_int {
    status(|| {
        let poller = self::poller(poller)?;
        check_descriptor(fd)?;
        let mut members = lock(&poller)?;
        members.poller.remove_descriptor(&fd)?;
        members.known.remove(&key_of_descriptor(fd));
        Ok(())
    })
}

/// Waits until something in a poller is ready, at most so many milliseconds (-1: for ever), and writes what. `EAGAIN` when the
/// time is over.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_wait(
    poller: Handle,
    event: Out<zmq_poller_event_t>,
    timeout: c_long,
) -> c_int {
    enter(-1, || wait(poller, event, 1, timeout).map(|_| 0))
}

/// The same for up to `n_events` at once. Answers how many were written, at least one.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_wait_all(
    poller: Handle,
    events: Out<zmq_poller_event_t>,
    n_events: c_int,
    timeout: c_long,
) -> c_int {
    enter(-1, || wait(poller, events, n_events, timeout))
}

fn wait(
    poller: Handle,
    events: Out<zmq_poller_event_t>,
    n_events: c_int,
    timeout: c_long,
) -> Result<c_int> {
    let poller = self::poller(poller)?;
    let room = usize::try_from(n_events).map_err(|_| Errno(libc::EINVAL))?;
    let events = events.array(room, libc::EFAULT)?;
    let mut members = lock(&poller)?;
    let Members { poller, known } = &mut *members;
    let ready = poller.wait_all(events.len(), milliseconds(timeout))?;
    for (place, event) in events.iter_mut().zip(ready) {
        *place = event_for_c(known, event)?;
    }
    Ok(int_len(ready.len()))
}

fn event_for_c(known: &HashMap<u64, Known>, event: &PollEvent) -> Result<zmq_poller_event_t> {
    let Known { socket, fd, user_data } =
        *known.get(&event.key).ok_or(Errno(libc::ENOTRECOVERABLE))?;
    let events = found(event.ready, event.urgent, event.failed);
    Ok(zmq_poller_event_t { socket, fd, user_data, events })
}

/// A poller has no descriptor: `EINVAL`. libzmq gives one to pollers with sockets of types that are not here.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_fd(poller: Handle, fd: Out<zmq_fd_t>) -> c_int {
    status(|| {
        self::poller(poller)?;
        fd.array(1, libc::EFAULT)?;
        Err(Errno(libc::EINVAL))
    })
}
