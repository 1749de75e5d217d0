//! A signal ends every wait, also with a handler that asks for system calls to be restarted.

use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tightbeam::options::number;
use tightbeam::{Context, Error, Poller, Proxy, Pull, Push, Readiness};
use tightbeam_tests::sockets::{LIMIT, join, open, open_with, until};

use crate::support::{finish, guarded, in_own_process};

static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn on_signal(_: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

/// The same handler for all tests; signals are sent to single threads.
fn install_handler() {
    static INSTALL: Once = Once::new();
    // SAFETY: the handler only changes an atomic, and the rest of the action is zeroes.
    INSTALL.call_once(|| unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_signal as extern "C" fn(libc::c_int) as usize;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()), 0);
    });
}

/// Signals a thread until its call has ended.
fn interrupt(waiter: JoinHandle<Result<(), Error>>) {
    thread::sleep(Duration::from_millis(20));
    assert!(!waiter.is_finished(), "it waits");
    while !waiter.is_finished() {
        // SAFETY: the thread is joined below, so its id is valid.
        assert_eq!(unsafe { libc::pthread_kill(waiter.as_pthread_t(), libc::SIGUSR1) }, 0);
        thread::sleep(Duration::from_millis(10));
    }
    let ended = finish(waiter);
    assert!(matches!(ended, Err(Error::Interrupted)), "{ended:?}");
}

#[test]
fn a_signal_ends_a_receive() {
    guarded(|| {
        install_handler();
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let pull = Arc::new(pull);
        let waiter = Arc::clone(&pull);
        interrupt(thread::spawn(move || waiter.recv().map(drop)));
        let waiter = Arc::clone(&pull);
        interrupt(thread::spawn(move || waiter.recv_timeout(LIMIT).map(drop)));
        push.send("still usable").unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "still usable");
        let unbound = open::<Pull>(&context);
        interrupt(thread::spawn(move || unbound.recv().map(drop)));
    });
}

/// No handler runs, so no wait ends; libzmq's go on as well.
#[test]
fn being_stopped_and_continued_ends_no_wait() {
    let name = "signals::being_stopped_and_continued_ends_no_wait";
    in_own_process(name, || {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let (pull, lonely) = (Arc::new(pull), open::<Pull>(&context));
        let mut poller = Poller::new().unwrap();
        poller.add(&lonely, 0, Readiness { readable: true, writable: false }).unwrap();
        // One drives, the others follow.
        let mut waiters: Vec<JoinHandle<Result<(), Error>>> = (0..3)
            .map(|_| {
                let pull = Arc::clone(&pull);
                thread::spawn(move || pull.recv().map(drop))
            })
            .collect();
        waiters.push(thread::spawn(move || poller.wait(Some(LIMIT)).map(drop)));
        let us = std::process::id();
        let script = format!(
            "for i in 1 2 3; do sleep 0.1; kill -STOP {us}; sleep 0.1; kill -CONT {us}; done"
        );
        let stopped = std::process::Command::new("sh").args(["-c", &script]).status().unwrap();
        assert!(stopped.success());
        assert!(waiters.iter().all(|waiter| !waiter.is_finished()), "a wait has ended");
        waiters.iter().for_each(|_| push.send("at last").unwrap());
        lonely.bind("inproc://lonely").unwrap();
        let friend = open::<Push>(&context);
        friend.connect("inproc://lonely").unwrap();
        friend.send("hello").unwrap();
        for waiter in waiters {
            finish(waiter).unwrap();
        }
    });
}

/// As libzmq's; it may be run again.
#[test]
fn a_signal_ends_a_proxy_and_a_poller() {
    guarded(|| {
        install_handler();
        let context = Context::new();
        let (push, front) = join::<Push, Pull>(&context);
        let (back, pull) = join::<Push, Pull>(&context);
        let mut poller = Poller::new().unwrap();
        poller.add(&pull, 0, Readiness { readable: true, writable: false }).unwrap();
        interrupt(thread::spawn(move || poller.wait(None).map(drop)));
        thread::scope(|scope| {
            let (sender, sent) = std::sync::mpsc::channel();
            let (ended, first_run) = std::sync::mpsc::channel();
            let (front, back) = (&front, &back);
            let runner = scope.spawn(move || {
                let mut proxy = Proxy::new(front, back);
                // SAFETY: takes no arguments and cannot fail.
                sender.send((proxy.handle(), unsafe { libc::pthread_self() })).unwrap();
                let interrupted = proxy.run();
                assert!(matches!(interrupted, Err(Error::Interrupted)), "{interrupted:?}");
                ended.send(()).unwrap();
                while let Err(error) = proxy.run() {
                    // A second signal was on its way.
                    assert!(matches!(error, Error::Interrupted), "{error}");
                }
            });
            let (handle, id) = sent.recv().unwrap();
            push.send("hello").unwrap();
            assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "hello");
            // A signal that comes while the proxy works ends nothing.
            until("a signal ends the proxy's wait", || {
                // SAFETY: the thread is joined below, so its id is valid.
                assert_eq!(unsafe { libc::pthread_kill(id, libc::SIGUSR1) }, 0);
                first_run.recv_timeout(Duration::from_millis(20)).is_ok()
            });
            push.send("again").unwrap();
            assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "again");
            handle.terminate();
            runner.join().unwrap();
        });
    });
}

#[test]
fn a_signal_ends_a_send() {
    guarded(|| {
        install_handler();
        let context = Context::new();
        let push = open_with::<Push>(&context, &[(number::SNDHWM, 1), (number::LINGER, 0)]);
        push.connect("tcp://127.0.0.1:9").unwrap();
        push.send("fills it").unwrap();
        interrupt(thread::spawn(move || push.send("too much").map_err(Error::from)));
        let lonely = open::<Push>(&context);
        interrupt(thread::spawn(move || lonely.send("to whom?").map_err(Error::from)));
    });
}

#[test]
fn a_signal_ends_a_poll() {
    guarded(|| {
        install_handler();
        let context = Context::new();
        let (_push, pull) = join::<Push, Pull>(&context);
        let wanted = Readiness { readable: true, writable: false };
        interrupt(thread::spawn(move || pull.poll(wanted, None).map(drop)));
    });
}

#[test]
fn a_signal_ends_the_waits_of_followers_and_of_drivers() {
    guarded(|| {
        install_handler();
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let pull = Arc::new(pull);
        let mut waiters: Vec<_> = (0..3)
            .map(|_| {
                let pull = Arc::clone(&pull);
                let waiter = thread::spawn(move || pull.recv().map(drop));
                thread::sleep(Duration::from_millis(20));
                waiter
            })
            .collect();
        // The last that came follows; the first drives, and its seat goes to the one in the middle.
        interrupt(waiters.remove(2));
        interrupt(waiters.remove(0));
        push.send("for the last").unwrap();
        finish(waiters.remove(0)).unwrap();
    });
}

/// As libzmq's: what was begun goes on when it is called again.
#[test]
fn a_signal_ends_term_which_may_be_called_again() {
    guarded(|| {
        install_handler();
        let context = Context::new();
        let push = open::<Push>(&context);
        for _ in 0..2 {
            let ending = context.clone();
            interrupt(thread::spawn(move || ending.term()));
        }
        assert!(matches!(push.try_send("x").unwrap_err().error, Error::Terminated));
        assert!(!context.term_timeout(Duration::from_millis(1)).unwrap(), "a socket is open");
        drop(push);
        context.term().unwrap();
    });
}

/// Closing is no call that could be repeated: it goes on.
#[test]
fn a_signal_does_not_end_a_close_that_lingers() {
    guarded(|| {
        install_handler();
        let context = Context::new();
        let push = open_with::<Push>(&context, &[(number::LINGER, 300)]);
        push.connect("tcp://127.0.0.1:1").unwrap();
        push.send("nobody receives it").unwrap();
        let closing = thread::spawn(move || push.close());
        thread::sleep(Duration::from_millis(20));
        while !closing.is_finished() {
            // SAFETY: the thread is joined below, so its id is valid.
            assert_eq!(unsafe { libc::pthread_kill(closing.as_pthread_t(), libc::SIGUSR1) }, 0);
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(finish(closing), 1, "the message that was not delivered");
    });
}
