//! Time-outs.

use std::time::{Duration, Instant};

use tightbeam::options::number;
use tightbeam::{Context, Dealer, Error, Pull, Push, Readiness, Router};
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
