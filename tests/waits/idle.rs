//! An idle process makes no wake-ups, in whatever state its sockets are.

use std::sync::Arc;
use std::time::Duration;
use std::{fs, thread};

use tightbeam::{Context, Dealer, Pull, Push, Rep, Req, Router};
use tightbeam_tests::sockets::{LIMIT, bind, connect, join, open};

use crate::support::{in_own_process, poll_once};

/// Voluntary context switches of all threads but this one and the test runner's.
fn switches() -> u64 {
    let mut sum = 0;
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let path = task.unwrap().path();
        let name = fs::read_to_string(path.join("comm")).unwrap();
        if !name.starts_with("tightbeam") && !name.starts_with("waits-") {
            continue;
        }
        let status = fs::read_to_string(path.join("status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("voluntary")).unwrap();
        sum += line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap();
    }
    sum
}

fn assert_idle(context: &Context) {
    thread::sleep(Duration::from_millis(300));
    let (wakeups, switched) = (context.stats().io_wakeups, switches());
    thread::sleep(Duration::from_secs(1));
    assert_eq!(context.stats().io_wakeups, wakeups, "the I/O thread woke");
    assert_eq!(switches(), switched, "a thread woke");
}

#[test]
fn idle_sockets_wake_nobody() {
    in_own_process("idle::idle_sockets_wake_nobody", || {
        let context = Context::new();
        // Armed: never waited in.
        let (_armed_push, _armed_pull) = join::<Push, Pull>(&context);
        assert_idle(&context);
        // Claimed, and left.
        let (router, dealer) = join::<Router, Dealer>(&context);
        for _ in 0..50 {
            dealer.send("ping").unwrap();
            router.recv_timeout(LIMIT).unwrap();
        }
        assert_idle(&context);
        // A burst, over.
        for _ in 0..500 {
            dealer.send("burst").unwrap();
        }
        assert_idle(&context);
        for _ in 0..500 {
            router.recv_timeout(LIMIT).unwrap();
        }
        // With a time-out that has passed, and with futures.
        assert!(router.recv_timeout(Duration::from_millis(5)).is_err());
        let mut future = Box::pin(router.recv_async());
        assert!(poll_once(future.as_mut()).is_pending());
        assert_idle(&context);
        drop(future);
        assert_idle(&context);
    });
}

#[test]
fn threads_that_wait_wake_nobody() {
    in_own_process("idle::threads_that_wait_wake_nobody", || {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let pull = Arc::new(pull);
        let waiters: Vec<_> = (0..3)
            .map(|n| {
                let pull = Arc::clone(&pull);
                thread::Builder::new()
                    .name(format!("waits-{n}"))
                    .spawn(move || pull.recv().map(drop))
                    .unwrap()
            })
            .collect();
        assert_idle(&context);
        for _ in 0..3 {
            push.send("go").unwrap();
        }
        for waiter in waiters {
            waiter.join().unwrap().unwrap();
        }
        assert_idle(&context);
    });
}

#[test]
fn a_server_that_waits_with_clients_that_do_nothing_is_idle() {
    in_own_process("idle::a_server_that_waits_with_clients_that_do_nothing_is_idle", || {
        let context = Context::new();
        let server = open::<Rep>(&context);
        let endpoint = bind(&server);
        let clients: Vec<_> = (0..20)
            .map(|_| {
                let client = open::<Req>(&context);
                connect(&client, &endpoint);
                client
            })
            .collect();
        let server = thread::Builder::new()
            .name("waits-server".into())
            .spawn(move || {
                while let Ok(request) = server.recv() {
                    server.send(request).unwrap();
                }
            })
            .unwrap();
        for client in &clients {
            client.send("hello").unwrap();
            assert_eq!(client.recv_timeout(LIMIT).unwrap(), "hello");
        }
        assert_idle(&context);
        context.shutdown();
        server.join().unwrap();
    });
}
