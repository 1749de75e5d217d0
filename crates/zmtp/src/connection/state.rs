//! The states before the traffic.

use std::time::Instant;

use super::side::Side;
use super::traffic::Inbound;
use crate::command::{self, Command};
use crate::error::{Error, Incompatibility, Violation};
use crate::frame_v1::Parsed;
use crate::greeting::{self, REST_LEN, Rest, SIGNATURE_LEN};
use crate::mechanism::{Channel, Mechanism, Outcome};
use crate::metadata::{self, Metadata};
use crate::reader::Reader;
use crate::{FrameHeader, Version, frame, frame_v1};

/// Where a connection stands. Each step consumes the state and answers the next.
///
/// After RFC 37, "Backwards Interoperability" and "Formal Grammar"; what we send stands in brackets.
///
/// ```text
///                    [signature]
///                         |
///                     Signature ---- no signature: 1.0 [routing id] ------+
///                         | signature [3]                                 |
///                      Revision ---- 0, 1: 2.0 [socket type, identity]    |
///                         |                  |                            |
///          others: 3.x    |              SocketType                       |
///      [rest of greeting] |                  |                            |
///                       Rest             Identity <-----------------------+
///                         |                  |
///                     Handshake              |
///        mechanism's turn |                  |
///                         +----> Traffic <---+           any error: Closed
/// ```
#[derive(Debug)]
pub(super) enum State {
    /// The first ten bytes, or as many as it takes to see that they are no signature.
    Signature,
    /// The major version of 3.x, or the revision of 2.0.
    Revision,
    /// The rest of a 3.x greeting.
    Rest { major: u8 },
    /// The socket type of a 2.0 greeting.
    SocketType { version: Version },
    /// The identity frame of 1.0 and 2.0.
    Identity { version: Version, metadata: Metadata },
    /// The security handshake.
    Handshake { version: Version, mechanism: Mechanism },
    /// Messages and commands.
    Traffic(Inbound),
    /// Over.
    Closed,
}

/// What a step came to.
pub(super) enum Step {
    /// More input, or a verdict, is needed; nothing was consumed.
    Wait(State),
    /// Go on with the next state.
    Next(State),
    /// The handshake is complete.
    Ready(Version, Metadata, Option<Channel>),
}

impl State {
    /// Takes one step over the input. Whatever is not complete stays unread.
    pub(super) fn step(
        self,
        now: Instant,
        side: &mut Side,
        reader: &mut Reader<'_>,
    ) -> Result<Step, Error> {
        match self {
            State::Signature => signature(side, reader),
            State::Revision => revision(side, reader),
            State::Rest { major } => rest(side, major, reader),
            State::SocketType { version } => socket_type(side, version, reader),
            State::Identity { version, metadata } => identity(version, metadata, reader),
            State::Handshake { version, mechanism } => {
                let step = handshake(side, version, mechanism, reader)?;
                if let Step::Next(State::Handshake { mechanism, .. }) = &step {
                    side.life.keep_cookie(now, mechanism.holds_cookie_key());
                }
                Ok(step)
            }
            State::Traffic(_) | State::Closed => Ok(Step::Wait(self)),
        }
    }
}

fn signature(side: &mut Side, reader: &mut Reader<'_>) -> Result<Step, Error> {
    match reader.rest() {
        [0xff, rest @ ..] if rest.len() < SIGNATURE_LEN - 1 => {
            return Ok(Step::Wait(State::Signature));
        }
        [0xff, _, _, _, _, _, _, _, _, last, ..] if last & 1 == 1 => {
            reader.take(SIGNATURE_LEN);
            side.handshake.push(greeting::MAJOR);
            return Ok(Step::Next(State::Revision));
        }
        _ => {}
    }
    // RFC 13 would have the flags of an identity frame ignored. They are the best sign there is that
    // this is no ZMTP at all, but a browser or a port scanner.
    match frame_v1::parse(reader.rest()) {
        Ok(Parsed::Incomplete) => return Ok(Step::Wait(State::Signature)),
        Ok(Parsed::Frame(header)) if header.body_len <= 255 => {}
        _ => return Err(Error::Misbehaved(Violation::NotZmtp)),
    }
    let version = Version::V1_0;
    refuse_downgrade(side, version)?;
    // The peer has taken our signature for the header of a frame; this is its body.
    side.handshake.extend_from_slice(&side.config.routing_id);
    Ok(Step::Next(State::Identity { version, metadata: Metadata::default() }))
}

fn revision(side: &mut Side, reader: &mut Reader<'_>) -> Result<Step, Error> {
    let Some(revision) = reader.u8() else { return Ok(Step::Wait(State::Revision)) };
    let version = match revision {
        0 => Version::V1_0,
        1 => Version::V2_0,
        major => {
            greeting::append_rest(&side.config, &mut side.handshake);
            return Ok(Step::Next(State::Rest { major }));
        }
    };
    refuse_downgrade(side, version)?;
    let routing_id = &side.config.routing_id;
    side.handshake.push(greeting::socket_type_number(side.config.socket_type));
    if version == Version::V1_0 {
        let length = u64::try_from(routing_id.len()).unwrap_or(0);
        frame_v1::append_header(false, length, &mut side.handshake);
        side.handshake.extend_from_slice(routing_id);
    } else {
        frame::append(false, false, &[routing_id], &mut side.handshake);
    }
    Ok(Step::Next(State::SocketType { version }))
}

/// Versions without security must not be a way around it (CVE-2014-7202, CVE-2014-9721).
fn refuse_downgrade(side: &Side, version: Version) -> Result<(), Error> {
    if side.config.requires_security() {
        return Err(Error::Incompatible(Incompatibility::Downgrade(version)));
    }
    Ok(())
}

fn rest(side: &mut Side, major: u8, reader: &mut Reader<'_>) -> Result<Step, Error> {
    let greeting = reader.array::<REST_LEN>().and_then(|bytes| Rest::parse(&bytes));
    let Some(greeting) = greeting else { return Ok(Step::Wait(State::Rest { major })) };
    let ours = side.config.mechanism.name();
    if !greeting.names(ours) {
        return Err(Error::Incompatible(Incompatibility::Mechanism { ours }));
    }
    side.peer_knows_commands = true;
    let outcome = Mechanism::start(&side.config, &mut side.handshake)?;
    Ok(proceed(side, greeting.version(major), outcome))
}

fn socket_type(side: &Side, version: Version, reader: &mut Reader<'_>) -> Result<Step, Error> {
    let Some(number) = reader.u8() else { return Ok(Step::Wait(State::SocketType { version })) };
    let socket_type = greeting::socket_type_from_number(number);
    metadata::check_pairing(&side.config, socket_type)?;
    let metadata = Metadata { socket_type, ..Metadata::default() };
    Ok(Step::Next(State::Identity { version, metadata }))
}

fn identity(
    version: Version,
    mut metadata: Metadata,
    reader: &mut Reader<'_>,
) -> Result<Step, Error> {
    const INVALID: Error = Error::Misbehaved(Violation::InvalidRoutingId);
    let header = if version == Version::V1_0 {
        match frame_v1::parse(reader.rest())? {
            Parsed::Incomplete => None,
            Parsed::Void => return Err(INVALID),
            Parsed::Frame(header) => Some(header),
        }
    } else {
        FrameHeader::parse(reader.rest())?
    };
    let Some(header) = header else {
        return Ok(Step::Wait(State::Identity { version, metadata }));
    };
    let more = header.more && version != Version::V1_0;
    if header.command || more || header.body_len > 255 {
        return Err(INVALID);
    }
    let Some(body) = header.body(reader.rest()) else {
        return Ok(Step::Wait(State::Identity { version, metadata }));
    };
    // Nothing else tells an old peer from who does not speak ZMTP at all (RDP begins so).
    if body.first() == Some(&0) {
        return Err(INVALID);
    }
    metadata.routing_id = metadata::routing_id(body)?;
    reader.take(header.header_len + body.len());
    Ok(Step::Ready(version, metadata, None))
}

fn handshake(
    side: &mut Side,
    version: Version,
    mechanism: Mechanism,
    reader: &mut Reader<'_>,
) -> Result<Step, Error> {
    let wait = |mechanism| Ok(Step::Wait(State::Handshake { version, mechanism }));
    if mechanism.awaits_verdict() {
        return wait(mechanism);
    }
    let Some(header) = FrameHeader::parse(reader.rest())? else { return wait(mechanism) };
    if !header.command {
        return Err(Error::Misbehaved(Violation::UnexpectedMessage));
    }
    let limit = side.config.limits.handshake_command;
    if header.body_len > limit {
        let length = header.body_len;
        return Err(Error::Misbehaved(Violation::CommandTooLarge { length, limit }));
    }
    let Some(body) = header.body(reader.rest()) else { return wait(mechanism) };
    if side.config.mechanism.is_plain()
        && let Some(data) = command::plain_error(body)
    {
        return Err(command::refusal(data));
    }
    let command = Command::parse(body)?;
    if command.name == command::ERROR {
        return Err(command::refusal(command.data));
    }
    let outcome = mechanism.handle_command(&side.config, command, &mut side.handshake)?;
    reader.take(header.header_len + body.len());
    Ok(proceed(side, version, outcome))
}

/// The step that an outcome of the mechanism amounts to.
pub(super) fn proceed(side: &mut Side, version: Version, outcome: Outcome) -> Step {
    match outcome {
        Outcome::Continue(mechanism) => Step::Next(State::Handshake { version, mechanism }),
        Outcome::Authenticate(mechanism, request) => {
            side.events.authenticate(request);
            Step::Next(State::Handshake { version, mechanism })
        }
        Outcome::Done(metadata, channel) => Step::Ready(version, metadata, channel),
    }
}
