//! Commands (RFC 37, "Commands"): a name and data in one frame.

use crate::error::{Error, Reason, Violation};
use crate::frame;
use crate::reader::Reader;

pub(crate) const HELLO: &[u8] = b"HELLO";
pub(crate) const WELCOME: &[u8] = b"WELCOME";
pub(crate) const INITIATE: &[u8] = b"INITIATE";
pub(crate) const READY: &[u8] = b"READY";
pub(crate) const ERROR: &[u8] = b"ERROR";
pub(crate) const SUBSCRIBE: &[u8] = b"SUBSCRIBE";
pub(crate) const CANCEL: &[u8] = b"CANCEL";
pub(crate) const PING: &[u8] = b"PING";
pub(crate) const PONG: &[u8] = b"PONG";
pub(crate) const JOIN: &[u8] = b"JOIN";
pub(crate) const LEAVE: &[u8] = b"LEAVE";

/// The body of a command frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Command<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) data: &'a [u8],
}

impl<'a> Command<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body);
        match reader.short_string() {
            Some(name) if !name.is_empty() && name.iter().all(u8::is_ascii_alphabetic) => {
                Ok(Command { name, data: reader.rest() })
            }
            _ => Err(Error::Misbehaved(Violation::MalformedCommand)),
        }
    }
}

/// Appends a command frame.
pub(crate) fn append(name: &[u8], parts: &[&[u8]], out: &mut Vec<u8>) {
    // Names are our own constants, all shorter than 256 bytes.
    let name_len = [u8::try_from(name.len()).unwrap_or(0)];
    let data_len: usize = parts.iter().map(|part| part.len()).sum();
    frame::append_header(false, true, 1 + name.len() + data_len, out);
    out.extend(name_len);
    out.extend_from_slice(name);
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Appends an ERROR command; a reason above 255 bytes is cut.
pub(crate) fn append_error(reason: &[u8], out: &mut Vec<u8>) {
    let length = u8::try_from(reason.len()).unwrap_or(u8::MAX);
    let reason = reason.get(..usize::from(length)).unwrap_or_default();
    append(ERROR, &[&[length], reason], out);
}

/// What libzmq 4.3.4 sends and understands as ERROR with PLAIN, where the length of the name and its first
/// letter have become one byte. As a command it would be cut short: to understand it takes nothing away.
const PLAIN_ERROR: &[u8] = b"^RROR";

/// Appends ERROR as libzmq's clients of PLAIN understand it.
pub(crate) fn append_plain_error(reason: &[u8], out: &mut Vec<u8>) {
    let length = u8::try_from(reason.len()).unwrap_or(u8::MAX);
    let reason = reason.get(..usize::from(length)).unwrap_or_default();
    frame::append(false, true, &[PLAIN_ERROR, &[length], reason], out);
}

/// The data of ERROR as libzmq's servers of PLAIN send it.
pub(crate) fn plain_error(body: &[u8]) -> Option<&[u8]> {
    body.strip_prefix(PLAIN_ERROR)
}

/// The error that an ERROR command of the peer amounts to.
pub(crate) fn refusal(data: &[u8]) -> Error {
    let mut reader = Reader::new(data);
    match reader.short_string() {
        Some(reason) if reader.is_empty() => Error::Refused(Reason::new(reason)),
        _ => Error::Misbehaved(Violation::MalformedError),
    }
}
