//! The PLAIN mechanism (RFC 24): a name and a password, readable by whoever listens.

use super::{Granted, Mechanism, Outcome};
use crate::command::{self, Command, HELLO, INITIATE, READY, WELCOME};
use crate::config::PlainClientConfig;
use crate::error::{Error, Misuse, Violation};
use crate::metadata::{self, Metadata};
use crate::reader::Reader;
use crate::{AuthRequest, Config};

/// ```text
///  start: send HELLO --> [Greeted] --recv WELCOME: send INITIATE--> [Initiated] --recv READY--> done
/// ```
#[derive(Debug)]
pub(crate) enum PlainClient {
    Greeted,
    Initiated,
}

impl PlainClient {
    pub(super) fn start(plain: &PlainClientConfig, out: &mut Vec<u8>) -> Outcome {
        let lengths = [&plain.username, &*plain.password].map(|field| {
            // `Config::validate` has seen to it that it fits.
            [u8::try_from(field.len()).unwrap_or(0)]
        });
        let [username_len, password_len] = &lengths;
        let parts = [&username_len[..], &plain.username, password_len, &plain.password];
        command::append(HELLO, &parts, out);
        PlainClient::Greeted.go_on()
    }

    pub(super) fn handle_command(
        self,
        config: &Config,
        command: Command<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Error> {
        match (self, command.name) {
            (PlainClient::Greeted, WELCOME) if command.data.is_empty() => {
                append_metadata(INITIATE, config, out);
                Ok(PlainClient::Initiated.go_on())
            }
            (PlainClient::Greeted, WELCOME) => Err(Error::Misbehaved(Violation::MalformedWelcome)),
            (PlainClient::Initiated, READY) => {
                Ok(Outcome::Done(Metadata::parse(config, command.data)?, None))
            }
            _ => Err(Error::Misbehaved(Violation::UnexpectedCommand)),
        }
    }

    const fn go_on(self) -> Outcome {
        Outcome::Continue(Mechanism::PlainClient(self))
    }
}

/// A server asks for a verdict always: a password that nobody checks keeps nobody out.
///
/// ```text
///  start --> [Listening] --recv HELLO: ask--> [Judging] --accepted: send WELCOME--> [Welcomed]
///                                                                                       |
///                                                    done <--recv INITIATE: send READY--+
/// ```
#[derive(Debug)]
pub(crate) enum PlainServer {
    Listening,
    Judging,
    Welcomed { granted: Granted },
}

impl PlainServer {
    pub(super) const fn start() -> Outcome {
        Outcome::Continue(Mechanism::PlainServer(PlainServer::Listening))
    }

    pub(super) const fn awaits_verdict(&self) -> bool {
        matches!(self, PlainServer::Judging)
    }

    pub(super) fn handle_command(
        self,
        config: &Config,
        command: Command<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Error> {
        match (self, command.name) {
            (PlainServer::Listening, HELLO) => {
                let credentials =
                    read_hello(command.data).ok_or(Error::Misbehaved(Violation::MalformedHello))?;
                let request = AuthRequest {
                    mechanism: config.mechanism.name(),
                    credentials,
                    routing_id: Vec::new(),
                };
                let judging = Mechanism::PlainServer(PlainServer::Judging);
                Ok(Outcome::Authenticate(judging, request))
            }
            (PlainServer::Welcomed { granted }, INITIATE) => {
                let metadata = Metadata::parse(config, command.data)?;
                append_metadata(READY, config, out);
                Ok(Outcome::Done(metadata.with(granted), None))
            }
            _ => Err(Error::Misbehaved(Violation::UnexpectedCommand)),
        }
    }

    pub(super) fn handle_accept(
        self,
        granted: Granted,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Error> {
        let PlainServer::Judging = self else {
            return Err(Error::Misuse(Misuse::UnexpectedVerdict));
        };
        command::append(WELCOME, &[], out);
        let welcomed = PlainServer::Welcomed { granted };
        Ok(Outcome::Continue(Mechanism::PlainServer(welcomed)))
    }
}

/// The name and the password.
fn read_hello(data: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut reader = Reader::new(data);
    let credentials = vec![reader.short_string()?.to_vec(), reader.short_string()?.to_vec()];
    reader.is_empty().then_some(credentials)
}

fn append_metadata(name: &[u8], config: &Config, out: &mut Vec<u8>) {
    let mut properties = Vec::new();
    metadata::append(config, &mut properties);
    command::append(name, &[&properties], out);
}
