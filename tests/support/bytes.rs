//! What a scripted peer says, in bytes.
//!
//! Bytes are written the way the RFCs print them: pairs of hex digits, `'text'`, and `*n` behind
//! either to repeat it. `ff 00*7 01 7f 03` is the start of a greeting of 3.x.

/// Bytes from their printed form.
///
/// # Panics
/// The text is not in that form.
#[must_use]
pub fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for word in text.split_whitespace() {
        let (what, times) = match word.rsplit_once('*') {
            Some((what, times)) => (what, times.parse().expect("a number behind *")),
            None => (word, 1),
        };
        let unit = match what.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            Some(text) => text.as_bytes().to_vec(),
            None => digits(what),
        };
        (0..times).for_each(|_| out.extend_from_slice(&unit));
    }
    out
}

fn digits(word: &str) -> Vec<u8> {
    assert!(word.len().is_multiple_of(2), "an odd number of hex digits: {word:?}");
    let pair = |at| u8::from_str_radix(&word[at..at + 2], 16).expect("hex digits");
    (0..word.len()).step_by(2).map(pair).collect()
}

/// A frame of ZMTP 2.0 and later.
#[must_use]
pub fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut out = match u8::try_from(body.len()) {
        Ok(length) => vec![flags, length],
        Err(_) => [&[flags | 2][..], &(body.len() as u64).to_be_bytes()].concat(),
    };
    out.extend_from_slice(body);
    out
}

/// A message of these parts in ZMTP 2.0 and later.
#[must_use]
pub fn message(parts: &[&[u8]]) -> Vec<u8> {
    let last = parts.len() - 1;
    parts.iter().enumerate().flat_map(|(i, part)| frame(u8::from(i < last), part)).collect()
}

/// A command frame.
#[must_use]
pub fn command(name: &str, data: &[u8]) -> Vec<u8> {
    frame(4, &[&[u8::try_from(name.len()).expect("a short name")], name.as_bytes(), data].concat())
}

/// A READY command with a socket type, and an identity if it is not empty.
#[must_use]
pub fn ready(socket_type: &str, identity: &[u8]) -> Vec<u8> {
    let mut data = property("Socket-Type", socket_type.as_bytes());
    if !identity.is_empty() {
        data.extend(property("Identity", identity));
    }
    command("READY", &data)
}

/// A metadata property.
#[must_use]
pub fn property(name: &str, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).expect("a short value").to_be_bytes();
    let name_length = [u8::try_from(name.len()).expect("a short name")];
    [&name_length[..], name.as_bytes(), &length, value].concat()
}

/// The greeting of ZMTP 3 with this minor version and the NULL mechanism.
#[must_use]
pub fn greeting(minor: u8) -> Vec<u8> {
    let mut out = bytes("ff 00*7 01 7f 03");
    out.push(minor);
    out.extend(bytes("'NULL' 00*16 00*32"));
    out
}

/// The whole of what a connecting peer of ZMTP 3.1 sends until messages flow.
#[must_use]
pub fn opening(socket_type: &str) -> Vec<u8> {
    [greeting(1), ready(socket_type, b"")].concat()
}

/// The number of a socket type in ZMTP 2.0 (RFC 15).
pub(crate) fn number(socket_type: &str) -> u8 {
    let all = ["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH"];
    let at = all.iter().position(|name| *name == socket_type).expect("a type of 2.0");
    u8::try_from(at).expect("few")
}

/// A frame of ZMTP 1.0: the length counts the flags.
#[must_use]
pub fn frame_v1(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut out = match u8::try_from(body.len() + 1) {
        Ok(length @ 0..=254) => vec![length],
        _ => [&[0xff][..], &(body.len() as u64 + 1).to_be_bytes()].concat(),
    };
    out.push(flags);
    out.extend_from_slice(body);
    out
}

/// A message of these parts in ZMTP 1.0.
#[must_use]
pub fn message_v1(parts: &[&[u8]]) -> Vec<u8> {
    let last = parts.len() - 1;
    parts.iter().enumerate().flat_map(|(i, part)| frame_v1(u8::from(i < last), part)).collect()
}

#[cfg(test)]
mod tests {
    use super::{bytes, opening};

    #[test]
    fn printed_bytes_are_read() {
        assert_eq!(bytes("ff 0001 'ab' 00*2 'x'*3"), b"\xff\x00\x01ab\x00\x00xxx");
        assert_eq!(opening("PULL").len(), 64 + 2 + 6 + 12 + 4 + 4);
    }
}
