//! Traffic that cannot be handed on as it came: 1.0 framing, and subscriptions among the messages.

use std::time::Instant;

use super::side::Side;
use super::traffic::{Found, Inbound, Progress, Scan, Traffic};
use crate::error::Error;
use crate::frame_v1::{self, Parsed};
use crate::{FrameHeader, SocketType, Version, frame};

/// What has been gathered so far. Canonical headers are never longer than those of 1.0 for the same
/// frame, so the buffer does not outgrow the input.
#[derive(Default)]
struct Gathered {
    buffer: Vec<u8>,
    messages: u32,
    whole: usize,
}

/// Whether bytes start with a command that libzmq 4.3.4 gets wrong.
enum Misflagged {
    No,
    /// It takes more bytes to tell.
    Maybe,
    Yes(FrameHeader),
}

/// libzmq 4.3.4 sends SUBSCRIBE with topics of 246 to 255 bytes, and CANCEL with topics of 249 to 255,
/// with a long length but without the LONG flag. Read as the RFC says, such a frame begins with an
/// empty command, which is never valid: to understand it takes nothing away from other peers.
fn misflagged(rest: &[u8]) -> Misflagged {
    const LENGTH: [u8; 6] = [0, 0, 0, 0, 0, 1];
    match rest {
        [4, 0, 0, 0, 0, 0, 0, 1, low, ..] => Misflagged::Yes(FrameHeader {
            more: false,
            command: true,
            body_len: 256 + u64::from(*low),
            header_len: 9,
        }),
        [4, 0, length @ ..] if LENGTH.starts_with(length) => Misflagged::Maybe,
        _ => Misflagged::No,
    }
}

impl Inbound {
    /// Goes over the frames of `input` from `start` on and copies the data frames.
    pub(super) fn transcode(
        &mut self,
        now: Instant,
        input: &[u8],
        start: usize,
        side: &mut Side,
    ) -> Scan {
        let mut gathered = Gathered::default();
        let mut at = start;
        side.events.begin_read();
        let error = loop {
            let rest = input.get(at..).unwrap_or_default();
            match self.transcode_one(now, rest, side, &mut gathered) {
                Ok(0) => break None,
                Ok(length) => at += length,
                Err(error) => break Some(error),
            }
        };
        let Gathered { buffer, messages, whole } = gathered;
        let traffic = if buffer.is_empty() { Traffic::None } else { Traffic::Buffer(buffer) };
        let progress = Progress { consumed: at, traffic, messages, whole, partial: None };
        Scan { progress, error }
    }

    /// Deals with the frame at the start of `rest` and answers its length, 0 if it is not complete.
    fn transcode_one(
        &mut self,
        now: Instant,
        rest: &[u8],
        side: &mut Side,
        gathered: &mut Gathered,
    ) -> Result<usize, Error> {
        let found = if self.version == Version::V1_0 {
            match frame_v1::parse(rest)? {
                Parsed::Incomplete => return Ok(0),
                Parsed::Void => return Ok(1),
                Parsed::Frame(header) => self.look_at(header, rest, self.open_frames)?,
            }
        } else {
            match misflagged(rest) {
                Misflagged::No => self.find(rest, self.open_frames)?,
                Misflagged::Maybe => Found::End(None),
                Misflagged::Yes(header) => self.look_at(header, rest, self.open_frames)?,
            }
        };
        let header = match found {
            Found::Frame(header) => header,
            Found::End(header) => {
                self.check_incomplete(header, rest)?;
                return Ok(0);
            }
        };
        let body = header.body(rest).unwrap_or_default();
        if header.command {
            self.execute(now, body, side)?;
        } else {
            self.gather(header, body, side, gathered)?;
        }
        Ok(header.header_len + body.len())
    }

    /// Refuses a subscription that is too long before it is complete.
    fn check_incomplete(&self, header: Option<FrameHeader>, rest: &[u8]) -> Result<(), Error> {
        match header {
            Some(header)
                if self.may_be_subscription(header)
                    && matches!(rest.get(header.header_len), Some(0 | 1)) =>
            {
                self.check_topic(header.body_len.saturating_sub(1))
            }
            _ => Ok(()),
        }
    }

    /// Subscriptions that are messages have one frame (RFC 23, "The Publish-Subscribe Pattern"). libzmq
    /// sends several in one message, too, and takes data that follows for a message of its own.
    const fn may_be_subscription(&self, header: FrameHeader) -> bool {
        self.publishes() && self.open_frames == 0 && !header.command
    }

    fn gather(
        &mut self,
        header: FrameHeader,
        body: &[u8],
        side: &mut Side,
        gathered: &mut Gathered,
    ) -> Result<(), Error> {
        if self.publishes()
            && let [kind @ (0 | 1), topic @ ..] = body
        {
            if self.may_be_subscription(header) {
                return self.subscription(*kind == 1, topic, side);
            }
            if self.check_topic(header.body_len.saturating_sub(1)).is_ok() {
                side.events.within(body);
            }
        }
        self.open_frames = if header.more { self.open_frames + 1 } else { 0 };
        if self.socket_type == SocketType::Pub {
            // RFC 29: PUB silently discards messages.
            return Ok(());
        }
        frame::append(header.more, false, &[body], &mut gathered.buffer);
        if !header.more {
            gathered.messages = gathered.messages.saturating_add(1);
            side.events.count_messages(gathered.messages);
            gathered.whole = gathered.buffer.len();
        }
        Ok(())
    }
}
