//! Writing a segment to a peer that does not take canonical frames as they are.

use std::io;

use zmtp::Encoder;

use super::write::{non_zero, portion};
use crate::pipe::buffers::{self, SEGMENT_SIZE};
use crate::pipe::{Position, Segment};
use crate::transport::Stream;

/// A piece ends with the frame that makes it this long.
const PIECE: usize = SEGMENT_SIZE;
/// Holds a piece whose last frame is not very long, and is pooled.
const PIECE_BUFFER: usize = SEGMENT_SIZE + SEGMENT_SIZE / 2;
/// A buffer up to this size stays for the next segment.
const SMALL: usize = 512;

/// A segment and what is encoded of it. The segment is kept until all is written, so that a broken connection can
/// tell which messages did not leave.
#[derive(Debug, Default)]
pub(super) struct Recoder {
    segment: Option<Segment>,
    /// The first frame that is not encoded.
    next: Position,
    /// Canonical bytes of the frames whose pieces are written.
    done: usize,
    /// A piece, and how much of it is written.
    bytes: Vec<u8>,
    written: usize,
    /// Where each frame of the piece begins in it, and where it ends in the segment.
    frames: Vec<(usize, usize)>,
}

impl Recoder {
    /// Begins with a segment; the last one must be finished.
    pub(super) fn begin(&mut self, segment: Segment) {
        if segment.remaining() >= PIECE / 4 {
            self.bytes = buffers::take_arena().unwrap_or_default();
            self.bytes.reserve(PIECE_BUFFER);
        }
        self.next = Position::default();
        self.done = 0;
        self.segment = Some(segment);
    }

    /// Whether there is a segment that is not finished.
    pub(super) fn is_busy(&self) -> bool {
        self.segment.is_some()
    }

    /// Encodes and writes, a piece after the other.
    pub(super) fn write(&mut self, encoder: &mut Encoder, stream: &Stream) -> io::Result<()> {
        loop {
            while self.written < self.bytes.len() {
                let rest = &self.bytes[self.written..];
                let rest = &rest[..portion(stream, rest.len())];
                self.written += non_zero(stream.write(rest))?;
            }
            if !self.encode_piece(encoder)? {
                return Ok(());
            }
        }
    }

    /// Makes the next piece in place of the one that is written. False if there is none.
    fn encode_piece(&mut self, encoder: &mut Encoder) -> io::Result<bool> {
        let Some(segment) = &self.segment else { return Ok(false) };
        self.done = self.frames.last().map_or(self.done, |(_, end)| *end);
        self.frames.clear();
        self.bytes.clear();
        self.written = 0;
        let (mut frames, mut end) = (segment.frames_from(self.next), self.done);
        while self.bytes.len() < PIECE
            && let Some((header, body, _)) = frames.next()
        {
            let start = self.bytes.len();
            encoder.encode(header, body, &mut self.bytes).map_err(io::Error::other)?;
            end += header.header_len + body.len();
            self.frames.push((start, end));
        }
        self.next = frames.position();
        Ok(!self.frames.is_empty())
    }

    /// The segment, if all of it is written.
    pub(super) fn take_finished(&mut self) -> Option<Segment> {
        let encoded = self.frames.last().map_or(self.done, |(_, end)| *end);
        let finished = self.written == self.bytes.len();
        let segment = self.segment.take_if(|s| finished && encoded == s.remaining())?;
        self.forget_piece();
        Some(segment)
    }

    /// The segment, with the frames marked as written that have begun to leave.
    pub(super) fn take_unfinished(&mut self) -> Option<Segment> {
        let mut segment = self.segment.take()?;
        let begun = self.frames.partition_point(|(start, _)| *start < self.written);
        let last = begun.checked_sub(1).and_then(|last| self.frames.get(last));
        segment.advance(last.map_or(self.done, |(_, end)| *end));
        self.forget_piece();
        Some(segment)
    }

    /// Nothing large stays with a connection that has nothing to write.
    fn forget_piece(&mut self) {
        self.bytes.clear();
        self.written = 0;
        self.frames.clear();
        self.frames.shrink_to(SMALL / size_of::<(usize, usize)>());
        if self.bytes.capacity() > SMALL {
            buffers::give_arena(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read};
    use std::net::{TcpListener, TcpStream};

    use socket2::SockRef;

    use super::*;
    use crate::message::Frame;
    use crate::pipe::{OutQueue, Parts};

    /// Bytes of each message in one segment; the last one has ten parts and needs several pieces.
    fn lengths() -> Vec<usize> {
        (0..50).map(|n| 500 + 7 * n).chain([10 * 60_000]).collect()
    }

    fn queue() -> OutQueue {
        let mut queue = OutQueue::default();
        for length in lengths() {
            let parts = if length < 1000 { 1 } else { 10 };
            let part = Frame::from(vec![7; length / parts]);
            queue.push(&[], Parts::Frames(&vec![part; parts]));
        }
        queue
    }

    /// Two ends of a connection that holds little; ours does not block.
    fn connected() -> (Stream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        SockRef::from(&listener).set_recv_buffer_size(4096).expect("setsockopt");
        let ours = TcpStream::connect(listener.local_addr().expect("bound")).expect("connect");
        SockRef::from(&ours).set_send_buffer_size(4096).expect("setsockopt");
        ours.set_nonblocking(true).expect("fcntl");
        let (theirs, _) = listener.accept().expect("accept");
        (Stream::Tcp(mio::net::TcpStream::from_std(ours)), theirs)
    }

    /// Writes until the peer has read so many bytes, and the connection breaks: how many bytes have left, and
    /// how many messages are to be sent again.
    fn break_after(taken: usize) -> (usize, usize) {
        let mut queue = queue();
        let segment = queue.take_segment().expect("messages");
        assert!(!queue.has_output(), "all in one segment");
        let (ours, mut theirs) = connected();
        let (mut recoder, mut encoder) = (Recoder::default(), Encoder::raw());
        recoder.begin(segment);
        let mut read = 0;
        loop {
            let outcome = recoder.write(&mut encoder, &ours);
            assert_eq!(outcome.expect_err("full").kind(), ErrorKind::WouldBlock);
            assert!(recoder.take_finished().is_none() && recoder.is_busy());
            if read == taken {
                break;
            }
            let mut some = vec![0; (taken - read).min(4096)];
            theirs.read_exact(&mut some).expect("what was written");
            read += some.len();
        }
        drop(ours);
        queue.put_back(recoder.take_unfinished().expect("not finished"));
        assert!(!recoder.is_busy());
        queue.rewind();
        let left = read + theirs.read_to_end(&mut Vec::new()).expect("what was written");
        (left, queue.messages())
    }

    #[test]
    fn messages_of_which_no_byte_was_written_are_kept() {
        for taken in [0, 10_000, 25_000, 33_000, 40_000, 200_000, 400_000] {
            let (left, kept) = break_after(taken);
            let starts = lengths().into_iter().scan(0, |at, length| {
                *at += length;
                Some(*at - length)
            });
            let begun = starts.filter(|start| *start < left).count();
            assert_eq!(kept, lengths().len() - begun, "{left} bytes have left");
        }
    }

    #[test]
    fn what_is_written_in_pieces_is_finished_once_and_leaves_no_large_buffer() {
        let mut queue = queue();
        let (ours, mut theirs) = connected();
        let (mut recoder, mut encoder) = (Recoder::default(), Encoder::raw());
        recoder.begin(queue.take_segment().expect("messages"));
        let total = lengths().iter().sum::<usize>();
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            theirs.read_to_end(&mut bytes).map(|_| bytes)
        });
        while let Err(error) = recoder.write(&mut encoder, &ours) {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            std::thread::yield_now();
        }
        assert_eq!(recoder.take_finished().expect("finished").remaining(), total + 60 * 9);
        assert!(recoder.take_finished().is_none() && recoder.take_unfinished().is_none());
        assert!(recoder.bytes.capacity() <= SMALL && recoder.frames.capacity() <= 32);
        drop(ours);
        assert!(reader.join().expect("read").expect("read") == vec![7; total]);
    }
}
