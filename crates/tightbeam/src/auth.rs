//! Authentication: who may connect.
//!
//! A server of PLAIN or CURVE, and a socket of NULL with a ZAP domain, has every peer judged before a message flows: by
//! what [`Context::set_authenticator`](crate::Context::set_authenticator) installed, or else by the handler of RFC 27
//! that is bound to `inproc://zeromq.zap.01`. Connections within a process are not judged.
//!
//! ```
//! use tightbeam::auth::{Credentials, Request, Verdict};
//! use tightbeam::{Context, Pull, Push};
//!
//! let context = Context::new();
//! context.set_authenticator(|request: &Request| match &request.credentials {
//!     Credentials::Plain { username, password } if **password == *b"secret" => Verdict::accept(username.clone()),
//!     _ => Verdict::deny(),
//! });
//! let server = context.socket::<Pull>()?;
//! server.set_plain_server(true)?;
//! let endpoint = server.bind("tcp://127.0.0.1:*")?;
//!
//! let client = context.socket::<Push>()?;
//! client.set_plain_client("ada", "secret")?;
//! client.connect(&endpoint)?;
//! client.send("hello")?;
//! let message = server.recv()?;
//! assert_eq!(message.frames()[0].peer().and_then(|peer| peer.get("User-Id")), Some("ada"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod authenticator;
mod password;
mod rules;

use std::fmt;

pub use self::authenticator::Authenticator;
use zeroize::Zeroizing;
pub use zmtp::Verdict;
use zmtp::curve::PublicKey;

/// Judges peers. Closures are authenticators, too.
pub trait Authenticate: Send + Sync + 'static {
    /// Whether this peer may come in.
    ///
    /// It is called on the thread that happens to drive the socket, an I/O thread of the context or one of the
    /// application's that waits in a call, from several threads at the same time, and without any lock. Until it
    /// returns, that thread serves nobody else: whoever has to ask elsewhere should bind a handler of RFC 27 instead.
    /// One that panics has refused this attempt.
    fn authenticate(&self, request: &Request) -> Verdict;
}

impl<F: Fn(&Request) -> Verdict + Send + Sync + 'static> Authenticate for F {
    fn authenticate(&self, request: &Request) -> Verdict {
        self(request)
    }
}

/// What is known of a peer that wants to come in (RFC 27, "Message Format").
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// ZAP_DOMAIN of the socket; empty if it has none.
    pub domain: Vec<u8>,
    /// The peer's address without the port; over ipc `localhost:`, its user, group and process.
    pub address: String,
    /// The peer's routing id, as far as it is known: a server of PLAIN, and a client of NULL, must judge before the
    /// peer says it.
    pub routing_id: Vec<u8>,
    /// What the peer shows.
    pub credentials: Credentials,
}

/// What a peer shows of itself. Passwords are wiped when they are dropped.
#[derive(Clone)]
#[non_exhaustive]
pub enum Credentials {
    /// Nothing.
    Null,
    /// A name and a password (RFC 24).
    Plain {
        /// The name.
        username: Vec<u8>,
        /// The password.
        password: Zeroizing<Vec<u8>>,
    },
    /// Its permanent public key (RFC 26): it is proved that the peer has the secret one.
    Curve(PublicKey),
}

impl Credentials {
    /// The name of the mechanism.
    #[must_use]
    pub fn mechanism(&self) -> &'static str {
        match self {
            Credentials::Null => "NULL",
            Credentials::Plain { .. } => "PLAIN",
            Credentials::Curve(_) => "CURVE",
        }
    }
}

/// Credentials are not shown.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("domain", &String::from_utf8_lossy(&self.domain))
            .field("address", &self.address)
            .field("routing_id", &self.routing_id)
            .field("mechanism", &self.credentials.mechanism())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(self.mechanism()).finish_non_exhaustive()
    }
}
