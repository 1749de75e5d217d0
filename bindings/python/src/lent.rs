//! Buffers of Python's that messages refer to.
//!
//! A message may outlive the call that sent it, and is dropped by whichever thread is done with it: an I/O thread, or
//! one that holds some lock of Python's. None of them may wait for the GIL. So whoever drops the last reference puts the
//! buffer on a list, without a lock, and asks the interpreter to call `give_back` when it gets to it; every call that
//! holds the GIL and deals with buffers empties the list, too.

use std::ffi::{c_int, c_void};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tightbeam::{PollItem, Readiness, poll};

use crate::error::runtime;
use crate::wait::{Deadline, unlocked};

/// What keeps borrowed bytes alive.
enum Keeper {
    Bytes { _object: Py<PyBytes> },
    View { _view: PyUntypedBuffer },
}

/// Bytes that belong to a Python object.
pub(crate) struct Borrowed {
    _keeper: Keeper,
    data: *const u8,
    len: usize,
}

// SAFETY: the bytes are only read, and they stay where they are while `_keeper` lives, which is dropped by a thread
// with the GIL only (`give_back`).
unsafe impl Send for Borrowed {}
// SAFETY: as above.
unsafe impl Sync for Borrowed {}

impl Borrowed {
    /// Borrows the bytes of any object with a contiguous buffer.
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Borrowed> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            let (data, len) = (bytes.as_bytes().as_ptr(), bytes.as_bytes().len());
            let keeper = Keeper::Bytes { _object: bytes.clone().unbind() };
            return Ok(Borrowed { _keeper: keeper, data, len });
        }
        let view = PyUntypedBuffer::get(object)?;
        if !view.is_c_contiguous() {
            return Err(PyBufferError::new_err("the buffer is not contiguous"));
        }
        let (data, len) = (view.buf_ptr().cast::<u8>().cast_const(), view.len_bytes());
        Ok(Borrowed { _keeper: Keeper::View { _view: view }, data, len })
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the object keeps `len` bytes at `data` for as long as it is held. Python code may write to them
        // meanwhile if the object allows it, as with any zero-copy send; nothing here depends on what they say.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
}

/// Bytes lent to a message; back on the list, and told to be done, when the message is.
pub(crate) struct Lent {
    borrowed: Option<Borrowed>,
    done: Option<Arc<State>>,
}

impl Lent {
    pub(crate) fn new(borrowed: Borrowed, done: Option<&Done>) -> Lent {
        Lent { borrowed: Some(borrowed), done: done.map(|done| Arc::clone(&done.state)) }
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        self.borrowed.as_ref().map_or(&[], Borrowed::bytes)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(borrowed) = self.borrowed.take() {
            put_on_list(borrowed);
        }
        if let Some(done) = &self.done {
            done.finish();
        }
    }
}

/// A buffer on the list, and the one that was put there before it.
struct Node {
    _borrowed: Borrowed,
    next: *mut Node,
}

static LIST: AtomicPtr<Node> = AtomicPtr::new(ptr::null_mut());
/// The interpreter is ending: it must not be called any more, and buffers go with the process.
static STOPPED: AtomicBool = AtomicBool::new(false);

fn put_on_list(borrowed: Borrowed) {
    let node = Box::into_raw(Box::new(Node { _borrowed: borrowed, next: ptr::null_mut() }));
    let mut head = LIST.load(Ordering::Relaxed);
    loop {
        // SAFETY: nobody else has the node before it is on the list.
        unsafe { (*node).next = head };
        match LIST.compare_exchange_weak(head, node, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => break,
            Err(other) => head = other,
        }
    }
    if head.is_null() && !STOPPED.load(Ordering::Acquire) {
        // SAFETY: this may be called by any thread, with or without the GIL. If there is no room for the call, the next
        // one of ours empties the list.
        unsafe { pyo3::ffi::Py_AddPendingCall(Some(pending_call), ptr::null_mut()) };
    }
}

extern "C" fn pending_call(_: *mut c_void) -> c_int {
    Python::attach(give_back);
    0
}

/// Gives back what is on the list.
pub(crate) fn give_back(_py: Python<'_>) {
    if LIST.load(Ordering::Relaxed).is_null() {
        return;
    }
    let mut node = LIST.swap(ptr::null_mut(), Ordering::Acquire);
    while !node.is_null() {
        // SAFETY: it came from `Box::into_raw`, and with the swap the whole chain became ours alone.
        let given = unsafe { Box::from_raw(node) };
        node = given.next;
    }
}

/// Copies bytes into a contiguous, writable buffer that has room for them.
pub(crate) fn copy_into(_py: Python<'_>, view: &PyUntypedBuffer, bytes: &[u8]) {
    assert!(bytes.len() <= view.len_bytes() && view.is_c_contiguous() && !view.readonly());
    // SAFETY: there is room, as just checked; the view keeps its memory in place, and received bytes lie elsewhere.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), view.buf_ptr().cast(), bytes.len()) }
}

/// Says that the interpreter is about to end.
#[pyfunction]
pub(crate) fn stop_returns(py: Python<'_>) {
    give_back(py);
    STOPPED.store(true, Ordering::Release);
}

/// Whether a message is done with its buffer.
struct State {
    done: AtomicBool,
    /// Made by whoever waits first: readable once it is done.
    bell: OnceLock<(UnixStream, UnixStream)>,
}

impl State {
    fn finish(&self) {
        self.done.store(true, Ordering::SeqCst);
        // Either this sees the bell, or whoever has made it sees that it is done.
        fence(Ordering::SeqCst);
        if let Some((ring, _)) = self.bell.get() {
            // A bell that rings already is as good.
            let _ = (&mut &*ring).write(&[1]);
        }
    }
}

/// Whether a message is done with the buffer that it was sent from.
#[pyclass(frozen, module = "tightbeam._native")]
pub(crate) struct Done {
    state: Arc<State>,
}

impl Done {
    pub(crate) fn new(done: bool) -> Done {
        let state = State { done: AtomicBool::new(done), bell: OnceLock::new() };
        Done { state: Arc::new(state) }
    }

    fn is_done(&self, py: Python<'_>) -> bool {
        let done = self.state.done.load(Ordering::SeqCst);
        give_back(py);
        done
    }
}

#[pymethods]
impl Done {
    /// True as soon as the buffer may be changed.
    fn is_set(&self, py: Python<'_>) -> bool {
        self.is_done(py)
    }

    /// Waits until the buffer may be changed, at most so many seconds; `None` is for ever. False if the time is over.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        if self.is_done(py) {
            return Ok(true);
        }
        let wait = timeout
            .map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX));
        let deadline = Deadline::after(wait);
        if self.state.bell.get().is_none() {
            let pair = UnixStream::pair()?;
            pair.0.set_nonblocking(true)?;
            // Somebody else may have been quicker.
            let _ = self.state.bell.set(pair);
        }
        fence(Ordering::SeqCst);
        let Some((_, bell)) = self.state.bell.get() else { return Err(runtime("no bell")) };
        if !self.is_done(py) {
            let wanted = Readiness { readable: true, writable: false };
            unlocked(py, || {
                poll(&mut [PollItem::raw_descriptor(bell.as_raw_fd(), wanted)], deadline.left())
            })?;
        }
        Ok(self.is_done(py))
    }
}
