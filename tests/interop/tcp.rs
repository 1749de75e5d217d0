//! What a peer sees of `tcp` endpoints: sources, interfaces, both families, proxies.

use std::net::TcpListener;

use tightbeam::options::{Value, number};
use tightbeam::{AnySocket, SocketType};

use crate::ours::{self, Content, Shape};
use crate::socks;
use crate::theirs::{self, ANYWHERE, LIMIT};

const SHAPE: Shape = Shape { size: 300, parts: 2, count: 50 };

/// Takes what their source sends to the endpoint; where it came from.
fn hear(pull: &AnySocket, program: &crate::peers::Program, endpoint: &str) -> String {
    let peer = theirs::start(program, "source push", endpoint, &SHAPE.options());
    let content = Content::new(SHAPE);
    let first = pull.recv().expect("a message");
    assert_eq!(first, content.message(0, &[]));
    for i in 1..SHAPE.count {
        ours::expect(pull, &content.message(i, &[]));
    }
    peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
    first[0].peer().expect("a peer").address().to_owned()
}

#[test]
fn they_come_from_the_source_that_they_name() {
    for program in theirs::all() {
        let pull = ours::socket(SocketType::Pull);
        let endpoint = pull.bind(ANYWHERE).expect("an endpoint");
        let target = endpoint.as_str().trim_start_matches("tcp://");
        let seen = hear(&pull, program, &format!("tcp://127.0.0.5:0;{target}"));
        assert_eq!(seen, "127.0.0.5");
    }
}

#[test]
fn they_reach_a_dual_stack_wildcard_over_ipv4() {
    if TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    for program in theirs::all() {
        let pull = ours::socket(SocketType::Pull);
        ours::set(&pull, number::IPV6, 1);
        let endpoint = pull.bind("tcp://*:*").expect("an endpoint");
        let port = endpoint.as_str().rsplit(':').next().expect("a port");
        assert_eq!(hear(&pull, program, &format!("tcp://127.0.0.1:{port}")), "::ffff:127.0.0.1");
    }
}

#[test]
fn they_are_reached_at_an_interface_from_an_interface() {
    for program in theirs::all() {
        let mut peer = theirs::start(program, "sink pull", "tcp://lo:*", &SHAPE.options());
        let bound = peer.endpoint().to_owned();
        let target = bound.trim_start_matches("tcp://");
        let push = ours::socket(SocketType::Push);
        push.connect(format!("tcp://lo:0;{target}")).expect("an endpoint");
        ours::source(&push, &Content::new(SHAPE), &[]);
        peer.wait_for("{", LIMIT).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn they_are_reached_by_way_of_a_socks_proxy() {
    for program in theirs::all() {
        let mut peer = theirs::start(program, "sink pull", ANYWHERE, &SHAPE.options());
        let push = ours::socket(SocketType::Push);
        push.set_option(number::SOCKS_PROXY, Value::Bytes(socks::proxy(None).as_bytes()))
            .expect("an option");
        push.connect(peer.endpoint()).expect("an endpoint");
        ours::source(&push, &Content::new(SHAPE), &[]);
        peer.wait_for("{", LIMIT).unwrap_or_else(|error| panic!("{error}"));
    }
}
