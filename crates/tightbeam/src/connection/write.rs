//! Writing to a connection.
//!
//! What was begun is finished first; commands go between messages, never into one.

use std::io;
use std::sync::Arc;

use zmtp::{Encoder, Frames};

use super::{Connection, Phase};
use crate::pipe::{OutQueue, Segment};
use crate::transport::Stream;

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

/// A segment encoded for a peer that does not take canonical frames, kept until it is written, so
/// that a broken connection can tell which messages did not leave.
#[derive(Debug)]
pub(super) struct Recoded {
    bytes: Vec<u8>,
    written: usize,
    segment: Segment,
    /// Where each message ends: in `bytes`, and in the segment.
    ends: Vec<(usize, usize)>,
}

impl Recoded {
    fn new(segment: Segment, encoder: &mut Encoder) -> Recoded {
        let (mut bytes, mut ends, mut at) = (Vec::new(), Vec::new(), 0);
        for (header, body, _) in segment.frames() {
            encoder.encode(header, body, &mut bytes);
            at += header.header_len + body.len();
            if !header.more {
                ends.push((bytes.len(), at));
            }
        }
        Recoded { bytes, written: 0, segment, ends }
    }

    fn write(&mut self, stream: &Stream) -> io::Result<()> {
        while self.written < self.bytes.len() {
            self.written += non_zero(stream.write(&self.bytes[self.written..]))?;
        }
        Ok(())
    }

    /// The segment, marked as written as far as messages have begun to leave.
    pub(super) fn into_segment(mut self) -> Segment {
        let begun = self.ends.partition_point(|(end, _)| *end < self.written);
        let all = self.ends.get(begun).filter(|_| self.written > 0);
        let last = if begun > 0 { self.ends.get(begun - 1) } else { None };
        let starts_after = last.map_or(0, |(end, _)| *end);
        let touched = if self.written > starts_after { all.or(last) } else { last };
        self.segment.advance(touched.map_or(0, |(_, at)| *at));
        self.segment
    }
}

/// What a writer took out of a connection.
#[derive(Debug)]
pub(crate) struct WriteJob {
    stream: Arc<Stream>,
    lead: Lead,
    commands: Vec<u8>,
    segment: Option<Segment>,
    recoded: Option<Box<Recoded>>,
    /// Only for a peer that does not take canonical frames.
    encoder: Option<Encoder>,
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

impl WriteJob {
    /// Writes until all is written or the kernel takes no more. Called without a lock.
    pub(crate) fn run(&mut self) -> WriteOutcome {
        match self.write() {
            Ok(()) => WriteOutcome::Done,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => WriteOutcome::Blocked,
            Err(error) => WriteOutcome::Failed(error),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        if let Some(encoder) = &mut self.encoder {
            for (header, body) in Frames::new(&std::mem::take(&mut self.commands)) {
                encoder.encode(header, body, &mut self.lead.bytes);
            }
            if let Some(segment) = self.segment.take() {
                self.recoded = Some(Box::new(Recoded::new(segment, encoder)));
            }
        } else {
            self.lead.bytes.append(&mut self.commands);
        }
        self.lead.write(&self.stream)?;
        if let Some(segment) = &mut self.segment {
            write_segment(&self.stream, segment)?;
        }
        match &mut self.recoded {
            Some(recoded) => recoded.write(&self.stream),
            None => Ok(()),
        }
    }
}

fn write_segment(stream: &Stream, segment: &mut Segment) -> io::Result<()> {
    while segment.remaining() > 0 {
        let written = match segment.as_single() {
            Some(bytes) => non_zero(stream.write(bytes)),
            None => non_zero(stream.write_vectored(&segment.slices())),
        };
        segment.advance(written?);
    }
    Ok(())
}

fn non_zero(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Ok(0) => Err(io::ErrorKind::WriteZero.into()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        other => other,
    }
}

impl Connection {
    /// Takes out what should be written next; `None` if there is nothing, the kernel takes nothing,
    /// or another writer is at it (who then goes on).
    pub(crate) fn begin_write(&mut self, queue: Option<&mut OutQueue>) -> Option<WriteJob> {
        if self.writing {
            self.again = true;
            return None;
        }
        if self.blocked || self.ending.is_some() {
            return None;
        }
        let mut job = WriteJob {
            stream: Arc::clone(&self.stream),
            lead: std::mem::take(&mut self.lead),
            commands: Vec::new(),
            segment: None,
            recoded: self.recoded.take(),
            encoder: None,
        };
        let queue = queue.filter(|_| self.phase == Phase::Traffic);
        if job.recoded.is_none() {
            job.segment = queue.and_then(OutQueue::take_segment);
        }
        let in_a_message = job.recoded.is_some()
            || job.segment.as_ref().is_some_and(Segment::is_begun)
            || !job.lead.is_empty();
        if !in_a_message {
            job.lead.bytes = std::mem::take(&mut self.raw);
            job.commands = std::mem::take(&mut self.commands);
        }
        let verbatim = self.encoder.as_ref().is_none_or(Encoder::is_verbatim);
        if !verbatim {
            job.encoder = self.encoder.take();
        }
        let nothing = job.segment.is_none()
            && job.recoded.is_none()
            && job.lead.is_empty()
            && job.commands.is_empty();
        if nothing {
            self.encoder = self.encoder.take().or(job.encoder);
            return None;
        }
        self.writing = true;
        self.write_event = false;
        self.again = false;
        Some(job)
    }

    /// Puts back what a writer took. Answers the segment that it finished, if any, and the one that
    /// it did not; both belong to the pipe.
    pub(crate) fn finish_write(&mut self, job: WriteJob) -> (Option<Segment>, Option<Segment>) {
        self.writing = false;
        self.lead = job.lead;
        if let Some(encoder) = job.encoder {
            self.encoder = Some(encoder);
        }
        if let Some(recoded) = job.recoded {
            if recoded.written == recoded.bytes.len() {
                return (Some(recoded.segment), None);
            }
            self.recoded = Some(recoded);
            return (None, None);
        }
        match job.segment {
            Some(segment) if segment.remaining() == 0 => (Some(segment), None),
            unfinished => (None, unfinished),
        }
    }

    /// Whether somebody wanted to write during the last job; asking forgets it.
    pub(crate) fn take_again(&mut self) -> bool {
        std::mem::take(&mut self.again)
    }

    /// The segment in the hands of the encoder, when the connection ends.
    pub(crate) fn take_recoded(&mut self) -> Option<Segment> {
        self.recoded.take().map(|recoded| recoded.into_segment())
    }
}
