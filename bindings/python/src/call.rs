//! Calls of Python code, and the interpreter that it runs in.
//!
//! Wherever Python code runs, another thread may take the GIL. A daemon thread that lost it while the interpreter ends
//! never gets it back: before Python 3.14 it is then ended where it is, by unwinding its stack, and the destructors of
//! Rust's frames would let go of objects without the GIL. Such a thread sleeps instead, as it does from 3.14 on, which is
//! what PyO3 has done when a thread comes back from waiting.

use std::hint::black_box;
use std::ptr;
use std::thread;

use pyo3::exceptions::PyImportError;
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyTuple};

// PyO3 declares them as functions that never unwind, and no destructor would run behind them. The compiler knows the one
// declaration by the other: it must not see which function is called.
unsafe extern "C-unwind" {
    fn PyObject_Call(
        callable: *mut PyObject,
        arguments: *mut PyObject,
        keywords: *mut PyObject,
    ) -> *mut PyObject;
    fn PyIter_Next(iterator: *mut PyObject) -> *mut PyObject;
}
type Call =
    unsafe extern "C-unwind" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> *mut PyObject;
type Next = unsafe extern "C-unwind" fn(*mut PyObject) -> *mut PyObject;

/// Sleeps for ever if the stack is unwound, unless that is for a panic.
struct Asleep;

impl Drop for Asleep {
    fn drop(&mut self) {
        while !thread::panicking() {
            thread::park();
        }
    }
}

/// Calls an object.
pub(crate) fn call<'py>(
    function: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let guard = Asleep;
    // SAFETY: both are objects, held by the caller; no keyword arguments are a null pointer.
    let answer = unsafe {
        black_box(PyObject_Call as Call)(function.as_ptr(), arguments.as_ptr(), ptr::null_mut())
    };
    std::mem::forget(guard);
    // SAFETY: the call answers a reference that is ours, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(function.py(), answer) }
}

/// Calls an object without arguments.
pub(crate) fn call0<'py>(function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    call(function, &PyTuple::empty(function.py()))
}

/// The next thing of an iterator.
pub(crate) fn next<'py>(iterator: &Bound<'py, PyIterator>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let guard = Asleep;
    // SAFETY: it is an iterator, held by the caller.
    let item = unsafe { black_box(PyIter_Next as Next)(iterator.as_ptr()) };
    std::mem::forget(guard);
    if item.is_null() {
        return PyErr::take(iterator.py()).map_or(Ok(None), Err);
    }
    // SAFETY: what is not null is a reference that is ours.
    Ok(Some(unsafe { Bound::from_owned_ptr(iterator.py(), item) }))
}

/// Refuses to be imported by a subinterpreter: classes and buffers that are given back belong to the main one.
pub(crate) fn refuse_other_interpreters() -> PyResult<()> {
    // SAFETY: the caller is attached to an interpreter, whose number is asked for.
    let number = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    if number == 0 {
        return Ok(());
    }
    Err(PyImportError::new_err("tightbeam works in the main interpreter only"))
}
