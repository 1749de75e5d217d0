//! Ping-pong with pauses that cross the I/O thread's look, between threads that come and go, over
//! many sockets. Whatever is lost hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tightbeam::{Context, Dealer, Error, Router, Socket};
use tightbeam_tests::sockets::{LIMIT, await_waiting, join, until};

use crate::support::{block_on, finish, guarded, poll_once};

const LASTS: Duration = Duration::from_secs(4);
/// The I/O thread looks at least so often, if it looks at all.
const LOOK_AT_MOST: Duration = Duration::from_millis(10);
/// For so long callers come back before they go: enough for many looks of the I/O thread.
const STEADY: Duration = Duration::from_millis(150);

/// A stream of numbers that is different in each run.
struct Dice(u64);

impl Dice {
    fn new(player: u64) -> Dice {
        use std::hash::{BuildHasher, RandomState};
        Dice(RandomState::new().hash_one(player) | 1)
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    /// None, or one that is short of, about, or beyond the time of a look.
    fn pause(&mut self) {
        match self.roll(8) {
            0 => thread::sleep(Duration::from_micros(1)),
            1 => thread::sleep(Duration::from_millis(1)),
            2 => thread::sleep(Duration::from_micros(1_900 + self.roll(400))),
            3 => thread::sleep(Duration::from_millis(3)),
            4 => thread::yield_now(),
            _ => {}
        }
    }
}

fn receive(socket: &Socket<Dealer>, dice: &mut Dice) -> tightbeam::Message {
    let received = match dice.roll(4) {
        0 => block_on(socket.recv_async()),
        1 => loop {
            match socket.recv_timeout(Duration::from_micros(500 * dice.roll(8))) {
                Err(error) if error.is_would_block() => {}
                done => break done,
            }
        },
        _ => socket.recv_timeout(LIMIT),
    };
    received.unwrap_or_else(|error| panic!("{error}"))
}

fn echo(router: &Socket<Router>, until: Instant, player: u64) {
    let mut dice = Dice::new(player);
    while Instant::now() < until {
        match router.recv_timeout(Duration::from_millis(20 + dice.roll(10))) {
            Ok(message) => {
                dice.pause();
                router.send(message).unwrap();
            }
            Err(Error::Terminated) => return,
            Err(error) => assert!(error.is_would_block(), "{error}"),
        }
    }
}

#[test]
fn ping_pong_with_pauses_never_stalls() {
    guarded(|| {
        let context = Context::new();
        let until = Instant::now() + LASTS;
        let rounds = Arc::new(AtomicU64::new(0));
        let mut echoes = Vec::new();
        let mut askers = Vec::new();
        for n in 0..4 {
            let (router, dealer) = join::<Router, Dealer>(&context);
            let rounds = Arc::clone(&rounds);
            // The echo outlives the asker.
            echoes.push(thread::spawn(move || echo(&router, until + 4 * LIMIT, n)));
            askers.push(thread::spawn(move || {
                let mut dice = Dice::new(n);
                while Instant::now() < until {
                    let text = dice.roll(1_000_000).to_string();
                    dealer.send(text.as_str()).unwrap();
                    dice.pause();
                    assert_eq!(receive(&dealer, &mut dice), text.as_str());
                    rounds.fetch_add(1, Ordering::Relaxed);
                    dice.pause();
                }
            }));
        }
        askers.into_iter().for_each(finish);
        assert!(rounds.load(Ordering::Relaxed) > 50);
        context.shutdown();
        echoes.into_iter().for_each(finish);
    });
}

/// Waits until the I/O thread has nothing to look at any more.
fn await_rest(context: &Context) {
    until("the I/O thread rests", || {
        let wakeups = context.stats().io_wakeups;
        thread::sleep(2 * LOOK_AT_MOST);
        context.stats().io_wakeups == wakeups
    });
}

/// Sockets whose callers keep coming back are out of the I/O thread's sight, and back in it when they are left.
#[test]
fn a_socket_that_was_steady_is_served_when_it_is_left() {
    guarded(|| {
        let context = Context::new();
        let (mut router, dealer) = join::<Router, Dealer>(&context);
        for round in 0..4 {
            let echo = thread::spawn(move || {
                loop {
                    let message = router.recv_timeout(LIMIT).unwrap();
                    if message[1] == "leave" {
                        return router;
                    }
                    router.send(message).unwrap();
                }
            });
            let begun = Instant::now();
            while begun.elapsed() < STEADY {
                dealer.send("stay").unwrap();
                dealer.recv_timeout(LIMIT).unwrap();
            }
            dealer.send("leave").unwrap();
            router = finish(echo);
            if round % 2 == 0 {
                await_rest(&context);
                dealer.send("nobody is there").unwrap();
                await_waiting(&router, 1);
                router.recv().unwrap();
            } else {
                let mut future = Box::pin(router.recv_async());
                assert!(poll_once(future.as_mut()).is_pending());
                await_rest(&context);
                dealer.send("a future is there").unwrap();
                block_on(future).unwrap();
            }
        }
    });
}

/// Several threads share each socket; some leave and are replaced.
#[test]
fn a_crowd_that_comes_and_goes_never_stalls() {
    guarded(|| {
        let context = Context::new();
        let until = Instant::now() + LASTS;
        let (router, dealer) = join::<Router, Dealer>(&context);
        let (router, dealer) = (Arc::new(router), Arc::new(dealer));
        let echoes: Vec<_> = (0..3)
            .map(|n| {
                let router = Arc::clone(&router);
                thread::spawn(move || echo(&router, until + LASTS, n))
            })
            .collect();
        let mut generation = 0;
        while Instant::now() < until {
            let askers: Vec<_> = (0..3)
                .map(|n| {
                    let dealer = Arc::clone(&dealer);
                    generation += 1;
                    thread::spawn(move || {
                        let mut dice = Dice::new(generation + n);
                        for _ in 0..20 {
                            dealer.send("ask").unwrap();
                            dice.pause();
                            receive(&dealer, &mut dice);
                        }
                    })
                })
                .collect();
            askers.into_iter().for_each(finish);
        }
        echoes.into_iter().for_each(finish);
        assert_eq!(context.stats().contained_panics, 0);
    });
}
