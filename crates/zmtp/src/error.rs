//! Errors that say whose fault it is and what happens next.

use std::fmt;

use crate::{SocketType, Version};

/// Why a connection ended. An error is final for its [`Connection`](crate::Connection).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The peer broke the protocol: close without a word.
    #[error("the peer broke the protocol: {0}")]
    Misbehaved(Violation),
    /// The peer is sound, but cannot talk to us.
    #[error("the peer is incompatible: {0}")]
    Incompatible(Incompatibility),
    /// The peer sent an ERROR command (RFC 37, "Error Handling"), with this reason.
    #[error("the peer refused the connection: {0}")]
    Refused(Reason),
    /// Our own verdict was to refuse the peer: the status of RFC 27, 300 being temporary.
    #[error("authentication refused the peer with status {0}")]
    Denied(u16),
    /// The peer was silent for too long.
    #[error("timed out: {0}")]
    TimedOut(Timeout),
    /// CURVE has no number left for another message.
    #[error("every nonce of the connection is used up")]
    NoncesExhausted,
    /// There are no random bytes for the keys of CURVE.
    #[error("the system has no random bytes")]
    NoRandomness,
    /// Our caller did what it must not.
    #[error("wrong use of the connection: {0}")]
    Misuse(Misuse),
}

impl Error {
    /// Whether connecting again with the same options is pointless. Where this is `false` (time-outs, a
    /// temporary refusal, what was altered on its way) the endpoint reconnects, as it does when the transport breaks.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            // Whoever can alter a byte on the way could silence a client of CURVE for good.
            Error::Misbehaved(Violation::Undecipherable | Violation::NonceOutOfOrder) => false,
            Error::Misbehaved(_)
            | Error::Incompatible(_)
            | Error::Refused(_)
            | Error::Misuse(_) => true,
            // Our own verdict on a peer that we connect to may be another one next time.
            Error::Denied(_)
            | Error::TimedOut(_)
            | Error::NoncesExhausted
            | Error::NoRandomness => false,
        }
    }

    /// The reason to give the peer in an ERROR command; `None` where the connection closes silently.
    pub(crate) fn reason_for_peer(&self) -> Option<Vec<u8>> {
        match self {
            Error::Incompatible(Incompatibility::SocketType { .. }) => {
                Some(b"Incompatible socket type".to_vec())
            }
            Error::Denied(status) if *status != TEMPORARY => Some(status.to_string().into_bytes()),
            _ => None,
        }
    }
}

/// The status for "try again later" (RFC 27, "Message Format").
pub(crate) const TEMPORARY: u16 = 300;

/// How a peer broke the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The first bytes are no greeting of any version.
    #[error("it does not speak ZMTP")]
    NotZmtp,
    /// A frame with a reserved flag bit set (RFC 37, "Framing").
    #[error("frame flags {0:#04x} have a reserved bit set")]
    ReservedFlags(u8),
    /// A command frame with the MORE bit (RFC 37, "Framing").
    #[error("a command with the MORE flag")]
    CommandWithMore,
    /// A length of 2^63 bytes or more (RFC 37, "Framing").
    #[error("a frame length of {0} bytes is out of range")]
    LengthOutOfRange(u64),
    /// A frame longer than `max_message_size`.
    #[error("a frame of {length} bytes is above the limit of {limit}")]
    MessageTooLarge {
        /// The length that the header claims, in bytes.
        length: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A command longer than commands may be.
    #[error("a command of {length} bytes is above the limit of {limit}")]
    CommandTooLarge {
        /// The length that the header claims, in bytes.
        length: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A subscription with a topic above the limit.
    #[error("a topic of {length} bytes is above the limit of {limit}")]
    TopicTooLong {
        /// The length of the topic in bytes.
        length: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A message of more frames than the limit.
    #[error("a message of more than {0} frames")]
    TooManyFrames(u32),
    /// A command whose name is missing, cut short or not made of letters (RFC 37, "Formal Grammar").
    #[error("a malformed command")]
    MalformedCommand,
    /// A command, known or not, that has no place at this point.
    #[error("a command out of turn")]
    UnexpectedCommand,
    /// A message before the handshake was complete.
    #[error("a message before the handshake was complete")]
    UnexpectedMessage,
    /// Metadata that does not parse (RFC 37, "The NULL Security Mechanism").
    #[error("malformed metadata")]
    MalformedMetadata,
    /// More metadata properties than the limit.
    #[error("more than {0} metadata properties")]
    TooManyProperties(usize),
    /// A routing id above 255 bytes, or of the form that a ROUTER makes up: a zero and four bytes (RFC 37, "The Identity Property").
    #[error("an invalid routing id")]
    InvalidRoutingId,
    /// An ERROR command that does not parse.
    #[error("a malformed ERROR command")]
    MalformedError,
    /// A HELLO command that does not parse (RFC 24; RFC 26, "The HELLO Command").
    #[error("a malformed HELLO command")]
    MalformedHello,
    /// A WELCOME command that does not parse (RFC 24; RFC 26, "The WELCOME Command").
    #[error("a malformed WELCOME command")]
    MalformedWelcome,
    /// An INITIATE command that does not parse (RFC 26, "The INITIATE Command").
    #[error("a malformed INITIATE command")]
    MalformedInitiate,
    /// A READY command of CURVE that does not parse (RFC 26, "The READY Command").
    #[error("a malformed READY command")]
    MalformedReady,
    /// A MESSAGE command that does not parse (RFC 26, "The MESSAGE Command").
    #[error("a malformed MESSAGE command")]
    MalformedMessage,
    /// A box that was not sealed for us, or was altered on its way: a wrong key, a forged cookie.
    #[error("a box that does not open")]
    Undecipherable,
    /// A number that is not above the one before: something was repeated, or came out of order (RFC 26,
    /// "The HELLO Command").
    #[error("a nonce that does not rise")]
    NonceOutOfOrder,
    /// A public key with which there can be no secret.
    #[error("a public key of low order")]
    InvalidKey,
    /// The owner of the client's permanent key says that he talks to somebody else, or with another transient key
    /// (RFC 26, "The INITIATE Command").
    #[error("a vouch that does not hold")]
    InvalidVouch,
    /// PING or PONG too short for its fields or with too long a context (RFC 37, "Connection
    /// Heartbeating").
    #[error("a malformed PING or PONG command")]
    MalformedHeartbeat,
    /// JOIN or LEAVE with a group above 255 bytes (RFC 37, "The Radio-Dish Pattern").
    #[error("a group of more than 255 bytes")]
    GroupTooLong,
}

/// Why a sound peer and we cannot talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Incompatibility {
    /// A peer too old for the security that is asked of it: ZMTP 1.0 and 2.0 know none (RFC 37,
    /// "Security Considerations", downgrade attacks).
    #[error("ZMTP {0} knows no security mechanisms, and one is required")]
    Downgrade(Version),
    /// The peer's greeting names another mechanism (RFC 37, "Authentication and Confidentiality").
    #[error("its security mechanism is not {ours}")]
    Mechanism {
        /// The mechanism that our greeting names.
        ours: &'static str,
    },
    /// The two socket types cannot be connected (RFC 28 to 31).
    #[error("a {ours} socket cannot talk to {}", PeerType(*.theirs))]
    SocketType {
        /// Our type.
        ours: SocketType,
        /// The peer's type; `None` if its name or number is not known here.
        theirs: Option<SocketType>,
    },
}

struct PeerType(Option<SocketType>);

impl fmt::Display for PeerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(socket_type) => write!(f, "a {socket_type} socket"),
            None => f.write_str("a socket of an unknown type"),
        }
    }
}

/// What the peer was too slow for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Timeout {
    /// The handshake was not complete within `handshake_timeout`.
    #[error("the handshake took too long")]
    Handshake,
    /// Nothing arrived within the time-out after a PING of ours.
    #[error("no sign of life after a PING")]
    Heartbeat,
    /// Nothing arrived within the time to live that the peer announced in its PING.
    #[error("no sign of life within the time to live that the peer announced")]
    PeerTtl,
}

/// What our caller did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// The routing id has more than 255 bytes, or is a zero and four bytes, as those that a ROUTER makes up.
    #[error("the routing id must have at most 255 bytes and not be a zero and four bytes")]
    RoutingId,
    /// A property has an invalid or reserved name, or is too long.
    #[error("a metadata property has an invalid name or is too long")]
    Property,
    /// The name or the password of PLAIN has more than 255 bytes.
    #[error("the name and the password must have at most 255 bytes each")]
    Credentials,
    /// The public key of the server is one with which there can be no secret.
    #[error("the key of the server is no public key")]
    ServerKey,
    /// A verdict that nobody asked for.
    #[error("a verdict that was not asked for")]
    UnexpectedVerdict,
    /// A large body handed in where none may be.
    #[error("a large body out of turn")]
    UnexpectedBody,
}

/// The reason in an ERROR command of the peer: at most 255 bytes, which may be anything.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Reason(Box<[u8]>);

impl Reason {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The bytes as they came.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Reason {
    /// Escapes what is not printable: the text may end up in a log or on a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Incompatibility, Misuse, Reason, TEMPORARY, Timeout, Violation};
    use crate::{SocketType, Version};

    #[test]
    fn errors_speak_in_words() {
        let socket_type = |theirs| {
            let ours = SocketType::Push;
            Error::Incompatible(Incompatibility::SocketType { ours, theirs })
        };
        let violation = Violation::MessageTooLarge { length: 11, limit: 10 };
        for (error, text) in [
            (
                Error::Misbehaved(violation),
                "the peer broke the protocol: a frame of 11 bytes is above the limit of 10",
            ),
            (
                socket_type(Some(SocketType::Sub)),
                "the peer is incompatible: a PUSH socket cannot talk to a SUB socket",
            ),
            (
                socket_type(None),
                "the peer is incompatible: a PUSH socket cannot talk to a socket of an unknown type",
            ),
            (
                Error::Incompatible(Incompatibility::Downgrade(Version::V1_0)),
                "the peer is incompatible: ZMTP 1.0 knows no security mechanisms, and one is required",
            ),
            (Error::Refused(Reason::new(b"\n")), "the peer refused the connection: \\n"),
            (Error::TimedOut(Timeout::Handshake), "timed out: the handshake took too long"),
        ] {
            assert_eq!(error.to_string(), text);
        }
        assert_eq!(format!("{:?}", Reason::new(b"a\0")), "\"a\\x00\"");
    }

    #[test]
    fn only_what_may_get_better_is_tried_again() {
        assert!(!Error::TimedOut(Timeout::Heartbeat).is_final());
        assert!(!Error::Denied(TEMPORARY).is_final() && !Error::Denied(400).is_final());
        assert!(!Error::Misbehaved(Violation::Undecipherable).is_final());
        assert!(!Error::NoncesExhausted.is_final() && !Error::NoRandomness.is_final());
        for error in [
            Error::Misbehaved(Violation::NotZmtp),
            Error::Incompatible(Incompatibility::Mechanism { ours: "NULL" }),
            Error::Refused(Reason::new(b"")),
            Error::Misuse(Misuse::RoutingId),
        ] {
            assert!(error.is_final());
        }
    }
}
