//! Waits that end because something else ends: the socket, the context, a thread.

use std::pin::Pin;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Waker};
use std::thread;
use std::time::Duration;

use futures_core::Stream;
use tightbeam::options::number;
use tightbeam::{
    AnySocket, Context, Dealer, Error, EventKind, Messages, Pull, Push, Readiness, Socket,
    SocketType,
};
use tightbeam_tests::sockets::{LIMIT, join, open, open_with};

use crate::support::{CallOnWake, block_on, finish, guarded};

const READABLE: Readiness = Readiness { readable: true, writable: false };

/// Calls that wait for ever, each in a thread of its own.
fn waiting_calls(context: &Context) -> Vec<thread::JoinHandle<Result<(), Error>>> {
    let (push, pull) = join::<Push, Pull>(context);
    let pull = Arc::new(pull);
    let (first, second, third) = (Arc::clone(&pull), Arc::clone(&pull), pull);
    let unbound = open::<Pull>(context);
    let full = open_with::<Push>(context, &[(number::SNDHWM, 1), (number::LINGER, 0)]);
    full.connect("tcp://127.0.0.1:9").unwrap();
    full.send("fills it").unwrap();
    let lonely = open::<Push>(context);
    vec![
        thread::spawn(move || first.recv().map(drop)),
        thread::spawn(move || second.recv().map(drop)),
        thread::spawn(move || third.poll(READABLE, None).map(drop)),
        thread::spawn(move || unbound.recv().map(drop)),
        thread::spawn(move || full.send("too much").map_err(Error::from)),
        thread::spawn(move || {
            let sent = lonely.send("to whom?").map_err(Error::from);
            drop(push);
            sent
        }),
    ]
}

#[test]
fn a_shutdown_ends_every_wait() {
    guarded(|| {
        for pause in [0, 5, 50] {
            let context = Context::new();
            let calls = waiting_calls(&context);
            thread::sleep(Duration::from_millis(pause));
            context.shutdown();
            for call in calls {
                assert!(matches!(finish(call), Err(Error::Terminated)));
            }
            assert!(context.term_timeout(LIMIT).unwrap());
        }
    });
}

#[test]
fn a_close_by_another_thread_ends_the_wait() {
    guarded(|| {
        let context = Context::new();
        for pause in [0, 1, 10] {
            let pull = context.any_socket(SocketType::Pull).unwrap();
            pull.bind("tcp://127.0.0.1:*").unwrap();
            let handle = pull.handle();
            let waiters: Vec<_> = (0..3)
                .map(|_| {
                    let borrowed: AnySocket = context.socket_by_handle(handle).unwrap();
                    thread::spawn(move || borrowed.recv().map(drop))
                })
                .collect();
            thread::sleep(Duration::from_millis(pause));
            pull.close();
            for waiter in waiters {
                assert!(matches!(finish(waiter), Err(Error::Closed)));
            }
        }
    });
}

#[test]
fn a_shutdown_ends_futures() {
    guarded(|| {
        let context = Context::new();
        let pull = open::<Pull>(&context);
        let waiter = thread::spawn(move || block_on(pull.recv_async()).map(drop));
        thread::sleep(Duration::from_millis(10));
        context.shutdown();
        assert!(matches!(finish(waiter), Err(Error::Terminated)));
    });
}

#[test]
fn a_shutdown_ends_waits_for_events_of_threads_that_keep_the_socket_open() {
    guarded(|| {
        for pause in [0, 5] {
            let context = Context::new();
            let (blocks, awaits) = (open::<Pull>(&context), open::<Pull>(&context));
            let monitor = blocks.monitor().unwrap();
            let blocking = thread::spawn(move || {
                assert_eq!(monitor.wait_next(), None);
                assert_eq!(monitor.next_timeout(LIMIT), None);
                blocks.close();
                assert_eq!(monitor.map(|event| event.kind).last(), Some(EventKind::MonitorStopped));
            });
            let monitor = awaits.monitor().unwrap();
            let awaiting = thread::spawn(move || {
                assert_eq!(block_on(monitor.next_async()), None);
                awaits.close()
            });
            thread::sleep(Duration::from_millis(pause));
            assert!(context.term_timeout(LIMIT).unwrap());
            finish(blocking);
            finish(awaiting);
        }
    });
}

#[test]
fn the_claim_of_a_thread_that_ended_passes_on() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let pull = Arc::new(pull);
        for n in 0..20 {
            push.send("claim").unwrap();
            let dying = {
                let pull = Arc::clone(&pull);
                thread::spawn(move || {
                    pull.recv().unwrap();
                    if n % 2 == 0 {
                        std::panic::resume_unwind(Box::new("dies with the claim"));
                    }
                })
            };
            assert_eq!(dying.join().is_err(), n % 2 == 0);
            push.send("next").unwrap();
            let got = match n % 3 {
                0 => pull.recv_timeout(LIMIT),
                1 => block_on(pull.recv_async()),
                _ => pull.poll(READABLE, Some(LIMIT)).and_then(|_| pull.try_recv()),
            };
            assert_eq!(got.unwrap(), "next");
        }
    });
}

/// A waker that panics takes the thread down that drives: its place, its seat and its claim go to
/// others.
#[test]
fn a_driver_that_dies_of_a_wakers_panic_leaves_nothing_behind() {
    guarded(|| {
        let context = Context::new();
        let (push, pull): (Socket<Dealer>, Socket<Dealer>) = join(&context);
        let pull = Arc::new(pull);
        let driver = {
            let pull = Arc::clone(&pull);
            thread::spawn(move || while pull.recv().is_ok() {})
        };
        thread::sleep(Duration::from_millis(20));
        let mut future = Box::pin(pull.recv_async());
        let deadly = Arc::new(CallOnWake(|| {
            std::panic::resume_unwind(Box::new("a waker may panic"));
        }));
        let waker = Waker::from(deadly);
        let polled =
            std::future::Future::poll(future.as_mut(), &mut TaskContext::from_waker(&waker));
        assert!(polled.is_pending());
        let follower = {
            let pull = Arc::clone(&pull);
            thread::spawn(move || while pull.recv().unwrap().to_string_lossy() != "end" {})
        };
        // One of these finds the task first in line.
        let mut sent = 0;
        while !driver.is_finished() && context.stats().contained_panics == 0 && sent < 200 {
            push.send("news").unwrap();
            sent += 1;
            thread::sleep(Duration::from_millis(1));
        }
        if context.stats().contained_panics > 0 {
            // It was the I/O thread that drove: that costs the socket, and nobody may hang.
            let _ = driver.join();
            let _ = follower.join();
            return;
        }
        assert!(driver.join().is_err(), "the waker's panic surfaced in the driver");
        drop(future);
        push.send("end").unwrap();
        finish(follower);
        push.send("more").unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "more");
    });
}

fn waits(messages: &mut Messages, waker: &Waker) -> bool {
    Pin::new(messages).poll_next(&mut TaskContext::from_waker(waker)).is_pending()
}

#[test]
fn a_wakers_panic_while_a_socket_is_closed_does_not_keep_the_context() {
    guarded(|| {
        let context = Context::new();
        let pull = open::<Pull>(&context);
        let deadly = Waker::from(Arc::new(CallOnWake(|| {
            std::panic::resume_unwind(Box::new("a waker may panic"));
        })));
        let mut messages = pull.messages();
        assert!(waits(&mut messages, &deadly));
        assert!(thread::spawn(move || drop(pull)).join().is_err(), "the panic surfaced");
        drop(messages);
        assert!(context.term_timeout(LIMIT).unwrap());
    });
}

/// The I/O thread, which cannot go on with a socket in which it panicked, finds it closed already.
#[test]
fn a_wakers_panic_in_the_io_thread_lets_a_closed_socket_end() {
    guarded(|| {
        let (context, others) = (Context::new(), Context::new());
        let pull = open::<Pull>(&context);
        let push = open::<Push>(&others);
        push.connect(pull.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
        let (woken, was_woken) = channel();
        let (release, released) = channel();
        let (woken, released) = (Mutex::new(woken), Mutex::new(released));
        let deadly = Waker::from(Arc::new(CallOnWake(move || {
            woken.lock().unwrap().send(thread::current().id()).unwrap();
            let () = released.lock().unwrap().recv().unwrap();
            std::panic::resume_unwind(Box::new("a waker may panic"));
        })));
        let mut messages = pull.messages();
        assert!(waits(&mut messages, &deadly));
        push.send("news").unwrap();
        assert_ne!(was_woken.recv().unwrap(), thread::current().id());
        drop(pull);
        release.send(()).unwrap();
        drop(messages);
        assert!(context.term_timeout(LIMIT).unwrap());
    });
}
