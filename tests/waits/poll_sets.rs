//! `Poller`: sets of sockets and descriptors that are waited for again and again.

use std::fs::File;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tightbeam::options::number;
use tightbeam::{Context, Dealer, Error, Poller, Pull, Push, Readiness, Rep, Req, Socket};
use tightbeam_tests::sockets::{LIMIT, await_waiting, bind, connect, join, open, open_with};

use crate::support::{finish, guarded};

const READABLE: Readiness = Readiness { readable: true, writable: false };
const WRITABLE: Readiness = Readiness { readable: false, writable: true };
const NOTHING: Readiness = Readiness { readable: false, writable: false };

fn pairs(context: &Context, count: usize) -> (Vec<Socket<Push>>, Vec<Socket<Pull>>) {
    (0..count).map(|_| join::<Push, Pull>(context)).unzip()
}

fn poller_of(pulls: &[Socket<Pull>]) -> Poller {
    let mut poller = Poller::new().unwrap();
    for (at, pull) in pulls.iter().enumerate() {
        poller.add(pull, at as u64, READABLE).unwrap();
    }
    poller
}

fn is_time_out(result: tightbeam::Result<tightbeam::PollEvent>) -> bool {
    result.is_err_and(|error| error.errno() == libc::EAGAIN)
}

fn each_is_heard(count: usize) {
    let context = Context::new();
    let (pushes, pulls) = pairs(&context, count);
    let mut poller = poller_of(&pulls);
    for round in 0..300 {
        let at = round * 7 % count;
        thread::scope(|scope| {
            scope.spawn(|| {
                if round % 4 == 0 {
                    thread::sleep(Duration::from_millis(3));
                }
                pushes[at].send(round.to_string()).unwrap();
            });
            let event = poller.wait(Some(LIMIT)).unwrap();
            assert_eq!((event.key, event.ready, event.failed), (at as u64, READABLE, false));
            assert_eq!(pulls[at].try_recv().unwrap(), round.to_string().as_str());
        });
    }
    assert!(is_time_out(poller.wait(Some(Duration::from_millis(5)))));
    assert!(is_time_out(poller.wait(Some(Duration::ZERO))));
}

#[test]
fn few_sockets_are_heard() {
    guarded(|| each_is_heard(5));
}

#[test]
fn many_sockets_are_heard() {
    guarded(|| each_is_heard(40));
}

#[test]
fn a_ready_socket_is_reported_until_it_was_emptied() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let mut poller = Poller::new().unwrap();
        poller.add(&pull, 1, READABLE).unwrap();
        push.send("one").unwrap();
        push.send("two").unwrap();
        await_waiting(&pull, 2);
        for _ in 0..2 {
            for _ in 0..3 {
                assert_eq!(poller.wait(None).unwrap().key, 1);
            }
            pull.try_recv().unwrap();
        }
        assert!(is_time_out(poller.wait(Some(Duration::ZERO))));
    });
}

#[test]
fn misuse_is_refused_with_the_documented_errno() {
    guarded(|| {
        let context = Context::new();
        let (socket, other) = (open::<Pull>(&context), open::<Pull>(&context));
        let mut poller = Poller::new().unwrap();
        let errno = |result: tightbeam::Result<()>| result.unwrap_err().errno();
        assert_eq!(poller.wait(None).unwrap_err().errno(), libc::EFAULT);
        assert!(is_time_out(poller.wait(Some(Duration::from_millis(1)))));
        assert_eq!(poller.wait_all(0, None).unwrap_err().errno(), libc::EINVAL);
        poller.add(&socket, 0, READABLE).unwrap();
        assert_eq!(errno(poller.add(&socket, 1, READABLE)), libc::EINVAL);
        assert_eq!(errno(poller.modify(&other, READABLE)), libc::EINVAL);
        assert_eq!(errno(poller.remove(&other)), libc::EINVAL);
        assert_eq!(poller.len(), 1);
        poller.modify(&socket, NOTHING).unwrap();
        assert_eq!(poller.wait(None).unwrap_err().errno(), libc::EFAULT);
        let (near, _far) = UnixStream::pair().unwrap();
        assert_eq!(errno(poller.modify_descriptor(&near, READABLE)), libc::EINVAL);
        assert_eq!(errno(poller.remove_descriptor(&near)), libc::EINVAL);
        assert_eq!(errno(poller.add_descriptor(&-1, 0, READABLE)), libc::EBADF);
        poller.add_descriptor(&near, 0, READABLE).unwrap();
        assert_eq!(errno(poller.add_descriptor(&near, 0, READABLE)), libc::EINVAL);
        assert_eq!(poller.len(), 2);
        poller.remove(&socket).unwrap();
        poller.remove_descriptor(&near).unwrap();
        assert!(poller.is_empty());
    });
}

#[test]
fn a_shutdown_ends_a_wait_of_few_and_of_many() {
    guarded(|| {
        for count in [2, 40] {
            let context = Context::new();
            let (_pushes, pulls) = pairs(&context, count);
            let mut poller = poller_of(&pulls);
            let waiter = thread::spawn(move || poller.wait(None).map(drop));
            thread::sleep(Duration::from_millis(10));
            context.shutdown();
            assert!(matches!(finish(waiter), Err(Error::Terminated)));
        }
    });
}

#[test]
fn a_socket_that_is_closed_leaves_the_set_with_one_error() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let closed = open::<Pull>(&context);
        let mut poller = Poller::new().unwrap();
        poller.add(&closed, 1, READABLE).unwrap();
        poller.add(&pull, 2, READABLE).unwrap();
        closed.close();
        assert!(matches!(poller.wait(None), Err(Error::Closed)));
        push.send("hello").unwrap();
        assert_eq!(poller.wait(Some(LIMIT)).unwrap().key, 2);
        assert_eq!(poller.len(), 1);
    });
}

#[test]
fn descriptors_are_reported_as_long_as_they_are_ready() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let (mut near, far) = UnixStream::pair().unwrap();
        let mut poller = Poller::new().unwrap();
        poller.add(&pull, 1, READABLE).unwrap();
        poller.add_descriptor(&far, 2, READABLE).unwrap();
        near.write_all(b"bytes").unwrap();
        for _ in 0..3 {
            assert_eq!(poller.wait(Some(LIMIT)).unwrap().key, 2);
        }
        poller.modify_descriptor(&far, NOTHING).unwrap();
        assert!(is_time_out(poller.wait(Some(Duration::from_millis(5)))));
        push.send("hello").unwrap();
        assert_eq!(poller.wait(Some(LIMIT)).unwrap().key, 1);
        poller.modify_descriptor(&far, Readiness { readable: true, writable: true }).unwrap();
        let events = poller.wait_all(10, Some(LIMIT)).unwrap();
        let mut keys: Vec<u64> = events.iter().map(|event| event.key).collect();
        keys.sort_unstable();
        assert_eq!(keys, [1, 2]);
        pull.try_recv().unwrap();
        drop(near);
        let event = poller.wait(Some(LIMIT)).unwrap();
        assert!(event.key == 2 && event.failed && event.ready.readable);
        poller.remove_descriptor(&far).unwrap();
        assert!(is_time_out(poller.wait(Some(Duration::from_millis(5)))));
    });
}

/// The system has no events for files: they are always ready, as for poll(2).
#[test]
fn a_file_is_always_ready() {
    guarded(|| {
        let file = File::open("/proc/self/exe").unwrap();
        let mut poller = Poller::new().unwrap();
        poller.add_descriptor(&file, 9, READABLE).unwrap();
        for _ in 0..3 {
            assert_eq!(poller.wait(None).unwrap().key, 9);
        }
    });
}

#[test]
fn room_to_send_is_heard() {
    guarded(|| {
        let context = Context::new();
        let push = open_with::<Push>(&context, &[(number::SNDHWM, 1), (number::LINGER, 0)]);
        let pull = open_with::<Pull>(&context, &[(number::RCVHWM, 1)]);
        let mut poller = Poller::new().unwrap();
        poller.add(&push, 1, WRITABLE).unwrap();
        assert!(is_time_out(poller.wait(Some(Duration::from_millis(5)))), "no peer yet");
        connect(&push, &bind(&pull));
        let mut sent = 0;
        while poller.wait(Some(Duration::from_millis(200))).is_ok() {
            sent += usize::from(push.try_send(vec![1; 100_000]).is_ok());
        }
        let receiver = thread::spawn(move || {
            (0..sent).for_each(|_| drop(pull.recv_timeout(LIMIT).unwrap()));
            pull
        });
        assert_eq!(poller.wait(Some(LIMIT)).unwrap().ready, WRITABLE);
        finish(receiver);
    });
}

#[test]
fn what_is_wanted_may_change_between_waits() {
    guarded(|| {
        let context = Context::new();
        let (left, right) = join::<Dealer, Dealer>(&context);
        let mut poller = Poller::new().unwrap();
        poller.add(&left, 1, READABLE).unwrap();
        assert!(is_time_out(poller.wait(Some(Duration::from_millis(5)))));
        poller.modify(&left, WRITABLE).unwrap();
        assert_eq!(poller.wait(Some(LIMIT)).unwrap().ready, WRITABLE);
        right.send("hello").unwrap();
        await_waiting(&left, 1);
        assert_eq!(poller.wait(Some(LIMIT)).unwrap().ready, WRITABLE);
        poller.modify(&left, Readiness { readable: true, writable: true }).unwrap();
        let both = poller.wait(Some(LIMIT)).unwrap().ready;
        assert!(both.readable && both.writable);
    });
}

#[test]
fn the_turns_of_request_and_reply_are_heard() {
    guarded(|| {
        let context = Context::new();
        let (rep, req) = join::<Rep, Req>(&context);
        let mut poller = Poller::new().unwrap();
        poller.add(&rep, 1, Readiness { readable: true, writable: true }).unwrap();
        for _ in 0..50 {
            req.send("question").unwrap();
            assert_eq!(poller.wait(Some(LIMIT)).unwrap().ready, READABLE);
            rep.recv().unwrap();
            assert_eq!(poller.wait(Some(LIMIT)).unwrap().ready, WRITABLE);
            rep.send("answer").unwrap();
            req.recv_timeout(LIMIT).unwrap();
        }
    });
}

#[test]
fn sockets_that_are_always_ready_take_turns_with_the_others() {
    guarded(|| {
        let context = Context::new();
        let (pushes, pulls) = pairs(&context, 3);
        for push in &pushes {
            (0..300).for_each(|_| push.send("more").unwrap());
        }
        pulls.iter().for_each(|pull| await_waiting(pull, 300));
        let mut poller = poller_of(&pulls);
        let mut got = [0; 3];
        for _ in 0..300 {
            let at = poller.wait(Some(LIMIT)).unwrap().key as usize;
            pulls[at].try_recv().unwrap();
            got[at] += 1;
        }
        assert_eq!(got, [100; 3]);
    });
}

/// One socket is ready all the time, so that no wait sleeps; the other must be heard all the same.
#[test]
fn a_busy_socket_does_not_hide_another() {
    guarded(|| {
        let context = Context::new();
        let (pushes, pulls) = pairs(&context, 2);
        let mut poller = poller_of(&pulls);
        assert!(is_time_out(poller.wait(Some(Duration::from_millis(5)))));
        pushes[0].send("left there").unwrap();
        assert_eq!(poller.wait(Some(LIMIT)).unwrap().key, 0);
        pushes[1].send("behind it").unwrap();
        let end = std::time::Instant::now() + LIMIT;
        while poller.wait(Some(LIMIT)).unwrap().key != 1 {
            assert!(std::time::Instant::now() < end, "it is hidden");
        }
    });
}

#[test]
fn a_waker_ends_the_wait_with_its_key() {
    guarded(|| {
        let context = Context::new();
        let (_push, pull) = join::<Push, Pull>(&context);
        let mut poller = Poller::new().unwrap();
        let waker = poller.waker(77);
        let another = waker.clone();
        let thread = thread::spawn(move || {
            thread::sleep(Duration::from_millis(10));
            another.wake();
        });
        assert_eq!(poller.wait(None).unwrap().key, 77, "also without anything else to wait for");
        finish(thread);
        poller.add(&pull, 1, READABLE).unwrap();
        waker.wake();
        waker.wake();
        let event = poller.wait(None).unwrap();
        assert!(event.key == 77 && event.ready == NOTHING && !event.failed);
        assert!(is_time_out(poller.wait(Some(Duration::from_millis(5)))), "it wakes once");
    });
}

/// Pollers, and threads that block in the same sockets: everybody claims, leaves and drives.
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
                    let mut poller = poller_of(&pulls);
                    let mut got = 0;
                    while got < EACH {
                        let at = if n < 3 {
                            poller.wait(Some(LIMIT)).unwrap().key as usize
                        } else {
                            n - 3
                        };
                        let received = if n < 3 {
                            pulls[at].try_recv()
                        } else {
                            pulls[at].recv_timeout(LIMIT)
                        };
                        match received {
                            Ok(_) => got += 1,
                            // Another thread was faster.
                            Err(error) => assert!(n < 3 && error.is_would_block(), "{error}"),
                        }
                    }
                })
            })
            .collect();
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

/// A wait costs what there is news, not what there are sockets.
#[test]
fn a_thousand_sockets_are_waited_for() {
    guarded(|| {
        let context = Context::new();
        let hub = open::<Push>(&context);
        let endpoint = bind(&hub);
        let pulls: Vec<Socket<Pull>> = (0..1_000).map(|_| open(&context)).collect();
        let mut poller = poller_of(&pulls);
        pulls.iter().for_each(|pull| connect(pull, &endpoint));
        tightbeam_tests::sockets::await_peers(&hub, 1_000);
        for n in 0..1_000 {
            hub.send(n.to_string()).unwrap();
            let event = poller.wait(Some(LIMIT)).unwrap();
            assert_eq!(pulls[event.key as usize].try_recv().unwrap(), n.to_string().as_str());
        }
        assert!(is_time_out(poller.wait(Some(Duration::ZERO))));
    });
}

#[test]
fn a_socket_that_was_closed_hides_nothing_that_was_found_beside_it() {
    guarded(|| {
        let context = Context::new();
        let closed: Socket<Pull> = open(&context);
        let mut poller = Poller::new().unwrap();
        poller.add(&closed, 1, READABLE).unwrap();
        let waker = poller.waker(9);
        closed.close();
        waker.wake();
        let found = poller.wait_all(8, Some(LIMIT)).unwrap();
        assert_eq!(found.iter().map(|event| event.key).collect::<Vec<_>>(), [9]);
        assert!(matches!(poller.wait_all(8, Some(LIMIT)), Err(Error::Closed)));
        assert!(poller.is_empty());
    });
}
