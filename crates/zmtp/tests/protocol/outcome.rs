//! Everything that a connection makes of a stream, to be compared with what it makes of the same stream
//! in other reads.

use std::time::Instant;

use zmtp::{Config, Error, Event, Verdict};

use crate::support::{End, Frame};

/// Everything that one connection made of one stream.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<Event>,
    /// PONGs in one read are one event, which comes last.
    pub(crate) heard_pong: bool,
    pub(crate) frames: Vec<Frame>,
    pub(crate) messages: u32,
    pub(crate) positions: Vec<u32>,
    pub(crate) sent: Vec<u8>,
    pub(crate) rest: usize,
    pub(crate) error: Option<Error>,
}

/// What an end has come to.
pub(crate) fn outcome(end: &End) -> Outcome {
    let (pongs, events): (Vec<_>, Vec<_>) =
        end.events.iter().cloned().partition(|event| *event == Event::Pong);
    Outcome {
        events,
        heard_pong: !pongs.is_empty(),
        frames: end.frames.clone(),
        messages: end.messages,
        positions: end.positions.clone(),
        sent: end.out.clone(),
        rest: if end.error.is_some() { 0 } else { end.rest.len() },
        error: end.error.clone(),
    }
}

/// An end that these reads have reached, one after another; verdicts are given at once.
pub(crate) fn play(config: &Config, verdict: Verdict, reads: &[&[u8]], now: Instant) -> End {
    let mut end = End::new(config.clone(), now);
    end.verdict = Some(verdict);
    for read in reads {
        end.deliver(now, read);
    }
    end
}

/// A stream in reads of these sizes, which come round again and again.
pub(crate) fn in_reads<'a>(mut stream: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut sizes = sizes.iter().copied().cycle();
    let mut reads = Vec::new();
    while !stream.is_empty() {
        let size = sizes.next().unwrap_or(1).clamp(1, stream.len());
        let (read, rest) = stream.split_at(size);
        reads.push(read);
        stream = rest;
    }
    reads
}
