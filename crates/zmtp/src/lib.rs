//! ZMTP, the wire protocol of ZeroMQ, without I/O, clock or threads.
//!
//! [`Connection`] is one end of one connection. The caller (the *driver*) moves the bytes and tells the
//! time: what arrives goes in through the `handle_*` methods, what must be done comes out of the
//! `poll_*` methods and [`Connection::take_transmit`]. The same bytes at the same times give the same
//! events, whatever the sizes of the reads.
//!
//! ```
//! use std::{sync::Arc, time::Instant};
//! use zmtp::{Config, Connection, Event, Role, SocketType};
//!
//! let now = Instant::now();
//! let mut push = Connection::new(Arc::new(Config::new(SocketType::Push, Role::Connecter)), now);
//! let mut pull = Connection::new(Arc::new(Config::new(SocketType::Pull, Role::Listener)), now);
//!
//! let (mut to_pull, mut to_push) = (Vec::new(), Vec::new());
//! while !(push.is_ready() && pull.is_ready()) {
//!     push.take_transmit(&mut to_pull);
//!     pull.take_transmit(&mut to_push);
//!     let consumed = pull.handle_read(now, &mut to_pull)?.consumed;
//!     to_pull.drain(..consumed);
//!     let consumed = push.handle_read(now, &mut to_push)?.consumed;
//!     to_push.drain(..consumed);
//! }
//! assert!(matches!(pull.poll_event(), Some(Event::Ready(peer))
//!     if peer.socket_type == Some(SocketType::Push)));
//! # Ok::<(), zmtp::Error>(())
//! ```
//!
//! The specifications are the RFCs at <https://rfc.zeromq.org>: 13, 15, 23 and 37 are ZMTP 1.0, 2.0, 3.0
//! and 3.1, 24 is PLAIN, 25 and 26 are CURVE.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing, clippy::unwrap_used)]

mod command;
mod config;
mod connection;
pub mod curve;
mod encoder;
mod error;
mod event;
mod frame;
mod frame_v1;
mod greeting;
mod mechanism;
mod metadata;
mod reader;
mod socket_type;
mod timers;
pub mod z85;

pub use config::{
    Config, CurveClientConfig, Heartbeat, Limits, MechanismConfig, PlainClientConfig, Role,
};
pub use connection::{Connection, Progress, Traffic, Transmit};
pub use encoder::{Encoder, append_subscription};
pub use error::{Error, Incompatibility, Misuse, Reason, Timeout, Violation};
pub use event::{AuthRequest, Event, Peer, Verdict};
pub use frame::{FrameHeader, Frames, encode_header};
pub use greeting::Version;
pub use metadata::parse_properties;
pub use socket_type::SocketType;
