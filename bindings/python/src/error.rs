//! Errors as Python's exceptions, whose classes are defined in `tightbeam/error.py`.

use std::io;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tightbeam::Error;

use crate::call::call;

/// The exception for an error; `about` names the endpoint or the like that it is about.
#[cold]
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let detail = match error {
        // What the words of the errno say already.
        Error::WouldBlock(_) | Error::Busy | Error::Terminated | Error::Interrupted => None,
        _ => Some(error.to_string()),
    };
    from_errno(py, error.errno(), detail)
}

/// The exception for what would have to wait, and may not.
pub(crate) fn again(py: Python<'_>) -> PyErr {
    from_errno(py, libc::EAGAIN, None)
}

/// `tightbeam.error.make`.
static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The exception for an errno.
#[cold]
pub(crate) fn from_errno(py: Python<'_>, errno: i32, detail: Option<String>) -> PyErr {
    let make = MAKE.import(py, "tightbeam.error", "make");
    let arguments = (errno, detail).into_pyobject(py);
    match make.and_then(|make| call(make, &arguments?)) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// What can be raised where there is no errno.
pub(crate) fn runtime(text: &str) -> PyErr {
    PyRuntimeError::new_err(text.to_owned())
}

/// Shorter ways to say which exception a failure becomes.
pub(crate) trait OrRaise<T> {
    /// The value, or the exception for the error.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for tightbeam::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| exception(py, &error))
    }
}

/// The words (`str`) for an errno, the system's or libzmq's own.
#[pyfunction]
pub(crate) fn strerror(errno: i32) -> String {
    match errno {
        tightbeam::EFSM => "The socket cannot do this in its present state".to_owned(),
        tightbeam::ENOCOMPATPROTO => "The transport does not fit the type of the socket".to_owned(),
        tightbeam::ETERM => "The context was terminated".to_owned(),
        tightbeam::EMTHREAD => "The context has no I/O thread".to_owned(),
        _ => {
            let text = io::Error::from_raw_os_error(errno).to_string();
            let end = text.rfind(" (os error").unwrap_or(text.len());
            text[..end].to_owned()
        }
    }
}
