//! RFC 31: PAIR.

use std::thread;
use std::time::Duration;

use tightbeam::options::number::{RCVHWM, SNDHWM};
use tightbeam::{Context, EventKind, Pair, Socket};
use tightbeam_tests::proxy::Proxy;
use tightbeam_tests::sockets::*;

/// Both ends say something and hear it.
fn converse(one: &Socket<Pair>, other: &Socket<Pair>) {
    one.send(["there", ""]).unwrap();
    other.send("and back").unwrap();
    assert_eq!(other.recv_timeout(LIMIT).unwrap(), ["there", ""]);
    assert_eq!(one.recv_timeout(LIMIT).unwrap(), "and back");
}

#[test]
fn both_ends_send_and_receive_out_of_turn() {
    let context = Context::new();
    let (one, other) = join::<Pair, Pair>(&context);
    converse(&one, &other);
    for i in 0..100 {
        one.send(format!("{i}")).unwrap();
    }
    for i in 0..100 {
        assert_eq!(other.recv_timeout(LIMIT).unwrap(), format!("{i}").as_str());
    }
}

#[test]
fn without_a_peer_sending_waits_for_one() {
    let context = Context::new();
    let (bound, connecting) = (open::<Pair>(&context), open::<Pair>(&context));
    let endpoint = bind(&bound);
    assert!(!bound.readiness().unwrap().writable);
    assert_eq!(bound.try_send("x").unwrap_err().error.errno(), libc::EAGAIN);
    assert!(bound.as_any().send_part(&"x".into(), true, Some(tightbeam::Timing::Never)).is_err());
    thread::scope(|scope| {
        let sender = scope.spawn(|| bound.send_timeout("x", LIMIT));
        connect(&connecting, &endpoint);
        sender.join().unwrap().unwrap();
    });
    assert_eq!(connecting.recv_timeout(LIMIT).unwrap(), "x");
}

#[test]
fn a_connecting_pair_queues_up_to_the_mark_and_then_blocks() {
    let context = Context::new();
    let connecting = open_with::<Pair>(&context, &[(SNDHWM, 3)]);
    let bound = open::<Pair>(&context);
    let endpoint = bind(&bound);
    bound.unbind(endpoint.as_str()).unwrap();
    connect(&connecting, &endpoint);
    for i in 0..3 {
        connecting.try_send(format!("{i}")).unwrap();
    }
    assert!(!connecting.readiness().unwrap().writable);
    assert_eq!(connecting.try_send("3").unwrap_err().error.errno(), libc::EAGAIN);
    bound.bind(endpoint.as_str()).unwrap();
    connecting.send_timeout("3", LIMIT).unwrap();
    for i in 0..4 {
        assert_eq!(bound.recv_timeout(LIMIT).unwrap(), format!("{i}").as_str());
    }
}

#[test]
fn a_peer_that_does_not_read_makes_the_other_block() {
    let context = Context::new();
    let one = open_with::<Pair>(&context, &[(SNDHWM, 2)]);
    let other = open_with::<Pair>(&context, &[(RCVHWM, 1)]);
    join_up(&one, &other);
    let body = vec![7; 1 << 20];
    let mut sent = 0;
    while one.send_timeout(body.clone(), Duration::from_millis(200)).is_ok() {
        sent += 1;
        assert!(sent < 1_000, "nothing holds a gigabyte");
    }
    for _ in 0..sent {
        assert_eq!(other.recv_timeout(LIMIT).unwrap()[0].len(), body.len());
    }
    assert_eq!(dropped(&one), 0);
    converse(&one, &other);
}

#[test]
fn a_second_peer_stays_connected_unheard_and_unspoken_to() {
    let context = Context::new();
    let (bound, first) = (open::<Pair>(&context), open::<Pair>(&context));
    let endpoint = join_up(&bound, &first);
    let second = open::<Pair>(&context);
    connect(&second, &endpoint);
    await_peers(&bound, 2);
    for _ in 0..10 {
        second.send("from a stranger").unwrap();
    }
    until("what the stranger sends is dropped", || dropped(&bound) == 10);
    converse(&bound, &first);
    assert!(bound.try_recv().unwrap_err().is_would_block());
    assert!(second.try_recv().unwrap_err().is_would_block());
    assert_eq!(peers(&second), 1);
}

#[test]
fn a_second_peer_does_not_take_the_place_of_the_first_but_a_third_does() {
    let context = Context::new();
    let (bound, first) = (open::<Pair>(&context), open::<Pair>(&context));
    let endpoint = join_up(&bound, &first);
    let second = open::<Pair>(&context);
    connect(&second, &endpoint);
    await_peers(&bound, 2);
    first.close();
    await_peers(&bound, 1);
    second.send("still a stranger").unwrap();
    until("it is dropped", || dropped(&bound) == 1);
    assert!(bound.try_send("x").unwrap_err().error.is_would_block());
    let third = open::<Pair>(&context);
    connect(&third, &endpoint);
    await_peers(&bound, 2);
    converse(&bound, &third);
}

#[test]
fn what_a_peer_sent_before_it_left_comes_before_the_words_of_the_next() {
    let context = Context::new();
    let (bound, first) = (open::<Pair>(&context), open::<Pair>(&context));
    let endpoint = join_up(&bound, &first);
    first.send("last").unwrap();
    first.send("words").unwrap();
    await_waiting(&bound, 2);
    first.close();
    await_peers(&bound, 0);
    let second = open::<Pair>(&context);
    connect(&second, &endpoint);
    second.send("first").unwrap();
    second.send("words").unwrap();
    await_waiting(&bound, 4);
    for word in ["last", "words", "first", "words"] {
        assert_eq!(bound.recv_timeout(LIMIT).unwrap(), word);
    }
}

#[test]
fn the_second_endpoint_connected_to_is_no_peer() {
    let context = Context::new();
    let (one, first) = (open::<Pair>(&context), open::<Pair>(&context));
    let second = open::<Pair>(&context);
    let endpoint = bind(&first);
    connect(&one, &endpoint);
    connect(&one, &bind(&second));
    await_peers(&one, 2);
    converse(&one, &first);
    one.send("x").unwrap();
    assert_eq!(first.recv_timeout(LIMIT).unwrap(), "x");
    assert!(second.try_recv().unwrap_err().is_would_block());
    one.disconnect(endpoint.as_str()).unwrap();
    assert!(one.try_send("x").unwrap_err().error.is_would_block());
    connect(&one, &endpoint);
    await_peers(&one, 2);
    converse(&one, &first);
}

#[test]
fn a_connecting_pair_keeps_its_peer_across_reconnects() {
    let context = Context::new();
    let (bound, connecting) = (open::<Pair>(&context), open::<Pair>(&context));
    let proxy = Proxy::to(bind(&bound));
    let events = connecting.monitor().unwrap();
    connecting.connect(proxy.endpoint()).unwrap();
    for _ in 0..3 {
        await_event(&events, EventKind::HandshakeSucceeded);
        await_peers(&bound, 1);
        converse(&bound, &connecting);
        proxy.cut();
        await_event(&events, EventKind::Disconnected);
        await_peers(&bound, 0);
        connecting.send("meanwhile").unwrap();
        assert_eq!(bound.recv_timeout(LIMIT).unwrap(), "meanwhile");
    }
}

#[test]
fn what_a_peer_of_this_process_sent_before_it_closed_is_received_to_the_last() {
    let context = Context::new();
    let (first, second) = (open::<Pair>(&context), open::<Pair>(&context));
    first.bind("inproc://last-words").unwrap();
    second.connect("inproc://last-words").unwrap();
    for n in 0..4 {
        first.send(n.to_string()).unwrap();
    }
    first.close();
    for n in 0..4 {
        assert_eq!(second.recv_timeout(LIMIT).unwrap(), n.to_string());
    }
}
