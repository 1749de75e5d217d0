//! When sends are written: at once, or gathered.
//!
//! Most tests hold the I/O thread up in a waker: what arrives meanwhile was written by the caller.

use std::thread;
use std::time::Duration;

use tightbeam::options::number;
use tightbeam::{Context, Pub, Pull, Push, Socket, Sub};
use tightbeam_tests::sockets::{
    LIMIT, await_peers, bind, connect, join_up, open, open_with, set, synchronise, until,
};

use crate::support::{finish, guarded, hold_up, in_own_process};

/// A PUSH socket and a PULL socket of different contexts, so of different I/O threads.
fn apart(context: &Context, other: &Context) -> (Socket<Push>, Socket<Pull>) {
    let (push, pull) = (open(context), open(other));
    join_up(&pull, &push);
    (push, pull)
}

#[test]
fn pairs_of_sends_are_written_at_once() {
    guarded(|| {
        let (context, other) = (Context::new(), Context::new());
        let (push, pull) = apart(&context, &other);
        let _held_up = hold_up(&context);
        for _ in 0..300 {
            push.send("one").unwrap();
            push.send("two").unwrap();
            assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "one");
            assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "two");
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(context.stats().burst_looks, 0);
    });
}

#[test]
fn pairs_of_sends_cause_no_looks() {
    in_own_process("bursts::pairs_of_sends_cause_no_looks", || {
        let (context, other) = (Context::new(), Context::new());
        let (push, pull) = apart(&context, &other);
        for _ in 0..200 {
            push.send("one").unwrap();
            push.send("two").unwrap();
            pull.recv_timeout(LIMIT).unwrap();
            pull.recv_timeout(LIMIT).unwrap();
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(context.stats().burst_looks, 0);
    });
}

/// The thread that sent goes, so that it writes nothing before it waits for something else.
#[test]
fn a_burst_that_is_going_on_when_its_socket_is_closed_is_written_to_its_end() {
    guarded(|| {
        let (context, other) = (Context::new(), Context::new());
        let (push, pull) = apart(&context, &other);
        set(&push, number::SNDHWM, 0);
        set(&pull, number::RCVHWM, 1);
        let held_up = hold_up(&context);
        let sender = thread::spawn(move || {
            for _ in 0..1_000 {
                push.send("burst").unwrap();
            }
            // More than the kernel takes.
            let body = [0; 1_000];
            for _ in 0..10_000 {
                push.send(&body[..]).unwrap();
            }
            drop(push);
        });
        sender.join().unwrap();
        drop(held_up);
        for i in 0..11_000 {
            pull.recv_timeout(LIMIT).unwrap_or_else(|error| panic!("{i}: {error}"));
        }
        assert!(context.term_timeout(LIMIT).unwrap());
    });
}

/// Sends until the I/O thread looks: they were a burst.
fn burst(context: &Context, push: &Socket<Push>) -> usize {
    let before = context.stats().burst_looks;
    let mut sent = 0;
    until("sends in a row are a burst", || {
        for _ in 0..200 {
            push.send("burst").unwrap();
            sent += 1;
        }
        context.stats().burst_looks > before
    });
    sent
}

#[test]
fn the_tail_of_a_burst_arrives_without_further_calls() {
    guarded(|| {
        let (context, other) = (Context::new(), Context::new());
        let (push, pull) = apart(&context, &other);
        for _ in 0..20 {
            for _ in 0..100 {
                push.send("burst").unwrap();
            }
            for _ in 0..100 {
                assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "burst");
            }
        }
    });
}

#[test]
fn a_burst_has_one_series_of_looks_and_none_when_idle() {
    in_own_process("bursts::a_burst_has_one_series_of_looks_and_none_when_idle", || {
        let (context, other) = (Context::new(), Context::new());
        let (push, pull) = apart(&context, &other);
        let drain = thread::spawn(move || while pull.recv_timeout(LIMIT).unwrap() != "end" {});
        for _ in 0..3 {
            burst(&context, &push);
            thread::sleep(Duration::from_millis(200));
            let ended = context.stats();
            thread::sleep(Duration::from_secs(1));
            let later = context.stats();
            assert_eq!(later.burst_looks, ended.burst_looks, "the burst is over");
            assert_eq!(later.io_wakeups, ended.io_wakeups, "nothing moves");
        }
        push.send("end").unwrap();
        finish(drain);
    });
}

#[test]
fn a_caller_that_waits_in_another_socket_first_writes_its_burst() {
    guarded(|| {
        let (context, other) = (Context::new(), Context::new());
        let (push, pull) = apart(&context, &other);
        let (answers, answerer): (Socket<Pull>, Socket<Push>) = (open(&context), open(&other));
        join_up(&answers, &answerer);
        const SENT: usize = 500;
        let peer = thread::spawn(move || {
            for _ in 0..10 {
                for _ in 0..SENT {
                    pull.recv_timeout(LIMIT).unwrap();
                }
                answerer.send("all here").unwrap();
            }
            answerer
        });
        let _held_up = hold_up(&context);
        for _ in 0..10 {
            for _ in 0..SENT {
                push.send("burst").unwrap();
            }
            assert_eq!(answers.recv_timeout(LIMIT).unwrap(), "all here");
        }
        finish(peer);
    });
}

/// Publishes to so many peers with the I/O thread held up. Whether anything arrived meanwhile.
fn arrives_without_the_io_thread(peers: usize) -> bool {
    let (context, other) = (Context::new(), Context::new());
    let publisher = open::<Pub>(&context);
    let endpoint = bind(&publisher);
    let subscribers: Vec<Socket<Sub>> = (0..peers)
        .map(|_| {
            let subscriber = open_with::<Sub>(&other, &[(number::RCVTIMEO, 200)]);
            connect(&subscriber, &endpoint);
            await_peers(&subscriber, 1);
            synchronise(&publisher, &subscriber);
            subscriber
        })
        .collect();
    for subscriber in &subscribers {
        subscriber.subscribe("news").unwrap();
        synchronise(&publisher, subscriber);
    }
    let mut held_up = hold_up(&context);
    publisher.send("news").unwrap();
    let early = subscribers[0].recv().is_ok();
    held_up.release();
    for subscriber in &subscribers[usize::from(early)..] {
        assert_eq!(subscriber.recv_timeout(LIMIT).unwrap(), "news");
    }
    early
}

#[test]
fn sends_to_few_peers_are_written_by_the_caller_and_to_many_by_the_io_thread() {
    guarded(|| {
        assert!(arrives_without_the_io_thread(3));
        assert!(!arrives_without_the_io_thread(12));
    });
}
