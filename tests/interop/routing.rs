//! Routing ids: given, made up, taken twice, handed over.

use std::collections::HashSet;

use tightbeam::options::number;
use tightbeam::{Error, EventKind, SocketType};

use crate::ours::{self, Content, Shape};
use crate::theirs::{self, ANYWHERE, LIMIT};

const SHAPE: Shape = Shape { size: 10, parts: 1, count: 1 };

#[test]
fn ids_of_libzmq_peers_are_seen_and_others_made_up() {
    for program in theirs::all() {
        let router = ours::socket(SocketType::Router);
        let endpoint = router.bind(ANYWHERE).expect("an endpoint");
        let options = ["--id alpha", "", "", "--id beta"];
        let peers: Vec<_> = options
            .iter()
            .map(|id| theirs::start(program, "source dealer", endpoint.as_str(), id))
            .collect();
        let mut ids = HashSet::new();
        for _ in &peers {
            let message = router.recv().expect("a message");
            let peer = message[1].peer().expect("a part that came from a peer");
            assert_eq!(peer.socket_type(), Some(SocketType::Dealer));
            assert_eq!(peer.address(), "127.0.0.1");
            ids.insert(message[0].to_vec());
        }
        assert_eq!(ids.len(), peers.len(), "{ids:?}");
        assert!(ids.remove(&b"alpha"[..]) && ids.remove(&b"beta"[..]), "{ids:?}");
        // RFC 28: those that a router makes up are five bytes, the first of them zero.
        assert!(ids.iter().all(|id| id.len() == 5 && id[0] == 0), "{ids:?}");
        for peer in peers {
            peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

#[test]
fn unknown_ids_are_refused_with_the_message() {
    let Some(c) = theirs::c() else { return };
    let router = ours::socket(SocketType::Router);
    ours::set(&router, number::ROUTER_MANDATORY, 1);
    let endpoint = router.bind(ANYWHERE).expect("an endpoint");
    let content = Content::new(SHAPE);
    let nobody = content.message(0, &["nobody"]);
    let refused = router.send(nobody.clone()).expect_err("there is nobody");
    assert!(matches!(refused.error, Error::Unroutable(_)), "{refused}");
    assert_eq!(refused.message, nobody);
    let peer = theirs::start(c, "sink dealer", endpoint.as_str(), "--connect --id x --size 10");
    ours::source(&router, &content, &["x"]);
    peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
}

/// With the option a newcomer takes over an id that is in use.
#[test]
fn a_newcomer_takes_over() {
    for program in theirs::all() {
        let router = ours::socket(SocketType::Router);
        ours::set(&router, number::ROUTER_MANDATORY, 1);
        ours::set(&router, number::ROUTER_HANDOVER, 1);
        let monitor = router.monitor().expect("a monitor");
        let endpoint = router.bind(ANYWHERE).expect("an endpoint");
        let content = Content::new(SHAPE);
        let sink = |options| {
            let options = format!("--connect --id x --size 10 --show 1 {options}");
            theirs::start(program, "sink dealer", endpoint.as_str(), &options)
        };
        let mut old = sink("--count 2");
        ours::source(&router, &content, &["x"]);
        old.wait_for("SAID", LIMIT).expect("the first message");
        ours::wait_for(&monitor, EventKind::HandshakeSucceeded);
        let new = sink("--count 1");
        ours::wait_for(&monitor, EventKind::HandshakeSucceeded);
        ours::source(&router, &content, &["x"]);
        new.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Without it, the first one keeps it.
#[test]
fn an_id_in_use_stays_where_it_is() {
    for program in theirs::all() {
        let router = ours::socket(SocketType::Router);
        ours::set(&router, number::ROUTER_MANDATORY, 1);
        let monitor = router.monitor().expect("a monitor");
        let endpoint = router.bind(ANYWHERE).expect("an endpoint");
        let content = Content::new(Shape { count: 2, ..SHAPE });
        let sink = |options| {
            let options = format!("--connect --id x --size 10 --show 2 {options}");
            theirs::start(program, "sink dealer", endpoint.as_str(), &options)
        };
        let mut old = sink("--count 2");
        ours::send(&router, content.message(0, &["x"]));
        old.wait_for("SAID", LIMIT).expect("the first message");
        ours::wait_for(&monitor, EventKind::HandshakeSucceeded);
        let new = sink("--count 1");
        ours::wait_for(&monitor, EventKind::HandshakeSucceeded);
        ours::send(&router, content.message(1, &["x"]));
        old.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
        new.kill();
    }
}

/// Our socket is known to theirs by the id that it has been given, over reconnects as well.
#[test]
fn our_id_is_seen_by_libzmq() {
    for program in theirs::all() {
        for socket_type in [SocketType::Dealer, SocketType::Router] {
            let socket = ours::socket(socket_type);
            ours::set_id(&socket, "ours");
            let endpoint = socket.bind(ANYWHERE).expect("an endpoint");
            for _ in 0..2 {
                let options = "--connect --to ours --count 10 --id theirs";
                let peer = theirs::start(program, "ask router", endpoint.as_str(), options);
                ours::echo(&socket, 10);
                peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
            }
        }
    }
}
