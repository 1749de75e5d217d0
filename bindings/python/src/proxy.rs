//! Proxies, which run in the calling thread.

use pyo3::prelude::*;
use tightbeam::Proxy;

use crate::socket::Socket;
use crate::wait::unlocked;

/// Passes messages between two sockets, and a copy of each to a third, until the context ends.
///
/// Runs in the calling thread; other threads run meanwhile, and signals are handled: what a handler raises ends it.
/// Raises ContextTerminated in the end, ZMQError with ENOTSOCK if a socket is closed.
#[pyfunction]
#[pyo3(signature = (frontend, backend, capture=None))]
pub(crate) fn proxy(
    py: Python<'_>,
    frontend: &Socket,
    backend: &Socket,
    capture: Option<&Socket>,
) -> PyResult<()> {
    proxy_steerable(py, frontend, backend, capture, None)
}

/// As `proxy`, obeying the commands PAUSE, RESUME, TERMINATE and STATISTICS that a fourth socket receives.
///
/// It returns after TERMINATE. STATISTICS is answered with eight parts of 8 bytes.
#[pyfunction]
#[pyo3(signature = (frontend, backend, capture=None, control=None))]
pub(crate) fn proxy_steerable(
    py: Python<'_>,
    frontend: &Socket,
    backend: &Socket,
    capture: Option<&Socket>,
    control: Option<&Socket>,
) -> PyResult<()> {
    let (front, back) = (frontend.open(py)?, backend.open(py)?);
    let mut proxy = Proxy::new(front, back);
    if let Some(capture) = capture {
        proxy = proxy.capture(capture.open(py)?);
    }
    if let Some(control) = control {
        proxy = proxy.control(control.open(py)?);
    }
    unlocked(py, || proxy.run())
}
