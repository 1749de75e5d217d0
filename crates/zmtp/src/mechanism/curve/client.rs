//! The client of CURVE.

use zeroize::Zeroizing;

use super::cipher::{BoxKey, Cipher, KEY_LEN, Suite, TAG_LEN};
use super::{
    COOKIE_LEN, Channel, HELLO_NONCE, INITIATE_NONCE, LONG_NONCE_LEN, PADDING_LEN, READY_NONCE,
    SIGNATURE_LEN, VERSION, VOUCH_NONCE, WELCOME_NONCE, append_box, long_nonce, open_box, random,
    short_nonce,
};
use crate::Config;
use crate::command::{self, Command, HELLO, INITIATE, READY, WELCOME};
use crate::config::CurveClientConfig;
use crate::error::{Error, Misuse, Violation};
use crate::mechanism::{Mechanism, Outcome};
use crate::metadata::{self, Metadata};
use crate::reader::Reader;

/// The numbers of our commands; messages go on from there.
const HELLO_NUMBER: u64 = 1;
const INITIATE_NUMBER: u64 = 2;

/// ```text
///  start: send HELLO --> [Greeted] --recv WELCOME: send INITIATE--> [Initiated] --recv READY--> done
/// ```
///
/// In the RFC's letters the server's keys are S and S', ours C and C'; small ones are secret.
#[derive(Debug)]
pub(crate) enum CurveClient {
    /// HELLO is sent: c', and the key between S and C'.
    Greeted { transient: Zeroizing<[u8; KEY_LEN]>, hello_key: BoxKey },
    /// INITIATE is sent: the key between S' and C'.
    Initiated { key: BoxKey },
}

impl CurveClient {
    pub(in crate::mechanism) fn start(
        config: &Config,
        curve: &CurveClientConfig,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Error> {
        let transient = random::<KEY_LEN>(config)?;
        let hello_key = Suite::agree(curve.server.as_bytes(), &transient)
            .ok_or(Error::Misuse(Misuse::ServerKey))?;
        let mut sealed = Vec::new();
        let nonce = short_nonce(HELLO_NONCE, HELLO_NUMBER);
        append_box(&hello_key, &nonce, &[&[0; SIGNATURE_LEN]], &mut sealed);
        let public = Suite::public_key(&transient);
        let number = HELLO_NUMBER.to_be_bytes();
        let parts = [&VERSION[..], &[0; PADDING_LEN], &public, &number, &sealed];
        command::append(HELLO, &parts, out);
        Ok(CurveClient::Greeted { transient, hello_key }.go_on())
    }

    pub(in crate::mechanism) fn handle_command(
        self,
        config: &Config,
        curve: &CurveClientConfig,
        command: Command<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Error> {
        match (self, command.name) {
            (CurveClient::Greeted { transient, hello_key }, WELCOME) => {
                let (server, cookie) = read_welcome(&hello_key, command.data)?;
                let key = initiate(config, curve, &transient, &server, &cookie, out)?;
                Ok(CurveClient::Initiated { key }.go_on())
            }
            (CurveClient::Initiated { key }, READY) => {
                let (number, metadata) = read_ready(&key, command.data)?;
                let metadata = Metadata::parse(config, &metadata)?;
                let channel = Channel::client(key, INITIATE_NUMBER, number);
                Ok(Outcome::Done(metadata, Some(channel)))
            }
            _ => Err(Error::Misbehaved(Violation::UnexpectedCommand)),
        }
    }

    const fn go_on(self) -> Outcome {
        Outcome::Continue(Mechanism::CurveClient(self))
    }
}

/// S' and the cookie.
fn read_welcome(key: &BoxKey, data: &[u8]) -> Result<([u8; KEY_LEN], [u8; COOKIE_LEN]), Error> {
    const MALFORMED: Error = Error::Misbehaved(Violation::MalformedWelcome);
    let mut reader = Reader::new(data);
    let random = reader.array::<LONG_NONCE_LEN>().ok_or(MALFORMED)?;
    if reader.rest().len() != TAG_LEN + KEY_LEN + COOKIE_LEN {
        return Err(MALFORMED);
    }
    let opened = open_box(key, &long_nonce(WELCOME_NONCE, &random), reader.rest());
    let opened = opened.ok_or(Error::Misbehaved(Violation::Undecipherable))?;
    let mut reader = Reader::new(&opened);
    let server = reader.array().ok_or(MALFORMED)?;
    let cookie = reader.array().ok_or(MALFORMED)?;
    Ok((server, cookie))
}

/// Sends INITIATE and answers the key between S' and C'.
fn initiate(
    config: &Config,
    curve: &CurveClientConfig,
    transient: &[u8; KEY_LEN],
    server: &[u8; KEY_LEN],
    cookie: &[u8; COOKIE_LEN],
    out: &mut Vec<u8>,
) -> Result<BoxKey, Error> {
    const LOW_ORDER: Error = Error::Misbehaved(Violation::InvalidKey);
    let key = Suite::agree(server, transient).ok_or(LOW_ORDER)?;
    let vouch_key = Suite::agree(server, curve.keypair.secret.as_bytes()).ok_or(LOW_ORDER)?;
    let public = Suite::public_key(transient);
    let random = random::<LONG_NONCE_LEN>(config)?;
    let mut vouch = Vec::new();
    let nonce = long_nonce(VOUCH_NONCE, &random);
    append_box(&vouch_key, &nonce, &[&public, curve.server.as_bytes()], &mut vouch);

    let mut properties = Vec::new();
    metadata::append(config, &mut properties);
    let mut sealed = Vec::new();
    let nonce = short_nonce(INITIATE_NONCE, INITIATE_NUMBER);
    let parts = [curve.keypair.public.as_bytes(), &random[..], &vouch, &properties];
    append_box(&key, &nonce, &parts, &mut sealed);
    let number = INITIATE_NUMBER.to_be_bytes();
    command::append(INITIATE, &[cookie, &number, &sealed], out);
    Ok(key)
}

/// The number of READY, and the metadata.
fn read_ready(key: &BoxKey, data: &[u8]) -> Result<(u64, Zeroizing<Vec<u8>>), Error> {
    let mut reader = Reader::new(data);
    let number = reader.u64().filter(|_| reader.rest().len() >= TAG_LEN);
    let number = number.ok_or(Error::Misbehaved(Violation::MalformedReady))?;
    let opened = open_box(key, &short_nonce(READY_NONCE, number), reader.rest());
    Ok((number, opened.ok_or(Error::Misbehaved(Violation::Undecipherable))?))
}
