//! Security mechanisms: what happens between the greeting and the traffic.
//!
//! A mechanism takes commands and verdicts and answers an [`Outcome`]; each step consumes it. Those that
//! change the wire (CURVE) will hand their keys over in [`Outcome::Done`].

mod null;

use null::Null;

use crate::command::Command;
use crate::error::Error;
use crate::metadata::Metadata;
use crate::{AuthRequest, Config, MechanismConfig};

/// The handshake of one connection.
#[derive(Debug)]
pub(crate) enum Mechanism {
    Null(Null),
}

/// What a step of the handshake came to.
pub(crate) enum Outcome {
    /// The peer is to speak.
    Continue(Mechanism),
    /// The driver is to decide; nothing is read meanwhile.
    Authenticate(Mechanism, AuthRequest),
    /// The handshake is complete: what the peer and the verdict said.
    Done(Metadata),
}

/// Properties that come from the verdict.
pub(crate) type Granted = Vec<(String, Vec<u8>)>;

impl Mechanism {
    /// Starts after the greetings.
    pub(crate) fn start(config: &Config, out: &mut Vec<u8>) -> Outcome {
        match config.mechanism {
            MechanismConfig::Null => Null::start(config, out),
        }
    }

    /// Whether commands must wait for the verdict.
    pub(crate) const fn awaits_verdict(&self) -> bool {
        match self {
            Mechanism::Null(null) => null.awaits_verdict(),
        }
    }

    /// A command of the peer, other than ERROR.
    pub(crate) fn handle_command(
        self,
        config: &Config,
        command: Command<'_>,
    ) -> Result<Outcome, Error> {
        match self {
            Mechanism::Null(null) => null.handle_command(config, command),
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
        }
    }
}
