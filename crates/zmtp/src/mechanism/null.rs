//! The NULL mechanism (RFC 37, "The NULL Security Mechanism").

use super::{Granted, Mechanism, Outcome};
use crate::command::{self, Command, READY};
use crate::error::{Error, Misuse, Violation};
use crate::metadata::{self, Metadata};
use crate::{AuthRequest, Config, Role};

/// Both peers send READY at once, as RFC 23 demands and libzmq does: RFC 37 lets the listener wait for
/// the connecter, but peers of 3.0 may wait for the listener.
///
/// Where a verdict is needed, READY is sent only after it. A listener then waits for the READY of the
/// connecter (which no version may hold back), so that the routing id can be judged too. A connecter
/// asks at once: if both ends waited for the other's READY, neither would speak.
///
/// ```text
///                        send READY                    recv READY
///  start --no verdict-----------------> [Waiting] --------------------> done
///    |                                      ^
///    |                                      | accepted: send READY
///    +---verdict, connecter: ask------> [Asking]
///    |                        recv READY: ask            accepted: send READY
///    +---verdict, listener---> [Expecting] --> [Judging] --------------------> done
/// ```
#[derive(Debug)]
pub(crate) enum Null {
    /// Our READY is sent, the peer's is to come.
    Waiting { granted: Granted },
    /// We are to decide before we speak.
    Asking,
    /// The peer's READY comes before the decision.
    Expecting,
    /// We are to decide on what the peer's READY said.
    Judging(Metadata),
}

impl Null {
    pub(super) fn start(config: &Config, out: &mut Vec<u8>) -> Outcome {
        match (config.authenticate, config.role) {
            (false, _) => {
                append_ready(config, out);
                Null::Waiting { granted: Granted::new() }.go_on()
            }
            (true, Role::Connecter) => Null::Asking.ask(config, Vec::new()),
            (true, Role::Listener) => Null::Expecting.go_on(),
        }
    }

    pub(super) const fn awaits_verdict(&self) -> bool {
        matches!(self, Null::Asking | Null::Judging(_))
    }

    pub(super) fn handle_command(
        self,
        config: &Config,
        command: Command<'_>,
    ) -> Result<Outcome, Error> {
        if command.name != READY {
            return Err(Error::Misbehaved(Violation::UnexpectedCommand));
        }
        let metadata = Metadata::parse(config, command.data)?;
        match self {
            Null::Waiting { granted } => Ok(Outcome::Done(metadata.with(granted), None)),
            Null::Expecting => {
                let routing_id = metadata.routing_id.clone();
                Ok(Null::Judging(metadata).ask(config, routing_id))
            }
            Null::Asking | Null::Judging(_) => Err(Error::Misbehaved(Violation::UnexpectedCommand)),
        }
    }

    pub(super) fn handle_accept(
        self,
        config: &Config,
        granted: Granted,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Error> {
        let outcome = match self {
            Null::Asking => Null::Waiting { granted }.go_on(),
            Null::Judging(metadata) => Outcome::Done(metadata.with(granted), None),
            Null::Waiting { .. } | Null::Expecting => {
                return Err(Error::Misuse(Misuse::UnexpectedVerdict));
            }
        };
        append_ready(config, out);
        Ok(outcome)
    }

    const fn go_on(self) -> Outcome {
        Outcome::Continue(Mechanism::Null(self))
    }

    const fn ask(self, config: &Config, routing_id: Vec<u8>) -> Outcome {
        let mechanism = config.mechanism.name();
        let request = AuthRequest { mechanism, credentials: Vec::new(), routing_id };
        Outcome::Authenticate(Mechanism::Null(self), request)
    }
}

fn append_ready(config: &Config, out: &mut Vec<u8>) {
    let mut properties = Vec::new();
    metadata::append(config, &mut properties);
    command::append(READY, &[&properties], out);
}
