//! What a peer sends makes a connection allocate no more than was sent, and a little. Alone in its
//! binary, because a program has one allocator.

use std::sync::Arc;
use std::time::Instant;

use counting::{Counting, peak_of};
use zmtp::curve::Keypair;
use zmtp::{
    Config, Connection, CurveClientConfig, FrameHeader, MechanismConfig, Role, SocketType, Traffic,
};

mod counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The peak of what was allocated while a connection dealt with these reads, in bytes.
fn cost(socket_type: SocketType, reads: &[&[u8]]) -> usize {
    cost_with(Config::new(socket_type, Role::Listener), reads)
}

fn cost_with(config: Config, reads: &[&[u8]]) -> usize {
    let now = Instant::now();
    let config = Arc::new(config);
    let mut reads: Vec<Vec<u8>> = reads.iter().map(|read| read.to_vec()).collect();
    peak_of(|| {
        let mut connection = Connection::new(config, now);
        for read in &mut reads {
            if connection.handle_read(now, read).is_err() {
                break;
            }
        }
    })
}

fn greeting() -> Vec<u8> {
    let mut bytes = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL".to_vec();
    bytes.resize(64, 0);
    bytes
}

fn ready(socket_type: &str) -> Vec<u8> {
    let mut bytes = b"\x04\0\x05READY\x0bSocket-Type\0\0\0".to_vec();
    bytes.push(socket_type.len() as u8);
    bytes.extend(socket_type.bytes());
    bytes[1] = (bytes.len() - 2) as u8;
    bytes
}

/// Both ends of CURVE, with the handshake behind them.
fn sealed() -> [Connection; 2] {
    let now = Instant::now();
    let [ours, theirs] = [(); 2].map(|()| Keypair::generate().unwrap());
    let curve = CurveClientConfig { keypair: ours, server: theirs.public };
    let client = MechanismConfig::CurveClient(curve);
    let mut ends = [
        (SocketType::Push, Role::Connecter, client),
        (SocketType::Pull, Role::Listener, MechanismConfig::CurveServer(theirs)),
    ]
    .map(|(socket_type, role, mechanism)| {
        let config = Config { mechanism, ..Config::new(socket_type, role) };
        (Connection::new(Arc::new(config), now), Vec::new())
    });
    while !ends.iter().all(|(connection, _)| connection.is_ready()) {
        for side in 0..2 {
            let mut bytes = Vec::new();
            ends[side].0.take_transmit(&mut bytes);
            let (connection, rest) = &mut ends[1 - side];
            rest.extend(bytes);
            let consumed = connection.handle_read(now, rest).unwrap().consumed;
            rest.drain(..consumed);
        }
    }
    ends.map(|(connection, _)| connection)
}

#[test]
fn strangers_cost_a_server_of_curve_no_more_than_they_send() {
    let mut greeting = greeting();
    greeting[12..17].copy_from_slice(b"CURVE");
    let command = |length: u64, start: &[u8], sent: usize| {
        let mut bytes = [&greeting[..], &[6], &length.to_be_bytes(), start].concat();
        bytes.resize(bytes.len() + sent, 0);
        bytes
    };
    for bytes in [
        command(1 << 40, b"\x05HELLO", 1000),
        command(200, b"\x05HELLO", 194),
        command(65_000, b"\x08INITIATE", 65_000 - 9),
        command(1 << 40, b"\x07MESSAGE", 1000),
    ] {
        let server = MechanismConfig::CurveServer(Keypair::generate().unwrap());
        let config = Config { mechanism: server, ..Config::new(SocketType::Pull, Role::Listener) };
        let cost = cost_with(config, &[&bytes]);
        assert!(cost <= 4096, "{cost} bytes for {}", bytes.len());
    }
}

#[test]
fn sealed_messages_are_opened_without_a_copy() {
    let [mut push, mut pull] = sealed();
    let mut encoder = push.take_encoder().unwrap();
    let mut cost_of = |sizes: [u64; 4]| {
        let mut bytes = Vec::new();
        for size in sizes {
            let header = FrameHeader { more: false, command: false, body_len: size, header_len: 0 };
            encoder.encode(header, &vec![b'x'; size as usize], &mut bytes).unwrap();
        }
        peak_of(|| {
            let progress = pull.handle_read(Instant::now(), &mut bytes).unwrap();
            assert!(matches!(progress.traffic, Traffic::Input(_)) && progress.messages == 4);
        })
    };
    let short = [10, 50, 0, 1];
    assert_eq!(cost_of([1 << 20, 1000, 100_000, 200]), 0);
    let keystream = cost_of(short);
    assert!(keystream <= 2048, "the first short message makes room: {keystream}");
    assert_eq!((cost_of(short), cost_of([1 << 20, 10, 100_000, 0])), (0, 0));
}

#[test]
fn a_peer_cannot_make_a_connection_allocate_more_than_it_sends() {
    let handshake = |theirs| [greeting(), ready(theirs)].concat();
    let huge = |flags: u8| [&[flags][..], &(1u64 << 62).to_be_bytes(), &[1; 100]].concat();
    let mut tiny_properties = greeting();
    tiny_properties.extend(b"\x06\0\0\0\0\0\0\xff\0\x05READY");
    tiny_properties.extend(b"\x01a\0\0\0\0".repeat(0xff00 / 6));
    let mut long_topic = b"\x06\0\0\0\0\0\x10\0\x0a\x09SUBSCRIBE".to_vec();
    long_topic.resize(long_topic.len() + (1 << 20), b't');

    let cases: &[(&str, SocketType, Vec<u8>)] = &[
        ("a huge message", SocketType::Pull, [handshake("PUSH"), huge(2)].concat()),
        ("a huge command", SocketType::Pull, [handshake("PUSH"), huge(6)].concat()),
        ("a huge message to a PUB", SocketType::Pub, [handshake("SUB"), huge(2)].concat()),
        ("a huge READY", SocketType::Pull, [greeting(), huge(6)].concat()),
        ("tiny properties", SocketType::Pull, tiny_properties),
        ("a long topic", SocketType::Pub, [handshake("SUB"), long_topic].concat()),
        (
            "many topics",
            SocketType::Pub,
            [handshake("SUB"), b"\0\x02\x01t".repeat(300_000)].concat(),
        ),
        ("empty frames", SocketType::XPub, [handshake("SUB"), b"\0\0".repeat(300_000)].concat()),
        (
            "pings",
            SocketType::Pull,
            [handshake("PUSH"), b"\x04\x07\x04PING\0\0".repeat(99_999)].concat(),
        ),
        (
            "pongs",
            SocketType::Pull,
            [handshake("PUSH"), b"\x04\x05\x04PONG".repeat(99_999)].concat(),
        ),
        ("1.0 frames", SocketType::Pull, [b"\x01\0".to_vec(), b"\x02\0x".repeat(300_000)].concat()),
        ("1.0, huge", SocketType::Pull, b"\x01\0\xff\x40\0\0\0\0\0\0\0\0".to_vec()),
    ];
    for (name, socket_type, bytes) in cases {
        let cost = cost(*socket_type, &[bytes]);
        // Vectors that grow hold up to twice what is in them, and the old half while they move.
        let limit = 3 * bytes.len() + 64 * 1024;
        assert!(cost <= limit, "{name}: {cost} bytes for {}", bytes.len());
    }
    let idle = cost(SocketType::Pull, &[&handshake("PUSH")]);
    assert!(idle <= 1024, "an idle connection holds {idle} bytes");
    let traffic = [b"\0\x05hello".repeat(10_000), b"\x01\0\0\0".to_vec()].concat();
    let busy = cost(SocketType::Pull, &[&handshake("PUSH"), &traffic]);
    assert_eq!(idle, busy, "messages are not copied");
}
