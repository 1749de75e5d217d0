//! What peers see of connections that end and are made again, and of endpoints that are given up.

use tightbeam::EventKind::{ConnectRetried, Disconnected, HandshakeSucceeded};
use tightbeam::SocketType::{Dealer, Pair, Pull, Push, Rep, Req, Router, Sub, XPub, XSub};
use tightbeam::options::number;
use tightbeam_tests::proxy::Proxy;

use crate::stage::{Cast, End};

/// Two that have met by way of a proxy.
fn meet_apart(actor: &mut End, other: &mut End) -> Proxy {
    let proxy = Proxy::to(other.bind());
    actor.connect(proxy.endpoint());
    actor.until(HandshakeSucceeded);
    other.until(HandshakeSucceeded);
    proxy
}

fn cut(proxy: &Proxy, actor: &mut End, other: &mut End) {
    proxy.cut();
    for end in [actor, other] {
        end.until(Disconnected);
        end.until(HandshakeSucceeded);
        end.stir();
    }
}

#[test]
fn subscriptions_are_made_again() {
    Cast::each(|cast| {
        for subscriber in [Sub, XSub] {
            let (mut actor, mut other) = cast.ends(subscriber, XPub);
            let proxy = meet_apart(&mut actor, &mut other);
            let want = |actor: &mut End, topic: &str| match subscriber {
                Sub => actor.set_text(number::SUBSCRIBE, topic),
                _ => actor.send(&[format!("\x01{topic}")]),
            };
            want(&mut actor, "t");
            other.expect(&["\x01t"]);
            cut(&proxy, &mut actor, &mut other);
            want(&mut actor, "end");
            // Whoever has gone wants nothing any more, and is back: unless the one came before the other was missed.
            let mut told = vec![other.recv().remove(0)];
            while told.last().is_some_and(|last| last != b"\x01end") {
                told.push(other.recv().remove(0));
            }
            assert!(told.len() == 1 || told[..2] == [b"\0t", b"\x01t"], "{told:?}");
            other.send(&["t 1"]);
            actor.expect(&["t 1"]);
        }
    });
}

#[test]
fn whoever_comes_again_is_welcomed_again() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(XPub, Sub);
        actor.set_text(number::XPUB_WELCOME_MSG, "welcome");
        other.set_text(number::SUBSCRIBE, "");
        let proxy = meet_apart(&mut other, &mut actor);
        other.expect(&["welcome"]);
        cut(&proxy, &mut other, &mut actor);
        other.expect(&["welcome"]);
    });
}

#[test]
fn a_pair_finds_its_peer_again() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Pair, Pair);
        let endpoint = other.bind();
        actor.connect(&endpoint);
        actor.send(&["1"]);
        other.expect(&["1"]);
        other.finish();
        actor.until(Disconnected);
        actor.send(&["2"]);
        let mut other = cast.other(Pair);
        other.bind_again(&endpoint);
        other.expect(&["2"]);
        other.send(&["3"]);
        actor.expect(&["3"]);
    });
}

#[test]
fn a_replier_serves_who_comes_again() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Rep, Req);
        other.set_int(number::REQ_RELAXED, 1);
        other.set_int(number::REQ_CORRELATE, 1);
        let proxy = meet_apart(&mut other, &mut actor);
        other.send(&["lost"]);
        actor.expect(&["lost"]);
        cut(&proxy, &mut other, &mut actor);
        // Nobody hears this.
        actor.send(&["to nobody"]);
        other.send(&["again"]);
        actor.expect(&["again"]);
        actor.send(&["answer"]);
        other.expect(&["answer"]);
    });
}

#[test]
fn a_name_is_free_when_its_bearer_has_gone() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Dealer, Router);
        actor.set_text(number::ROUTING_ID, "bearer");
        other.set_int(number::ROUTER_MANDATORY, 1);
        let proxy = meet_apart(&mut actor, &mut other);
        for body in ["1", "2", "3"] {
            actor.send(&[body]);
            other.expect(&["bearer", body]);
            other.send(&["bearer", body]);
            actor.expect(&[body]);
            cut(&proxy, &mut actor, &mut other);
        }
    });
}

/// Those that came there are disconnected, and find nobody; what they sent is not lost.
#[test]
fn an_endpoint_that_is_given_up_ends_its_connections() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Pull, Push);
        let endpoints = [actor.bind(), actor.bind()];
        for endpoint in &endpoints {
            other.connect(endpoint);
            other.until(HandshakeSucceeded);
        }
        other.send(&["1"]);
        other.send(&["2"]);
        let mut bodies = [actor.recv().remove(0), actor.recv().remove(0)];
        bodies.sort();
        assert_eq!(bodies, [b"1", b"2"]);
        actor.unbind(&endpoints[0]);
        other.until(Disconnected);
        other.disconnect(&endpoints[0]);
        other.send(&["3"]);
        actor.expect(&["3"]);
        let mut newcomer = cast.other(Push);
        newcomer.connect(&endpoints[0]);
        newcomer.until(ConnectRetried);
        newcomer.connect(&endpoints[1]);
        newcomer.until(HandshakeSucceeded);
    });
}

#[test]
fn what_was_sent_before_disconnecting_arrives() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Push, Pull);
        let endpoint = other.bind();
        actor.connect(&endpoint);
        for i in 0..100 {
            actor.send(&[i.to_string()]);
        }
        actor.disconnect(&endpoint);
        for i in 0..100 {
            other.expect(&[i.to_string()]);
        }
        other.until(Disconnected);
        assert_eq!(actor.try_send(&["x"]), Err(libc::EAGAIN));
    });
}
