//! Sockets in an event loop of the application's own.

use std::os::fd::RawFd;
use std::time::Duration;

use tightbeam::options::number;
use tightbeam::{
    Context, Error, LoopWatch, Message, PollItem, Pull, Push, Readiness, Receives, Rep, Req,
    Socket, poll,
};
use tightbeam_tests::sockets::{LIMIT, join, open, open_with, until};

use crate::support::guarded;

const READABLE: Readiness = Readiness { readable: true, writable: false };
const WRITABLE: Readiness = Readiness { readable: false, writable: true };

/// Waits as an event loop does. False if nothing is heard within the time.
fn hears(watch: &LoopWatch, within: Duration) -> bool {
    let descriptors: Vec<RawFd> = watch.descriptors().into_iter().flatten().collect();
    let items = descriptors.iter().map(|&fd| PollItem::raw_descriptor(fd, READABLE));
    poll(&mut items.collect::<Vec<_>>(), Some(within)).unwrap() > 0
}

fn receive<T: Receives>(socket: &Socket<T>, watch: &LoopWatch) -> Message {
    receive_or(socket, watch).unwrap()
}

fn receive_or<T: Receives>(socket: &Socket<T>, watch: &LoopWatch) -> Result<Message, Error> {
    match socket.try_recv() {
        Err(Error::WouldBlock(_)) => {}
        done => return done,
    }
    let mut unfinished = watch.expect(READABLE)?;
    loop {
        match socket.try_recv() {
            Err(Error::WouldBlock(_)) => {}
            done => return done,
        }
        assert!(unfinished || hears(watch, LIMIT), "nothing is heard");
        unfinished = watch.turn();
    }
}

fn both_transports(test: impl Fn(Context, Socket<Push>, Socket<Pull>) + Send + 'static) {
    guarded(move || {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        test(context, push, pull);
        let context = Context::new();
        let (push, pull) = (open::<Push>(&context), open::<Pull>(&context));
        pull.bind("inproc://pair").unwrap();
        push.connect("inproc://pair").unwrap();
        test(context, push, pull);
    });
}

#[test]
fn each_message_is_heard_and_then_it_is_quiet() {
    both_transports(|_, push, pull| {
        let watch = pull.loop_watch().unwrap();
        for i in 0..200 {
            push.send(i.to_string()).unwrap();
            assert_eq!(receive(&pull, &watch)[0], *i.to_string().as_bytes());
        }
        let mut unfinished = watch.expect(READABLE).unwrap();
        // Signals that were on their way when it looked are over at some time.
        until("it is quiet", || {
            unfinished = watch.turn();
            !unfinished && !hears(&watch, Duration::from_millis(20))
        });
    });
}

#[test]
fn what_comes_faster_than_the_mark_allows_is_received_to_the_end() {
    guarded(|| {
        let context = Context::new();
        let push = open_with::<Push>(&context, &[(number::SNDHWM, 10)]);
        let pull = open_with::<Pull>(&context, &[(number::RCVHWM, 10)]);
        push.connect(pull.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
        let watch = pull.loop_watch().unwrap();
        let sender = std::thread::spawn(move || {
            for i in 0..20_000u32 {
                push.send(vec![i.to_le_bytes().to_vec(), vec![0; 100]]).unwrap();
            }
            push
        });
        for i in 0..20_000u32 {
            assert_eq!(receive(&pull, &watch)[0], i.to_le_bytes());
        }
        sender.join().unwrap();
    });
}

#[test]
fn room_is_heard_of_by_who_wants_to_send() {
    both_transports(|_, push, pull| {
        let watch = push.loop_watch().unwrap();
        let body = vec![0; 8192];
        let mut sent = 0;
        while push.try_send(body.clone()).is_ok() {
            sent += 1;
        }
        watch.expect(WRITABLE).unwrap();
        if push.try_send(body.clone()).is_ok() {
            sent += 1;
        }
        for _ in 0..sent {
            pull.recv().unwrap();
        }
        until("there is room", || {
            let heard = hears(&watch, LIMIT);
            let _ = watch.turn();
            heard && push.try_send(body.clone()).is_ok()
        });
    });
}

#[test]
fn a_loop_that_is_busy_leaves_the_socket_to_the_io_thread() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let watch = pull.loop_watch().unwrap();
        push.send("first").unwrap();
        receive(&pull, &watch);
        // It has driven the socket, and does not come back.
        for _ in 0..100 {
            push.send("next").unwrap();
        }
        until("all have come", || pull.stats().unwrap().peers[0].recv_queue == 100);
    });
}

#[test]
fn round_trips_do_not_need_the_io_thread() {
    guarded(|| {
        let (here, there) = (Context::new(), Context::new());
        let (req, rep) = (open::<Req>(&here), open::<Rep>(&there));
        req.connect(rep.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
        let server = std::thread::spawn(move || {
            while let Ok(message) = rep.recv() {
                rep.send(message).unwrap();
            }
        });
        let watch = req.loop_watch().unwrap();
        let trip = || {
            req.send("x").unwrap();
            receive(&req, &watch);
        };
        (0..100).for_each(|_| trip());
        let before = here.stats().io_wakeups;
        (0..2000).for_each(|_| trip());
        let wakeups = here.stats().io_wakeups - before;
        assert!(wakeups < 1000, "the I/O thread woke {wakeups} times in 2000 round trips");
        there.shutdown();
        server.join().unwrap();
    });
}

#[test]
fn the_end_of_the_context_is_heard() {
    both_transports(|context, _push, pull| {
        let watch = pull.loop_watch().unwrap();
        let ending = std::thread::spawn(move || context.shutdown());
        assert!(matches!(receive_or(&pull, &watch), Err(Error::Terminated)));
        ending.join().unwrap();
    });
}

/// For a loop that tries for a moment instead of listening.
#[test]
fn turns_alone_bring_what_has_come() {
    both_transports(|_, push, pull| {
        let watch = pull.loop_watch().unwrap();
        assert!(!watch.is_readable());
        for i in 0..20 {
            push.send(i.to_string()).unwrap();
            until("it is there", || {
                let _ = watch.turn();
                watch.is_readable()
            });
            assert_eq!(pull.try_recv().unwrap()[0], *i.to_string().as_bytes());
            assert!(!watch.is_readable());
        }
    });
}
