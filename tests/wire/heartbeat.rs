//! Heartbeats (RFC 37, "Connection Heartbeating").

use std::time::{Duration, Instant};

use tightbeam::options::number;
use tightbeam::{Dealer, EventKind, Pull, Push};
use tightbeam_tests::peer::{Peer, Speaks};

use crate::bench::{bound, bound_with, connected};

/// 100 ms between PINGs, 200 ms to answer.
const BEATING: [(i32, i32); 3] =
    [(number::HEARTBEAT_IVL, 100), (number::HEARTBEAT_TIMEOUT, 200), (number::HEARTBEAT_TTL, 1500)];

#[test]
fn a_ping_with_the_time_to_live_is_sent_each_interval() {
    let bench = bound_with::<Dealer>(&BEATING);
    let mut peer = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
    let began = Instant::now();
    for _ in 0..5 {
        peer.expect("04 07 04 'PING' 000f");
        peer.send("04 05 04 'PONG'");
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(450), "five PINGs within {took:?}");
    assert_eq!(bench.connections(), 1);
}

#[test]
fn a_ping_is_answered_with_its_context() {
    let bench = bound::<Dealer>();
    let mut peer = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
    peer.send("04 07 04 'PING' 0000");
    peer.expect("04 05 04 'PONG'");
    peer.send("04 17 04 'PING' 0000 '0123456789abcdef'");
    peer.expect("04 15 04 'PONG' '0123456789abcdef'");
}

#[test]
fn a_context_beyond_16_bytes_and_a_ping_cut_short_are_violations() {
    for malformed in ["04 18 04 'PING' 0000 'x'*17", "04 06 04 'PING' 00", "04 05 04 'PING'"] {
        let bench = bound::<Dealer>();
        let mut peer = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
        peer.send(malformed);
        peer.expect_closed();
        bench.wait_for_loss("a malformed PING or PONG command");
    }
}

#[test]
fn a_silent_peer_is_dropped_within_interval_and_timeout() {
    let bench = bound_with::<Dealer>(&BEATING);
    let mut peer = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
    bench.wait_for(EventKind::HandshakeSucceeded);
    let began = Instant::now();
    peer.expect_closed_eventually();
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(150), "dropped already after {took:?}");
    assert!(took <= Duration::from_secs(3), "dropped only after {took:?}");
    bench.wait_for_loss("no sign of life after a PING");
    println!("measured: silent peer dropped after {took:?} (interval 100 ms, time-out 200 ms)");
}

#[test]
fn an_answer_is_waited_for_as_long_as_the_time_out_of_heartbeats_says() {
    let waits = [(number::HEARTBEAT_IVL, 20), (number::HEARTBEAT_TIMEOUT, 700)];
    let bench = bound_with::<Dealer>(&waits);
    let began = Instant::now();
    let mut peer = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
    peer.expect_closed_eventually();
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(700), "dropped already after {took:?}");
    bench.wait_for_loss("no sign of life after a PING");
    // 0, as in libzmq: an answer is not waited for at all.
    let bench =
        bound_with::<Dealer>(&[(number::HEARTBEAT_IVL, 20), (number::HEARTBEAT_TIMEOUT, 0)]);
    let mut peer = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
    (0..20).for_each(|_| peer.expect("04 07 04 'PING' 0000"));
    assert_eq!(bench.connections(), 1);
}

#[test]
fn a_peer_that_vanished_from_the_network_is_dropped_and_connected_to_again() {
    let (bench, lounge) = connected::<Dealer>(&BEATING);
    let peer = lounge.accept().shake_hands("DEALER", b"", Speaks::V3_1);
    bench.wait_for(EventKind::HandshakeSucceeded);
    peer.vanish();
    let began = Instant::now();
    bench.wait_for_loss("no sign of life after a PING");
    let took = began.elapsed();
    assert!(took <= Duration::from_secs(3), "noticed only after {took:?}");
    let mut back = lounge.accept().shake_hands("DEALER", b"", Speaks::V3_1);
    bench.send("again");
    assert_eq!(back.take_message(), [b"again"]);
}

#[test]
fn any_traffic_counts_as_a_sign_of_life() {
    let bench = bound_with::<Pull>(&BEATING);
    let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
    for n in 0..20u8 {
        peer.send_message(&[&[n]]);
        assert_eq!(bench.recv(), [n]);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(bench.connections(), 1);
}

#[test]
fn a_large_body_that_comes_slowly_counts_as_a_sign_of_life() {
    let bench = bound_with::<Pull>(&BEATING);
    let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
    let wire = tightbeam_tests::peer::message(&[&[3; 100_000]]);
    for piece in wire.chunks(5_000) {
        peer.send_bytes(piece);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(bench.recv(), [3; 100_000]);
}

#[test]
fn a_peer_whose_messages_the_application_is_slow_to_take_is_not_dropped() {
    let bench = bound_with::<Pull>(&[&BEATING[..], &[(number::RCVHWM, 2)]].concat());
    let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
    // Reading stops at the mark: the answers to PING lie behind messages in the kernel's buffer.
    for n in 0..10u8 {
        peer.send_message(&[&[n]]);
    }
    let until = Instant::now() + Duration::from_millis(1000);
    while Instant::now() < until {
        peer.expect("04 07 04 'PING' 000f");
        peer.send("04 05 04 'PONG'");
    }
    (0..10u8).for_each(|n| assert_eq!(bench.recv(), [n]));
    assert_eq!(bench.connections(), 1);
}

#[test]
fn a_peer_that_falls_silent_beyond_its_own_time_to_live_is_dropped() {
    let bench = bound::<Dealer>();
    let mut peer = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
    // Three tenths of a second.
    peer.send("04 07 04 'PING' 0003");
    peer.expect("04 05 04 'PONG'");
    peer.expect_closed();
    bench.wait_for_loss("no sign of life within the time to live that the peer announced");
}

#[test]
fn the_longest_time_to_live_is_understood() {
    let bench = bound::<Dealer>();
    let mut peer = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
    peer.send("04 07 04 'PING' ffff");
    peer.expect("04 05 04 'PONG'");
    bench.expect_good_service();
}

#[test]
fn peers_older_than_3_0_are_sent_no_ping_and_are_not_dropped() {
    for speaks in [Speaks::V1_0, Speaks::V2_0] {
        let bench = bound_with::<Push>(&BEATING);
        let mut peer = Peer::join(&bench.endpoint, "PULL", speaks);
        assert_eq!(peer.peek(Duration::from_millis(500)), None);
        bench.send("first");
        assert_eq!(peer.take_message(), [b"first"]);
    }
}
