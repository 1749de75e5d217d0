//! Futures of both kinds, with an executor of a few lines, beside threads that block.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll, Waker};
use std::thread;
use std::time::Duration;

use tightbeam::options::number;
use tightbeam::{AnySocket, Context, Dealer, Pull, Push, Router, Socket};
use tightbeam_tests::sockets::{LIMIT, join, join_up, open, open_with, until};

use crate::support::{CallOnDrop, CallOnWake, block_on, finish, guarded, poll_once};

#[test]
fn futures_send_and_receive() {
    guarded(|| {
        let context = Context::new();
        let (router, dealer) = join::<Router, Dealer>(&context);
        let echo = thread::spawn(move || {
            block_on(async {
                for _ in 0..500 {
                    let message = router.recv_async().await.unwrap();
                    router.send_async(message).await.unwrap();
                }
            });
            router
        });
        block_on(async {
            for n in 0..500 {
                dealer.send_async(n.to_string()).await.unwrap();
                assert_eq!(dealer.recv_async().await.unwrap(), n.to_string().as_str());
            }
        });
        finish(echo);
    });
}

#[test]
fn a_future_dropped_after_its_notification_passes_it_on() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let pull = Arc::new(pull);
        for round in 0..50 {
            let notified = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&notified);
            let waker = Waker::from(Arc::new(CallOnWake(move || {
                count.fetch_add(1, Ordering::SeqCst);
            })));
            let mut first = Box::pin(pull.recv_async());
            assert!(first.as_mut().poll(&mut TaskContext::from_waker(&waker)).is_pending());
            let second = {
                let pull = Arc::clone(&pull);
                thread::spawn(move || match round % 2 {
                    0 => block_on(pull.recv_async()),
                    _ => pull.recv(),
                })
            };
            thread::sleep(Duration::from_millis(2));
            push.send("for either").unwrap();
            until("the first future is notified", || notified.load(Ordering::SeqCst) > 0);
            drop(first);
            assert_eq!(finish(second).unwrap(), "for either");
        }
    });
}

#[test]
fn dropping_a_future_loses_nothing() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let mut got = 0;
        for n in 0..300 {
            push.send(n.to_string()).unwrap();
            let mut future = Box::pin(pull.recv_async());
            if let Poll::Ready(message) = poll_once(future.as_mut()) {
                assert_eq!(message.unwrap(), got.to_string().as_str());
                got += 1;
            }
        }
        for n in got..300 {
            assert_eq!(pull.recv_timeout(LIMIT).unwrap(), n.to_string().as_str());
        }
    });
}

/// Threads that block claim the socket, futures pin it, again and again.
#[test]
fn futures_and_blocking_threads_share_a_socket() {
    const EACH: usize = 1_000;
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let pull = Arc::new(pull);
        let threads: Vec<_> = (0..6)
            .map(|n| {
                let pull = Arc::clone(&pull);
                thread::spawn(move || {
                    for i in 0..EACH {
                        match n % 3 {
                            0 => drop(block_on(pull.recv_async()).unwrap()),
                            1 => drop(pull.recv().unwrap()),
                            _ if i % 2 == 0 => drop(block_on(pull.recv_async()).unwrap()),
                            _ => drop(pull.recv().unwrap()),
                        }
                    }
                })
            })
            .collect();
        for n in 0..6 * EACH {
            push.send(n.to_string()).unwrap();
            if n % 97 == 0 {
                thread::sleep(Duration::from_micros((n % 5) as u64 * 700));
            }
        }
        threads.into_iter().for_each(finish);
    });
}

#[test]
fn a_future_waits_for_room() {
    guarded(|| {
        let context = Context::new();
        let small = [(number::SNDHWM, 1), (number::LINGER, 0)];
        let push: AnySocket = open_with::<Push>(&context, &small).into();
        let pull = open_with::<Pull>(&context, &[(number::RCVHWM, 1)]);
        join_up(&pull, &push);
        let mut sent = 0;
        loop {
            let mut future = pin!(push.send_async(vec![1; 100_000]));
            if poll_once(future.as_mut()).is_pending() {
                thread::sleep(Duration::from_millis(100));
                if poll_once(future.as_mut()).is_pending() {
                    break;
                }
            }
            sent += 1;
        }
        let sender = thread::spawn(move || {
            block_on(push.send_async("the last")).unwrap();
            push
        });
        for _ in 0..sent {
            assert_eq!(pull.recv_timeout(LIMIT).unwrap().frames()[0].len(), 100_000);
        }
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "the last");
        finish(sender);
    });
}

/// A ROUTER is writable although the peer that is addressed has no room: its future waits, and does
/// not spin inside a poll.
#[test]
fn a_future_waits_for_the_addressed_peer() {
    guarded(|| {
        let context = Context::new();
        let options = [(number::ROUTER_MANDATORY, 1), (number::SNDHWM, 1), (number::LINGER, 0)];
        let router = open_with::<Router>(&context, &options);
        let dealer = open_with::<Dealer>(&context, &[(number::RCVHWM, 1)]);
        join_up(&router, &dealer);
        dealer.send("here I am").unwrap();
        let name = router.recv().unwrap().frames()[0].clone();
        let message = || tightbeam::Message::multipart([&name[..], &[1; 100_000]]);
        let mut sent = 0;
        loop {
            let mut future = pin!(router.send_async(message()));
            if poll_once(future.as_mut()).is_pending() {
                thread::sleep(Duration::from_millis(100));
                if poll_once(future.as_mut()).is_pending() {
                    break;
                }
            }
            sent += 1;
        }
        let last = message();
        let sender = thread::spawn(move || {
            block_on(router.send_async(last)).unwrap();
            router
        });
        for _ in 0..=sent {
            dealer.recv_timeout(LIMIT).unwrap();
        }
        finish(sender);
    });
}

#[test]
fn wakers_are_let_go_without_any_lock() {
    guarded(|| {
        let context = Context::new();
        let pull: Arc<Socket<Pull>> = Arc::new(open(&context));
        let monitor = pull.monitor().unwrap();
        let gone = Arc::new(AtomicUsize::new(0));
        let waker = || {
            let (pull, gone) = (Arc::clone(&pull), Arc::clone(&gone));
            Waker::from(Arc::new(CallOnDrop(move || {
                assert!(!pull.readiness().unwrap().readable);
                gone.fetch_add(1, Ordering::SeqCst);
            })))
        };
        let mut received = Box::pin(pull.recv_async());
        for _ in 0..2 {
            assert!(received.as_mut().poll(&mut TaskContext::from_waker(&waker())).is_pending());
        }
        assert_eq!(gone.load(Ordering::SeqCst), 1, "the second took the first one's place");
        drop(received);
        assert_eq!(gone.load(Ordering::SeqCst), 2);

        let mut event = Box::pin(monitor.next_async());
        for _ in 0..2 {
            assert!(event.as_mut().poll(&mut TaskContext::from_waker(&waker())).is_pending());
        }
        assert_eq!(gone.load(Ordering::SeqCst), 3);
        drop(event);
        assert_eq!(gone.load(Ordering::SeqCst), 4, "who waits no longer keeps no waker");
    });
}
