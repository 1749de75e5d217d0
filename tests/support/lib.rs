//! What the test programs share.

pub mod bytes;
pub mod paths;
pub mod peer;
pub mod proxy;
pub mod sockets;
