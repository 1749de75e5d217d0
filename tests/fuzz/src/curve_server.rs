//! A server of CURVE and a client whose commands the fuzzer makes: sealed as they should be, with parts of its
//! choice, altered before or after they were sealed, out of turn, or not sealed at all.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use zmtp::Event;

use crate::Target;
use crate::checks::{is_in_order, stays_failed};
use crate::choices::{MECHANISMS, a_verdict, config};
use crate::curve_peers::scripted_client;
use crate::curve_script::{Client, Key, message};
use crate::sealed::is_subsequence;
use crate::support::{End, Frame, command, frame, greeting, property};
use crate::tape::{Tape, short};

pub(crate) const TARGET: Target = Target { name: "curve_server", run, seeds };

static CLIENT: LazyLock<Client> = LazyLock::new(scripted_client);

const NAMES: [&str; 7] = ["HELLO", "INITIATE", "MESSAGE", "READY", "WELCOME", "ERROR", "PING"];

/// What an op begins with.
const RAW: u8 = 0;
const COMMAND: u8 = 1;
const HELLO: u8 = 2;
const INITIATE: u8 = 3;
const INITIATE_OF: u8 = 4;
const MESSAGE: u8 = 5;
const WAIT: u8 = 6;
const VERDICT: u8 = 7;

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let honest = [0, 0];
    let metadata = short(&[property("Socket-Type", b"PAIR"), property("X-A", b"b")].concat());
    let hello = [&[HELLO, 1], &honest[..], &honest].concat();
    let initiate = [&[INITIATE, 2], &metadata[..], &honest, &honest].concat();
    let messages = [
        [&[MESSAGE, 3, 1], &short(b"a")[..], &honest].concat(),
        [&[MESSAGE, 9, 0], &short(b"b")[..], &honest].concat(),
        [&[MESSAGE, 10, 2], &short(b"\x04PING\0\x05ctx")[..], &honest].concat(),
    ]
    .concat();
    let open = [&[0, 0, 0, 3, 0][..], &hello, &initiate, &messages].concat();
    let asks = [&[0, 2, 0, 3, 1][..], &hello, &initiate, &[VERDICT], &messages].concat();
    let refuses = [&[0, 2, 0, 3, 2][..], &hello, &initiate, &[VERDICT]].concat();
    let late = [&[0, 2, 0, 3, 0][..], &hello, &[WAIT, 255], &initiate].concat();
    let forged = [&[HELLO, 1][..], &honest, &[1, 9, 1]].concat();
    let raw = [&[0, 0, 0, 3, 0, RAW][..], &short(&frame(0, b"x")), &[COMMAND, 0, 0]].concat();
    let whole = [&[0, 0, 0, 3, 0][..], &hello, &[INITIATE_OF, 2], &short(&[7; 130]), &honest];
    vec![
        ("open", open),
        ("asks", asks),
        ("refuses", refuses),
        ("late", late),
        ("forged", [&[0, 0, 0, 3, 0][..], &forged].concat()),
        ("raw", raw),
        ("initiate", whole.concat()),
    ]
}

struct Play {
    end: End,
    now: Instant,
    /// S' and the cookie, once they are known.
    welcome: Option<(Key, Vec<u8>)>,
    /// The key of the traffic.
    key: Option<Key>,
    /// An INITIATE has been sent that proves who the client is.
    proved: bool,
    sent: Vec<Frame>,
}

fn run(data: &[u8]) {
    let mut tape = Tape::new(data);
    let config = config(&MECHANISMS[4], tape.array());
    let verdict = a_verdict(tape.byte());
    let now = Instant::now();
    let end = End::new(config.clone(), now);
    let mut play = Play { end, now, welcome: None, key: None, proved: false, sent: Vec::new() };
    play.deliver(&greeting(1, "CURVE"));
    while let Some(op) = tape.next() {
        match op % 8 {
            RAW => play.deliver(tape.short()),
            COMMAND => {
                let name = NAMES[usize::from(tape.byte()) % NAMES.len()];
                play.deliver(&command(name, tape.short()));
            }
            HELLO => play.hello(&mut tape),
            INITIATE => play.initiate(&mut tape),
            INITIATE_OF => play.initiate_of(&mut tape),
            MESSAGE => play.message(&mut tape),
            WAIT => {
                play.now += Duration::from_millis(u64::from(tape.byte()) * 300);
                play.end.tick(play.now);
            }
            VERDICT => play.answer(&verdict),
            _ => {}
        }
    }
    is_in_order(&config, &verdict, &play.end);
    play.check();
    stays_failed(&mut play.end, play.now);
}

impl Play {
    fn deliver(&mut self, bytes: &[u8]) {
        self.end.deliver(self.now, bytes);
        let out = std::mem::take(&mut self.end.out);
        // Behind the greeting, if that goes out with it.
        let start = if out.starts_with(b"\xff") { out.len().min(64) } else { 0 };
        if out[start..].starts_with(b"\x04\xa8\x07WELCOME") {
            let (key, cookie) = CLIENT.read_welcome(&out[start..]);
            self.key = Some(CLIENT.transient.with(&key));
            self.welcome = Some((key, cookie));
        }
    }

    /// A number, what is altered in the signature, and on the wire.
    fn hello(&mut self, tape: &mut Tape<'_>) {
        let number = u64::from(tape.byte());
        let mut signature = [0; 64];
        alter(&mut signature, tape);
        let mut bytes = command("HELLO", &CLIENT.hello_data(number, &signature));
        alter(&mut bytes, tape);
        self.deliver(&bytes);
    }

    /// A number, metadata, what is altered in the box, and on the wire.
    fn initiate(&mut self, tape: &mut Tape<'_>) {
        let (number, metadata) = (u64::from(tape.byte()), tape.short());
        let Some((key, cookie)) = self.welcome.clone() else { return };
        let mut plain = CLIENT.initiation(&key, metadata);
        // C and the vouch; the metadata are the client's own affair.
        let is_proof = is_intact(128, &alter(&mut plain, tape));
        let mut bytes = CLIENT.initiate(&key, &cookie, number, &plain);
        self.proved |= alter(&mut bytes, tape).is_empty() && is_proof;
        self.deliver(&bytes);
    }

    /// The same with a box that holds nothing that belongs there.
    fn initiate_of(&mut self, tape: &mut Tape<'_>) {
        let (number, plain) = (u64::from(tape.byte()), tape.short());
        let Some((key, cookie)) = self.welcome.clone() else { return };
        let mut bytes = CLIENT.initiate(&key, &cookie, number, plain);
        alter(&mut bytes, tape);
        self.deliver(&bytes);
    }

    /// A number, the flags, a body, and what is altered on the wire.
    fn message(&mut self, tape: &mut Tape<'_>) {
        let (number, flags, body) = (u64::from(tape.byte()), tape.byte(), tape.short());
        let Some(key) = &self.key else { return };
        let plain = [&[flags], body].concat();
        let mut bytes = message(key, b"CurveZMQMESSAGEC", number, &plain);
        alter(&mut bytes, tape);
        // Outside the box nothing is held together: a frame may become a command, which means the same.
        self.sent.push((flags & 1 == 1, body.to_vec()));
        self.deliver(&bytes);
    }

    fn answer(&mut self, verdict: &zmtp::Verdict) {
        let asked = self.end.events.iter().any(|event| matches!(event, Event::Authenticate(_)));
        if asked && self.end.error.is_none() && self.end.peer().is_none() {
            self.end.answer(self.now, verdict.clone());
            self.deliver(b"");
        }
    }

    fn check(&self) {
        for event in &self.end.events {
            match event {
                Event::Authenticate(request) => {
                    let [key] = &request.credentials[..] else { panic!("one key") };
                    let key: [u8; 32] = key[..].try_into().expect("a key");
                    assert_eq!(same_key(key), same_key(CLIENT.permanent.public));
                    assert!(self.proved, "a key was believed that was not proved");
                }
                Event::Ready(_) => assert!(self.proved, "somebody got in who proved nothing"),
                _ => {}
            }
        }
        assert!(is_subsequence(&self.end.frames, &self.sent), "what was not sent was delivered");
    }
}

/// X25519 does not look at the highest bit: with and without it, a key belongs to the same secret.
fn same_key(mut key: [u8; 32]) -> [u8; 32] {
    key[31] &= 0x7f;
    key
}

/// Alters up to three bytes (how many, then where and how), and as many in places that one byte does not reach.
/// Answers what is different: where, and in which bits. It is not compared with what it was before: the fuzzer sees
/// comparisons, and would learn what a genuine seal is.
pub(crate) fn alter(bytes: &mut [u8], tape: &mut Tape<'_>) -> Vec<(usize, u8)> {
    let mut edits: Vec<(usize, u8)> = Vec::new();
    let mut edit = |at: usize, mask: u8| {
        let Some(at) = at.checked_rem(bytes.len()) else { return };
        bytes[at] ^= mask;
        match edits.iter_mut().find(|(place, _)| *place == at) {
            Some((_, before)) => *before ^= mask,
            None => edits.push((at, mask)),
        }
    };
    for _ in 0..tape.byte() % 4 {
        edit(usize::from(tape.byte()), tape.byte());
    }
    for _ in 0..tape.byte() % 4 {
        edit(usize::from(u16::from_be_bytes(tape.array())), tape.byte());
    }
    edits.retain(|(_, mask)| *mask != 0);
    edits
}

/// Whether the first bytes mean what they did before. The highest bit of the key with which they begin means nothing
/// to X25519.
pub(crate) fn is_intact(length: usize, edits: &[(usize, u8)]) -> bool {
    edits.iter().all(|edit| edit.0 >= length || *edit == (31, 0x80))
}
