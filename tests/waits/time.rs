//! Time-outs.

use std::thread;
use std::time::{Duration, Instant};

use tightbeam::options::number;
use tightbeam::{
    AnySocket, Context, Dealer, Error, Message, Pull, Push, Readiness, Router, SocketType, Timing,
};
use tightbeam_tests::sockets::{bind, join, open, open_with, set};

use crate::support::guarded;

const SHORT: Duration = Duration::from_millis(50);
/// A busy machine may be late, but not by this.
const LATE: Duration = Duration::from_secs(5);

fn takes_as_long_as_it_says(call: impl FnOnce() -> bool) {
    let start = Instant::now();
    assert!(call(), "it should have timed out");
    let took = start.elapsed();
    assert!(took >= SHORT && took < LATE, "took {took:?} instead of {SHORT:?}");
}

#[test]
fn a_receive_gives_up_in_time() {
    guarded(|| {
        let context = Context::new();
        let (router, dealer) = join::<Router, Dealer>(&context);
        for _ in 0..3 {
            takes_as_long_as_it_says(|| {
                matches!(router.recv_timeout(SHORT), Err(Error::WouldBlock(_)))
            });
        }
        set(&dealer, number::RCVTIMEO, 50);
        takes_as_long_as_it_says(|| matches!(dealer.recv(), Err(Error::WouldBlock(_))));
    });
}

#[test]
fn a_receive_on_a_socket_without_peers_gives_up_in_time() {
    guarded(|| {
        let context = Context::new();
        let pull = open::<Pull>(&context);
        takes_as_long_as_it_says(|| matches!(pull.recv_timeout(SHORT), Err(Error::WouldBlock(_))));
        bind(&pull);
        takes_as_long_as_it_says(|| matches!(pull.recv_timeout(SHORT), Err(Error::WouldBlock(_))));
    });
}

#[test]
fn a_send_gives_up_in_time_and_hands_the_message_back() {
    guarded(|| {
        let context = Context::new();
        let push = open_with::<Push>(&context, &[(number::SNDHWM, 1), (number::LINGER, 0)]);
        push.connect("tcp://127.0.0.1:9").unwrap();
        push.send("queued").unwrap();
        takes_as_long_as_it_says(|| match push.send_timeout("too much", SHORT) {
            Err(refused) => refused.message == "too much" && refused.error.is_would_block(),
            Ok(()) => false,
        });
    });
}

#[test]
fn a_poll_gives_up_in_time() {
    guarded(|| {
        let context = Context::new();
        let (_push, pull) = join::<Push, Pull>(&context);
        let wanted = Readiness { readable: true, writable: false };
        takes_as_long_as_it_says(|| {
            pull.poll(wanted, Some(SHORT)).unwrap() == Readiness::default()
        });
    });
}

/// Whoever comes again and again keeps the I/O thread away from the socket, and must ask the kernel himself.
fn is_heard_by_who_comes_again(attempt: impl Fn(&AnySocket) -> tightbeam::Result<Message>) {
    let contexts = [Context::new(), Context::new()];
    let pull = contexts[0].any_socket(SocketType::Pull).unwrap();
    let push = open::<Push>(&contexts[1]);
    push.connect(bind(&pull)).unwrap();
    for number in 0..50u8 {
        push.send([number].as_slice()).unwrap();
        let message = loop {
            match attempt(&pull) {
                Err(Error::WouldBlock(_)) => thread::yield_now(),
                received => break received.unwrap(),
            }
        };
        assert_eq!(message, [[number]]);
    }
}

#[test]
fn attempts_that_take_no_time_receive() {
    guarded(|| {
        is_heard_by_who_comes_again(AnySocket::try_recv);
        is_heard_by_who_comes_again(|pull| pull.recv_timeout(Duration::ZERO));
        is_heard_by_who_comes_again(|pull| pull.recv_timing(Some(Timing::Within(Duration::ZERO))));
        is_heard_by_who_comes_again(|pull| {
            let wanted = Readiness { readable: true, writable: false };
            pull.poll(wanted, Some(Duration::ZERO))?;
            pull.try_recv()
        });
    });
}

#[test]
fn attempts_whose_time_is_over_at_once_receive() {
    guarded(|| is_heard_by_who_comes_again(|pull| pull.recv_timeout(Duration::from_nanos(1))));
}
