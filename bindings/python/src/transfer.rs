//! Sending and receiving.

use pyo3::exceptions::{PyBufferError, PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};
use tightbeam::Message;

use crate::call::next;
use crate::frame::Frame;
use crate::lent::{Borrowed, Done, Lent, give_back};
use crate::socket::Socket;
use crate::wait::{Patience, patiently, receive, without_gil};

/// From so many bytes up it is worth keeping the caller's object instead of copying.
pub(crate) const COPY_THRESHOLD: usize = 65_536;

const SNDMORE: i32 = 2;

/// What is to be sent.
enum Part<'a> {
    /// Copied into the queue.
    Bytes(&'a [u8]),
    Frame(tightbeam::Frame),
}

/// How parts become frames, and what tells when the messages are done with them.
struct Lending {
    copy: bool,
    threshold: usize,
}

impl Lending {
    /// A part from a Python object, and what tells when it is done, unless it is at once.
    fn frame(
        &self,
        object: &Bound<'_, PyAny>,
        track: bool,
    ) -> PyResult<(tightbeam::Frame, Option<Py<Done>>)> {
        let py = object.py();
        if let Ok(frame) = object.cast::<Frame>() {
            let frame = frame.get();
            let done = frame.done().map(|done| done.clone_ref(py));
            if track && !self.copy && done.is_none() {
                return Err(PyValueError::new_err("Not a tracked message"));
            }
            return Ok((frame.to_send(), done));
        }
        let borrowed = Borrowed::new(object)?;
        let len = borrowed.bytes().len();
        // Bytes never change: keeping them is as good as a copy.
        let lend = len >= self.threshold && (!self.copy || object.is_instance_of::<PyBytes>());
        if !lend {
            return Ok((tightbeam::Frame::copy_from(borrowed.bytes()), None));
        }
        let done = (track && !self.copy).then(|| Py::new(py, Done::new(false))).transpose()?;
        let lent = Lent::new(borrowed, done.as_ref().map(|done| done.get()));
        Ok((tightbeam::Frame::from_owner(lent), done))
    }
}

fn not_text(object: &Bound<'_, PyAny>) -> PyResult<()> {
    if object.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err("unicode not allowed, use send_string"));
    }
    Ok(())
}

/// What does not give a buffer, as pyzmq says it.
fn no_buffer(index: usize, part: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    if error.is_instance_of::<PyBufferError>(part.py())
        || error.is_instance_of::<PyValueError>(part.py())
    {
        return error;
    }
    let shown = part.repr().map(|repr| repr.to_string()).unwrap_or_default();
    let shown: String = shown.chars().take(32).collect();
    PyTypeError::new_err(format!("Frame {index} ({shown}) does not support the buffer interface."))
}

impl Socket {
    /// Sends one part. Answers what tells when it is done, if it is to be tracked; none if there is no room, and no
    /// patience.
    ///
    /// Whoever waited for the message before this one is likely to wait for the next: so a send that follows goes without
    /// the GIL, for it may wake a thread of this process, which would only sleep again until it gets the GIL.
    pub(crate) fn send_one(
        &self,
        data: &Bound<'_, PyAny>,
        flags: i32,
        copy: bool,
        track: bool,
        patience: Patience,
    ) -> PyResult<Option<Option<Py<Done>>>> {
        let py = data.py();
        give_back(py);
        let socket = self.open(py)?;
        let more = flags & SNDMORE != 0;
        let threshold = self.threshold();
        let mut done = None;
        let part = match data.cast::<PyBytes>() {
            Ok(bytes) if bytes.as_bytes().len() < threshold && !more => {
                Part::Bytes(bytes.as_bytes())
            }
            _ => {
                not_text(data)?;
                let frame;
                (frame, done) = Lending { copy, threshold }.frame(data, track)?;
                Part::Frame(frame)
            }
        };
        let attempt = |timing| match &part {
            Part::Bytes(bytes) => socket.send_slice(bytes, Some(timing)),
            Part::Frame(frame) => socket.send_part(frame, more, Some(timing)),
        };
        let sent = if self.pace().take_waited() {
            without_gil(py, socket, patience, attempt)?
        } else {
            patiently(py, socket, patience, attempt)?
        };
        Ok(sent.map(|()| done))
    }

    /// Sends all parts of a message at once. Answers what tells when each is done, if they are to be tracked.
    pub(crate) fn send_all(
        &self,
        parts: &Bound<'_, PyAny>,
        flags: i32,
        copy: bool,
        track: bool,
        patience: Patience,
    ) -> PyResult<Option<Vec<Py<Done>>>> {
        let py = parts.py();
        give_back(py);
        let lending = Lending { copy, threshold: self.threshold() };
        let (mut frames, mut dones) = (Vec::new(), Vec::new());
        let parts = parts.try_iter()?;
        while let Some(part) = next(&parts)? {
            let index = frames.len();
            let (frame, done) =
                lending.frame(&part, track).map_err(|error| no_buffer(index, &part, error))?;
            frames.push(frame);
            dones.extend(done);
        }
        if frames.is_empty() {
            return Err(PyIndexError::new_err("a message has at least one part"));
        }
        let socket = self.open(py)?;
        if flags & SNDMORE != 0 {
            for frame in &frames {
                let sent = patiently(py, socket, patience, |timing| {
                    socket.send_part(frame, true, Some(timing))
                })?;
                if sent.is_none() {
                    return Ok(None);
                }
            }
            return Ok(Some(dones));
        }
        let mut message = Message::multipart(frames);
        let attempt = |timing| {
            let whole = std::mem::take(&mut message);
            socket.send_timing(whole, Some(timing)).map_err(|refused| {
                message = refused.message;
                refused.error
            })
        };
        let sent = if self.pace().take_waited() {
            without_gil(py, socket, patience, attempt)?
        } else {
            patiently(py, socket, patience, attempt)?
        };
        Ok(sent.map(|()| dones))
    }

    /// Receives one part, as bytes or as a frame of the given class; none if there is none, and no patience.
    pub(crate) fn recv_one(
        &self,
        py: Python<'_>,
        patience: Patience,
        frame_class: Option<&Bound<'_, PyAny>>,
        track: bool,
    ) -> PyResult<Option<Py<PyAny>>> {
        let socket = self.open(py)?;
        let part =
            receive(py, socket, patience, self.pace(), |timing| socket.recv_part(Some(timing)))?;
        part.map(|part| part_object(py, part, frame_class, track)).transpose()
    }

    /// Receives all parts of a message, or those that are left.
    pub(crate) fn recv_all(
        &self,
        py: Python<'_>,
        patience: Patience,
        frame_class: Option<&Bound<'_, PyAny>>,
        track: bool,
    ) -> PyResult<Option<Py<PyList>>> {
        let socket = self.open(py)?;
        let message =
            receive(py, socket, patience, self.pace(), |timing| socket.recv_timing(Some(timing)))?;
        let Some(message) = message else { return Ok(None) };
        let parts = message.into_frames();
        let last = parts.len().saturating_sub(1);
        let list = PyList::empty(py);
        for (index, mut part) in parts.into_iter().enumerate() {
            part.set_more(index < last);
            list.append(part_object(py, part, frame_class, track)?)?;
        }
        Ok(Some(list.unbind()))
    }

    /// Receives one part into a writable buffer. Answers how long the part was; what there is no room for is lost.
    pub(crate) fn recv_to(
        &self,
        buffer: &Bound<'_, PyAny>,
        nbytes: isize,
        patience: Patience,
    ) -> PyResult<Option<usize>> {
        let py = buffer.py();
        let socket = self.open(py)?;
        let view = pyo3::buffer::PyUntypedBuffer::get(buffer)?;
        if view.readonly() {
            return Err(PyBufferError::new_err("the buffer is read-only"));
        }
        if !view.is_c_contiguous() {
            return Err(PyBufferError::new_err("the buffer is not contiguous"));
        }
        let room = match usize::try_from(nbytes) {
            Ok(0) => view.len_bytes(),
            Ok(room) if room <= view.len_bytes() => room,
            _ => {
                return Err(PyValueError::new_err(format!(
                    "{nbytes} bytes do not fit into a buffer of {}",
                    view.len_bytes()
                )));
            }
        };
        let part =
            receive(py, socket, patience, self.pace(), |timing| socket.recv_part(Some(timing)))?;
        Ok(part.map(|part| {
            crate::lent::copy_into(py, &view, &part[..part.len().min(room)]);
            part.len()
        }))
    }
}

/// A part that was received, as Python has it.
fn part_object(
    py: Python<'_>,
    part: tightbeam::Frame,
    frame_class: Option<&Bound<'_, PyAny>>,
    track: bool,
) -> PyResult<Py<PyAny>> {
    let Some(class) = frame_class else {
        return Ok(PyBytes::new(py, &part).into_any().unbind());
    };
    // What was received is done already.
    let done = track.then(|| Py::new(py, Done::new(true))).transpose()?;
    Frame::received(part, done, class)
}
