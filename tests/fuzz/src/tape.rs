//! What a target reads its choices from. Bytes that are missing are zeros, so that every input means something.

pub(crate) struct Tape<'a> {
    rest: &'a [u8],
}

impl<'a> Tape<'a> {
    pub(crate) const fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    /// The next byte; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// A length in one byte, and so many bytes, as far as there are.
    pub(crate) fn short(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        let (short, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        short
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// A part of a seed that [`Tape::short`] reads.
pub(crate) fn short(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("a short part");
    [&[length], bytes].concat()
}
