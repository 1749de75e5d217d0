//! Runs what works on keys with keys that valgrind takes for memory without a value: it reports each branch and each
//! address that depends on one. What becomes public on its way is said here ([`publish`]), or, where that is inside
//! a call, in `public.supp`.
//!
//! `timing CASE` under `valgrind --error-exitcode=9 --suppressions=public.supp`: those of [`CLEAN`] must pass, those of
//! [`LEAKS`] must not, or valgrind sees nothing.

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use crabgrind::RunMode;
use crabgrind::memcheck::{MemState, mark_mem};
use zmtp::curve::{Keypair, SecretKey};
use zmtp::{
    Config, Connection, CurveClientConfig, Error, Event, FrameHeader, MechanismConfig, Role,
    SocketType, Verdict,
};

type Case = (&'static str, fn());

const CLEAN: [Case; 5] = [
    ("handshake", a_handshake_does_not_depend_on_its_keys),
    ("sealing", sealing_and_opening_do_not_depend_on_the_key),
    ("pairs", making_a_pair_does_not_depend_on_the_secret_key),
    ("text", writing_and_reading_a_key_do_not_depend_on_it),
    ("comparison", comparing_keys_does_not_depend_on_them),
];

const LEAKS: [Case; 2] = [
    ("leak-branch", a_branch_on_a_key_is_noticed),
    ("leak-address", an_address_made_of_a_key_is_noticed),
];

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    if name == "--list" {
        CLEAN.iter().for_each(|(name, _)| println!("clean {name}"));
        LEAKS.iter().for_each(|(name, _)| println!("leak {name}"));
        return ExitCode::SUCCESS;
    }
    let Some((_, case)) = CLEAN.iter().chain(&LEAKS).find(|(known, _)| *known == name) else {
        eprintln!("no case {name:?}");
        return ExitCode::FAILURE;
    };
    if crabgrind::run_mode() != RunMode::Valgrind {
        eprintln!("only valgrind can tell");
        return ExitCode::FAILURE;
    }
    case();
    ExitCode::SUCCESS
}

/// The compiler must not know that the memory stays as it is: it would go on with what it has in registers.
fn mark<T: ?Sized>(memory: &mut T, state: MemState) {
    let length = size_of_val(memory);
    let start = black_box(std::ptr::from_mut(memory));
    // This version of crabgrind answers the wrong way round.
    let _ = mark_mem(start.cast(), length, state);
}

/// From here on this is a secret.
fn conceal<T: ?Sized>(memory: &mut T) {
    mark(memory, MemState::Undefined);
}

/// From here on anybody may know this.
fn publish<T: ?Sized>(memory: &mut T) {
    mark(memory, MemState::Defined);
}

fn secret(number: u8) -> [u8; 32] {
    let mut bytes = [number; 32];
    conceal(&mut bytes);
    bytes
}

/// A pair whose public key is public.
fn keypair(number: u8) -> Keypair {
    let mut keypair = Keypair::from_secret(SecretKey::from_bytes(secret(number)));
    publish(&mut keypair.public);
    keypair
}

/// Keys are drawn whole and are secret, nonces are shorter and go over the wire.
fn random(bytes: &mut [u8]) -> Result<(), Error> {
    bytes.fill(7);
    if bytes.len() == 32 {
        conceal(bytes);
    }
    Ok(())
}

/// One end and what has arrived there.
struct End {
    connection: Connection,
    input: Vec<u8>,
}

impl End {
    fn new(socket_type: SocketType, role: Role, mechanism: MechanismConfig) -> End {
        let mut config = Config { mechanism, random, ..Config::new(socket_type, role) };
        config.authenticate = true;
        let connection = Connection::new(Arc::new(config), Instant::now());
        End { connection, input: Vec::new() }
    }

    /// What it says, which everybody can hear.
    fn say(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.connection.take_transmit(&mut bytes);
        publish(&mut bytes[..]);
        bytes
    }

    fn hear(&mut self, bytes: &[u8]) {
        let now = Instant::now();
        self.input.extend(bytes);
        let mut progress =
            self.connection.handle_read(now, &mut self.input).expect("an honest peer");
        publish(&mut progress);
        self.input.drain(..progress.consumed);
        while let Some(mut event) = self.connection.poll_event() {
            match &mut event {
                Event::Authenticate(request) => {
                    publish(request);
                    self.connection.handle_verdict(now, Verdict::accept("u")).expect("asked");
                }
                // What the peer says of itself was in a box, and is no key.
                Event::Ready(peer) => {
                    publish(peer);
                    publish(&mut peer.properties[..]);
                }
                _ => {}
            }
            publish(&mut event);
        }
    }
}

fn a_handshake_does_not_depend_on_its_keys() {
    handshake();
}

/// Both ends, from the greeting until they are ready.
fn handshake() -> [End; 2] {
    let (server, client) = (keypair(1), keypair(2));
    let curve = CurveClientConfig { keypair: client, server: server.public };
    let mut ends = [
        End::new(SocketType::Push, Role::Connecter, MechanismConfig::CurveClient(curve)),
        End::new(SocketType::Pull, Role::Listener, MechanismConfig::CurveServer(server)),
    ];
    for _ in 0..8 {
        let [client, server] = &mut ends;
        server.hear(&client.say());
        client.hear(&server.say());
    }
    assert!(ends.iter().all(|end| end.connection.is_ready()));
    ends
}

fn sealing_and_opening_do_not_depend_on_the_key() {
    let [mut push, mut pull] = handshake();
    let mut encoder = push.connection.take_encoder().expect("ready");
    for length in [0, 1, 100, 5000] {
        let header =
            FrameHeader { more: false, command: false, body_len: length as u64, header_len: 0 };
        let mut bytes = Vec::new();
        encoder.encode(header, &vec![5; length], &mut bytes).expect("numbers are left");
        publish(&mut bytes[..]);
        pull.hear(&bytes);
    }
}

fn making_a_pair_does_not_depend_on_the_secret_key() {
    let [one, other] = [3, 4].map(keypair);
    assert_ne!(one.public, other.public);
}

fn writing_and_reading_a_key_do_not_depend_on_it() {
    let text = SecretKey::from_bytes(secret(9)).to_z85();
    let key: SecretKey = text.parse().expect("as it was written");
    let mut again = *key.as_bytes();
    publish(&mut again);
    assert_eq!(again, [9; 32]);
}

fn comparing_keys_does_not_depend_on_them() {
    let [one, same, other] = [5, 5, 6].map(|number| SecretKey::from_bytes(secret(number)));
    for (a, b, expected) in [(&one, &same, true), (&one, &other, false)] {
        let mut answer = a == b;
        publish(&mut answer);
        assert_eq!(answer, expected);
    }
}

fn a_branch_on_a_key_is_noticed() {
    let (one, other) = (secret(5), secret(6));
    if black_box(&one) == black_box(&other) {
        println!("never");
    }
}

fn an_address_made_of_a_key_is_noticed() {
    let table: Vec<u8> = (0..=255).collect();
    let at = usize::from(black_box(secret(5))[0]);
    let found = black_box(&table)[at & 0xff];
    black_box(found);
}
