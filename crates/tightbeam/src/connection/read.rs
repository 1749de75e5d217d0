//! Reading from a connection.

use std::io::{self, IoSliceMut};
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Instant;

use zmtp::{FrameHeader, Progress};

use super::{Connection, Loss, Protocol};
use crate::message::{BodyBuf, Frame};
use crate::pipe::buffers::{self, BUFFER_SIZE};
use crate::transport::Stream;

/// Bodies from this size on are read into storage of their own, unless the context says otherwise.
const LARGE_FROM: u64 = (BUFFER_SIZE / 4) as u64;
/// The least room that a read is given behind what is left from the one before.
const LEAST_ROOM: usize = BUFFER_SIZE / 2;

/// A body that is being read into storage of its own.
#[derive(Debug)]
pub(crate) struct LargeBody {
    header: FrameHeader,
    body: BodyBuf,
}

impl LargeBody {
    pub(super) fn received(&self) -> usize {
        self.body.received()
    }
}

/// What a reader took out of a connection.
#[derive(Debug)]
pub(crate) struct ReadJob {
    pub(super) stream: Arc<Stream>,
    protocol: Protocol,
    rest: Vec<u8>,
    large: Option<Box<LargeBody>>,
    /// The most to read besides a large body.
    pub(super) limit: usize,
    /// Bodies from this size on are read into storage of their own.
    large_from: u64,
    /// The rest comes first, before anything more is read.
    held_back: bool,
}

/// What a turn of reading brought.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// A large frame that is complete; it comes before the traffic.
    pub(crate) large: Option<Box<(FrameHeader, Frame)>>,
    /// What was read; `progress.traffic` may lie in it.
    pub(crate) buffer: Vec<u8>,
    pub(crate) progress: Option<Progress>,
    /// The kernel had no more than this.
    pub(crate) drained: bool,
    /// When bytes arrived, if they did.
    pub(crate) heard: Option<Instant>,
    pub(crate) loss: Option<Loss>,
}

impl ReadJob {
    /// One read, and what the protocol makes of it. Called without a lock.
    pub(crate) fn run(&mut self, now: Instant) -> Arrival {
        let Protocol::Zmtp(_) = self.protocol else { return self.run_raw(now) };
        let kept = self.rest.len();
        let mut arrival = Arrival {
            large: None,
            buffer: self.buffer(),
            progress: None,
            drained: false,
            heard: None,
            loss: None,
        };
        match self.read(now, kept, &mut arrival) {
            Ok(rest) => self.keep(rest, &mut arrival.buffer),
            Err(loss) => arrival.loss = Some(loss),
        }
        arrival
    }

    /// A buffer that begins with the rest of the last read.
    fn buffer(&mut self) -> Vec<u8> {
        if is_long(self.rest.len()) {
            let mut buffer = std::mem::take(&mut self.rest);
            buffer.resize(buffer.len() + LEAST_ROOM, 0);
            return buffer;
        }
        let mut buffer = buffers::take_chunk();
        if let Some(start) = buffer.get_mut(..self.rest.len()) {
            start.copy_from_slice(&self.rest);
        }
        buffer
    }

    /// Keeps this range of the buffer for the next read.
    fn keep(&mut self, rest: Range<usize>, buffer: &mut Vec<u8>) {
        if rest.start == 0 && is_long(rest.len()) {
            // A long command, or a long frame that cannot be read into place: it stays where it is,
            // and the room behind it grows with what arrives.
            buffer.truncate(rest.end);
            self.rest = std::mem::take(buffer);
        } else if rest.len() != self.rest.len() || rest.start > 0 {
            self.rest = buffer[rest].to_vec();
        }
    }

    /// Answers what of the buffer, which begins with `kept` bytes of the last read, is the rest.
    fn read(
        &mut self,
        now: Instant,
        kept: usize,
        arrival: &mut Arrival,
    ) -> Result<Range<usize>, Loss> {
        let missing = self.large.as_ref().map_or(0, |large| large.body.remaining());
        let Some(read) = self.bring(now, kept, arrival)? else { return Ok(0..kept) };
        let behind = self.advance_large(now, read.saturating_sub(missing), arrival)?;
        if self.large.is_some() {
            return Ok(0..0);
        }
        let end = kept + behind;
        let Protocol::Zmtp(protocol) = &mut self.protocol else { return Ok(0..0) };
        let progress = protocol.handle_read(now, &mut arrival.buffer[..end])?;
        let mut rest = progress.consumed..end;
        if let Some(header) = progress.partial.filter(|header| header.body_len >= self.large_from) {
            let mut body = BodyBuf::with_len(header.body_len).map_err(out_of_memory)?;
            let start = &arrival.buffer[rest.start + header.header_len..end];
            body.extend(start).map_err(out_of_memory)?;
            self.large = Some(Box::new(LargeBody { header, body }));
            rest = 0..0;
        }
        arrival.progress = Some(progress);
        Ok(rest)
    }

    /// Reads behind the `kept` bytes; answers how many bytes came, or `None` if none can now.
    #[inline]
    fn bring(
        &mut self,
        now: Instant,
        kept: usize,
        arrival: &mut Arrival,
    ) -> Result<Option<usize>, Loss> {
        if std::mem::take(&mut self.held_back) {
            return Ok(Some(0));
        }
        match self.fill(&mut arrival.buffer[kept..]) {
            Ok((0, _)) => Err(Loss::Closed),
            Ok((read, room)) => {
                arrival.heard = Some(now);
                arrival.drained = read < room;
                Ok(Some(read))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                arrival.drained = true;
                Ok(None)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads: the open body first, then into `buffer`. Answers how much was read, and could be.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<(usize, usize)> {
        let room = buffer.len().min(self.limit);
        let buffer = &mut buffer[..room];
        let Some(large) = &mut self.large else {
            return self.stream.read(buffer).map(|read| (read, room));
        };
        let remaining = large.body.remaining();
        let room = large.body.room().map_err(|_| io::ErrorKind::OutOfMemory)?;
        if remaining >= BUFFER_SIZE || room < remaining {
            // Nothing has to be cleared for this read, which outweighs that it ends with the body.
            let read = large.body.read_from(self.stream.as_fd())?;
            return Ok((read, room));
        }
        let spare = large.body.spare().map_err(|_| io::ErrorKind::OutOfMemory)?;
        let room = spare.len() + buffer.len();
        let mut slices = [IoSliceMut::new(spare), IoSliceMut::new(buffer)];
        let read = self.stream.read_vectored(&mut slices)?;
        large.body.advance(read.min(remaining));
        Ok((read, room))
    }

    /// Deals with the open body, behind which `behind` bytes went into the buffer; answers how many
    /// bytes in the buffer are frames.
    fn advance_large(
        &mut self,
        now: Instant,
        behind: usize,
        arrival: &mut Arrival,
    ) -> Result<usize, Loss> {
        let Some(large) = &mut self.large else { return Ok(behind) };
        let Protocol::Zmtp(protocol) = &mut self.protocol else { return Ok(0) };
        if large.body.remaining() > 0 {
            protocol.handle_body_part();
            return Ok(0);
        }
        let Some(large) = self.large.take() else { return Ok(0) };
        let LargeBody { header, body } = *large;
        protocol.handle_large_body(now, header)?;
        arrival.large = Some(Box::new((header, body.finish())));
        Ok(behind)
    }
}

/// Whether a rest leaves too little room in a pooled buffer.
fn is_long(rest: usize) -> bool {
    rest + LEAST_ROOM > BUFFER_SIZE
}

fn out_of_memory(_: crate::message::OutOfMemory) -> Loss {
    Loss::Budget("memory")
}

impl Connection {
    /// Takes out what a read needs, unless another reader has it.
    pub(crate) fn begin_read(&mut self, limit: usize) -> Option<ReadJob> {
        let something = self.readable || self.held_back;
        if self.reading || self.judging || self.ending.is_some() || !something {
            return None;
        }
        let protocol = self.protocol.take()?;
        self.reading = true;
        self.read_event = false;
        Some(ReadJob {
            stream: Arc::clone(&self.stream),
            protocol,
            rest: std::mem::take(&mut self.rest),
            limit,
            large_from: if self.terms.options.zero_copy_recv { LARGE_FROM } else { u64::MAX },
            large: self.large.take(),
            held_back: std::mem::take(&mut self.held_back),
        })
    }

    /// Puts back what a reader took.
    pub(crate) fn finish_read(&mut self, job: ReadJob, drained: bool) {
        self.reading = false;
        self.protocol = Some(job.protocol);
        self.rest = job.rest;
        self.large = job.large;
        if drained && !self.hung_up && !self.read_event {
            self.readable = false;
        }
    }
}
