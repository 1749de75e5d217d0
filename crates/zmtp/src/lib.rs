//! ZMTP, the wire protocol of ZeroMQ, without I/O, clock or threads.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing, clippy::unwrap_used)]

mod socket_type;

pub use socket_type::SocketType;
