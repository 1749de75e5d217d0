//! The server of CURVE.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::cipher::{BoxKey, Cipher, KEY_LEN, Suite, TAG_LEN};
use super::{
    COOKIE_LEN, COOKIE_NONCE, Channel, HELLO_NONCE, INITIATE_NONCE, LONG_NONCE_LEN, PADDING_LEN,
    READY_NONCE, SIGNATURE_LEN, VERSION, VOUCH_LEN, VOUCH_NONCE, WELCOME_NONCE, append_box,
    long_nonce, open_box, random, short_nonce,
};
use crate::command::{self, Command, HELLO, INITIATE, READY, WELCOME};
use crate::curve::Keypair;
use crate::error::{Error, Misuse, Violation};
use crate::mechanism::{Granted, Mechanism, Outcome};
use crate::metadata::{self, Metadata};
use crate::reader::Reader;
use crate::{AuthRequest, Config};

const READY_NUMBER: u64 = 1;

/// Between WELCOME and INITIATE the client's cookie is all that holds s' (RFC 26, "The WELCOME
/// Command"); here only the key of the cookie is kept, for a time.
///
/// ```text
///  start --> [Listening] --recv HELLO: send WELCOME--> [Welcomed] --recv INITIATE: send READY--> done
///                                                          |                         ^
///                                                          +--recv INITIATE: ask     | accepted:
///                                                                     |              | send READY
///                                                                     +-> [Judging] -+
/// ```
#[derive(Debug)]
pub(crate) enum CurveServer {
    /// HELLO is to come.
    Listening,
    /// WELCOME is sent.
    Welcomed { cookie_key: BoxKey, hello_number: u64 },
    /// We are to decide.
    Judging(Box<Initiated>),
}

/// What a valid INITIATE said.
#[derive(Debug)]
pub(crate) struct Initiated {
    /// Between C' and s'.
    key: BoxKey,
    number: u64,
    /// C.
    client: [u8; KEY_LEN],
    metadata: Metadata,
}

impl CurveServer {
    pub(in crate::mechanism) const fn start() -> Outcome {
        CurveServer::Listening.go_on()
    }

    pub(in crate::mechanism) const fn awaits_verdict(&self) -> bool {
        matches!(self, CurveServer::Judging(_))
    }

    pub(in crate::mechanism) const fn holds_cookie_key(&self) -> bool {
        matches!(self, CurveServer::Welcomed { .. })
    }

    pub(in crate::mechanism) fn handle_command(
        self,
        config: &Config,
        keypair: &Keypair,
        command: Command<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Error> {
        match (self, command.name) {
            (CurveServer::Listening, HELLO) => {
                let (client, key, hello_number) = read_hello(keypair, command.data)?;
                let cookie_key = welcome(config, &client, &key, out)?;
                Ok(CurveServer::Welcomed { cookie_key, hello_number }.go_on())
            }
            (CurveServer::Welcomed { cookie_key, hello_number }, INITIATE) => {
                let initiated =
                    read_initiate(config, keypair, &cookie_key, hello_number, command.data)?;
                if !config.authenticate {
                    return Ok(initiated.accept(config, Granted::new(), out));
                }
                let request = AuthRequest {
                    mechanism: config.mechanism.name(),
                    credentials: vec![initiated.client.to_vec()],
                    routing_id: initiated.metadata.routing_id.clone(),
                };
                let judging = CurveServer::Judging(Box::new(initiated));
                Ok(Outcome::Authenticate(Mechanism::CurveServer(judging), request))
            }
            _ => Err(Error::Misbehaved(Violation::UnexpectedCommand)),
        }
    }

    pub(in crate::mechanism) fn handle_accept(
        self,
        config: &Config,
        granted: Granted,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, Error> {
        match self {
            CurveServer::Judging(initiated) => Ok(initiated.accept(config, granted, out)),
            _ => Err(Error::Misuse(Misuse::UnexpectedVerdict)),
        }
    }

    const fn go_on(self) -> Outcome {
        Outcome::Continue(Mechanism::CurveServer(self))
    }
}

impl Initiated {
    /// Sends READY.
    fn accept(self, config: &Config, granted: Granted, out: &mut Vec<u8>) -> Outcome {
        let (mut properties, mut sealed) = (Vec::new(), Vec::new());
        metadata::append(config, &mut properties);
        let nonce = short_nonce(READY_NONCE, READY_NUMBER);
        append_box(&self.key, &nonce, &[&properties], &mut sealed);
        command::append(READY, &[&READY_NUMBER.to_be_bytes(), &sealed], out);
        let channel = Channel::server(self.key, READY_NUMBER, self.number);
        Outcome::Done(self.metadata.with(granted), Some(channel))
    }
}

/// C', the key between it and s, and the number of HELLO.
fn read_hello(keypair: &Keypair, data: &[u8]) -> Result<([u8; KEY_LEN], BoxKey, u64), Error> {
    const MALFORMED: Error = Error::Misbehaved(Violation::MalformedHello);
    let mut reader = Reader::new(data);
    let head = (reader.array(), reader.array(), reader.array(), reader.u64());
    let (Some(VERSION), Some(padding), Some(client), Some(number)) = head else {
        return Err(MALFORMED);
    };
    if padding != [0; PADDING_LEN] || reader.rest().len() != TAG_LEN + SIGNATURE_LEN {
        return Err(MALFORMED);
    }
    let key = Suite::agree(&client, keypair.secret.as_bytes())
        .ok_or(Error::Misbehaved(Violation::InvalidKey))?;
    let signature = open_box(&key, &short_nonce(HELLO_NONCE, number), reader.rest())
        .ok_or(Error::Misbehaved(Violation::Undecipherable))?;
    if signature[..] != [0; SIGNATURE_LEN] {
        return Err(MALFORMED);
    }
    Ok((client, key, number))
}

/// Sends WELCOME, with a new s' in the cookie, and answers the key of the cookie.
fn welcome(
    config: &Config,
    client: &[u8; KEY_LEN],
    hello_key: &BoxKey,
    out: &mut Vec<u8>,
) -> Result<BoxKey, Error> {
    let cookie_key = BoxKey::new(random(config)?);
    let transient = random::<KEY_LEN>(config)?;
    let cookie_random = random::<LONG_NONCE_LEN>(config)?;
    let welcome_random = random::<LONG_NONCE_LEN>(config)?;
    let mut cookie = Vec::new();
    let nonce = long_nonce(COOKIE_NONCE, &cookie_random);
    append_box(&cookie_key, &nonce, &[client, &transient[..]], &mut cookie);
    let public = Suite::public_key(&transient);
    let mut sealed = Vec::new();
    let nonce = long_nonce(WELCOME_NONCE, &welcome_random);
    append_box(hello_key, &nonce, &[&public, &cookie_random[..], &cookie], &mut sealed);
    command::append(WELCOME, &[&welcome_random[..], &sealed], out);
    Ok(cookie_key)
}

fn read_initiate(
    config: &Config,
    keypair: &Keypair,
    cookie_key: &BoxKey,
    hello_number: u64,
    data: &[u8],
) -> Result<Initiated, Error> {
    const MALFORMED: Error = Error::Misbehaved(Violation::MalformedInitiate);
    const UNDECIPHERABLE: Error = Error::Misbehaved(Violation::Undecipherable);
    let mut reader = Reader::new(data);
    let cookie = reader.array::<COOKIE_LEN>().ok_or(MALFORMED)?;
    let number = reader.u64().ok_or(MALFORMED)?;
    if reader.rest().len() < TAG_LEN + KEY_LEN + VOUCH_LEN {
        return Err(MALFORMED);
    }
    if number <= hello_number {
        return Err(Error::Misbehaved(Violation::NonceOutOfOrder));
    }
    let (transient, secret) = open_cookie(cookie_key, &cookie).ok_or(UNDECIPHERABLE)?;
    let key = Suite::agree(&transient, &secret).ok_or(UNDECIPHERABLE)?;
    let nonce = short_nonce(INITIATE_NONCE, number);
    let opened = open_box(&key, &nonce, reader.rest()).ok_or(UNDECIPHERABLE)?;
    let mut reader = Reader::new(&opened);
    let client = reader.array::<KEY_LEN>().ok_or(MALFORMED)?;
    let vouch = reader.array::<VOUCH_LEN>().ok_or(MALFORMED)?;
    let vouches_for = [&transient[..], keypair.public.as_bytes()].concat();
    let opened = open_vouch(&client, &secret, &vouch).ok_or(UNDECIPHERABLE)?;
    if !bool::from(opened.ct_eq(&vouches_for)) {
        return Err(Error::Misbehaved(Violation::InvalidVouch));
    }
    let metadata = Metadata::parse(config, reader.rest())?;
    Ok(Initiated { key, number, client, metadata })
}

/// C' and s'.
fn open_cookie(
    key: &BoxKey,
    cookie: &[u8; COOKIE_LEN],
) -> Option<([u8; KEY_LEN], Zeroizing<[u8; KEY_LEN]>)> {
    let mut reader = Reader::new(cookie);
    let nonce = long_nonce(COOKIE_NONCE, &reader.array()?);
    let opened = open_box(key, &nonce, reader.rest())?;
    let mut reader = Reader::new(&opened);
    Some((reader.array()?, Zeroizing::new(reader.array()?)))
}

/// What the owner of c, the permanent key, vouches for. C' and S have to stand there: that is what keeps somebody to whom he
/// talks from talking to us in his name.
fn open_vouch(
    client: &[u8; KEY_LEN],
    secret: &[u8; KEY_LEN],
    vouch: &[u8; VOUCH_LEN],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut reader = Reader::new(vouch);
    let key = Suite::agree(client, secret)?;
    let nonce = long_nonce(VOUCH_NONCE, &reader.array()?);
    open_box(&key, &nonce, reader.rest())
}
