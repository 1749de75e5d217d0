//! Any bytes from the first one on, and any bytes behind a greeting: greetings, frames and commands of a
//! handshake, with NULL and PLAIN in both roles.

use zmtp::MechanismConfig;

use crate::Target;
use crate::checks::{self, Presented};
use crate::choices::{MECHANISMS, STARTS, config};
use crate::support::{command, frame, frame_v1, greeting, property, ready};
use crate::tape::Tape;

pub(crate) const GREETING: Target = Target {
    name: "greeting",
    run: |data| {
        let mut tape = Tape::new(data);
        let mechanism = &MECHANISMS[usize::from(tape.byte()) % MECHANISMS.len()];
        play(mechanism, b"", tape);
    },
    seeds: || {
        let old = [frame_v1(false, b"id"), frame_v1(true, b"a"), frame_v1(false, b"b")].concat();
        let mut seeds = vec![("v1", seed(0, [6, 1, 0, 3], &old))];
        let v2 = [b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x05".to_vec(), frame(0, b"id"), frame(0, b"a")];
        seeds.push(("v2", seed(0, [6, 1, 0, 3], &v2.concat())));
        let v3 = [greeting(1, "NULL"), ready("DEALER", &[("Identity", b"id")]), frame(0, b"a")];
        seeds.push(("v3", seed(0, [6, 1, 0, 3], &v3.concat())));
        let names = ["start-00", "start-01", "start-02", "start-plain", "start-curve"];
        let last = STARTS.len() - 1;
        for (name, at) in names.into_iter().zip([0, 1, 2, last - 5, last - 1]) {
            seeds.push((name, seed(0, [0, 0, 0, 3], &STARTS[at])));
        }
        seeds.push(("curve", seed(3, [0, 0, 0, 3], &STARTS[last])));
        seeds
    },
};

pub(crate) const NULL: Target = Target {
    name: "null",
    run: |data| {
        let mut tape = Tape::new(data);
        let minor = tape.byte() % 3;
        play(&MECHANISMS[0], &greeting(minor, "NULL"), tape);
    },
    seeds: || {
        let router = ready("DEALER", &[("Identity", b"id"), ("X-A", b"b")]);
        let traffic = [frame(1, b"a"), command("PING", b"\0\x05ctx"), frame(0, b"b")].concat();
        vec![
            ("ready", seed(1, [6, 1, 0, 3], &[&router[..], &traffic].concat())),
            ("asked", seed(1, [6, 3, 0, 3], &[&router[..], &traffic].concat())),
            ("asks-first", seed(0, [5, 2, 0, 3], &[ready("ROUTER", &[]), frame(0, b"a")].concat())),
            ("refused", seed(1, [5, 0, 0, 3], &command("ERROR", b"\x02no"))),
            ("wrong-type", seed(1, [5, 0, 0, 3], &ready("SUB", &[]))),
        ]
    },
};

pub(crate) const PLAIN: Target = Target {
    name: "plain",
    run: |data| {
        let mut tape = Tape::new(data);
        let mechanism = &MECHANISMS[1 + usize::from(tape.byte()) % 2];
        play(mechanism, &greeting(1, "PLAIN"), tape);
    },
    seeds: || {
        let metadata = [property("Socket-Type", b"PAIR"), property("X-A", b"b")].concat();
        let hello = command("HELLO", b"\x04user\x08password");
        let server = [&hello[..], &command("INITIATE", &metadata), &frame(0, b"a")].concat();
        let welcome = command("WELCOME", b"");
        let client = [&welcome[..], &command("READY", &metadata), &frame(0, b"a")].concat();
        vec![
            ("server", seed(1, [0, 1, 0, 3], &server)),
            ("client", seed(0, [0, 0, 0, 3], &client)),
            ("refused", seed(0, [0, 0, 0, 3], &command("ERROR", b"\x03400"))),
            ("refused-by-libzmq", seed(0, [0, 0, 0, 3], &frame(4, b"^RROR\x03400"))),
        ]
    },
};

/// Lets a peer say `start` and then what is left of the tape.
fn play(mechanism: &MechanismConfig, start: &[u8], mut tape: Tape<'_>) {
    let config = config(mechanism, tape.array());
    let presented = Presented { verdict: tape.byte(), sizes: tape.array() };
    checks::stream(&config, presented, &[start, tape.rest()].concat());
}

/// Accepted, in reads of 7 and 30 bytes.
fn seed(first: u8, choice: [u8; 4], stream: &[u8]) -> Vec<u8> {
    [&[first], &choice[..], &[1, 6, 29], stream].concat()
}
