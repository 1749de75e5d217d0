//! Frames of ZMTP 1.0 (RFC 13, "The Framing Layer"): the length counts the flags byte.

use crate::FrameHeader;
use crate::error::{Error, Violation};

/// What stands at the start of some 1.0 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// The header is not complete.
    Incomplete,
    /// A frame of length zero, one byte long: to be discarded silently.
    Void,
    /// A frame; `header_len` is 2 or 10.
    Frame(FrameHeader),
}

/// Reads the header at the start of `bytes`.
///
/// Reserved flag bits "SHOULD be zero"; no 1.0 library is known to set any, but what is not ZMTP at
/// all does, and its bytes must not be taken for messages.
pub(crate) fn parse(bytes: &[u8]) -> Result<Parsed, Error> {
    let (length, flags, header_len) = match bytes {
        [0, ..] => return Ok(Parsed::Void),
        [0xff, rest @ ..] => {
            let Some((length, rest)) = rest.split_first_chunk::<8>() else {
                return Ok(Parsed::Incomplete);
            };
            let Some(&flags) = rest.first() else { return Ok(Parsed::Incomplete) };
            (u64::from_be_bytes(*length), flags, 10)
        }
        [length, flags, ..] => (u64::from(*length), *flags, 2),
        _ => return Ok(Parsed::Incomplete),
    };
    if flags > 1 {
        return Err(Error::Misbehaved(Violation::ReservedFlags(flags)));
    }
    let in_range = length.checked_sub(1).filter(|body_len| i64::try_from(*body_len).is_ok());
    let Some(body_len) = in_range else {
        return Err(Error::Misbehaved(Violation::LengthOutOfRange(length)));
    };
    Ok(Parsed::Frame(FrameHeader { more: flags == 1, command: false, body_len, header_len }))
}

/// Appends the header of a frame.
pub(crate) fn append_header(more: bool, body_len: u64, out: &mut Vec<u8>) {
    let length = body_len.saturating_add(1);
    match u8::try_from(length) {
        Ok(length @ 0..=254) => out.push(length),
        _ => {
            out.push(0xff);
            out.extend(length.to_be_bytes());
        }
    }
    out.push(u8::from(more));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Parsed, append_header, parse};
    use crate::FrameHeader;

    #[test]
    fn headers_round_trip_around_the_short_and_long_border() {
        for (body_len, header_len) in [(0, 2), (253, 2), (254, 10), (255, 10), (1 << 40, 10)] {
            for more in [false, true] {
                let mut bytes = Vec::new();
                append_header(more, body_len, &mut bytes);
                assert_eq!(bytes.len(), header_len);
                let header = FrameHeader { more, command: false, body_len, header_len };
                assert_eq!(parse(&bytes), Ok(Parsed::Frame(header)));
                for cut in 0..header_len {
                    assert_eq!(parse(bytes.get(..cut).unwrap()), Ok(Parsed::Incomplete));
                }
            }
        }
    }

    #[test]
    fn a_short_frame_may_come_in_long_form() {
        let bytes = [0xff, 0, 0, 0, 0, 0, 0, 0, 2, 1, b'x'];
        let header = FrameHeader { more: true, command: false, body_len: 1, header_len: 10 };
        assert_eq!(parse(&bytes), Ok(Parsed::Frame(header)));
    }

    #[test]
    fn odd_lengths_and_reserved_flags_are_refused() {
        assert!(parse(&[0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
        assert!(parse(&[0xff, 0xff, 255, 255, 255, 255, 255, 255, 255, 0]).is_err());
        assert!(parse(&[5, 2]).is_err());
        assert_eq!(parse(&[0, 200]), Ok(Parsed::Void));
    }
}
