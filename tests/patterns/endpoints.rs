//! Binding, connecting, and what undoes them.

use std::net::{TcpListener, TcpStream};

use tightbeam::options::OwnedValue;
use tightbeam::options::number::{IPV6, LAST_ENDPOINT};
use tightbeam::{Context, Dealer, Error, EventKind, Pub, Pull, Push, Req, Router, SocketBase, Sub};
use tightbeam_tests::sockets::*;

fn last_endpoint(socket: &SocketBase) -> String {
    match socket.option(LAST_ENDPOINT).unwrap() {
        OwnedValue::Bytes(text) => String::from_utf8(text).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn address(endpoint: &str) -> &str {
    endpoint.trim_start_matches("tcp://")
}

#[test]
fn malformed_endpoints_are_refused_by_name_and_the_socket_stays_usable() {
    let context = Context::new();
    let push = open::<Push>(&context);
    let malformed = [
        "",
        "tcp",
        "tcp://",
        "://x",
        "pigeon://",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:x",
        "tcp://:5",
    ];
    for endpoint in malformed {
        for refused in [push.bind(endpoint).unwrap_err(), push.connect(endpoint).unwrap_err()] {
            assert_eq!(refused.errno(), libc::EINVAL, "{endpoint}: {refused}");
            assert!(matches!(refused, Error::BadEndpoint { .. }), "{endpoint}: {refused}");
        }
    }
    for endpoint in ["tcp://*:5555", "tcp://127.0.0.1:*", "tcp://127.0.0.1:0"] {
        assert!(matches!(push.connect(endpoint), Err(Error::BadEndpoint { .. })), "{endpoint}");
    }
    let refused = push.bind("carrier-pigeon://here").unwrap_err();
    assert_eq!(refused.errno(), libc::EPROTONOSUPPORT);
    assert!(refused.to_string().contains("carrier-pigeon"));
    assert_eq!(last_endpoint(&push), "");
    let pull = open::<Pull>(&context);
    join_up(&pull, &push);
    push.send("usable").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "usable");
}

#[test]
fn a_bind_that_the_system_refuses_says_so() {
    let context = Context::new();
    let (one, two) = (open::<Pull>(&context), open::<Pull>(&context));
    let endpoint = bind(&one);
    assert_eq!(two.bind(&endpoint).unwrap_err().errno(), libc::EADDRINUSE);
    assert_eq!(two.bind("tcp://192.0.2.1:*").unwrap_err().errno(), libc::EADDRNOTAVAIL);
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("tcp://{}", other.local_addr().unwrap());
    assert_eq!(two.bind(&taken).unwrap_err().errno(), libc::EADDRINUSE);
    drop(other);
    two.bind(&taken).unwrap();
}

#[test]
fn last_endpoint_is_the_resolved_one_of_the_last_bind_or_connect() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    assert_eq!(last_endpoint(&pull), "");
    let first = pull.bind("tcp://127.0.0.1:*").unwrap();
    assert_eq!(last_endpoint(&pull), first.as_str());
    assert!(TcpStream::connect(address(first.as_str())).is_ok());
    let second = pull.bind("tcp://*:0").unwrap();
    assert_eq!(last_endpoint(&pull), second.as_str());
    assert!(second.as_str().starts_with("tcp://0.0.0.0:") && !second.as_str().ends_with(":0"));
    let third = pull.connect("tcp://127.0.0.1:00001").unwrap();
    assert_eq!(
        (last_endpoint(&pull).as_str(), third.as_str()),
        ("tcp://127.0.0.1:1", "tcp://127.0.0.1:1")
    );
}

#[test]
fn what_was_not_bound_or_connected_cannot_be_undone() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let endpoint = bind(&pull);
    for unknown in [ANY_PORT, "tcp://127.0.0.1:1"] {
        assert_eq!(pull.unbind(unknown).unwrap_err().errno(), libc::ENOENT);
        assert_eq!(pull.disconnect(unknown).unwrap_err().errno(), libc::ENOENT);
    }
    for malformed in ["nonsense", "", "tcp://", "://127.0.0.1:5"] {
        assert_eq!(pull.unbind(malformed).unwrap_err().errno(), libc::EINVAL, "{malformed}");
    }
    // There is an address, only no such one here.
    let long = format!("ipc://{}", "x".repeat(200));
    for unknown in ["tcp://127.0.0.1:x", "tcp://nowhere.invalid:5", "ipc://nowhere", &long] {
        assert_eq!(pull.unbind(unknown).unwrap_err().errno(), libc::ENOENT, "{unknown}");
    }
    assert_eq!(pull.unbind("pigeon://x").unwrap_err().errno(), libc::EPROTONOSUPPORT);
    pull.unbind(&endpoint).unwrap();
    assert_eq!(pull.unbind(&endpoint).unwrap_err().errno(), libc::ENOENT);
}

/// As in libzmq, either call undoes either.
#[test]
fn unbind_and_disconnect_take_both_kinds_of_endpoints() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    let endpoint = join_up(&pull, &push);
    pull.disconnect(&endpoint).unwrap();
    assert!(TcpStream::connect(address(endpoint.as_str())).is_err());
    push.unbind(&endpoint).unwrap();
    assert!(push.stats().unwrap().peers.is_empty());
    assert_eq!(push.disconnect(&endpoint).unwrap_err().errno(), libc::ENOENT);
}

#[test]
fn unbind_frees_the_port_and_leaves_other_endpoints_alone() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let events = pull.monitor().unwrap();
    let (first, second) = (bind(&pull), bind(&pull));
    pull.unbind(&first).unwrap();
    assert_eq!(await_event(&events, EventKind::Closed).endpoint, Some(first.clone()));
    assert!(TcpStream::connect(address(first.as_str())).is_err());
    open::<Pull>(&context).bind(&first).unwrap();
    let push = open::<Push>(&context);
    connect(&push, &second);
    push.send("x").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "x");
}

#[test]
fn a_disconnected_peer_gets_nothing_more_and_what_it_sent_is_dropped() {
    let context = Context::new();
    let (dealer, peers) = (open::<Dealer>(&context), [open::<Dealer>(&context), open(&context)]);
    let endpoints = peers.each_ref().map(|peer| bind(peer));
    for endpoint in &endpoints {
        connect(&dealer, endpoint);
    }
    await_peers(&dealer, 2);
    peers[0].send("before").unwrap();
    await_waiting(&dealer, 1);
    dealer.disconnect(&endpoints[0]).unwrap();
    assert_eq!(dealer.disconnect(&endpoints[0]).unwrap_err().errno(), libc::ENOENT);
    for i in 0..10 {
        dealer.send(format!("{i}")).unwrap();
        assert_eq!(peers[1].recv_timeout(LIMIT).unwrap(), format!("{i}"));
    }
    assert!(dealer.try_recv().unwrap_err().is_would_block());
    assert_eq!(dropped(&dealer), 1);
    assert!(peers[0].try_recv().unwrap_err().is_would_block());
}

#[test]
fn what_was_sent_before_disconnect_is_delivered() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let endpoint = bind(&pull);
    for i in 0..20 {
        let push = open::<Push>(&context);
        connect(&push, &endpoint);
        push.send(format!("{i}")).unwrap();
        push.disconnect(&endpoint).unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), format!("{i}"));
    }
}

#[test]
fn connect_may_come_before_bind() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    let endpoint = bind(&pull);
    pull.unbind(&endpoint).unwrap();
    let events = push.monitor().unwrap();
    connect(&push, &endpoint);
    push.send("early").unwrap();
    await_event(&events, EventKind::ConnectRetried);
    pull.bind(&endpoint).unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "early");
}

#[test]
fn a_second_connect_to_the_same_endpoint_does_nothing_where_a_peer_counts_once() {
    let context = Context::new();
    let router = open::<Router>(&context);
    let endpoint = bind(&router);
    let events = router.monitor().unwrap();
    let (dealer, req) = (open::<Dealer>(&context), open::<Req>(&context));
    for socket in [&*dealer, &*req] {
        connect(socket, &endpoint);
        connect(socket, &endpoint);
        assert_eq!(socket.stats().unwrap().peers.len(), 1);
        await_event(&events, EventKind::HandshakeSucceeded);
    }
    let (publisher, subscriber) = (open::<Pub>(&context), open::<Sub>(&context));
    for socket in [&*publisher, &*subscriber] {
        connect(socket, &endpoint);
        connect(socket, &endpoint);
        assert_eq!(socket.stats().unwrap().peers.len(), 1);
    }
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    let endpoint = bind(&pull);
    connect(&push, &endpoint);
    connect(&push, &endpoint);
    assert_eq!(push.stats().unwrap().peers.len(), 2);
}

#[test]
fn names_are_looked_up() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    let endpoint = pull.bind("tcp://localhost:*").unwrap();
    let port = endpoint.as_str().rsplit(':').next().unwrap();
    push.connect(format!("tcp://localhost:{port}")).unwrap();
    push.send("by name").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "by name");
}

#[test]
fn ipv6_has_to_be_asked_for() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    assert!(matches!(pull.bind("tcp://[::1]:*"), Err(Error::Io { .. })));
    set(&pull, IPV6, 1);
    let Ok(endpoint) = pull.bind("tcp://[::1]:*") else { return }; // a machine without IPv6
    let push = open_with::<Push>(&context, &[(IPV6, 1)]);
    connect(&push, &endpoint);
    push.send("six").unwrap();
    let received = pull.recv_timeout(LIMIT).unwrap();
    assert_eq!(received[0].peer().unwrap().address(), "::1");
}

#[test]
fn a_connection_may_come_from_a_given_address() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    let endpoint = bind(&pull);
    push.connect(format!("tcp://127.0.0.2:0;{}", address(endpoint.as_str()))).unwrap();
    push.send("from there").unwrap();
    let message = pull.recv_timeout(LIMIT).unwrap();
    assert_eq!(message, "from there");
    assert_eq!(message[0].peer().unwrap().address(), "127.0.0.2");
}

#[test]
fn one_socket_may_bind_and_connect_many_times() {
    let context = Context::new();
    let hub = open::<Pull>(&context);
    let endpoints: Vec<_> = (0..5).map(|_| bind(&hub)).collect();
    let pushes: Vec<_> = (0..10).map(|_| open::<Push>(&context)).collect();
    for (i, push) in pushes.iter().enumerate() {
        if i < 5 {
            connect(push, &endpoints[i])
        } else {
            connect(&hub, &bind(push))
        }
        push.send(format!("{i}")).unwrap();
    }
    let mut heard: Vec<String> =
        (0..10).flat_map(|_| texts(&hub.recv_timeout(LIMIT).unwrap())).collect();
    heard.sort();
    assert_eq!(heard, (0..10).map(|i| i.to_string()).collect::<Vec<_>>());
}
