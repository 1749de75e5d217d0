//! Messages and commands after the handshake.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::side::Side;
use crate::command::{self, CANCEL, Command, JOIN, LEAVE, PING, PONG, READY, SUBSCRIBE};
use crate::error::{Error, Violation};
use crate::mechanism::{Opened, Opener};
use crate::reader::Reader;
use crate::{Config, FrameHeader, SocketType, Version};

/// What one read came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The bytes of the input that are dealt with. The rest (an incomplete frame, or what must wait
    /// for a verdict) must be presented again with what arrives after it.
    pub consumed: usize,
    /// The traffic of this read in canonical form.
    pub traffic: Traffic,
    /// How many messages these bytes complete.
    pub messages: u32,
    /// The length in bytes, from the start of the traffic, up to and including the last whole message:
    /// what must be kept if the connection dies.
    pub whole: usize,
    /// The header of the data frame at the start of the rest, if it may be read straight into place:
    /// see [`Connection::handle_large_body`](super::Connection::handle_large_body).
    pub partial: Option<FrameHeader>,
}

/// Where the canonical frames of a read are. Command frames may be among them; they have been dealt
/// with, and whoever decodes skips them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Traffic {
    /// There are no data frames.
    None,
    /// In this range of the input.
    Input(Range<usize>),
    /// Here: the wire or the socket type does not allow the input to be used as it is.
    Buffer(Vec<u8>),
}

impl Progress {
    pub(super) const fn handshake(consumed: usize) -> Self {
        Self { consumed, traffic: Traffic::None, messages: 0, whole: 0, partial: None }
    }
}

/// Progress up to the point where the input ended or an error stopped it.
pub(super) struct Scan {
    pub(super) progress: Progress,
    pub(super) error: Option<Error>,
}

/// The traffic of the peer.
#[derive(Debug)]
pub(super) struct Inbound {
    pub(super) version: Version,
    pub(super) socket_type: SocketType,
    /// Frames of the message that is not complete.
    pub(super) open_frames: u32,
    max_frames: u32,
    max_body: u64,
    max_command: u64,
    pub(super) max_topic: u64,
    /// Of CURVE.
    opener: Option<Box<Opener>>,
}

/// What stands at some point of the input, checked against the limits.
pub(super) enum Found {
    /// Nothing more that is complete.
    End(Option<FrameHeader>),
    /// A whole frame.
    Frame(FrameHeader),
}

impl Inbound {
    pub(super) fn new(config: &Config, version: Version, opener: Option<Opener>) -> Self {
        let limits = &config.limits;
        let topic_command = limits.topic.saturating_add(1 + 9);
        let max_message = config.max_message_size.unwrap_or(u64::MAX);
        Self {
            version,
            socket_type: config.socket_type,
            open_frames: 0,
            max_frames: limits.frames_per_message,
            // A PUB takes subscriptions and nothing else: what is longer only fills the memory.
            max_body: if config.socket_type == SocketType::Pub {
                max_message.min(limits.topic.saturating_add(1))
            } else {
                max_message
            },
            max_command: if config.publishes() {
                limits.handshake_command.max(topic_command)
            } else {
                limits.handshake_command
            },
            max_topic: limits.topic.min(max_message),
            opener: opener.map(Box::new),
        }
    }

    pub(super) const fn publishes(&self) -> bool {
        matches!(self.socket_type, SocketType::Pub | SocketType::XPub)
    }

    /// Whether the input can be the traffic.
    pub(super) const fn is_verbatim(&self) -> bool {
        !matches!(self.version, Version::V1_0) && !self.publishes()
    }

    /// Whether the driver may read large bodies itself.
    pub(super) const fn takes_bodies(&self) -> bool {
        self.is_verbatim() && self.opener.is_none()
    }

    /// Goes over the frames of `input` from `start` on.
    pub(super) fn scan(
        &mut self,
        now: Instant,
        input: &mut [u8],
        start: usize,
        side: &mut Side,
    ) -> Scan {
        let Some(opener) = &mut self.opener else {
            return self.scan_open(now, input, start, side);
        };
        let max_body = self.max_body.max(self.max_command);
        let Opened { consumed, canonical, error } = opener.open(input, start, max_body);
        let opened = input.get(..canonical).unwrap_or_default();
        let mut scan = self.scan_open(now, opened, start, side);
        if scan.error.is_none() {
            scan.error = error;
            scan.progress.consumed = consumed;
        }
        scan
    }

    /// The same for frames that are not sealed, or no longer.
    fn scan_open(&mut self, now: Instant, input: &[u8], start: usize, side: &mut Side) -> Scan {
        if self.is_verbatim() {
            self.scan_verbatim(now, input, start, side)
        } else {
            self.transcode(now, input, start, side)
        }
    }

    /// The hot path: for short data frames one round is a handful of instructions.
    fn scan_verbatim(&mut self, now: Instant, input: &[u8], start: usize, side: &mut Side) -> Scan {
        let short_max = u8::try_from(self.max_body).unwrap_or(u8::MAX);
        let (mut at, mut whole, mut messages) = (start, start, 0u32);
        let (mut data, mut open) = (false, self.open_frames);
        let (mut partial, mut error) = (None, None);
        while let Some(rest) = input.get(at..) {
            if let [flags @ (0 | 1), length, tail @ ..] = rest
                && tail.len() >= usize::from(*length)
                && *length <= short_max
                && open < self.max_frames
            {
                at += 2 + usize::from(*length);
                data = true;
                if *flags == 0 {
                    open = 0;
                    messages = messages.saturating_add(1);
                    whole = at;
                } else {
                    open += 1;
                }
                continue;
            }
            let (header, body) = match self.find(rest, open) {
                Ok(Found::Frame(header)) => (header, header.body(rest).unwrap_or_default()),
                Ok(Found::End(header)) => {
                    partial = header.filter(|header| !header.command);
                    break;
                }
                Err(e) => {
                    error = Some(e);
                    break;
                }
            };
            if header.command {
                if let Err(e) = self.execute(now, body, side) {
                    error = Some(e);
                    break;
                }
            } else {
                data = true;
                open = if header.more { open + 1 } else { 0 };
            }
            at += header.header_len + body.len();
            if !header.command && !header.more {
                messages = messages.saturating_add(1);
                whole = at;
            }
        }
        self.open_frames = open;
        let traffic = if data { Traffic::Input(start..at) } else { Traffic::None };
        let progress = Progress { consumed: at, traffic, messages, whole: whole - start, partial };
        Scan { progress, error }
    }

    /// The 2.0 or 3.x frame at the start of `rest`.
    pub(super) fn find(&self, rest: &[u8], open: u32) -> Result<Found, Error> {
        let Some(header) = FrameHeader::parse(rest)? else { return Ok(Found::End(None)) };
        self.look_at(header, rest, open)
    }

    /// Whether the frame with this header, at the start of `rest`, is allowed and complete.
    pub(super) fn look_at(
        &self,
        header: FrameHeader,
        rest: &[u8],
        open: u32,
    ) -> Result<Found, Error> {
        self.check(header, open)?;
        Ok(match header.body(rest) {
            Some(_) => Found::Frame(header),
            None => Found::End(Some(header)),
        })
    }

    /// Checks a header against the limits, before any of the body is looked at.
    pub(super) fn check(&self, header: FrameHeader, open: u32) -> Result<(), Error> {
        let length = header.body_len;
        let violation = if header.command && self.version < Version::V3_0 {
            // The bit is reserved in 2.0.
            Violation::ReservedFlags(4)
        } else if header.command && length > self.max_command {
            Violation::CommandTooLarge { length, limit: self.max_command }
        } else if !header.command && length > self.max_body {
            Violation::MessageTooLarge { length, limit: self.max_body }
        } else if !header.command && open >= self.max_frames {
            Violation::TooManyFrames(self.max_frames)
        } else {
            return Ok(());
        };
        Err(Error::Misbehaved(violation))
    }

    /// Counts a data frame that the driver has read itself; answers the messages completed.
    pub(super) fn count_large(&mut self, header: FrameHeader) -> Result<u32, Error> {
        self.check(header, self.open_frames)?;
        self.open_frames = if header.more { self.open_frames + 1 } else { 0 };
        Ok(u32::from(!header.more))
    }

    /// Carries out a command.
    pub(super) fn execute(&self, now: Instant, body: &[u8], side: &mut Side) -> Result<(), Error> {
        let command = Command::parse(body)?;
        match command.name {
            PING => ping(now, command.data, side),
            PONG => pong(command.data, side),
            SUBSCRIBE => self.subscription(true, command.data, side),
            CANCEL => self.subscription(false, command.data, side),
            JOIN | LEAVE if command.data.len() > 255 => {
                Err(Error::Misbehaved(Violation::GroupTooLong))
            }
            READY => Err(Error::Misbehaved(Violation::UnexpectedCommand)),
            command::ERROR => Err(command::refusal(command.data)),
            // Later versions may have commands that we do not know.
            _ => Ok(()),
        }
    }

    /// A subscription or cancellation; only publishers care.
    pub(super) fn subscription(
        &self,
        subscribe: bool,
        topic: &[u8],
        side: &mut Side,
    ) -> Result<(), Error> {
        if self.publishes() {
            self.check_topic(u64::try_from(topic.len()).unwrap_or(u64::MAX))?;
            side.events.subscription(subscribe, topic);
        }
        Ok(())
    }

    pub(super) fn check_topic(&self, length: u64) -> Result<(), Error> {
        let limit = self.max_topic;
        if length > limit {
            return Err(Error::Misbehaved(Violation::TopicTooLong { length, limit }));
        }
        Ok(())
    }
}

/// A flood of PINGs in one read is answered only so far: each answer says the same.
const MAX_PENDING_PONGS_BYTES: usize = 4096;

fn ping(now: Instant, data: &[u8], side: &mut Side) -> Result<(), Error> {
    const MALFORMED: Error = Error::Misbehaved(Violation::MalformedHeartbeat);
    let mut reader = Reader::new(data);
    let tenths = reader.u16().ok_or(MALFORMED)?;
    let context = reader.rest();
    if context.len() > side.config.limits.ping_context {
        return Err(MALFORMED);
    }
    side.life.pinged(now, Duration::from_millis(u64::from(tenths) * 100));
    if side.commands.len() < MAX_PENDING_PONGS_BYTES {
        command::append(PONG, &[context], &mut side.commands);
    }
    Ok(())
}

fn pong(data: &[u8], side: &mut Side) -> Result<(), Error> {
    if data.len() > side.config.limits.ping_context {
        return Err(Error::Misbehaved(Violation::MalformedHeartbeat));
    }
    side.events.pong();
    Ok(())
}
