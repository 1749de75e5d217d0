//! However a stream is cut into reads, the same comes out.

use std::time::Instant;

use zmtp::{Config, Event, Role, SocketType, Verdict};

use crate::outcome::{self, Outcome, outcome};
use crate::support::{Pair, command, frame, frame_v1, greeting, ready};

fn play(config: &Config, reads: &[&[u8]], now: Instant) -> Outcome {
    let verdict = Verdict::accept("u");
    outcome(&outcome::play(config, verdict, reads, now))
}

/// Plays a stream whole, in every two parts, and in equal chunks of many sizes.
fn check(config: &Config, stream: &[u8]) -> Outcome {
    let now = Instant::now();
    let whole = play(config, &[stream], now);
    for cut in 0..=stream.len() {
        let (a, b) = stream.split_at(cut);
        assert_eq!(play(config, &[a, b], now), whole, "cut after {cut}");
    }
    for size in [1, 2, 3, 5, 7, 8, 9, 10, 11, 63, 64, 65] {
        let reads: Vec<&[u8]> = stream.chunks(size).collect();
        assert_eq!(play(config, &reads, now), whole, "chunks of {size}");
    }
    whole
}

fn body() -> Vec<u8> {
    [
        frame(0, b"hello"),
        frame(1, b"\x01more"),
        command("PING", b"\0\0ctx"),
        frame(3, &[b'x'; 20]),
        frame(0, b""),
        command("SUBSCRIBE", b"topic"),
        frame(0, b"\x01old topic"),
        command("CANCEL", b"topic"),
        frame(2, &[b'y'; 300]),
        command("OTHER", b"thing"),
        command("PONG", b""),
        frame(1, b"unfinished"),
        b"\0\x09cut sho".to_vec(),
    ]
    .concat()
}

#[test]
fn streams_of_3_1_and_3_0() {
    for minor in [0, 1] {
        for (ours, theirs) in [
            (SocketType::Router, "DEALER"),
            (SocketType::XPub, "XSUB"),
            (SocketType::Pub, "SUB"),
            (SocketType::Sub, "PUB"),
        ] {
            for authenticate in [false, true] {
                for role in [Role::Connecter, Role::Listener] {
                    let config = Config { authenticate, ..Config::new(ours, role) };
                    let ready = ready(theirs, &[("Identity", b"id"), ("X-A", b"b")]);
                    let stream = [greeting(minor, "NULL"), ready, body()].concat();
                    let whole = check(&config, &stream);
                    assert_eq!((whole.error, whole.rest), (None, 9));
                    assert_eq!(whole.messages > 0, ours != SocketType::Pub);
                }
            }
        }
    }
}

#[test]
fn streams_of_2_0_and_1_0() {
    let v2 = [
        b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x05".to_vec(),
        frame(0, b"id"),
        frame(1, b"a"),
        frame(2, &[b'x'; 300]),
        frame(0, b""),
        b"\x01".to_vec(),
    ];
    let whole = check(&Config::new(SocketType::Router, Role::Listener), &v2.concat());
    assert_eq!((whole.messages, whole.rest, whole.error), (2, 1, None));
    for identity in [&b""[..], b"id", &[b'i'; 255]] {
        let v1 = [
            frame_v1(false, identity),
            frame_v1(true, b"a"),
            frame_v1(false, &[b'x'; 300]),
            vec![0],
            frame_v1(false, b""),
            b"\xff\0".to_vec(),
        ];
        let whole = check(&Config::new(SocketType::Router, Role::Listener), &v1.concat());
        assert_eq!((whole.messages, whole.rest, whole.error), (2, 2, None));
    }
}

/// Even what goes wrong goes wrong in the same way, and what came before is delivered.
#[test]
fn streams_that_end_in_an_error() {
    let config = Config::new(SocketType::Router, Role::Listener);
    let start = [greeting(1, "NULL"), ready("DEALER", &[]), body()[..9].to_vec()].concat();
    let start = &start[..start.len() - 2];
    for end in [frame(8, b""), command("PING", b"\0"), command("ERROR", b"\x02no"), vec![2, 255]] {
        let mut end = end;
        end.resize(end.len().max(9), 0xff);
        let whole = check(&config, &[start, &end].concat());
        assert_eq!(whole.frames, [(false, b"hello".to_vec())]);
        assert!(whole.error.is_some());
    }
    let wrong_type = [greeting(1, "NULL"), ready("PUSH", &[]), body()].concat();
    assert!(check(&config, &wrong_type).sent.ends_with(b"Incompatible socket type"));
    check(&config, b"GET / HTTP/1.1\r\n\r\n");
}

#[test]
fn pairs_talk_over_wires_of_every_grain() {
    for chunk in [1, 2, 3, 10, 11, 64, usize::MAX] {
        let mut pair = Pair::new(SocketType::XSub, SocketType::XPub);
        pair.chunk = chunk;
        pair.run();
        pair.a.subscribe(true, &[b't'; 300]);
        pair.a.send(&[b"up", &[3; 500]]);
        pair.b.send(&[b"down"]);
        pair.run();
        assert_eq!(pair.b.subscriptions(), [Event::Subscribe(vec![b't'; 300])]);
        assert_eq!(pair.b.frames, [(true, b"up".to_vec()), (false, vec![3; 500])]);
        assert_eq!(pair.a.frames, [(false, b"down".to_vec())]);
    }
}

/// A connection may die after any byte: what was handed out by then is a beginning of the stream, and
/// only whole messages count.
#[test]
fn a_stream_cut_after_any_byte_hands_out_whole_frames_only() {
    let now = Instant::now();
    let v1 = [b"\x01\0".to_vec(), frame_v1(true, b"a"), frame_v1(false, &[b'x'; 300])].concat();
    let v3 = [greeting(1, "NULL"), ready("DEALER", &[]), body()].concat();
    let config = Config::new(SocketType::Router, Role::Listener);
    for stream in [v1, v3] {
        let whole = play(&config, &[&stream], now);
        let mut seen = 0;
        for cut in 0..=stream.len() {
            let part = play(&config, &[&stream[..cut]], now);
            assert!(whole.frames.starts_with(&part.frames) && part.frames.len() >= seen);
            let last_frames = part.frames.iter().filter(|(more, _)| !more).count();
            assert_eq!((part.messages as usize, part.error), (last_frames, None));
            seen = part.frames.len();
        }
        assert_eq!(seen, whole.frames.len());
    }
}
