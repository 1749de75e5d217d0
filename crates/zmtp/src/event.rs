//! What a connection tells its driver, and what the driver answers.

use std::fmt;

use crate::{SocketType, Version};

/// Something the driver must know or do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The handshake is complete; messages may flow.
    Ready(Peer),
    /// A verdict is needed: [`Connection::handle_verdict`](crate::Connection::handle_verdict).
    Authenticate(AuthRequest),
    /// The peer subscribed to this topic (RFC 37, "The Publish-Subscribe Pattern"). Only where the local
    /// socket is PUB or XPUB.
    Subscribe(Vec<u8>),
    /// The peer cancelled its subscription to this topic.
    Cancel(Vec<u8>),
    /// A part of a message with data before it has the form of a subscription, which peers may mean: the
    /// topic, and whether it is subscribed or cancelled. It stays in the message.
    Within(Vec<u8>, bool),
    /// So many messages of this read stand before the subscription that is reported next. Not said
    /// again before it changes; with each read it is 0. Only where the local socket is XPUB.
    MessagesBefore(u32),
    /// At least one PONG arrived since the last such event.
    Pong,
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The version that the connection speaks.
    pub version: Version,
    /// The type of the peer's socket; `None` where it did not say (1.0 cannot).
    pub socket_type: Option<SocketType>,
    /// The peer's routing id; empty if it has none.
    pub routing_id: Vec<u8>,
    /// The peer's metadata, names as it wrote them (compare without regard to case). A peer cannot set `User-Id` or
    /// `Peer-Address` itself.
    pub properties: Vec<(String, Vec<u8>)>,
    /// What the verdict added, among it `User-Id`.
    pub granted: Vec<(String, Vec<u8>)>,
    /// The name of the security mechanism.
    pub mechanism: &'static str,
}

impl Peer {
    /// The value of a property; names are compared without regard to case, and what the verdict added wins over what the
    /// peer said.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&[u8]> {
        let mut all = self.granted.iter().chain(&self.properties);
        let found = all.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_slice())
    }
}

/// What to put before the authentication handler (RFC 27, "Message Format").
#[derive(Clone, PartialEq, Eq)]
pub struct AuthRequest {
    /// The name of the security mechanism.
    pub mechanism: &'static str,
    /// The credential frames: none for NULL, name and password for PLAIN, for CURVE the permanent public
    /// key, of which it is proved that the peer has the secret one.
    pub credentials: Vec<Vec<u8>>,
    /// The peer's routing id, as far as it is known: a connecter that uses NULL, and a server of PLAIN,
    /// must decide before they have heard of it.
    pub routing_id: Vec<u8>,
}

/// Passwords are not shown.
impl fmt::Debug for AuthRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthRequest")
            .field("mechanism", &self.mechanism)
            .field("routing_id", &self.routing_id)
            .finish_non_exhaustive()
    }
}

/// The answer to [`Event::Authenticate`] (RFC 27, "Message Format").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Status 200: go on.
    Accept {
        /// The user id, which becomes the peer's property `User-Id`; `None` where nobody knows one.
        user_id: Option<Vec<u8>>,
        /// More properties for the peer; they win over what the peer says itself. A `User-Id` or `Peer-Address` among
        /// them is left out.
        properties: Vec<(String, Vec<u8>)>,
    },
    /// Status 300: close without a word; the peer tries again.
    Temporary,
    /// Any other status: the peer is told in an ERROR command and does not come back.
    Deny {
        /// The status, 400 or 500.
        status: u16,
    },
}

impl Verdict {
    /// Lets the peer in, as this user.
    #[must_use]
    pub fn accept(user_id: impl Into<Vec<u8>>) -> Verdict {
        Verdict::Accept { user_id: Some(user_id.into()), properties: Vec::new() }
    }

    /// Refuses the peer: status 400.
    #[must_use]
    pub const fn deny() -> Verdict {
        Verdict::Deny { status: 400 }
    }
}
