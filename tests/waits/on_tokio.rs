//! Sockets that a tokio runtime drives, beside other tasks, threads that block, and other executors.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tightbeam::options::number;
use tightbeam::{AnySocket, Context, Dealer, Error, Message, Pull, Push, Rep, Req, Router, Socket};
use tightbeam_tests::sockets::{LIMIT, await_waiting, join, join_up, open, open_with, until};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::support::{block_on, finish, guarded, in_own_process, poll_once};

pub(crate) fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn threads(count: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(count).enable_all().build().unwrap()
}

/// Two sockets that are connected, both driven by the runtime.
pub(crate) fn driven<A: tightbeam::Typed, B: tightbeam::Typed>(
    runtime: &Runtime,
    context: &Context,
) -> (Arc<Socket<A>>, Arc<Socket<B>>) {
    let _in = runtime.enter();
    let (bound, connected) = join::<A, B>(context);
    bound.drive_on_tokio().unwrap();
    connected.drive_on_tokio().unwrap();
    (Arc::new(bound), Arc::new(connected))
}

/// With a runtime of one thread, and with one of two.
pub(crate) fn on_both(test: impl Fn(Runtime) + Send + 'static) {
    guarded(move || {
        test(one_thread());
        test(threads(2));
    });
}

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(LIMIT, what).await.expect("it comes within the time")
}

#[test]
fn outside_of_a_runtime_there_is_nobody_to_drive() {
    let socket = open::<Pull>(&Context::new());
    let error = socket.drive_on_tokio().unwrap_err();
    assert!(matches!(error, Error::BadArgument(_)), "{error}");
}

#[test]
fn round_trips_do_not_need_the_io_thread() {
    on_both(|runtime| {
        let context = Context::new();
        let (rep, req) = driven::<Rep, Req>(&runtime, &context);
        let server = runtime.spawn(async move {
            while let Ok(request) = rep.recv_async().await {
                rep.send_async(request).await.unwrap();
            }
        });
        runtime.block_on(async {
            // On a busy machine the I/O thread may find that nobody came for a while.
            let end = Instant::now() + LIMIT;
            let mut wakeups = u64::MAX;
            while wakeups > 100 {
                assert!(
                    Instant::now() < end,
                    "the I/O thread woke {wakeups} times in 500 round trips"
                );
                let before = context.stats().io_wakeups;
                for n in 0..500 {
                    req.send_async(n.to_string()).await.unwrap();
                    assert_eq!(soon(req.recv_async()).await.unwrap(), n.to_string().as_str());
                }
                wakeups = context.stats().io_wakeups - before;
            }
            context.shutdown();
            server.await.unwrap();
        });
    });
}

#[test]
fn a_socket_is_driven_from_when_it_is_asked_for_before_it_is_bound_too() {
    on_both(|runtime| {
        let context = Context::new();
        runtime.block_on(async {
            let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
            pull.drive_on_tokio().unwrap();
            push.drive_on_tokio().unwrap();
            push.connect(pull.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
            push.send_async("hello").await.unwrap();
            assert_eq!(soon(pull.recv_async()).await.unwrap(), "hello");
        });
    });
}

#[test]
fn a_runtime_that_is_busy_leaves_its_sockets_to_the_io_thread() {
    guarded(|| {
        let (here, there) = (Context::new(), Context::new());
        let (pull, push) = (open::<Pull>(&here), open::<Push>(&there));
        join_up(&pull, &push);
        one_thread().block_on(async {
            pull.drive_on_tokio().unwrap();
            push.send("first").unwrap();
            soon(pull.recv_async()).await.unwrap();
            for _ in 0..100 {
                push.send("next").unwrap();
            }
            // The runtime's only thread waits here for what the runtime would have to read.
            await_waiting(&pull, 100);
        });
    });
}

#[test]
fn a_runtime_that_nobody_runs_leaves_its_sockets_to_the_io_thread() {
    guarded(|| {
        let context = Context::new();
        let runtime = one_thread();
        let (pull, push) = driven::<Pull, Push>(&runtime, &context);
        for n in 0..100 {
            push.send(n.to_string()).unwrap();
            assert_eq!(block_on(pull.recv_async()).unwrap(), n.to_string().as_str());
        }
        drop(runtime);
        push.send("later").unwrap();
        assert_eq!(block_on(pull.recv_async()).unwrap(), "later");
    });
}

#[test]
fn a_future_that_waits_survives_the_runtime_that_drives_its_socket() {
    guarded(|| {
        let context = Context::new();
        let runtime = threads(1);
        let (pull, push) = driven::<Pull, Push>(&runtime, &context);
        let mut future = pin!(pull.recv_async());
        assert!(poll_once(future.as_mut()).is_pending());
        runtime.shutdown_timeout(LIMIT);
        let sender = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            push.send("news").unwrap();
            push
        });
        assert_eq!(block_on(future).unwrap(), "news");
        finish(sender);
    });
}

#[test]
fn a_socket_moves_to_another_runtime() {
    guarded(|| {
        let context = Context::new();
        let (first, second) = (threads(1), threads(1));
        let (pull, push) = driven::<Pull, Push>(&first, &context);
        for round in 0..20 {
            let runtime = if round % 2 == 0 { &second } else { &first };
            runtime.block_on(async {
                pull.drive_on_tokio().unwrap();
                for _ in 0..50 {
                    push.send_async("moving").await.unwrap();
                    soon(pull.recv_async()).await.unwrap();
                }
            });
        }
        let drivers = |runtime: &Runtime| runtime.metrics().num_alive_tasks();
        // The sender's stays with the first, the receiver's went there last.
        until("drivers that were replaced end", || drivers(&first) == 2 && drivers(&second) == 0);
    });
}

#[test]
fn drivers_end_with_their_sockets() {
    on_both(|runtime| {
        let context = Context::new();
        let (pull, push) = driven::<Pull, Push>(&runtime, &context);
        runtime.block_on(async {
            push.send_async("hello").await.unwrap();
            soon(pull.recv_async()).await.unwrap();
            drop((push, pull));
            soon(async {
                while tokio::runtime::Handle::current().metrics().num_alive_tasks() > 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            })
            .await;
        });
        assert!(context.term_timeout(LIMIT).unwrap());
    });
}

#[test]
fn tasks_that_wait_hear_the_end() {
    on_both(|runtime| {
        for how in ["close", "shutdown"] {
            let context = Context::new();
            let (pull, push) = driven::<Pull, Push>(&runtime, &context);
            let pull: Arc<AnySocket> = Arc::new(Arc::into_inner(pull).unwrap().into());
            let waiting: Vec<_> = (0..3)
                .map(|_| {
                    let pull = Arc::clone(&pull);
                    runtime.spawn(async move { pull.recv_async().await })
                })
                .collect();
            runtime.block_on(async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                if how == "close" {
                    pull.begin_close()
                } else {
                    context.shutdown()
                }
                for task in waiting {
                    let error = soon(task).await.unwrap().unwrap_err();
                    assert!(matches!(error, Error::Closed | Error::Terminated), "{error}");
                }
            });
            drop(push);
        }
    });
}

/// What lingers is the I/O thread's again.
#[test]
fn what_is_queued_leaves_after_its_socket_was_dropped() {
    on_both(|runtime| {
        let (here, there) = (Context::new(), Context::new());
        let pull = open_with::<Pull>(&there, &[(number::RCVHWM, 1)]);
        let push = open::<Push>(&here);
        join_up(&pull, &push);
        runtime.block_on(async {
            push.drive_on_tokio().unwrap();
            for _ in 0..500 {
                soon(push.send_async(vec![7; 20_000])).await.unwrap();
            }
            drop(push);
        });
        drop(runtime);
        for _ in 0..500 {
            assert_eq!(pull.recv_timeout(LIMIT).unwrap()[0].len(), 20_000);
        }
        assert!(here.term_timeout(LIMIT).unwrap());
    });
}

#[test]
fn what_comes_faster_than_the_marks_allow_is_received_to_the_end() {
    const COUNT: u32 = 20_000;
    on_both(|runtime| {
        let context = Context::new();
        let pull = open_with::<Pull>(&context, &[(number::RCVHWM, 10)]);
        let push = open_with::<Push>(&context, &[(number::SNDHWM, 10)]);
        join_up(&pull, &push);
        runtime.block_on(async {
            pull.drive_on_tokio().unwrap();
            push.drive_on_tokio().unwrap();
            let sender = tokio::spawn(async move {
                for n in 0..COUNT {
                    let size = if n % 1_000 == 0 { 300_000 } else { 100 };
                    let parts = [n.to_le_bytes().to_vec(), vec![0; size]];
                    push.send_async(Message::multipart(parts)).await.unwrap();
                }
                push
            });
            for n in 0..COUNT {
                assert_eq!(soon(pull.recv_async()).await.unwrap()[0], n.to_le_bytes());
            }
            sender.await.unwrap();
        });
    });
}

#[test]
fn giving_up_a_wait_loses_nothing() {
    const COUNT: usize = 2_000;
    on_both(|runtime| {
        let context = Context::new();
        let (pull, push) = driven::<Pull, Push>(&runtime, &context);
        let receivers: Vec<_> = (0..4)
            .map(|n| {
                let pull = Arc::clone(&pull);
                runtime.spawn(async move {
                    let mut received = 0;
                    loop {
                        let patience = Duration::from_micros(100 * n);
                        match timeout(patience, pull.recv_async()).await {
                            Ok(Ok(message)) if message == "over" => return received,
                            Ok(message) => received += usize::from(message.is_ok()),
                            Err(_) => tokio::task::yield_now().await,
                        }
                    }
                })
            })
            .collect();
        runtime.block_on(async {
            for n in 0..COUNT {
                push.send_async("one").await.unwrap();
                if n % 50 == 0 {
                    tokio::time::sleep(Duration::from_micros(700)).await;
                }
            }
            for _ in &receivers {
                push.send_async("over").await.unwrap();
            }
            let mut sum = 0;
            for receiver in receivers {
                sum += soon(receiver).await.unwrap();
            }
            assert_eq!(sum, COUNT);
        });
    });
}

/// Threads that block and tasks of the runtime take turns in driving one socket.
#[test]
fn tasks_and_threads_that_block_share_a_socket() {
    const EACH: usize = 1_000;
    on_both(|runtime| {
        let context = Context::new();
        let (pull, push) = driven::<Pull, Push>(&runtime, &context);
        let blocking: Vec<_> = (0..2)
            .map(|n| {
                let pull = Arc::clone(&pull);
                thread::spawn(move || {
                    for i in 0..EACH {
                        match (n + i) % 3 {
                            0 => drop(block_on(pull.recv_async()).unwrap()),
                            _ => drop(pull.recv_timeout(LIMIT).unwrap()),
                        }
                    }
                })
            })
            .collect();
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let pull = Arc::clone(&pull);
                runtime.spawn(async move {
                    for _ in 0..EACH {
                        soon(pull.recv_async()).await.unwrap();
                    }
                })
            })
            .collect();
        let sender = thread::spawn(move || {
            for n in 0..4 * EACH {
                push.send("for any").unwrap();
                if n % 97 == 0 {
                    thread::sleep(Duration::from_micros((n % 5) as u64 * 700));
                }
            }
            push
        });
        runtime.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        blocking.into_iter().for_each(finish);
        finish(sender);
    });
}

/// Beside tasks that are busy for longer and shorter than the I/O thread takes to look, in turn with pauses, nothing is lost.
#[test]
fn ping_pong_beside_busy_tasks_never_stalls() {
    const LASTS: Duration = Duration::from_secs(3);
    on_both(|runtime| {
        let context = Context::new();
        let end = Instant::now() + LASTS;
        let over = Arc::new(AtomicBool::new(false));
        for n in 0..2u64 {
            let over = Arc::clone(&over);
            runtime.spawn(async move {
                let mut turn = n;
                while !over.load(Ordering::Relaxed) {
                    turn += 1;
                    let busy = Duration::from_micros([1, 50, 2_000, 0, 5_000][turn as usize % 5]);
                    let until = Instant::now() + busy;
                    while Instant::now() < until {
                        std::hint::spin_loop();
                    }
                    match turn % 7 {
                        0 => tokio::time::sleep(Duration::from_micros(900)).await,
                        _ => tokio::task::yield_now().await,
                    }
                }
            });
        }
        let players: Vec<_> = (0..8u64)
            .map(|n| {
                let (router, dealer) = driven::<Router, Dealer>(&runtime, &context);
                let echo = async move {
                    while let Ok(message) = router.recv_async().await {
                        router.send_async(message).await.unwrap();
                    }
                };
                runtime.spawn(echo);
                runtime.spawn(async move {
                    let mut trips = 0u64;
                    while Instant::now() < end {
                        dealer.send_async(trips.to_string()).await.unwrap();
                        let answer = soon(dealer.recv_async()).await.unwrap();
                        assert_eq!(answer, trips.to_string().as_str());
                        trips += 1;
                        match (trips + n) % 9 {
                            0 => tokio::time::sleep(Duration::from_millis(1 + n % 4)).await,
                            1 => tokio::task::yield_now().await,
                            _ => {}
                        }
                    }
                    trips
                })
            })
            .collect();
        runtime.block_on(async {
            for player in players {
                assert!(player.await.unwrap() > 10);
            }
        });
        over.store(true, Ordering::Relaxed);
        context.shutdown();
    });
}

/// Where the event descriptor was handed out, the I/O thread drives, before and after.
#[test]
fn a_socket_with_an_event_descriptor_is_received_from_all_the_same() {
    on_both(|runtime| {
        let context = Context::new();
        let (pull, push) = driven::<Pull, Push>(&runtime, &context);
        runtime.block_on(async {
            for n in 0..200 {
                if n == 100 {
                    pull.event_descriptor().unwrap();
                }
                push.send_async(n.to_string()).await.unwrap();
                assert_eq!(soon(pull.recv_async()).await.unwrap(), n.to_string().as_str());
            }
        });
    });
}

#[test]
fn sockets_that_wait_on_a_runtime_wake_nobody() {
    in_own_process("on_tokio::sockets_that_wait_on_a_runtime_wake_nobody", || {
        let context = Context::new();
        let runtime = threads(1);
        let (pull, push) = driven::<Pull, Push>(&runtime, &context);
        for _ in 0..50 {
            let pull = Arc::clone(&pull);
            push.send("before").unwrap();
            runtime.block_on(async { soon(pull.recv_async()).await.unwrap() });
        }
        let waits = {
            let pull = Arc::clone(&pull);
            runtime.spawn(async move { pull.recv_async().await.unwrap() })
        };
        thread::sleep(Duration::from_millis(300));
        let parks = || runtime.metrics().worker_park_count(0);
        let before = (context.stats().io_wakeups, parks());
        thread::sleep(Duration::from_secs(1));
        assert_eq!((context.stats().io_wakeups, parks()), before, "a thread woke");
        push.send("at last").unwrap();
        assert_eq!(runtime.block_on(waits).unwrap(), "at last");
    });
}
