//! The native part of the Python module `tightbeam`: contexts, sockets and frames over the Rust API.
//!
//! What is here is what must be fast or must hold no lock while it waits; names, aliases and conveniences are in
//! `python/tightbeam`. Two rules hold everywhere:
//!
//! * A thread that holds the GIL does not wait: it tries first, then lets go of the GIL and waits (`wait`).
//! * A buffer of Python's that a message refers to is given back by a thread that holds the GIL anyway: whoever is
//!   done with it only puts it on a list (`lent`).

mod auth;
mod call;
mod certificates;
mod context;
mod error;
mod event_loop;
mod frame;
mod keys;
mod lent;
mod options;
mod pace;
mod poll;
mod proxy;
mod socket;
mod stats;
mod transfer;
mod wait;

use pyo3::prelude::*;

/// The native part of `tightbeam`.
#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    call::refuse_other_interpreters()?;
    module.add_class::<context::Context>()?;
    module.add_class::<context::Watch>()?;
    module.add_class::<socket::Socket>()?;
    module.add_class::<auth::Authenticator>()?;
    module.add_class::<frame::Frame>()?;
    module.add_class::<lent::Done>()?;
    module.add_function(wrap_pyfunction!(poll::zmq_poll, module)?)?;
    module.add_function(wrap_pyfunction!(event_loop::send_now, module)?)?;
    module.add_function(wrap_pyfunction!(event_loop::send_multipart_now, module)?)?;
    module.add_function(wrap_pyfunction!(event_loop::recv_now, module)?)?;
    module.add_function(wrap_pyfunction!(event_loop::recv_multipart_now, module)?)?;
    module.add_function(wrap_pyfunction!(event_loop::recv_into_now, module)?)?;
    module.add_function(wrap_pyfunction!(event_loop::loop_descriptors, module)?)?;
    module.add_function(wrap_pyfunction!(event_loop::expect, module)?)?;
    module.add_function(wrap_pyfunction!(event_loop::turn, module)?)?;
    module.add_function(wrap_pyfunction!(event_loop::moment, module)?)?;
    module.add_function(wrap_pyfunction!(proxy::proxy, module)?)?;
    module.add_function(wrap_pyfunction!(proxy::proxy_steerable, module)?)?;
    module.add_function(wrap_pyfunction!(keys::curve_keypair, module)?)?;
    module.add_function(wrap_pyfunction!(keys::curve_public, module)?)?;
    module.add_function(wrap_pyfunction!(keys::z85_encode, module)?)?;
    module.add_function(wrap_pyfunction!(keys::z85_decode, module)?)?;
    module.add_function(wrap_pyfunction!(certificates::certificate_read, module)?)?;
    module.add_function(wrap_pyfunction!(certificates::certificate_create, module)?)?;
    module.add_function(wrap_pyfunction!(error::strerror, module)?)?;
    module.add_function(wrap_pyfunction!(lent::stop_returns, module)?)?;
    module.add_function(wrap_pyfunction!(options::option_table, module)?)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
