//! Routing ids, probes, and connections without ZMTP.

use tightbeam::EventKind;
use tightbeam::SocketType::{Dealer, Req, Router, Stream};
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

#[test]
fn streams_tell_of_peers_that_come_and_go_unless_told_not_to() {
    Cast::each(|cast| {
        for notify in [1, 0] {
            let (mut actor, mut other) = cast.ends(Stream, Stream);
            actor.set_int(number::STREAM_NOTIFY, notify);
            let endpoint = actor.bind();
            other.set_text(number::CONNECT_ROUTING_ID, "server");
            other.connect(&endpoint);
            other.expect(&["server", ""]);
            other.send(&["server", "bytes"]);
            let mut message = actor.recv();
            if notify == 1 {
                assert_eq!(message[1], b"");
                let id = message.swap_remove(0);
                message = actor.recv();
                assert_eq!(message[0], id);
            }
            assert_eq!(message[1], b"bytes");
            actor.send(&[&message[0][..], b"answer"]);
            other.expect(&["server", "answer"]);
            // An empty message ends the connection.
            actor.send(&[&message[0][..], b""]);
            actor.stir();
            other.expect(&["server", ""]);
        }
    });
}

#[test]
fn a_raw_router_talks_with_whom_speaks_no_zmtp() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Router, Stream);
        actor.set_int(number::ROUTER_RAW, 1);
        other.set_text(number::CONNECT_ROUTING_ID, "server");
        let endpoint = actor.bind();
        other.connect(&endpoint);
        other.expect(&["server", ""]);
        other.send(&["server", "bytes"]);
        let message = loop {
            let message = actor.recv();
            if !message[1].is_empty() {
                break message;
            }
        };
        assert_eq!(message[1], b"bytes");
        actor.send(&[&message[0][..], b"answer"]);
        other.expect(&["server", "answer"]);
    });
}

/// What a peer says first: the signature of its greeting, `FF ... 7F` (RFC 23).
#[test]
fn a_stream_sees_the_greeting_of_a_dealer() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Dealer, Stream);
        let endpoint = actor.bind();
        other.set_text(number::CONNECT_ROUTING_ID, "server");
        other.connect(&endpoint);
        other.expect(&["server", ""]);
        let mut said = Vec::new();
        while said.len() < 10 {
            said.extend_from_slice(&other.recv()[1]);
        }
        assert_eq!((said[0], said[9]), (0xff, 0x7f), "{said:?}");
    });
}
