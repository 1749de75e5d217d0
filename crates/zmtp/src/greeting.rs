//! Greetings and version negotiation (RFC 37, "Version Negotiation" and "Backwards Interoperability").

use std::fmt;

use crate::{Config, SocketType};

/// A version of ZMTP that a connection can speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// ZMTP 1.0 (RFC 13), libzmq 2.
    V1_0,
    /// ZMTP 2.0 (RFC 15), libzmq 3.
    V2_0,
    /// ZMTP 3.0 (RFC 23), libzmq 4.0 and 4.1.
    V3_0,
    /// ZMTP 3.1 (RFC 37) and whatever comes after it.
    V3_1,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Version::V1_0 => "1.0",
            Version::V2_0 => "2.0",
            Version::V3_0 => "3.0",
            Version::V3_1 => "3.1",
        })
    }
}

/// The length of the signature, which is all that is sent before the peer has shown its version.
pub(crate) const SIGNATURE_LEN: usize = 10;
/// The length of a 3.x greeting after the signature and the major version.
pub(crate) const REST_LEN: usize = 53;
/// The version that we announce.
pub(crate) const MAJOR: u8 = 3;
const MINOR: u8 = 1;
const MECHANISM_LEN: usize = 20;

/// The signature, which a 1.0 peer reads as the header of a long identity frame.
pub(crate) fn signature(routing_id: &[u8]) -> [u8; SIGNATURE_LEN] {
    let length = u64::try_from(routing_id.len()).unwrap_or(0).saturating_add(1);
    let [a, b, c, d, e, f, g, h] = length.to_be_bytes();
    [0xff, a, b, c, d, e, f, g, h, 0x7f]
}

/// What follows the major version in our 3.1 greeting.
pub(crate) fn append_rest(config: &Config, out: &mut Vec<u8>) {
    let end = out.len() + REST_LEN;
    out.push(MINOR);
    out.extend(mechanism_field(config.mechanism.name()));
    out.push(u8::from(config.mechanism.as_server()));
    out.resize(end, 0);
}

/// The name of a mechanism, padded as in the greeting.
fn mechanism_field(name: &str) -> [u8; MECHANISM_LEN] {
    let mut field = [0; MECHANISM_LEN];
    for (to, from) in field.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    field
}

/// The part of a peer's 3.x greeting that follows the major version. The filler means nothing.
pub(crate) struct Rest {
    minor: u8,
    mechanism: [u8; MECHANISM_LEN],
}

impl Rest {
    pub(crate) const fn parse(bytes: &[u8; REST_LEN]) -> Option<Self> {
        let Some((&[minor], bytes)) = bytes.split_first_chunk::<1>() else { return None };
        let Some((&mechanism, _)) = bytes.split_first_chunk::<MECHANISM_LEN>() else { return None };
        Some(Self { minor, mechanism })
    }

    /// The version to speak with a peer that announced `major`; later ones than ours must cope with
    /// ours (RFC 37, "Version Negotiation").
    pub(crate) const fn version(&self, major: u8) -> Version {
        if major == MAJOR && self.minor == 0 { Version::V3_0 } else { Version::V3_1 }
    }

    pub(crate) fn names(&self, mechanism: &str) -> bool {
        self.mechanism == mechanism_field(mechanism)
    }
}

/// The number of a socket type in a 2.0 greeting. XPUB and XSUB are known only as PUB and SUB there
/// (RFC 15, "Publish-Subscribe").
pub(crate) const fn socket_type_number(socket_type: SocketType) -> u8 {
    match socket_type {
        SocketType::Pair => 0,
        SocketType::Pub | SocketType::XPub => 1,
        SocketType::Sub | SocketType::XSub => 2,
        SocketType::Req => 3,
        SocketType::Rep => 4,
        SocketType::Dealer => 5,
        SocketType::Router => 6,
        SocketType::Pull => 7,
        SocketType::Push => 8,
        SocketType::Stream => 11,
    }
}

/// The socket type with a number of a 2.0 greeting; libzmq 3 uses 9 and 10 for XPUB and XSUB.
pub(crate) fn socket_type_from_number(number: u8) -> Option<SocketType> {
    SocketType::ALL.get(usize::from(number)).copied()
}
