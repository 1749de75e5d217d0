//! What the test programs share.

pub mod bytes;
pub mod lounge;
pub mod paths;
pub mod peer;
pub mod proxy;
pub mod sockets;
pub mod speaker;
pub mod tamper;
pub mod transport;
