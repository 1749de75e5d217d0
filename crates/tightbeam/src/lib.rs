//! ZeroMQ in pure Rust: brokerless messaging sockets over ZMTP 3.1.
#![deny(unsafe_code)]

mod connection;
mod context;
mod endpoint;
mod error;
#[allow(unsafe_code)]
mod message;
mod monitor;
pub mod options;
mod pattern;
mod pipe;
mod reactor;
mod session;
mod socket;
#[allow(unsafe_code)]
mod sys;
mod terms;
mod transport;

pub use context::{Context, ContextStats, Handle};
pub use endpoint::Endpoint;
pub use error::{EFSM, EMTHREAD, ETERM, Error, Result};
pub use message::{BadGroup, Frame, Message, OutOfMemory, Peer};
pub use monitor::{EventKind, Monitor, MonitorEvent};
pub use pipe::Traffic;
pub use socket::{
    AnySocket, Copied, Dealer, PeerStats, PollItem, Pub, Pull, Push, Readiness, Receives,
    RecvFuture, Rep, Req, Router, SendError, SendFuture, Sends, Socket, SocketBase, SocketStats,
    Sub, Timing, Typed, poll,
};
pub use zmtp::SocketType;
