//! Events as libzmq's monitor sockets send them.

use super::event::{EventKind, MonitorEvent};
use crate::error::{Error, Result};
use crate::message::{Frame, Message};

/// How events are written into messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// Event and value in one frame of six bytes, then the endpoint.
    V1,
    /// Event, number of values, values, local and remote endpoint, each in a frame.
    V2,
}

impl Version {
    /// Refuses what libzmq does not document.
    pub(crate) fn check(version: u32, events: u64) -> Result<Version> {
        match version {
            1 if events <= EventKind::ALL_V1 => Ok(Version::V1),
            1 => Err(Error::BadArgument("version 1 has the events of the mask 0xffff only")),
            2 => Ok(Version::V2),
            _ => Err(Error::BadArgument("there are the versions 1 and 2")),
        }
    }

    /// The event as a message; all numbers are in the order of this machine.
    pub(crate) fn message(self, event: &MonitorEvent) -> Message {
        match self {
            Version::V1 => {
                let number = event.kind.number().to_ne_bytes();
                let value = event.value().to_ne_bytes();
                let mut head = [0; 6];
                if cfg!(target_endian = "little") {
                    head[..2].copy_from_slice(&number[..2]);
                    head[2..].copy_from_slice(&value[..4]);
                } else {
                    head[..2].copy_from_slice(&number[6..]);
                    head[2..].copy_from_slice(&value[4..]);
                }
                Message::from([Frame::from(&head[..]), Frame::from(event.address())])
            }
            Version::V2 => {
                let count = event.values().len() as u64;
                let numbers = [event.kind.number(), count];
                let numbers = numbers.iter().chain(event.values());
                let frames = numbers.map(|number| Frame::from(&number.to_ne_bytes()[..]));
                let ends = [event.local_address(), &*event.remote].map(Frame::from);
                frames.chain(ends).collect::<Vec<Frame>>().into()
            }
        }
    }
}
