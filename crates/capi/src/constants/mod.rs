//! The numbers of the interface, by subject. They become `#define`s of `zmq.h`.

#![allow(missing_docs)] // each is described where it is used, and at `tightbeam::options::number`

mod context;
mod devices;
pub mod errors;
mod events;
mod flags;
mod message;
mod options;
pub mod own;
mod poll;
mod types;
mod values;
mod version;

pub use context::*;
pub use devices::*;
pub use events::*;
pub use flags::*;
pub use message::*;
pub use options::*;
pub use poll::*;
pub use types::*;
pub use values::*;
pub use version::*;

use std::ffi::c_short;

use tightbeam::Readiness;

/// What is ready, as a poll's bits.
pub(crate) fn poll_bits(ready: Readiness) -> c_short {
    let bit = |bit, is_set| if is_set { bit } else { 0 };
    bit(ZMQ_POLLIN, ready.readable) | bit(ZMQ_POLLOUT, ready.writable)
}
