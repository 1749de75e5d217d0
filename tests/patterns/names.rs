//! RFC 28: routing ids, and how ROUTERs come to know their peers.

use tightbeam::options::Value;
use tightbeam::options::number::{
    PROBE_ROUTER, RECONNECT_IVL, ROUTER_HANDOVER, ROUTER_MANDATORY, ROUTING_ID,
};
use tightbeam::{AnySocket, Context, Dealer, Error, Router, Socket, SocketType};
use tightbeam_tests::peer::{Peer, Speaks};
use tightbeam_tests::sockets::*;

/// A DEALER with this routing id.
fn dealer(context: &Context, id: &[u8]) -> Socket<Dealer> {
    let dealer = open::<Dealer>(context);
    dealer.set_routing_id(id).unwrap();
    dealer
}

fn mandatory(context: &Context) -> Socket<Router> {
    open_with(context, &[(ROUTER_MANDATORY, 1)])
}

#[test]
fn ids_have_1_to_255_bytes_and_do_not_begin_with_0() {
    let context = Context::new();
    let router = mandatory(&context);
    for id in [vec![1], vec![0xff; 255], (1..=255).collect(), b"a\0b".to_vec()] {
        let dealer = dealer(&context, &id);
        join_up(&router, &dealer);
        dealer.send("hello").unwrap();
        let received = router.recv_timeout(LIMIT).unwrap();
        assert_eq!((&received[0][..], &received[1][..]), (&id[..], &b"hello"[..]));
        router.send(received).unwrap();
        assert_eq!(dealer.recv_timeout(LIMIT).unwrap(), "hello");
        drop(dealer);
        await_peers(&router, 0);
    }
    let dealer = open::<Dealer>(&context);
    for id in [vec![], vec![1; 256]] {
        let refused = dealer.set_option(ROUTING_ID, Value::Bytes(&id));
        assert!(matches!(refused, Err(Error::BadOption { .. })));
    }
    // As with libzmq it can be set; but such ids are the ROUTER's to give.
    let impostor = self::dealer(&context, b"\0zero");
    let monitor = router.monitor().unwrap();
    connect(&impostor, &bind(&router));
    await_refusal(&monitor);
}

#[test]
fn a_newcomer_with_an_id_in_use_stays_unheard_when_its_owner_has_gone() {
    let context = Context::new();
    let router = mandatory(&context);
    let [first, second] = [dealer(&context, b"same"), dealer(&context, b"same")];
    join_up(&router, &first);
    join_up(&router, &second);
    drop(first);
    await_peers(&router, 1);
    second.send("here I am").unwrap();
    until("what the nameless one sent is dropped", || dropped(&router) == 1);
    let refused = router.try_send(["same", "x"]).unwrap_err();
    assert!(matches!(refused.error, Error::Unroutable(_)), "{refused:?}");
    // One that comes now has the name.
    let third = dealer(&context, b"same");
    join_up(&router, &third);
    router.send(["same", "x"]).unwrap();
    assert_eq!(third.recv_timeout(LIMIT).unwrap(), "x");
}

#[test]
fn a_peer_that_is_back_before_its_loss_is_noticed_needs_handover() {
    let context = Context::new();
    for handover in [0, 1] {
        let router = mandatory(&context);
        set(&router, ROUTER_HANDOVER, handover);
        let endpoint = bind(&router);
        let meet = || {
            let peer = Peer::connect(&endpoint);
            let mut peer = peer.shake_hands("DEALER", b"same", Speaks::V3_1);
            peer.send_message(&[b"hello"]);
            peer
        };
        // Its machine is off: nothing ends the connection.
        let silent = meet();
        assert_eq!(router.recv_timeout(LIMIT).unwrap(), ["same", "hello"]);
        let mut back = meet();
        if handover == 1 {
            assert_eq!(router.recv_timeout(LIMIT).unwrap(), ["same", "hello"]);
            router.send(["same", "reply"]).unwrap();
            assert_eq!(back.take_message(), [b"reply".to_vec()]);
        } else {
            until("what it sent is dropped", || dropped(&router) == 1);
        }
        drop((silent, back));
    }
}

#[test]
fn after_two_handovers_the_last_peer_has_the_name_alone() {
    let context = Context::new();
    let router = mandatory(&context);
    set(&router, ROUTER_HANDOVER, 1);
    let peers = [(); 3].map(|()| {
        let dealer = dealer(&context, b"same");
        join_up(&router, &dealer);
        dealer.send("hello").unwrap();
        assert_eq!(router.recv_timeout(LIMIT).unwrap(), ["same", "hello"]);
        dealer
    });
    router.send(["same", "to the last"]).unwrap();
    assert_eq!(peers[2].recv_timeout(LIMIT).unwrap(), "to the last");
    peers[0].send("unheard").unwrap();
    peers[1].send("unheard").unwrap();
    until("both are dropped", || dropped(&router) == 2);
    let [first, second, last] = peers;
    drop(last);
    await_peers(&router, 2);
    let refused = router.try_send(["same", "x"]).unwrap_err();
    assert!(matches!(refused.error, Error::Unroutable(_)), "{refused:?}");
    for deposed in [first, second] {
        assert!(deposed.try_recv().unwrap_err().is_would_block());
    }
}

const PROBERS: [SocketType; 4] =
    [SocketType::Dealer, SocketType::Router, SocketType::Req, SocketType::Rep];

fn prober(context: &Context, socket_type: SocketType) -> AnySocket {
    let prober = context.any_socket(socket_type).unwrap();
    set(&prober, PROBE_ROUTER, 1);
    prober
}

#[test]
fn a_probe_is_an_empty_message_whichever_side_connects() {
    let context = Context::new();
    for socket_type in PROBERS {
        for prober_binds in [true, false] {
            let (prober, other) = (prober(&context, socket_type), open::<Dealer>(&context));
            let router = open::<Router>(&context);
            // A REP talks to no ROUTER.
            let probed: &AnySocket =
                if socket_type == SocketType::Rep { other.as_ref() } else { router.as_ref() };
            if prober_binds {
                join_up(&prober, probed);
            } else {
                join_up(probed, &prober);
            }
            let probe = probed.recv_timeout(LIMIT).unwrap();
            assert_eq!(probe.last().unwrap(), "", "{socket_type}");
            assert_eq!(probe.len(), if socket_type == SocketType::Rep { 1 } else { 2 });
            assert!(probed.try_recv().unwrap_err().is_would_block());
        }
    }
}

#[test]
fn a_probe_is_sent_once_however_often_the_connection_is_made_again() {
    let context = Context::new();
    for socket_type in [SocketType::Dealer, SocketType::Router, SocketType::Req] {
        let prober = prober(&context, socket_type);
        prober.set_routing_id(b"prober").unwrap();
        set(&prober, RECONNECT_IVL, 1);
        let router = open::<Router>(&context);
        let endpoint = join_up(&router, &prober);
        assert_eq!(router.recv_timeout(LIMIT).unwrap(), ["prober", ""]);
        router.close();
        await_peers(&prober, 0);
        let again = open::<Router>(&context);
        until("the port is free", || again.bind(&endpoint).is_ok());
        await_peers(&prober, 1);
        await_peers(&again, 1);
        if socket_type == SocketType::Dealer {
            prober.send("first").unwrap();
            assert_eq!(again.recv_timeout(LIMIT).unwrap(), ["prober", "first"]);
        }
        assert!(again.try_recv().unwrap_err().is_would_block());
    }
}

#[test]
fn routers_that_probe_each_other_know_each_other() {
    let context = Context::new();
    let [one, two] = ["one", "two"].map(|id| {
        let router = mandatory(&context);
        router.set_routing_id(id.as_bytes()).unwrap();
        set(&router, PROBE_ROUTER, 1);
        router
    });
    join_up(&one, &two);
    assert_eq!(one.recv_timeout(LIMIT).unwrap(), ["two", ""]);
    assert_eq!(two.recv_timeout(LIMIT).unwrap(), ["one", ""]);
    one.send(["two", "x"]).unwrap();
    assert_eq!(two.recv_timeout(LIMIT).unwrap(), ["one", "x"]);
}
