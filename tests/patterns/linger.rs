//! What becomes of queued messages when a socket is closed, and of its port.

use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use tightbeam::options::OwnedValue;
use tightbeam::options::number::{LINGER, RCVHWM, RECONNECT_IVL, context};
use tightbeam::{Context, Dealer, EventKind, Frame, Pull, Push, Router, Socket};
use tightbeam_tests::sockets::*;

/// A port that nobody listens at just now.
fn free_endpoint(context: &Context) -> String {
    let socket = open::<Pull>(context);
    let endpoint = bind(&socket).to_string();
    socket.close();
    endpoint
}

/// A PUSH with so many messages queued for an endpoint where nobody is.
fn queued(context: &Context, endpoint: &str, linger: i32, count: usize) -> Socket<Push> {
    let push = open_with::<Push>(context, &[(LINGER, linger)]);
    push.connect(endpoint).unwrap();
    for i in 0..count {
        push.send(format!("{i}")).unwrap();
    }
    push
}

/// Fails instead of hanging.
fn promptly<R: Send + 'static>(what: &str, run: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(run()));
    receiver.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("{what}: not within {LIMIT:?}"))
}

fn expect_numbers(pull: &Socket<Pull>, count: usize) {
    for i in 0..count {
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), format!("{i}"));
    }
}

#[test]
fn without_linger_close_drops_what_is_queued_and_says_how_much() {
    let context = Context::new();
    let push = queued(&context, &free_endpoint(&context), 0, 5);
    assert_eq!(promptly("close", || push.close()), 5);
    assert!(context.term_timeout(LIMIT).unwrap());
}

#[test]
fn close_waits_as_long_as_it_lingers_and_says_what_was_not_delivered() {
    let context = Context::new();
    let push = queued(&context, &free_endpoint(&context), 100, 3);
    let start = Instant::now();
    assert_eq!(promptly("close", || push.close()), 3);
    assert!(start.elapsed() >= Duration::from_millis(100));
}

#[test]
fn lingering_for_ever_delivers_once_a_peer_comes() {
    let context = Context::new();
    let endpoint = free_endpoint(&context);
    let push = queued(&context, &endpoint, -1, 100);
    let closer = thread::spawn(move || push.close());
    let pull = open::<Pull>(&context);
    pull.bind(&endpoint).unwrap();
    expect_numbers(&pull, 100);
    until("close returns", || closer.is_finished());
    assert_eq!(closer.join().unwrap(), 0);
}

#[test]
fn dropping_a_socket_does_not_wait_and_its_messages_still_arrive() {
    let context = Context::new();
    let endpoint = free_endpoint(&context);
    let push = queued(&context, &endpoint, -1, 100);
    promptly("drop", || drop(push));
    assert_eq!(context.stats().sockets, 1, "it lingers");
    let other = Context::new();
    let pull = open::<Pull>(&other);
    pull.bind(&endpoint).unwrap();
    expect_numbers(&pull, 100);
    assert!(context.term_timeout(LIMIT).unwrap());
}

#[test]
fn term_waits_for_lingering_sockets() {
    let context = Context::new();
    let endpoint = free_endpoint(&context);
    drop(queued(&context, &endpoint, -1, 10));
    assert!(!context.term_timeout(Duration::from_millis(20)).unwrap());
    let other = Context::new();
    let pull = open::<Pull>(&other);
    pull.bind(&endpoint).unwrap();
    expect_numbers(&pull, 10);
    let ending = context.clone();
    promptly("term", move || ending.term()).unwrap();
    assert_eq!(context.stats().sockets, 0);
}

#[test]
fn much_that_is_queued_arrives_after_close() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    let closer = thread::spawn(move || {
        for i in 0..300 {
            push.send(vec![i as u8; 100_000]).unwrap();
        }
        push.close()
    });
    for i in 0..300 {
        assert!(pull.recv_timeout(LIMIT).unwrap() == vec![i as u8; 100_000]);
    }
    assert_eq!(closer.join().unwrap(), 0);
}

#[test]
fn the_port_is_free_after_close_and_after_drop() {
    let context = Context::new();
    let endpoint = free_endpoint(&context);
    for i in 0..20 {
        let pull = open::<Pull>(&context);
        pull.bind(&endpoint).unwrap_or_else(|error| panic!("round {i}: {error}"));
        let push = open::<Push>(&context);
        push.connect(&endpoint).unwrap();
        push.send("x").unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "x");
        if i % 2 == 0 {
            pull.close();
        } else {
            drop(pull);
        }
        push.close();
    }
}

#[test]
fn a_silent_client_does_not_hold_up_close() {
    let context = Context::new();
    let push = open::<Push>(&context);
    let events = push.monitor().unwrap();
    let endpoint = bind(&push);
    let client = TcpStream::connect(endpoint.as_str().trim_start_matches("tcp://")).unwrap();
    await_event(&events, EventKind::Accepted);
    assert_eq!(promptly("close", || push.close()), 0);
    drop(client);
}

#[test]
fn unread_messages_do_not_hold_up_close() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    for _ in 0..10 {
        push.send("unread").unwrap();
    }
    await_waiting(&pull, 10);
    promptly("close", || pull.close());
    assert_eq!(promptly("close", || push.close()), 0);
}

#[test]
fn close_ends_when_connecting_has_been_given_up() {
    let context = Context::new();
    let push = open_with::<Push>(&context, &[(RECONNECT_IVL, -1)]);
    // The system refuses this at once.
    push.connect("tcp://255.255.255.255:1").unwrap();
    let other = open_with::<Push>(&context, &[(RECONNECT_IVL, -1)]);
    other.connect("tcp://127.0.0.1:1").unwrap();
    let _ = push.try_send("x");
    let _ = other.try_send("x");
    promptly("close", || push.close());
    promptly("close", || other.close());
}

#[test]
fn sockets_of_a_context_that_is_not_blocky_do_not_linger() {
    let context = Context::new();
    context.set_option(context::BLOCKY, 0).unwrap();
    let push = open::<Push>(&context);
    assert_eq!(push.option(LINGER).unwrap(), OwnedValue::Int(0));
    push.connect("tcp://127.0.0.1:1").unwrap();
    push.send("x").unwrap();
    assert_eq!(promptly("close", || push.close()), 1);
}

/// A stream that is closed with unread input is reset, and the system drops what it still holds.
#[test]
fn a_socket_closed_with_unread_messages_delivers_its_own() {
    let context = Context::new();
    let router = open_with::<Router>(&context, &[(RCVHWM, 1)]);
    let dealer = open_with::<Dealer>(&context, &[(RCVHWM, 1)]);
    dealer.set_routing_id(b"D").unwrap();
    connect(&dealer, &bind(&router));
    dealer.send("here").unwrap();
    assert_eq!(router.recv_timeout(LIMIT).unwrap()[1], "here");
    // More than one read takes, and less than the system holds.
    for _ in 0..40 {
        router.send([Frame::from("D"), vec![1; 1000].into()]).unwrap();
    }
    await_waiting(&dealer, 1);
    for i in 0..60_u8 {
        dealer.send(vec![i; 100_000]).unwrap();
    }
    let closing = thread::spawn(move || dealer.close());
    for i in 0..60_u8 {
        let message = router.recv_timeout(LIMIT).unwrap();
        assert_eq!((message[1].len(), message[1][0]), (100_000, i));
    }
    assert_eq!(closing.join().unwrap(), 0);
}

#[test]
fn a_context_tells_what_would_be_lost_with_the_process() {
    let context = Context::new();
    let endpoint = free_endpoint(&context);
    // What nobody lingers for, what is sent within the process, what is sent, and subscriptions are not lost.
    let careless = queued(&context, &endpoint, 0, 5);
    let within = queued(&context, "inproc://nobody", -1, 5);
    let sub = open::<tightbeam::Sub>(&context);
    sub.connect(&endpoint).unwrap();
    sub.subscribe("news").unwrap();
    let (pull, sent) = (open::<Pull>(&context), open::<Push>(&context));
    sent.connect(bind(&pull)).unwrap();
    sent.send("sent").unwrap();
    pull.recv_timeout(LIMIT).unwrap();
    until("what was sent is not there any more", || context.unsent().is_empty());

    let (open, closed) = (queued(&context, &endpoint, -1, 3), queued(&context, &endpoint, -1, 2));
    closed.as_any().begin_close();
    let lost = || {
        let lost = context.unsent().into_iter();
        let mut lost: Vec<usize> = lost
            .map(|unsent| {
                assert_eq!(unsent.socket_type, tightbeam::SocketType::Push);
                assert_eq!(unsent.endpoint.unwrap().to_string(), endpoint);
                assert!(!unsent.connected);
                unsent.messages
            })
            .collect();
        lost.sort_unstable();
        lost
    };
    assert_eq!(lost(), [2, 3]);
    let late = open_with::<Pull>(&context, &[]);
    late.bind(&endpoint).unwrap();
    until("it is sent, also by the closed socket", || context.unsent().is_empty());
    for socket in [careless, within, open, sent] {
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }
}

#[test]
fn what_the_system_has_not_taken_is_told_of_a_peer_that_does_not_read() {
    let context = Context::new();
    let (pull, push) = (open_with::<Pull>(&context, &[(RCVHWM, 1)]), open::<Push>(&context));
    push.connect(bind(&pull)).unwrap();
    // More than the buffers of a connection hold.
    let body = Frame::from(vec![0; 1 << 20]);
    for _ in 0..64 {
        push.send(body.clone()).unwrap();
    }
    until("some were sent, and no more", || {
        let unsent = context.unsent();
        unsent.len() == 1 && unsent[0].connected && (1..64).contains(&unsent[0].messages)
    });
    push.set_linger(Some(Duration::ZERO)).unwrap();
}

#[test]
fn a_context_that_is_watched_ends_with_its_last_socket() {
    let context = Context::new();
    let watched = context.downgrade();
    let push = queued(&context, &free_endpoint(&context), 100, 1);
    drop(context);
    push.as_any().begin_close();
    drop(push);
    let unsent = watched.upgrade().expect("it is still sending").unsent();
    assert_eq!(unsent.len(), 1);
    until("the time to linger is over", || watched.upgrade().is_none());
}
