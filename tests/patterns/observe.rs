//! What can be seen: peers' metadata, statistics, options and their effects.

use std::time::Duration;

use tightbeam::options::number::*;
use tightbeam::options::{OwnedValue, Value};
use tightbeam::{
    Context, Dealer, EventKind, Peer, Pub, Pull, Push, Rep, Req, Router, SocketBase, SocketType,
    Sub,
};
use tightbeam_tests::proxy::Proxy;
use tightbeam_tests::sockets::*;

/// An option of a connection's file descriptor.
fn of_descriptor(peer: &Peer, level: i32, name: i32) -> i32 {
    let (mut value, mut len) = (0i32, size_of::<i32>() as libc::socklen_t);
    let descriptor = peer.descriptor().unwrap();
    // SAFETY: `value` has room for as many bytes as `len` says.
    let answer =
        unsafe { libc::getsockopt(descriptor, level, name, (&raw mut value).cast(), &raw mut len) };
    assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
    value
}

fn number(socket: &SocketBase, option: i32) -> i32 {
    match socket.option(option).unwrap() {
        OwnedValue::Int(value) => value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_received_frame_knows_its_peer() {
    let context = Context::new();
    let (router, dealer) = (open::<Router>(&context), open::<Dealer>(&context));
    dealer.set_option(ROUTING_ID, Value::Bytes(b"me")).unwrap();
    for property in ["X-city:Köln", "X-zip:53", "X-city:Bonn"] {
        dealer.set_option(METADATA, Value::Bytes(property.as_bytes())).unwrap();
    }
    join_up(&router, &dealer);
    dealer.send(["a", "b"]).unwrap();
    let message = router.recv_timeout(LIMIT).unwrap();
    for frame in &message {
        let peer = frame.peer().unwrap();
        assert_eq!((peer.address(), peer.routing_id()), ("127.0.0.1", &b"me"[..]));
        assert_eq!(peer.socket_type(), Some(SocketType::Dealer));
        assert_eq!(peer.get("socket-type"), Some("DEALER"));
        assert_eq!((peer.get("Identity"), peer.get("Routing-Id")), (Some("me"), Some("me")));
        assert_eq!((peer.get("X-City"), peer.get("x-zip")), (Some("Bonn"), Some("53")));
        assert_eq!((peer.get("Peer-Address"), peer.get("User-Id")), (Some("127.0.0.1"), None));
        assert!(peer.descriptor().is_some());
    }
    let sub = open::<Sub>(&context);
    for wrong in ["city:Bonn", "X-:x", "X-none:", "X-no colon", "X"] {
        let refused = sub.set_option(METADATA, Value::Bytes(wrong.as_bytes())).unwrap_err();
        assert_eq!(refused.errno(), libc::EINVAL, "{wrong}");
    }
}

#[test]
fn tcp_options_reach_the_connection() {
    let context = Context::new();
    let options = [
        (TCP_KEEPALIVE, 1),
        (TCP_KEEPALIVE_CNT, 7),
        (TCP_KEEPALIVE_IDLE, 77),
        (TCP_KEEPALIVE_INTVL, 17),
        (TCP_MAXRT, 5_000),
        (SNDBUF, 20_000),
        (RCVBUF, 30_000),
    ];
    let (accepting, connecting) =
        (open_with::<Dealer>(&context, &options), open_with::<Dealer>(&context, &options));
    join_up(&accepting, &connecting);
    accepting.send("x").unwrap();
    connecting.send("x").unwrap();
    for socket in [&accepting, &connecting] {
        let message = socket.recv_timeout(LIMIT).unwrap();
        let peer = message[0].peer().unwrap();
        assert_eq!(of_descriptor(peer, libc::SOL_SOCKET, libc::SO_KEEPALIVE), 1);
        assert_eq!(of_descriptor(peer, libc::IPPROTO_TCP, libc::TCP_KEEPCNT), 7);
        assert_eq!(of_descriptor(peer, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE), 77);
        assert_eq!(of_descriptor(peer, libc::IPPROTO_TCP, libc::TCP_KEEPINTVL), 17);
        assert_eq!(of_descriptor(peer, libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT), 5_000);
        assert_eq!(of_descriptor(peer, libc::IPPROTO_TCP, libc::TCP_NODELAY), 1);
        // Linux doubles what is asked for.
        assert_eq!(of_descriptor(peer, libc::SOL_SOCKET, libc::SO_SNDBUF), 40_000);
        assert_eq!(of_descriptor(peer, libc::SOL_SOCKET, libc::SO_RCVBUF), 60_000);
    }
}

#[test]
fn type_and_events_tell_what_the_socket_is_and_can_do() {
    let context = Context::new();
    for (socket_type, number_of_type) in [
        (SocketType::Pair, 0),
        (SocketType::Pub, 1),
        (SocketType::Sub, 2),
        (SocketType::Req, 3),
        (SocketType::Rep, 4),
        (SocketType::Dealer, 5),
        (SocketType::Router, 6),
        (SocketType::Pull, 7),
        (SocketType::Push, 8),
        (SocketType::XPub, 9),
        (SocketType::XSub, 10),
        (SocketType::Stream, 11),
    ] {
        let socket = context.any_socket(socket_type).unwrap();
        assert_eq!(number(&socket, TYPE), number_of_type);
        use SocketType::{Pub, Router, Stream, XPub, XSub};
        let writable = matches!(socket_type, Pub | Router | Stream | XPub | XSub);
        assert_eq!(number(&socket, EVENTS), if writable { 2 } else { 0 }, "{socket_type}");
    }
    let (rep, req) = join::<Rep, Req>(&context);
    assert_eq!((number(&req, EVENTS), number(&rep, EVENTS)), (2, 0));
    req.send("x").unwrap();
    assert_eq!(number(&req, EVENTS), 0);
    until("the request arrives", || number(&rep, EVENTS) == 1);
    rep.recv_timeout(LIMIT).unwrap();
    assert_eq!(number(&rep, EVENTS), 2);
    rep.send("y").unwrap();
    assert_eq!(number(&rep, EVENTS), 0);
    until("the reply arrives", || number(&req, EVENTS) == 1);
}

#[test]
fn options_are_refused_by_name_and_stay_as_they_were() {
    let context = Context::new();
    let push = open::<Push>(&context);
    set(&push, SNDHWM, 5);
    let refused = push.set_option(SNDHWM, Value::Int(-1)).unwrap_err();
    assert!(refused.to_string().contains("SNDHWM") && refused.errno() == libc::EINVAL, "{refused}");
    assert_eq!(number(&push, SNDHWM), 5);
    for (option, value) in [
        (LINGER, Value::Int(-2)),
        (IMMEDIATE, Value::Int(2)),
        (SNDHWM, Value::Bytes(b"5")),
        (MAXMSGSIZE, Value::Int(5)),
        (ROUTING_ID, Value::Bytes(b"")),
        (ROUTING_ID, Value::Bytes(&[1; 256])),
        (TYPE, Value::Int(1)),
        (LAST_ENDPOINT, Value::Bytes(b"x")),
        (4711, Value::Int(1)),
        (SUBSCRIBE, Value::Bytes(b"x")),
        (REQ_RELAXED, Value::Int(1)),
        (ROUTER_MANDATORY, Value::Int(1)),
    ] {
        assert_eq!(push.set_option(option, value).unwrap_err().errno(), libc::EINVAL, "{option}");
    }
    let req = open_with::<Req>(&context, &[(REQ_RELAXED, 1)]);
    assert_eq!(req.option(REQ_RELAXED).unwrap_err().errno(), libc::EINVAL, "cannot be read");
}

#[test]
fn statistics_count_what_passed_on_both_sides() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    for _ in 0..10 {
        push.send(["abc", "", "de"]).unwrap();
    }
    await_waiting(&pull, 10);
    for _ in 0..4 {
        pull.recv_timeout(LIMIT).unwrap();
    }
    let (sent, received) = (push.stats().unwrap(), pull.stats().unwrap());
    assert_eq!((sent.traffic.messages_sent, sent.traffic.bytes_sent), (10, 50));
    assert_eq!((received.traffic.messages_received, received.traffic.bytes_received), (4, 20));
    assert_eq!((received.peers[0].recv_queue, received.connections), (6, 1));
    assert_eq!(received.peers[0].traffic, received.traffic);
    assert_eq!((sent.peers[0].address.as_str(), sent.peers[0].connected), ("127.0.0.1", true));
    drop(push);
    await_peers(&pull, 0);
    for _ in 0..6 {
        pull.recv_timeout(LIMIT).unwrap();
    }
    let after = pull.stats().unwrap();
    assert_eq!((after.traffic.messages_received, after.traffic.bytes_received), (10, 50));
    assert_eq!((after.peers.len(), after.connections, after.traffic.messages_dropped), (0, 0, 0));
}

#[test]
fn a_publisher_counts_each_copy() {
    let context = Context::new();
    let (publisher, sub) = join::<Pub, Sub>(&context);
    let other = open::<Sub>(&context);
    connect(&other, &publisher.bind(ANY_PORT).unwrap());
    await_peers(&publisher, 2);
    synchronise(&publisher, &sub);
    sub.subscribe("a").unwrap();
    synchronise(&publisher, &sub);
    let before = publisher.stats().unwrap().traffic;
    publisher.send("abc").unwrap();
    publisher.send("nobody wants it").unwrap();
    let after = publisher.stats().unwrap().traffic;
    assert_eq!(after.messages_sent - before.messages_sent, 1);
    assert_eq!(after.bytes_sent - before.bytes_sent, 3);
}

#[test]
fn a_part_above_maxmsgsize_ends_the_connection_with_a_reason() {
    let context = Context::new();
    for len in [101usize, 5_000_000] {
        let pull = open::<Pull>(&context);
        pull.set_option(MAXMSGSIZE, Value::Int64(100)).unwrap();
        let events = pull.monitor().unwrap();
        let push = open::<Push>(&context);
        let noticed = push.monitor().unwrap();
        join_up(&pull, &push);
        push.send(vec![1; 100]).unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap().single().unwrap().len(), 100);
        push.send(["first", &"x".repeat(len)]).unwrap();
        let reason = await_event(&events, EventKind::Disconnected).reason.unwrap();
        assert!(reason.contains("100"), "{reason}");
        // What is sent before the cut is noticed may go with it.
        await_event(&noticed, EventKind::Disconnected);
        push.send("next").unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "next");
        set(&push, LINGER, 0);
    }
}

#[test]
fn heartbeats_find_a_peer_that_fell_silent() {
    let context = Context::new();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let pull = open::<Pull>(&context);
    let proxy = Proxy::to(bind(&pull));
    let options = [(HEARTBEAT_IVL, 30), (HEARTBEAT_TIMEOUT, 1_000), (LINGER, 0)];
    let push = open_with::<Push>(&context, &options);
    let events = push.monitor().unwrap();
    push.connect(proxy.endpoint()).unwrap();
    await_event(&events, EventKind::HandshakeSucceeded);
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(peers(&push), 1, "a peer that answers stays");
    proxy.stall();
    let reason = await_event(&events, EventKind::Disconnected).reason;
    assert!(reason.is_some());
    drop(silent);
}

#[test]
fn what_is_known_of_a_connection_is_when_it_was_heard_and_how_long_it_takes_to_answer() {
    let context = Context::new();
    let (pull, push) =
        (open::<Pull>(&context), open_with::<Push>(&context, &[(HEARTBEAT_IVL, 20)]));
    let peer = |socket: &SocketBase| socket.stats().unwrap().peers.remove(0);
    push.connect("tcp://127.0.0.1:1").unwrap();
    assert_eq!((peer(&push).last_heard, peer(&push).round_trip), (None, None), "not connected");
    push.disconnect("tcp://127.0.0.1:1").unwrap();
    let before = std::time::Instant::now();
    join_up(&pull, &push);
    let heard = [&*pull, &*push].map(|socket| peer(socket).last_heard.unwrap());
    assert!(heard.iter().all(|heard| *heard >= before), "the handshake is heard");
    until("a PING is answered", || peer(&push).round_trip.is_some());
    let took = peer(&push).round_trip.unwrap();
    assert!(!took.is_zero() && took < before.elapsed(), "{took:?}");
    assert_eq!(peer(&pull).round_trip, None, "it sends no PING");
    until("heartbeats are heard", || {
        peer(&push).last_heard.unwrap() > heard[1] && peer(&pull).last_heard.unwrap() > heard[0]
    });
    drop(pull);
    until("the connection is down", || peer(&push).last_heard.is_none());
    assert_eq!(peer(&push).round_trip, None);
    set(&push, LINGER, 0);
}

#[test]
fn queues_that_are_full_are_told_of_on_both_sides() {
    let context = Context::new();
    for endpoint in [ANY_PORT, "inproc://full"] {
        let pull = open_with::<Pull>(&context, &[(RCVHWM, 2)]);
        let push = open_with::<Push>(&context, &[(SNDHWM, 3)]);
        push.connect(pull.bind(endpoint).unwrap()).unwrap();
        await_peers(&push, 1);
        let peer = |socket: &SocketBase| socket.stats().unwrap().peers.remove(0);
        assert!(!peer(&push).send_blocked && !peer(&pull).recv_blocked, "{endpoint}");
        let body = vec![7; 1 << 20];
        let mut sent = 0;
        while push.send_timeout(body.clone(), Duration::from_millis(200)).is_ok() {
            sent += 1;
        }
        let (sender, receiver) = (peer(&push), peer(&pull));
        assert!(sender.send_blocked && !sender.recv_blocked, "{endpoint}: {sender:?}");
        assert!(!receiver.send_blocked, "{endpoint}: {receiver:?}");
        // Within the process nobody reads.
        assert_eq!(receiver.recv_blocked, endpoint == ANY_PORT, "{receiver:?}");
        for _ in 0..sent {
            assert_eq!(pull.recv_timeout(LIMIT).unwrap()[0].len(), body.len());
        }
        until("there is room", || !peer(&push).send_blocked && !peer(&pull).recv_blocked);
    }
}
