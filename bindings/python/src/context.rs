//! Contexts as Python objects.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use tightbeam::options::number::context::{IO_THREADS, THREAD_NAME_PREFIX};
use tightbeam::{Error, WeakContext};

use crate::auth::Authenticator;
use crate::error::{OrRaise, exception, runtime};
use crate::wait::unlocked;

/// The native part of a context.
#[pyclass(subclass, frozen, weakref, module = "tightbeam._native")]
pub(crate) struct Context {
    inner: OnceLock<tightbeam::Context>,
    closed: AtomicBool,
}

impl Context {
    pub(crate) fn open(&self) -> PyResult<&tightbeam::Context> {
        let open = self.inner.get().filter(|_| !self.closed.load(Ordering::Acquire));
        open.ok_or_else(|| runtime("Context has been destroyed"))
    }
}

#[pymethods]
impl Context {
    /// Subclasses may take any arguments; `_open` is called by `__init__`.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Context {
        Context { inner: OnceLock::new(), closed: AtomicBool::new(false) }
    }

    /// Makes the context, or shares that of another object.
    fn _open(&self, py: Python<'_>, io_threads: i32, shadow: Option<&Context>) -> PyResult<()> {
        let made = match shadow {
            Some(other) => other.open()?.clone(),
            None => {
                let made = tightbeam::Context::new();
                made.set_option(IO_THREADS, io_threads).or_raise(py)?;
                made
            }
        };
        self.inner.set(made).map_err(|_| runtime("the context was made already"))
    }

    /// Whether the context was ended through this object (`bool`).
    #[getter]
    fn closed(&self) -> bool {
        self.inner.get().is_none() || self.closed.load(Ordering::Acquire)
    }

    /// Ends every wait in the context's sockets with ContextTerminated; from now on they can only be closed.
    ///
    /// Does not wait. Raises RuntimeError if the context has ended.
    fn shutdown(&self, py: Python<'_>) -> PyResult<()> {
        let context = self.open()?;
        py.detach(|| context.shutdown());
        Ok(())
    }

    /// What looks at the context without keeping it.
    fn _watch(&self) -> PyResult<Watch> {
        Ok(Watch { context: self.open()?.downgrade() })
    }

    /// Waits until all sockets are closed and have sent what they linger for, and ends the context.
    fn _term(&self, py: Python<'_>) -> PyResult<()> {
        let Ok(context) = self.open() else { return Ok(()) };
        unlocked(py, || match context.term() {
            // A forked child has nothing to wait for.
            Err(Error::Forked) => Ok(()),
            ended => ended,
        })?;
        self.closed.store(true, Ordering::Release);
        Ok(())
    }

    /// Has every peer that must be authenticated judged by an `Authenticator`, in place of a handler of ZAP.
    ///
    /// None takes it back. Holds for connections that follow. Raises RuntimeError if the context has ended.
    #[pyo3(signature = (authenticator))]
    fn set_authenticator(
        &self,
        py: Python<'_>,
        authenticator: Option<&Authenticator>,
    ) -> PyResult<()> {
        let context = self.open()?;
        let rules = authenticator.map(|authenticator| authenticator.rules.clone());
        py.detach(|| match rules {
            Some(rules) => context.set_authenticator(rules),
            None => context.remove_authenticator(),
        });
        Ok(())
    }

    /// Reads an option, by a member of `ContextOption` or its number: an `int`, or a `str` for THREAD_NAME_PREFIX.
    ///
    /// Raises ZMQError with EINVAL if there is no such option, RuntimeError if the context has ended.
    fn get(&self, py: Python<'_>, option: i32) -> PyResult<Py<PyAny>> {
        let context = self.open()?;
        if option == THREAD_NAME_PREFIX {
            let text = unlocked(py, || context.text_option(option))?;
            return Ok(text.into_pyobject(py)?.into_any().unbind());
        }
        let value = unlocked(py, || context.option(option))?;
        Ok(value.into_pyobject(py)?.into_any().unbind())
    }

    /// Sets an option, by a member of `ContextOption` or its number, to an `int`, or a `str` for THREAD_NAME_PREFIX.
    ///
    /// IO_THREADS and what concerns threads hold if they are set before the first socket is opened. Raises ZMQError with
    /// EINVAL, TypeError, OverflowError; RuntimeError if the context has ended.
    fn set(&self, py: Python<'_>, option: i32, optval: &Bound<'_, PyAny>) -> PyResult<()> {
        let context = self.open()?;
        if let (THREAD_NAME_PREFIX, Ok(text)) = (option, optval.extract::<String>()) {
            return unlocked(py, || context.set_text_option(option, &text));
        }
        let value = optval.extract::<i32>()?;
        context.set_option(option, value).map_err(|error| exception(py, &error))
    }
}

/// A context, also one that is collected and still sends, looked at from outside.
#[pyclass(frozen, module = "tightbeam._native")]
pub(crate) struct Watch {
    context: WeakContext,
}

#[pymethods]
impl Watch {
    /// Whether the context and all its sockets have ended.
    #[getter]
    fn gone(&self) -> bool {
        self.context.upgrade().is_none()
    }

    /// What would be lost with the process: the type of a socket, its endpoint, and how many messages wait there.
    fn unsent(&self, py: Python<'_>) -> Vec<(i32, String, usize)> {
        let unsent = py.detach(|| self.context.upgrade().map(|context| context.unsent()));
        let told = unsent.into_iter().flatten().map(|unsent| {
            let endpoint = unsent.endpoint.map(|endpoint| endpoint.to_string());
            (unsent.socket_type as i32, endpoint.unwrap_or_default(), unsent.messages)
        });
        told.collect()
    }
}
