//! What has gone wrong in the field, in this library's forebears or in others. Each test is named after
//! what must happen here.

use std::time::Duration;

use zmtp::{Config, Error, Event, Incompatibility, Role, SocketType, Timeout, Version, Violation};

use crate::support::{Script, command, frame, frame_v1, greeting, property, ready};

fn pull() -> Config {
    Config::new(SocketType::Pull, Role::Listener)
}

/// CVE-2014-7202 and CVE-2014-9721: an old greeting went around the security of the socket.
#[test]
fn an_old_greeting_is_no_way_around_authentication() {
    let unversioned = [frame_v1(false, b"id"), frame_v1(false, b"payload")].concat();
    let long_identity = [frame_v1(false, &[b'i'; 254]), frame_v1(false, b"payload")].concat();
    let revision_0 = [&b"\xff\0\0\0\0\0\0\0\x01\x7f\0\x08"[..], b"\x01\0\x02\0x"].concat();
    let revision_1 = [&b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08"[..], b"\0\0\0\x01x"].concat();
    for (bytes, version) in [
        (unversioned, Version::V1_0),
        (long_identity, Version::V1_0),
        (revision_0, Version::V1_0),
        (revision_1, Version::V2_0),
    ] {
        let mut script = Script::with(Config { authenticate: true, ..pull() });
        script.send(&bytes);
        let expected = Error::Incompatible(Incompatibility::Downgrade(version));
        assert_eq!(script.expect_closed(), &expected);
        assert_eq!(script.end.events, []);

        let mut open = Script::with(pull());
        open.send(&bytes);
        assert_eq!(open.end.messages, 1, "the same bytes are fine without authentication");
    }
}

/// CVE-2019-6250: lengths near the end of the range wrapped.
#[test]
fn enormous_lengths_neither_wrap_nor_allocate() {
    for socket_type in [SocketType::Pull, SocketType::XPub] {
        let peer = if socket_type == SocketType::Pull { "PUSH" } else { "SUB" };
        for length in [1 << 63, u64::MAX, u64::MAX - 1, u64::MAX - 8, u64::MAX - 9] {
            for flags in [2, 3, 6] {
                let mut script = Script::ready(Config::new(socket_type, Role::Listener), 1, peer);
                script.send(&[&[flags][..], &u64::to_be_bytes(length)].concat());
                let violation = Violation::LengthOutOfRange(length);
                assert_eq!(script.expect_closed(), &Error::Misbehaved(violation));
            }
        }
        for length in [1 << 62, (1 << 63) - 1, (1 << 63) - 9] {
            let mut script = Script::ready(Config::new(socket_type, Role::Listener), 1, peer);
            script.send(&[&[2][..], &u64::to_be_bytes(length), b"some bytes"].concat());
            assert_eq!((&script.end.error, script.end.rest.len()), (&None, 19));
        }
    }
}

#[test]
fn enormous_lengths_of_1_0_neither_wrap_nor_allocate() {
    for length in [0, (1 << 63) + 1, u64::MAX] {
        let mut script = Script::with(pull());
        script.send(b"\x01\0").send(&[&[0xff][..], &u64::to_be_bytes(length), &[0]].concat());
        assert_eq!(script.expect_closed(), &Error::Misbehaved(Violation::LengthOutOfRange(length)));
    }
    let mut script = Script::with(Config { max_message_size: Some(3), ..pull() });
    script.send(b"\x01\0\x04\0abc").send(b"\x05");
    assert_eq!(script.end.messages, 1);
    script.send(b"\0");
    let violation = Violation::MessageTooLarge { length: 4, limit: 3 };
    assert_eq!(script.end.error, Some(Error::Misbehaved(violation)));
}

/// CVE-2019-13132 and 60 MB of READY: metadata from anybody must have a bound.
#[test]
fn a_handshake_command_is_bounded_at_its_header() {
    let limit = 64 * 1024;
    for (length, closed) in [(limit, false), (limit + 1, true), (60 << 20, true)] {
        let mut script = Script::with(pull());
        script.send(&greeting(1, "NULL")).send(&[&[6][..], &u64::to_be_bytes(length)].concat());
        let violation = Violation::CommandTooLarge { length, limit };
        assert_eq!(script.end.error, closed.then_some(Error::Misbehaved(violation)));
    }
}

#[test]
fn the_number_of_properties_is_bounded() {
    let mut data = property("Socket-Type", b"PUSH");
    for _ in 0..300 {
        data.extend(property("X", b""));
    }
    let mut script = Script::with(pull());
    script.send(&greeting(1, "NULL")).send(&command("READY", &data));
    let violation = Violation::TooManyProperties(256);
    assert_eq!(script.expect_closed(), &Error::Misbehaved(violation));
}

/// CVE-2020-15166: peers that say nothing, or next to nothing, stayed for ever.
#[test]
fn silent_and_dripping_peers_leave_when_the_handshake_time_is_up() {
    let config = Config { handshake_timeout: Some(Duration::from_secs(30)), ..pull() };
    for start in [&b""[..], b"\xff", &greeting(1, "NULL"), &ready("PUSH", &[])[..3]] {
        let mut script = Script::with(config.clone());
        script.send(start).advance(Duration::from_millis(29_999));
        if start.len() != 3 {
            assert_eq!(script.end.error, None);
            script.advance(Duration::from_millis(1));
            assert_eq!(script.expect_closed(), &Error::TimedOut(Timeout::Handshake));
        }
    }
    // One byte a second: 64 bytes of greeting would take a minute.
    let mut script = Script::with(config);
    for byte in greeting(1, "NULL") {
        script.now += Duration::from_secs(1);
        script.send(&[byte]);
    }
    assert_eq!(script.expect_closed(), &Error::TimedOut(Timeout::Handshake));
    assert!(!script.expect_closed().is_final());
}

/// CVE-2021-20236: a topic of 100 kB was one level of recursion per byte.
#[test]
fn a_topic_of_100_kb_is_a_topic_like_any_other() {
    let topic = vec![b't'; 100_000];
    let mut script = Script::ready(Config::new(SocketType::Pub, Role::Listener), 1, "SUB");
    script.send(&command("SUBSCRIBE", &topic)).send(&command("CANCEL", &topic));
    script.send(&frame(2, &[&[1], &topic[..]].concat()));
    let expected =
        [Event::Subscribe(topic.clone()), Event::Cancel(topic.clone()), Event::Subscribe(topic)];
    assert_eq!(script.end.subscriptions(), expected);
}

/// GHSA-fc3w: the second large frame of a 1.0 peer overflowed the read buffer.
#[test]
fn large_frames_of_a_1_0_peer_are_delivered() {
    let mut script = Script::with(pull());
    script.send(b"\x01\0");
    let bytes = [frame_v1(true, &[1; 20_000]), frame_v1(false, &[2; 30_000])].concat();
    for chunk in bytes.chunks(8192) {
        script.send(chunk);
    }
    assert_eq!(script.end.frames, [(true, vec![1; 20_000]), (false, vec![2; 30_000])]);
}

/// GHSA-wfr2: what is known to be whole is what counts when the connection dies.
#[test]
fn frames_of_an_unfinished_message_are_told_apart() {
    let mut script = Script::ready(pull(), 1, "PUSH");
    let mut bytes = [frame(0, b"whole"), frame(1, b"never"), frame(1, b"finished")].concat();
    let progress = script.end.connection.handle_read(script.now, &mut bytes).unwrap();
    assert_eq!((progress.messages, progress.whole), (1, 7));
}

/// GHSA-4p5v: messages sent to a PUB were kept for ever.
#[test]
fn messages_to_a_pub_are_dropped() {
    let mut script = Script::ready(Config::new(SocketType::Pub, Role::Listener), 1, "XSUB");
    script.send(&[frame(1, b"x"), frame(0, b"y"), frame(0, b"z")].concat());
    assert_eq!((script.end.frames.len(), script.end.rest.len()), (0, 0));
    assert_eq!(script.end.error, None);
}

#[test]
fn a_ping_shorter_than_its_fields_or_longer_than_allowed_is_a_protocol_error() {
    for data in [&b""[..], b"\0", &[0; 19]] {
        let mut script = Script::ready(pull(), 1, "PUSH");
        script.send(&command("PING", data));
        assert_eq!(script.expect_closed(), &Error::Misbehaved(Violation::MalformedHeartbeat));
    }
}

#[test]
fn the_longest_ttl_does_not_overflow() {
    let mut script = Script::ready(pull(), 1, "PUSH");
    script.send(&command("PING", b"\xff\xff"));
    script.advance(Duration::from_millis(6_553_499));
    assert_eq!(script.end.error, None);
    script.advance(Duration::from_millis(1));
    assert_eq!(script.end.error, Some(Error::TimedOut(Timeout::PeerTtl)));
}

#[test]
fn a_group_above_255_bytes_is_a_protocol_error() {
    let mut script = Script::ready(pull(), 1, "PUSH");
    script.send(&command("JOIN", &[b'g'; 255]));
    assert_eq!(script.end.error, None);
    script.send(&command("JOIN", &[b'g'; 256]));
    assert_eq!(script.expect_closed(), &Error::Misbehaved(Violation::GroupTooLong));
}

#[test]
fn a_small_limit_on_messages_does_not_break_the_handshake() {
    let mut script = Script::ready(Config { max_message_size: Some(0), ..pull() }, 1, "PUSH");
    script.send(&command("PING", b"\0\0"));
    assert_eq!(script.end.error, None);
    script.send(b"\0\x01x");
    assert!(script.end.error.is_some());
}

#[test]
fn whoever_does_not_speak_zmtp_is_closed_and_nothing_is_delivered() {
    let http = b"GET / HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n".repeat(10);
    let talkers: &[&[u8]] = &[
        &http,
        b"POST /x HTTP/1.0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"EHLO example.org\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
        b"\0\0\0\x85\xffSMBr\0\0\0\0",
        b"\r\n\r\n",
        b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0",
        &[0; 100],
        &[0x80; 100],
    ];
    for bytes in talkers {
        for role in [Role::Listener, Role::Connecter] {
            let mut script = Script::new(SocketType::Pull, role);
            script.end.out.clear();
            script.send(bytes);
            script.expect(b"");
            let error = script.expect_closed();
            assert!(matches!(error, Error::Misbehaved(_)), "{}", bytes.escape_ascii());
            assert_eq!(script.end.peer(), None);
        }
    }
}

#[test]
fn a_flood_of_pings_is_not_answered_one_for_one() {
    let mut script = Script::ready(pull(), 1, "PUSH");
    script.send(&command("PING", b"\0\0").repeat(100_000));
    assert_eq!(script.end.error, None);
    assert!((1..=5000).contains(&script.end.out.len()));
}

#[test]
fn an_endless_multipart_message_is_closed_at_the_limit() {
    let mut script = Script::ready(pull(), 1, "PUSH");
    script.send(&frame(1, b"").repeat(65_536));
    assert_eq!(script.end.error, None);
    script.send(&frame(1, b""));
    assert_eq!(script.end.error, Some(Error::Misbehaved(Violation::TooManyFrames(65_536))));
    assert_eq!(script.end.messages, 0);
}

/// Seen from libzmq 4.3.4: SUBSCRIBE and CANCEL whose topic has at most 255 bytes but whose body has more
/// come with a long length and without the LONG flag.
#[test]
fn subscriptions_that_libzmq_misflags_are_understood() {
    let config = Config::new(SocketType::XPub, Role::Listener);
    let misflagged = |name: &str, topic: &[u8]| {
        let mut bytes = command(name, topic);
        assert_eq!(bytes[0], 6);
        bytes[0] = 4;
        bytes
    };
    let topic = [b't'; 250];
    let stream = [misflagged("SUBSCRIBE", &topic), misflagged("CANCEL", &topic), frame(0, b"x")];
    for chunk in [1, 2, 5, 9, 10, 1000] {
        let mut script = Script::ready(config.clone(), 1, "SUB");
        for bytes in stream.concat().chunks(chunk) {
            script.send(bytes);
        }
        let expected = [Event::Subscribe(topic.to_vec()), Event::Cancel(topic.to_vec())];
        assert_eq!(script.end.subscriptions(), expected);
        assert_eq!((script.end.messages, &script.end.error), (1, &None));
    }
    // An empty command is still none, and other sockets get no such commands.
    for (config, theirs, bytes) in
        [(config, "SUB", &b"\x04\0\0\x05hello"[..]), (pull(), "PUSH", b"\x04\0")]
    {
        let mut script = Script::ready(config, 1, theirs);
        script.send(bytes);
        assert_eq!(script.expect_closed(), &Error::Misbehaved(Violation::MalformedCommand));
    }
}
