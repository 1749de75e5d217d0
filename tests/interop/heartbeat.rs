//! Heartbeats between us and libzmq: they keep a silent connection, and end one whose other side is silent.

use std::thread;
use std::time::Duration;

use tightbeam::options::number;
use tightbeam::{AnySocket, EventKind, Monitor, SocketType};

use crate::ours::{self, Content, Shape};
use crate::proxy::Proxy;
use crate::theirs::{self, LIMIT};
use tightbeam_tests::transport::anywhere;

const INTERVAL_MS: i32 = 60;
const ONE: Shape = Shape { size: 100, parts: 1, count: 1 };

fn dealer_with_heartbeats() -> AnySocket {
    let dealer = ours::socket(SocketType::Dealer);
    ours::set(&dealer, number::HEARTBEAT_IVL, INTERVAL_MS);
    ours::set(&dealer, number::RECONNECT_IVL, 10);
    dealer
}

/// Whether a connection outlives ten intervals of silence. One that hears no answer to a heartbeat
/// never does; one that does is lost only while the machine is so busy that the answer comes late.
fn lasts_through_silence(monitor: &Monitor) -> bool {
    (0..20).any(|_| {
        thread::sleep(Duration::from_millis(10 * INTERVAL_MS as u64));
        !ours::has_happened(monitor, EventKind::Disconnected)
    })
}

/// Both sides have only heartbeats to say for many intervals.
#[test]
fn silence_is_no_end() {
    for program in theirs::all() {
        for (ours_ms, theirs_ms) in [(INTERVAL_MS, 0), (0, INTERVAL_MS), (INTERVAL_MS, INTERVAL_MS)]
        {
            let options = format!("--count 2 --heartbeat {theirs_ms}");
            let peer = theirs::start(program, "echo router", &anywhere(), &options);
            let dealer = ours::socket(SocketType::Dealer);
            ours::set(&dealer, number::HEARTBEAT_IVL, ours_ms);
            let monitor = dealer.monitor().expect("a monitor");
            dealer.connect(peer.endpoint()).expect("an endpoint");
            ours::ask(&dealer, &Content::new(ONE), &[]);
            let lasted = lasts_through_silence(&monitor);
            assert!(lasted, "heartbeats: {ours_ms} ms ours, {theirs_ms} ms theirs");
            ours::ask(&dealer, &Content::new(ONE), &[]);
            peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

/// A process that was stopped answers no heartbeat: we end the connection, and have another when it goes on.
#[test]
fn stopped_peers_are_dropped() {
    for program in theirs::all() {
        let peer = theirs::start(program, "echo router", &anywhere(), "--count 2");
        let dealer = dealer_with_heartbeats();
        let monitor = dealer.monitor().expect("a monitor");
        dealer.connect(peer.endpoint()).expect("an endpoint");
        ours::ask(&dealer, &Content::new(ONE), &[]);
        ours::wait_for(&monitor, EventKind::HandshakeSucceeded);
        theirs::signal(&peer, libc::SIGSTOP);
        ours::wait_for(&monitor, EventKind::Disconnected);
        theirs::signal(&peer, libc::SIGCONT);
        ours::wait_for(&monitor, EventKind::HandshakeSucceeded);
        ours::ask(&dealer, &Content::new(ONE), &[]);
        peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// The same when we accepted: then the peer has to come again.
#[test]
fn stopped_peers_that_connected_are_dropped() {
    let Some(c) = theirs::c() else { return };
    let dealer = dealer_with_heartbeats();
    let monitor = dealer.monitor().expect("a monitor");
    let endpoint = dealer.bind(anywhere()).expect("an endpoint");
    let peer = theirs::start(c, "echo router", endpoint.as_str(), "--connect --count 2");
    ours::ask(&dealer, &Content::new(ONE), &[]);
    ours::wait_for(&monitor, EventKind::HandshakeSucceeded);
    theirs::signal(&peer, libc::SIGSTOP);
    ours::wait_for(&monitor, EventKind::Disconnected);
    theirs::signal(&peer, libc::SIGCONT);
    ours::wait_for(&monitor, EventKind::HandshakeSucceeded);
    ours::ask(&dealer, &Content::new(ONE), &[]);
    peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
}

/// libzmq's heartbeats find that we are silent, and it ends the connection; ours are off. Then all goes on over another.
#[test]
fn a_frozen_network_is_noticed_by_libzmq() {
    for program in theirs::all() {
        let router = ours::socket(SocketType::Router);
        let monitor = router.monitor().expect("a monitor");
        let proxy = Proxy::new(router.bind(anywhere()).expect("an endpoint").as_str());
        let options = format!("--connect --count 2 --heartbeat {INTERVAL_MS} --id theirs --show 1");
        let mut peer = theirs::start(program, "echo dealer", proxy.endpoint(), &options);
        ours::set(&router, number::ROUTER_MANDATORY, 1);
        ours::ask(&router, &Content::new(ONE), &["theirs"]);
        ours::wait_for(&monitor, EventKind::HandshakeSucceeded);
        peer.wait_for("SAID", LIMIT).expect("the first message");
        proxy.freeze();
        proxy.wait_for_hang_up(LIMIT);
        proxy.thaw();
        ours::wait_for(&monitor, EventKind::Disconnected);
        ours::ask(&router, &Content::new(ONE), &["theirs"]);
        peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Our heartbeats find the same.
#[test]
fn a_frozen_network_is_noticed_by_us() {
    let Some(c) = theirs::c() else { return };
    let peer = theirs::start(c, "echo router", &anywhere(), "--count 2");
    let proxy = Proxy::new(peer.endpoint());
    let dealer = dealer_with_heartbeats();
    let monitor = dealer.monitor().expect("a monitor");
    dealer.connect(proxy.endpoint()).expect("an endpoint");
    ours::ask(&dealer, &Content::new(ONE), &[]);
    ours::wait_for(&monitor, EventKind::HandshakeSucceeded);
    proxy.freeze();
    ours::wait_for(&monitor, EventKind::Disconnected);
    proxy.thaw();
    ours::wait_for(&monitor, EventKind::HandshakeSucceeded);
    ours::ask(&dealer, &Content::new(ONE), &[]);
    peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
}
