//! Writing to a connection.
//!
//! What was begun is finished first; commands go between messages, never into one.

use std::io;
use std::sync::Arc;

use zmtp::{Encoder, Frames};

use super::recode::Recoder;
use super::{Connection, Phase};
use crate::pipe::buffers::SEGMENT_SIZE;
use crate::pipe::{OutQueue, Segment};
use crate::transport::Stream;

/// TCP sends what is written in packets of up to 64 KiB less its headers (65,483 bytes over loopback, multiples of the
/// peer's segment size elsewhere, which the device takes apart), and each for itself. What is a little longer would leave
/// a packet of a few bytes, for which the receiver is woken, too: that halves the rate of a stream.
const PORTION: usize = 65_000;
// A full segment is two of them.
const _: () = assert!(SEGMENT_SIZE + 512 <= 2 * PORTION);

/// Bytes that come before messages: handshake and commands, in the peer's wire.
#[derive(Debug, Default)]
pub(super) struct Lead {
    bytes: Vec<u8>,
    written: usize,
}

impl Lead {
    fn is_empty(&self) -> bool {
        self.written == self.bytes.len()
    }

    fn write(&mut self, stream: &Stream) -> io::Result<()> {
        while !self.is_empty() {
            self.written += non_zero(stream.write(&self.bytes[self.written..]))?;
        }
        self.bytes = Vec::new();
        self.written = 0;
        Ok(())
    }
}

/// What is being written to a connection. Whoever holds it is the connection's writer.
#[derive(Debug)]
pub(crate) struct Writer {
    stream: Arc<Stream>,
    /// What was begun of handshake and commands.
    lead: Lead,
    /// Canonical commands that go before the segment.
    commands: Vec<u8>,
    /// The pipe's; here only while it is written.
    segment: Option<Segment>,
    /// Where the segment is instead, for a peer that does not take it as it is.
    recoder: Option<Box<Recoder>>,
    /// What turns canonical frames into this peer's wire, from the handshake on.
    encoder: Option<Encoder>,
}

/// What became of the segment that a writer had.
#[derive(Debug)]
pub(crate) enum Written {
    Nothing,
    /// It is finished.
    All(Segment),
    /// It goes back to the pipe.
    Part(Segment),
}

/// How a turn of writing ended.
#[derive(Debug)]
pub(crate) enum WriteOutcome {
    /// Everything that was taken is written.
    Done,
    /// The kernel takes no more for now.
    Blocked,
    /// The connection is broken.
    Failed(io::Error),
}

impl Writer {
    pub(super) fn new(stream: Arc<Stream>) -> Box<Writer> {
        Box::new(Writer {
            stream,
            lead: Lead::default(),
            commands: Vec::new(),
            segment: None,
            recoder: None,
            encoder: None,
        })
    }

    /// Writes until all is written or the kernel takes no more. Called without a lock.
    pub(crate) fn run(&mut self) -> WriteOutcome {
        match self.write() {
            Ok(()) => WriteOutcome::Done,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => WriteOutcome::Blocked,
            Err(error) => WriteOutcome::Failed(error),
        }
    }

    /// The same where the body of the segment's only message is [lent](crate::pipe::Parts::Lent): what the
    /// kernel does not take of it is copied.
    pub(crate) fn run_lent(&mut self, body: &[u8]) -> WriteOutcome {
        let outcome = match self.write_lent(body) {
            Ok(()) => return WriteOutcome::Done,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => WriteOutcome::Blocked,
            Err(error) => WriteOutcome::Failed(error),
        };
        match self.segment.as_mut().map_or(Ok(()), |segment| segment.pay_back(body)) {
            Ok(()) => outcome,
            Err(_) => WriteOutcome::Failed(io::ErrorKind::OutOfMemory.into()),
        }
    }

    fn write_lent(&mut self, body: &[u8]) -> io::Result<()> {
        self.lead.bytes.append(&mut self.commands);
        self.lead.write(&self.stream)?;
        if let Some(segment) = &mut self.segment {
            while segment.remaining() > 0 {
                let slices = segment.lent_slices(body, portion(&self.stream, segment.remaining()));
                let written = self.stream.write_vectored(&slices);
                segment.advance(non_zero(written)?);
            }
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        match &mut self.encoder {
            Some(encoder) if !encoder.is_verbatim() => {
                for (header, body) in Frames::new(&std::mem::take(&mut self.commands)) {
                    let encoded = encoder.encode(header, body, &mut self.lead.bytes);
                    encoded.map_err(io::Error::other)?;
                }
                if let Some(segment) = self.segment.take() {
                    self.recoder.get_or_insert_default().begin(segment);
                }
            }
            _ if self.commands.is_empty() => {}
            _ => self.lead.bytes.append(&mut self.commands),
        }
        if !self.lead.is_empty() {
            self.lead.write(&self.stream)?;
        }
        if let Some(segment) = &mut self.segment {
            write_segment(&self.stream, segment)?;
        }
        match (&mut self.recoder, &mut self.encoder) {
            (Some(recoder), Some(encoder)) => recoder.write(encoder, &self.stream),
            _ => Ok(()),
        }
    }

    /// Whether a message or a command was begun, into which nothing else may be written.
    fn is_begun(&self) -> bool {
        self.is_recoding()
            || self.segment.as_ref().is_some_and(Segment::is_begun)
            || !self.lead.is_empty()
    }

    fn is_recoding(&self) -> bool {
        self.recoder.as_ref().is_some_and(|recoder| recoder.is_busy())
    }

    fn has_nothing(&self) -> bool {
        self.segment.is_none()
            && !self.is_recoding()
            && self.lead.is_empty()
            && self.commands.is_empty()
    }

    fn take_segment(&mut self) -> Written {
        if let Some(segment) = self.recoder.as_mut().and_then(|recoder| recoder.take_finished()) {
            return Written::All(segment);
        }
        match self.segment.take() {
            None => Written::Nothing,
            Some(segment) if segment.remaining() == 0 => Written::All(segment),
            Some(segment) => Written::Part(segment),
        }
    }
}

fn write_segment(stream: &Stream, segment: &mut Segment) -> io::Result<()> {
    while segment.remaining() > 0 {
        let bytes = portion(stream, segment.remaining());
        let written = match segment.as_single(bytes) {
            Some(bytes) => non_zero(stream.write(bytes)),
            None => non_zero(stream.write_vectored(&segment.slices(bytes))),
        };
        segment.advance(written?);
    }
    Ok(())
}

/// How many of so many bytes to write at once: in equal portions none is small.
pub(super) fn portion(stream: &Stream, bytes: usize) -> usize {
    match stream {
        Stream::Tcp(_) if bytes > PORTION => equal_portion(bytes),
        Stream::Tcp(_) | Stream::Ipc(_) => bytes,
    }
}

fn equal_portion(bytes: usize) -> usize {
    bytes.div_ceil(bytes.div_ceil(PORTION))
}

pub(super) fn non_zero(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Ok(0) => Err(io::ErrorKind::WriteZero.into()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        other => other,
    }
}

impl Connection {
    /// Takes out what should be written next; `None` if there is nothing, the kernel takes nothing,
    /// or another writer is at it (who then goes on). What is tried `unasked` may be taken although the
    /// kernel has not said so.
    pub(crate) fn begin_write(
        &mut self,
        queue: Option<&mut OutQueue>,
        unasked: bool,
    ) -> Option<Box<Writer>> {
        let Some(writer) = &mut self.writer else {
            self.again = true;
            return None;
        };
        if self.ending.is_some() || self.broken || (self.blocked && !unasked) {
            return None;
        }
        if !writer.is_recoding() && self.phase == Phase::Traffic {
            writer.segment = queue.and_then(OutQueue::take_segment);
        }
        self.take_writer()
    }

    /// Takes out the writer with the commands that go before its segment; `None` if there is nothing to write.
    #[inline(always)]
    fn take_writer(&mut self) -> Option<Box<Writer>> {
        let writer = self.writer.as_mut()?;
        if !writer.is_begun() {
            // The handshake is said once: its buffer is not kept.
            writer.lead.bytes.append(&mut std::mem::take(&mut self.raw));
            writer.commands.append(&mut self.commands);
        }
        if writer.has_nothing() {
            return None;
        }
        if self.encoder.is_some() {
            writer.encoder = self.encoder.take();
        }
        self.write_event = false;
        self.again = false;
        self.writer.take()
    }

    /// Takes out the writer with a segment whose body is [lent](crate::pipe::Parts::Lent); the connection
    /// [may borrow](Connection::may_borrow).
    pub(crate) fn begin_lent_write(&mut self, segment: Segment) -> Option<Box<Writer>> {
        self.writer.as_mut()?.segment = Some(segment);
        self.take_writer()
    }

    /// Whether messages may be written from the caller's memory, once nothing else is to be written: they
    /// leave as they are.
    pub(crate) fn may_borrow(&self) -> bool {
        let Some(writer) = &self.writer else { return false };
        let encoder = self.encoder.as_ref().or(writer.encoder.as_ref());
        self.phase == Phase::Traffic
            && self.ending.is_none()
            && !self.is_broken()
            && encoder.is_some_and(Encoder::is_verbatim)
    }

    /// Puts back what a writer took, and answers what became of the pipe's segment.
    pub(crate) fn finish_write(&mut self, mut writer: Box<Writer>) -> Written {
        let written = writer.take_segment();
        self.writer = Some(writer);
        written
    }

    /// Whether somebody wanted to write during the last job; asking forgets it.
    pub(crate) fn take_again(&mut self) -> bool {
        std::mem::take(&mut self.again)
    }

    /// The segment in the hands of the encoder, when the connection ends.
    pub(crate) fn take_recoded(&mut self) -> Option<Segment> {
        self.writer.as_mut()?.recoder.as_mut()?.take_unfinished()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_are_equal_and_fit_into_a_packet() {
        for bytes in [1, PORTION, PORTION + 1, 65_545, SEGMENT_SIZE, (1 << 20) + 9, 1 << 40] {
            let portion = equal_portion(bytes);
            assert!(portion <= PORTION && portion * bytes.div_ceil(PORTION) >= bytes);
            assert!(bytes <= PORTION || portion > PORTION / 2);
        }
    }
}
