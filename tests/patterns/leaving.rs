//! What unbind and disconnect end, and what they leave: as libzmq does it, where it was seen to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tightbeam::options::number::{LINGER, RCVHWM, RECONNECT_IVL};
use tightbeam::{Context, Dealer, EventKind, Pull, Push, Req, Router, SocketBase};
use tightbeam_tests::peer::Peer;
use tightbeam_tests::sockets::*;
use tightbeam_tests::transport::anywhere;

/// More of them than the system buffers.
const COUNT: u8 = 60;

fn body(i: u8) -> Vec<u8> {
    vec![i; 100_000]
}

/// A bound PUSH that lingers so long, with more queued than goes out, and a PULL that takes little of it.
fn behind(context: &Context, linger: i32) -> (tightbeam::Socket<Push>, tightbeam::Socket<Pull>) {
    let push = open_with::<Push>(context, &[(LINGER, linger)]);
    let pull = open_with::<Pull>(context, &[(RCVHWM, 1), (RECONNECT_IVL, -1)]);
    join_up(&push, &pull);
    for i in 0..COUNT {
        push.try_send(body(i)).unwrap();
    }
    (push, pull)
}

fn endpoint_of(socket: &SocketBase) -> String {
    match socket.option(tightbeam::options::number::LAST_ENDPOINT).unwrap() {
        tightbeam::options::OwnedValue::Bytes(text) => String::from_utf8(text).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn unbind_ends_the_connections_that_were_accepted_and_what_came_is_received() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    let events = push.monitor().unwrap();
    for i in 0..3 {
        push.send(format!("{i}")).unwrap();
    }
    await_waiting(&pull, 3);
    let other = open::<Push>(&context);
    join_up(&pull, &other);
    let first = endpoint_of(&push);
    pull.unbind(&first).unwrap();
    await_event(&events, EventKind::Disconnected);
    for i in 0..3 {
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), format!("{i}"));
    }
    other.send("not concerned").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "not concerned");
}

#[test]
fn what_is_queued_for_accepted_peers_goes_out_after_unbind_and_nothing_more() {
    let context = Context::new();
    let (push, pull) = behind(&context, -1);
    push.unbind(endpoint_of(&push)).unwrap();
    assert!(push.try_send("more").unwrap_err().error.is_would_block());
    for i in 0..COUNT {
        assert!(pull.recv_timeout(LIMIT).unwrap() == body(i), "{i}");
    }
    until("the connection ends", || peers(&push) == 0 && peers(&pull) == 0);
}

#[test]
fn without_linger_unbind_drops_what_is_queued() {
    let context = Context::new();
    let (push, pull) = behind(&context, 0);
    push.unbind(endpoint_of(&push)).unwrap();
    until("the connection ends", || peers(&push) == 0);
    let mut received = 0;
    until("its end is seen", || {
        received += u8::from(pull.try_recv().is_ok());
        peers(&pull) == 0 && waiting(&pull) == 0
    });
    assert!(received < COUNT, "{received}");
}

#[test]
fn the_time_to_linger_ends_what_unbind_and_disconnect_have_left() {
    let context = Context::new();
    let (push, pull) = behind(&context, 50);
    push.unbind(endpoint_of(&push)).unwrap();
    let other = open_with::<Push>(&context, &[(LINGER, 50)]);
    let endpoint = bind(&pull);
    pull.unbind(&endpoint).unwrap();
    connect(&other, &endpoint);
    other.send("to nobody").unwrap();
    other.disconnect(&endpoint).unwrap();
    until("they are given up", || {
        [&*push, &*other].iter().all(|socket| socket.stats().unwrap().peers.is_empty())
    });
    assert_eq!(push.close() + other.close(), 0, "nothing is left to linger for");
}

#[test]
fn what_disconnect_has_left_queued_is_delivered_to_who_comes_in_time() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    let endpoint = bind(&pull);
    pull.unbind(&endpoint).unwrap();
    connect(&push, &endpoint);
    for i in 0..5 {
        push.send(format!("{i}")).unwrap();
    }
    push.disconnect(&endpoint).unwrap();
    assert!(push.try_send("more").unwrap_err().error.is_would_block());
    pull.bind(&endpoint).unwrap();
    for i in 0..5 {
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), format!("{i}"));
    }
    until("the endpoint ends", || push.stats().unwrap().peers.is_empty());
}

#[test]
fn disconnect_ends_every_connection_by_that_name() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    let endpoint = bind(&pull);
    for _ in 0..3 {
        connect(&push, &endpoint);
    }
    await_peers(&pull, 3);
    push.disconnect(&endpoint).unwrap();
    await_peers(&pull, 0);
    assert!(push.try_send("x").unwrap_err().error.is_would_block());
    assert_eq!(push.disconnect(&endpoint).unwrap_err().errno(), libc::ENOENT);
}

#[test]
fn a_message_of_which_a_part_was_received_survives_disconnect() {
    let context = Context::new();
    let (bound, connected) = join::<Dealer, Dealer>(&context);
    bound.send(["one", "two", "three"]).unwrap();
    let part = connected.recv_part().unwrap();
    assert_eq!(part, "one");
    connected.disconnect(endpoint_of(&connected)).unwrap();
    assert_eq!(connected.recv_timeout(LIMIT).unwrap(), ["two", "three"]);
    assert!(connected.try_recv().unwrap_err().is_would_block());
}

#[test]
fn what_arrives_while_disconnect_lingers_is_for_nobody() {
    let context = Context::new();
    let bound = open_with::<Dealer>(&context, &[(RCVHWM, 1)]);
    let connected = open::<Dealer>(&context);
    let endpoint = join_up(&bound, &connected);
    for i in 0..COUNT {
        connected.try_send(body(i)).unwrap();
    }
    connected.disconnect(&endpoint).unwrap();
    bound.send("late").unwrap();
    for i in 0..COUNT {
        assert!(bound.recv_timeout(LIMIT).unwrap() == body(i), "{i}");
    }
    until("the connection ends", || peers(&bound) == 0);
    assert!(connected.try_recv().unwrap_err().is_would_block());
}

#[test]
fn an_endpoint_is_connected_to_again_after_disconnect() {
    let context = Context::new();
    let router = open::<Router>(&context);
    let endpoint = bind(&router);
    let req = open::<Req>(&context);
    for i in 0..50 {
        connect(&req, &endpoint);
        req.send(format!("{i}")).unwrap();
        let request = router.recv_timeout(LIMIT).unwrap();
        assert_eq!(request[2], format!("{i}"));
        router.send(request).unwrap();
        assert_eq!(req.recv_timeout(LIMIT).unwrap(), format!("{i}"));
        req.disconnect(&endpoint).unwrap();
    }
}

#[test]
fn a_handshake_that_was_pending_ends_with_unbind() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let events = pull.monitor().unwrap();
    let endpoint = bind(&pull);
    let mut silent = Peer::connect(&endpoint);
    await_event(&events, EventKind::Accepted);
    pull.unbind(&endpoint).unwrap();
    silent.expect_closed_eventually();
}

/// Clients that come and go all the time must not keep the address.
#[test]
fn an_address_is_free_when_unbind_or_close_returns_also_in_a_storm_of_connections() {
    let context = Context::new();
    let first = open::<Pull>(&context);
    let endpoint = first.bind(anywhere()).unwrap();
    first.close();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let _ = Peer::try_connect(&endpoint);
                }
            });
        }
        let kept = open::<Pull>(&context);
        for i in 0..200 {
            let failed = |error| panic!("round {i}: {error}");
            if i % 2 == 0 {
                kept.bind(&endpoint).unwrap_or_else(failed);
                kept.unbind(&endpoint).unwrap();
            } else {
                let pull = open::<Pull>(&context);
                pull.bind(&endpoint).unwrap_or_else(failed);
                pull.close();
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    pull.bind(&endpoint).unwrap();
    connect(&push, &endpoint);
    push.send("served").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "served");
}
