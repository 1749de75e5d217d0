//! CURVE (RFC 25 and 26) against a peer that is written once more, and breaks each rule in turn.

use std::time::Duration;

use zmtp::{Config, Error, Event, Incompatibility, Role, SocketType, Timeout, Verdict, Violation};

use crate::curve_peers::{
    accept, client, expect_violation, greeted, push, scripted_client, scripted_server, served,
    server, welcomed,
};
use crate::curve_script::{Client, Key, Keys, Server, message};
use crate::support::{Pair, command, property, ready};

#[test]
fn a_client_and_a_server_shake_hands_whichever_of_them_connects() {
    for (a, b) in [(Role::Connecter, Role::Listener), (Role::Listener, Role::Connecter)] {
        let mut dealer = client(SocketType::Dealer, a);
        dealer.routing_id = b"id".to_vec();
        let mut pair = Pair::with(dealer, server(SocketType::Router, b));
        pair.run();
        let peer = pair.b.peer().expect("ready");
        assert_eq!((peer.mechanism, &peer.routing_id[..]), ("CURVE", &b"id"[..]));
        assert_eq!(pair.a.peer().and_then(|peer| peer.socket_type), Some(SocketType::Router));
    }
}

#[test]
fn a_server_keeps_to_the_rfc() {
    let (client, mut config) = (scripted_client(), server(SocketType::Router, Role::Listener));
    config.routing_id = b"us".to_vec();
    let (mut script, key, cookie) = welcomed(config, &client);
    assert_eq!(cookie.len(), 96);
    let metadata = [property("Socket-Type", b"DEALER"), property("Identity", b"id")].concat();
    script.send(&client.initiate(&key, &cookie, 2, &client.initiation(&key, &metadata)));
    let sent = std::mem::take(&mut script.end.out);
    let ours = [property("Socket-Type", b"ROUTER"), property("Identity", b"us")].concat();
    assert_eq!(client.read_ready(&key, &sent), ours);
    assert_eq!(script.end.peer().expect("ready").routing_id, b"id");
    script.send(&client.message(&key, 3, 1, b"a")).send(&client.message(&key, 9, 0, &[b'b'; 300]));
    assert_eq!(script.end.frames, [(true, b"a".to_vec()), (false, vec![b'b'; 300])]);
    script.end.send(&[b"c", &[b'd'; 300]]);
    let server = Keys::of(4).with(&key);
    let prefix = b"CurveZMQMESSAGES";
    let sealed = [
        message(&server, prefix, 2, b"\x01c"),
        message(&server, prefix, 3, &[&[0], &[b'd'; 300][..]].concat()),
    ];
    script.expect(&sealed.concat());
}

#[test]
fn a_client_keeps_to_the_rfc() {
    let server = scripted_server();
    let mut script = greeted(client(SocketType::Pull, Role::Connecter));
    let key = server.read_hello(&std::mem::take(&mut script.end.out));
    script.send(&server.welcome(&key));
    let initiate = std::mem::take(&mut script.end.out);
    let (permanent, metadata) = server.read_initiate(&key, &initiate);
    assert_eq!((permanent, metadata), (Keys::of(2).public, property("Socket-Type", b"PULL")));
    assert!(!script.end.connection.is_ready());
    script.send(&server.ready(&key, 1, &push())).send(&server.message(&key, 2, 0, b"x"));
    assert_eq!(script.end.frames, [(false, b"x".to_vec())]);
}

#[test]
fn a_server_asks_with_the_key_that_was_proved_and_says_nothing_before_the_verdict() {
    for (verdict, reply) in [
        (accept(), None),
        (Verdict::Deny { status: 400 }, Some(&b"\x04\x0a\x05ERROR\x03400"[..])),
        (Verdict::Temporary, Some(b"")),
    ] {
        let config = Config { authenticate: true, ..server(SocketType::Pull, Role::Listener) };
        let client = scripted_client();
        let (mut script, key, cookie) = welcomed(config, &client);
        let initiate = client.initiate(&key, &cookie, 2, &client.initiation(&key, &push()));
        script.send(&[initiate, client.message(&key, 3, 0, b"hasty")].concat()).expect(b"");
        let [Event::Authenticate(request)] = &script.end.events[..] else { panic!("no request") };
        assert_eq!(request.mechanism, "CURVE");
        assert_eq!(request.credentials, [Keys::of(2).public.to_vec()]);
        assert_eq!((script.end.peer(), &script.end.frames[..]), (None, &[][..]));
        script.end.answer(script.now, verdict);
        let Some(reply) = reply else {
            let user = script.end.peer().and_then(|peer| peer.property("User-Id"));
            assert_eq!(user, Some(&b"alice"[..]));
            assert_eq!(script.end.frames, [(false, b"hasty".to_vec())]);
            continue;
        };
        script.expect(reply);
        let error = script.expect_closed();
        assert_eq!((matches!(error, Error::Denied(_)), error.is_final()), (true, false));
    }
}

#[test]
fn malformed_hellos_are_closed() {
    let client = scripted_client();
    let good = client.hello_data(1, &[0; 64]);
    let altered = |at: usize| {
        let mut data = good.clone();
        data[at] ^= 1;
        data
    };
    let stranger = Client { server: Keys::of(9).public, ..client };
    let mut low_order = good.clone();
    low_order[74..106].fill(0);
    let malformed = Violation::MalformedHello;
    let cases = [
        (good[..193].to_vec(), malformed),
        ([&good[..], b"x"].concat(), malformed),
        (vec![], malformed),
        (altered(0), malformed),
        (altered(1), malformed),
        (altered(2), malformed),
        (altered(73), malformed),
        (client.hello_data(1, &[1; 64]), malformed),
        (client.hello_data(1, &[0; 63]), malformed),
        (low_order, Violation::InvalidKey),
        (altered(74), Violation::Undecipherable),
        (altered(113), Violation::Undecipherable),
        (altered(114), Violation::Undecipherable),
        (altered(193), Violation::Undecipherable),
        (stranger.hello_data(1, &[0; 64]), Violation::Undecipherable),
    ];
    for (data, violation) in cases {
        let mut script = greeted(server(SocketType::Pull, Role::Listener));
        script.send(&command("HELLO", &data));
        expect_violation(&mut script, violation);
    }
}

/// What the rules of the handshake make of an INITIATE that somebody could send who has got a cookie.
#[test]
fn an_initiate_must_hold_in_every_part() {
    let client = scripted_client();
    let other = Keys::of(9);
    type Make = fn(&Client, &Key, &[u8], &Keys) -> Vec<u8>;
    let cases: [(&str, Violation, Make); 11] = [
        ("short", Violation::MalformedInitiate, |c, to, cookie, _| {
            c.initiate(to, cookie, 2, &c.initiation(to, b"")[..127])
        }),
        ("a number that does not rise", Violation::NonceOutOfOrder, |c, to, cookie, _| {
            c.initiate(to, cookie, 1, &c.initiation(to, &push()))
        }),
        ("a forged cookie", Violation::Undecipherable, |c, to, _, _| {
            c.initiate(to, &[7; 96], 2, &c.initiation(to, &push()))
        }),
        ("an altered cookie", Violation::Undecipherable, |c, to, cookie, _| {
            let cookie: Vec<u8> = cookie.iter().map(|byte| byte ^ 0x80).collect();
            c.initiate(to, &cookie, 2, &c.initiation(to, &push()))
        }),
        ("sealed by somebody else", Violation::Undecipherable, |c, to, cookie, other| {
            let thief = Client { transient: *other, ..*c };
            thief.initiate(to, cookie, 2, &c.initiation(to, &push()))
        }),
        ("another's permanent key", Violation::Undecipherable, |c, to, cookie, other| {
            let vouch = Client::vouch(&c.permanent, to, [&c.transient.public, &c.server]);
            c.initiate(to, cookie, 2, &[&other.public[..], &vouch, &push()].concat())
        }),
        ("a vouch for another transient key", Violation::InvalidVouch, |c, to, cookie, other| {
            let vouch = Client::vouch(&c.permanent, to, [&other.public, &c.server]);
            c.initiate(to, cookie, 2, &[&c.permanent.public[..], &vouch, &push()].concat())
        }),
        ("a vouch for another server", Violation::InvalidVouch, |c, to, cookie, other| {
            let vouch = Client::vouch(&c.permanent, to, [&c.transient.public, &other.public]);
            c.initiate(to, cookie, 2, &[&c.permanent.public[..], &vouch, &push()].concat())
        }),
        ("a vouch sent to another", Violation::Undecipherable, |c, to, cookie, other| {
            let vouch =
                Client::vouch(&c.permanent, &other.public, [&c.transient.public, &c.server]);
            c.initiate(to, cookie, 2, &[&c.permanent.public[..], &vouch, &push()].concat())
        }),
        ("a key of low order", Violation::Undecipherable, |c, to, cookie, _| {
            c.initiate(to, cookie, 2, &[&[0; 32][..], &[0; 96], &push()].concat())
        }),
        ("malformed metadata", Violation::MalformedMetadata, |c, to, cookie, _| {
            c.initiate(to, cookie, 2, &c.initiation(to, b"\x05abc"))
        }),
    ];
    for (what, violation, make) in cases {
        let config = Config { authenticate: true, ..server(SocketType::Pull, Role::Listener) };
        let (mut script, key, cookie) = welcomed(config, &client);
        script.send(&make(&client, &key, &cookie, &other));
        assert_eq!(script.end.events, [], "{what}: nobody is asked");
        expect_violation(&mut script, violation);
    }
}

#[test]
fn a_cookie_is_good_for_its_connection_alone() {
    let client = scripted_client();
    let (_, key, cookie) = welcomed(server(SocketType::Pull, Role::Listener), &client);
    let initiate = client.initiate(&key, &cookie, 2, &client.initiation(&key, &push()));
    let (mut script, ..) = welcomed(server(SocketType::Pull, Role::Listener), &client);
    script.send(&initiate);
    expect_violation(&mut script, Violation::Undecipherable);
}

#[test]
fn a_cookie_is_good_for_60_seconds_however_long_the_handshake_may_take() {
    for (seconds, in_time) in [(59, true), (60, false)] {
        let mut config = server(SocketType::Pull, Role::Listener);
        (config.handshake_timeout, config.authenticate) = (None, true);
        let client = scripted_client();
        let (mut script, key, cookie) = welcomed(config, &client);
        script.advance(Duration::from_secs(seconds));
        let initiate = client.initiate(&key, &cookie, 2, &client.initiation(&key, &push()));
        script.send(&initiate);
        if !in_time {
            assert_eq!(script.expect_closed(), &Error::TimedOut(Timeout::Handshake));
            continue;
        }
        // The verdict has any time.
        script.advance(Duration::from_secs(600));
        script.end.answer(script.now, accept());
        assert!(script.end.connection.is_ready());
    }
}

#[test]
fn a_connection_outlives_its_cookie() {
    let (mut script, key) = served(server(SocketType::Pull, Role::Listener));
    assert_eq!(script.end.connection.poll_timeout(), None);
    script.advance(Duration::from_secs(600));
    script.send(&scripted_client().message(&key, 3, 0, b"late"));
    assert_eq!(script.end.frames, [(false, b"late".to_vec())]);
}

/// CVE-2019-13132: metadata of a client that nobody knows yet.
#[test]
fn metadata_is_bounded_before_it_is_opened() {
    let client = scripted_client();
    let with = |length: usize| {
        let (mut script, key, cookie) = welcomed(server(SocketType::Pull, Role::Listener), &client);
        let metadata = [push(), property("X-Long", &vec![b'x'; length])].concat();
        let initiate = client.initiate(&key, &cookie, 2, &client.initiation(&key, &metadata));
        script.end.out.clear();
        (initiate, script)
    };
    let (initiate, mut script) = with(65_000);
    script.send(&initiate);
    assert_eq!(script.end.peer().expect("ready").property("X-Long").map(<[u8]>::len), Some(65_000));
    let (initiate, mut script) = with(66_000);
    script.send(&initiate[..20]);
    let length = (initiate.len() - 9) as u64;
    expect_violation(&mut script, Violation::CommandTooLarge { length, limit: 65_536 });
}

#[test]
fn a_server_names_the_misfit_of_types_and_a_client_does_not() {
    let expected = |ours, theirs| {
        Error::Incompatible(Incompatibility::SocketType { ours, theirs: Some(theirs) })
    };
    let client_script = scripted_client();
    let (mut script, key, cookie) =
        welcomed(server(SocketType::Pull, Role::Listener), &client_script);
    let metadata = property("Socket-Type", b"SUB");
    let plain = client_script.initiation(&key, &metadata);
    script.send(&client_script.initiate(&key, &cookie, 2, &plain));
    script.expect(b"\x04\x1f\x05ERROR\x18Incompatible socket type");
    assert_eq!(script.expect_closed(), &expected(SocketType::Pull, SocketType::Sub));

    let server = scripted_server();
    let mut script = greeted(client(SocketType::Pull, Role::Connecter));
    let key = server.read_hello(&std::mem::take(&mut script.end.out));
    script.send(&server.welcome(&key));
    script.end.out.clear();
    script.send(&server.ready(&key, 1, &metadata)).expect(b"");
    assert_eq!(script.expect_closed(), &expected(SocketType::Pull, SocketType::Sub));
}

#[test]
fn malformed_welcomes_are_closed() {
    let server = scripted_server();
    let stranger = Server { permanent: Keys::of(9), ..server };
    let plain = [&server.transient.public[..], &Server::COOKIE].concat();
    type Make<'a> = &'a dyn Fn(&Key) -> Vec<u8>;
    let altered = |key: &Key, at: usize| {
        let mut data = server.welcome_data(key, &plain);
        data[at] ^= 1;
        data
    };
    let cases: [(Violation, Make<'_>); 7] = [
        (Violation::MalformedWelcome, &|_| vec![]),
        (Violation::MalformedWelcome, &|key| server.welcome_data(key, &plain[1..])),
        (Violation::MalformedWelcome, &|key| {
            server.welcome_data(key, &[&plain[..], b"x"].concat())
        }),
        (Violation::Undecipherable, &|key| altered(key, 0)),
        (Violation::Undecipherable, &|key| altered(key, 159)),
        (Violation::Undecipherable, &|key| stranger.welcome_data(key, &plain)),
        (Violation::InvalidKey, &|key| server.welcome_data(key, &[0; 128])),
    ];
    for (violation, make) in cases {
        let mut script = greeted(client(SocketType::Pull, Role::Connecter));
        let key = server.read_hello(&std::mem::take(&mut script.end.out));
        script.send(&command("WELCOME", &make(&key)));
        expect_violation(&mut script, violation);
    }
}

#[test]
fn malformed_readys_are_closed() {
    let server = scripted_server();
    let stranger = Server { transient: Keys::of(9), ..server };
    type Make<'a> = &'a dyn Fn(&Key) -> Vec<u8>;
    let cases: [(Violation, Make<'_>); 6] = [
        (Violation::MalformedReady, &|_| command("READY", &[0; 23])),
        (Violation::Undecipherable, &|_| command("READY", &[0; 24])),
        (Violation::MalformedReady, &|_| ready("PUSH", &[])),
        (Violation::Undecipherable, &|key| stranger.ready(key, 1, &push())),
        (Violation::Undecipherable, &|key| server.message(key, 1, 0, b"x").replace_name()),
        (Violation::MalformedMetadata, &|key| server.ready(key, 1, b"\x01")),
    ];
    for (violation, make) in cases {
        let mut script = greeted(client(SocketType::Pull, Role::Connecter));
        let key = server.read_hello(&std::mem::take(&mut script.end.out));
        script.send(&server.welcome(&key));
        script.end.out.clear();
        script.send(&make(&key));
        expect_violation(&mut script, violation);
    }
}

trait ReplaceName {
    fn replace_name(self) -> Vec<u8>;
}

impl ReplaceName for Vec<u8> {
    /// A MESSAGE that calls itself READY.
    fn replace_name(self) -> Vec<u8> {
        command("READY", &self[10..])
    }
}
