//! Connections that break: at each byte of the handshake and of messages, in order and by reset.
//! What is received is whole messages only, and a connecter comes back.

use tightbeam::{Dealer, EventKind, Message, Pull, Push, Router};
use tightbeam_tests::peer::{Peer, Speaks, bytes, message, opening};

use crate::bench::{bound, connected};

fn end(peer: Peer, in_order: bool) {
    if in_order { peer.cut() } else { peer.reset() }
}

#[test]
fn a_listener_survives_an_end_after_each_byte_of_the_handshake() {
    let bench = bound::<Pull>();
    let said = opening("PUSH");
    for in_order in [true, false] {
        for length in 0..said.len() {
            let mut peer = Peer::connect(&bench.endpoint);
            peer.offer(&said[..length]);
            end(peer, in_order);
            bench.wait_for_failure();
        }
    }
    assert_eq!(bench.connections(), 0);
    bench.expect_nothing();
    bench.expect_good_service();
}

#[test]
fn a_connecter_comes_back_after_an_end_at_each_byte_of_the_handshake() {
    let (bench, lounge) = connected::<Push>(&[]);
    bench.send("kept");
    let said = opening("PULL");
    for in_order in [true, false] {
        for length in (0..said.len()).step_by(if in_order { 1 } else { 5 }) {
            let mut peer = lounge.accept();
            peer.offer(&said[..length]);
            end(peer, in_order);
        }
    }
    let mut peer = lounge.accept().shake_hands("PULL", b"", Speaks::V3_1);
    assert_eq!(peer.take_message(), [b"kept"]);
}

#[test]
fn an_end_after_each_byte_of_two_messages_delivers_the_whole_ones() {
    let bench = bound::<Pull>();
    let stream = [message(&[b"first", b"of two"]), message(&[&[7; 300]])].concat();
    let first = message(&[b"first", b"of two"]).len();
    for in_order in [true, false] {
        for length in 0..=stream.len() {
            let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
            peer.send_bytes(&stream[..length]);
            end(peer, in_order);
            bench.wait_for(EventKind::Disconnected);
            if length >= first {
                assert_eq!(bench.recv_message(), [&b"first"[..], b"of two"]);
            }
            if length >= stream.len() {
                assert_eq!(bench.recv(), [7; 300]);
            }
            bench.expect_nothing();
        }
    }
}

#[test]
fn an_end_within_a_large_body_delivers_nothing_of_it() {
    let bench = bound::<Pull>();
    for length in [9, 10, 40_000, 131_072, 999_999] {
        let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
        peer.send_bytes(&message(&[b"whole"]));
        peer.send_bytes(&message(&[b"part", &[1; 1_000_000]])[..6 + length]);
        peer.cut();
        bench.wait_for(EventKind::Disconnected);
        assert_eq!(bench.recv(), b"whole");
        bench.expect_nothing();
    }
    bench.expect_good_service();
}

#[test]
fn more_and_then_the_end_delivers_nothing_and_leaves_nothing() {
    let bench = bound::<Router>();
    for _ in 0..100 {
        let mut peer = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
        peer.send("01 01 'a' 01 01 'b'");
        peer.cut();
        bench.wait_for(EventKind::Disconnected);
    }
    bench.expect_nothing();
    assert!(bench.socket.stats().expect("stats").peers.is_empty());
    bench.expect_good_service();
}

#[test]
fn an_incomplete_message_is_not_continued_by_the_next_connection() {
    let (bench, lounge) = connected::<Pull>(&[]);
    let mut peer = lounge.accept().shake_hands("PUSH", b"", Speaks::V3_1);
    peer.send("00 03 'one' 01 01 'a' 01 01 'b'");
    assert_eq!(bench.recv(), b"one");
    peer.cut();
    let mut peer = lounge.accept().shake_hands("PUSH", b"", Speaks::V3_1);
    peer.send("01 01 'c' 00 01 'd'");
    assert_eq!(bench.recv_message(), [b"c", b"d"]);
}

#[test]
fn messages_received_before_the_end_can_still_be_received() {
    let bench = bound::<Pull>();
    let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
    for n in 0..100u8 {
        peer.send_message(&[&[n]]);
    }
    peer.cut();
    bench.wait_for(EventKind::Disconnected);
    for n in 0..100u8 {
        assert_eq!(bench.recv(), [n]);
    }
    bench.expect_nothing();
}

#[test]
fn a_peer_that_only_stops_sending_counts_as_gone_once_it_was_read_to_the_end() {
    let bench = bound::<Dealer>();
    let mut peer = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
    peer.send_message(&[b"last"]);
    peer.finish();
    assert_eq!(bench.recv(), b"last");
    peer.expect_closed_eventually();
    bench.wait_for_loss("the peer closed the connection");
}

#[test]
fn a_protocol_error_behind_messages_delivers_them_first() {
    let bench = bound::<Pull>();
    let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
    peer.send_bytes(&[message(&[b"a", b"b"]), message(&[b"c"]), bytes("80 01 'x'")].concat());
    assert_eq!(bench.recv_message(), [b"a", b"b"]);
    assert_eq!(bench.recv(), b"c");
    peer.expect_closed();
    bench.wait_for_loss("frame flags 0x80 have a reserved bit set");
}

#[test]
fn what_was_queued_between_connections_arrives_in_order() {
    let (bench, lounge) = connected::<Push>(&[]);
    let mut n = 0u32;
    for in_order in [true, false, true] {
        let mut peer = lounge.accept().shake_hands("PULL", b"", Speaks::V3_1);
        for _ in 0..10 {
            bench.send(Message::multipart([&n.to_be_bytes()[..], b"rest"]));
            assert_eq!(peer.take_message()[0], n.to_be_bytes());
            n += 1;
        }
        end(peer, in_order);
        bench.wait_for(EventKind::Disconnected);
    }
}
