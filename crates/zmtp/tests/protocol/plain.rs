//! The PLAIN handshake (RFC 24).

use zmtp::{
    Config, Error, Event, Incompatibility, MechanismConfig, Misuse, PlainClientConfig, Role,
    SocketType, Verdict, Violation,
};

use crate::support::{Pair, Script, command, frame, greeting, property, ready};

fn client(socket_type: SocketType, role: Role) -> Config {
    let plain = PlainClientConfig::new("admin", "secret");
    Config { mechanism: MechanismConfig::PlainClient(plain), ..Config::new(socket_type, role) }
}

fn server(socket_type: SocketType, role: Role) -> Config {
    Config { mechanism: MechanismConfig::PlainServer, ..Config::new(socket_type, role) }
}

fn accept() -> Verdict {
    Verdict::Accept { user_id: Some(b"alice".to_vec()), properties: vec![] }
}

/// Behind the greetings, with nothing left of ours to look at.
fn greeted(config: Config) -> Script {
    let mut script = Script::with(config);
    script.send(&greeting(1, "PLAIN"));
    script
}

#[test]
fn a_client_and_a_server_shake_hands_whichever_of_them_connects() {
    for (a, b) in [(Role::Connecter, Role::Listener), (Role::Listener, Role::Connecter)] {
        let mut dealer = client(SocketType::Dealer, a);
        dealer.routing_id = b"id".to_vec();
        let mut pair = Pair::with(dealer, server(SocketType::Router, b));
        pair.b.verdict = Some(accept());
        pair.run();
        let peer = pair.b.peer().expect("ready");
        assert_eq!((peer.mechanism, &peer.routing_id[..]), ("PLAIN", &b"id"[..]));
        assert_eq!(peer.property("User-Id"), Some(&b"alice"[..]));
        assert_eq!(pair.a.peer().and_then(|peer| peer.socket_type), Some(SocketType::Router));
        pair.a.send(&[b"to", b"server"]);
        pair.b.send(&[b"to client"]);
        pair.run();
        assert_eq!(pair.b.frames, [(true, b"to".to_vec()), (false, b"server".to_vec())]);
        assert_eq!(pair.a.frames, [(false, b"to client".to_vec())]);
    }
}

#[test]
fn the_commands_are_those_of_the_rfc() {
    let mut script = greeted(client(SocketType::Push, Role::Connecter));
    let mut sent = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1];
    sent.extend(b"PLAIN");
    sent.resize(64, 0);
    script.expect(&[&sent[..], b"\x04\x13\x05HELLO\x05admin\x06secret"].concat());
    let metadata = property("Socket-Type", b"PUSH");
    script.send(b"\x04\x08\x07WELCOME").expect(&command("INITIATE", &metadata));
    script.send(&ready("PULL", &[])).expect(b"");
    assert!(script.end.connection.is_ready());

    let mut script = greeted(server(SocketType::Pull, Role::Listener));
    sent[32] = 1;
    script.expect(&sent);
    script.send(b"\x04\x13\x05HELLO\x05admin\x06secret").expect(b"");
    let [Event::Authenticate(request)] = &script.end.events[..] else { panic!("no request") };
    assert_eq!((request.mechanism, &request.routing_id[..]), ("PLAIN", &b""[..]));
    assert_eq!(request.credentials, [b"admin".to_vec(), b"secret".to_vec()]);
    assert!(!format!("{request:?}").contains("secret"));
    // What a hasty client sends waits for the verdict.
    script.send(&command("INITIATE", &metadata)).expect(b"");
    script.end.answer(script.now, accept());
    let replies = [&b"\x04\x08\x07WELCOME"[..], &ready("PULL", &[])].concat();
    script.expect(&replies);
    assert!(script.end.connection.is_ready());
}

/// A password that nobody checks keeps nobody out.
#[test]
fn a_server_asks_even_if_it_was_not_told_to() {
    let config = server(SocketType::Pull, Role::Listener);
    assert!(!config.authenticate);
    let mut script = greeted(config);
    let metadata = property("Socket-Type", b"PUSH");
    let hello = b"\x04\x08\x05HELLO\0\0";
    script.send(&[hello, &command("INITIATE", &metadata)[..], b"\0\x01x"].concat());
    assert!(!script.end.connection.is_ready() && script.end.frames.is_empty());
    assert!(matches!(&script.end.events[..], [Event::Authenticate(_)]));
}

/// libzmq 4.3.4 misspells ERROR with PLAIN, and understands it in no other spelling.
#[test]
fn a_denial_is_told_as_libzmq_tells_it_and_a_temporary_one_is_not() {
    for (verdict, reply) in [
        (Verdict::Deny { status: 400 }, &b"\x04\x09^RROR\x03400"[..]),
        (Verdict::Deny { status: 500 }, b"\x04\x09^RROR\x03500"),
        (Verdict::Temporary, b""),
    ] {
        let mut script = greeted(server(SocketType::Pull, Role::Listener));
        script.end.out.clear();
        script.send(b"\x04\x13\x05HELLO\x05admin\x06secret");
        script.end.answer(script.now, verdict);
        script.expect(reply);
        let error = script.expect_closed();
        assert!(matches!(error, Error::Denied(_)));
        assert!(!error.is_final());
    }
}

#[test]
fn a_client_understands_both_spellings_of_error() {
    for bytes in [&b"\x04\x09^RROR\x03400"[..], b"\x04\x0a\x05ERROR\x03400"] {
        let mut script = greeted(client(SocketType::Push, Role::Connecter));
        script.send(bytes);
        let Error::Refused(reason) = script.expect_closed() else { panic!("not refused") };
        assert_eq!(reason.as_bytes(), b"400");
    }
    let mut script = Script::new(SocketType::Push, Role::Connecter);
    script.send(&greeting(1, "NULL")).send(b"\x04\x09^RROR\x03400");
    assert_eq!(script.expect_closed(), &Error::Misbehaved(Violation::MalformedCommand));
}

#[test]
fn a_client_sends_no_error() {
    let mut script = greeted(client(SocketType::Push, Role::Connecter));
    script.send(b"\x04\x08\x07WELCOME");
    script.end.out.clear();
    script.send(&ready("SUB", &[])).expect(b"");
    assert!(matches!(script.expect_closed(), Error::Incompatible(_)));
}

#[test]
fn misbehaving_clients_are_closed() {
    let hello = b"\x04\x13\x05HELLO\x05admin\x06secret".to_vec();
    let initiate = command("INITIATE", &property("Socket-Type", b"PUSH"));
    let malformed = Violation::MalformedHello;
    let unexpected = Violation::UnexpectedCommand;
    let cases: &[(Vec<u8>, Violation)] = &[
        (command("HELLO", b""), malformed),
        (command("HELLO", b"\x05admi"), malformed),
        (command("HELLO", b"\x05admin"), malformed),
        (command("HELLO", b"\x05admin\x06secre"), malformed),
        (command("HELLO", b"\x05admin\x06secret!"), malformed),
        (command("HELLO", b"\xff"), malformed),
        (initiate.clone(), unexpected),
        (command("WELCOME", b""), unexpected),
        (ready("PUSH", &[]), unexpected),
        (command("MESSAGE", &[0; 40]), unexpected),
        (command("PING", b"\0\0"), unexpected),
        (frame(0, b"hello"), Violation::UnexpectedMessage),
        ([&hello[..], &hello].concat(), unexpected),
        ([&hello[..], &ready("PUSH", &[])].concat(), unexpected),
        ([&hello[..], &frame(0, b"x")].concat(), Violation::UnexpectedMessage),
        ([&hello[..], &command("INITIATE", b"\x01")].concat(), Violation::MalformedMetadata),
        ([&hello[..], &initiate, &frame(4, b"")].concat(), Violation::MalformedCommand),
    ];
    for (bytes, violation) in cases {
        let mut script = greeted(server(SocketType::Pull, Role::Listener));
        script.end.verdict = Some(accept());
        script.send(bytes);
        let error = script.expect_closed();
        assert_eq!(error, &Error::Misbehaved(*violation), "{}", bytes.escape_ascii());
    }
}

#[test]
fn misbehaving_servers_are_closed() {
    let welcome = b"\x04\x08\x07WELCOME".to_vec();
    let unexpected = Violation::UnexpectedCommand;
    for (bytes, violation) in [
        (command("WELCOME", b"x"), Violation::MalformedWelcome),
        (ready("PULL", &[]), unexpected),
        (command("HELLO", b"\0\0"), unexpected),
        (command("INITIATE", b""), unexpected),
        ([&welcome[..], &welcome].concat(), unexpected),
        ([&welcome[..], &command("READY", b"\x01")].concat(), Violation::MalformedMetadata),
        ([&welcome[..], &frame(0, b"x")].concat(), Violation::UnexpectedMessage),
    ] {
        let mut script = greeted(client(SocketType::Push, Role::Connecter));
        script.send(&bytes);
        assert_eq!(script.expect_closed(), &Error::Misbehaved(violation));
        script.end.answer(script.now, accept());
        assert_eq!(script.end.peer(), None);
    }
}

#[test]
fn a_server_names_the_misfit_of_types() {
    let mut script = greeted(server(SocketType::Pull, Role::Listener));
    script.end.verdict = Some(accept());
    script.send(b"\x04\x08\x05HELLO\0\0");
    script.send(&command("INITIATE", &property("Socket-Type", b"SUB")));
    let expected =
        Incompatibility::SocketType { ours: SocketType::Pull, theirs: Some(SocketType::Sub) };
    assert_eq!(script.expect_closed(), &Error::Incompatible(expected));
    assert!(script.end.out.ends_with(b"^RROR\x18Incompatible socket type"));
}

#[test]
fn names_and_passwords_have_at_most_255_bytes() {
    for (username, password, fits) in [(255, 255, true), (256, 0, false), (0, 256, false)] {
        let plain = PlainClientConfig::new(vec![b'u'; username], vec![b'p'; password]);
        let mechanism = MechanismConfig::PlainClient(plain);
        let config = Config { mechanism, ..client(SocketType::Push, Role::Connecter) };
        let expected = if fits { Ok(()) } else { Err(Error::Misuse(Misuse::Credentials)) };
        assert_eq!(config.validate(), expected);
        assert!(!format!("{config:?}").contains("112"), "the password is not shown");
        if fits {
            let mut pair = Pair::with(config, server(SocketType::Pull, Role::Listener));
            pair.b.verdict = Some(accept());
            pair.run();
            let Some(Event::Authenticate(request)) = pair.b.events.first() else { panic!("asked") };
            assert_eq!(request.credentials, [vec![b'u'; 255], vec![b'p'; 255]]);
            assert!(pair.a.connection.is_ready());
        }
    }
}
