//! Proxies, which run in the calling thread until they are told to end.

use std::ffi::c_int;

use tightbeam::{AnySocket, Proxy};

use crate::entry::{Errno, Result, status};
use crate::raw::Handle;
use crate::slot::Entered;
use crate::socket::socket;

/// Passes messages between two sockets, and a copy of each to a third one, which may be NULL. Answers -1 with `ETERM` when the
/// context ends.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_proxy(frontend: Handle, backend: Handle, capture: Handle) -> c_int {
    status(|| run(frontend, backend, capture, Handle::NULL))
}

/// The same, obeying the commands that `control` receives. Answers 0 when it was told to end.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_proxy_steerable(
    frontend: Handle,
    backend: Handle,
    capture: Handle,
    control: Handle,
) -> c_int {
    status(|| run(frontend, backend, capture, control))
}

/// The old form of `zmq_proxy`; every type is the same.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_device(_type: c_int, frontend: Handle, backend: Handle) -> c_int {
    zmq_proxy(frontend, backend, Handle::NULL)
}

fn run(front: Handle, back: Handle, capture: Handle, control: Handle) -> Result<()> {
    if front.is_null() || back.is_null() {
        return Err(Errno(libc::EFAULT));
    }
    let (front, back) = (socket(front)?, socket(back)?);
    let (capture, control) = (optional(capture)?, optional(control)?);
    let mut proxy = Proxy::new(&*front, &*back);
    if let Some(capture) = &capture {
        proxy = proxy.capture(&**capture);
    }
    if let Some(control) = &control {
        proxy = proxy.control(&**control);
    }
    Ok(proxy.run()?)
}

fn optional(handle: Handle) -> Result<Option<Entered<'static, AnySocket>>> {
    if handle.is_null() { Ok(None) } else { socket(handle).map(Some) }
}
