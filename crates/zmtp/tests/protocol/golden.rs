//! Bytes as the RFCs write them down.

use std::time::Duration;

use zmtp::{Config, Event, Heartbeat, Role, SocketType};

use crate::support::{Pair, Script, command, greeting, ready};

/// RFC 37, "Formal Grammar": greeting. The first ten bytes go out at once, the major version once the
/// signature of the peer is there, the rest once its major version is.
#[test]
fn the_greeting_is_sent_in_three_parts() {
    let mut script = Script::new(SocketType::Dealer, Role::Connecter);
    script.expect(b"\xff\0\0\0\0\0\0\0\x01\x7f");
    let theirs = greeting(1, "NULL");
    script.send(&theirs[..9]).expect(b"");
    script.send(&theirs[9..10]).expect(b"\x03");
    let mut rest = b"\x01NULL".to_vec();
    rest.resize(53, 0);
    script.send(&theirs[10..11]).expect(&rest);
    script.send(&theirs[11..63]).expect(b"");
}

/// RFC 37, "Worked Example": READY of a DEALER without identity.
#[test]
fn ready_of_a_dealer_as_in_the_worked_example() {
    let mut script = Script::new(SocketType::Dealer, Role::Connecter);
    let theirs = greeting(1, "NULL");
    script.send(&theirs[..63]);
    script.end.out.clear();
    script
        .send(&theirs[63..])
        .expect(b"\x04\x29\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0");
}

/// RFC 37, "Worked Example": READY with the socket type alone, and READY with more properties.
#[test]
fn ready_of_other_sockets() {
    let mut config = Config::new(SocketType::Push, Role::Listener);
    let mut script = Script::with(config.clone());
    script.end.out.clear();
    script.send(&greeting(1, "NULL"));
    script.end.out.drain(..54);
    script.expect(b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PUSH");

    config.socket_type = SocketType::Router;
    config.routing_id = b"me".to_vec();
    config.properties = vec![("X-Key".to_owned(), b"value".to_vec())];
    let mut script = Script::with(config);
    script.expect(b"\xff\0\0\0\0\0\0\0\x03\x7f");
    script.send(&greeting(1, "NULL"));
    script.end.out.drain(..54);
    script.expect(
        b"\x04\x3a\x05READY\x0bSocket-Type\0\0\0\x06ROUTER\x08Identity\0\0\0\x02me\x05X-Key\0\0\0\x05value",
    );
}

/// RFC 37, "Error Handling" and "The Socket-Type Property".
#[test]
fn error_for_a_socket_type_that_does_not_fit() {
    let mut script = Script::new(SocketType::Push, Role::Listener);
    script.send(&greeting(1, "NULL"));
    script.end.out.clear();
    script.send(&ready("SUB", &[]));
    script.expect(b"\x04\x1f\x05ERROR\x18Incompatible socket type");
}

/// RFC 37, "Connection Heartbeating": ping and pong.
#[test]
fn ping_carries_the_ttl_in_tenths_and_pong_echoes_the_context() {
    let mut config = Config::new(SocketType::Pull, Role::Listener);
    config.heartbeat = Some(Heartbeat {
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(3),
        ttl: Duration::from_millis(25_690),
    });
    let mut script = Script::ready(config, 1, "PUSH");
    script.advance(Duration::from_secs(1)).expect(b"\x04\x07\x04PING\x01\x00");
    script.send(b"\x04\x17\x04PING\0\x010123456789abcdef");
    script.expect(b"\x04\x15\x04PONG0123456789abcdef");
    script.send(b"\x04\x07\x04PING\0\0").expect(b"\x04\x05\x04PONG");
}

/// The TTL has 16 bits: 6553.5 s at most.
#[test]
fn a_ttl_above_the_range_is_cut() {
    let mut config = Config::new(SocketType::Pull, Role::Listener);
    let interval = Duration::from_secs(1);
    config.heartbeat = Some(Heartbeat { interval, timeout: interval, ttl: Duration::MAX });
    let mut script = Script::ready(config, 1, "PUSH");
    script.advance(interval).expect(b"\x04\x07\x04PING\xff\xff");
}

/// RFC 37, "The Publish-Subscribe Pattern"; RFC 23 and 15 for older peers. The longest topics that fit
/// a short frame are 245 and 254 bytes.
#[test]
fn subscriptions_are_commands_for_3_1_and_messages_before() {
    let mut pair = Pair::new(SocketType::Sub, SocketType::Pub);
    pair.run();
    pair.a.subscribe(true, b"topic");
    pair.a.subscribe(false, b"");
    assert_eq!(pair.a.out, b"\x04\x0f\x09SUBSCRIBEtopic\x04\x07\x06CANCEL");
    pair.a.out.clear();
    for (length, header) in [(245, &b"\x04\xff"[..]), (246, b"\x06\0\0\0\0\0\0\x01\0")] {
        pair.a.subscribe(true, &vec![b'x'; length]);
        assert!(pair.a.out.starts_with(header));
        pair.run();
        assert_eq!(pair.b.events.last(), Some(&Event::Subscribe(vec![b'x'; length])));
    }

    let mut script = Script::ready(Config::new(SocketType::Sub, Role::Connecter), 0, "PUB");
    script.end.subscribe(true, b"topic");
    script.end.subscribe(false, b"");
    script.expect(b"\0\x06\x01topic\0\x01\0");
    script.end.subscribe(true, &[b'x'; 255]);
    assert!(script.end.out.starts_with(b"\x02\0\0\0\0\0\0\x01\0\x01x"));
}

/// RFC 37, "Framing": bodies up to 255 bytes have short frames.
#[test]
fn frames_are_short_up_to_255_bytes() {
    let mut script = Script::ready(Config::new(SocketType::Push, Role::Connecter), 1, "PULL");
    script.end.send(&[b"a", b""]);
    script.expect(b"\x01\x01a\0\0");
    script.end.send(&[&[0; 255]]);
    assert!(script.end.out.starts_with(b"\0\xff\0"));
    script.end.out.clear();
    script.end.send(&[&[0; 256], &[1; 256]]);
    assert!(script.end.out.starts_with(b"\x03\0\0\0\0\0\0\x01\0\0"));
    assert!(script.end.out[265..].starts_with(b"\x02\0\0\0\0\0\0\x01\0\x01"));
    assert_eq!(command("PING", b"\0\0"), b"\x04\x07\x04PING\0\0");
}
