//! Z85, the printable form of keys (RFC 32).

/// The characters for 0 to 84 (RFC 32, "Formal Specification").
const ALPHABET: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// Why something cannot be encoded or decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The length of what is to be encoded is no multiple of 4, or of what is to be decoded none of 5.
    #[error("the length {length} is no multiple of {unit}")]
    Length {
        /// The length in bytes.
        length: usize,
        /// What it must be a multiple of.
        unit: usize,
    },
    /// A character that Z85 does not use.
    #[error("the byte {byte:#04x} at {position} is not in the alphabet of Z85")]
    Character {
        /// The byte.
        byte: u8,
        /// Where it stands, from 0.
        position: usize,
    },
    /// Five characters that stand for more than 32 bits.
    #[error("the group at {position} is above 2^32 - 1")]
    Overflow {
        /// Where the group starts, from 0.
        position: usize,
    },
}

/// Encodes bytes; their number must be a multiple of 4.
///
/// # Errors
/// [`Error::Length`].
///
/// ```
/// let bytes = [0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b];
/// assert_eq!(zmtp::z85::encode(&bytes).unwrap(), "HelloWorld");
/// ```
pub fn encode(bytes: &[u8]) -> Result<String, Error> {
    let (chunks, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Error::Length { length: bytes.len(), unit: 4 });
    }
    let mut text = String::with_capacity(chunks.len() * 5);
    for chunk in chunks {
        let value = u32::from_be_bytes(*chunk);
        for divisor in [85 * 85 * 85 * 85, 85 * 85 * 85, 85 * 85, 85, 1] {
            let digit = usize::try_from(value / divisor % 85).unwrap_or(0);
            text.extend(ALPHABET.get(digit).map(|byte| char::from(*byte)));
        }
    }
    Ok(text)
}

/// Decodes text; its length must be a multiple of 5.
///
/// # Errors
/// [`Error::Length`], [`Error::Character`] or [`Error::Overflow`].
///
/// ```
/// assert_eq!(zmtp::z85::decode("Hello").unwrap(), [0x86, 0x4f, 0xd2, 0x6f]);
/// ```
pub fn decode(text: &str) -> Result<Vec<u8>, Error> {
    let (chunks, rest) = text.as_bytes().as_chunks::<5>();
    if !rest.is_empty() {
        return Err(Error::Length { length: text.len(), unit: 5 });
    }
    let mut bytes = Vec::with_capacity(chunks.len() * 4);
    for (index, chunk) in chunks.iter().enumerate() {
        let start = index * 5;
        let mut value = 0u64;
        for (position, &byte) in (start..).zip(chunk) {
            value = value * 85 + digit(byte).ok_or(Error::Character { byte, position })?;
        }
        let value = u32::try_from(value).map_err(|_| Error::Overflow { position: start })?;
        bytes.extend(value.to_be_bytes());
    }
    Ok(bytes)
}

fn digit(byte: u8) -> Option<u64> {
    ALPHABET.iter().position(|c| *c == byte).and_then(|digit| u64::try_from(digit).ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::{Error, decode, encode};

    #[test]
    fn the_test_case_of_the_rfc() {
        let bytes = [0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b];
        assert_eq!(encode(&bytes).unwrap(), "HelloWorld");
        assert_eq!(decode("HelloWorld").unwrap(), bytes);
    }

    #[test]
    fn what_is_not_z85_is_refused() {
        assert_eq!(encode(b"abc"), Err(Error::Length { length: 3, unit: 4 }));
        assert_eq!(decode("abcd"), Err(Error::Length { length: 4, unit: 5 }));
        assert_eq!(decode("0000000~00"), Err(Error::Character { byte: b'~', position: 7 }));
        assert_eq!(decode("00000#####"), Err(Error::Overflow { position: 5 }));
        assert_eq!(decode("%nSc0").unwrap(), [255; 4]);
        assert_eq!(decode("%nSc1"), Err(Error::Overflow { position: 0 }));
    }

    proptest! {
        #[test]
        fn everything_round_trips(words in proptest::collection::vec(any::<u32>(), 0..20)) {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            prop_assert_eq!(decode(&encode(&bytes).unwrap()).unwrap(), bytes);
        }

        #[test]
        fn any_text_decodes_or_is_refused(text in ".*") {
            if let Ok(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes).unwrap(), text);
            }
        }
    }
}
