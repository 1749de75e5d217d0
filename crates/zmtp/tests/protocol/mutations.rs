//! Two ends, and a wire on which somebody alters, drops, repeats and reorders what they say.

use std::time::Instant;

use proptest::collection::vec;
use proptest::prelude::*;
use zmtp::{Config, MechanismConfig, PlainClientConfig, Role, SocketType, Verdict};

use crate::curve_peers as curve;
use crate::support::{End, Frame};
use crate::tamper::{Fate, Way};

fn any_fate() -> impl Strategy<Value = Fate> {
    let index = any::<usize>;
    prop_oneof![
        4 => (index(), 1u8..).prop_map(|(at, mask)| Fate::Alter(at, mask)),
        1 => index().prop_map(Fate::Cut),
        1 => Just(Fate::Drop),
        1 => Just(Fate::Twice),
        1 => Just(Fate::Later),
        1 => (index(), vec(any::<u8>(), 1..40)).prop_map(|(at, bytes)| Fate::Insert(at, bytes)),
    ]
}

/// Lets two ends talk; each piece of either, by its number, may have a fate.
fn talk(a: Config, b: Config, fates: &[(u8, Fate)]) -> [End; 2] {
    let now = Instant::now();
    let mut ends = [End::new(a, now), End::new(b, now)];
    for end in &mut ends {
        end.verdict = Some(Verdict::Accept { user_id: None, properties: vec![] });
    }
    let mut ways = [Way::default(), Way::default()];
    let (mut piece, mut sent) = (0u8, [0; 2]);
    for _ in 0..30 {
        for side in 0..2 {
            let [one, other] = &mut ends;
            let (from, to) = if side == 0 { (one, other) } else { (other, one) };
            if from.connection.is_ready() && sent[side] < MESSAGES {
                from.send(&[&message(sent[side])]);
                sent[side] += 1;
            }
            let bytes = std::mem::take(&mut from.out);
            if bytes.is_empty() {
                continue;
            }
            let fate = fates.iter().find(|(number, _)| *number == piece).map(|(_, fate)| fate);
            let bytes = ways[side].carry(bytes, fate);
            to.deliver(now, &bytes);
            piece = piece.saturating_add(1);
        }
    }
    ends
}

const MESSAGES: u8 = 6;

fn message(number: u8) -> Vec<u8> {
    vec![number; usize::from(number) * 40]
}

/// What was received is what was sent, in order, with gaps at most.
fn is_genuine(frames: &[Frame]) -> bool {
    let numbers: Vec<u8> = (0..MESSAGES)
        .filter(|number| frames.iter().any(|(_, body)| *body == message(*number)))
        .collect();
    let expected = numbers.iter().map(|number| (false, message(*number)));
    expected.eq(frames.iter().cloned())
}

#[test]
fn without_a_fate_everything_arrives() {
    let a = curve::client(SocketType::Pair, Role::Connecter);
    let ends = talk(a, curve::server(SocketType::Pair, Role::Listener), &[]);
    for end in ends {
        assert_eq!((end.frames.len(), end.error), (usize::from(MESSAGES), None));
        assert!(is_genuine(&end.frames));
    }
}

/// Each byte of each command of the handshake.
#[test]
fn no_byte_of_the_handshake_of_curve_can_be_altered() {
    for piece in 0..4 {
        for at in (0..1000).step_by(2) {
            let a = curve::client(SocketType::Pair, Role::Connecter);
            let b = curve::server(SocketType::Pair, Role::Listener);
            let (ends, altered) = talk_altering(a, b, piece, at);
            if !altered {
                break;
            }
            let received: usize = ends.iter().map(|end| end.frames.len()).sum();
            assert_eq!(received, 0, "byte {at} of command {piece}");
        }
    }
}

/// Alters one byte of one piece that holds a command of the handshake; whether there was such a byte.
fn talk_altering(a: Config, b: Config, piece: usize, at: usize) -> ([End; 2], bool) {
    let now = Instant::now();
    let mut ends = [End::new(a, now), End::new(b, now)];
    let (mut number, mut altered) = (0, false);
    for _ in 0..8 {
        for side in 0..2 {
            let [one, other] = &mut ends;
            let (from, to) = if side == 0 { (one, other) } else { (other, one) };
            let mut bytes = std::mem::take(&mut from.out);
            let commands = [&b"\x05HELLO"[..], b"\x07WELCOME", b"\x08INITIATE", b"\x05READY"];
            let start = commands
                .iter()
                .find_map(|name| bytes.windows(name.len()).position(|window| window == *name));
            if let Some(start) = start {
                if number == piece && start + at < bytes.len() {
                    bytes[start + at] ^= 1 << (at % 8);
                    altered = true;
                }
                number += 1;
            }
            to.deliver(now, &bytes);
        }
    }
    for side in 0..2 {
        let [one, other] = &mut ends;
        let (from, to) = if side == 0 { (one, other) } else { (other, one) };
        if from.connection.is_ready() {
            from.send(&[b"hello"]);
            let bytes = std::mem::take(&mut from.out);
            to.deliver(now, &bytes);
        }
    }
    (ends, altered)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn through_curve_comes_nothing_that_was_not_sent(fates in vec((0u8..25, any_fate()), 1..4)) {
        let a = curve::client(SocketType::Pair, Role::Connecter);
        let b = curve::server(SocketType::Pair, Role::Listener);
        for end in talk(a, b, &fates) {
            prop_assert!(is_genuine(&end.frames), "{:?}", end.frames);
        }
    }

    #[test]
    fn plain_survives_anything(fates in vec((0u8..25, any_fate()), 1..4)) {
        let plain = MechanismConfig::PlainClient(PlainClientConfig::new("user", "password"));
        let a = Config { mechanism: plain, ..Config::new(SocketType::Pair, Role::Connecter) };
        let mechanism = MechanismConfig::PlainServer;
        let b = Config { mechanism, ..Config::new(SocketType::Pair, Role::Listener) };
        for end in talk(a, b, &fates) {
            prop_assert!(end.error.is_none() || end.connection.poll_timeout().is_none());
        }
    }
}
