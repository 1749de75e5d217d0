//! Budgets: that of a socket for all of its peers, and the limits that can be set.

use tightbeam::options::number;
use tightbeam::{Dealer, EventKind, Pull};
use tightbeam_tests::peer::{Peer, Speaks, bytes, command, frame, greeting, property};

use crate::bench::{Bench, bound_with};
use crate::child::alone;
use crate::memory;

const MIB: usize = 1 << 20;
const LIMIT: usize = 8 * MIB;

fn bounded() -> Bench<Pull> {
    bound_with::<Pull>(&[(number::MAX_SOCKET_BYTES, LIMIT as i32), (number::RCVHWM, 0)])
}

#[test]
fn beyond_the_budget_of_the_socket_the_peer_that_holds_most_goes() {
    if !alone("budget::beyond_the_budget_of_the_socket_the_peer_that_holds_most_goes") {
        return;
    }
    let bench = bounded();
    memory::reset_peak();
    let before = memory::live();
    let mut modest: Vec<Peer> =
        (0..3).map(|_| Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1)).collect();
    for peer in &mut modest {
        peer.send_bytes(&frame(0, &[b'm'; 50_000]).repeat(20));
    }
    let mut greedy = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
    let piece = frame(0, &[b'g'; 50_000]).repeat(10);
    while greedy.offer(&piece) {}
    let event = bench.wait_for(EventKind::BudgetExceeded);
    assert!(event.reason.is_some_and(|why| why.contains("the socket holds more than it may")));
    bench.wait_for_connections(3);
    let grown = usize::try_from(memory::peak() - before).expect("it grew");
    println!(
        "measured: {} KiB at the peak, {} KiB allowed for the socket",
        grown >> 10,
        LIMIT >> 10
    );
    assert!(grown <= 2 * LIMIT, "{grown} bytes");
    // What the others had sent is all there, and nothing of the greedy one.
    for _ in 0..60 {
        assert_eq!(bench.recv(), [b'm'; 50_000]);
    }
    bench.expect_nothing();
    assert_eq!(bench.socket.stats().expect("stats").counters.budgets_exceeded, 1);
    assert!(modest.iter_mut().all(|peer| !peer.is_closed()));
    bench.expect_good_service();
}

#[test]
fn peers_that_hold_half_a_message_each_do_not_hold_more_than_the_socket_may() {
    if !alone("budget::peers_that_hold_half_a_message_each_do_not_hold_more_than_the_socket_may") {
        return;
    }
    let bench = bounded();
    memory::reset_peak();
    let before = memory::live();
    let half = [bytes("02 0000000000200000"), vec![b'h'; MIB]].concat();
    let mut peers = Vec::new();
    for _ in 0..40 {
        let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
        peer.offer(&half);
        peers.push(peer);
    }
    // Those that hold as much as anybody went, one for each that came too many.
    for _ in 0..30 {
        bench.wait_for(EventKind::BudgetExceeded);
    }
    let grown = usize::try_from(memory::peak() - before).expect("it grew");
    println!(
        "measured: {} KiB at the peak, {} KiB allowed for the socket",
        grown >> 10,
        LIMIT >> 10
    );
    assert!(grown <= 2 * LIMIT + 4 * MIB, "{grown} bytes");
    bench.expect_good_service();
}

/// Messages of peers that have gone count, too: who comes again and again holds no more.
#[test]
fn what_peers_left_behind_counts_for_the_budget_of_the_socket() {
    if !alone("budget::what_peers_left_behind_counts_for_the_budget_of_the_socket") {
        return;
    }
    let bench = bounded();
    memory::reset_peak();
    let before = memory::live();
    let wire = frame(0, &vec![b'l'; 100_000]).repeat(20);
    for _ in 0..20 {
        let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
        peer.offer(&wire);
        peer.finish();
        peer.expect_closed_eventually();
    }
    bench.wait_for_connections(0);
    let grown = usize::try_from(memory::peak() - before).expect("it grew");
    assert!(grown <= 2 * LIMIT, "{grown} bytes");
    let mut left = 0;
    while bench.socket.try_recv().is_ok() {
        left += 1;
    }
    println!("measured: {} KiB at the peak, {left} messages of 400 left", grown >> 10);
    assert!((1..=90).contains(&left), "{left} messages left");
    bench.expect_good_service();
}

#[test]
fn commands_properties_and_pings_have_limits_that_can_be_set() {
    let limits = [
        (number::MAX_COMMAND_BYTES, 1000),
        (number::MAX_PROPERTIES, 3),
        (number::MAX_PING_CONTEXT, 20),
    ];
    let bench = bound_with::<Dealer>(&limits);
    let socket_type = property("Socket-Type", b"DEALER");
    for (data, reason) in [
        (property("X-long", &[b'v'; 1000]), "above the limit of 1000"),
        (bytes("03 'X-a' 00000000 03 'X-b' 00000000 03 'X-c' 00000000"), "more than 3 metadata"),
    ] {
        let mut peer = Peer::connect(&bench.endpoint);
        let ready = command("READY", &[&socket_type[..], &data].concat());
        peer.offer(&[greeting(1), ready].concat());
        peer.expect_closed_eventually();
        bench.wait_for_loss(reason);
    }
    let mut peer = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
    peer.send("04 1b 04 'PING' 0000 'x'*20");
    assert_eq!(peer.expect_command("PONG"), [b'x'; 20]);
    peer.send("04 1c 04 'PING' 0000 'x'*21");
    peer.expect_closed_eventually();
    bench.wait_for_loss("a malformed PING");
    bench.expect_good_service();
}
