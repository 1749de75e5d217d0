//! RFC 30: PUSH and PULL.

use std::thread;
use std::time::Duration;

use tightbeam::options::number::{RCVHWM, SNDHWM, SNDTIMEO};
use tightbeam::{Context, Error, Pull, Push, Socket, SocketType};
use tightbeam_tests::sockets::*;

/// A PUSH with connected PULL sockets.
fn push_and_pulls(context: &Context, count: usize) -> (Socket<Push>, Vec<Socket<Pull>>) {
    let push = open::<Push>(context);
    let pulls: Vec<Socket<Pull>> = (0..count).map(|_| open(context)).collect();
    for pull in &pulls {
        connect(&push, &bind(pull));
    }
    await_peers(&push, count);
    (push, pulls)
}

#[test]
fn messages_go_to_the_peers_in_turn() {
    let context = Context::new();
    let (push, pulls) = push_and_pulls(&context, 3);
    for i in 0..300 {
        push.send(format!("{i}")).unwrap();
    }
    for (at, pull) in pulls.iter().enumerate() {
        for round in 0..100 {
            assert_eq!(pull.recv_timeout(LIMIT).unwrap(), format!("{}", at + 3 * round));
        }
        assert!(pull.try_recv().unwrap_err().is_would_block());
    }
}

#[test]
fn a_full_peer_is_skipped() {
    let context = Context::new();
    let push = open_with::<Push>(&context, &[(SNDHWM, 2)]);
    let full = open_with::<Pull>(&context, &[(RCVHWM, 1)]);
    let body = vec![1; 1 << 20];
    join_up(&full, &push);
    // Until it is full for good: the kernel moves some on at first.
    while push.send_timeout(body.clone(), Duration::from_millis(300)).is_ok() {}
    let accepted = push.stats().unwrap().traffic.messages_sent;
    let reader = open::<Pull>(&context);
    connect(&push, &bind(&reader));
    for _ in 0..20 {
        push.send(body.clone()).unwrap();
        assert_eq!(reader.recv_timeout(LIMIT).unwrap(), body);
    }
    for _ in 0..accepted {
        assert_eq!(full.recv_timeout(LIMIT).unwrap(), body);
    }
    push.send("both have room").unwrap();
}

#[test]
fn messages_come_from_the_peers_in_turn() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let endpoint = bind(&pull);
    let pushes: Vec<Socket<Push>> = (0..3).map(|_| open(&context)).collect();
    for (from, push) in pushes.iter().enumerate() {
        connect(push, &endpoint);
        for _ in 0..50 {
            push.send([from.to_string(), "rest".into()]).unwrap();
        }
    }
    await_waiting(&pull, 150);
    for _ in 0..50 {
        let mut from = [0; 3].map(|_| texts(&pull.recv_timeout(LIMIT).unwrap()));
        from.sort();
        assert_eq!(from, [["0", "rest"], ["1", "rest"], ["2", "rest"]]);
    }
}

#[test]
fn a_slow_peer_does_not_hide_the_others() {
    let context = Context::new();
    let pull = open_with::<Pull>(&context, &[(RCVHWM, 10_000)]);
    let (loud, quiet) = (open::<Push>(&context), open::<Push>(&context));
    join_up(&pull, &loud);
    join_up(&pull, &quiet);
    for _ in 0..5_000 {
        loud.send("loud").unwrap();
    }
    await_waiting(&pull, 5_000);
    quiet.send("quiet").unwrap();
    await_waiting(&pull, 5_001);
    let before = (0..5_000).take_while(|_| pull.recv_timeout(LIMIT).unwrap() == "loud").count();
    assert!(before <= 1, "{before} messages of the loud peer came first");
}

#[test]
fn without_a_peer_a_send_waits_as_long_as_it_may() {
    let context = Context::new();
    let push = open::<Push>(&context);
    let refused = push.try_send("a").unwrap_err();
    assert_eq!((refused.error.errno(), refused.message), (libc::EAGAIN, "a".into()));
    assert!(push.send_timeout("b", Duration::from_millis(2)).unwrap_err().error.is_would_block());
    set(&push, SNDTIMEO, 2);
    assert!(push.send(["c", "d"]).unwrap_err().error.is_would_block());
    set(&push, SNDTIMEO, 0);
    assert!(push.send_part(&"e".into(), true).unwrap_err().is_would_block());
    bind(&push);
    assert!(push.send("f").unwrap_err().error.is_would_block());
}

#[test]
fn waiting_senders_go_on_as_soon_as_there_is_a_peer() {
    for hwm in [0, 1, 1000] {
        let context = Context::new();
        let push = open_with::<Push>(&context, &[(SNDHWM, hwm)]);
        let pull = open::<Pull>(&context);
        let endpoint = bind(&push);
        thread::scope(|scope| {
            let senders: Vec<_> =
                (0..4).map(|_| scope.spawn(|| push.send_timeout("x", LIMIT))).collect();
            // So that all of them wait; a sender that comes later finds room at once.
            thread::sleep(Duration::from_millis(50));
            connect(&pull, &endpoint);
            for _ in 0..4 {
                assert_eq!(pull.recv_timeout(2 * LIMIT).unwrap(), "x");
            }
            for sender in senders {
                sender.join().unwrap().unwrap();
            }
        });
    }
}

#[test]
fn push_does_not_receive_and_pull_does_not_send() {
    let context = Context::new();
    let push = context.any_socket(SocketType::Push).unwrap();
    let pull = context.any_socket(SocketType::Pull).unwrap();
    assert!(matches!(push.recv(), Err(Error::Unsupported { socket: SocketType::Push, .. })));
    let refused = pull.send("x").unwrap_err();
    assert_eq!((refused.error.errno(), refused.message), (libc::ENOTSUP, "x".into()));
    assert_eq!(pull.send_part(&"x".into(), true, None).unwrap_err().errno(), libc::ENOTSUP);
}
