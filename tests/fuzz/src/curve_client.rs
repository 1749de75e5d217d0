//! A client of CURVE and a server whose commands the fuzzer makes: sealed as they should be, with parts of its
//! choice, altered before or after they were sealed, out of turn, or not sealed at all.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::Target;
use crate::checks::{is_in_order, stays_failed};
use crate::choices::{MECHANISMS, a_verdict, config};
use crate::curve_peers::{scripted_client, scripted_server};
use crate::curve_script::{Key, Server, message};
use crate::curve_server::{alter, is_intact};
use crate::sealed::is_subsequence;
use crate::support::{End, Frame, command, frame, greeting, property};
use crate::tape::{Tape, short};

pub(crate) const TARGET: Target = Target { name: "curve_client", run, seeds };

static SERVER: LazyLock<Server> = LazyLock::new(scripted_server);
/// C' and C, which do not change.
static CLIENT: LazyLock<[Key; 2]> =
    LazyLock::new(|| [scripted_client().transient.public, scripted_client().permanent.public]);
/// The key of the traffic.
static KEY: LazyLock<Key> = LazyLock::new(|| SERVER.transient.with(&CLIENT[0]));

const NAMES: [&str; 6] = ["WELCOME", "READY", "MESSAGE", "HELLO", "INITIATE", "ERROR"];

/// What an op begins with.
const RAW: u8 = 0;
const COMMAND: u8 = 1;
const WELCOME: u8 = 2;
const WELCOME_OF: u8 = 3;
const READY: u8 = 4;
const MESSAGE: u8 = 5;
const WAIT: u8 = 6;

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let honest = [0, 0];
    let metadata = short(&[property("Socket-Type", b"PAIR"), property("X-A", b"b")].concat());
    let welcome = [&[WELCOME], &honest[..], &honest].concat();
    let ready = [&[READY, 1], &metadata[..], &honest].concat();
    let messages = [
        [&[MESSAGE, 2, 1], &short(b"a")[..], &honest].concat(),
        [&[MESSAGE, 9, 0], &short(b"b")[..], &honest].concat(),
        [&[MESSAGE, 10, 2], &short(b"\x04PING\0\x05ctx")[..], &honest].concat(),
    ]
    .concat();
    let head = [0, 0, 0, 3];
    vec![
        ("whole", [&head[..], &welcome, &ready, &messages].concat()),
        ("late", [&head[..], &welcome, &[WAIT, 120], &ready, &messages].concat()),
        ("forged", [&head[..], &[WELCOME, 0, 0, 1, 40, 1, 0], &ready].concat()),
        ("welcome", [&head[..], &[WELCOME_OF], &short(&[7; 128]), &honest].concat()),
        ("raw", [&head[..], &[RAW], &short(&frame(0, b"x")), &[COMMAND, 5, 3, 2, 52, 48]].concat()),
    ]
}

struct Play {
    end: End,
    now: Instant,
    /// The real S' has been sent.
    welcomed: bool,
    /// A READY has been sent that only the server can have sealed.
    ready: bool,
    sent: Vec<Frame>,
}

fn run(data: &[u8]) {
    let mut tape = Tape::new(data);
    let config = config(&MECHANISMS[3], tape.array());
    let now = Instant::now();
    let end = End::new(config.clone(), now);
    let mut play = Play { end, now, welcomed: false, ready: false, sent: Vec::new() };
    play.deliver(&greeting(1, "CURVE"));
    while let Some(op) = tape.next() {
        match op % 8 {
            RAW => play.deliver(tape.short()),
            COMMAND => {
                let name = NAMES[usize::from(tape.byte()) % NAMES.len()];
                play.deliver(&command(name, tape.short()));
            }
            WELCOME => play.welcome(&mut tape),
            WELCOME_OF => play.welcome_of(&mut tape),
            READY => play.ready(&mut tape),
            MESSAGE => play.message(&mut tape),
            WAIT => {
                play.now += Duration::from_millis(u64::from(tape.byte()) * 300);
                play.end.tick(play.now);
            }
            _ => {}
        }
    }
    is_in_order(&config, &a_verdict(0), &play.end);
    let is_genuine = play.welcomed && play.ready;
    assert!(play.end.peer().is_none() || is_genuine, "the server has not proved who it is");
    assert!(is_subsequence(&play.end.frames, &play.sent), "what was not sent was delivered");
    stays_failed(&mut play.end, play.now);
}

impl Play {
    fn deliver(&mut self, bytes: &[u8]) {
        self.end.deliver(self.now, bytes);
        self.end.out.clear();
    }

    /// What is altered in the box, and on the wire.
    fn welcome(&mut self, tape: &mut Tape<'_>) {
        let mut plain = [&SERVER.transient.public[..], &Server::COOKIE].concat();
        let edits = alter(&mut plain, tape);
        let mut bytes = command("WELCOME", &SERVER.welcome_data(&CLIENT[0], &plain));
        // The cookie is the server's own affair.
        self.welcomed |= alter(&mut bytes, tape).is_empty() && is_intact(32, &edits);
        let was_greeted = self.end.error.is_none() && self.end.rest.is_empty();
        self.end.deliver(self.now, &bytes);
        let out = std::mem::take(&mut self.end.out);
        let answered =
            out.get(..12).is_some_and(|start| start.windows(8).any(|w| w == b"INITIATE"));
        if answered && was_greeted && edits.is_empty() {
            let (permanent, _) = SERVER.read_initiate(&CLIENT[0], &out);
            assert_eq!(permanent, CLIENT[1]);
        }
    }

    /// The same with a box that holds nothing that belongs there.
    fn welcome_of(&mut self, tape: &mut Tape<'_>) {
        let mut bytes = command("WELCOME", &SERVER.welcome_data(&CLIENT[0], tape.short()));
        alter(&mut bytes, tape);
        self.deliver(&bytes);
    }

    /// A number, metadata, and what is altered on the wire.
    fn ready(&mut self, tape: &mut Tape<'_>) {
        let (number, metadata) = (u64::from(tape.byte()), tape.short());
        let mut bytes = SERVER.ready(&CLIENT[0], number, metadata);
        self.ready |= alter(&mut bytes, tape).is_empty();
        self.deliver(&bytes);
    }

    /// A number, the flags, a body, and what is altered on the wire.
    fn message(&mut self, tape: &mut Tape<'_>) {
        let (number, flags, body) = (u64::from(tape.byte()), tape.byte(), tape.short());
        let plain = [&[flags], body].concat();
        let mut bytes = message(&KEY, b"CurveZMQMESSAGES", number, &plain);
        alter(&mut bytes, tape);
        // Outside the box nothing is held together: a frame may become a command, which means the same.
        self.sent.push((flags & 1 == 1, body.to_vec()));
        self.deliver(&bytes);
    }
}
