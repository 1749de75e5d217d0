//! `ppoll`: signals that a thread holds back are handled in the wait and nowhere else.

use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tightbeam::{Context, Error, PollItem, Pull, Push, Readiness, SignalMask, ppoll};
use tightbeam_tests::sockets::{LIMIT, join};

use crate::support::{finish, guarded};

const READABLE: Readiness = Readiness { readable: true, writable: false };
const SIGNAL: libc::c_int = libc::SIGUSR2;

std::thread_local! {
    static HANDLED: AtomicUsize = const { AtomicUsize::new(0) };
}

extern "C" fn on_signal(_: libc::c_int) {
    HANDLED.with(|handled| handled.fetch_add(1, Ordering::SeqCst));
}

fn handled() -> usize {
    HANDLED.with(|handled| handled.load(Ordering::SeqCst))
}

/// The calling thread holds the signal back, which has a handler.
fn hold_back() {
    // SAFETY: the handler only changes an atomic, the rest of the action and the set are zeroes, and both
    // live across the calls.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_signal as extern "C" fn(libc::c_int) as usize;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(SIGNAL, &raw const action, std::ptr::null_mut()), 0);
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigaddset(&raw mut set, SIGNAL);
        let held = libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        assert_eq!(held, 0);
    }
}

/// Sends the signal to the calling thread.
fn raise() {
    // SAFETY: takes no pointers.
    assert_eq!(unsafe { libc::raise(SIGNAL) }, 0);
}

fn is_interrupted(result: tightbeam::Result<usize>) -> bool {
    matches!(result, Err(Error::Interrupted))
}

#[test]
fn a_signal_that_came_before_ends_the_wait_that_lets_it_through() {
    guarded(|| {
        hold_back();
        raise();
        let (open, held) = (SignalMask::new([]), SignalMask::new([SIGNAL]));
        assert_eq!(ppoll(&mut [], Some(Duration::from_millis(5)), &held).unwrap(), 0);
        assert_eq!(handled(), 0);
        assert!(is_interrupted(ppoll(&mut [], None, &open)));
        assert_eq!(handled(), 1);
        raise();
        assert!(is_interrupted(ppoll(&mut [], Some(Duration::ZERO), &open)));
        assert_eq!(handled(), 2);
        assert_eq!(ppoll(&mut [], Some(Duration::ZERO), &open).unwrap(), 0);
    });
}

#[test]
fn a_signal_that_comes_during_the_wait_ends_it() {
    guarded(|| {
        let context = Context::new();
        let (_push, pull) = join::<Push, Pull>(&context);
        let (ready, is_ready) = mpsc::channel();
        let waiter = thread::spawn(move || {
            hold_back();
            ready.send(()).unwrap();
            let mut items = [PollItem::socket(&pull, READABLE)];
            let ended = ppoll(&mut items, Some(LIMIT), &SignalMask::new([]));
            (is_interrupted(ended), handled())
        });
        is_ready.recv().unwrap();
        thread::sleep(Duration::from_millis(20));
        // SAFETY: the thread is joined below, so its id is valid.
        assert_eq!(unsafe { libc::pthread_kill(waiter.as_pthread_t(), SIGNAL) }, 0);
        assert_eq!(finish(waiter), (true, 1));
    });
}

#[test]
fn what_is_ready_comes_before_a_signal() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        push.send("hello").unwrap();
        let mut items = [PollItem::socket(&pull, READABLE)];
        assert_eq!(tightbeam::poll(&mut items, Some(LIMIT)).unwrap(), 1);
        let (silent, _other_end) = std::os::unix::net::UnixStream::pair().unwrap();
        hold_back();
        raise();
        let mut items =
            [PollItem::socket(&pull, READABLE), PollItem::descriptor(&silent, READABLE)];
        assert_eq!(ppoll(&mut items, None, &SignalMask::new([])).unwrap(), 1);
        assert!(items[0].ready().readable);
    });
}

#[test]
fn a_mask_shows_what_it_holds_back() {
    let mask = SignalMask::new([libc::SIGINT, 12_345, libc::SIGTERM]);
    assert_eq!(format!("{mask:?}"), format!("{{{}, {}}}", libc::SIGINT, libc::SIGTERM));
}
