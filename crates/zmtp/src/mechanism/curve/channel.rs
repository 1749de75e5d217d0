//! What follows the handshake of CURVE: each frame goes into a MESSAGE, sealed, with a number that only
//! rises (RFC 26, "The MESSAGE Command").

use super::cipher::{BoxKey, TAG_LEN};
use super::keystream::Numbered;
use crate::error::{Error, Violation};
use crate::frame;
use crate::{FrameHeader, encode_header};

const CLIENT_NONCE: &[u8; 16] = b"CurveZMQMESSAGEC";
const SERVER_NONCE: &[u8; 16] = b"CurveZMQMESSAGES";
const NAME: &[u8; 8] = b"\x07MESSAGE";
/// How much longer the body of a MESSAGE is than that of the frame in it.
pub(crate) const OVERHEAD: usize = NAME.len() + 8 + TAG_LEN + 1;

/// The flags of the frame inside.
const MORE: u8 = 1;
const COMMAND: u8 = 2;

/// Opened bodies from this size on stay where they are, shorter ones close up.
const STAYS_FROM: usize = 4096;

/// Both directions of a connection.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) sealer: Sealer,
    pub(crate) opener: Opener,
}

impl Channel {
    /// `sent` and `received` are the last numbers of the handshake.
    pub(super) fn client(key: BoxKey, sent: u64, received: u64) -> Self {
        Self::new(key, [CLIENT_NONCE, SERVER_NONCE], sent, received)
    }

    /// The same for the other end.
    pub(super) fn server(key: BoxKey, sent: u64, received: u64) -> Self {
        Self::new(key, [SERVER_NONCE, CLIENT_NONCE], sent, received)
    }

    fn new(key: BoxKey, texts: [&'static [u8; 16]; 2], sent: u64, received: u64) -> Self {
        let [ours, theirs] = texts;
        Self {
            sealer: Sealer { boxes: Numbered::new(key.clone(), ours), last: sent },
            opener: Opener { boxes: Numbered::new(key, theirs), last: received },
        }
    }
}

/// Seals what is sent. There is one for a connection, or numbers would repeat.
#[derive(Debug)]
pub(crate) struct Sealer {
    boxes: Numbered,
    last: u64,
}

impl Sealer {
    /// Appends a frame, sealed; its body is what the parts hold.
    pub(crate) fn seal(
        &mut self,
        more: bool,
        command: bool,
        body: &[&[u8]],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.last = self.last.checked_add(1).ok_or(Error::NoncesExhausted)?;
        let body_len = body.iter().map(|part| part.len()).sum::<usize>();
        out.reserve(9 + OVERHEAD + body_len);
        frame::append_header(false, false, OVERHEAD + body_len, out);
        out.extend_from_slice(NAME);
        out.extend_from_slice(&self.last.to_be_bytes());
        let start = out.len();
        out.extend_from_slice(&[0; TAG_LEN]);
        out.push(u8::from(more) * MORE + u8::from(command) * COMMAND);
        for part in body {
            out.extend_from_slice(part);
        }
        let tail = out.get_mut(start..).unwrap_or_default();
        if let Some((tag, data)) = tail.split_first_chunk_mut::<TAG_LEN>() {
            *tag = self.boxes.seal(self.last, data);
        }
        Ok(())
    }
}

/// Opens what arrives.
#[derive(Debug)]
pub(crate) struct Opener {
    boxes: Numbered,
    last: u64,
}

/// What became of a piece of input.
pub(crate) struct Opened {
    /// Up to here the frames were whole, and are opened.
    pub(crate) consumed: usize,
    /// Up to here the input has become canonical frames.
    pub(crate) canonical: usize,
    /// What is wrong with the frame behind them.
    pub(crate) error: Option<Error>,
}

impl Opener {
    /// Opens the whole frames of `input` from `start` on and leaves canonical frames in their place.
    /// None of them may have a body above `max_body` bytes.
    pub(crate) fn open(&mut self, input: &mut [u8], start: usize, max_body: u64) -> Opened {
        let limit = max_body.saturating_add(u64::try_from(OVERHEAD).unwrap_or(0));
        let (mut consumed, mut canonical) = (start, start);
        let error = loop {
            let rest = input.get_mut(consumed..).unwrap_or_default();
            match self.open_one(rest, limit) {
                Ok(Some(frame)) => {
                    canonical = settle(input, consumed, canonical, &frame);
                    consumed += frame.end;
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        Opened { consumed, canonical, error }
    }

    /// Opens the frame at the start of `rest`, where it stays: its canonical header is put before its
    /// body. `None` if it is not complete.
    fn open_one(&mut self, rest: &mut [u8], limit: u64) -> Result<Option<Place>, Error> {
        let Some(header) = FrameHeader::parse(rest)? else { return Ok(None) };
        let length = header.body_len;
        if length > limit {
            return Err(Error::Misbehaved(Violation::MessageTooLarge { length, limit }));
        }
        // libzmq sends frames of messages, the RFC has commands.
        if header.more || length < u64::try_from(OVERHEAD).unwrap_or(0) {
            return Err(Error::Misbehaved(Violation::MalformedMessage));
        }
        let Some(end) = header.body(rest).map(|body| header.header_len + body.len()) else {
            return Ok(None);
        };
        let (head, body) = rest.get_mut(..end).unwrap_or_default().split_at_mut(header.header_len);
        let flags = self.open_body(body)?;
        let (more, command) = (flags & MORE != 0, flags & COMMAND != 0);
        let start = head.len() + OVERHEAD;
        let body_len = u64::try_from(end - start).unwrap_or(0);
        if flags & !(MORE | COMMAND) != 0 || (command && (more || body_len == 0)) {
            return Err(Error::Misbehaved(Violation::MalformedMessage));
        }
        let mut canonical = [0; 9];
        let header_len = encode_header(more, command, body_len, &mut canonical);
        let at = start - header_len;
        let room = rest.get_mut(at..start).unwrap_or_default();
        room.iter_mut().zip(canonical).for_each(|(to, from)| *to = from);
        Ok(Some(Place { start: at, end }))
    }

    /// Opens the body of a MESSAGE in place and answers the flags, which stand before the body inside.
    fn open_body(&mut self, body: &mut [u8]) -> Result<u8, Error> {
        const MALFORMED: Error = Error::Misbehaved(Violation::MalformedMessage);
        let (name, rest) = body.split_first_chunk_mut::<8>().ok_or(MALFORMED)?;
        let (number, rest) = rest.split_first_chunk_mut::<8>().ok_or(MALFORMED)?;
        let (tag, data) = rest.split_first_chunk_mut::<TAG_LEN>().ok_or(MALFORMED)?;
        if name != NAME {
            return Err(Error::Misbehaved(Violation::UnexpectedCommand));
        }
        let number = u64::from_be_bytes(*number);
        if number <= self.last {
            return Err(Error::Misbehaved(Violation::NonceOutOfOrder));
        }
        if !self.boxes.open(number, tag, data) {
            return Err(Error::Misbehaved(Violation::Undecipherable));
        }
        self.last = number;
        data.first().copied().ok_or(MALFORMED)
    }
}

/// Where a canonical frame is in the frame that it came in.
struct Place {
    start: usize,
    end: usize,
}

/// Makes the frame that lies in `input` from `at` on, at `place`, the one behind `canonical`, and answers
/// where it ends. A long body that would have to move only by what it was sealed with stays where it is,
/// and a command that nobody knows fills the gap.
fn settle(input: &mut [u8], at: usize, canonical: usize, place: &Place) -> usize {
    let (start, end) = (at + place.start, at + place.end);
    if canonical == at
        && end - start >= STAYS_FROM
        && let Some(gap) = input.get_mut(at..start)
        && let Ok(length) = u8::try_from(gap.len().saturating_sub(2))
        && length >= 2
    {
        gap.iter_mut().zip([4, length, 1, b'X']).for_each(|(to, from)| *to = from);
        return end;
    }
    input.copy_within(start..end, canonical);
    canonical + (end - start)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use zeroize::Zeroizing;

    use super::{Channel, Error, Violation};
    use crate::mechanism::cipher::BoxKey;

    #[test]
    fn numbers_never_begin_again() {
        let key = BoxKey::new(Zeroizing::new([1; 32]));
        let mut client = Channel::client(key.clone(), u64::MAX - 2, 0);
        let mut server = Channel::server(key, 0, u64::MAX - 2);
        let mut out = Vec::new();
        for body in [b"second but last", b"the very last 1"] {
            client.sealer.seal(false, false, &[body], &mut out).unwrap();
        }
        let sealed = out.len();
        let next = client.sealer.seal(false, false, &[b"one more"], &mut out);
        assert_eq!((next, out.len()), (Err(Error::NoncesExhausted), sealed));

        let again = out.clone();
        let opened = server.opener.open(&mut out, 0, 100);
        assert_eq!((opened.consumed, opened.error), (sealed, None));
        for mut replayed in [again.clone(), again] {
            let opened = server.opener.open(&mut replayed, 0, 100);
            let expected = Some(Error::Misbehaved(Violation::NonceOutOfOrder));
            assert_eq!((opened.consumed, opened.error), (0, expected));
        }
    }

    /// Both directions have one key: the texts of their nonces keep them apart.
    #[test]
    fn what_one_end_sealed_cannot_be_sent_back_to_it() {
        let key = BoxKey::new(Zeroizing::new([1; 32]));
        let mut client = Channel::client(key, 1, 0);
        let mut out = Vec::new();
        client.sealer.seal(false, false, &[b"hello"], &mut out).unwrap();
        let opened = client.opener.open(&mut out, 0, 100);
        assert_eq!(opened.error, Some(Error::Misbehaved(Violation::Undecipherable)));
    }
}
