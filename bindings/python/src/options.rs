//! Options of sockets as Python values.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyFloat, PyString};
use tightbeam::AnySocket;
use tightbeam::options::{Kind, OptionSpec, OwnedValue, TABLE};

use crate::error::from_errno;
use crate::wait::unlocked;

fn spec(py: Python<'_>, option: i32) -> PyResult<&'static OptionSpec> {
    let at = TABLE.binary_search_by_key(&option, OptionSpec::number);
    let row = at.ok().and_then(|at| TABLE.get(at));
    row.ok_or_else(|| from_errno(py, libc::EINVAL, Some(format!("no option {option}"))))
}

/// Sets an option to an `int` or `bytes`, whichever it takes.
pub(crate) fn set(socket: &AnySocket, option: i32, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = value.py();
    if value.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err("unicode not allowed, use setsockopt_string"));
    }
    let spec = spec(py, option)?;
    let value = match spec.kind() {
        Kind::Text { .. } | Kind::Bytes { .. } | Kind::Key => OwnedValue::Bytes(bytes_of(value)?),
        Kind::Ids | Kind::Int { .. } | Kind::Bool | Kind::Flag | Kind::Truth => {
            OwnedValue::Int(int_of(value)?)
        }
        Kind::Int64 { .. } => OwnedValue::Int64(int_of(value)?),
        // A mask: -1 is all bits.
        Kind::UInt64 => OwnedValue::UInt64(match int_of::<i64>(value) {
            Ok(mask) => mask.cast_unsigned(),
            Err(_) => int_of(value)?,
        }),
    };
    unlocked(py, || socket.set_option(option, value.as_value()))
}

fn bytes_of(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    match crate::lent::Borrowed::new(value) {
        Ok(borrowed) => Ok(borrowed.bytes().to_vec()),
        Err(_) => Err(PyTypeError::new_err(format!("expected bytes, got: {}", value.repr()?))),
    }
}

fn int_of<'py, T: FromPyObject<'py, 'py>>(value: &'py Bound<'py, PyAny>) -> PyResult<T> {
    let number = if value.is_instance_of::<PyFloat>() { None } else { Some(value.extract::<T>()) };
    match number {
        Some(Ok(number)) => Ok(number),
        Some(Err(error)) => {
            let error: PyErr = error.into();
            if error.is_instance_of::<pyo3::exceptions::PyOverflowError>(value.py()) {
                return Err(error);
            }
            Err(PyTypeError::new_err(format!("expected int, got: {}", value.repr()?)))
        }
        None => Err(PyTypeError::new_err(format!("expected int, got: {}", value.repr()?))),
    }
}

/// Reads an option.
pub(crate) fn get(py: Python<'_>, socket: &AnySocket, option: i32) -> PyResult<Py<PyAny>> {
    let spec = spec(py, option)?;
    let value = unlocked(py, || socket.option(option))?;
    Ok(match value {
        OwnedValue::Int(value) => value.into_pyobject(py)?.into_any().unbind(),
        OwnedValue::Int64(value) => value.into_pyobject(py)?.into_any().unbind(),
        OwnedValue::UInt64(value) => value.into_pyobject(py)?.into_any().unbind(),
        OwnedValue::Bytes(key) if matches!(spec.kind(), Kind::Key) => {
            let text = tightbeam::z85::encode(&key).unwrap_or_default();
            PyBytes::new(py, text.as_bytes()).into_any().unbind()
        }
        OwnedValue::Bytes(value) => PyBytes::new(py, &value).into_any().unbind(),
    })
}

/// The options of sockets: name, number, the type of the value, and whether it can be set and read.
#[pyfunction]
pub(crate) fn option_table() -> Vec<(&'static str, i32, &'static str, bool, bool)> {
    use tightbeam::options::Access;
    let rows = TABLE.iter().map(|row| {
        let kind = match row.kind() {
            Kind::Text { .. } | Kind::Bytes { .. } | Kind::Key => "bytes",
            _ => "int",
        };
        let (set, get) = (row.access() != Access::Get, row.access() != Access::Set);
        (row.name(), row.number(), kind, set, get)
    });
    rows.collect()
}
