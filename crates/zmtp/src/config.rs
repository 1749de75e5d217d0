//! What a connection is told before it starts.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::curve::{self, Keypair, PublicKey};
use crate::error::{Error, Misuse};
use crate::{SocketType, metadata};

/// Everything that connections of one endpoint have in common.
#[derive(Debug, Clone)]
pub struct Config {
    /// The type of the local socket.
    pub socket_type: SocketType,
    /// Whether this end connected or listened.
    pub role: Role,
    /// Sent as `Identity` by REQ, DEALER and ROUTER, and to 1.0 and 2.0 peers as the identity frame;
    /// 0 to 255 bytes, not starting with a zero.
    pub routing_id: Vec<u8>,
    /// Metadata of the application, `X-...` (RFC 37, "Connection Metadata").
    pub properties: Vec<(String, Vec<u8>)>,
    /// The security mechanism.
    pub mechanism: MechanismConfig,
    /// Whether to ask for a [`Verdict`](crate::Verdict) before the handshake completes (RFC 27). A
    /// server of PLAIN asks always, clients of PLAIN and CURVE never.
    pub authenticate: bool,
    /// Where the keys and nonces of CURVE come from. Whoever can guess what it answers can read all
    /// that is sent: anything but [`curve::system_random`] is for tests.
    pub random: curve::Random,
    /// The longest frame body that messages may have, in bytes; `None` for no limit. It does not
    /// apply to the commands of the handshake.
    pub max_message_size: Option<u64>,
    /// Bounds on what a peer may make us hold.
    pub limits: Limits,
    /// How long the handshake may take from [`Connection::new`](crate::Connection::new) on.
    pub handshake_timeout: Option<Duration>,
    /// Whether and how to send PING to peers of 3.0 and later.
    pub heartbeat: Option<Heartbeat>,
}

impl Config {
    /// NULL security, no metadata, no limit on messages, 30 s for the handshake, no heartbeats.
    #[must_use]
    pub fn new(socket_type: SocketType, role: Role) -> Self {
        Self {
            socket_type,
            role,
            routing_id: Vec::new(),
            properties: Vec::new(),
            mechanism: MechanismConfig::Null,
            authenticate: false,
            random: curve::system_random,
            max_message_size: None,
            limits: Limits::default(),
            handshake_timeout: Some(Duration::from_secs(30)),
            heartbeat: None,
        }
    }

    /// Checks what would make the connection unable to shake hands.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the routing id, a property, or a name or password of PLAIN is not valid. A connection with such a
    /// configuration fails with the same error at its first call.
    pub fn validate(&self) -> Result<(), Error> {
        if !metadata::is_valid_routing_id(&self.routing_id) {
            return Err(Error::Misuse(Misuse::RoutingId));
        }
        let valid = |(name, value): &(String, Vec<u8>)| {
            metadata::is_valid_property(name.as_bytes(), value)
                && !metadata::is_reserved(name.as_bytes())
        };
        let length: usize = self.properties.iter().map(|(n, v)| n.len() + v.len() + 5).sum();
        if !self.properties.iter().all(valid) || length > Limits::READY_PROPERTIES {
            return Err(Error::Misuse(Misuse::Property));
        }
        if let MechanismConfig::PlainClient(plain) = &self.mechanism
            && (plain.username.len() > 255 || plain.password.len() > 255)
        {
            return Err(Error::Misuse(Misuse::Credentials));
        }
        Ok(())
    }

    /// Whether subscriptions are meant for the local socket.
    pub(crate) const fn publishes(&self) -> bool {
        matches!(self.socket_type, SocketType::Pub | SocketType::XPub)
    }

    /// Whether a peer that knows no security at all must be refused (RFC 37, "Detecting ZMTP 1.0 and
    /// 2.0 Peers").
    pub(crate) const fn requires_security(&self) -> bool {
        self.authenticate || !matches!(self.mechanism, MechanismConfig::Null)
    }
}

/// Which end of the connection this is; security mechanisms call the listener their server unless
/// configured otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// This end connected.
    Connecter,
    /// This end listened.
    Listener,
}

/// The security mechanism and its secrets. Which end is the client has nothing to do with which of them
/// connected.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum MechanismConfig {
    /// No authentication and no confidentiality (RFC 37, "The NULL Security Mechanism").
    Null,
    /// A client of PLAIN (RFC 24).
    PlainClient(PlainClientConfig),
    /// A server of PLAIN. It accepts nobody without a [`Verdict`](crate::Verdict).
    PlainServer,
    /// A client of CURVE (RFC 25 and 26).
    CurveClient(CurveClientConfig),
    /// A server of CURVE, with its permanent keys.
    CurveServer(Keypair),
}

/// What a client of PLAIN says: at most 255 bytes each. The password is wiped when it is dropped.
#[derive(Clone)]
pub struct PlainClientConfig {
    /// The name of the user.
    pub username: Vec<u8>,
    /// The password.
    pub password: Zeroizing<Vec<u8>>,
}

impl PlainClientConfig {
    /// A name and a password.
    #[must_use]
    pub fn new(username: impl Into<Vec<u8>>, password: impl Into<Vec<u8>>) -> Self {
        Self { username: username.into(), password: Zeroizing::new(password.into()) }
    }
}

impl std::fmt::Debug for PlainClientConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlainClientConfig").finish_non_exhaustive()
    }
}

/// What a client of CURVE must know.
#[derive(Debug, Clone)]
pub struct CurveClientConfig {
    /// Its permanent keys.
    pub keypair: Keypair,
    /// The permanent public key of the server.
    pub server: PublicKey,
}

impl MechanismConfig {
    /// The name in the greeting.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            MechanismConfig::Null => "NULL",
            MechanismConfig::PlainClient(_) | MechanismConfig::PlainServer => "PLAIN",
            MechanismConfig::CurveClient(_) | MechanismConfig::CurveServer(_) => "CURVE",
        }
    }

    /// The as-server field of the greeting; for NULL it must be zero (RFC 37, "The NULL Security
    /// Mechanism").
    pub(crate) const fn as_server(&self) -> bool {
        matches!(self, MechanismConfig::PlainServer | MechanismConfig::CurveServer(_))
    }

    pub(crate) const fn is_plain(&self) -> bool {
        matches!(self, MechanismConfig::PlainClient(_) | MechanismConfig::PlainServer)
    }

    /// Whether this end may send ERROR; clients shall not (RFC 26, "Overall Operation of CurveZMQ").
    pub(crate) const fn may_refuse(&self) -> bool {
        matches!(self, MechanismConfig::Null) || self.as_server()
    }
}

/// Bounds on what a peer may make us hold or do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest command during the handshake, and in traffic for all but subscriptions, in bytes.
    pub handshake_command: u64,
    /// The most properties in the metadata of a peer.
    pub properties: usize,
    /// The most frames in one message.
    pub frames_per_message: u32,
    /// The longest context of a PING or PONG in bytes.
    pub ping_context: usize,
    /// The longest topic of a subscription in bytes.
    pub topic: u64,
}

impl Limits {
    /// What our own properties may add to READY, in bytes: half of what peers like us accept.
    const READY_PROPERTIES: usize = 32 * 1024;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake_command: 64 * 1024,
            properties: 256,
            frames_per_message: 65_536,
            ping_context: 16,
            topic: 64 * 1024 * 1024,
        }
    }
}

/// When to send PING and when to give a silent peer up (RFC 37, "Connection Heartbeating").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// The time between two PINGs; zero sends none.
    pub interval: Duration,
    /// How long after a PING something must arrive; zero waits for ever.
    pub timeout: Duration,
    /// What our PING asks the peer to hold us to: it should close if nothing arrives for so long.
    /// Rounded down to tenths of a second, at most 6553.5 s; zero asks for nothing.
    pub ttl: Duration,
}
