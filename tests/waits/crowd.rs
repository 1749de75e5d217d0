//! Many threads on one socket.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tightbeam::options::number;
use tightbeam::{
    AnySocket, Context, Dealer, Error, Pull, Push, Readiness, Router, Socket, SocketType,
};
use tightbeam_tests::sockets::{LIMIT, dropped, join, join_up, open, open_with, until};

use crate::support::{finish, guarded};

fn number_in(text: &str) -> usize {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is not a number"))
}

#[test]
fn receivers_get_each_message_once_and_all_wake_at_the_end() {
    const MESSAGES: usize = 20_000;
    const THREADS: usize = 8;
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let pull = Arc::new(pull);
        let receivers: Vec<_> = (0..THREADS)
            .map(|_| {
                let pull = Arc::clone(&pull);
                thread::spawn(move || {
                    let mut got = Vec::new();
                    loop {
                        match pull.recv() {
                            Ok(message) => got.push(number_in(&message.to_string_lossy())),
                            Err(Error::Terminated) => return got,
                            Err(error) => panic!("{error}"),
                        }
                    }
                })
            })
            .collect();
        for n in 0..MESSAGES {
            push.send(n.to_string()).unwrap();
        }
        until("all messages are received", || {
            pull.stats().unwrap().traffic.messages_received == MESSAGES as u64
        });
        context.shutdown();
        let all: Vec<usize> = receivers.into_iter().flat_map(finish).collect();
        assert_eq!(all.len(), MESSAGES, "each once");
        assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), MESSAGES);
    });
}

/// As many messages as there are threads, then again: a thread that is passed over hangs.
#[test]
fn every_receiver_is_served_when_each_wants_one() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let pull = Arc::new(pull);
        for round in 0..200 {
            let receivers: Vec<_> = (0..5)
                .map(|_| {
                    let pull = Arc::clone(&pull);
                    thread::spawn(move || pull.recv_timeout(LIMIT).map(drop))
                })
                .collect();
            if round % 3 == 0 {
                thread::sleep(Duration::from_millis(1));
            }
            for n in 0..5 {
                push.send(n.to_string()).unwrap();
            }
            for receiver in receivers {
                finish(receiver).unwrap_or_else(|error| panic!("round {round}: {error}"));
            }
        }
    });
}

/// Followers give up at about the time when the driver leaves: the seat must not go with them.
#[test]
fn receivers_that_give_up_do_not_take_the_seat_along() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let pull = Arc::new(pull);
        let over = Arc::new(AtomicBool::new(false));
        let impatient: Vec<_> = (1..4)
            .map(|n| {
                let (pull, over) = (Arc::clone(&pull), Arc::clone(&over));
                thread::spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        let _ = pull.recv_timeout(Duration::from_micros(200 * n));
                    }
                })
            })
            .collect();
        let patient = {
            let pull = Arc::clone(&pull);
            thread::spawn(move || while pull.recv().unwrap().to_string_lossy() != "end" {})
        };
        for n in 0..300 {
            push.send(n.to_string()).unwrap();
            thread::sleep(Duration::from_millis(1 + n % 3));
        }
        over.store(true, Ordering::Relaxed);
        impatient.into_iter().for_each(finish);
        push.send("end").unwrap();
        finish(patient);
    });
}

#[test]
fn threads_send_and_receive_on_one_socket() {
    const EACH: usize = 2_000;
    guarded(|| {
        let context = Context::new();
        // It waits for room instead of dropping what the dealer is too slow for.
        let router = open_with::<Router>(&context, &[(number::ROUTER_MANDATORY, 1)]);
        let dealer = open::<Dealer>(&context);
        join_up(&router, &dealer);
        let echo = thread::spawn(move || {
            for _ in 0..4 * EACH {
                let message = router.recv_timeout(LIMIT).unwrap();
                router.send_timeout(message, LIMIT).unwrap();
            }
            router
        });
        let dealer = Arc::new(dealer);
        let received = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let (dealer, received) = (Arc::clone(&dealer), Arc::clone(&received));
                thread::spawn(move || {
                    for i in 0..EACH {
                        if n % 2 == 0 {
                            dealer.send_timeout(format!("{n} {i}"), LIMIT).unwrap();
                        } else {
                            dealer.recv_timeout(LIMIT).unwrap();
                            received.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(finish);
        let router = finish(echo);
        assert_eq!(dropped(&router), 0);
        assert_eq!(received.load(Ordering::Relaxed), 4 * EACH);
    });
}

/// Fills what a peer that does not read can hold: the queues and the kernel's buffers.
fn fill(socket: &AnySocket) -> usize {
    let body = vec![7; 100_000];
    let mut sent = 0;
    while socket.send_timeout(body.as_slice(), Duration::from_millis(100)).is_ok() {
        sent += 1;
    }
    sent
}

#[test]
fn a_thread_blocked_in_send_does_not_keep_others_from_receiving() {
    guarded(|| {
        let context = Context::new();
        let small = [(number::SNDHWM, 2), (number::RCVHWM, 2), (number::LINGER, 0)];
        let a: AnySocket = open_with::<Dealer>(&context, &small).into();
        let b: AnySocket = open_with::<Dealer>(&context, &small).into();
        join_up(&a, &b);
        let sent = fill(&a);
        let a = Arc::new(a);
        let sender = {
            let a = Arc::clone(&a);
            thread::spawn(move || a.send("the last").unwrap())
        };
        let receiver = {
            let a = Arc::clone(&a);
            thread::spawn(move || (0..100).for_each(|_| drop(a.recv().unwrap())))
        };
        for n in 0..100 {
            b.send(n.to_string()).unwrap();
        }
        finish(receiver);
        assert!(!sender.is_finished(), "nobody has made room");
        for _ in 0..sent {
            assert_eq!(b.recv().unwrap().frames()[0].len(), 100_000);
        }
        assert_eq!(b.recv().unwrap(), "the last");
        finish(sender);
    });
}

/// Several threads wait for room; all get it although the queue never fills again.
#[test]
fn every_sender_wakes_when_room_is_made() {
    guarded(|| {
        for round in 0..5 {
            let context = Context::new();
            let push: AnySocket =
                open_with::<Push>(&context, &[(number::SNDHWM, 2), (number::LINGER, 0)]).into();
            let pull = open_with::<Pull>(&context, &[(number::RCVHWM, 2)]);
            join_up(&pull, &push);
            let sent = fill(&push);
            let push = Arc::new(push);
            let senders: Vec<_> = (0..4)
                .map(|_| {
                    let push = Arc::clone(&push);
                    thread::spawn(move || push.send("late").unwrap())
                })
                .collect();
            thread::sleep(Duration::from_millis(5 * round));
            for _ in 0..sent + senders.len() {
                pull.recv_timeout(LIMIT).unwrap();
            }
            senders.into_iter().for_each(finish);
        }
    });
}

#[test]
fn a_sender_learns_that_its_peer_is_gone() {
    guarded(|| {
        let context = Context::new();
        let options = [(number::ROUTER_MANDATORY, 1), (number::SNDHWM, 2), (number::LINGER, 0)];
        let router = open_with::<Router>(&context, &options);
        let dealer = open_with::<Dealer>(&context, &[(number::RCVHWM, 2), (number::LINGER, 0)]);
        join_up(&router, &dealer);
        dealer.send("here I am").unwrap();
        let name = router.recv().unwrap().frames()[0].clone();
        let sender = thread::spawn(move || {
            loop {
                let message = tightbeam::Message::multipart([&name[..], &[1; 50_000]]);
                if let Err(refused) = router.send(message) {
                    return refused.error;
                }
            }
        });
        thread::sleep(Duration::from_millis(200));
        drop(dealer);
        let error = finish(sender);
        assert!(matches!(error, Error::Unroutable(_)), "{error}");
    });
}

#[test]
fn a_poll_and_a_receive_wait_on_the_same_socket() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let pull = Arc::new(pull);
        for _ in 0..100 {
            let wanted = Readiness { readable: true, writable: false };
            let poller = {
                let pull = Arc::clone(&pull);
                thread::spawn(move || {
                    while !pull.poll(wanted, Some(LIMIT)).unwrap().readable {}
                    pull.recv_timeout(LIMIT).unwrap();
                })
            };
            let receiver = {
                let pull = Arc::clone(&pull);
                thread::spawn(move || pull.recv_timeout(LIMIT).map(drop).unwrap())
            };
            push.send("one").unwrap();
            push.send("two").unwrap();
            finish(poller);
            finish(receiver);
        }
    });
}

#[test]
fn threads_come_and_go() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let pull = Arc::new(pull);
        for n in 0..500 {
            push.send(n.to_string()).unwrap();
            let pull = Arc::clone(&pull);
            let visitor = thread::spawn(move || pull.recv_timeout(LIMIT).unwrap());
            assert_eq!(finish(visitor), n.to_string().as_str());
            if n % 50 == 0 {
                // Long enough for the I/O thread to take the socket back.
                thread::sleep(Duration::from_millis(8));
            }
        }
    });
}

#[test]
fn sockets_wait_in_many_threads_at_once() {
    guarded(|| {
        let context = Context::new();
        let pairs: Vec<(Socket<Router>, Socket<Dealer>)> =
            (0..20).map(|_| join::<Router, Dealer>(&context)).collect();
        let threads: Vec<_> = pairs
            .into_iter()
            .flat_map(|(router, dealer)| {
                let echo = thread::spawn(move || {
                    for _ in 0..200 {
                        router.send(router.recv().unwrap()).unwrap();
                    }
                    assert_eq!(router.close(), 0);
                });
                let asker = thread::spawn(move || {
                    for n in 0..200 {
                        dealer.send(n.to_string()).unwrap();
                        assert_eq!(dealer.recv().unwrap(), n.to_string().as_str());
                    }
                });
                [echo, asker]
            })
            .collect();
        threads.into_iter().for_each(finish);
        assert_eq!(context.stats().contained_panics, 0);
        let _ = context.any_socket(SocketType::Pull).unwrap();
    });
}

/// The socket has no descriptors yet when the first thread waits.
#[test]
fn a_thread_that_waited_before_the_bind_is_served() {
    guarded(|| {
        let context = Context::new();
        let pull = Arc::new(open::<Pull>(&context));
        let receiver = {
            let pull = Arc::clone(&pull);
            thread::spawn(move || pull.recv_timeout(LIMIT).unwrap())
        };
        thread::sleep(Duration::from_millis(20));
        let push = open::<Push>(&context);
        join_up(&pull, &push);
        push.send("hello").unwrap();
        assert_eq!(finish(receiver), "hello");
    });
}
