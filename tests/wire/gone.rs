//! Peers that have closed: what they sent before arrives, although nothing can be written to them any more.

use tightbeam::options::number::{HEARTBEAT_IVL, RCVHWM, SNDHWM};
use tightbeam::{Dealer, EventKind, Message, Pull, Router, Typed};
use tightbeam_tests::peer::{Peer, Speaks, message};
use tightbeam_tests::transport::anywhere_over;

use crate::bench::{Bench, bound_with, connected};

const MESSAGES: usize = 40;
/// Most of them stay in the system with a receive mark of 1, and all of them fit there.
const SIZE: usize = 1000;

fn body(n: usize) -> String {
    format!("{n:0SIZE$}")
}

fn say_all(peer: &mut Peer) {
    // In one go, so that all of it is in the hands of the receiver's system when the peer closes.
    let wire = (0..MESSAGES).flat_map(|n| message(&[body(n).as_bytes()]));
    peer.send_bytes(&wire.collect::<Vec<u8>>());
}

fn expect_all<T: Typed>(bench: &Bench<T>) {
    for n in 0..MESSAGES {
        assert_eq!(bench.recv(), body(n).as_bytes(), "message {n}");
    }
}

#[test]
fn all_requests_of_a_peer_that_has_closed_arrive_although_it_takes_no_answer() {
    let bench = bound_with::<Router>(&[(RCVHWM, 1)]);
    let mut peer = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
    bench.wait_for(EventKind::HandshakeSucceeded);
    say_all(&mut peer);
    peer.cut();
    for n in 0..MESSAGES {
        let request = bench.recv_message();
        assert_eq!(request[1], body(n).as_bytes());
        // The first is answered with a reset, and the second finds it.
        // Nobody is there to be routed to later on.
        let _ = bench.any().try_send(Message::multipart([&request[0][..], b"answer"]));
    }
    bench.wait_for(EventKind::Disconnected);
}

#[test]
fn all_messages_of_a_peer_that_has_closed_arrive_although_it_does_not_answer_a_ping() {
    let bench = bound_with::<Pull>(&[(RCVHWM, 1), (HEARTBEAT_IVL, 20)]);
    let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
    say_all(&mut peer);
    peer.cut();
    bench.wait_for(EventKind::Disconnected);
    expect_all(&bench);
}

#[test]
fn who_sends_without_receiving_is_connected_again_and_all_that_came_before_arrives() {
    let (bench, lounge) = connected::<Dealer>(&[(RCVHWM, 1), (SNDHWM, 4)]);
    let mut first = lounge.accept().shake_hands("DEALER", b"", Speaks::V3_1);
    bench.wait_for(EventKind::HandshakeSucceeded);
    say_all(&mut first);
    first.cut();
    let _second = std::thread::scope(|scope| {
        scope.spawn(|| (0..10).for_each(|n| bench.send(format!("question {n}"))));
        // The first is answered with a reset, and those behind it wait for room.
        let mut second = lounge.accept().shake_hands("DEALER", b"", Speaks::V3_1);
        assert!(second.take_message()[0].starts_with(b"question"));
        second
    });
    expect_all(&bench);
}

#[test]
fn who_takes_nothing_more_and_goes_on_sending_is_not_read_without_end() {
    let bench = bound_with::<Pull>(&[(RCVHWM, 1), (HEARTBEAT_IVL, 20)]);
    // Over TCP the other side would not be told that nothing is taken.
    let endpoint = bench.socket.bind(anywhere_over(true)).unwrap().to_string();
    // Sooner sent than read, most of the time.
    let wire = message(&[b""]).repeat(100_000);
    for _ in 0..20 {
        let mut peer = Peer::join(&endpoint, "PUSH", Speaks::V3_1);
        peer.take_nothing_more();
        assert!((0..100).any(|_| !peer.offer(&wire)), "all of it was taken");
        bench.wait_for(EventKind::Disconnected);
    }
}
