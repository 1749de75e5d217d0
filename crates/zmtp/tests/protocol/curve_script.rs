//! CURVE written once more, from RFC 26 and with other primitives, so that each of its commands can be
//! made wrong in every way.

use crypto_secretbox::aead::AeadInPlace;
use crypto_secretbox::cipher::consts::U10;
use crypto_secretbox::{KeyInit, XSalsa20Poly1305};

use crate::support::{command, frame};

pub(crate) type Key = [u8; 32];

/// A key pair.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    pub(crate) secret: Key,
    pub(crate) public: Key,
}

impl Keys {
    /// The keys of somebody; every number is somebody else.
    pub(crate) fn of(number: u8) -> Self {
        let secret = [number; 32];
        let public = x25519_dalek::x25519(secret, x25519_dalek::X25519_BASEPOINT_BYTES);
        Self { secret, public }
    }

    /// The key of the boxes between these keys and those of somebody.
    pub(crate) fn with(&self, public: &Key) -> Key {
        let shared = x25519_dalek::x25519(self.secret, *public);
        salsa20::hsalsa::<U10>(&shared.into(), &[0; 16].into()).into()
    }
}

fn nonce(prefix: &[u8], rest: &[u8]) -> [u8; 24] {
    [prefix, rest].concat().try_into().expect("24 bytes")
}

pub(crate) fn seal(key: &Key, prefix: &[u8], rest: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut data = plain.to_vec();
    let cipher = XSalsa20Poly1305::new(key.into());
    let tag = cipher.encrypt_in_place_detached(&nonce(prefix, rest).into(), b"", &mut data);
    [&tag.expect("short")[..], &data].concat()
}

pub(crate) fn open(key: &Key, prefix: &[u8], rest: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (tag, data) = sealed.split_first_chunk::<16>()?;
    let mut data = data.to_vec();
    let cipher = XSalsa20Poly1305::new(key.into());
    let nonce = nonce(prefix, rest).into();
    cipher.decrypt_in_place_detached(&nonce, b"", &mut data, tag.into()).ok()?;
    Some(data)
}

/// A client with permanent and transient keys, and the server that it wants to talk to.
#[derive(Clone, Copy)]
pub(crate) struct Client {
    pub(crate) permanent: Keys,
    pub(crate) transient: Keys,
    pub(crate) server: Key,
}

impl Client {
    pub(crate) fn hello_data(&self, number: u64, signature: &[u8]) -> Vec<u8> {
        let key = self.transient.with(&self.server);
        let sealed = seal(&key, b"CurveZMQHELLO---", &number.to_be_bytes(), signature);
        let number = number.to_be_bytes();
        [&[1, 0][..], &[0; 72], &self.transient.public, &number, &sealed].concat()
    }

    pub(crate) fn hello(&self) -> Vec<u8> {
        command("HELLO", &self.hello_data(1, &[0; 64]))
    }

    /// S' and the cookie in a WELCOME frame.
    pub(crate) fn read_welcome(&self, bytes: &[u8]) -> (Key, Vec<u8>) {
        let data = bytes.strip_prefix(b"\x04\xa8\x07WELCOME").expect("a WELCOME");
        assert_eq!(data.len(), 160);
        let key = self.transient.with(&self.server);
        let opened = open(&key, b"WELCOME-", &data[..16], &data[16..]).expect("sealed for us");
        (opened[..32].try_into().expect("a key"), opened[32..].to_vec())
    }

    /// A vouch of these keys, sent to S', for two keys.
    pub(crate) fn vouch(by: &Keys, to: &Key, for_keys: [&Key; 2]) -> Vec<u8> {
        let random = [0x55; 16];
        let sealed = seal(&by.with(to), b"VOUCH---", &random, &for_keys.map(|k| &k[..]).concat());
        [&random[..], &sealed].concat()
    }

    /// What the box of INITIATE holds.
    pub(crate) fn initiation(&self, to: &Key, metadata: &[u8]) -> Vec<u8> {
        let vouch = Self::vouch(&self.permanent, to, [&self.transient.public, &self.server]);
        [&self.permanent.public[..], &vouch, metadata].concat()
    }

    pub(crate) fn initiate(&self, to: &Key, cookie: &[u8], number: u64, plain: &[u8]) -> Vec<u8> {
        let number = number.to_be_bytes();
        let sealed = seal(&self.transient.with(to), b"CurveZMQINITIATE", &number, plain);
        command("INITIATE", &[cookie, &number, &sealed].concat())
    }

    /// The metadata in a READY frame with a short length.
    pub(crate) fn read_ready(&self, to: &Key, bytes: &[u8]) -> Vec<u8> {
        assert_eq!((bytes[0], usize::from(bytes[1])), (4, bytes.len() - 2));
        let data = bytes[2..].strip_prefix(b"\x05READY").expect("a READY");
        let key = self.transient.with(to);
        open(&key, b"CurveZMQREADY---", &data[..8], &data[8..]).expect("sealed for us")
    }

    pub(crate) fn message(&self, to: &Key, number: u64, flags: u8, body: &[u8]) -> Vec<u8> {
        message(&self.transient.with(to), b"CurveZMQMESSAGEC", number, &[&[flags], body].concat())
    }
}

/// A frame with a MESSAGE, as libzmq sends it.
pub(crate) fn message(key: &Key, prefix: &[u8], number: u64, plain: &[u8]) -> Vec<u8> {
    let number = number.to_be_bytes();
    let sealed = seal(key, prefix, &number, plain);
    let body = [&b"\x07MESSAGE"[..], &number, &sealed].concat();
    frame(if body.len() > 255 { 2 } else { 0 }, &body)
}

/// A server with permanent and transient keys.
#[derive(Clone, Copy)]
pub(crate) struct Server {
    pub(crate) permanent: Keys,
    pub(crate) transient: Keys,
}

impl Server {
    pub(crate) const COOKIE: [u8; 96] = [0xcc; 96];

    /// C' in a HELLO frame.
    pub(crate) fn read_hello(&self, bytes: &[u8]) -> Key {
        let data = bytes.strip_prefix(b"\x04\xc8\x05HELLO\x01\0").expect("a HELLO");
        assert_eq!((data.len(), &data[..72]), (192, &[0; 72][..]));
        let client: Key = data[72..104].try_into().expect("a key");
        let key = self.permanent.with(&client);
        let opened = open(&key, b"CurveZMQHELLO---", &data[104..112], &data[112..]);
        assert_eq!(opened.expect("sealed for us"), [0; 64]);
        client
    }

    pub(crate) fn welcome_data(&self, client: &Key, plain: &[u8]) -> Vec<u8> {
        let random = [0x66; 16];
        let sealed = seal(&self.permanent.with(client), b"WELCOME-", &random, plain);
        [&random[..], &sealed].concat()
    }

    pub(crate) fn welcome(&self, client: &Key) -> Vec<u8> {
        let plain = [&self.transient.public[..], &Self::COOKIE].concat();
        command("WELCOME", &self.welcome_data(client, &plain))
    }

    /// C and the metadata in an INITIATE frame, whose vouch must hold.
    pub(crate) fn read_initiate(&self, client: &Key, bytes: &[u8]) -> (Key, Vec<u8>) {
        let body = if bytes[0] == 6 { &bytes[9..] } else { &bytes[2..] };
        let data = body.strip_prefix(b"\x08INITIATE").expect("an INITIATE");
        assert_eq!(data[..96], Self::COOKIE);
        let key = self.transient.with(client);
        let opened = open(&key, b"CurveZMQINITIATE", &data[96..104], &data[104..]);
        let opened = opened.expect("sealed for us");
        let permanent: Key = opened[..32].try_into().expect("a key");
        let key = self.transient.with(&permanent);
        let vouch = open(&key, b"VOUCH---", &opened[32..48], &opened[48..128]).expect("a vouch");
        assert_eq!(vouch, [&client[..], &self.permanent.public].concat());
        (permanent, opened[128..].to_vec())
    }

    pub(crate) fn ready(&self, client: &Key, number: u64, metadata: &[u8]) -> Vec<u8> {
        let number = number.to_be_bytes();
        let sealed = seal(&self.transient.with(client), b"CurveZMQREADY---", &number, metadata);
        command("READY", &[&number[..], &sealed].concat())
    }

    pub(crate) fn message(&self, client: &Key, number: u64, flags: u8, body: &[u8]) -> Vec<u8> {
        let plain = [&[flags], body].concat();
        message(&self.transient.with(client), b"CurveZMQMESSAGES", number, &plain)
    }
}
