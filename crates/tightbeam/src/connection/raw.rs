//! Reading from a connection without protocol: bytes become messages, as they come.

use std::io::{self, IoSliceMut};
use std::time::Instant;

use zmtp::{Progress, Traffic, encode_header};

use super::Loss;
use super::read::{Arrival, ReadJob};
use crate::pipe::buffers;

/// The most bytes in one message: receivers with a buffer of this size lose nothing, as with libzmq.
const BODY: usize = 8192;
/// Room for a header in front of each.
const HEADER: usize = 9;

impl ReadJob {
    /// One read, its bytes wrapped in frames where they lie.
    pub(super) fn run_raw(&mut self, now: Instant) -> Arrival {
        let mut arrival = Arrival {
            large: None,
            buffer: buffers::take_chunk(),
            progress: None,
            drained: false,
            heard: None,
            loss: None,
        };
        let most = (self.limit / BODY).max(1);
        let chunks = arrival.buffer.chunks_exact_mut(HEADER + BODY).take(most);
        let mut slices: Vec<_> = chunks.map(|c| IoSliceMut::new(&mut c[HEADER..])).collect();
        let room = slices.len() * BODY;
        match self.stream.read_vectored(&mut slices) {
            Ok(0) => arrival.loss = Some(Loss::Closed),
            Ok(read) => {
                arrival.heard = Some(now);
                arrival.drained = read < room;
                arrival.progress = Some(wrap(&mut arrival.buffer, read));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => arrival.drained = true,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => arrival.loss = Some(error.into()),
        }
        arrival
    }
}

/// Puts headers before the bodies that were read.
fn wrap(buffer: &mut [u8], read: usize) -> Progress {
    let (mut left, mut end, mut messages) = (read, 0, 0);
    while left > 0 {
        let len = left.min(BODY);
        let mut header = [0; HEADER];
        let n = encode_header(false, false, len as u64, &mut header);
        let frame = &mut buffer[end..];
        frame[..n].copy_from_slice(&header[..n]);
        // Only the last one is short.
        frame.copy_within(HEADER..HEADER + len, n);
        end += n + len;
        left -= len;
        messages += 1;
    }
    Progress { consumed: end, traffic: Traffic::Input(0..end), messages, whole: end, partial: None }
}
