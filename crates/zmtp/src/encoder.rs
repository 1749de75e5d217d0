//! From canonical frames to what the peer's wire wants.

use crate::command::{self, CANCEL, Command, SUBSCRIBE};
use crate::error::Error;
use crate::mechanism::Sealer;
use crate::{FrameHeader, Version, frame, frame_v1};

/// Turns canonical frames into the bytes for one peer, in the order in which they are sent.
#[derive(Debug)]
pub struct Encoder(Wire);

#[derive(Debug)]
enum Wire {
    /// The peer speaks no ZMTP.
    Raw,
    /// Frames as they are, or as 1.0 has them.
    Open(Version),
    /// Frames in boxes.
    Sealed(Box<Sealer>),
}

impl Encoder {
    pub(crate) fn new(version: Version, sealer: Option<Sealer>) -> Self {
        match sealer {
            Some(sealer) => Self(Wire::Sealed(Box::new(sealer))),
            None => Self(Wire::Open(version)),
        }
    }

    /// For a peer that speaks no ZMTP: only the bodies of messages are sent.
    #[must_use]
    pub const fn raw() -> Self {
        Self(Wire::Raw)
    }

    /// Whether canonical bytes may be sent as they are.
    #[must_use]
    pub const fn is_verbatim(&self) -> bool {
        !matches!(self.0, Wire::Raw | Wire::Sealed(_) | Wire::Open(Version::V1_0))
    }

    /// Appends one frame to `out`. `body` must have the length that the header says. What the peer's
    /// version cannot express (commands before 3.0) is left out.
    ///
    /// # Errors
    /// [`Error::NoncesExhausted`], after 2^64 frames: the connection must end.
    pub fn encode(
        &mut self,
        header: FrameHeader,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        match &mut self.0 {
            Wire::Raw if header.command => {}
            Wire::Raw => out.extend_from_slice(body),
            Wire::Open(version) if header.command && *version < Version::V3_0 => {}
            Wire::Open(Version::V1_0) => {
                frame_v1::append_header(header.more, header.body_len, out);
                out.extend_from_slice(body);
            }
            Wire::Open(_) => frame::append(header.more, header.command, &[body], out),
            Wire::Sealed(sealer) => return seal(sealer, header, body, out),
        }
        Ok(())
    }
}

/// Seals a frame. Subscriptions are messages there, whatever the version: libzmq knows no other form
/// inside CURVE.
fn seal(
    sealer: &mut Sealer,
    header: FrameHeader,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if header.command
        && let Ok(command) = Command::parse(body)
        && let Some(kind) = match command.name {
            SUBSCRIBE => Some(1),
            CANCEL => Some(0),
            _ => None,
        }
    {
        return sealer.seal(false, false, &[&[kind], command.data], out);
    }
    sealer.seal(header.more, header.command, &[body], out)
}

/// Appends, in canonical form, what tells a peer of this version of a subscription or a cancellation: a
/// command from 3.1 on (RFC 37, "The Publish-Subscribe Pattern"), before that a message (RFC 15 and 23).
pub fn append_subscription(version: Version, subscribe: bool, topic: &[u8], out: &mut Vec<u8>) {
    if version >= Version::V3_1 {
        command::append(if subscribe { SUBSCRIBE } else { CANCEL }, &[topic], out);
    } else {
        frame::append(false, false, &[&[u8::from(subscribe)], topic], out);
    }
}
