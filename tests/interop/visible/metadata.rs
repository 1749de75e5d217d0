//! What each side learns about the other from the handshake: `zmq_msg_gets` there, `Peer::get` here.

use tightbeam::SocketType::{
    self, Dealer, Pair, Pub, Pull, Push, Rep, Req, Router, Sub, XPub, XSub,
};
use tightbeam::options::number;
use tightbeam_tests::transport::over_ipc;

use crate::stage::{Cast, End};

/// (`Routing-Id` is in libzmq's manual, but the version 4.3.4 knows `Identity` alone.)
const NAMES: [&str; 5] = ["Socket-Type", "Identity", "Peer-Address", "X-Colour", "User-Id"];

fn properties(end: &mut End) -> [Option<String>; 5] {
    NAMES.map(|name| end.gets(name))
}

/// How libzmq tells who is at the other end: over ipc what the system knows of the process.
fn address_of(end: &End) -> String {
    if !over_ipc() {
        return "127.0.0.1".to_owned();
    }
    // SAFETY: geteuid(2) and getegid(2) always succeed and touch no memory.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    format!("localhost:{user}:{group}:{}", end.process())
}

/// A message goes from the actor to the other one, which looks at what it knows about its sender; and what is to be known.
fn seen(
    cast: &Cast,
    (actor, other): (SocketType, SocketType),
    id: &str,
) -> [[Option<String>; 5]; 2] {
    let says_id = matches!(actor, Dealer | Req | Router | Rep);
    let id_seen = says_id.then(|| id.to_owned());
    let name = actor.name();
    let (mut actor, mut other) = cast.ends(actor, other);
    if !id.is_empty() {
        actor.set_text(number::ROUTING_ID, id);
    }
    actor.set_text(number::METADATA, "X-Colour:green");
    other.set_text(number::METADATA, "X-Colour:blue");
    actor.meet(&mut other);
    actor.send(&["\x01t"]);
    other.recv();
    let text = |text: &str| Some(text.to_owned());
    let wanted = [text(name), id_seen, text(&address_of(&actor)), text("green"), None];
    [properties(&mut other), wanted]
}

#[test]
fn senders_are_known_by_type_and_id_and_address_and_what_they_add() {
    Cast::each(|cast| {
        let talks = [(Dealer, Router), (Dealer, Dealer), (Req, Router), (Req, Rep)];
        let others = [(Push, Pull), (Pair, Pair), (XSub, XPub)];
        for types in talks.into_iter().chain(others) {
            for id in ["", "me"] {
                let [found, wanted] = seen(cast, types, id);
                assert_eq!(found, wanted, "{types:?}, id {id:?}");
            }
        }
    });
}

#[test]
fn publishers_are_known_to_their_subscribers() {
    Cast::each(|cast| {
        for (publisher, subscriber) in [(Pub, Sub), (XPub, Sub)] {
            let (mut actor, mut other) = cast.ends(publisher, subscriber);
            actor.set_text(number::METADATA, "X-Colour:green");
            other.set_text(number::SUBSCRIBE, "");
            actor.set_text(number::XPUB_WELCOME_MSG, "welcome");
            actor.meet(&mut other);
            other.expect(&["welcome"]);
            assert_eq!(other.gets("Socket-Type").as_deref(), Some(publisher.name()));
            assert_eq!(other.gets("X-Colour").as_deref(), Some("green"));
        }
    });
}

#[test]
fn every_part_of_a_message_knows_its_sender() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Dealer, Router);
        actor.set_text(number::ROUTING_ID, "me");
        actor.meet(&mut other);
        for parts in [&["a"][..], &["a", "b"], &["a", "b", "c"]] {
            actor.send(parts);
            other.expect(&[&["me"], parts].concat());
            assert_eq!(other.gets("Identity").as_deref(), Some("me"));
        }
        other.send(&["me", "answer"]);
        actor.expect(&["answer"]);
        assert_eq!(actor.gets("Socket-Type").as_deref(), Some("ROUTER"));
    });
}
