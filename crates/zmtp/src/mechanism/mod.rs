//! Security mechanisms: what happens between the greeting and the traffic.
//!
//! A mechanism takes commands and verdicts and answers an [`Outcome`]; each step consumes it. One that
//! changes the wire (CURVE) hands over its [`Channel`] in the end.

mod curve;
mod null;
mod plain;

pub(crate) use curve::{Channel, Opened, Opener, Sealer, cipher};
use curve::{CurveClient, CurveServer};
use null::Null;
use plain::{PlainClient, PlainServer};

use crate::command::Command;
use crate::error::{Error, Misuse, Violation};
use crate::metadata::Metadata;
use crate::{AuthRequest, Config, MechanismConfig};

/// The handshake of one connection.
#[derive(Debug)]
pub(crate) enum Mechanism {
    Null(Null),
    PlainClient(PlainClient),
    PlainServer(PlainServer),
    CurveClient(CurveClient),
    CurveServer(CurveServer),
}

/// What a step of the handshake came to.
pub(crate) enum Outcome {
    /// The peer is to speak.
    Continue(Mechanism),
    /// The driver is to decide; nothing is read meanwhile.
    Authenticate(Mechanism, AuthRequest),
    /// The handshake is complete: what the peer and the verdict said, and what seals the traffic.
    Done(Metadata, Option<Channel>),
}

/// Properties that come from the verdict.
pub(crate) type Granted = Vec<(String, Vec<u8>)>;

impl Mechanism {
    /// Starts after the greetings.
    pub(crate) fn start(config: &Config, out: &mut Vec<u8>) -> Result<Outcome, Error> {
        Ok(match &config.mechanism {
            MechanismConfig::Null => Null::start(config, out),
            MechanismConfig::PlainClient(plain) => PlainClient::start(plain, out),
            MechanismConfig::PlainServer => PlainServer::start(),
            MechanismConfig::CurveClient(curve) => CurveClient::start(config, curve, out)?,
            MechanismConfig::CurveServer(_) => CurveServer::start(),
        })
    }

    /// Whether commands must wait for the verdict.
    pub(crate) const fn awaits_verdict(&self) -> bool {
        match self {
            Mechanism::Null(null) => null.awaits_verdict(),
            Mechanism::PlainServer(plain) => plain.awaits_verdict(),
            Mechanism::CurveServer(curve) => curve.awaits_verdict(),
            Mechanism::PlainClient(_) | Mechanism::CurveClient(_) => false,
        }
    }

    /// Whether a key is held that must not be held for long.
    pub(crate) const fn holds_cookie_key(&self) -> bool {
        matches!(self, Mechanism::CurveServer(curve) if curve.holds_cookie_key())
    }

    /// A command of the peer, other than ERROR.
    pub(crate) fn handle_command(
        self,
        config: &Config,
        command: Command<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Error> {
        match (self, &config.mechanism) {
            (Mechanism::Null(null), _) => null.handle_command(config, command),
            (Mechanism::PlainClient(plain), _) => plain.handle_command(config, command, out),
            (Mechanism::PlainServer(plain), _) => plain.handle_command(config, command, out),
            (Mechanism::CurveClient(client), MechanismConfig::CurveClient(curve)) => {
                client.handle_command(config, curve, command, out)
            }
            (Mechanism::CurveServer(server), MechanismConfig::CurveServer(keypair)) => {
                server.handle_command(config, keypair, command, out)
            }
            // The configuration of a connection does not change.
            _ => Err(Error::Misbehaved(Violation::UnexpectedCommand)),
        }
    }

    /// The driver accepts the peer.
    pub(crate) fn handle_accept(
        self,
        config: &Config,
        granted: Granted,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Error> {
        match self {
            Mechanism::Null(null) => null.handle_accept(config, granted, out),
            Mechanism::PlainServer(plain) => plain.handle_accept(granted, out),
            Mechanism::CurveServer(curve) => curve.handle_accept(config, granted, out),
            Mechanism::PlainClient(_) | Mechanism::CurveClient(_) => {
                Err(Error::Misuse(Misuse::UnexpectedVerdict))
            }
        }
    }
}
