//! Subscriptions and what they let through.

use tightbeam::EventKind::HandshakeSucceeded;
use tightbeam::SocketType::{Pub, Sub, XPub, XSub};
use tightbeam::options::number;

use crate::stage::{Cast, End};

#[test]
fn subscriptions_are_sent_once_for_each_topic() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Sub, XPub);
        actor.meet(&mut other);
        actor.set_text(number::SUBSCRIBE, "a");
        actor.set_text(number::SUBSCRIBE, "a");
        actor.set_text(number::SUBSCRIBE, "b");
        actor.set_text(number::UNSUBSCRIBE, "a");
        actor.set_text(number::UNSUBSCRIBE, "b");
        actor.set_text(number::UNSUBSCRIBE, "a");
        for said in ["\x01a", "\x01b", "\0b", "\0a"] {
            other.expect(&[said]);
        }
        actor.set_text(number::SUBSCRIBE, "");
        other.expect(&["\x01"]);
        other.send(&["anything"]);
        actor.expect(&["anything"]);
    });
}

/// An XPUB with these options, and two subscribers that subscribe the same; one of them takes it back. What the XPUB is told.
fn told(cast: &Cast, options: &[i32]) -> Vec<Vec<u8>> {
    let (mut actor, mut first) = cast.ends(XPub, Sub);
    let mut second = cast.other(Sub);
    for option in options {
        actor.set_int(*option, 1);
    }
    let endpoint = actor.bind();
    let mut told = Vec::new();
    let mut hear = |actor: &mut End, last: &[u8]| loop {
        let mut message = actor.recv();
        told.append(&mut message);
        if told.last().is_some_and(|topic| topic == last) {
            break;
        }
    };
    for (subscriber, last) in [(&mut first, "y"), (&mut second, "z")] {
        subscriber.connect(&endpoint);
        subscriber.until(HandshakeSucceeded);
        subscriber.set_text(number::SUBSCRIBE, "t");
        subscriber.set_text(number::SUBSCRIBE, last);
        hear(&mut actor, format!("\x01{last}").as_bytes());
    }
    second.set_text(number::UNSUBSCRIBE, "t");
    second.set_text(number::UNSUBSCRIBE, "z");
    hear(&mut actor, b"\0z");
    told
}

#[test]
fn an_xpub_is_told_what_is_new() {
    Cast::each(|cast| {
        assert_eq!(told(cast, &[]), [b"\x01t", b"\x01y", b"\x01z", b"\0z"]);
    });
}

#[test]
fn a_verbose_xpub_is_told_of_every_subscription() {
    Cast::each(|cast| {
        let all = [b"\x01t", b"\x01y", b"\x01t", b"\x01z", b"\0z"];
        assert_eq!(told(cast, &[number::XPUB_VERBOSE]), all);
    });
}

#[test]
fn a_verboser_xpub_is_told_of_every_cancellation() {
    Cast::each(|cast| {
        let all = [b"\x01t", b"\x01y", b"\x01t", b"\x01z", b"\0t", b"\0z"];
        assert_eq!(told(cast, &[number::XPUB_VERBOSER]), all);
    });
}

#[test]
fn a_manual_xpub_decides_what_is_subscribed() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(XPub, XSub);
        actor.set_int(number::XPUB_MANUAL, 1);
        actor.meet(&mut other);
        other.send(&["\x01asked"]);
        actor.expect(&["\x01asked"]);
        actor.set_text(number::SUBSCRIBE, "given");
        actor.send(&["asked 1"]);
        actor.send(&["given 1"]);
        other.expect(&["given 1"]);
        other.send(&["\0asked"]);
        actor.expect(&["\0asked"]);
        actor.set_text(number::UNSUBSCRIBE, "given");
        other.send(&["\x01more"]);
        actor.expect(&["\x01more"]);
        actor.set_text(number::SUBSCRIBE, "more");
        actor.send(&["given 2"]);
        actor.send(&["more 2"]);
        other.expect(&["more 2"]);
    });
}

#[test]
fn the_last_value_goes_to_whom_subscribed_last() {
    Cast::each(|cast| {
        let (mut actor, mut first) = cast.ends(XPub, XSub);
        let mut second = cast.other(XSub);
        actor.set_int(number::XPUB_MANUAL_LAST_VALUE, 1);
        let endpoint = actor.bind();
        for (at, subscriber) in [&mut first, &mut second].into_iter().enumerate() {
            subscriber.connect(&endpoint);
            subscriber.send(&["\x01t"]);
            actor.expect(&["\x01t"]);
            actor.set_text(number::SUBSCRIBE, "t");
            actor.send(&[["t to the first", "t to the second"][at]]);
        }
        first.expect(&["t to the first"]);
        second.expect(&["t to the second"]);
        actor.send(&["t to both"]);
        first.expect(&["t to both"]);
        second.expect(&["t to both"]);
    });
}

#[test]
fn a_publisher_that_drops_nothing_has_no_room() {
    let body = "x".repeat(300_000);
    Cast::each(|cast| {
        for nodrop in [1, 0] {
            let (mut actor, mut other) = cast.ends(XPub, Sub);
            actor.set_int(number::XPUB_NODROP, nodrop);
            actor.set_int(number::SNDHWM, 2);
            actor.set_int(number::SNDBUF, 100_000);
            other.set_int(number::RCVHWM, 2);
            other.set_int(number::RCVBUF, 100_000);
            other.set_text(number::SUBSCRIBE, "");
            actor.meet(&mut other);
            actor.expect(&["\x01"]);
            let sent = (0..20).take_while(|i| {
                let sent = actor.try_send(&[&i.to_string(), &body]);
                assert!(matches!(sent, Ok(()) | Err(libc::EAGAIN)), "{sent:?}");
                sent.is_ok()
            });
            let sent = sent.count();
            assert_eq!(sent == 20, nodrop == 0, "{sent} messages");
            for i in (0..sent).take_while(|_| nodrop == 1) {
                assert_eq!(other.recv()[0], i.to_string().as_bytes());
            }
        }
    });
}

#[test]
fn subscribers_are_welcomed() {
    Cast::each(|cast| {
        for publisher in [XPub, Pub] {
            let (mut actor, mut other) = cast.ends(publisher, Sub);
            actor.set_text(number::XPUB_WELCOME_MSG, "welcome");
            other.set_text(number::SUBSCRIBE, "");
            actor.meet(&mut other);
            other.expect(&["welcome"]);
        }
    });
}

#[test]
fn inverted_matching_lets_pass_what_nobody_subscribed() {
    Cast::each(|cast| {
        for (publisher, subscriber) in [(XPub, Sub), (XPub, XSub)] {
            for actor_publishes in [true, false] {
                let (mut source, mut sink) = if actor_publishes {
                    cast.ends(publisher, subscriber)
                } else {
                    let (sink, source) = cast.ends(subscriber, publisher);
                    (source, sink)
                };
                source.set_int(number::INVERT_MATCHING, 1);
                sink.set_int(number::INVERT_MATCHING, 1);
                source.meet(&mut sink);
                if subscriber == Sub {
                    sink.set_text(number::SUBSCRIBE, "not");
                } else {
                    sink.send(&["\x01not"]);
                }
                source.expect(&["\x01not"]);
                source.send(&["nothing"]);
                source.send(&["everything"]);
                sink.expect(&["everything"]);
            }
        }
    });
}

/// Where one side matches as usual, SUB drops what it did not subscribe to, and XSUB takes what comes.
#[test]
fn an_inverted_publisher_sends_the_others_what_they_did_not_want() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(XPub, XSub);
        actor.set_int(number::INVERT_MATCHING, 1);
        actor.meet(&mut other);
        other.send(&["\x01not"]);
        actor.expect(&["\x01not"]);
        actor.send(&["nothing"]);
        actor.send(&["everything"]);
        other.expect(&["everything"]);
    });
}

#[test]
fn parts_behind_the_first_are_no_subscriptions_if_only_the_first_may_be() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(XPub, XSub);
        actor.set_int(number::ONLY_FIRST_SUBSCRIBE, 1);
        other.set_int(number::ONLY_FIRST_SUBSCRIBE, 1);
        actor.meet(&mut other);
        other.send(&["up", "\x01t"]);
        actor.expect(&["up", "\x01t"]);
        actor.send(&["t 1"]);
        other.send(&["\x01end"]);
        actor.expect(&["\x01end"]);
        actor.send(&["end"]);
        other.expect(&["end"]);
    });
}

/// Each part by itself may subscribe, as libzmq's XSUB has it.
#[test]
fn an_xsub_says_upstream_what_is_no_subscription_and_what_is_new() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(XPub, XSub);
        actor.meet(&mut other);
        let said: [&[&str]; 14] = [
            &["\x02x"],
            &[""],
            &["\x01a"],
            &["\x01a"],
            &["\0a"],
            &["\0a"],
            &["\0unknown"],
            &["up", "\x01t"],
            &["\x01"],
            &["\0"],
            &["plain"],
            &["\x01b"],
            &["\0b"],
            &["end"],
        ];
        for message in said {
            other.send(message);
        }
        let heard: [&[&str]; 11] = [
            &["\x02x"],
            &[""],
            &["\x01a"],
            &["\0a"],
            &["up", "\x01t"],
            &["\x01"],
            &["\0"],
            &["plain"],
            &["\x01b"],
            &["\0b"],
            &["end"],
        ];
        for message in heard {
            actor.expect(message);
        }
        // Of all that only `t` is still wanted.
        for body in ["a", "b", "t"] {
            actor.send(&[body]);
        }
        other.expect(&["t"]);
    });
}
