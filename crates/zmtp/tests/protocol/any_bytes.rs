//! Any bytes, in any state and role: no panic, and the same outcome however they are cut.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use zmtp::{Config, Role, SocketType};

use crate::choices::{MECHANISMS, STARTS, a_verdict, config};
use crate::outcome::{in_reads, outcome, play};
use crate::support::{End, command, frame, frame_v1, greeting, ready};

fn any_config() -> impl Strategy<Value = Config> {
    let mechanism = prop_oneof![3 => Just(0), 4 => 1..MECHANISMS.len()];
    (mechanism, any::<[u8; 4]>()).prop_map(|(number, choice)| config(&MECHANISMS[number], choice))
}

/// How far the peer gets before the bytes turn arbitrary.
fn any_start() -> impl Strategy<Value = Vec<u8>> {
    (0..STARTS.len()).prop_map(|number| STARTS[number].clone())
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
        verdict in any::<u8>(),
    ) {
        let now = Instant::now();
        let stream = [start, bytes].concat();
        let mut whole = play(&config, a_verdict(verdict), &[&stream], now);
        let mut cut = play(&config, a_verdict(verdict), &in_reads(&stream, &cuts), now);
        prop_assert_eq!(outcome(&whole), outcome(&cut));
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
