//! What event loops call: trying without an exception, and driving a socket.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyList};
use tightbeam::{Error, Readiness};

use crate::lent::Done;
use crate::socket::Socket;
use crate::wait::{Patience, truth, unlocked};

/// Sends one part if there is room: True, or a tracker if it is not copied. None if there is no room.
#[pyfunction]
#[pyo3(signature = (socket, data, flags, copy, track, /))]
pub(crate) fn send_now<'py>(
    socket: &Bound<'py, Socket>,
    data: &Bound<'py, PyAny>,
    flags: i32,
    #[pyo3(from_py_with = truth)] copy: bool,
    #[pyo3(from_py_with = truth)] track: bool,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let done = socket.get().send_one(data, flags, copy, track, Patience::None)?;
    done.map(|done| sent(socket, copy, done.into_iter().collect())).transpose()
}

/// The same of all parts of a message.
#[pyfunction]
#[pyo3(signature = (socket, msg_parts, flags, copy, track, /))]
pub(crate) fn send_multipart_now<'py>(
    socket: &Bound<'py, Socket>,
    msg_parts: &Bound<'py, PyAny>,
    flags: i32,
    #[pyo3(from_py_with = truth)] copy: bool,
    #[pyo3(from_py_with = truth)] track: bool,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let done = socket.get().send_all(msg_parts, flags, copy, track, Patience::None)?;
    done.map(|done| sent(socket, copy, done)).transpose()
}

fn sent<'py>(
    socket: &Bound<'py, Socket>,
    copy: bool,
    done: Vec<Py<Done>>,
) -> PyResult<Bound<'py, PyAny>> {
    let tracker = Socket::tracker(socket, copy, done)?;
    Ok(tracker.unwrap_or_else(|| PyBool::new(socket.py(), true).to_owned().into_any()))
}

/// Receives one part if there is one; else None.
#[pyfunction]
#[pyo3(signature = (socket, copy, track, /))]
pub(crate) fn recv_now(
    socket: &Bound<'_, Socket>,
    #[pyo3(from_py_with = truth)] copy: bool,
    #[pyo3(from_py_with = truth)] track: bool,
) -> PyResult<Option<Py<PyAny>>> {
    let class = Socket::received_class(socket, copy)?;
    socket.get().recv_one(socket.py(), Patience::None, class.as_ref(), track)
}

/// The same of all parts of a message.
#[pyfunction]
#[pyo3(signature = (socket, copy, track, /))]
pub(crate) fn recv_multipart_now(
    socket: &Bound<'_, Socket>,
    #[pyo3(from_py_with = truth)] copy: bool,
    #[pyo3(from_py_with = truth)] track: bool,
) -> PyResult<Option<Py<PyList>>> {
    let class = Socket::received_class(socket, copy)?;
    socket.get().recv_all(socket.py(), Patience::None, class.as_ref(), track)
}

/// The same of one part, into a buffer.
#[pyfunction]
#[pyo3(signature = (socket, buffer, nbytes, /))]
pub(crate) fn recv_into_now(
    socket: &Bound<'_, Socket>,
    buffer: &Bound<'_, PyAny>,
    nbytes: isize,
) -> PyResult<Option<usize>> {
    socket.get().recv_to(buffer, nbytes, Patience::None)
}

/// The descriptors that an event loop watches for being readable.
#[pyfunction]
#[pyo3(signature = (socket, /))]
pub(crate) fn loop_descriptors(socket: &Bound<'_, Socket>) -> PyResult<Vec<i32>> {
    let watch = socket.get().loop_watch(socket.py())?;
    Ok(watch.descriptors().into_iter().flatten().collect())
}

/// From now on the descriptors tell when it may be possible to receive or to send: then `turn` is to be called, and also
/// if this answers True. Whoever waits tries once more after this.
#[pyfunction]
#[pyo3(signature = (socket, receive, send, /))]
pub(crate) fn expect(socket: &Bound<'_, Socket>, receive: bool, send: bool) -> PyResult<bool> {
    let watch = socket.get().loop_watch(socket.py())?;
    let wanted = Readiness { readable: receive, writable: send };
    unlocked(socket.py(), || watch.expect(wanted))
}

/// Does what there is to do when a descriptor is readable. True if it is to be called again.
#[pyfunction]
#[pyo3(signature = (socket, /))]
pub(crate) fn turn(socket: &Bound<'_, Socket>) -> PyResult<bool> {
    let watch = socket.get().loop_watch(socket.py())?;
    Ok(socket.py().detach(|| watch.turn()))
}

/// Tries for a moment, 50 us at most, whether something comes that can be received: for a loop that would sleep
/// otherwise. It does not try while that is mostly in vain. True if there is something. Nobody else may wait for the socket.
#[pyfunction]
#[pyo3(signature = (socket, /))]
pub(crate) fn moment(socket: &Bound<'_, Socket>) -> PyResult<bool> {
    let this = socket.get();
    let watch = this.loop_watch(socket.py())?;
    let look = |_| {
        // What is unfinished is found when the socket is listened to.
        let _ = watch.turn();
        if watch.is_readable() { Ok(()) } else { Err(Error::WouldBlock("nothing has come")) }
    };
    Ok(socket.py().detach(|| this.pace().try_for_a_moment(look)).is_ok())
}
