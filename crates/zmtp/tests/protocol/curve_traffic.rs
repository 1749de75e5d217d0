//! What follows the handshake of CURVE, and what has no place at its point.

use zmtp::curve::PublicKey;
use zmtp::{
    Config, CurveClientConfig, Error, Event, MechanismConfig, Misuse, Role, SocketType, Violation,
};

use crate::curve_peers::{
    client, client_pull, connected, expect_violation, greeted, keypair, scripted_client,
    scripted_server, served, server, welcomed,
};
use crate::curve_script::{Client, Key, Keys, message};
use crate::support::{Pair, Script, command, frame, greeting, property};

#[test]
fn commands_out_of_turn_are_closed() {
    let (client_script, server_script) = (scripted_client(), scripted_server());
    for bytes in [
        command("WELCOME", &[0; 160]),
        command("READY", &[0; 40]),
        command("INITIATE", &[0; 300]),
        command("MESSAGE", &[0; 40]),
        command("PING", b"\0\0"),
    ] {
        let mut script = greeted(server(SocketType::Pull, Role::Listener));
        script.send(&bytes);
        expect_violation(&mut script, Violation::UnexpectedCommand);
        if !bytes.starts_with(b"\x04\xa8\x07WELCOME") {
            let mut script = greeted(client(SocketType::Pull, Role::Connecter));
            script.end.out.clear();
            script.send(&bytes);
            expect_violation(&mut script, Violation::UnexpectedCommand);
        }
    }
    let (mut script, ..) = welcomed(server(SocketType::Pull, Role::Listener), &client_script);
    script.send(&client_script.hello());
    expect_violation(&mut script, Violation::UnexpectedCommand);
    let mut script = greeted(client(SocketType::Pull, Role::Connecter));
    let key = server_script.read_hello(&std::mem::take(&mut script.end.out));
    let welcome = server_script.welcome(&key);
    script.send(&welcome);
    script.end.out.clear();
    script.send(&welcome);
    expect_violation(&mut script, Violation::UnexpectedCommand);
    for config in
        [server(SocketType::Pull, Role::Listener), client(SocketType::Pull, Role::Listener)]
    {
        let mut script = greeted(config);
        script.end.out.clear();
        script.send(b"\0\x05hello");
        expect_violation(&mut script, Violation::UnexpectedMessage);
    }
}

#[test]
fn what_is_wrong_in_the_traffic_ends_it_and_delivers_nothing() {
    let client_script = scripted_client();
    let undecipherable = Violation::Undecipherable;
    let malformed = Violation::MalformedMessage;
    type Make = fn(&Client, &Key) -> Vec<u8>;
    let cases: [(&str, Violation, Make); 16] = [
        ("plain text", malformed, |_, _| frame(0, b"hello")),
        ("long plain text", Violation::UnexpectedCommand, |_, _| frame(0, &[b'x'; 100])),
        ("a plain SUBSCRIBE", malformed, |_, _| command("SUBSCRIBE", b"t")),
        ("a plain PING", malformed, |_, _| command("PING", b"\0\0")),
        ("a plain ERROR", malformed, |_, _| command("ERROR", b"\x03400")),
        ("HELLO again", Violation::UnexpectedCommand, |c, _| c.hello()),
        ("a short MESSAGE", malformed, |_, _| command("MESSAGE", &[0; 24])),
        ("no flags", malformed, |c, to| {
            message(&c.transient.with(to), b"CurveZMQMESSAGEC", 3, b"")
        }),
        ("MORE outside", malformed, |c, to| [&[1][..], &c.message(to, 3, 0, b"x")[1..]].concat()),
        ("reserved flags", malformed, |c, to| c.message(to, 3, 4, b"x")),
        ("a command with MORE", malformed, |c, to| c.message(to, 3, 3, b"\x04PING\0\0")),
        ("an empty command", malformed, |c, to| c.message(to, 3, 2, b"")),
        ("the number of INITIATE", Violation::NonceOutOfOrder, |c, to| c.message(to, 2, 0, b"x")),
        ("the number zero", Violation::NonceOutOfOrder, |c, to| c.message(to, 0, 0, b"x")),
        ("another's key", undecipherable, |c, to| {
            Client { transient: Keys::of(9), ..*c }.message(to, 3, 0, b"x")
        }),
        ("the server's own text", undecipherable, |c, to| {
            message(&c.transient.with(to), b"CurveZMQMESSAGES", 3, b"\0x")
        }),
    ];
    for (what, violation, make) in cases {
        let (mut script, key) = served(server(SocketType::Pull, Role::Listener));
        script.send(&make(&client_script, &key)).expect(b"");
        assert_eq!(script.expect_closed(), &Error::Misbehaved(violation), "{what}");
    }
}

#[test]
fn messages_cannot_be_altered_repeated_or_put_in_another_order() {
    let client = scripted_client();
    let (_, key) = served(server(SocketType::Pull, Role::Listener));
    let length = client.message(&key, 3, 0, b"first").len();
    for at in 2..length {
        let (mut script, key) = served(server(SocketType::Pull, Role::Listener));
        let mut first = client.message(&key, 3, 0, b"first");
        first[at] ^= 0x10;
        script.send(&first).expect_closed();
    }
    for order in [[3, 3], [4, 3]] {
        let (mut script, key) = served(server(SocketType::Pull, Role::Listener));
        for number in order {
            script.send(&client.message(&key, number, 0, b"x"));
        }
        assert_eq!(script.end.frames, [(false, b"x".to_vec())]);
        assert_eq!(script.end.error, Some(Error::Misbehaved(Violation::NonceOutOfOrder)));
    }
    // The same towards a client.
    let server = scripted_server();
    for number in [0, 1] {
        let (mut script, key) = connected(client_pull());
        script.send(&server.message(&key, number, 0, b"x"));
        assert_eq!(script.expect_closed(), &Error::Misbehaved(Violation::NonceOutOfOrder));
    }
}

#[test]
fn messages_before_a_violation_are_delivered() {
    let (mut script, key) = served(server(SocketType::Pull, Role::Listener));
    let client = scripted_client();
    let good = client.message(&key, 3, 0, b"good");
    script.send(&[good.clone(), good].concat());
    assert_eq!(script.end.frames, [(false, b"good".to_vec())]);
    assert_eq!(script.end.error, Some(Error::Misbehaved(Violation::NonceOutOfOrder)));
}

#[test]
fn limits_are_those_of_what_is_inside() {
    for (length, fits) in [(300, true), (301, false)] {
        let mut config = server(SocketType::Pull, Role::Listener);
        (config.max_message_size, config.limits.handshake_command) = (Some(300), 330);
        let (mut script, key) = served(config);
        script.send(&scripted_client().message(&key, 3, 0, &vec![b'x'; length]));
        if fits {
            assert_eq!(script.end.frames.len(), 1);
            continue;
        }
        let violation = Violation::MessageTooLarge { length: 301, limit: 300 };
        assert_eq!(script.expect_closed(), &Error::Misbehaved(violation));
    }
    let mut config = server(SocketType::Pull, Role::Listener);
    config.max_message_size = Some(100_000);
    let (mut script, _) = served(config);
    script.send(&[&[2][..], &(1u64 << 40).to_be_bytes()].concat());
    let violation = Violation::MessageTooLarge { length: 1 << 40, limit: 100_033 };
    assert_eq!(script.expect_closed(), &Error::Misbehaved(violation), "at its header");
}

#[test]
fn subscriptions_and_heartbeats_are_sealed_too() {
    let client_script = scripted_client();
    let mut config = server(SocketType::XPub, Role::Listener);
    config.authenticate = false;
    let (mut script, key, cookie) = welcomed(config, &client_script);
    let plain = client_script.initiation(&key, &property("Socket-Type", b"SUB"));
    script.send(&client_script.initiate(&key, &cookie, 2, &plain));
    script.end.out.clear();
    script.send(&client_script.message(&key, 3, 0, b"\x01topic"));
    script.send(&client_script.message(&key, 4, 2, b"\x09SUBSCRIBEother"));
    script.send(&client_script.message(&key, 5, 0, b"\0topic"));
    let topics = [
        Event::Subscribe(b"topic".to_vec()),
        Event::Subscribe(b"other".to_vec()),
        Event::Cancel(b"topic".to_vec()),
    ];
    assert_eq!(script.end.subscriptions(), topics);
    script.send(&client_script.message(&key, 6, 2, b"\x04PING\0\0ctx"));
    let pong = message(&Keys::of(4).with(&key), b"CurveZMQMESSAGES", 2, b"\x02\x04PONGctx");
    script.expect(&pong);

    let mut pair = Pair::with(
        client(SocketType::Sub, Role::Connecter),
        server(SocketType::Pub, Role::Listener),
    );
    pair.run();
    pair.a.subscribe(true, b"t");
    pair.a.subscribe(false, b"t");
    assert!(!pair.a.out.windows(9).any(|bytes| bytes == b"SUBSCRIBE"));
    assert_eq!(pair.a.out.len(), 2 * (2 + 33 + 2), "as messages, which libzmq wants here");
    pair.run();
    let topics = [Event::Subscribe(b"t".to_vec()), Event::Cancel(b"t".to_vec())];
    assert_eq!(pair.b.subscriptions(), topics);
}

#[test]
fn frames_of_every_size_arrive_however_they_are_cut() {
    let sizes = [0, 1, 222, 223, 255, 256, 4087, 4088, 4096, 5000, 70_000, 3, 4096, 9000, 1];
    for chunk in [1, 7, 100, 5000, usize::MAX] {
        let mut pair = Pair::with(
            client(SocketType::Push, Role::Connecter),
            server(SocketType::Pull, Role::Listener),
        );
        pair.chunk = if chunk == 1 { 64 } else { chunk };
        pair.run();
        let bodies: Vec<Vec<u8>> =
            sizes.iter().map(|size| (0..*size).map(|i| (i % 251) as u8).collect()).collect();
        for bodies in bodies.chunks(4) {
            pair.a.send(&bodies.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
        pair.run();
        let received: Vec<_> = pair.b.frames.iter().map(|(_, body)| body.clone()).collect();
        assert_eq!((received, pair.b.messages), (bodies, 4));
        assert_eq!(pair.b.rest, b"");
    }
}

#[test]
fn nothing_of_what_is_said_can_be_read_on_the_wire() {
    let mut a = client(SocketType::Dealer, Role::Connecter);
    a.routing_id = b"my own name".to_vec();
    let mut pair = Pair::with(a, server(SocketType::Router, Role::Listener));
    let mut wire = Vec::new();
    while !(pair.a.out.is_empty() && pair.b.out.is_empty()) {
        wire.extend([&pair.a.out[..], &pair.b.out].concat());
        pair.run_once();
    }
    pair.a.send(&[b"a secret of the client"]);
    pair.b.send(&[b"a secret of the server"]);
    wire.extend([&pair.a.out[..], &pair.b.out].concat());
    let key = Keys::of(2).public;
    let shown = [&b"my own name"[..], b"a secret", &key, b"ROUTER"];
    for text in shown {
        assert!(!wire.windows(text.len()).any(|bytes| bytes == text));
    }
}

#[test]
fn an_encoder_is_handed_out_once() {
    let (mut script, _) = served(server(SocketType::Pull, Role::Listener));
    let first = script.end.connection.take_encoder();
    assert!(first.is_some_and(|encoder| !encoder.is_verbatim()));
    assert!(script.end.connection.take_encoder().is_none());
}

#[test]
fn without_good_keys_or_random_bytes_there_is_no_connection() {
    let curve = CurveClientConfig { keypair: keypair(2), server: PublicKey::from_bytes([0; 32]) };
    let mechanism = MechanismConfig::CurveClient(curve);
    let mut script = Script::with(Config { mechanism, ..client_pull() });
    script.send(&greeting(1, "CURVE"));
    assert_eq!(script.expect_closed(), &Error::Misuse(Misuse::ServerKey));

    let none = |_: &mut [u8]| Err(Error::NoRandomness);
    let mut script = Script::with(Config { random: none, ..client_pull() });
    script.send(&greeting(1, "CURVE"));
    assert_eq!(script.expect_closed(), &Error::NoRandomness);
    let config = server(SocketType::Pull, Role::Listener);
    let mut script = greeted(Config { random: none, ..config });
    script.send(&scripted_client().hello()).expect(b"");
    assert_eq!(script.expect_closed(), &Error::NoRandomness);
}
