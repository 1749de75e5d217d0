//! Frames as Python objects, with the buffer protocol.

use std::cell::UnsafeCell;
use std::ffi::c_int;
use std::ptr::NonNull;
use std::sync::OnceLock;

use pyo3::exceptions::{PyBufferError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::call::call0;
use crate::error::from_errno;
use crate::lent::{Borrowed, Done, Lent, give_back};
use crate::wait::truth;

/// The options of a message.
const MORE: i32 = 1;
const SRCFD: i32 = 2;
const SHARED: i32 = 3;

/// One part of a message.
///
/// `data` is a contiguous buffer, or None for an empty part. It is not copied if `copy` is False, or None and it has
/// `copy_threshold` bytes. Raises TypeError for what is no buffer, BufferError for one that is not contiguous.
#[pyclass(subclass, frozen, weakref, module = "tightbeam._native")]
pub(crate) struct Frame {
    /// An empty part has none.
    content: OnceLock<Content>,
}

struct Content {
    /// Where the bytes may be that views write to.
    frame: UnsafeCell<tightbeam::Frame>,
    /// Where a body lies that is outside the frame and may be written to.
    heap: Option<NonNull<u8>>,
    writable: bool,
    done: Option<Py<Done>>,
}

// SAFETY: the frame's fields are never changed once it is made. Its bytes are written to by Python code only, which
// holds a view of them and takes care of its own races, as with a bytearray.
unsafe impl Send for Content {}
// SAFETY: as above.
unsafe impl Sync for Content {}

static EMPTY: tightbeam::Frame = tightbeam::Frame::new();

impl Content {
    /// A frame that was received, whose bytes become its own.
    fn received(mut frame: tightbeam::Frame, done: Option<Py<Done>>) -> Content {
        // Small parts share what they were read into; without memory for a copy they stay as they are.
        let body = frame.try_make_mut().ok().map(|body| NonNull::from(body).cast());
        let writable = body.is_some();
        let heap = body.filter(|_| !frame.is_inline());
        Content { frame: UnsafeCell::new(frame), heap, writable, done }
    }

    fn get(&self) -> &tightbeam::Frame {
        // SAFETY: nobody changes the frame itself.
        unsafe { &*self.frame.get() }
    }
}

impl Frame {
    fn of(content: Content) -> Frame {
        Frame { content: OnceLock::from(content) }
    }

    /// A received frame as an object of `class`, which is `Frame` or made from it.
    pub(crate) fn received(
        frame: tightbeam::Frame,
        done: Option<Py<Done>>,
        class: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let object = call0(class)?;
        let filled = object.cast::<Frame>()?.get().content.set(Content::received(frame, done));
        if filled.is_err() {
            return Err(PyTypeError::new_err("the class makes frames that are not empty"));
        }
        Ok(object.unbind())
    }

    /// The same frame, sharing a body that lies outside it.
    pub(crate) fn to_send(&self) -> tightbeam::Frame {
        let mut frame = self.get().clone();
        frame.set_more(false);
        frame.set_peer(None);
        frame
    }

    fn get(&self) -> &tightbeam::Frame {
        self.content.get().map_or(&EMPTY, Content::get)
    }

    pub(crate) fn done(&self) -> Option<&Py<Done>> {
        self.content.get().and_then(|content| content.done.as_ref())
    }

    fn property(&self, py: Python<'_>, name: &str) -> PyResult<String> {
        let text = self.get().peer().and_then(|peer| peer.get_c_str(name));
        match text {
            Some(text) => Ok(text.to_string_lossy().into_owned()),
            None => Err(from_errno(py, libc::EINVAL, Some(format!("no property {name:?}")))),
        }
    }
}

#[pymethods]
impl Frame {
    #[new]
    #[pyo3(signature = (data=None, track=false, copy=None, copy_threshold=None))]
    fn new(
        py: Python<'_>,
        data: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = truth)] track: bool,
        copy: Option<&Bound<'_, PyAny>>,
        copy_threshold: Option<usize>,
    ) -> PyResult<Frame> {
        let Some(data) = data.filter(|data| !data.is_none()) else {
            return Ok(Frame { content: OnceLock::new() });
        };
        if data.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("a str is not allowed, only bytes and buffers"));
        }
        give_back(py);
        let borrowed = Borrowed::new(data)?;
        let threshold = copy_threshold.unwrap_or(crate::transfer::COPY_THRESHOLD);
        let copy = copy.filter(|copy| !copy.is_none()).map(truth).transpose()?;
        let copy = copy.unwrap_or(borrowed.bytes().len() < threshold);
        let done = track.then(|| Py::new(py, Done::new(copy))).transpose()?;
        if copy {
            let frame = tightbeam::Frame::copy_from(borrowed.bytes());
            return Ok(Frame::of(Content::received(frame, done)));
        }
        let lent = Lent::new(borrowed, done.as_ref().map(|done| done.get()));
        let frame = tightbeam::Frame::from_owner(lent);
        let frame = UnsafeCell::new(frame);
        Ok(Frame::of(Content { frame, heap: None, writable: false, done }))
    }

    /// A copy of the body (`bytes`).
    #[getter]
    fn bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.get())
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.bytes(py)
    }

    fn __len__(&self) -> usize {
        self.get().len()
    }

    /// Whether another part of the same message follows (`bool`).
    #[getter]
    fn more(&self) -> bool {
        self.get().more()
    }

    #[getter]
    fn _done(&self, py: Python<'_>) -> Option<Py<Done>> {
        self.done().map(|done| done.clone_ref(py))
    }

    /// An option by a member of `MessageOption` (an `int`), or a property of the peer that sent it by its name (a `str`).
    ///
    /// `Peer-Address`, `User-Id`, `Socket-Type`, `Identity` are such properties. Raises ZMQError with EINVAL for what
    /// there is not.
    #[pyo3(name = "get")]
    fn option(&self, py: Python<'_>, option: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        if let Ok(name) = option.extract::<String>() {
            return Ok(self.property(py, &name)?.into_pyobject(py)?.into_any().unbind());
        }
        if let Ok(name) = option.cast::<PyBytes>() {
            let name = String::from_utf8_lossy(name.as_bytes()).into_owned();
            return Ok(self.property(py, &name)?.into_pyobject(py)?.into_any().unbind());
        }
        let number = option.extract::<i32>()?;
        let value = match number {
            MORE => Some(self.get().more().into()),
            SRCFD => self.get().peer().and_then(tightbeam::Peer::descriptor),
            SHARED => Some(self.get().is_shared().into()),
            _ => None,
        };
        let value = value.ok_or_else(|| from_errno(py, libc::EINVAL, None))?;
        Ok(value.into_pyobject(py)?.into_any().unbind())
    }

    /// Another object of the same class with the same body.
    fn fast_copy(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let object = call0(slf.get_type().as_any())?;
        let Some(content) = slf.get().content.get() else { return Ok(object.unbind()) };
        let copied = Content {
            frame: UnsafeCell::new(content.get().clone()),
            heap: content.heap,
            writable: content.writable,
            done: content.done.as_ref().map(|done| done.clone_ref(slf.py())),
        };
        if object.cast::<Frame>()?.get().content.set(copied).is_err() {
            return Err(PyTypeError::new_err("the class makes frames that are not empty"));
        }
        Ok(object.unbind())
    }

    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let this = slf.get();
        if view.is_null() {
            return Err(PyBufferError::new_err("there is no view"));
        }
        let content = this.content.get();
        let data = match content.and_then(|content| content.heap) {
            Some(data) => data.as_ptr(),
            None => this.get().as_ptr().cast_mut(),
        };
        let writable = content.is_none_or(|content| content.writable);
        let len = this.get().len() as ffi::Py_ssize_t;
        // SAFETY: the view is the interpreter's and not null. The bytes stay where they are while the object lives, of
        // which the view gets a reference: the object does not move, and nothing in it is ever replaced.
        let filled = unsafe {
            ffi::PyBuffer_FillInfo(
                view,
                slf.as_ptr(),
                data.cast(),
                len,
                c_int::from(!writable),
                flags,
            )
        };
        if filled < 0 { Err(PyErr::fetch(slf.py())) } else { Ok(()) }
    }
}
