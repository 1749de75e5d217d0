//! Greeting and handshake, byte for byte (RFC 37, "Formal Grammar" and "The NULL Security Mechanism").

use std::time::{Duration, Instant};

use tightbeam::options::number;
use tightbeam::{Dealer, EventKind, Pub, Pull, Push, Req, Router, Sub};
use tightbeam_tests::peer::{Peer, bytes, command, greeting, opening, property, ready};

use crate::bench::{bound, bound_with, connected};

const GREETING: &str = "ff 00*7 01 7f 03 01 'NULL' 00*16 00 00*31";

#[test]
fn a_listener_sends_the_signature_then_the_version_then_the_rest() {
    let bench = bound::<Pull>();
    let mut peer = Peer::connect(&bench.endpoint);
    peer.expect("ff 00*7 01 7f");
    peer.send("ff 00*7 01 7f");
    peer.expect("03");
    peer.send("03");
    peer.expect("01 'NULL' 00*16 00 00*31");
    peer.send("01 'NULL' 00*16 00 00*31");
    peer.expect("04 1a 05 'READY' 0b 'Socket-Type' 00000004 'PULL'");
    peer.send("04 1a 05 'READY' 0b 'Socket-Type' 00000004 'PUSH'");
    bench.wait_for(EventKind::HandshakeSucceeded);
    peer.send("00 05 'hello'");
    assert_eq!(bench.recv(), b"hello");
}

#[test]
fn a_connecter_greets_the_same_way_and_announces_its_type_and_identity() {
    let (bench, lounge) = connected::<Dealer>(&[]);
    let mut peer = lounge.accept();
    peer.send(GREETING);
    peer.expect(GREETING);
    peer.expect("04 29 05 'READY' 0b 'Socket-Type' 00000006 'DEALER' 08 'Identity' 00000000");
    peer.send("04 1c 05 'READY' 0b 'Socket-Type' 00000006 'ROUTER'");
    bench.wait_for(EventKind::HandshakeSucceeded);
    bench.send("hello");
    peer.expect("00 05 'hello'");
}

#[test]
fn each_type_names_itself_and_only_some_an_identity() {
    fn says<T: tightbeam::Typed>(theirs: &str) -> Vec<u8> {
        let bench = bound::<T>();
        let mut peer = Peer::connect(&bench.endpoint);
        peer.send_bytes(&opening(theirs));
        peer.expect(GREETING);
        peer.expect_command("READY")
    }
    let bare = |name: &str| property("Socket-Type", name.as_bytes());
    let named = |name: &str| [bare(name), property("Identity", b"")].concat();
    assert_eq!(says::<Push>("PULL"), bare("PUSH"));
    assert_eq!(says::<Pub>("SUB"), bare("PUB"));
    assert_eq!(says::<Sub>("PUB"), bare("SUB"));
    assert_eq!(says::<tightbeam::Rep>("REQ"), bare("REP"));
    assert_eq!(says::<Req>("REP"), named("REQ"));
    assert_eq!(says::<Router>("DEALER"), named("ROUTER"));
}

#[test]
fn messages_may_follow_the_handshake_in_the_same_segment() {
    let bench = bound::<Pull>();
    let mut peer = Peer::connect(&bench.endpoint);
    peer.send_bytes(&[opening("PUSH"), bytes("00 01 'a' 01 01 'b' 00 01 'c'")].concat());
    assert_eq!(bench.recv(), b"a");
    assert_eq!(bench.recv_message(), [b"b".to_vec(), b"c".to_vec()]);
}

#[test]
fn a_handshake_one_byte_at_a_time_succeeds() {
    let bench = bound::<Router>();
    let mut peer = Peer::connect(&bench.endpoint);
    peer.drip(&[greeting(1), ready("DEALER", b"me"), bytes("00 02 'hi'")].concat());
    assert_eq!(bench.recv_message(), [b"me".to_vec(), b"hi".to_vec()]);
}

#[test]
fn the_names_of_properties_are_compared_without_regard_to_case() {
    let bench = bound::<Router>();
    let mut peer = Peer::connect(&bench.endpoint);
    let data = [property("sOCKET-tYPE", b"REQ"), property("iDENTITY", b"me")].concat();
    peer.send_bytes(&[greeting(1), command("READY", &data), bytes("00 01 'x'")].concat());
    assert_eq!(bench.recv_message(), [b"me".to_vec(), b"x".to_vec()]);
}

#[test]
fn an_incompatible_type_is_told_so_in_an_error_command() {
    let bench = bound::<Pull>();
    let mut peer = Peer::connect(&bench.endpoint);
    peer.send_bytes(&opening("SUB"));
    peer.expect(GREETING);
    peer.expect_command("READY");
    let reason = peer.expect_command("ERROR");
    assert_eq!(reason, b"\x18Incompatible socket type");
    peer.expect_closed();
    bench.wait_for_refusal("a PULL socket cannot talk to a SUB socket");
    bench.expect_good_service();
}

#[test]
fn a_peer_that_refuses_is_not_connected_to_again() {
    let (bench, lounge) = connected::<Push>(&[]);
    let mut peer = lounge.accept();
    peer.send_bytes(&[greeting(1), command("ERROR", b"\x02no")].concat());
    bench.wait_for_refusal("refused the connection: no");
    peer.expect_closed_eventually();
    assert_eq!(bench.connections(), 0);
    assert!(bench.socket.stats().expect("stats").peers.is_empty(), "the endpoint is given up");
}

#[test]
fn another_mechanism_is_refused() {
    let bench = bound::<Pull>();
    let mut peer = Peer::connect(&bench.endpoint);
    peer.send("ff 00*7 01 7f 03 01 'PLAIN' 00*15 00*32");
    peer.expect_closed_eventually();
    bench.wait_for_refusal("its security mechanism is not NULL");
}

#[test]
fn a_limit_on_messages_below_the_size_of_a_handshake_command_lets_the_handshake_pass() {
    let bench = bound_with::<Pull>(&[(number::MAXMSGSIZE, 4)]);
    let mut peer = Peer::join(&bench.endpoint, "PUSH", tightbeam_tests::peer::Speaks::V3_1);
    peer.send("00 04 'fits' 00 05 'large'");
    assert_eq!(bench.recv(), b"fits");
    peer.expect_closed();
    bench.wait_for_loss("a frame of 5 bytes is above the limit of 4");
    bench.expect_good_service();
}

#[test]
fn a_silent_peer_is_closed_at_the_end_of_handshake_ivl() {
    let bench = bound_with::<Pull>(&[(number::HANDSHAKE_IVL, 300)]);
    let mut peer = Peer::connect(&bench.endpoint);
    peer.expect("ff 00*7 01 7f");
    peer.expect_closed();
    bench.wait_for_refusal("the handshake took too long");
    assert_eq!(bench.connections(), 0);
}

#[test]
fn a_listener_that_says_nothing_is_left_and_tried_again() {
    let (bench, lounge) = connected::<Dealer>(&[(number::HANDSHAKE_IVL, 200)]);
    let mut silent = lounge.accept();
    silent.expect("ff 00*7 01 7f");
    silent.expect_closed();
    let mut peer = lounge.accept().shake_hands("ROUTER", b"", tightbeam_tests::peer::Speaks::V3_1);
    bench.send("hello");
    assert_eq!(peer.take_message(), [b"hello"]);
}

#[test]
fn a_dripping_handshake_does_not_extend_handshake_ivl() {
    let bench = bound_with::<Pull>(&[(number::HANDSHAKE_IVL, 400)]);
    let mut peer = Peer::connect(&bench.endpoint);
    let began = Instant::now();
    for byte in opening("PUSH") {
        if !peer.offer(&[byte]) || peer.is_closed() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(began.elapsed() < Duration::from_millis(1500), "it took {:?}", began.elapsed());
    bench.wait_for_refusal("the handshake took too long");
    bench.expect_good_service();
}

#[test]
fn what_is_no_greeting_is_closed_and_never_delivered() {
    let bench = bound::<Pull>();
    for said in [
        "'GET' 20 '/' 20 'HTTP/1.1' 0d0a 'Host:' 20 'x' 0d0a0d0a",
        "'SSH-2.0-scan' 0d0a",
        "16 03 01 00 c8 01 00 00 c4 03 03 'x'*200",
        "'HELP' 0a",
        "0d0a0d0a",
        "80*64",
        "ff*64",
        "fe 'x'*400",
    ] {
        let mut peer = Peer::connect(&bench.endpoint);
        peer.offer(&bytes(said));
        peer.finish();
        peer.expect_closed_eventually();
        bench.wait_for_failure();
    }
    bench.expect_nothing();
    bench.expect_good_service();
}

#[test]
fn closing_does_not_wait_for_peers_whose_handshake_is_not_complete() {
    let bench = bound::<Push>();
    bench.socket.set_option(number::LINGER, tightbeam::options::Value::Int(-1)).expect("LINGER");
    let mut silent = Peer::connect(&bench.endpoint);
    silent.expect("ff 00*7 01 7f");
    let began = Instant::now();
    assert_eq!(bench.socket.close(), 0);
    assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
    silent.expect_closed();
}
