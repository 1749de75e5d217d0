//! The CURVE mechanism (RFC 25 and 26): who the peers are is proved with their permanent keys, and what
//! they say is sealed with keys that live as long as the connection.

mod channel;
pub(crate) mod cipher;
mod client;
mod keystream;
mod server;

pub(crate) use channel::{Channel, Opened, Opener, Sealer};
use cipher::{BoxKey, Cipher, KEY_LEN, Nonce, Suite, TAG_LEN};
pub(crate) use client::CurveClient;
pub(crate) use server::CurveServer;
use zeroize::Zeroizing;

use crate::Config;
use crate::error::Error;

/// The version of the protocol in HELLO.
const VERSION: [u8; 2] = [1, 0];
/// What makes HELLO longer than WELCOME, so that nobody has a server send more than he sends himself.
const PADDING_LEN: usize = 72;
/// What the box of HELLO holds: zeros.
const SIGNATURE_LEN: usize = 64;
/// A cookie: its nonce, and a box with C' and s'.
const COOKIE_LEN: usize = LONG_NONCE_LEN + TAG_LEN + 2 * KEY_LEN;
/// A vouch: its nonce, and a box with C' and S.
const VOUCH_LEN: usize = LONG_NONCE_LEN + TAG_LEN + 2 * KEY_LEN;
/// The part of a nonce that is sent, where it is random.
const LONG_NONCE_LEN: usize = 16;

const HELLO_NONCE: &[u8; 16] = b"CurveZMQHELLO---";
const INITIATE_NONCE: &[u8; 16] = b"CurveZMQINITIATE";
const READY_NONCE: &[u8; 16] = b"CurveZMQREADY---";
const WELCOME_NONCE: &[u8; 8] = b"WELCOME-";
const COOKIE_NONCE: &[u8; 8] = b"COOKIE--";
const VOUCH_NONCE: &[u8; 8] = b"VOUCH---";

/// A nonce of a text and a number, which is sent.
#[inline]
fn short_nonce(prefix: &[u8; 16], number: u64) -> Nonce {
    let mut nonce = [0; 24];
    let (text, rest) = nonce.split_at_mut(16);
    text.copy_from_slice(prefix);
    rest.copy_from_slice(&number.to_be_bytes());
    nonce
}

/// A nonce of a text and random bytes, which are sent.
fn long_nonce(prefix: &[u8; 8], random: &[u8; LONG_NONCE_LEN]) -> Nonce {
    let mut nonce = [0; 24];
    let bytes = prefix.iter().chain(random);
    nonce.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    nonce
}

/// Random bytes, wiped when they are dropped.
fn random<const N: usize>(config: &Config) -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    (config.random)(&mut *bytes)?;
    Ok(bytes)
}

/// Appends a box: the tag, then what `parts` hold, encrypted.
fn append_box(key: &BoxKey, nonce: &Nonce, parts: &[&[u8]], out: &mut Vec<u8>) {
    let start = out.len();
    // At once, so that no plain text stays behind where a vector has moved away from.
    out.reserve(TAG_LEN + parts.iter().map(|part| part.len()).sum::<usize>());
    out.extend([0; TAG_LEN]);
    for part in parts {
        out.extend_from_slice(part);
    }
    let tail = out.get_mut(start..).unwrap_or_default();
    if let Some((tag, data)) = tail.split_first_chunk_mut::<TAG_LEN>() {
        *tag = Suite::seal(key, nonce, data);
    }
}

/// What is in a box; `None` if it was not sealed with this key and nonce.
fn open_box(key: &BoxKey, nonce: &Nonce, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (tag, data) = sealed.split_first_chunk::<TAG_LEN>()?;
    let mut data = Zeroizing::new(data.to_vec());
    Suite::open(key, nonce, tag, &mut data).then_some(data)
}
