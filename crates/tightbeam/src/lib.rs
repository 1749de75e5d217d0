//! ZeroMQ in pure Rust: brokerless messaging sockets over ZMTP 3.1.
#![deny(unsafe_code)]

mod error;

pub use error::{EFSM, EMTHREAD, ETERM, Error, Result};
pub use zmtp::SocketType;
