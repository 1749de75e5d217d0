//! Frames of ZMTP 2.0 and later (RFC 15 and RFC 37, "Framing"), which are also the canonical form.

use crate::error::{Error, Violation};

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// What precedes the body of a frame: flags and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// More frames of the same message follow.
    pub more: bool,
    /// The frame is a command, not part of a message.
    pub command: bool,
    /// The length of the body in bytes, below 2^63.
    pub body_len: u64,
    /// The length of this header in bytes: 2 or 9 in canonical form.
    pub header_len: usize,
}

impl FrameHeader {
    /// Reads the header at the start of `bytes`; `None` if it is not complete. The body need not be
    /// there.
    ///
    /// # Errors
    /// [`Error::Misbehaved`] for reserved flag bits, a command with MORE, and lengths of 2^63 and above.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Option<FrameHeader>, Error> {
        let Some((&flags, rest)) = bytes.split_first() else { return Ok(None) };
        if flags & !(MORE | LONG | COMMAND) != 0 {
            return Err(Error::Misbehaved(Violation::ReservedFlags(flags)));
        }
        if flags & (MORE | COMMAND) == MORE | COMMAND {
            return Err(Error::Misbehaved(Violation::CommandWithMore));
        }
        let (body_len, header_len) = if flags & LONG == 0 {
            let Some(&length) = rest.first() else { return Ok(None) };
            (u64::from(length), 2)
        } else {
            let Some(length) = rest.first_chunk::<8>() else { return Ok(None) };
            let length = u64::from_be_bytes(*length);
            if i64::try_from(length).is_err() {
                return Err(Error::Misbehaved(Violation::LengthOutOfRange(length)));
            }
            (length, 9)
        };
        Ok(Some(FrameHeader {
            more: flags & MORE != 0,
            command: flags & COMMAND != 0,
            body_len,
            header_len,
        }))
    }

    /// The body that follows this header in `bytes`, which start with the header; `None` if it is not
    /// complete.
    #[inline]
    #[must_use]
    pub fn body<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let body_len = usize::try_from(self.body_len).ok()?;
        bytes.get(self.header_len..)?.get(..body_len)
    }
}

/// Writes the header of a frame to the start of `buffer` and answers its length, 2 or 9 bytes: the
/// short form up to 255 bytes of body. `body_len` must be below 2^63; a command takes no MORE.
#[inline]
pub fn encode_header(more: bool, command: bool, body_len: u64, buffer: &mut [u8; 9]) -> usize {
    let flags = u8::from(more) * MORE + u8::from(command) * COMMAND;
    if let Ok(length) = u8::try_from(body_len) {
        let [first, second, ..] = buffer;
        (*first, *second) = (flags, length);
        2
    } else {
        let [first, length @ ..] = buffer;
        *first = flags | LONG;
        *length = body_len.to_be_bytes();
        9
    }
}

/// Appends a frame in canonical form.
pub(crate) fn append(more: bool, command: bool, parts: &[&[u8]], out: &mut Vec<u8>) {
    append_header(more, command, parts.iter().map(|part| part.len()).sum(), out);
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Appends the header of a frame in canonical form.
pub(crate) fn append_header(more: bool, command: bool, body_len: usize, out: &mut Vec<u8>) {
    if let Ok(length) = u8::try_from(body_len) {
        // A copy of known length needs no call.
        out.extend_from_slice(&[u8::from(more) * MORE + u8::from(command) * COMMAND, length]);
        return;
    }
    let mut header = [0; 9];
    // A length in memory is always below 2^63.
    encode_header(more, command, u64::try_from(body_len).unwrap_or(0), &mut header);
    out.extend_from_slice(&header);
}

/// The frames in canonical bytes, one after another: header and body. It ends before the first frame
/// that is incomplete or malformed; in the traffic that a connection hands out there is none.
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    rest: &'a [u8],
}

impl<'a> Frames<'a> {
    /// Iterates from the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been iterated over.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = (FrameHeader, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let header = FrameHeader::parse(self.rest).ok()??;
        let body = header.body(self.rest)?;
        self.rest = self.rest.get(header.header_len + body.len()..)?;
        Some((header, body))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{FrameHeader, Frames, append, encode_header};
    use crate::error::{Error, Violation};

    #[test]
    fn headers_round_trip_around_the_short_and_long_border() {
        for body_len in [0, 1, 254, 255, 256, 65_536, u64::MAX >> 1] {
            for (more, command) in [(false, false), (true, false), (false, true)] {
                let mut buffer = [0; 9];
                let header_len = encode_header(more, command, body_len, &mut buffer);
                assert_eq!(header_len, if body_len <= 255 { 2 } else { 9 });
                let header = FrameHeader { more, command, body_len, header_len };
                let encoded: Vec<u8> = buffer.into_iter().take(header_len).collect();
                assert_eq!(FrameHeader::parse(&encoded), Ok(Some(header)));
                for cut in 0..header_len {
                    assert_eq!(FrameHeader::parse(encoded.get(..cut).unwrap()), Ok(None));
                }
            }
        }
    }

    #[test]
    fn lengths_of_2_to_the_63_and_above_are_refused() {
        for length in [1 << 63, u64::MAX, u64::MAX - 1, u64::MAX - 8] {
            let mut bytes = vec![2];
            bytes.extend(length.to_be_bytes());
            let expected = Error::Misbehaved(Violation::LengthOutOfRange(length));
            assert_eq!(FrameHeader::parse(&bytes), Err(expected));
        }
    }

    #[test]
    fn every_flags_byte_is_accepted_or_refused_as_the_rfc_says() {
        for flags in 0..=255u8 {
            let answer = FrameHeader::parse(&[flags]);
            if flags > 7 {
                assert_eq!(answer, Err(Error::Misbehaved(Violation::ReservedFlags(flags))));
            } else if flags & 5 == 5 {
                assert_eq!(answer, Err(Error::Misbehaved(Violation::CommandWithMore)));
            } else {
                assert_eq!(answer, Ok(None));
            }
        }
    }

    #[test]
    fn frames_stop_before_an_incomplete_one() {
        let mut bytes = Vec::new();
        append(true, false, &[b"a", b"b"], &mut bytes);
        append(false, false, &[&[7; 300]], &mut bytes);
        bytes.extend([0, 3, 1, 2]);
        let mut frames = Frames::new(&bytes);
        let (header, body) = frames.next().unwrap();
        assert!(header.more && body == b"ab");
        let (header, body) = frames.next().unwrap();
        assert!(!header.more && body == [7; 300]);
        assert_eq!(frames.next(), None);
        assert_eq!(frames.rest(), [0, 3, 1, 2]);
    }
}
