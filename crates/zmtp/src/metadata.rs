//! Metadata: the properties in READY and INITIATE (RFC 37, "The NULL Security Mechanism" and
//! "Connection Metadata").

use crate::error::{Error, Incompatibility, Violation};
use crate::reader::Reader;
use crate::{Config, SocketType};

pub(crate) const SOCKET_TYPE: &str = "Socket-Type";
pub(crate) const IDENTITY: &str = "Identity";
pub(crate) const USER_ID: &str = "User-Id";
/// Set by the driver of a connection, as libzmq does.
const PEER_ADDRESS: &str = "Peer-Address";

/// What a peer says about itself.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) socket_type: Option<SocketType>,
    pub(crate) routing_id: Vec<u8>,
    pub(crate) properties: Vec<(String, Vec<u8>)>,
    /// What the verdict on it added.
    pub(crate) granted: Vec<(String, Vec<u8>)>,
}

impl Metadata {
    /// Parses the metadata of a peer and checks that its socket type fits ours.
    pub(crate) fn parse(config: &Config, bytes: &[u8]) -> Result<Self, Error> {
        const MALFORMED: Error = Error::Misbehaved(Violation::MalformedMetadata);
        let mut metadata = Metadata::default();
        let mut identity = None;
        let mut reader = Reader::new(bytes);
        while !reader.is_empty() {
            let (name, value) = property(&mut reader).ok_or(MALFORMED)?;
            if name.eq_ignore_ascii_case(SOCKET_TYPE) {
                let known = SocketType::from_name(value);
                if metadata.socket_type.is_some() {
                    return Err(MALFORMED);
                }
                check_pairing(config, known)?;
                metadata.socket_type = known;
            } else if name.eq_ignore_ascii_case(IDENTITY) && identity.replace(value).is_some() {
                return Err(MALFORMED);
            }
            if is_local(name.as_bytes()) {
                continue;
            }
            if metadata.properties.len() >= config.limits.properties {
                let limit = config.limits.properties;
                return Err(Error::Misbehaved(Violation::TooManyProperties(limit)));
            }
            metadata.properties.push((name.to_owned(), value.to_vec()));
        }
        if let Some(identity) = identity.filter(|_| announces_identity(metadata.socket_type)) {
            metadata.routing_id = routing_id(identity)?;
        }
        Ok(metadata)
    }

    /// Adds the properties of a verdict.
    pub(crate) fn with(self, granted: Vec<(String, Vec<u8>)>) -> Self {
        Self { granted, ..self }
    }
}

/// Refuses a peer of a type that ours may not talk to; `None` is a type that we do not know.
pub(crate) fn check_pairing(config: &Config, theirs: Option<SocketType>) -> Result<(), Error> {
    let ours = config.socket_type;
    if theirs.is_some_and(|theirs| ours.may_talk_to(theirs)) {
        return Ok(());
    }
    Err(Error::Incompatible(Incompatibility::SocketType { ours, theirs }))
}

/// The routing id that a peer announced, if it may be one.
pub(crate) fn routing_id(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    if is_valid_routing_id(bytes) {
        Ok(bytes.to_vec())
    } else {
        Err(Error::Misbehaved(Violation::InvalidRoutingId))
    }
}

/// At most 255 bytes, and not of the form that a ROUTER makes up, which no peer may claim. Other ids that begin with a zero are
/// reserved by RFC 37, too, but libzmq takes them, and programs use them: numbers of two bytes, say.
pub(crate) fn is_valid_routing_id(bytes: &[u8]) -> bool {
    bytes.len() <= 255 && !matches!(bytes, [0, _, _, _, _])
}

/// Whether a property can be written as such.
pub(crate) fn is_valid_property(name: &[u8], value: &[u8]) -> bool {
    is_valid_name(name) && name.len() <= 255 && i32::try_from(value.len()).is_ok()
}

/// Whether the application may not set this property itself.
pub(crate) fn is_reserved(name: &[u8]) -> bool {
    let protocol = [SOCKET_TYPE, IDENTITY];
    is_local(name) || protocol.iter().any(|p| name.eq_ignore_ascii_case(p.as_bytes()))
}

/// Whether this property says what *we* know of the peer. A peer that sends it wants to be taken for
/// somebody else.
pub(crate) fn is_local(name: &[u8]) -> bool {
    [USER_ID, PEER_ADDRESS].iter().any(|p| name.eq_ignore_ascii_case(p.as_bytes()))
}

/// The RFC allows letters, digits and `-_.+`. Applications of libzmq, which checks nothing, may use
/// more; what is not printable is refused.
fn is_valid_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| (b' '..=b'~').contains(byte))
}

/// Whether an Identity property means anything (RFC 37, "The Identity Property").
const fn announces_identity(socket_type: Option<SocketType>) -> bool {
    matches!(socket_type, None | Some(SocketType::Req | SocketType::Dealer | SocketType::Router))
}

/// The properties in metadata (RFC 37, "Connection Metadata"), in their order; `None` if it is malformed, or there are
/// more than `most`.
#[must_use]
pub fn parse_properties(bytes: &[u8], most: usize) -> Option<Vec<(String, Vec<u8>)>> {
    let mut properties = Vec::new();
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        let (name, value) = property(&mut reader).filter(|_| properties.len() < most)?;
        properties.push((name.to_owned(), value.to_vec()));
    }
    Some(properties)
}

fn property<'a>(reader: &mut Reader<'a>) -> Option<(&'a str, &'a [u8])> {
    let name = reader.short_string().filter(|name| is_valid_name(name))?;
    let length = i32::try_from(reader.u32()?).ok()?;
    let value = reader.take(usize::try_from(length).ok()?)?;
    Some((std::str::from_utf8(name).ok()?, value))
}

/// Appends our own metadata.
pub(crate) fn append(config: &Config, out: &mut Vec<u8>) {
    append_property(SOCKET_TYPE, config.socket_type.name().as_bytes(), out);
    if announces_identity(Some(config.socket_type)) {
        append_property(IDENTITY, &config.routing_id, out);
    }
    for (name, value) in &config.properties {
        append_property(name, value, out);
    }
}

/// Appends one property; [`Config::validate`] has seen to it that it fits.
fn append_property(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.push(u8::try_from(name.len()).unwrap_or(0));
    out.extend_from_slice(name.as_bytes());
    out.extend(u32::try_from(value.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(value);
}
