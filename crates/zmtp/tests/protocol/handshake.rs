//! The NULL handshake, metadata and verdicts.

use zmtp::{Config, Error, Event, Incompatibility, Misuse, Role, SocketType, Verdict, Violation};

use crate::support::{Pair, Script, command, frame, greeting, property, ready};

fn config(socket_type: SocketType, role: Role, authenticate: bool) -> Config {
    Config { authenticate, ..Config::new(socket_type, role) }
}

fn accept() -> Verdict {
    Verdict::Accept {
        user_id: Some(b"alice".to_vec()),
        properties: vec![("X-Role".to_owned(), b"admin".to_vec())],
    }
}

#[test]
fn every_legal_pair_of_types_shakes_hands_and_no_other() {
    for a in SocketType::ALL {
        for b in SocketType::ALL {
            let mut pair = Pair::new(a, b);
            pair.run();
            if a.may_talk_to(b) {
                assert_eq!(pair.a.peer().and_then(|peer| peer.socket_type), Some(b));
                assert_eq!(pair.b.peer().and_then(|peer| peer.socket_type), Some(a));
                assert_eq!((&pair.a.error, &pair.b.error), (&None, &None));
            } else {
                assert_eq!((pair.a.peer(), pair.b.peer()), (None, None), "{a} {b}");
                for error in [pair.a.error, pair.b.error] {
                    let error = error.expect("both ends give up");
                    assert!(matches!(error, Error::Incompatible(_) | Error::Refused(_)));
                    assert!(error.is_final());
                }
            }
        }
    }
}

#[test]
fn routing_id_and_properties_reach_the_peer() {
    let mut a = config(SocketType::Dealer, Role::Connecter, false);
    a.routing_id = vec![b'r'; 255];
    a.properties = vec![("X-One".to_owned(), vec![]), ("x.two".to_owned(), vec![0; 300])];
    let mut pair = Pair::with(a, config(SocketType::Router, Role::Listener, false));
    pair.run();
    let peer = pair.b.peer().expect("ready");
    assert_eq!(peer.routing_id, [b'r'; 255]);
    assert_eq!(peer.property("SOCKET-TYPE"), Some(&b"DEALER"[..]));
    assert_eq!(peer.property("x-one"), Some(&b""[..]));
    assert_eq!(peer.property("X.Two"), Some(&[0; 300][..]));
}

/// RFC 37, "The Identity Property": for other socket types it shall be ignored.
#[test]
fn an_identity_counts_only_for_types_that_may_have_one() {
    let mut script = Script::new(SocketType::Pull, Role::Listener);
    script.send(&greeting(1, "NULL")).send(&ready("PUSH", &[("Identity", b"id")]));
    assert_eq!(script.end.peer().map(|peer| peer.routing_id.len()), Some(0));
}

#[test]
fn another_mechanism_is_refused() {
    for name in ["PLAIN", "CURVE", "NUL", "NULLX", "null", ""] {
        let mut script = Script::new(SocketType::Pull, Role::Listener);
        script.send(&greeting(1, name)).send(&ready("PUSH", &[]));
        let expected = Incompatibility::Mechanism { ours: "NULL" };
        assert_eq!(script.expect_closed(), &Error::Incompatible(expected));
    }
}

#[test]
fn the_reason_of_a_refusal_is_kept_and_escaped() {
    let mut script = Script::new(SocketType::Pull, Role::Connecter);
    script.send(&greeting(1, "NULL")).send(&command("ERROR", b"\x06no\x1b[2J"));
    let error = script.expect_closed();
    let Error::Refused(reason) = error else { panic!("{error:?}") };
    assert_eq!(reason.as_bytes(), b"no\x1b[2J");
    assert_eq!(error.to_string(), "the peer refused the connection: no\\x1b[2J");
    assert!(error.is_final());
}

/// A peer that has already got our READY may still refuse us.
#[test]
fn a_refusal_may_come_after_ready() {
    let mut script = Script::ready(config(SocketType::Pull, Role::Connecter, false), 1, "PUSH");
    script.send(&command("ERROR", b"\x03400"));
    assert!(matches!(script.expect_closed(), Error::Refused(_)));
}

#[test]
fn malformed_handshakes_are_closed() {
    let long_name = property("Socket-Type", b"PUSH");
    let cases: &[(Vec<u8>, Violation)] = &[
        (command("READY", &long_name[..5]), Violation::MalformedMetadata),
        (command("READY", &long_name[..14]), Violation::MalformedMetadata),
        (command("READY", &long_name[..18]), Violation::MalformedMetadata),
        (command("READY", b"\0\0\0\0\0"), Violation::MalformedMetadata),
        (command("READY", b"\x01a\x80\0\0\0"), Violation::MalformedMetadata),
        (command("READY", b"\x01a\xff\xff\xff\xff"), Violation::MalformedMetadata),
        (command("READY", &property("a\nb", b"")), Violation::MalformedMetadata),
        (ready("PUSH", &[("socket-type", b"PUSH")]), Violation::MalformedMetadata),
        (frame(4, b""), Violation::MalformedCommand),
        (frame(4, b"\0READY"), Violation::MalformedCommand),
        (frame(4, b"\x06READY"), Violation::MalformedCommand),
        (frame(4, b"\x05REA Y"), Violation::MalformedCommand),
        (command("HELLO", b""), Violation::UnexpectedCommand),
        (command("PING", b"\0\0"), Violation::UnexpectedCommand),
        (command("ERROR", b""), Violation::MalformedError),
        (command("ERROR", b"\x02x"), Violation::MalformedError),
        (command("ERROR", b"\x01xy"), Violation::MalformedError),
        (frame(0, b"hello"), Violation::UnexpectedMessage),
        (frame(8, b""), Violation::ReservedFlags(8)),
        (frame(5, b""), Violation::CommandWithMore),
    ];
    for (bytes, violation) in cases {
        let mut script = Script::new(SocketType::Pull, Role::Listener);
        script.send(&greeting(1, "NULL"));
        script.end.out.clear();
        script.send(bytes).expect(b"");
        let error = script.expect_closed();
        assert_eq!(error, &Error::Misbehaved(*violation), "{}", bytes.escape_ascii());
        assert!(error.is_final());
    }
}

#[test]
fn routing_ids_that_a_router_makes_up_cannot_be_claimed() {
    for identity in [&b"\0abcd"[..], &[1; 256]] {
        let mut script = Script::new(SocketType::Router, Role::Listener);
        script.send(&greeting(1, "NULL")).send(&ready("DEALER", &[("Identity", identity)]));
        assert_eq!(script.expect_closed(), &Error::Misbehaved(Violation::InvalidRoutingId));
    }
}

#[test]
fn a_listener_judges_the_routing_id_before_it_says_ready() {
    let mut script = Script::with(config(SocketType::Router, Role::Listener, true));
    script.send(&greeting(1, "NULL"));
    script.end.out.clear();
    // Messages of a hasty peer wait for the verdict.
    script.send(&[ready("DEALER", &[("Identity", b"id")]), frame(0, b"x")].concat()).expect(b"");
    let [Event::Authenticate(request)] = &script.end.events[..] else { panic!("no request") };
    assert_eq!((request.mechanism, &request.routing_id[..]), ("NULL", &b"id"[..]));
    assert!(request.credentials.is_empty() && script.end.frames.is_empty());
    script.end.answer(script.now, accept());
    assert!(script.end.out.starts_with(b"\x04\x29\x05READY"));
    assert_eq!(script.end.frames, [(false, b"x".to_vec())]);
    let peer = script.end.peer().expect("ready");
    assert_eq!(peer.property("User-Id"), Some(&b"alice"[..]));
    assert_eq!(peer.property("x-role"), Some(&b"admin"[..]));
}

#[test]
fn two_ends_that_both_want_a_verdict_do_not_wait_for_each_other() {
    let mut pair = Pair::with(
        config(SocketType::Push, Role::Connecter, true),
        config(SocketType::Pull, Role::Listener, true),
    );
    (pair.a.verdict, pair.b.verdict) = (Some(accept()), Some(accept()));
    pair.run();
    for end in [&pair.a, &pair.b] {
        let peer = end.peer().expect("ready");
        assert_eq!(peer.property("User-Id"), Some(&b"alice"[..]));
    }
}

#[test]
fn a_peer_cannot_claim_to_be_somebody() {
    let claims: &[(&str, &[u8])] =
        &[("user-id", b"root"), ("PEER-ADDRESS", b"::1"), ("X-Role", b"root"), ("X-Ok", b"1")];
    for authenticate in [false, true] {
        let mut script = Script::with(config(SocketType::Pull, Role::Listener, authenticate));
        script.end.verdict = Some(accept());
        script.send(&greeting(1, "NULL")).send(&ready("PUSH", claims));
        let peer = script.end.peer().expect("ready");
        assert_eq!(peer.property("User-Id"), authenticate.then_some(&b"alice"[..]));
        assert_eq!(peer.property("Peer-Address"), None);
        assert_eq!(peer.property("X-Ok"), Some(&b"1"[..]));
        let role = if authenticate { &b"admin"[..] } else { b"root" };
        assert_eq!(peer.property("X-Role"), Some(role));
    }
}

#[test]
fn a_denial_is_told_and_a_temporary_one_is_not() {
    for (verdict, reply) in [
        (Verdict::Deny { status: 400 }, &b"\x04\x0a\x05ERROR\x03400"[..]),
        (Verdict::Temporary, b""),
    ] {
        let mut script = Script::with(config(SocketType::Pull, Role::Listener, true));
        script.send(&greeting(1, "NULL"));
        script.end.out.clear();
        script.send(&[ready("PUSH", &[]), frame(0, b"x")].concat());
        script.end.answer(script.now, verdict);
        script.expect(reply);
        let error = script.expect_closed();
        assert!(matches!(error, Error::Denied(_)));
        // Next time it may be another one.
        assert!(!error.is_final());
        assert_eq!(script.end.peer(), None);
    }
}

#[test]
fn a_verdict_that_nobody_asked_for_is_misuse() {
    let mut script = Script::with(config(SocketType::Pull, Role::Listener, true));
    script.end.answer(script.now, accept());
    assert_eq!(script.expect_closed(), &Error::Misuse(Misuse::UnexpectedVerdict));
}

#[test]
fn an_invalid_configuration_fails_at_the_first_call() {
    let property = |name: &str, length| (name.to_owned(), vec![0; length]);
    for (routing_id, properties, misuse) in [
        (vec![1; 256], vec![], Misuse::RoutingId),
        (vec![0, 1, 2, 3, 4], vec![], Misuse::RoutingId),
        (vec![], vec![property("", 0)], Misuse::Property),
        (vec![], vec![property("identity", 0)], Misuse::Property),
        (vec![], vec![property("User-Id", 0)], Misuse::Property),
        (vec![], vec![property("X-Large", 40_000)], Misuse::Property),
        (vec![], vec![property(&"x".repeat(256), 0)], Misuse::Property),
    ] {
        let config = config(SocketType::Dealer, Role::Connecter, false);
        let config = Config { routing_id, properties, ..config };
        assert_eq!(config.validate(), Err(Error::Misuse(misuse)));
        let script = Script::with(config);
        assert_eq!(script.expect_closed(), &Error::Misuse(misuse));
        assert!(script.end.out.is_empty());
    }
}

#[test]
fn an_error_is_final_and_told_once() {
    let mut script = Script::new(SocketType::Push, Role::Listener);
    script.send(&greeting(1, "NULL")).send(&ready("SUB", &[]));
    let error = script.expect_closed().clone();
    script.end.out.clear();
    let connection = &mut script.end.connection;
    assert_eq!(connection.handle_read(script.now, &mut []), Err(error.clone()));
    assert_eq!(connection.handle_timeout(script.now), Err(error.clone()));
    assert_eq!(connection.handle_verdict(script.now, accept()), Err(error));
    assert_eq!(connection.poll_timeout(), None);
    assert_eq!(connection.take_transmit(&mut script.end.out), zmtp::Transmit::Nothing);
    assert!(!connection.is_ready());
}
