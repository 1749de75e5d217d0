//! Peers of 3.1, 3.0, 2.0 and 1.0 exchange messages with every type, in the form that each wants
//! (RFC 13, 15, 23, 37).

use tightbeam::{Dealer, Message, Pub, Pull, Push, Router, Sub, XPub, XSub};
use tightbeam_tests::peer::{Peer, Speaks, bytes, command, frame, frame_v1};

use crate::bench::{Bench, bound, connected};

const ALL: [Speaks; 4] = [Speaks::V1_0, Speaks::V2_0, Speaks::V3_0, Speaks::V3_1];

/// Bodies around the border between short and long frames of every version.
fn bodies() -> [Vec<u8>; 8] {
    [0, 1, 252, 253, 254, 255, 256, 70_000].map(|length| vec![b'x'; length])
}

#[test]
fn push_and_pull_with_peers_of_every_version() {
    for speaks in ALL {
        let pull = bound::<Pull>();
        let mut peer = Peer::join(&pull.endpoint, "PUSH", speaks);
        for body in bodies() {
            peer.send_message(&[b"first", &body]);
            assert_eq!(pull.recv_message(), [b"first".to_vec(), body], "{speaks:?}");
        }
        let push = bound::<Push>();
        let mut peer = Peer::join(&push.endpoint, "PULL", speaks);
        for body in bodies() {
            push.send(Message::multipart([&b"first"[..], &body]));
            assert_eq!(peer.take_message(), [b"first".to_vec(), body], "{speaks:?}");
        }
    }
}

#[test]
fn push_and_pull_as_connecters_with_listeners_of_every_version() {
    for speaks in ALL {
        let (pull, lounge) = connected::<Pull>(&[]);
        let mut peer = lounge.accept().shake_hands("PUSH", b"", speaks);
        peer.send_message(&[b"one"]);
        assert_eq!(pull.recv(), b"one");
        let (push, lounge) = connected::<Push>(&[]);
        let mut peer = lounge.accept().shake_hands("PULL", b"", speaks);
        push.send("two");
        assert_eq!(peer.take_message(), [b"two"]);
    }
}

#[test]
fn messages_queued_before_the_handshake_reach_a_listener_of_any_version() {
    for speaks in ALL {
        let (push, lounge) = connected::<Push>(&[]);
        for body in bodies() {
            push.send(Message::multipart([&b"first"[..], &body]));
        }
        let mut peer = lounge.accept().shake_hands("PULL", b"", speaks);
        for body in bodies() {
            assert_eq!(peer.take_message(), [b"first".to_vec(), body], "{speaks:?}");
        }
    }
}

#[test]
fn dealer_and_router_with_peers_of_every_version() {
    for speaks in ALL {
        let router = bound::<Router>();
        let mut peer = Peer::connect(&router.endpoint).shake_hands("DEALER", b"me", speaks);
        peer.send_message(&[b"", b"question"]);
        let question = router.recv_message();
        assert_eq!(question, [&b"me"[..], b"", b"question"], "{speaks:?}");
        router.send(Message::multipart([&b"me"[..], b"", b"answer"]));
        assert_eq!(peer.take_message(), [&b""[..], b"answer"], "{speaks:?}");

        let dealer = bound::<Dealer>();
        let mut peer = Peer::join(&dealer.endpoint, "ROUTER", speaks);
        dealer.send(Message::multipart([&b""[..], b"question"]));
        assert_eq!(peer.take_message(), [&b""[..], b"question"]);
        peer.send_message(&[b"", b"answer"]);
        assert_eq!(dealer.recv_message(), [&b""[..], b"answer"]);
    }
}

#[test]
fn a_nameless_peer_of_any_version_gets_a_routing_id_that_works() {
    for speaks in ALL {
        let router = bound::<Router>();
        let mut peer = Peer::join(&router.endpoint, "DEALER", speaks);
        peer.send_message(&[b"question"]);
        let question = router.recv_message();
        assert_eq!((question[0].len(), question[0][0]), (5, 0));
        router.send(Message::multipart([&question[0][..], b"answer"]));
        assert_eq!(peer.take_message(), [b"answer"]);
    }
}

#[test]
fn a_sub_subscribes_in_the_form_that_the_version_wants() {
    for speaks in ALL {
        let (sub, lounge) = connected::<Sub>(&[]);
        let topic = [b't'; 300];
        sub.socket.subscribe(topic).expect("subscribe");
        let mut peer = lounge.accept().shake_hands("PUB", b"", speaks);
        let forms = |kind: u8, topic: &[u8]| match speaks {
            Speaks::V3_1 => command(if kind == 1 { "SUBSCRIBE" } else { "CANCEL" }, topic),
            Speaks::V1_0 => frame_v1(0, &[&[kind], topic].concat()),
            _ => frame(0, &[&[kind], topic].concat()),
        };
        peer.expect_bytes(&forms(1, &topic));
        sub.socket.subscribe("later").expect("subscribe");
        peer.expect_bytes(&forms(1, b"later"));
        sub.socket.unsubscribe("later").expect("unsubscribe");
        peer.expect_bytes(&forms(0, b"later"));
        peer.send_message(&[b"later", b"not any more"]);
        peer.send_message(&[&topic, b"news"]);
        assert_eq!(sub.recv_message()[1], b"news");
    }
}

fn publish_until(publisher: &Bench<Pub>, peer: &mut Peer, body: &str) -> Vec<Vec<u8>> {
    // A subscription takes effect some time after it was sent.
    let deadline = std::time::Instant::now() + tightbeam_tests::peer::HANG;
    loop {
        publisher.send(body);
        if peer.peek(std::time::Duration::from_millis(5)).is_some() {
            return peer.take_message();
        }
        assert!(std::time::Instant::now() < deadline, "nothing published arrived");
    }
}

#[test]
fn a_pub_takes_subscriptions_in_either_form_from_everybody() {
    for speaks in [Speaks::V2_0, Speaks::V3_0, Speaks::V3_1] {
        for as_message in [true, false] {
            if !as_message && speaks == Speaks::V2_0 {
                continue;
            }
            let publisher = bound::<Pub>();
            let mut peer = Peer::join(&publisher.endpoint, "SUB", speaks);
            if as_message {
                peer.send("00 04 01 'abc'");
            } else {
                peer.send("04 0d 09 'SUBSCRIBE' 'abc'");
            }
            assert_eq!(publish_until(&publisher, &mut peer, "abcd"), [b"abcd"], "{speaks:?}");
        }
    }
}

/// XPUB and XSUB have no number in 2.0, which is why peers of 2.0 are PUB and SUB here.
fn older(socket_type: &'static str, speaks: Speaks) -> &'static str {
    match (socket_type, speaks) {
        ("PUB", Speaks::V3_0 | Speaks::V3_1) => "XPUB",
        ("SUB", Speaks::V3_0 | Speaks::V3_1) => "XSUB",
        _ => socket_type,
    }
}

#[test]
fn an_xpub_hears_subscriptions_and_messages_of_peers_of_every_version_in_order() {
    for speaks in [Speaks::V1_0, Speaks::V2_0, Speaks::V3_0, Speaks::V3_1] {
        let publisher = bound::<XPub>();
        let mut peer = Peer::join(&publisher.endpoint, older("SUB", speaks), speaks);
        if speaks == Speaks::V1_0 {
            // Such a peer gets everything; newer ones that speak it say what they want, too.
            assert_eq!(publisher.recv(), b"\x01");
        }
        peer.send_message(&[b"two", b"parts"]);
        peer.send_message(&[b"\x01abc"]);
        peer.send_message(&[b"between"]);
        if speaks == Speaks::V3_1 {
            peer.send("04 0a 06 'CANCEL' 'abc'");
        } else {
            peer.send_message(&[b"\0abc"]);
        }
        peer.send_message(&[b""]);
        assert_eq!(publisher.recv_message(), [&b"two"[..], b"parts"], "{speaks:?}");
        for expected in [&b"\x01abc"[..], b"between", b"\0abc", b""] {
            assert_eq!(publisher.recv(), expected, "{speaks:?}");
        }
    }
}

#[test]
fn an_xsub_tells_peers_of_every_version_what_it_wants_and_sends_them_messages() {
    for speaks in [Speaks::V2_0, Speaks::V3_0, Speaks::V3_1] {
        let (subscriber, lounge) = connected::<XSub>(&[]);
        subscriber.send("\u{1}abc");
        let mut peer = lounge.accept().shake_hands(older("PUB", speaks), b"", speaks);
        match speaks {
            Speaks::V3_1 => peer.expect("04 0d 09 'SUBSCRIBE' 'abc'"),
            _ => peer.expect("00 04 01 'abc'"),
        }
        subscriber.send("user");
        assert_eq!(peer.take_message(), [b"user"], "{speaks:?}");
        peer.send_message(&[b"not asked for"]);
        assert_eq!(subscriber.recv(), b"not asked for", "an XSUB does not check");
    }
}

#[test]
fn a_subscriber_of_1_0_filters_for_itself_and_is_sent_everything() {
    let publisher = bound::<Pub>();
    let mut peer = Peer::join(&publisher.endpoint, "SUB", Speaks::V1_0);
    assert_eq!(publish_until(&publisher, &mut peer, "anything"), [b"anything"]);
}

#[test]
fn a_topic_of_every_length_around_the_short_frame_is_understood() {
    let publisher = bound::<Pub>();
    let mut peer = Peer::join(&publisher.endpoint, "SUB", Speaks::V3_1);
    for length in 240..260 {
        peer.send_bytes(&command("SUBSCRIBE", &vec![b't'; length]));
    }
    peer.send("04 0d 09 'SUBSCRIBE' 'end'");
    assert_eq!(publish_until(&publisher, &mut peer, "end"), [b"end"]);
    publisher.send([b't'; 240]);
    loop {
        let message = peer.take_message();
        if message[0] != b"end" {
            assert_eq!(message, [[b't'; 240]]);
            return;
        }
    }
}

#[test]
fn two_frames_above_the_read_size_from_a_1_0_peer_are_delivered() {
    let pull = bound::<Pull>();
    let mut peer = Peer::join(&pull.endpoint, "PUSH", Speaks::V1_0);
    let (one, two) = (vec![1; 300_000], vec![2; 400_000]);
    peer.send_message(&[&one, &two]);
    peer.send_message(&[b"small"]);
    assert_eq!(pull.recv_message(), [one, two]);
    assert_eq!(pull.recv(), b"small");
}

#[test]
fn a_2_0_peer_may_announce_revision_zero_or_more() {
    let pull = bound::<Pull>();
    let mut peer = Peer::connect(&pull.endpoint);
    // Revision 0 with a signature: libzmq 3.0 speaks the framing of 1.0 (RFC 15).
    peer.send("ff 00*7 01 7f 00 08");
    peer.send_bytes(&frame_v1(0, b""));
    peer.send_bytes(&frame_v1(0, b"old"));
    assert_eq!(pull.recv(), b"old");
    peer.expect("ff 00*7 01 7f 03 07 01 00");
}

#[test]
fn void_frames_of_1_0_are_skipped() {
    let pull = bound::<Pull>();
    let mut peer = Peer::join(&pull.endpoint, "PUSH", Speaks::V1_0);
    peer.send_bytes(&bytes("00*5 02 00 'a' 00 02 01 'b' 00 02 00 'c'"));
    assert_eq!(pull.recv(), b"a");
    assert_eq!(pull.recv_message(), [b"b", b"c"]);
}
