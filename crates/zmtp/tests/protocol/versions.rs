//! Peers of every version (RFC 37, "Backwards Interoperability").

use zmtp::{Config, Error, Event, Incompatibility, Role, SocketType, Traffic, Version};

use crate::support::{Script, command, frame, frame_v1, greeting, ready};

fn dealer() -> Config {
    let mut config = Config::new(SocketType::Dealer, Role::Connecter);
    config.routing_id = b"me".to_vec();
    config
}

#[test]
fn a_1_0_peer_takes_our_signature_for_its_identity_frame() {
    let mut script = Script::with(dealer());
    script.expect(b"\xff\0\0\0\0\0\0\0\x03\x7f");
    script.send(&frame_v1(false, b"you")).expect(b"me");
    let peer = script.end.peer().expect("ready");
    assert_eq!((peer.version, peer.socket_type), (Version::V1_0, None));
    assert_eq!(peer.routing_id, b"you");
    script.send(&[frame_v1(true, b""), frame_v1(false, &[7; 254])].concat());
    assert_eq!(script.end.frames, [(true, vec![]), (false, vec![7; 254])]);
    assert_eq!(script.end.messages, 1);
    script.end.send(&[b"", &[1; 253], &[2; 254]]);
    script.expect(
        &[frame_v1(true, b""), frame_v1(true, &[1; 253]), frame_v1(false, &[2; 254])].concat(),
    );
}

#[test]
fn an_anonymous_1_0_peer_and_a_long_identity() {
    let mut script = Script::new(SocketType::Pull, Role::Listener);
    script.send(b"\x01\0\x02\0x");
    assert_eq!(script.end.peer().map(|peer| peer.routing_id.len()), Some(0));
    assert_eq!(script.end.frames, [(false, b"x".to_vec())]);

    let mut script = Script::new(SocketType::Pull, Role::Listener);
    script.send(&frame_v1(false, &[b'i'; 255]));
    assert_eq!(script.end.peer().map(|peer| peer.routing_id.len()), Some(255));

    let mut script = Script::new(SocketType::Pull, Role::Listener);
    script.send(&frame_v1(false, &[b'i'; 256]));
    assert!(script.end.error.is_some());
}

#[test]
fn void_frames_of_1_0_are_discarded() {
    let mut script = Script::new(SocketType::Pull, Role::Listener);
    script.send(b"\x01\0\0\0\x02\0x\0");
    assert_eq!(script.end.frames, [(false, b"x".to_vec())]);
    assert_eq!(script.end.error, None);
}

/// A 1.0 subscriber sends no subscriptions: it must get everything, or it would get nothing.
#[test]
fn a_1_0_subscriber_is_subscribed_to_everything() {
    for socket_type in [SocketType::Pub, SocketType::XPub] {
        let mut script = Script::new(socket_type, Role::Listener);
        script.send(b"\x01\0");
        assert_eq!(script.end.subscriptions(), [Event::Subscribe(vec![])]);
    }
    let mut script = Script::new(SocketType::Sub, Role::Connecter);
    script.send(b"\x01\0");
    assert_eq!(script.end.subscriptions(), []);
    script.expect(b"\xff\0\0\0\0\0\0\0\x01\x7f");
    script.end.subscribe(true, b"t");
    script.expect(b"\x03\0\x01t");
}

#[test]
fn a_2_0_peer_gets_socket_type_and_identity() {
    let mut script = Script::with(dealer());
    script.end.out.clear();
    script.send(b"\xff\0\0\0\0\0\0\0\x01\x7f").expect(b"\x03");
    script.send(b"\x01").expect(b"\x05\0\x02me");
    script.send(b"\x06").expect(b"");
    assert_eq!(script.end.peer(), None);
    script.send(b"\0\x03you");
    let peer = script.end.peer().expect("ready");
    assert_eq!((peer.version, peer.socket_type), (Version::V2_0, Some(SocketType::Router)));
    assert_eq!(peer.routing_id, b"you");
    script.send(&[frame(1, b"a"), frame(2, b"b")].concat());
    assert_eq!(script.end.frames, [(true, b"a".to_vec()), (false, b"b".to_vec())]);
}

#[test]
fn a_2_0_greeting_names_xpub_and_xsub_pub_and_sub() {
    for (ours, theirs, number) in [(SocketType::XPub, 2, 1), (SocketType::XSub, 9, 2)] {
        let mut script = Script::new(ours, Role::Listener);
        script.end.out.clear();
        script.send(&[0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1, theirs, 0, 0]);
        script.expect(&[3, number, 0, 0]);
        assert!(script.end.peer().is_some());
    }
}

#[test]
fn a_2_0_peer_of_the_wrong_type_is_closed_silently() {
    for number in [0, 8, 11, 255] {
        let mut script = Script::with(dealer());
        script.send(b"\xff\0\0\0\0\0\0\0\x01\x7f\x01");
        script.end.out.clear();
        script.send(&[number]).expect(b"");
        let error = script.expect_closed();
        assert!(matches!(error, Error::Incompatible(Incompatibility::SocketType { .. })));
    }
}

/// The command flag is a reserved bit in 2.0.
#[test]
fn a_2_0_peer_has_no_commands() {
    let mut script = Script::with(dealer());
    script.send(b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x06\0\0");
    script.send(&command("PING", b"\0\0"));
    assert!(matches!(script.expect_closed(), Error::Misbehaved(_)));
}

#[test]
fn an_identity_frame_of_2_0_must_be_one_short_frame() {
    let too_long = frame(2, &[1; 256]);
    for bytes in [&frame(1, b"x"), &frame(4, b"x"), &frame(0, b"\0x"), &too_long] {
        let mut script = Script::with(dealer());
        script.send(b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x06").send(bytes);
        assert!(matches!(script.expect_closed(), Error::Misbehaved(_)));
    }
}

/// libzmq calls this version 1.0 too: 2.0's greeting, 1.0's frames.
#[test]
fn revision_0_has_a_greeting_and_frames_of_1_0() {
    let mut script = Script::with(dealer());
    script.end.out.clear();
    script.send(b"\xff\0\0\0\0\0\0\0\x01\x7f\0").expect(b"\x03\x05\x03\0me");
    script.send(b"\x06").send(&frame_v1(false, b"you")).send(&frame_v1(false, b"x"));
    assert_eq!(script.end.peer().map(|peer| peer.version), Some(Version::V1_0));
    assert_eq!(script.end.frames, [(false, b"x".to_vec())]);
}

#[test]
fn peers_of_3_0_and_later() {
    for (major, minor, version) in [
        (3, 0, Version::V3_0),
        (3, 1, Version::V3_1),
        (3, 2, Version::V3_1),
        (4, 0, Version::V3_1),
        (255, 9, Version::V3_1),
    ] {
        let mut script = Script::with(dealer());
        let mut theirs = greeting(minor, "NULL");
        theirs[10] = major;
        script.send(&theirs).send(&ready("ROUTER", &[("identity", b"you")]));
        let peer = script.end.peer().expect("ready");
        assert_eq!((peer.version, peer.socket_type), (version, Some(SocketType::Router)));
        assert_eq!((peer.routing_id.as_slice(), peer.mechanism), (&b"you"[..], "NULL"));
        script.send(&frame(0, b"x"));
        assert_eq!(script.end.frames, [(false, b"x".to_vec())]);
    }
}

/// RFC 37: "A peer SHALL NOT assign any significance to the padding field".
#[test]
fn padding_and_filler_mean_nothing() {
    let mut script = Script::with(dealer());
    let mut theirs = greeting(1, "NULL");
    theirs[1..9].fill(0xaa);
    theirs[9] = 1;
    theirs[33..].fill(0x55);
    script.send(&theirs).send(&ready("ROUTER", &[]));
    assert!(script.end.connection.is_ready());
}

#[test]
fn the_input_itself_is_the_traffic_where_the_wire_is_canonical() {
    let mut script = Script::ready(dealer(), 1, "ROUTER");
    let progress = script
        .end
        .connection
        .handle_read(script.now, &mut b"\0\x01a\0\x01b\x01\x01c\0".to_vec())
        .unwrap();
    assert_eq!(progress.traffic, Traffic::Input(0..9));
    assert_eq!((progress.consumed, progress.messages, progress.whole), (9, 2, 6));
}
