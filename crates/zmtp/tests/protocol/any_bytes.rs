//! Any bytes, in any state and role: no panic, and the same outcome however they are cut.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use zmtp::{Config, Heartbeat, MechanismConfig, PlainClientConfig, Role, SocketType, Verdict};

use crate::curve_peers as curve;
use crate::curve_script::Keys;
use crate::support::{End, command, frame, frame_v1, greeting, property, ready};

/// Every mechanism in both roles, of ends that draw the same keys each time.
fn any_mechanism() -> impl Strategy<Value = MechanismConfig> {
    let [client, server] =
        [curve::client, curve::server].map(|end| end(SocketType::Pair, Role::Connecter).mechanism);
    prop_oneof![
        3 => Just(MechanismConfig::Null),
        1 => Just(MechanismConfig::PlainClient(PlainClientConfig::new("user", "password"))),
        1 => Just(MechanismConfig::PlainServer),
        1 => Just(client),
        1 => Just(server),
    ]
}

fn any_config() -> impl Strategy<Value = Config> {
    let sizes = prop_oneof![Just(None), (0u64..300).prop_map(Some)];
    let mechanism = any_mechanism();
    (0..SocketType::ALL.len(), any::<[bool; 2]>(), sizes, 1u32..5, mechanism).prop_map(
        |(socket_type, [listens, authenticate], max_message_size, frames, mechanism)| {
            let role = if listens { Role::Listener } else { Role::Connecter };
            let second = Duration::from_secs(1);
            let mut config = Config::new(SocketType::ALL[socket_type], role);
            config.mechanism = mechanism;
            config.random = |bytes| {
                bytes.fill(4);
                Ok(())
            };
            config.authenticate = authenticate;
            config.max_message_size = max_message_size;
            config.limits.frames_per_message = frames;
            config.limits.topic = 100;
            config.heartbeat = Some(Heartbeat { interval: second, timeout: second, ttl: second });
            config
        },
    )
}

/// What a server of CURVE says, as far as this command.
fn curve_server_start(commands: usize) -> Vec<u8> {
    let server = curve::scripted_server();
    let client = Keys::of(4).public;
    let metadata = property("Socket-Type", b"PAIR");
    let script = [
        server.welcome(&client),
        server.ready(&client, 1, &metadata),
        server.message(&client, 2, 0, b"hello"),
    ];
    [&[greeting(1, "CURVE")], script.get(..=commands).unwrap_or_default()].concat().concat()
}

/// How far the peer gets before the bytes turn arbitrary.
fn any_start() -> impl Strategy<Value = Vec<u8>> {
    let socket_type = (0..SocketType::ALL.len()).prop_map(|index| SocketType::ALL[index].name());
    prop_oneof![
        Just(vec![]),
        Just(b"\xff\0\0\0\0\0\0\0\x01\x7f".to_vec()),
        Just(b"\x01\0".to_vec()),
        (0u8..12)
            .prop_map(|number| [b"\xff\0\0\0\0\0\0\0\x01\x7f\x01", &[number, 0, 0][..]].concat()),
        Just(greeting(1, "NULL")),
        Just([greeting(1, "PLAIN"), command("HELLO", b"\x01u\x01p")].concat()),
        Just([greeting(1, "PLAIN"), command("WELCOME", b"")].concat()),
        Just([greeting(1, "CURVE"), curve::scripted_client().hello()].concat()),
        Just(curve_server_start(0)),
        Just(curve_server_start(1)),
        Just(curve_server_start(2)),
        (0u8..2, socket_type).prop_map(|(minor, theirs)| [
            greeting(minor, "NULL"),
            ready(theirs, &[])
        ]
        .concat()),
    ]
}

/// Bytes that are not quite arbitrary: frames, commands, and noise.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let names = [
        "READY",
        "ERROR",
        "PING",
        "PONG",
        "SUBSCRIBE",
        "CANCEL",
        "JOIN",
        "LEAVE",
        "X",
        "HELLO",
        "WELCOME",
        "INITIATE",
        "MESSAGE",
    ];
    let piece = prop_oneof![
        4 => (0u8..4, vec(any::<u8>(), 0..40)).prop_map(|(flags, body)| frame(flags, &body)),
        3 => (0..names.len(), vec(any::<u8>(), 0..20))
            .prop_map(move |(name, data)| command(names[name], &data)),
        2 => (any::<bool>(), vec(any::<u8>(), 0..300)).prop_map(|(more, body)| frame_v1(more, &body)),
        2 => (0u8..8, any::<u8>(), 90usize..120).prop_map(|(flags, first, length)| {
            frame(flags, &[&[first % 3][..], &vec![b'x'; length]].concat())
        }),
        1 => (any::<u8>(), any::<u64>())
            .prop_map(|(flags, length)| [&[flags][..], &length.to_be_bytes()].concat()),
        1 => vec(any::<u8>(), 0..80),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn nothing_panics_and_cuts_do_not_matter(
        config in any_config(),
        start in any_start(),
        bytes in any_bytes(),
        cuts in vec(1usize..50, 1..20),
        accept in any::<bool>(),
    ) {
        let now = Instant::now();
        let stream = [start, bytes].concat();
        let verdict = if accept {
            Verdict::Accept { user_id: None, properties: vec![] }
        } else {
            Verdict::Deny { status: 400 }
        };
        let [mut whole, mut cut] = [0; 2].map(|_| End::new(config.clone(), now));
        (whole.verdict, cut.verdict) = (Some(verdict.clone()), Some(verdict));
        whole.deliver(now, &stream);
        let (mut rest, mut sizes) = (&stream[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let size = sizes.next().copied().unwrap_or(1).min(rest.len());
            cut.deliver(now, &rest[..size]);
            rest = &rest[size..];
        }
        prop_assert_eq!(&whole.error, &cut.error);
        prop_assert_eq!(&whole.frames, &cut.frames);
        prop_assert_eq!(whole.messages, cut.messages);
        prop_assert_eq!(&whole.out, &cut.out);
        prop_assert_eq!(whole.subscriptions(), cut.subscriptions());
        prop_assert_eq!(whole.peer(), cut.peer());
        for end in [&mut whole, &mut cut] {
            for seconds in 1..70 {
                end.tick(now + Duration::from_secs(seconds));
            }
        }
    }

    /// What one end encodes for a peer of some version, an end that speaks this version decodes.
    #[test]
    fn messages_round_trip_in_every_version(
        start in 0usize..4,
        messages in vec(vec(vec(any::<u8>(), 0..300), 1..5), 0..6),
        chunk in 20usize..700,
    ) {
        let starts = [
            b"\x01\0".to_vec(),
            b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\0\0\0".to_vec(),
            [greeting(0, "NULL"), ready("PAIR", &[])].concat(),
            [greeting(1, "NULL"), ready("PAIR", &[])].concat(),
        ];
        let now = Instant::now();
        let [mut from, mut to] = [Role::Connecter, Role::Listener].map(|role| {
            let mut end = End::new(Config::new(SocketType::Pair, role), now);
            end.deliver(now, &starts[start]);
            end.out.clear();
            end
        });
        for message in &messages {
            from.send(&message.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
        for bytes in from.out.chunks(chunk) {
            to.deliver(now, bytes);
        }
        let frames = messages.iter().flat_map(|message| {
            let last = message.len() - 1;
            message.iter().enumerate().map(move |(index, body)| (index < last, body.clone()))
        });
        prop_assert_eq!(&to.frames, &frames.collect::<Vec<_>>());
        prop_assert_eq!((to.messages as usize, to.rest.len()), (messages.len(), 0));
    }

    #[test]
    fn pure_noise_does_not_panic(config in any_config(), bytes in vec(any::<u8>(), 0..600)) {
        let now = Instant::now();
        let mut end = End::new(config, now);
        end.deliver(now, &bytes);
        end.tick(now + Duration::from_secs(31));
    }
}
