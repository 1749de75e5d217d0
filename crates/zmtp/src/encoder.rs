//! From canonical frames to what the peer's wire wants.

use crate::command::{self, CANCEL, SUBSCRIBE};
use crate::{FrameHeader, Version, frame, frame_v1};

/// Turns canonical frames into the bytes for one peer, in the order in which they are sent.
#[derive(Debug)]
pub struct Encoder {
    /// None for a peer that speaks no ZMTP.
    version: Option<Version>,
}

impl Encoder {
    pub(crate) const fn new(version: Version) -> Self {
        Self { version: Some(version) }
    }

    /// For a peer that speaks no ZMTP: only the bodies of messages are sent.
    #[must_use]
    pub const fn raw() -> Self {
        Self { version: None }
    }

    /// Whether canonical bytes may be sent as they are.
    #[must_use]
    pub const fn is_verbatim(&self) -> bool {
        !matches!(self.version, None | Some(Version::V1_0))
    }

    /// Appends one frame to `out`. `body` must have the length that the header says. What the peer's
    /// version cannot express (commands before 3.0) is left out.
    pub fn encode(&mut self, header: FrameHeader, body: &[u8], out: &mut Vec<u8>) {
        if header.command && self.version < Some(Version::V3_0) {
            return;
        }
        match self.version {
            Some(Version::V1_0) => frame_v1::append_header(header.more, header.body_len, out),
            Some(_) => return frame::append(header.more, header.command, &[body], out),
            None => {}
        }
        out.extend_from_slice(body);
    }
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
