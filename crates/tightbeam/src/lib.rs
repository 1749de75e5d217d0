//! ZeroMQ in pure Rust: messaging sockets that connect programs directly, without a broker, over ZMTP 3.1.
//!
//! ```
//! use tightbeam::{Context, Rep, Req};
//!
//! let context = Context::new();
//! let server = context.socket::<Rep>()?;
//! let client = context.socket::<Req>()?;
//! client.connect(server.bind("tcp://127.0.0.1:*")?)?;
//! std::thread::spawn(move || {
//!     while let Ok(request) = server.recv() {
//!         server.send(request)?;
//!     }
//!     Ok::<(), tightbeam::Error>(())
//! });
//! assert_eq!(client.request("hello")?, "hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | types | |
//! |---|---|
//! | [`Req`], [`Rep`] | a request and its reply, in strict turn |
//! | [`Dealer`], [`Router`] | the same without the turns: a router sees and names its peers |
//! | [`Push`], [`Pull`] | work handed out in turn, results collected |
//! | [`Pub`], [`Sub`] | everybody gets what they subscribed to, by prefix |
//! | [`XPub`], [`XSub`] | the same, with the subscriptions as messages: what proxies are made of |
//! | [`Pair`] | two, and nobody else, send to each other |
//! | [`Stream`] | bytes to and from programs that speak no ZMTP |
//!
//! Endpoints are `tcp://host:port`, `ipc://path` and, within a context, `inproc://name`. Over a network peers may have to
//! show who they are, and what is said may be encrypted: [`auth`], [`curve`].
//!
//! * A [`Context`] holds [`Socket`]s. Both may be shared between threads; every method takes `&self`.
//! * Connections are made, and made again, in the background. Messages wait in queues with a limit for
//!   each peer, the high-water mark ([`set_send_hwm`](SocketBase::set_send_hwm)): there PUSH, DEALER,
//!   REQ and PAIR wait, and PUB and ROUTER drop and count.
//! * A [`Message`] is one or more [`Frame`]s and travels as a whole.
//! * Receiving and sending wait, wait for a time, do not wait, or are futures for any executor;
//!   [`poll`] and [`Poller`] wait for several sockets and descriptors, [`Timers`] fit beside them.
//! * A [`Proxy`] passes messages between two sockets. A [`Monitor`] tells what happens to connections,
//!   [`stats`](SocketBase::stats) what was carried and is held.
//! * Options have typed setters in [`SocketBase`], and libzmq's names and numbers in [`options`].
//! * Dropping a socket never waits; what is queued is still sent for as long as it
//!   [lingers](SocketBase::set_linger). [`Context::term`] waits for that.
#![deny(unsafe_code)]

pub mod auth;
mod connection;
mod context;
pub mod curve;
mod endpoint;
mod error;
#[allow(unsafe_code)]
mod message;
mod monitor;
pub mod options;
mod pattern;
mod pipe;
mod proxy;
mod reactor;
mod session;
mod socket;
#[allow(unsafe_code)]
mod sys;
mod terms;
mod timers;
mod transport;
mod zap;

pub use context::{Context, ContextStats, Handle, WeakContext};
pub use endpoint::Endpoint;
pub use error::{EFSM, EMTHREAD, ENOCOMPATPROTO, ETERM, Error, Result};
pub use message::{BadGroup, Frame, Message, OutOfMemory, Peer};
pub use monitor::{EventKind, Monitor, MonitorEvent, NextEvent, ProtocolError};
pub use pipe::Traffic;
pub use proxy::{Proxy, ProxyHandle, ProxySide, ProxyStats};
pub use socket::{
    AnySocket, Copied, Counters, Dealer, LoopWatch, Pair, PeerStats, PollEvent, PollItem,
    PollWaker, Poller, Pub, Pull, Push, Readiness, Receives, RecvFuture, Rep, Req, Router,
    SendError, SendFuture, Sends, Socket, SocketBase, SocketStats, Stream, Sub, Timing, Typed,
    Unsent, Wanted, XPub, XSub, poll, ppoll,
};
#[cfg(feature = "futures")]
pub use socket::{MessageSink, Messages};
pub use sys::SignalMask;
// For the C library, whose handles stand on them, too: not for applications.
#[doc(hidden)]
pub use sys::barrier;
pub use timers::{TimerId, Timers};
pub use zmtp::{SocketType, z85};
