//! Sockets as Python objects.

use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use tightbeam::options::{Value, number};
use tightbeam::{AnySocket, Error, LoopWatch, SocketType};

use crate::call::call;
use crate::context::Context;
use crate::error::{again, from_errno, runtime};
use crate::lent::Done;
use crate::pace::Pace;
use crate::transfer::COPY_THRESHOLD;
use crate::wait::{Patience, milliseconds, truth, unlocked};

/// What the shadows of a socket share.
struct Shared {
    socket: AnySocket,
    closed: AtomicBool,
}

/// The native part of a socket.
#[pyclass(subclass, frozen, weakref, module = "tightbeam._native")]
pub(crate) struct Socket {
    shared: OnceLock<Arc<Shared>>,
    context: OnceLock<Py<Context>>,
    copy_threshold: AtomicUsize,
    pace: Pace,
    /// Made when an event loop first waits for the socket.
    loop_watch: OnceLock<LoopWatch>,
}

impl Socket {
    pub(crate) fn pace(&self) -> &Pace {
        &self.pace
    }

    pub(crate) fn loop_watch(&self, py: Python<'_>) -> PyResult<&LoopWatch> {
        if let Some(watch) = self.loop_watch.get() {
            return Ok(watch);
        }
        let socket = self.open(py)?;
        let made = unlocked(py, || socket.loop_watch())?;
        Ok(self.loop_watch.get_or_init(|| made))
    }

    /// What the send of a message answers: a tracker, unless it was copied.
    pub(crate) fn tracker<'py>(
        slf: &Bound<'py, Self>,
        copy: bool,
        done: Vec<Py<Done>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if copy {
            return Ok(None);
        }
        call(&slf.getattr("_tracker_of")?, &(done,).into_pyobject(slf.py())?).map(Some)
    }

    /// The class of the frames that are received, if not bytes are.
    pub(crate) fn received_class<'py>(
        slf: &Bound<'py, Self>,
        copy: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if copy { Ok(None) } else { slf.getattr("_frame_class").map(Some) }
    }

    /// The socket, or ENOTSOCK if it is closed.
    pub(crate) fn open(&self, py: Python<'_>) -> PyResult<&AnySocket> {
        match self.shared.get() {
            Some(shared) if !shared.closed.load(Ordering::Relaxed) => Ok(&shared.socket),
            _ => Err(from_errno(py, libc::ENOTSOCK, None)),
        }
    }

    /// The same, naming the endpoint in the error.
    fn open_for(&self, py: Python<'_>, endpoint: &str) -> PyResult<&AnySocket> {
        self.open(py).map_err(|_| at_address(py, &Error::Closed, endpoint))
    }

    pub(crate) fn threshold(&self) -> usize {
        self.copy_threshold.load(Ordering::Relaxed)
    }

    fn endpoint(address: &Bound<'_, PyAny>) -> PyResult<String> {
        if let Ok(text) = address.cast::<PyString>() {
            return Ok(text.to_str()?.to_owned());
        }
        if let Ok(bytes) = address.cast::<PyBytes>() {
            return Ok(String::from_utf8_lossy(bytes.as_bytes()).into_owned());
        }
        Err(PyTypeError::new_err(format!("Expected addr to be str, got addr={}", address.repr()?)))
    }
}

/// The exception for an error of bind or connect, which names the endpoint.
fn at_address(py: Python<'_>, error: &Error, endpoint: &str) -> PyErr {
    from_errno(py, error.errno(), Some(format!("addr={endpoint:?}: {error}")))
}

/// Refuses what only the draft types of sockets take.
fn no_groups(
    routing_id: Option<&Bound<'_, PyAny>>,
    group: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    if routing_id.is_some() || group.is_some() {
        return Err(runtime("there are no sockets with routing ids or groups here"));
    }
    Ok(())
}

#[pymethods]
impl Socket {
    /// Subclasses may take any arguments; `_open` is called by `__init__`.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Socket {
        Socket {
            shared: OnceLock::new(),
            context: OnceLock::new(),
            copy_threshold: AtomicUsize::new(COPY_THRESHOLD),
            pace: Pace::default(),
            loop_watch: OnceLock::new(),
        }
    }

    /// A context that holds its sockets is collected with them.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.context.get())
    }

    /// Opens the socket.
    fn _open(&self, py: Python<'_>, context: Py<Context>, socket_type: i32) -> PyResult<()> {
        let kind = SocketType::from_number(socket_type).ok_or_else(|| {
            from_errno(py, libc::EINVAL, Some(format!("no type of socket {socket_type}")))
        })?;
        let inner = context.get().open().map_err(|_| from_errno(py, libc::ENOTSUP, None))?;
        let socket = unlocked(py, || inner.any_socket(kind))?;
        let shared = Arc::new(Shared { socket, closed: AtomicBool::new(false) });
        let made = self.shared.set(shared).is_ok() && self.context.set(context).is_ok();
        if made { Ok(()) } else { Err(runtime("the socket was opened already")) }
    }

    /// Shares the socket of another object.
    fn _open_shadow(&self, py: Python<'_>, other: &Socket) -> PyResult<()> {
        let (Some(shared), Some(context)) = (other.shared.get(), other.context.get()) else {
            return Err(from_errno(py, libc::ENOTSOCK, None));
        };
        let made = self.shared.set(Arc::clone(shared)).is_ok()
            && self.context.set(context.clone_ref(py)).is_ok();
        if made { Ok(()) } else { Err(runtime("the socket was opened already")) }
    }

    /// The context that the socket belongs to; None if it never was opened.
    #[getter]
    fn context(&self, py: Python<'_>) -> Option<Py<Context>> {
        self.context.get().map(|context| context.clone_ref(py))
    }

    /// Whether the socket was closed (`bool`), by whichever of its shadows.
    #[getter]
    fn closed(&self) -> bool {
        let Some(shared) = self.shared.get() else { return true };
        shared.closed.load(Ordering::Acquire)
    }

    /// The number by which the engine knows the socket (`int`), for `shadow`; 0 once it is closed.
    #[getter]
    fn underlying(&self) -> u64 {
        let open = self.shared.get().filter(|shared| !shared.closed.load(Ordering::Acquire));
        open.map_or(0, |shared| shared.socket.handle().as_u64())
    }

    /// From so many bytes up `send(copy=False)` does not copy (`int`); 65536 unless it is set.
    #[getter]
    fn copy_threshold(&self) -> usize {
        self.threshold()
    }

    #[setter]
    fn set_copy_threshold(&self, bytes: usize) {
        self.copy_threshold.store(bytes, Ordering::Relaxed);
    }

    /// Closes the socket without waiting; it still sends what it lingers for (in ms).
    #[pyo3(signature = (linger=None))]
    fn _close(&self, py: Python<'_>, linger: Option<i32>) -> PyResult<()> {
        let Some(shared) = self.shared.get() else { return Ok(()) };
        if shared.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        py.detach(|| {
            if let Some(linger) = linger {
                // After the context was terminated the value cannot be set, and there is nothing to wait for.
                let _ = shared.socket.set_option(number::LINGER, Value::Int(linger));
            }
            shared.socket.begin_close();
        });
        Ok(())
    }

    /// Listens at an endpoint. Answers it with what stood for a wildcard.
    fn _bind(&self, py: Python<'_>, address: &Bound<'_, PyAny>) -> PyResult<String> {
        let endpoint = Socket::endpoint(address)?;
        let socket = self.open_for(py, &endpoint)?;
        let bound = py.detach(|| socket.bind(&endpoint));
        bound.map(|at| at.to_string()).map_err(|error| at_address(py, &error, &endpoint))
    }

    /// Connects to an endpoint.
    fn _connect(&self, py: Python<'_>, address: &Bound<'_, PyAny>) -> PyResult<()> {
        let endpoint = Socket::endpoint(address)?;
        let socket = self.open_for(py, &endpoint)?;
        let connected = py.detach(|| socket.connect(&endpoint));
        connected.map(drop).map_err(|error| at_address(py, &error, &endpoint))
    }

    /// Stops listening at an endpoint (`str`), as it was given to `bind` or as LAST_ENDPOINT tells it.
    ///
    /// Connections that were accepted there stay. Raises ZMQError: ENOENT if the socket does not listen there, EINVAL,
    /// ENOTSOCK, ETERM.
    fn unbind(&self, py: Python<'_>, addr: &Bound<'_, PyAny>) -> PyResult<()> {
        let endpoint = Socket::endpoint(addr)?;
        let socket = self.open_for(py, &endpoint)?;
        let ended = py.detach(|| socket.unbind(&endpoint));
        ended.map_err(|error| at_address(py, &error, &endpoint))
    }

    /// Ends a connection to an endpoint (`str`), as it was given to `connect`.
    ///
    /// What waits to be sent there is sent if LINGER says so. Raises ZMQError: ENOENT if the socket was not connected
    /// there, EINVAL, ENOTSOCK, ETERM.
    fn disconnect(&self, py: Python<'_>, addr: &Bound<'_, PyAny>) -> PyResult<()> {
        let endpoint = Socket::endpoint(addr)?;
        let socket = self.open_for(py, &endpoint)?;
        let ended = py.detach(|| socket.disconnect(&endpoint));
        ended.map_err(|error| at_address(py, &error, &endpoint))
    }

    /// Reads an option, by a member of `SocketOption` or its number.
    ///
    /// Answers an `int` or `bytes`, as the option is. Raises ZMQError: EINVAL if there is no such option, or none that can
    /// be read from sockets of this type; ENOTSOCK, ETERM.
    fn get(&self, py: Python<'_>, option: i32) -> PyResult<Py<PyAny>> {
        let socket = self.open(py)?;
        if option == number::FD {
            let fd = unlocked(py, || socket.event_descriptor().map(|fd| fd.as_raw_fd()))?;
            return Ok(fd.into_pyobject(py)?.into_any().unbind());
        }
        crate::options::get(py, socket, option)
    }

    /// Sets an option, by a member of `SocketOption` or its number, to an `int` or to bytes, as the option is.
    ///
    /// Most hold for binds and connects that follow. Raises TypeError for a value of the wrong type (text is set with
    /// `set_string`), OverflowError for a number that the option's type cannot hold, ZMQError: EINVAL for an option that
    /// there is not for sockets of this type, or a value out of range; ENOTSOCK, ETERM.
    fn set(&self, py: Python<'_>, option: i32, optval: &Bound<'_, PyAny>) -> PyResult<()> {
        crate::options::set(self.open(py)?, option, optval)
    }

    /// A descriptor (`int`) that is readable for exactly as long as a message can be received, unlike the option FD.
    ///
    /// It belongs to the socket. Raises ZMQError: ENOTSOCK, ETERM.
    fn readable_fd(&self, py: Python<'_>) -> PyResult<i32> {
        let socket = self.open(py)?;
        unlocked(py, || socket.readable_descriptor().map(|fd| fd.as_raw_fd()))
    }

    /// Sends what happens to the socket's connections to an inproc endpoint, where a PAIR socket receives it.
    ///
    /// `addr` is a `str`; None ends that. `events` are those of `Event`. See `get_monitor_socket`. Raises ZMQError:
    /// EADDRINUSE, EPROTONOSUPPORT for another transport, EINVAL, ENOTSOCK, ETERM.
    #[pyo3(signature = (addr, events=0xffff))]
    fn monitor(
        &self,
        py: Python<'_>,
        addr: Option<&Bound<'_, PyAny>>,
        events: i64,
    ) -> PyResult<()> {
        let Some(addr) = addr.filter(|addr| !addr.is_none()) else {
            let socket = self.open(py)?;
            return unlocked(py, || socket.stop_monitor_socket());
        };
        let endpoint = Socket::endpoint(addr)?;
        let socket = self.open_for(py, &endpoint)?;
        let events = events.cast_unsigned();
        unlocked(py, || socket.monitor_socket(&endpoint, events, 1, SocketType::Pair))
    }

    /// Waits until the socket is ready for one of `flags` (of `PollEvent`), at most `timeout` milliseconds.
    ///
    /// None and negative numbers are for ever. Answers those it is ready for (`int`), 0 when the time is over. Other
    /// threads run meanwhile, and signals are handled. Raises ZMQError: ENOTSUP if the socket is closed, ETERM.
    #[pyo3(signature = (timeout=None, flags=1))]
    fn poll(
        slf: &Bound<'_, Self>,
        timeout: Option<&Bound<'_, PyAny>>,
        flags: i32,
    ) -> PyResult<i32> {
        let py = slf.py();
        // libzmq's callers know this of a closed socket.
        let socket = slf.get().open(py).map_err(|_| from_errno(py, libc::ENOTSUP, None))?;
        let wait = milliseconds(timeout)?;
        let wanted = crate::poll::wanted(flags).ready;
        let deadline = crate::wait::Deadline::after(wait);
        let ready = unlocked(py, || match socket.poll(wanted, deadline.left()) {
            Err(Error::WouldBlock(_)) => Ok(tightbeam::Readiness::default()),
            polled => polled,
        })?;
        Ok(crate::poll::bits(ready))
    }

    /// Sends one part: any contiguous buffer, or a `Frame`. With the flag SNDMORE another part of the same message follows.
    ///
    /// With `copy=False` a buffer from `copy_threshold` bytes up is not copied, and a `MessageTracker` is answered:
    /// with `track=True` it says when the buffer may be changed. Otherwise the answer is None.
    ///
    /// Waits for room in a queue, at most `timeout` seconds (`float`) or, if that is None, as the option SNDTIMEO says;
    /// with the flag DONTWAIT not at all. Other threads run meanwhile, and signals are handled.
    ///
    /// Raises Again when the time is over, ContextTerminated, TypeError for what is no buffer (text is sent with
    /// `send_string`), BufferError for one that is not contiguous, ValueError for a Frame that is to be tracked and is
    /// not; ZMQError: EFSM if it is not the turn to send, EHOSTUNREACH where ROUTER_MANDATORY is set, ENOTSUP for types
    /// that do not send, ENOTSOCK.
    #[pyo3(signature = (
        data, flags=0, copy=true, track=false, routing_id=None, group=None, *, timeout=None
    ))]
    #[allow(clippy::too_many_arguments)] // as pyzmq has them
    fn send<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
        flags: i32,
        #[pyo3(from_py_with = truth)] copy: bool,
        #[pyo3(from_py_with = truth)] track: bool,
        routing_id: Option<&Bound<'py, PyAny>>,
        group: Option<&Bound<'py, PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        no_groups(routing_id, group)?;
        let patience = Patience::to_send(flags, timeout)?;
        let done = slf.get().send_one(data, flags, copy, track, patience)?;
        let done = done.ok_or_else(|| again(slf.py()))?;
        Socket::tracker(slf, copy, done.into_iter().collect())
    }

    /// Sends all parts of a message at once: an iterable of buffers and Frames, of which there is at least one.
    ///
    /// `copy` and `track` are as in `send`; the tracker answered is done when all parts are. Nothing is sent if a part
    /// is wrong. Waits as `send` does, and raises what it raises; IndexError for no part at all, and TypeError names the
    /// part that is no buffer.
    #[pyo3(signature = (
        msg_parts, flags=0, copy=true, track=false, *, routing_id=None, group=None, timeout=None
    ))]
    #[allow(clippy::too_many_arguments)] // as pyzmq has them
    fn send_multipart<'py>(
        slf: &Bound<'py, Self>,
        msg_parts: &Bound<'py, PyAny>,
        flags: i32,
        #[pyo3(from_py_with = truth)] copy: bool,
        #[pyo3(from_py_with = truth)] track: bool,
        routing_id: Option<&Bound<'py, PyAny>>,
        group: Option<&Bound<'py, PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        no_groups(routing_id, group)?;
        let patience = Patience::to_send(flags, timeout)?;
        let done = slf.get().send_all(msg_parts, flags, copy, track, patience)?;
        Socket::tracker(slf, copy, done.ok_or_else(|| again(slf.py()))?)
    }

    /// Receives one part: `bytes` or, with `copy=False`, a `Frame`, which has the part without copying it.
    ///
    /// Waits for a message, at most `timeout` seconds (`float`) or, if that is None, as the option RCVTIMEO says; with the
    /// flag DONTWAIT not at all. Other threads run meanwhile, and signals are handled. Whether more parts follow is said by
    /// the option RCVMORE, or by the Frame's `more`.
    ///
    /// Raises Again when the time is over, ContextTerminated, ZMQError: EFSM if it is not the turn to receive, ENOTSUP for
    /// types that do not receive, ENOTSOCK.
    #[pyo3(signature = (flags=0, copy=true, track=false, *, timeout=None))]
    fn recv(
        slf: &Bound<'_, Self>,
        flags: i32,
        #[pyo3(from_py_with = truth)] copy: bool,
        #[pyo3(from_py_with = truth)] track: bool,
        timeout: Option<f64>,
    ) -> PyResult<Py<PyAny>> {
        let class = Socket::received_class(slf, copy)?;
        let patience = Patience::to_receive(flags, timeout)?;
        let part = slf.get().recv_one(slf.py(), patience, class.as_ref(), track)?;
        part.ok_or_else(|| again(slf.py()))
    }

    /// Receives all parts of a message, or those that are left: a list of `bytes` or, with `copy=False`, of `Frame`s.
    ///
    /// Waits as `recv` does, and raises what it raises.
    #[pyo3(signature = (flags=0, copy=true, track=false, *, timeout=None))]
    fn recv_multipart(
        slf: &Bound<'_, Self>,
        flags: i32,
        #[pyo3(from_py_with = truth)] copy: bool,
        #[pyo3(from_py_with = truth)] track: bool,
        timeout: Option<f64>,
    ) -> PyResult<Py<PyList>> {
        let class = Socket::received_class(slf, copy)?;
        let patience = Patience::to_receive(flags, timeout)?;
        let parts = slf.get().recv_all(slf.py(), patience, class.as_ref(), track)?;
        parts.ok_or_else(|| again(slf.py()))
    }

    /// Receives one part into a contiguous, writable buffer, into its first `nbytes` unless that is 0.
    ///
    /// Answers how many bytes the part had (`int`); those that there is no room for are lost. Waits as `recv` does, and
    /// raises what it raises; BufferError for another buffer, ValueError if it has no `nbytes` bytes.
    #[pyo3(signature = (buffer, /, *, nbytes=0, flags=0, timeout=None))]
    fn recv_into(
        &self,
        buffer: &Bound<'_, PyAny>,
        nbytes: isize,
        flags: i32,
        timeout: Option<f64>,
    ) -> PyResult<usize> {
        let patience = Patience::to_receive(flags, timeout)?;
        self.recv_to(buffer, nbytes, patience)?.ok_or_else(|| again(buffer.py()))
    }

    /// What the socket has carried and holds: a `dict`, with `peers`, a list of the same for each.
    ///
    /// Counts (`messages_sent`, `bytes_received`, `messages_dropped` ...) are since the socket was opened; those of peers
    /// also tell their queues. Times end in `_s` and are in seconds. Raises ZMQError: ENOTSOCK, ETERM.
    fn stats(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        let socket = self.open(py)?;
        let stats = unlocked(py, || socket.stats())?;
        crate::stats::dict(py, &stats)
    }
}
