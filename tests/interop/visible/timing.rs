//! Heartbeats, the limit of the handshake, and coming again.

use std::iter::zip;
use std::time::Duration;

use tightbeam::EventKind::{
    ConnectRetried, Connected, Disconnected, HandshakeFailedNoDetail, HandshakeSucceeded,
};
use tightbeam::SocketType::{Dealer, Router};
use tightbeam::options::number;
use tightbeam_tests::proxy::Proxy;
use tightbeam_tests::transport::over_ipc;

use crate::stage::{Cast, End};

/// Two dealers that have met by way of a proxy.
fn dealers_apart(cast: &Cast, options: &[(i32, i32)]) -> (End, End, Proxy) {
    let (mut actor, mut other) = cast.ends(Dealer, Dealer);
    for (option, value) in options {
        actor.set_int(*option, *value);
    }
    let proxy = Proxy::to(other.bind());
    actor.connect(proxy.endpoint());
    actor.until(HandshakeSucceeded);
    other.until(HandshakeSucceeded);
    (actor, other, proxy)
}

#[test]
fn pings_are_answered_and_so_silence_is_no_end() {
    Cast::each(|cast| {
        let beats = [(number::HEARTBEAT_IVL, 20), (number::HEARTBEAT_TIMEOUT, 2_000)];
        let (mut actor, mut other, _proxy) = dealers_apart(cast, &beats);
        std::thread::sleep(Duration::from_millis(200));
        actor.send(&["still here"]);
        other.expect(&["still here"]);
        assert!(!actor.has_happened(Disconnected) && !other.has_happened(Disconnected));
    });
}

#[test]
fn a_peer_that_answers_no_ping_is_given_up() {
    Cast::each(|cast| {
        for timeout in [None, Some((number::HEARTBEAT_TIMEOUT, 100))] {
            let beats = [(number::HEARTBEAT_IVL, 200)].into_iter().chain(timeout);
            let (mut actor, _other, proxy) = dealers_apart(cast, &beats.collect::<Vec<_>>());
            proxy.stall();
            actor.until(Disconnected);
        }
    });
}

/// The pings say how long they hold; the peer, which has no heartbeats of its own, ends the connection.
#[test]
fn a_peer_keeps_the_time_to_live_that_it_is_told() {
    Cast::each(|cast| {
        let beats = [
            (number::HEARTBEAT_IVL, 50),
            (number::HEARTBEAT_TTL, 400),
            (number::HEARTBEAT_TIMEOUT, 60_000),
        ];
        let (_actor, mut other, proxy) = dealers_apart(cast, &beats);
        // Pings have passed: it is they that say how long they hold.
        std::thread::sleep(Duration::from_millis(200));
        proxy.stall();
        other.until(Disconnected);
    });
}

#[test]
fn a_handshake_that_does_not_end_is_ended() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Dealer, Dealer);
        actor.set_int(number::HANDSHAKE_IVL, 100);
        let proxy = Proxy::to(actor.bind());
        proxy.stall();
        other.connect(proxy.endpoint());
        actor.until_one(&[HandshakeFailedNoDetail, Disconnected]);
        other.until_one(&[HandshakeFailedNoDetail, Disconnected]);
    });
}

/// A connection is cut; whoever is to come again does so before the test looks at who is not.
#[test]
fn without_an_interval_a_connection_that_broke_is_the_last() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Dealer, Router);
        let mut control = cast.actor(Dealer);
        actor.set_int(number::RECONNECT_IVL, -1);
        let endpoint = other.bind();
        let proxy = Proxy::to(&endpoint);
        for dealer in [&mut actor, &mut control] {
            dealer.connect(proxy.endpoint());
            dealer.until(HandshakeSucceeded);
        }
        proxy.cut();
        actor.until(Disconnected);
        control.until(Disconnected);
        control.until(HandshakeSucceeded);
        proxy.cut();
        control.until(HandshakeSucceeded);
        assert!(!actor.has_happened(Connected));
        assert_eq!(proxy.accepted(), 4);
    });
}

/// With a maximum the pauses double up to it; something by chance may come on top.
#[test]
fn attempts_are_made_at_the_intervals_that_were_set() {
    Cast::each(|cast| {
        let nobody = cast.other(Router).reserve();
        let pauses = |longest: Option<i32>| {
            let mut actor = cast.actor(Dealer);
            actor.set_int(number::RECONNECT_IVL, 10);
            if let Some(longest) = longest {
                actor.set_int(number::RECONNECT_IVL_MAX, longest);
            }
            actor.connect(&nobody);
            [(); 5].map(|()| actor.until(ConnectRetried).value)
        };
        for (longest, bases) in [(Some(40), [10, 20, 40, 40, 40]), (None, [10; 5])] {
            let pauses = pauses(longest);
            let by_chance = |pause: u64, base| (base..=base + 10).contains(&pause);
            assert!(zip(pauses, bases).all(|(pause, base)| by_chance(pause, base)), "{pauses:?}");
        }
    });
}

#[test]
fn a_connection_that_was_refused_is_the_last_if_told_so() {
    if over_ipc() {
        return; // A path that is not there is no refusal.
    }
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Dealer, Router);
        let mut control = cast.actor(Dealer);
        let endpoint = other.reserve();
        actor.set_int(number::RECONNECT_STOP, 1);
        actor.connect(&endpoint);
        control.connect(&endpoint);
        for _ in 0..3 {
            control.until(ConnectRetried);
        }
        other.bind_again(&endpoint);
        control.until(HandshakeSucceeded);
        control.send(&["x"]);
        other.recv();
        assert!(!actor.has_happened(Connected));
    });
}
