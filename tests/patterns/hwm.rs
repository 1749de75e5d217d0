//! High-water marks, counted.

use std::thread;
use std::time::Duration;

use tightbeam::options::number::{RCVHWM, SNDHWM};
use tightbeam::{Context, Pull, Push, Socket};
use tightbeam_tests::sockets::*;

/// Nothing listens there.
const NOWHERE: &str = "tcp://127.0.0.1:1";

/// A body that is never read together with another.
fn body(number: u32) -> Vec<u8> {
    let mut body = vec![0; 300_000];
    body[..4].copy_from_slice(&number.to_le_bytes());
    body
}

/// How many messages are accepted before one is refused, up to `most`.
fn accepted(push: &Socket<Push>, most: usize) -> usize {
    (0..most).take_while(|_| push.try_send("x").is_ok()).count()
}

/// Sends numbered bodies until the peer is full for good; answers how many.
fn fill(push: &Socket<Push>) -> u32 {
    (0..10_000)
        .find(|i| push.send_timeout(body(*i), Duration::from_millis(300)).is_err())
        .expect("a full peer refuses")
}

fn drain(pull: &Socket<Pull>, count: u32) {
    for i in 0..count {
        assert!(pull.recv_timeout(LIMIT).unwrap() == body(i), "message {i}");
    }
}

#[test]
fn so_many_messages_wait_for_each_peer() {
    let context = Context::new();
    for hwm in [1, 2, 7, 1000] {
        let push = open_with::<Push>(&context, &[(SNDHWM, hwm)]);
        push.connect(NOWHERE).unwrap();
        assert_eq!(accepted(&push, 5000), hwm as usize);
        push.connect("tcp://127.0.0.1:2").unwrap();
        assert_eq!(accepted(&push, 5000), hwm as usize);
        let stats = push.stats().unwrap();
        assert!(stats.peers.iter().all(|peer| peer.send_queue == hwm as usize));
        set(&push, tightbeam::options::number::LINGER, 0);
    }
}

#[test]
fn without_a_mark_there_is_no_limit() {
    let context = Context::new();
    let push = open_with::<Push>(&context, &[(SNDHWM, 0), (tightbeam::options::number::LINGER, 0)]);
    push.connect(NOWHERE).unwrap();
    assert_eq!(accepted(&push, 50_000), 50_000);
}

#[test]
fn a_changed_mark_holds_at_once() {
    let context = Context::new();
    let push = open_with::<Push>(&context, &[(SNDHWM, 2), (tightbeam::options::number::LINGER, 0)]);
    push.connect(NOWHERE).unwrap();
    assert_eq!(accepted(&push, 100), 2);
    set(&push, SNDHWM, 5);
    assert_eq!(accepted(&push, 100), 3);
    set(&push, SNDHWM, 1);
    assert_eq!(accepted(&push, 100), 0);
    set(&push, SNDHWM, 0);
    assert_eq!(accepted(&push, 100), 100);
}

#[test]
fn a_raised_mark_wakes_who_waits_for_room() {
    let context = Context::new();
    let push = open_with::<Push>(&context, &[(SNDHWM, 1), (tightbeam::options::number::LINGER, 0)]);
    push.connect(NOWHERE).unwrap();
    push.send("fills it").unwrap();
    thread::scope(|scope| {
        let sender = scope.spawn(|| push.send_timeout("waits", LIMIT * 3));
        thread::sleep(Duration::from_millis(20));
        assert!(!sender.is_finished());
        set(&push, SNDHWM, 2);
        until("the sender goes on", || sender.is_finished());
        sender.join().unwrap().unwrap();
    });
}

#[test]
fn a_receiver_reads_up_to_its_mark_and_goes_on_when_there_is_room() {
    let context = Context::new();
    for (sndhwm, rcvhwm) in [(1, 1), (3, 2), (1, 10)] {
        let push = open_with::<Push>(&context, &[(SNDHWM, sndhwm)]);
        let pull = open_with::<Pull>(&context, &[(RCVHWM, rcvhwm)]);
        join_up(&pull, &push);
        let sent = fill(&push);
        let held = waiting(&pull);
        assert!((rcvhwm as usize..=rcvhwm as usize + 1).contains(&held), "{held} for {rcvhwm}");
        assert_eq!(push.stats().unwrap().peers[0].send_queue, sndhwm as usize);
        drain(&pull, sent);
        assert!(pull.try_recv().unwrap_err().is_would_block());
        push.send(body(7)).unwrap();
        assert!(pull.recv_timeout(LIMIT).unwrap() == body(7));
    }
}

#[test]
fn a_raised_receive_mark_lets_reading_go_on_at_once() {
    let context = Context::new();
    let push = open_with::<Push>(&context, &[(SNDHWM, 1000)]);
    let pull = open_with::<Pull>(&context, &[(RCVHWM, 2)]);
    join_up(&pull, &push);
    for i in 0..100 {
        push.send(body(i)).unwrap();
    }
    await_waiting(&pull, 2);
    set(&pull, RCVHWM, 0);
    await_waiting(&pull, 100);
    drain(&pull, 100);
}

#[test]
fn small_marks_on_both_sides_lose_and_swap_nothing() {
    let context = Context::new();
    for (sndhwm, rcvhwm) in [(1, 1), (2, 1), (1, 3), (0, 1), (1, 0)] {
        let push = open_with::<Push>(&context, &[(SNDHWM, sndhwm)]);
        let pull = open_with::<Pull>(&context, &[(RCVHWM, rcvhwm)]);
        join_up(&pull, &push);
        thread::scope(|scope| {
            scope.spawn(|| (0..5_000).try_for_each(|i| push.send_timeout(format!("{i}"), LIMIT)));
            for i in 0..5_000 {
                assert_eq!(pull.recv_timeout(LIMIT).unwrap(), format!("{i}"));
            }
        });
    }
}
