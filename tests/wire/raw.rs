//! What peers do to sockets without protocol, STREAM and raw ROUTERs: they drip, flood, leave half
//! open, reset, come and go. What they say is received whole and in order, and others are served.

use tightbeam::options::number;
use tightbeam::{Router, Stream, Typed};
use tightbeam_tests::peer::Peer;

use crate::bench::{Bench, bound_with};
use crate::child::alone;
use crate::memory;

const MIB: isize = 1 << 20;

/// The next message: a routing id and bytes.
fn next<T: Typed>(bench: &Bench<T>) -> (Vec<u8>, Vec<u8>) {
    let message = bench.recv_message();
    let [id, bytes] = <[Vec<u8>; 2]>::try_from(message).expect("a routing id and bytes");
    assert_eq!(id.len(), 5, "{id:?}");
    (id, bytes)
}

/// Bytes from one peer until so many have come, or it has gone.
fn hear<T: Typed>(bench: &Bench<T>, id: &[u8], length: usize) -> Vec<u8> {
    let mut heard = Vec::new();
    while heard.len() < length {
        let (from, bytes) = next(bench);
        assert_eq!(from, id);
        if bytes.is_empty() {
            break;
        }
        heard.extend(bytes);
    }
    heard
}

/// A peer, its routing id, the notice of it received.
fn visitor<T: Typed>(bench: &Bench<T>) -> (Peer, Vec<u8>) {
    let peer = Peer::connect(&bench.endpoint);
    let (id, bytes) = next(bench);
    assert_eq!(bytes, b"", "the notice of a connection");
    (peer, id)
}

/// A new peer says something and gets an answer, while nothing else waits to be received.
fn expect_good_service<T: Typed>(bench: &Bench<T>) {
    let (mut peer, id) = visitor(bench);
    peer.send_bytes(b"good");
    assert_eq!(hear(bench, &id, 4), b"good");
    bench.send([id.clone(), b"served".to_vec()]);
    peer.expect_bytes(b"served");
    peer.cut();
    assert_eq!(next(bench), (id, Vec::new()), "the notice of the end");
}

/// A STREAM, and a ROUTER that is one but for its name.
fn both(options: &[(i32, i32)]) -> (Bench<Stream>, Bench<Router>) {
    let router = [&[(number::ROUTER_RAW, 1)], options].concat();
    (bound_with(options), bound_with(&router))
}

fn drip<T: Typed>(bench: &Bench<T>) {
    let said: Vec<u8> = (0..20_000u32).map(|n| n as u8).collect();
    let (mut peer, id) = visitor(bench);
    let before = memory::live();
    let (first, rest) = said.split_at(5_000);
    peer.drip(first);
    let sender = std::thread::spawn({
        let rest = rest.to_vec();
        move || {
            peer.drip(&rest);
            peer
        }
    });
    // So much waits at most, whatever the size of the pieces.
    let held = memory::live() - before;
    assert!(held < MIB, "{held} bytes held for 5,000 received");
    assert!(hear(bench, &id, said.len()) == said);
    sender.join().expect("sent").cut();
    assert_eq!(next(bench), (id, Vec::new()));
    expect_good_service(bench);
}

#[test]
fn bytes_that_drip_are_received_in_order_and_cost_little() {
    if !alone("raw::bytes_that_drip_are_received_in_order_and_cost_little") {
        return;
    }
    let (stream, router) = both(&[]);
    drip(&stream);
    drip(&router);
}

fn half_open<T: Typed>(bench: &Bench<T>) {
    let (mut peer, id) = visitor(bench);
    peer.send_bytes(&[7; 100_000]);
    peer.finish();
    // All of it, and then the notice of the end: a peer that will not speak any more has gone.
    assert_eq!(hear(bench, &id, 100_001), [7; 100_000]);
    peer.expect_closed_eventually();
    bench.wait_for_connections(0);
    expect_good_service(bench);
}

#[test]
fn what_a_peer_said_before_it_closed_its_side_is_received_and_then_it_has_gone() {
    let (stream, router) = both(&[]);
    half_open(&stream);
    half_open(&router);
}

fn flood<T: Typed>(bench: &Bench<T>) {
    let (mut flooder, from) = visitor(bench);
    memory::reset_peak();
    let before = memory::live();
    let sender = std::thread::spawn(move || {
        let piece = [9; 65_536];
        while flooder.offer(&piece) {}
    });
    // Another peer is served, among what this one sends.
    let mut peer = Peer::connect(&bench.endpoint);
    peer.send_bytes(b"me");
    let other = loop {
        let (id, bytes) = next(bench);
        if id != from && bytes == b"me" {
            break id;
        }
    };
    bench.send([other, b"you".to_vec()]);
    peer.expect_bytes(b"you");
    std::thread::sleep(std::time::Duration::from_millis(200));
    let held = memory::peak() - before;
    println!("measured: a flood of bytes: {} KiB at the peak", held / 1024);
    // The mark of 100 messages of 8 KiB, and what one read brings.
    assert!(held < 2 * MIB, "{held} bytes held for a flood");
    // An empty message ends the flooder's connection.
    bench.send([from, Vec::new()]);
    sender.join().expect("its connection has ended");
    peer.cut();
    bench.wait_for_connections(0);
}

#[test]
fn a_flood_is_held_back_at_the_high_water_mark() {
    if !alone("raw::a_flood_is_held_back_at_the_high_water_mark") {
        return;
    }
    let (stream, router) = both(&[(number::RCVHWM, 100)]);
    flood(&stream);
    flood(&router);
}

fn come_and_go<T: Typed>(bench: &Bench<T>) {
    let visit = |n: u32| {
        let mut peer = Peer::connect(&bench.endpoint);
        if n.is_multiple_of(2) {
            peer.offer(b"x");
        }
        if n.is_multiple_of(3) {
            peer.reset()
        } else {
            peer.cut()
        }
        // The notices of its beginning and its end, whatever it said in between.
        let mut notices = 0;
        while notices < 2 {
            notices += usize::from(next(bench).1.is_empty());
        }
        while bench.events.try_next().is_some() {}
    };
    (0..500).for_each(visit);
    bench.wait_for_connections(0);
    let (before, descriptors) = (memory::live(), memory::descriptors());
    (0..2_000).for_each(visit);
    bench.wait_for_connections(0);
    let grown = memory::live() - before;
    // A thread that has not read before may have made its buffer: 128 KiB.
    assert!(grown <= 160 * 1024, "{grown} bytes more after 2,000 peers");
    assert!(memory::descriptors() <= descriptors + 1);
    assert!(bench.socket.stats().expect("stats").peers.is_empty());
    expect_good_service(bench);
}

#[test]
fn peers_that_come_and_go_leave_nothing_behind() {
    if !alone("raw::peers_that_come_and_go_leave_nothing_behind") {
        return;
    }
    let (stream, router) = both(&[]);
    come_and_go(&stream);
    come_and_go(&router);
}

fn reset_while_sent_to<T: Typed>(bench: &Bench<T>) {
    for _ in 0..20 {
        let (peer, id) = visitor(bench);
        let mut accepted = 0;
        while accepted < 100 && bench.any().try_send([&id[..], &[1; 100_000]]).is_ok() {
            accepted += 1;
        }
        assert!(accepted > 0);
        peer.reset();
        assert_eq!(next(bench), (id, Vec::new()), "the notice of the end");
    }
    bench.wait_for_connections(0);
    expect_good_service(bench);
}

#[test]
fn a_reset_while_much_is_sent_ends_that_connection_alone() {
    let (stream, router) = both(&[]);
    reset_while_sent_to(&stream);
    reset_while_sent_to(&router);
}

/// A peer cannot take another's name: it has no means to say one, and ids are not used again soon.
#[test]
fn no_two_connections_have_the_same_id() {
    let (stream, _) = both(&[]);
    let mut ids = std::collections::HashSet::new();
    for _ in 0..300 {
        let (mut peer, id) = visitor(&stream);
        peer.send_bytes(&[&b"\xff\0\0\0\0\0\0\0\x01\x7f"[..], &id].concat());
        assert_eq!(hear(&stream, &id, 15).len(), 15);
        peer.cut();
        assert!(ids.insert(next(&stream).0));
    }
    expect_good_service(&stream);
}
