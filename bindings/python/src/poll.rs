//! Waiting for several sockets and descriptors.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyList;
use tightbeam::{AnySocket, PollItem, Readiness, Wanted, poll};

use crate::call::call0;
use crate::socket::Socket;
use crate::wait::{Deadline, milliseconds, unlocked};

const POLLIN: i32 = 1;
const POLLOUT: i32 = 2;
const POLLERR: i32 = 4;
const POLLPRI: i32 = 8;

/// What a poll's flags want.
pub(crate) fn wanted(flags: i32) -> Wanted {
    let mut wanted = Wanted::default();
    wanted.ready.readable = flags & POLLIN != 0;
    wanted.ready.writable = flags & POLLOUT != 0;
    wanted.urgent = flags & POLLPRI != 0;
    wanted.failure = flags & POLLERR != 0;
    wanted
}

/// What was found, as flags.
pub(crate) fn bits(ready: Readiness) -> i32 {
    i32::from(ready.readable) * POLLIN + i32::from(ready.writable) * POLLOUT
}

enum Target<'py> {
    Socket(Bound<'py, Socket>),
    Descriptor(i32),
}

/// The same without the GIL.
#[derive(Clone, Copy)]
enum Polled<'a> {
    Socket(&'a AnySocket),
    Descriptor(i32),
}

fn target<'py>(object: &Bound<'py, PyAny>) -> PyResult<Target<'py>> {
    if let Ok(socket) = object.cast::<Socket>() {
        return Ok(Target::Socket(socket.clone()));
    }
    if let Ok(number) = object.extract::<i32>() {
        return Ok(Target::Descriptor(number));
    }
    let wrong = || {
        let shown = object.repr().map(|repr| repr.to_string()).unwrap_or_default();
        PyTypeError::new_err(format!(
            "Socket must be a 0MQ socket, an integer fd or have a fileno() method: {shown}"
        ))
    };
    let fileno = object.getattr("fileno").map_err(|_| wrong())?;
    call0(&fileno)?.extract::<i32>().map(Target::Descriptor).map_err(|_| wrong())
}

/// Waits until one of the sockets and descriptors has an event that is wanted of it, at most `timeout` milliseconds.
///
/// Takes pairs of a socket, a descriptor or what has `fileno()`, and flags of `PollEvent`; answers a list of those that
/// have events. None and negative numbers are for ever. Other threads run meanwhile, and signals are handled.
/// Raises ZMQError: ENOTSOCK if a socket is closed, ETERM; TypeError for what cannot be polled.
#[pyfunction]
#[pyo3(signature = (sockets, timeout=None), text_signature = "(sockets, timeout=-1)")]
pub(crate) fn zmq_poll(
    py: Python<'_>,
    sockets: &Bound<'_, PyAny>,
    timeout: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<(Py<PyAny>, i32)>> {
    let deadline = Deadline::after(milliseconds(timeout)?);
    let mut targets = Vec::new();
    for pair in sockets.try_iter()? {
        let pair = pair?;
        let (object, flags) = match pair.extract::<(Bound<'_, PyAny>, i32)>() {
            Ok(pair) => pair,
            Err(_) if pair.is_instance_of::<PyList>() && pair.len()? == 2 => {
                (pair.get_item(0)?, pair.get_item(1)?.extract()?)
            }
            Err(error) => return Err(error),
        };
        targets.push((target(&object)?, object, flags));
    }
    let mut polled = Vec::with_capacity(targets.len());
    for (target, _, flags) in &targets {
        let target = match target {
            Target::Socket(socket) => Polled::Socket(socket.get().open(py)?),
            Target::Descriptor(number) => Polled::Descriptor(*number),
        };
        polled.push((target, wanted(*flags)));
    }
    let found = unlocked(py, || {
        let items = polled.iter().map(|&(target, wanted)| match target {
            Polled::Socket(socket) => PollItem::socket(socket, wanted.ready),
            Polled::Descriptor(number) => PollItem::raw_descriptor(number, wanted),
        });
        let mut items: Vec<PollItem<'_>> = items.collect();
        poll(&mut items, deadline.left())?;
        let flags = items.iter().map(|item| {
            let bit = |bit, is_set| if is_set { bit } else { 0 };
            bits(item.ready()) | bit(POLLPRI, item.urgent()) | bit(POLLERR, item.failed())
        });
        Ok(flags.collect::<Vec<i32>>())
    })?;
    let mut ready = Vec::new();
    for ((target, object, _), flags) in targets.into_iter().zip(found) {
        if flags != 0 {
            let object = match target {
                Target::Socket(_) => object.unbind(),
                Target::Descriptor(number) => number.into_pyobject(py)?.into_any().unbind(),
            };
            ready.push((object, flags));
        }
    }
    Ok(ready)
}
