//! The two descriptors of a socket: the event descriptor by libzmq's contract, and the level-triggered one.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tightbeam::options::{OwnedValue, number};
use tightbeam::{Context, Dealer, Error, PollItem, Pull, Push, Readiness, Rep, Req, Socket, poll};
use tightbeam_tests::sockets::{LIMIT, await_waiting, bind, connect, join, open, open_with, until};

use crate::support::{finish, guarded, in_own_process};

const READABLE: Readiness = Readiness { readable: true, writable: false };

/// Whether a descriptor becomes readable within the time.
fn is_signalled(descriptor: BorrowedFd<'_>, within: Duration) -> bool {
    let mut items = [PollItem::descriptor(&descriptor, READABLE)];
    poll(&mut items, Some(within)).unwrap() > 0
}

fn signalled_now(descriptor: BorrowedFd<'_>) -> bool {
    is_signalled(descriptor, Duration::ZERO)
}

fn drain(pull: &Socket<Pull>) -> usize {
    let mut count = 0;
    while pull.try_recv().is_ok() {
        count += 1;
    }
    count
}

fn inproc_pair(context: &Context, name: &str) -> (Socket<Push>, Socket<Pull>) {
    let (push, pull) = (open::<Push>(context), open::<Pull>(context));
    pull.bind(format!("inproc://{name}")).unwrap();
    push.connect(format!("inproc://{name}")).unwrap();
    (push, pull)
}

fn both_transports(test: impl Fn(Socket<Push>, Socket<Pull>) + Send + 'static) {
    guarded(move || {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        test(push, pull);
        let (push, pull) = inproc_pair(&context, "pair");
        test(push, pull);
    });
}

#[test]
fn an_arrival_signals_the_event_descriptor_and_asking_for_events_clears_it() {
    both_transports(|push, pull| {
        let events = pull.event_descriptor().unwrap();
        pull.readiness().unwrap();
        assert!(!signalled_now(events), "nothing has arrived");
        for _ in 0..100 {
            push.send("hello").unwrap();
            assert!(is_signalled(events, LIMIT));
            assert!(signalled_now(events), "it stays until events are asked for");
            assert!(pull.readiness().unwrap().readable);
            assert!(!signalled_now(events), "asking clears it, though the message is there");
            assert_eq!(pull.try_recv().unwrap(), "hello");
            assert!(!pull.readiness().unwrap().readable);
        }
    });
}

#[test]
fn a_poll_clears_the_event_descriptor() {
    both_transports(|push, pull| {
        let events = pull.event_descriptor().unwrap();
        let poll_now = || {
            let mut items = [PollItem::socket(&pull, READABLE)];
            poll(&mut items, Some(Duration::ZERO)).unwrap() > 0
        };
        assert!(!poll_now());
        assert!(!signalled_now(events), "an endpoint is no news to whoever has polled");
        push.send("hello").unwrap();
        assert!(is_signalled(events, LIMIT));
        assert!(poll_now());
        assert!(!signalled_now(events), "the poll has told of the message");
    });
}

#[test]
fn the_option_fd_is_the_event_descriptor() {
    guarded(|| {
        let context = Context::new();
        let pull = open::<Pull>(&context);
        let number = pull.option(number::FD).unwrap();
        use std::os::fd::AsRawFd;
        assert_eq!(number, OwnedValue::Int(pull.event_descriptor().unwrap().as_raw_fd()));
        context.shutdown();
        assert!(matches!(pull.option(number::FD), Err(Error::Terminated)));
    });
}

#[test]
fn what_was_there_before_signals_a_new_event_descriptor() {
    both_transports(|push, pull| {
        push.send("early").unwrap();
        await_waiting(&pull, 1);
        assert!(signalled_now(pull.event_descriptor().unwrap()));
    });
}

/// As with libzmq: programs wait for a descriptor right after they have bound or connected.
#[test]
fn an_endpoint_signals_the_event_descriptor_once_whenever_that_was_asked_for() {
    guarded(|| {
        let context = Context::new();
        let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
        let events = pull.event_descriptor().unwrap();
        assert!(!signalled_now(events), "nothing has happened");
        pull.bind("tcp://127.0.0.1:*").unwrap();
        assert!(is_signalled(events, LIMIT), "it is bound");
        assert!(!pull.readiness().unwrap().readable);
        assert!(!signalled_now(events), "once");

        let endpoint = push.bind("tcp://127.0.0.1:*").unwrap();
        let late = open::<Pull>(&context);
        late.connect(endpoint).unwrap();
        assert!(is_signalled(late.event_descriptor().unwrap(), LIMIT), "it is connected");
    });
}

/// An event loop that never asks for events, but receives until there is nothing.
#[test]
fn receiving_until_nothing_is_left_clears_the_event_descriptor() {
    both_transports(|push, pull| {
        let events = pull.event_descriptor().unwrap();
        let mut got = 0;
        for n in 0..300 {
            push.send(n.to_string()).unwrap();
            if n % 7 == 0 {
                assert!(is_signalled(events, LIMIT));
                got += drain(&pull);
            }
        }
        while got < 300 {
            assert!(is_signalled(events, LIMIT), "{got} of 300");
            got += drain(&pull);
        }
        drain(&pull);
        assert!(!signalled_now(events));
    });
}

/// One message for each signal at first, and no signal may be missing: the loop waits for ever.
#[test]
fn an_event_loop_misses_nothing() {
    const COUNT: usize = 3_000;
    both_transports(|push, pull| {
        let sender = thread::spawn(move || {
            for n in 0..COUNT {
                push.send(n.to_string()).unwrap();
                if n % 50 == 0 {
                    thread::sleep(Duration::from_micros((n % 4) as u64 * 300));
                }
            }
            push
        });
        let events = pull.event_descriptor().unwrap();
        let mut got = 0;
        while got < COUNT {
            // By the contract: ask after each wait and after each receive.
            while pull.readiness().unwrap().readable {
                assert_eq!(pull.try_recv().unwrap(), got.to_string().as_str());
                got += 1;
            }
            assert!(got == COUNT || is_signalled(events, LIMIT), "stuck at {got}");
        }
        finish(sender);
    });
}

#[test]
fn room_signals_the_event_descriptor_of_a_sender() {
    guarded(|| {
        let context = Context::new();
        let small = [(number::SNDHWM, 2), (number::LINGER, 0)];
        let push = open_with::<Push>(&context, &small);
        let events = push.event_descriptor().unwrap();
        assert!(!push.readiness().unwrap().writable);
        assert!(!signalled_now(events));
        let pull = open_with::<Pull>(&context, &[(number::RCVHWM, 2)]);
        connect(&push, &bind(&pull));
        assert!(is_signalled(events, LIMIT), "a peer is room");
        for _ in 0..5 {
            until("it is full", || {
                while push.try_send(vec![1; 100_000]).is_ok() {}
                thread::sleep(Duration::from_millis(20));
                !push.readiness().unwrap().writable && !signalled_now(events)
            });
            while !signalled_now(events) {
                pull.recv_timeout(LIMIT).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
            assert!(push.readiness().unwrap().writable);
            while pull.recv_timeout(Duration::from_millis(50)).is_ok() {}
        }
    });
}

/// Sending is possible all the time: that it still is, is no news.
#[test]
fn sends_do_not_signal_the_senders_own_descriptor() {
    guarded(|| {
        let context = Context::new();
        let (left, right) = join::<Dealer, Dealer>(&context);
        let events = left.event_descriptor().unwrap();
        assert!(left.readiness().unwrap().writable);
        for _ in 0..50 {
            left.send("there").unwrap();
            right.recv_timeout(LIMIT).unwrap();
            assert!(!signalled_now(events));
        }
    });
}

#[test]
fn turns_of_request_and_reply_are_seen_through_event_descriptors() {
    guarded(|| {
        let context = Context::new();
        let (rep, req) = join::<Rep, Req>(&context);
        let (asks, answers) = (req.event_descriptor().unwrap(), rep.event_descriptor().unwrap());
        for _ in 0..50 {
            assert!(req.readiness().unwrap().writable);
            req.send("question").unwrap();
            while !rep.readiness().unwrap().readable {
                assert!(is_signalled(answers, LIMIT));
            }
            rep.recv().unwrap();
            assert!(rep.readiness().unwrap().writable);
            rep.send("answer").unwrap();
            while !req.readiness().unwrap().readable {
                assert!(is_signalled(asks, LIMIT));
            }
            req.recv().unwrap();
        }
    });
}

#[test]
fn the_end_of_the_context_signals_both_descriptors() {
    guarded(|| {
        let context = Context::new();
        let pull = open::<Pull>(&context);
        let (events, level) =
            (pull.event_descriptor().unwrap(), pull.readable_descriptor().unwrap());
        assert!(!signalled_now(events) && !signalled_now(level));
        context.shutdown();
        assert!(is_signalled(events, LIMIT) && is_signalled(level, LIMIT));
        assert!(matches!(pull.readiness(), Err(Error::Terminated)));
    });
}

#[test]
fn the_level_triggered_descriptor_is_readable_exactly_while_a_message_is_there() {
    both_transports(|push, pull| {
        let level = pull.readable_descriptor().unwrap();
        assert!(!signalled_now(level));
        for _ in 0..50 {
            push.send("one").unwrap();
            push.send("two").unwrap();
            assert!(is_signalled(level, LIMIT));
            await_waiting(&pull, 2);
            assert!(pull.readiness().unwrap().readable && signalled_now(level));
            pull.try_recv().unwrap();
            assert!(signalled_now(level), "one is left");
            pull.try_recv().unwrap();
            assert!(!signalled_now(level), "none is left");
        }
    });
}

#[test]
fn the_level_triggered_descriptor_is_made_readable_by_what_was_there_before() {
    both_transports(|push, pull| {
        push.send("early").unwrap();
        await_waiting(&pull, 1);
        assert!(signalled_now(pull.readable_descriptor().unwrap()));
    });
}

/// A thread that blocks in a socket whose descriptor was handed out, and an event loop beside it.
#[test]
fn receivers_that_block_share_a_socket_with_an_event_loop() {
    const COUNT: usize = 2_000;
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let (pull, over) = (Arc::new(pull), Arc::new(AtomicBool::new(false)));
        let blocking = {
            let (pull, over) = (Arc::clone(&pull), Arc::clone(&over));
            thread::spawn(move || {
                let mut got = 0;
                while !over.load(Ordering::SeqCst) {
                    got += usize::from(pull.recv_timeout(Duration::from_millis(20)).is_ok());
                }
                got
            })
        };
        let looping = {
            let (pull, over) = (Arc::clone(&pull), Arc::clone(&over));
            thread::spawn(move || {
                let mut got = 0;
                while !over.load(Ordering::SeqCst) {
                    is_signalled(pull.event_descriptor().unwrap(), Duration::from_millis(20));
                    got += drain(&pull);
                }
                got
            })
        };
        for n in 0..COUNT {
            push.send(n.to_string()).unwrap();
        }
        let received = || pull.stats().unwrap().traffic.messages_received;
        until("all are received", || received() == COUNT as u64);
        over.store(true, Ordering::SeqCst);
        assert_eq!(finish(blocking) + finish(looping), COUNT);
    });
}

/// The socket is driven for the event loop: nobody enters the library, and nobody wakes for nothing.
#[test]
fn sockets_with_event_descriptors_are_idle_when_nothing_happens() {
    in_own_process(
        "descriptors::sockets_with_event_descriptors_are_idle_when_nothing_happens",
        || {
            let context = Context::new();
            let (_push, pull) = join::<Push, Pull>(&context);
            let events = pull.event_descriptor().unwrap();
            pull.readiness().unwrap();
            let before = context.stats().io_wakeups;
            assert!(!is_signalled(events, Duration::from_millis(300)), "it spins");
            assert!(context.stats().io_wakeups - before <= 1, "the I/O thread spins");
        },
    );
}
