//! Waiting for several sockets and descriptors at once, beside other threads that wait in them.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tightbeam::{Context, Error, PollItem, Pull, Push, Readiness, Socket, poll};
use tightbeam_tests::sockets::{LIMIT, join};

use crate::support::{finish, guarded};

const READABLE: Readiness = Readiness { readable: true, writable: false };

fn pairs(context: &Context, count: usize) -> (Vec<Socket<Push>>, Vec<Socket<Pull>>) {
    (0..count).map(|_| join::<Push, Pull>(context)).unzip()
}

/// Waits for any of the sockets and receives from one that has something.
fn receive_any(pulls: &[Socket<Pull>]) -> tightbeam::Message {
    loop {
        let mut items: Vec<_> = pulls.iter().map(|pull| PollItem::socket(pull, READABLE)).collect();
        assert!(poll(&mut items, Some(LIMIT)).unwrap() > 0, "nothing came");
        let ready = items.iter().position(|item| item.ready().readable).unwrap();
        match pulls[ready].try_recv() {
            Ok(message) => return message,
            // Another thread was faster.
            Err(error) => assert!(error.is_would_block(), "{error}"),
        }
    }
}

fn each_is_heard(count: usize) {
    let context = Context::new();
    let (pushes, pulls) = pairs(&context, count);
    for round in 0..200 {
        let late = round % 4 == 0;
        let sent = round.to_string();
        thread::scope(|scope| {
            scope.spawn(|| {
                if late {
                    thread::sleep(Duration::from_millis(3));
                }
                pushes[round % count].send(sent.as_str()).unwrap();
            });
            assert_eq!(receive_any(&pulls), sent.as_str());
        });
    }
}

#[test]
fn few_sockets_are_heard() {
    guarded(|| each_is_heard(5));
}

#[test]
fn many_sockets_are_heard() {
    guarded(|| each_is_heard(80));
}

#[test]
fn pollers_and_receivers_share_sockets() {
    const EACH: usize = 500;
    guarded(|| {
        let context = Context::new();
        let (pushes, pulls) = pairs(&context, 3);
        let pulls = Arc::new(pulls);
        let threads: Vec<_> = (0..6)
            .map(|n| {
                let pulls = Arc::clone(&pulls);
                thread::spawn(move || {
                    for _ in 0..EACH {
                        if n < 3 {
                            receive_any(&pulls);
                        } else {
                            pulls[n - 3].recv_timeout(LIMIT).unwrap();
                        }
                    }
                })
            })
            .collect();
        // The pollers take what they find first; every receiver must get its share all the same.
        let mut n = 0;
        while threads.iter().any(|thread| !thread.is_finished()) {
            for push in &pushes {
                // Nobody may be left to take it.
                let _ = push.try_send(n.to_string());
            }
            n += 1;
            if n % 50 == 0 {
                thread::sleep(Duration::from_millis(3));
            }
        }
        threads.into_iter().for_each(finish);
    });
}

#[test]
fn descriptors_are_heard_beside_sockets() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let (mut near, far) = UnixStream::pair().unwrap();
        let wait = || {
            let mut items =
                [PollItem::socket(&pull, READABLE), PollItem::descriptor(&far, READABLE)];
            assert_eq!(poll(&mut items, Some(LIMIT)).unwrap(), 1);
            items.map(|item| item.ready().readable)
        };
        push.send("to the socket").unwrap();
        assert_eq!(wait(), [true, false]);
        pull.recv().unwrap();
        near.write_all(b"to the descriptor").unwrap();
        assert_eq!(wait(), [false, true]);
    });
}

#[test]
fn a_shutdown_ends_a_poll() {
    guarded(|| {
        for count in [2, 40] {
            let context = Context::new();
            let (_pushes, pulls) = pairs(&context, count);
            let poller = thread::spawn(move || {
                let mut items: Vec<_> =
                    pulls.iter().map(|pull| PollItem::socket(pull, READABLE)).collect();
                poll(&mut items, None).map(drop)
            });
            thread::sleep(Duration::from_millis(10));
            context.shutdown();
            assert!(matches!(finish(poller), Err(Error::Terminated)));
        }
    });
}

/// Receives what every poll finds until so much has come.
fn receive_all(pulls: &[Socket<Pull>], mut awaited: usize) {
    while awaited > 0 {
        let mut items: Vec<_> = pulls.iter().map(|pull| PollItem::socket(pull, READABLE)).collect();
        let found = poll(&mut items, Some(LIMIT)).unwrap();
        assert!(found > 0, "nothing came");
        let ready = items.iter().zip(pulls).filter(|(item, _)| item.ready().readable);
        let messages: Vec<_> = ready.map(|(_, pull)| pull.try_recv().unwrap()).collect();
        assert_eq!(messages.len(), found);
        awaited -= found;
    }
}

/// Who finds many ready drives them all until it has long found few; what comes to one of them later is heard all the same, by the
/// kernel's word or the I/O thread's.
#[test]
fn many_sockets_are_heard_together_and_then_one_by_one() {
    guarded(|| {
        let context = Context::new();
        let (pushes, pulls) = pairs(&context, 80);
        let send = |push: &Socket<Push>| push.send("x").unwrap();
        for round in 0..40 {
            for _ in 0..3 {
                pushes.iter().for_each(send);
                receive_all(&pulls, pushes.len());
            }
            for push in pushes.iter().skip(round % 40).take(24) {
                send(push);
                receive_all(&pulls, 1);
            }
            thread::scope(|scope| {
                scope.spawn(|| {
                    thread::sleep(Duration::from_millis(round as u64 % 4));
                    send(&pushes[2 * round]);
                });
                receive_all(&pulls, 1);
            });
        }
    });
}
