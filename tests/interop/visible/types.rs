//! Which types talk to which (RFC 23, and 28 to 31), and how those that do not are told apart.

use std::time::Duration;

use tightbeam::EventKind::{
    self, Disconnected, HandshakeFailedNoDetail, HandshakeFailedProtocol, HandshakeSucceeded,
};
use tightbeam::SocketType::{
    self, Dealer, Pair, Pub, Pull, Push, Rep, Req, Router, Sub, XPub, XSub,
};
use tightbeam::options::number;

use crate::stage::{Cast, End};

const TYPES: [SocketType; 11] = [Pair, Pub, Sub, Req, Rep, Dealer, Router, Pull, Push, XPub, XSub];

/// From the RFCs, each pair once: 28 (REQ, REP, DEALER, ROUTER), 29 (publish-subscribe), 30 (pipeline), 31 (exclusive pair).
const TALKING: [(SocketType, SocketType); 12] = [
    (Req, Rep),
    (Req, Router),
    (Rep, Dealer),
    (Dealer, Dealer),
    (Dealer, Router),
    (Router, Router),
    (Pub, Sub),
    (Pub, XSub),
    (XPub, Sub),
    (XPub, XSub),
    (Push, Pull),
    (Pair, Pair),
];

const ENDS: [EventKind; 4] =
    [HandshakeSucceeded, HandshakeFailedProtocol, HandshakeFailedNoDetail, Disconnected];

/// How a meeting of these two ends, for each of them.
fn meet(actor: &mut End, other: &mut End) -> [bool; 2] {
    let endpoint = other.bind();
    actor.connect(&endpoint);
    [actor, other].map(|end| end.until_one(&ENDS).kind == HandshakeSucceeded.number())
}

#[test]
fn the_types_that_talk_are_those_of_the_rfcs() {
    Cast::each(|cast| {
        for first in TYPES {
            for second in TYPES {
                let talks =
                    TALKING.contains(&(first, second)) || TALKING.contains(&(second, first));
                let (mut actor, mut other) = cast.ends(first, second);
                // One meeting is enough.
                actor.set_int(number::RECONNECT_IVL, -1);
                assert_eq!(meet(&mut actor, &mut other), [talks; 2], "{first} and {second}");
            }
        }
    });
}

/// A second one shakes hands and stays connected, but is not heard, and does not take the place of the first.
#[test]
fn a_pair_has_one_peer() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Pair, Pair);
        let mut second = cast.other(Pair);
        let endpoint = actor.bind();
        for pair in [&mut other, &mut second] {
            pair.connect(&endpoint);
            actor.until(HandshakeSucceeded);
            actor.stir();
        }
        second.send(&["unheard"]);
        other.send(&["still here"]);
        actor.expect(&["still here"]);
        actor.send(&["so am I"]);
        other.expect(&["so am I"]);
        drop(other);
        // Whoever comes before libzmq has given the place up is as unheard as the second.
        let mut third = loop {
            let mut third = cast.other(Pair);
            third.connect(&endpoint);
            third.send(&["my turn"]);
            if actor.recv_within(Duration::from_millis(300)).is_ok() {
                break third;
            }
        };
        actor.send(&["yours"]);
        third.expect(&["yours"]);
    });
}
