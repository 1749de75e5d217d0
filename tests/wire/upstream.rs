//! What hostile subscribers send to publishers, and hostile publishers to subscribers: what was never subscribed,
//! floods nobody receives, names that many want.

use std::time::Duration;

use tightbeam::options::number;
use tightbeam::{Message, Router, XPub, XSub};
use tightbeam_tests::peer::{Peer, Speaks, command, frame, frame_v1};

use crate::bench::{Bench, bound, bound_with};
use crate::child::alone;
use crate::memory;

const MIB: isize = 1 << 20;

/// A subscriber of this version.
fn subscriber(bench: &Bench<XPub>, speaks: Speaks) -> Peer {
    let socket_type = if speaks < Speaks::V3_0 { "SUB" } else { "XSUB" };
    Peer::join(&bench.endpoint, socket_type, speaks)
}

/// A message of one part in this version.
fn wire(speaks: Speaks, body: &[u8]) -> Vec<u8> {
    if speaks == Speaks::V1_0 { frame_v1(0, body) } else { frame(0, body) }
}

/// A new subscriber is heard and told.
fn expect_good_service(bench: &Bench<XPub>) {
    let mut good = subscriber(bench, Speaks::V3_1);
    good.send_bytes(&command("SUBSCRIBE", b"good"));
    while bench.recv() != b"\x01good" {}
    bench.send("good morning");
    assert_eq!(good.take_message(), [b"good morning"]);
    good.send_bytes(&command("CANCEL", b"good"));
    while bench.recv() != b"\0good" {}
}

#[test]
fn cancelling_what_was_not_subscribed_takes_nothing_from_anybody() {
    for speaks in [Speaks::V2_0, Speaks::V3_0, Speaks::V3_1] {
        let bench = bound::<XPub>();
        let mut owner = subscriber(&bench, speaks);
        owner.send_bytes(&wire(speaks, b"\x01mine"));
        assert_eq!(bench.recv(), b"\x01mine");
        let mut thief = subscriber(&bench, speaks);
        for topic in [&b"mine"[..], b"", b"min", b"mine and more", &[0xff; 300]] {
            thief.send_bytes(&wire(speaks, &[b"\0", topic].concat()).repeat(50));
            if speaks == Speaks::V3_1 {
                thief.send_bytes(&command("CANCEL", topic).repeat(50));
            }
        }
        thief.send_bytes(&wire(speaks, b"\x01done"));
        assert_eq!(bench.recv(), b"\x01done", "nothing was cancelled");
        bench.send("mine, still");
        assert_eq!(owner.take_message(), [b"mine, still"]);
        thief.cut();
        assert_eq!(bench.recv(), b"\0done");
        expect_good_service(&bench);
    }
}

#[test]
fn a_flood_of_cancellations_that_an_xpub_is_told_of_ends_at_the_budget() {
    if !alone("upstream::a_flood_of_cancellations_that_an_xpub_is_told_of_ends_at_the_budget") {
        return;
    }
    let options = [(number::XPUB_VERBOSER, 1), (number::MAX_SUBSCRIPTIONS, 50_000)];
    let bench = bound_with::<XPub>(&options);
    for piece in [command("CANCEL", b"never").repeat(1_000), frame(0, b"\x01t").repeat(1_000)] {
        let before = memory::live();
        memory::reset_peak();
        let mut peer = subscriber(&bench, Speaks::V3_1);
        let mut pieces = 0;
        while pieces < 10_000 && peer.offer(&piece) {
            pieces += 1;
        }
        bench.wait_for_loss("budget of subscriptions");
        let grown = memory::peak() - before;
        println!("measured: 50,000 notices: {} KiB at the peak", grown / 1024);
        assert!(grown < 16 * MIB, "{grown} bytes");
        expect_good_service(&bench);
        bench.wait_for_connections(0);
        while bench.any().try_recv().is_ok() {}
        while bench.events.try_next().is_some() {}
    }
}

#[test]
fn messages_of_a_subscriber_that_nobody_receives_stop_at_the_high_water_mark() {
    if !alone("upstream::messages_of_a_subscriber_that_nobody_receives_stop_at_the_high_water_mark")
    {
        return;
    }
    let bench = bound_with::<XPub>(&[(number::RCVHWM, 100)]);
    memory::reset_peak();
    let before = memory::live();
    let mut flooder = subscriber(&bench, Speaks::V3_1);
    let sender = std::thread::spawn(move || {
        let piece = frame(0, &[2; 1_000]).repeat(100);
        while flooder.offer(&piece) {}
    });
    std::thread::sleep(Duration::from_millis(300));
    let grown = memory::peak() - before;
    println!("measured: a flood of messages upstream: {} KiB at the peak", grown / 1024);
    assert!(grown < 2 * MIB, "{grown} bytes");
    expect_good_service(&bench);
    drop(bench);
    sender.join().expect("its connection has ended");
}

#[test]
fn publishers_that_subscribe_and_cancel_do_no_harm() {
    let bench = bound::<XSub>();
    let mut peer = Peer::join(&bench.endpoint, "XPUB", Speaks::V3_1);
    for name in ["SUBSCRIBE", "CANCEL"] {
        peer.offer(&command(name, b"topic").repeat(1_000));
    }
    let mut good = Peer::join(&bench.endpoint, "PUB", Speaks::V3_1);
    bench.send("\u{1}good");
    good.expect_command("SUBSCRIBE");
    good.send_message(&[b"good morning"]);
    assert_eq!(bench.recv(), b"good morning");
}

/// Many connections take one name from each other while all of them send and are sent to.
#[test]
fn a_name_that_many_take_over_at_once_belongs_to_one_and_the_last_is_served() {
    let bench = bound_with::<Router>(&[(number::ROUTER_HANDOVER, 1)]);
    let endpoint = bench.endpoint.clone();
    let rivals: Vec<_> = (0..8u8)
        .map(|rival| {
            let endpoint = endpoint.clone();
            std::thread::spawn(move || {
                for round in 0..60u8 {
                    let peer = Peer::connect(&endpoint);
                    let mut peer = peer.shake_hands("DEALER", b"name", Speaks::V3_1);
                    peer.offer(&frame(0, &[rival, round]).repeat(20));
                    if round % 2 == 0 { peer.reset() } else { peer.cut() }
                }
            })
        })
        .collect();
    while rivals.iter().any(|rival| !rival.is_finished()) {
        let _ = bench.any().try_send(Message::multipart([&b"name"[..], b"whoever you are"]));
        if let Ok(message) = bench.any().recv_timeout(Duration::from_millis(1)) {
            assert_eq!((message.len(), &message[0][..]), (2, &b"name"[..]));
        }
        while bench.events.try_next().is_some() {}
    }
    rivals.into_iter().for_each(|rival| rival.join().expect("a rival"));
    bench.wait_for_connections(0);
    while bench.any().try_recv().is_ok() {}
    assert!(bench.socket.stats().expect("stats").peers.is_empty());
    let mut last = Peer::connect(&endpoint).shake_hands("DEALER", b"name", Speaks::V3_1);
    last.send_message(&[b"last"]);
    assert_eq!(bench.recv_message(), [&b"name"[..], b"last"]);
    bench.send([&b"name"[..], b"served"]);
    assert_eq!(last.take_message(), [b"served"]);
    bench.expect_good_service();
}
