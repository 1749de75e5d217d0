//! Messages and commands after the handshake.

use zmtp::{Config, Error, Event, FrameHeader, Misuse, Role, SocketType, Traffic, Violation};

use crate::support::{Pair, Script, command, frame, greeting, ready};

fn pull() -> Config {
    Config::new(SocketType::Pull, Role::Listener)
}

fn publisher(socket_type: SocketType) -> Script {
    Script::ready(Config::new(socket_type, Role::Listener), 1, "SUB")
}

#[test]
fn messages_flow_both_ways() {
    let mut pair = Pair::new(SocketType::Dealer, SocketType::Router);
    pair.run();
    pair.a.send(&[b"", b"hello", &[9; 70_000]]);
    pair.b.send(&[b"world"]);
    pair.run();
    assert_eq!(
        pair.b.frames,
        [(true, vec![]), (true, b"hello".to_vec()), (false, vec![9; 70_000])]
    );
    assert_eq!(pair.a.frames, [(false, b"world".to_vec())]);
}

#[test]
fn commands_between_the_frames_of_a_message_are_carried_out() {
    let mut script = Script::ready(pull(), 1, "PUSH");
    script.send(&[frame(1, b"a"), command("PING", b"\0\0ctx"), frame(0, b"b")].concat());
    script.expect(b"\x04\x08\x04PONGctx");
    assert_eq!(script.end.frames, [(true, b"a".to_vec()), (false, b"b".to_vec())]);
    assert_eq!(script.end.messages, 1);
}

#[test]
fn unknown_commands_are_ignored_and_commands_alone_are_no_traffic() {
    let mut script = Script::ready(pull(), 1, "PUSH");
    let mut bytes =
        [command("NEWER", b"data"), command("SUBSCRIBE", b"t"), command("JOIN", b"g")].concat();
    let progress = script.end.connection.handle_read(script.now, &mut bytes).unwrap();
    assert_eq!((progress.consumed, progress.traffic), (bytes.len(), Traffic::None));
    assert_eq!(script.end.connection.poll_event(), None);
}

#[test]
fn commands_that_have_no_place_in_traffic_end_it() {
    for (bytes, violation) in [
        (command("READY", b""), Violation::UnexpectedCommand),
        (frame(4, b"\x09PING"), Violation::MalformedCommand),
        (command("PONG", &[0; 17]), Violation::MalformedHeartbeat),
        (command("LEAVE", &[b'g'; 256]), Violation::GroupTooLong),
        (frame(5, b"\x04PONG"), Violation::CommandWithMore),
        (frame(0x80, b""), Violation::ReservedFlags(0x80)),
    ] {
        let mut script = Script::ready(pull(), 1, "PUSH");
        script.send(&bytes);
        assert_eq!(script.expect_closed(), &Error::Misbehaved(violation));
    }
}

/// What stands before a violation was sent by a peer that kept the protocol so far.
#[test]
fn messages_before_a_violation_are_delivered() {
    let mut script = Script::ready(pull(), 1, "PUSH");
    script.send(&[frame(0, b"a"), frame(1, b"b"), frame(8, b"c"), frame(0, b"d")].concat());
    assert_eq!(script.end.frames, [(false, b"a".to_vec()), (true, b"b".to_vec())]);
    assert_eq!(script.end.messages, 1);
    assert_eq!(script.end.error, Some(Error::Misbehaved(Violation::ReservedFlags(8))));
}

#[test]
fn pongs_are_one_event_per_poll() {
    let mut script = Script::ready(pull(), 1, "PUSH");
    script.end.events.clear();
    script.send(&[command("PONG", b""), command("PONG", b"x")].concat());
    assert_eq!(script.end.events, [Event::Pong]);
}

#[test]
fn subscriptions_come_in_either_form() {
    for socket_type in [SocketType::Pub, SocketType::XPub] {
        let mut script = publisher(socket_type);
        script.send(
            &[
                command("SUBSCRIBE", b"a"),
                frame(0, b"\x01b"),
                command("CANCEL", b"a"),
                frame(2, b"\0b"),
                frame(0, b"\x01"),
            ]
            .concat(),
        );
        assert_eq!(
            script.end.subscriptions(),
            [
                Event::Subscribe(b"a".to_vec()),
                Event::Subscribe(b"b".to_vec()),
                Event::Cancel(b"a".to_vec()),
                Event::Cancel(b"b".to_vec()),
                Event::Subscribe(vec![]),
            ]
        );
        assert_eq!(script.end.frames, []);
    }
}

#[test]
fn an_xpub_hands_other_messages_up_and_a_pub_drops_them() {
    let bytes = [
        frame(0, b"user"),
        frame(1, b"of two"),
        frame(0, b"parts"),
        frame(0, b""),
        frame(0, b"\x01c"),
        frame(0, b"\x02"),
        command("CANCEL", b"c"),
    ];
    let expected = [Event::Subscribe(b"c".to_vec()), Event::Cancel(b"c".to_vec())];
    let mut script = publisher(SocketType::XPub);
    script.send(&bytes.concat());
    assert_eq!(script.end.subscriptions(), expected);
    assert_eq!(script.end.positions, [3, 4], "in order with the messages");
    assert_eq!(
        script.end.frames,
        [
            (false, b"user".to_vec()),
            (true, b"of two".to_vec()),
            (false, b"parts".to_vec()),
            (false, vec![]),
            (false, b"\x02".to_vec()),
        ]
    );
    assert_eq!(script.end.messages, 4);

    let mut script = publisher(SocketType::Pub);
    script.send(&bytes.concat());
    assert_eq!(script.end.subscriptions(), expected);
    assert_eq!((script.end.frames.len(), script.end.messages), (0, 0));
}

/// libzmq 4.3.4 sends an XSUB's messages of several parts as they are, and this is what its XPUB makes of them.
#[test]
fn parts_that_are_subscriptions_are_taken_out_at_the_front_and_reported_further_behind() {
    let bytes = [
        frame(1, b"\x01a"),
        frame(1, b"\0b"),
        frame(1, b"data"),
        frame(1, b"\x01c"),
        frame(0, b"\0d"),
        frame(1, b"\x01e"),
        frame(0, b"\x01f"),
    ];
    let mut script = publisher(SocketType::XPub);
    script.send(&bytes.concat());
    let subscribe = |topic: &[u8]| Event::Subscribe(topic.to_vec());
    assert_eq!(
        script.end.events[1..],
        [
            subscribe(b"a"),
            Event::Cancel(b"b".to_vec()),
            Event::Within(b"c".to_vec(), true),
            Event::Within(b"d".to_vec(), false),
            subscribe(b"e"),
            subscribe(b"f"),
        ]
    );
    assert_eq!(
        script.end.frames,
        [(true, b"data".to_vec()), (true, b"\x01c".to_vec()), (false, b"\0d".to_vec())]
    );
    assert_eq!((script.end.messages, &script.end.positions[..]), (1, &[0, 0, 1, 1][..]));
}

#[test]
fn a_subscription_is_no_event_for_other_sockets() {
    let mut script = Script::ready(pull(), 1, "PUSH");
    script.send(&[frame(0, b"\x01a"), command("SUBSCRIBE", b"b")].concat());
    assert_eq!(script.end.subscriptions(), []);
    assert_eq!(script.end.frames, [(false, b"\x01a".to_vec())]);
}

#[test]
fn topics_are_limited_before_they_are_complete() {
    let violation = |length| Error::Misbehaved(Violation::TopicTooLong { length, limit: 100 });
    let mut config = Config::new(SocketType::XPub, Role::Listener);
    config.limits.topic = 100;
    let mut script = Script::ready(config.clone(), 1, "SUB");
    script.send(&command("SUBSCRIBE", &[b't'; 100])).send(&frame(0, &[1; 101]));
    assert_eq!((script.end.subscriptions().len(), &script.end.error), (2, &None));
    script.send(&command("SUBSCRIBE", &[b't'; 101]));
    assert_eq!(script.expect_closed(), &violation(101));

    let mut script = Script::ready(config, 1, "SUB");
    script.send(b"\0\xf0x");
    assert_eq!(script.end.error, None, "a message of an XPUB is no topic");
    script.send(&[b'x'; 239]).send(b"\0\xf0\x01");
    assert_eq!(script.end.error, Some(violation(239)));
}

/// A PUB drops what is no subscription, but only once it is complete.
#[test]
fn a_pub_is_sent_nothing_longer_than_a_subscription() {
    let mut config = Config::new(SocketType::Pub, Role::Listener);
    config.limits.topic = 100;
    let mut script = Script::ready(config.clone(), 1, "SUB");
    script.send(&frame(0, &[b'x'; 101])).send(&frame(0, &[1; 101]));
    assert_eq!((&script.end.error, script.end.subscriptions().len()), (&None, 1));
    for flags in [0, 1] {
        let mut script = Script::ready(config.clone(), 1, "SUB");
        script.send(&[flags, 102]);
        let violation = Violation::MessageTooLarge { length: 102, limit: 101 };
        assert_eq!(script.expect_closed(), &Error::Misbehaved(violation));
    }
}

#[test]
fn the_limit_on_messages_is_exact_and_for_each_frame() {
    for limit in [0, 10, 255, 256, 1000] {
        let mut config = pull();
        config.max_message_size = Some(limit);
        let mut script = Script::ready(config.clone(), 1, "PUSH");
        let body = vec![b'x'; limit as usize];
        script.send(&[frame(3, &body), frame(2, &body), command("PING", b"\0\0longer")].concat());
        assert_eq!((script.end.messages, &script.end.error), (1, &None));

        let length = limit + 1;
        let header = [&[2][..], &length.to_be_bytes()].concat();
        script.send(&header);
        let violation = Violation::MessageTooLarge { length, limit };
        assert_eq!(script.end.error, Some(Error::Misbehaved(violation)));
        if let Ok(length) = u8::try_from(length) {
            let mut script = Script::ready(config, 1, "PUSH");
            script.send(&frame(0, &vec![b'x'; length.into()]));
            assert_eq!(script.expect_closed(), &Error::Misbehaved(violation));
        }
    }
}

#[test]
fn the_limit_on_frames_is_exact() {
    let mut config = pull();
    config.limits.frames_per_message = 3;
    let whole = [frame(1, b"a"), frame(1, b"b"), frame(0, b"c")].concat();
    let mut script = Script::ready(config.clone(), 1, "PUSH");
    script.send(&whole).send(&whole);
    assert_eq!((script.end.messages, &script.end.error), (2, &None));
    script.send(&[frame(1, b"a"), frame(1, b"b"), frame(1, b"c"), frame(0, b"d")].concat());
    assert_eq!(script.end.error, Some(Error::Misbehaved(Violation::TooManyFrames(3))));
    assert_eq!(script.end.messages, 2);
}

#[test]
fn a_large_body_may_be_read_into_place() {
    let mut config = pull();
    config.limits.frames_per_message = 3;
    let mut script = Script::ready(config, 1, "PUSH");
    let large = frame(3, &[7; 100_000]);
    script.send(&frame(1, b"first")).send(&large[..5000]);
    let header = FrameHeader { more: true, command: false, body_len: 100_000, header_len: 9 };
    assert_eq!(script.end.partial, Some(header));
    let connection = &mut script.end.connection;
    connection.handle_body_part();
    assert_eq!(connection.handle_large_body(script.now, header), Ok(0));
    script.end.rest.clear();
    let last = FrameHeader { more: false, ..header };
    assert_eq!(script.end.connection.handle_large_body(script.now, last), Ok(1));
    // The message is over: three more frames fit.
    script.send(&[frame(1, b"a"), frame(1, b"b")].concat());
    assert_eq!(script.end.connection.handle_large_body(script.now, header), Ok(0));
    let error = script.end.connection.handle_large_body(script.now, header);
    assert_eq!(error, Err(Error::Misbehaved(Violation::TooManyFrames(3))));
}

#[test]
fn a_partial_frame_is_offered_only_where_the_wire_is_canonical() {
    let start = [2, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2];
    for (ours, theirs, offered) in [
        (SocketType::Pull, "PUSH", true),
        (SocketType::Sub, "PUB", true),
        (SocketType::XPub, "SUB", false),
    ] {
        let mut script = Script::ready(Config::new(ours, Role::Listener), 1, theirs);
        script.send(&start[..8]);
        assert_eq!(script.end.partial, None, "the header is not complete");
        script.send(&start[8..]);
        assert_eq!(script.end.partial.is_some(), offered);
    }
    let mut script = Script::ready(pull(), 1, "PUSH");
    script.send(&command("PING", b"\0\0")[..5]);
    assert_eq!(script.end.partial, None, "commands are not read into place");
}

#[test]
fn a_large_body_out_of_turn_is_misuse() {
    let header = FrameHeader { more: false, command: false, body_len: 9, header_len: 2 };
    let expected = Err(Error::Misuse(Misuse::UnexpectedBody));
    let mut script = Script::with(pull());
    assert_eq!(script.end.connection.handle_large_body(script.now, header), expected);
    let mut script = publisher(SocketType::Pub);
    assert_eq!(script.end.connection.handle_large_body(script.now, header), expected);
    let mut script = Script::ready(pull(), 1, "PUSH");
    let header = FrameHeader { command: true, ..header };
    assert_eq!(script.end.connection.handle_large_body(script.now, header), expected);
}

/// Whoever decodes lazily, on another thread than reads, needs this.
#[test]
fn connections_and_encoders_can_be_sent_to_other_threads() {
    fn sendable<T: Send>(_: &T) {}
    let mut script = Script::ready(pull(), 1, "PUSH");
    sendable(&script.end.connection);
    sendable(&script.end.connection.take_encoder());
    sendable(&script.end.events);
}

#[test]
fn only_1_0_needs_encoding_and_no_old_peer_is_sent_commands() {
    let command = FrameHeader { more: false, command: true, body_len: 2, header_len: 2 };
    for (start, verbatim, sent) in [
        (&b"\x01\0"[..], false, &b""[..]),
        (b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08\0\0", true, b""),
        (&[greeting(0, "NULL"), ready("PUSH", &[])].concat(), true, b"\x04\x02\x01X"),
    ] {
        let mut script = Script::with(pull());
        script.send(start);
        let mut encoder = script.end.connection.take_encoder().unwrap();
        assert_eq!(encoder.is_verbatim(), verbatim);
        let mut out = Vec::new();
        encoder.encode(command, b"\x01X", &mut out).unwrap();
        assert_eq!(out, sent);
    }
}
