//! Boxes whose nonces are numbers that rise by one. What their keystream is made of is known beforehand, so that of
//! short messages is made for several at once: for each alone, most of the time goes into beginning.
//!
//! A box is as NaCl has it (XSalsa20 and Poly1305): HSalsa20 of the key and the text of the nonce is the key of
//! Salsa20, whose nonce is the number. The first 32 bytes of its stream are the key of Poly1305, the next ones encrypt.

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::cipher::{BoxKey, Cipher, KEY_LEN, Suite, Tag};
use super::short_nonce;

/// Messages whose streams are made at once.
const MESSAGES: usize = 4;
/// Blocks of a message's stream that are made so.
const BLOCKS: usize = 2;
const BLOCK_LEN: usize = 64;
const STREAM_LEN: usize = BLOCKS * BLOCK_LEN;
/// Of the longest message whose stream is made so.
const SHORT_LEN: usize = STREAM_LEN - KEY_LEN;

/// The same word of each block.
type Lanes = [u32; MESSAGES * BLOCKS];

/// Seals, or opens, under numbers.
pub(super) struct Numbered {
    key: BoxKey,
    text: &'static [u8; 16],
    /// From the first short message on.
    ahead: Option<Box<Ahead>>,
}

impl Numbered {
    pub(super) const fn new(key: BoxKey, text: &'static [u8; 16]) -> Self {
        Self { key, text, ahead: None }
    }

    /// Encrypts in place and answers the tag. No number may be used twice.
    pub(super) fn seal(&mut self, number: u64, data: &mut [u8]) -> Tag {
        if data.len() > SHORT_LEN {
            return Suite::seal(&self.key, &short_nonce(self.text, number), data);
        }
        let (tag_key, stream) = self.stream(number);
        encrypt(data, stream);
        Suite::authenticate(tag_key, data)
    }

    /// Checks the tag in constant time and, only if it is right, decrypts in place.
    #[must_use]
    pub(super) fn open(&mut self, number: u64, tag: &Tag, data: &mut [u8]) -> bool {
        if data.len() > SHORT_LEN {
            return Suite::open(&self.key, &short_nonce(self.text, number), tag, data);
        }
        let (tag_key, stream) = self.stream(number);
        let genuine = Suite::authenticate(tag_key, data).ct_eq(tag).into();
        if genuine {
            encrypt(data, stream);
        }
        genuine
    }

    /// The key of the tag, and what encrypts.
    #[inline]
    fn stream(&mut self, number: u64) -> (&[u8; KEY_LEN], &[u8]) {
        let (key, text) = (&self.key, self.text);
        let ahead = self.ahead.get_or_insert_with(|| Ahead::new(&Suite::subkey(key, text), number));
        let stream = ahead.stream(number);
        // It is longer.
        stream.split_first_chunk().unwrap_or((&[0; KEY_LEN], &[]))
    }
}

impl std::fmt::Debug for Numbered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Numbered").field("key", &self.key).finish_non_exhaustive()
    }
}

fn encrypt(data: &mut [u8], stream: &[u8]) {
    data.iter_mut().zip(stream).for_each(|(byte, key)| *byte ^= key);
}

/// The streams of some messages that follow each other. It lies in one place, and is wiped when it is dropped.
struct Ahead {
    /// The number of the first one.
    first: u64,
    streams: [[u8; STREAM_LEN]; MESSAGES],
    /// What Salsa20 begins with, and where it works.
    input: [Lanes; 16],
    state: [Lanes; 16],
}

impl Ahead {
    /// With the streams from a number on.
    fn new(subkey: &[u8; KEY_LEN], first: u64) -> Box<Self> {
        const ZEROS: [Lanes; 16] = [[0; MESSAGES * BLOCKS]; 16];
        let streams = [[0; STREAM_LEN]; MESSAGES];
        let mut ahead = Box::new(Self { first, streams, input: ZEROS, state: ZEROS });
        let [c0, c1, c2, c3] = [*b"expa", *b"nd 3", *b"2-by", *b"te k"].map(u32::from_le_bytes);
        let mut words = Zeroizing::new([0; KEY_LEN / 4]);
        let bytes = subkey.as_chunks().0;
        words.iter_mut().zip(bytes).for_each(|(word, bytes)| *word = u32::from_le_bytes(*bytes));
        let [k0, k1, k2, k3, k4, k5, k6, k7] = &*words;
        let order = [&c0, k0, k1, k2, k3, &c1, &0, &0, &0, &0, &c2, k4, k5, k6, k7, &c3];
        ahead.input.iter_mut().zip(order).for_each(|(lanes, word)| lanes.fill(*word));
        let [.., blocks, _, _, _, _, _, _, _] = &mut ahead.input;
        blocks.iter_mut().zip([0, 1].into_iter().cycle()).for_each(|(lane, block)| *lane = block);
        ahead.make(first);
        ahead
    }

    #[inline]
    fn stream(&mut self, number: u64) -> &[u8; STREAM_LEN] {
        let at = usize::try_from(number.wrapping_sub(self.first)).unwrap_or(usize::MAX);
        if at >= MESSAGES {
            self.make(number);
        }
        let [first, ..] = &self.streams;
        self.streams.get(at).unwrap_or(first)
    }

    /// Makes the streams from a number on.
    #[inline(never)]
    fn make(&mut self, first: u64) {
        self.first = first;
        let numbers = (0..).flat_map(|at| [first.wrapping_add(at); BLOCKS]);
        let [_, _, _, _, _, _, high, low, ..] = &mut self.input;
        for ((high, low), number) in high.iter_mut().zip(low).zip(numbers) {
            // Words have their lowest byte first, numbers their highest.
            *high = ((number >> 32) as u32).swap_bytes();
            *low = (number as u32).swap_bytes();
        }
        self.state = self.input;
        (0..10).for_each(|_| double_round(&mut self.state));
        for (lanes, input) in self.state.iter_mut().zip(&self.input) {
            lanes.iter_mut().zip(input).for_each(|(lane, input)| *lane = lane.wrapping_add(*input));
        }
        let blocks = self.streams.as_flattened_mut().as_chunks_mut::<BLOCK_LEN>().0;
        for (lane, block) in blocks.iter_mut().enumerate() {
            let words = self.state.iter().filter_map(|lanes| lanes.get(lane));
            let bytes = block.as_chunks_mut().0;
            bytes.iter_mut().zip(words).for_each(|(bytes, word)| *bytes = word.to_le_bytes());
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.streams.zeroize();
        self.input.zeroize();
        self.state.zeroize();
    }
}

/// A round of the columns and one of the rows, in every lane. Compilers make vector instructions of a loop over
/// lanes that has all of it.
#[allow(clippy::indexing_slicing, clippy::needless_range_loop, reason = "it is a transposition")]
fn double_round(state: &mut [Lanes; 16]) {
    for lane in 0..MESSAGES * BLOCKS {
        let mut words = [0; 16];
        for at in 0..16 {
            words[at] = state[at][lane];
        }
        let [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3] = &mut words;
        quarter_round([a0, b0, c0, d0]);
        quarter_round([b1, c1, d1, a1]);
        quarter_round([c2, d2, a2, b2]);
        quarter_round([d3, a3, b3, c3]);
        quarter_round([a0, a1, a2, a3]);
        quarter_round([b1, b2, b3, b0]);
        quarter_round([c2, c3, c0, c1]);
        quarter_round([d3, d0, d1, d2]);
        for at in 0..16 {
            state[at][lane] = words[at];
        }
    }
}

#[inline(always)]
fn quarter_round([a, b, c, d]: [&mut u32; 4]) {
    *b ^= a.wrapping_add(*d).rotate_left(7);
    *c ^= b.wrapping_add(*a).rotate_left(9);
    *d ^= c.wrapping_add(*b).rotate_left(13);
    *a ^= d.wrapping_add(*c).rotate_left(18);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const TEXT: &[u8; 16] = b"CurveZMQMESSAGEC";

    fn numbered(key: [u8; KEY_LEN]) -> Numbered {
        Numbered::new(BoxKey::new(Zeroizing::new(key)), TEXT)
    }

    /// What the library says of a whole box.
    fn sealed(key: [u8; KEY_LEN], number: u64, plain: &[u8]) -> (Tag, Vec<u8>) {
        let mut data = plain.to_vec();
        let key = BoxKey::new(Zeroizing::new(key));
        (Suite::seal(&key, &short_nonce(TEXT, number), &mut data), data)
    }

    #[test]
    fn every_length_is_sealed_as_the_library_seals_it() {
        let (mut sealing, mut opening) = (numbered([9; KEY_LEN]), numbered([9; KEY_LEN]));
        for (number, length) in (1..).zip(0..3 * STREAM_LEN) {
            let plain: Vec<u8> = (0..length).map(|i| (i * 7) as u8).collect();
            let mut data = plain.clone();
            let tag = sealing.seal(number, &mut data);
            assert_eq!((tag, &data), (sealed([9; KEY_LEN], number, &plain).0, &data), "{length}");
            assert_eq!(data, sealed([9; KEY_LEN], number, &plain).1, "{length}");
            assert!(opening.open(number, &tag, &mut data));
            assert_eq!(data, plain);
        }
    }

    #[test]
    fn numbers_may_leap_and_come_to_their_end() {
        let mut numbered = numbered([5; KEY_LEN]);
        let low = u64::from(u32::MAX);
        for number in [3, 5, 6, 8, 9, 13, 1 << 20, low - 1, low, low + 1, u64::MAX - 1, u64::MAX] {
            let mut data = *b"as short as most messages are";
            let tag = numbered.seal(number, &mut data);
            let expected = sealed([5; KEY_LEN], number, b"as short as most messages are");
            assert_eq!((tag, data.to_vec()), expected, "{number}");
        }
    }

    proptest! {
        #[test]
        fn what_was_altered_is_neither_opened_nor_decrypted(
            key in any::<[u8; KEY_LEN]>(),
            first in any::<u64>(),
            steps in vec((0..6_u64, vec(any::<u8>(), 0..2 * SHORT_LEN)), 1..9),
            altered in any::<prop::sample::Index>(),
        ) {
            let (mut sealing, mut opening) = (numbered(key), numbered(key));
            let mut number = first;
            for (step, plain) in steps {
                number = number.wrapping_add(1 + step);
                let mut data = plain.clone();
                let tag = sealing.seal(number, &mut data);
                prop_assert_eq!((tag, data.clone()), sealed(key, number, &plain));

                let mut bytes = [&tag[..], &data].concat();
                let at = altered.index(bytes.len());
                bytes[at] ^= 1 << (at % 8);
                let (wrong, rest) = bytes.split_first_chunk_mut().unwrap();
                let before = rest.to_vec();
                prop_assert!(!opening.open(number, wrong, rest));
                prop_assert_eq!(&before[..], &*rest);
                prop_assert!(!opening.open(number.wrapping_add(1), &tag, &mut data));
                prop_assert!(opening.open(number, &tag, &mut data));
                prop_assert_eq!(data, plain);
            }
        }
    }
}
