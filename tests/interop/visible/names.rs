//! Routing ids and probes.

use tightbeam::EventKind;
use tightbeam::SocketType::{Dealer, Req, Router};
use tightbeam::options::number;

use crate::stage::{Cast, End};

#[test]
fn a_router_knows_peers_by_the_ids_that_they_set() {
    Cast::each(|cast| {
        for (socket_type, body) in [(Dealer, &["x", "y"][..]), (Req, &["", "x", "y"])] {
            let (mut actor, mut other) = cast.ends(socket_type, Router);
            actor.set_text(number::ROUTING_ID, "named");
            actor.meet(&mut other);
            actor.send(&["x", "y"]);
            other.expect(&[&["named"], body].concat());
            other.send(&[&["named"], body].concat());
            actor.expect(&["x", "y"]);
        }
    });
}

#[test]
fn a_probe_comes_before_anything_else_whoever_connects() {
    Cast::each(|cast| {
        for socket_type in [Dealer, Req, Router] {
            for connects in [true, false] {
                let (mut actor, mut other) = cast.ends(socket_type, Router);
                actor.set_text(number::ROUTING_ID, "prober");
                actor.set_int(number::PROBE_ROUTER, 1);
                if connects {
                    actor.meet(&mut other);
                } else {
                    other.meet(&mut actor);
                }
                actor.stir();
                other.expect(&["prober", ""]);
            }
        }
    });
}

#[test]
fn only_a_mandatory_router_says_that_nobody_is_there() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Router, Dealer);
        assert_eq!(actor.try_send(&["nobody", "x"]), Ok(()));
        actor.set_int(number::ROUTER_MANDATORY, 1);
        assert_eq!(actor.try_send(&["nobody", "x"]), Err(libc::EHOSTUNREACH));
        other.set_text(number::ROUTING_ID, "somebody");
        other.meet(&mut actor);
        while actor.try_send(&["somebody", "x"]).is_err() {}
        other.expect(&["x"]);
        other.close();
        actor.until(EventKind::Disconnected);
        while actor.try_send(&["somebody", "x"]).is_ok() {}
        assert_eq!(actor.try_send(&["somebody", "x"]), Err(libc::EHOSTUNREACH));
    });
}

/// A router, and two dealers that have the same name, of which the first does not come again.
fn namesakes(cast: &Cast, handover: i32) -> [End; 3] {
    let (mut router, mut first) = cast.ends(Router, Dealer);
    let mut second = cast.other(Dealer);
    router.set_int(number::ROUTER_HANDOVER, handover);
    router.set_int(number::ROUTER_MANDATORY, 1);
    let endpoint = router.bind();
    for dealer in [&mut first, &mut second] {
        dealer.set_text(number::ROUTING_ID, "same");
        dealer.set_int(number::RECONNECT_IVL, -1);
        dealer.connect(&endpoint);
        router.until(EventKind::HandshakeSucceeded);
        dealer.until(EventKind::HandshakeSucceeded);
        dealer.send(&["here"]);
        if handover == 1 {
            router.expect(&["same", "here"]);
        }
    }
    if handover == 0 {
        router.expect(&["same", "here"]);
    }
    [router, first, second]
}

#[test]
fn with_handover_a_name_belongs_to_whom_came_last() {
    Cast::each(|cast| {
        let [mut router, mut first, mut second] = namesakes(cast, 1);
        router.send(&["same", "x"]);
        second.expect(&["x"]);
        // The first one stays connected, and unheard.
        first.send(&["deposed"]);
        second.send(&["in charge"]);
        router.expect(&["same", "in charge"]);
        assert!(!first.has_happened(EventKind::Disconnected));
    });
}

#[test]
fn without_handover_a_name_belongs_to_whom_came_first() {
    Cast::each(|cast| {
        let [mut router, mut first, _second] = namesakes(cast, 0);
        router.send(&["same", "x"]);
        first.expect(&["x"]);
    });
}

#[test]
fn a_router_names_one_peer_to_which_it_connects() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Router, Dealer);
        let mut another = cast.other(Dealer);
        actor.set_int(number::ROUTER_MANDATORY, 1);
        actor.set_text(number::CONNECT_ROUTING_ID, "chosen");
        let endpoints = [other.bind(), another.bind()];
        actor.connect(&endpoints[0]);
        actor.connect(&endpoints[1]);
        actor.send(&["chosen", "x"]);
        other.expect(&["x"]);
        other.send(&["y"]);
        actor.expect(&["chosen", "y"]);
        another.send(&["z"]);
        let message = actor.recv();
        assert_ne!(message[0], b"chosen");
        assert_eq!(message[1], b"z");
    });
}

/// Both name the other one as they like, whatever it calls itself.
#[test]
fn routers_name_each_other() {
    Cast::each(|cast| {
        for own_names in [false, true] {
            let (mut actor, mut other) = cast.ends(Router, Router);
            if own_names {
                actor.set_text(number::ROUTING_ID, "actor");
                other.set_text(number::ROUTING_ID, "other");
            }
            for router in [&mut actor, &mut other] {
                router.set_int(number::ROUTER_MANDATORY, 1);
            }
            let endpoint = other.bind();
            actor.set_text(number::CONNECT_ROUTING_ID, "the one that binds");
            actor.connect(&endpoint);
            actor.send(&["the one that binds", "x", "y"]);
            let mut message = other.recv();
            assert_eq!(message[1..], [b"x", b"y"]);
            if own_names {
                assert_eq!(message[0], b"actor");
            }
            message[1] = b"answer".to_vec();
            other.send(&message);
            actor.expect(&["the one that binds", "answer", "y"]);
        }
    });
}

#[test]
fn a_name_that_was_chosen_lasts_over_reconnects() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Router, Dealer);
        actor.set_int(number::ROUTER_MANDATORY, 1);
        let endpoint = other.bind();
        actor.set_text(number::CONNECT_ROUTING_ID, "chosen");
        actor.connect(&endpoint);
        actor.send(&["chosen", "x"]);
        other.expect(&["x"]);
        other.finish();
        actor.until(EventKind::Disconnected);
        let mut other = cast.other(Dealer);
        other.bind_again(&endpoint);
        other.send(&["y"]);
        actor.expect(&["chosen", "y"]);
        actor.send(&["chosen", "z"]);
        other.expect(&["z"]);
    });
}
