//! Z85, the printable form of keys (RFC 32).
//!
//! Secret keys pass through here: no branch and no address depends on what is encoded, nor on what is decoded as long as it is
//! Z85, and nothing is left behind in memory that was freed.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

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
    // All of its size at once: growing would leave a copy behind.
    let mut text = vec![0; chunks.len() * 5];
    for (chunk, group) in chunks.iter().zip(text.as_chunks_mut::<5>().0) {
        let mut value = u32::from_be_bytes(*chunk);
        for place in group.iter_mut().rev() {
            let quotient = divided_by_85(value);
            *place = character(value.wrapping_sub(quotient.wrapping_mul(85)));
            value = quotient;
        }
    }
    // The alphabet is ASCII.
    Ok(String::from_utf8(text).unwrap_or_default())
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
    let mut bytes = vec![0; text.len() / 5 * 4];
    decode_into(text, &mut bytes)?;
    Ok(bytes)
}

/// Decodes text of five characters for every four bytes of `bytes`, which are then what it stands for.
pub(crate) fn decode_into(text: &str, bytes: &mut [u8]) -> Result<(), Error> {
    let (groups, rest) = text.as_bytes().as_chunks::<5>();
    let (words, _) = bytes.as_chunks_mut::<4>();
    if !rest.is_empty() || groups.len() != words.len() {
        return Err(Error::Length { length: text.len(), unit: 5 });
    }
    let mut valid = Choice::from(1);
    for (group, word) in groups.iter().zip(words) {
        let (value, is_z85) = value_of(group);
        valid &= is_z85;
        let [_, _, _, _, low @ ..] = value.to_be_bytes();
        *word = low;
    }
    if bool::from(valid) { Ok(()) } else { Err(fault(groups)) }
}

/// What five characters stand for, and whether that is a value of 32 bits.
fn value_of(group: &[u8; 5]) -> (u64, Choice) {
    let (mut value, mut valid) = (0, Choice::from(1));
    for &byte in group {
        let (digit, found) = digit(byte);
        value = value * 85 + u64::from(digit);
        valid &= found;
    }
    (value, valid & (value >> 32).ct_eq(&0))
}

/// What is wrong with text that is not Z85, and so no secret: the first thing.
#[cold]
fn fault(groups: &[[u8; 5]]) -> Error {
    let is_bad = |group: &[u8; 5]| !bool::from(value_of(group).1);
    let index = groups.iter().position(is_bad).unwrap_or(0);
    let start = index * 5;
    let mut bytes = (start..).zip(groups.iter().skip(index).take(1).flatten());
    match bytes.find(|(_, byte)| !ALPHABET.contains(byte)) {
        Some((position, &byte)) => Error::Character { byte, position },
        None => Error::Overflow { position: start },
    }
}

/// A division may take longer for some numbers than for others. The factor is 2^38 / 85, rounded up by 21 / 85, which changes
/// no quotient of 32 bits.
fn divided_by_85(value: u32) -> u32 {
    u32::try_from(u64::from(value).wrapping_mul(0xC0C0_C0C1) >> 38).unwrap_or(0)
}

/// The character of a digit, by looking at all of them.
fn character(digit: u32) -> u8 {
    let mut found = 0;
    for (at, character) in (0_u32..).zip(ALPHABET) {
        found.conditional_assign(character, at.ct_eq(&digit));
    }
    found
}

/// The digit of a character and whether there is one, by looking at all of them.
fn digit(byte: u8) -> (u8, Choice) {
    let (mut digit, mut found) = (0, Choice::from(0));
    for (at, character) in (0_u8..).zip(ALPHABET) {
        let is = character.ct_eq(&byte);
        digit.conditional_assign(&at, is);
        found |= is;
    }
    (digit, found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::{Error, decode, divided_by_85, encode};

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

    #[test]
    fn quotients_are_those_of_a_division() {
        let near = |value: u32| value.saturating_sub(2)..=value.saturating_add(2);
        let edges = (0..32).flat_map(|bit| near(1 << bit)).chain(near(u32::MAX)).chain(0..100_000);
        for value in edges.chain((0..50_529_027).step_by(997).flat_map(|k| near(k * 85))) {
            assert_eq!(divided_by_85(value), value / 85, "{value}");
        }
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
