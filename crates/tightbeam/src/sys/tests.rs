//! What the system calls promise.

use std::io::{ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::*;

const MS: Duration = Duration::from_millis(1);

#[test]
fn futex_sees_another_value_at_once() {
    let word = AtomicU32::new(1);
    assert_eq!(futex_wait(&word, 0, None), Woken::Woken);
}

#[test]
fn futex_times_out() {
    let word = AtomicU32::new(0);
    for timeout in [Duration::ZERO, 20 * MS] {
        let start = Instant::now();
        assert_eq!(futex_wait(&word, 0, Some(timeout)), Woken::TimedOut);
        assert!(start.elapsed() >= timeout);
    }
}

#[test]
fn futex_wakes_as_many_as_asked() {
    static WORD: AtomicU32 = AtomicU32::new(0);
    static AWAKE: AtomicU32 = AtomicU32::new(0);
    let threads: Vec<_> = (0..3)
        .map(|_| {
            thread::spawn(|| {
                while WORD.load(Ordering::SeqCst) == 0 {
                    futex_wait(&WORD, 0, Some(Duration::MAX));
                }
                AWAKE.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    thread::sleep(50 * MS);
    assert_eq!(AWAKE.load(Ordering::SeqCst), 0);
    WORD.store(1, Ordering::SeqCst);
    futex_wake(&WORD, 1);
    thread::sleep(50 * MS);
    // Under load the others may not have slept yet, so this cannot be made exact.
    assert!(AWAKE.load(Ordering::SeqCst) >= 1);
    futex_wake(&WORD, u32::MAX);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Runs `wait` on a thread and signals it, with a handler that asks for restarts, until it returns.
fn interrupt<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> T {
    extern "C" fn handler(_: libc::c_int) {}
    // SAFETY: the handler does nothing, and all fields are set or zero, which they may be. The
    // signal is used for nothing else in these tests.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as extern "C" fn(libc::c_int) as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(libc::SIGUSR2, &action, std::ptr::null_mut()), 0);
    }
    let thread = thread::spawn(wait);
    let start = Instant::now();
    while !thread.is_finished() {
        assert!(start.elapsed() < Duration::from_secs(20), "the signal did not end the wait");
        thread::sleep(10 * MS);
        // SAFETY: the thread was not joined, so its id is valid.
        unsafe { libc::pthread_kill(thread.as_pthread_t(), libc::SIGUSR2) };
    }
    thread.join().unwrap()
}

#[test]
fn a_restarting_signal_ends_every_wait() {
    for timeout in [None, Some(Duration::MAX), Some(Duration::from_secs(3600))] {
        let woken = interrupt(move || futex_wait(&AtomicU32::new(0), 0, timeout));
        assert_eq!(woken, Woken::Interrupted);
        let error = interrupt(move || ppoll(&mut [], timeout, None)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
    }
}

#[test]
fn ppoll_finds_what_is_ready() {
    let (mut a, b) = UnixStream::pair().unwrap();
    let fds = || {
        [
            PollFd::new(b.as_raw_fd(), PollFd::IN),
            PollFd::new(-1, PollFd::IN),
            PollFd::new(b.as_raw_fd(), PollFd::IN | PollFd::OUT),
            PollFd::new(i32::MAX, PollFd::IN),
        ]
    };
    let found = |n| {
        let mut fds = fds();
        assert_eq!(ppoll(&mut fds, Some(Duration::ZERO), None).unwrap(), n);
        fds.map(|fd| fd.revents())
    };
    assert_eq!(found(2), [0, 0, PollFd::OUT, PollFd::NVAL]);
    a.write_all(b"!").unwrap();
    assert_eq!(found(3), [PollFd::IN, 0, PollFd::IN | PollFd::OUT, PollFd::NVAL]);
    drop(a);
    assert!(found(3)[0] & PollFd::HUP != 0);
    assert_eq!(PollFd::ERR & (PollFd::IN | PollFd::OUT), 0);
    assert_eq!(format!("{:?}", PollFd::new(3, 1)), "PollFd(3: 0x1 -> 0x0)");
}

#[test]
fn ppoll_times_out_between_milliseconds() {
    let best = (0..20)
        .map(|_| {
            let start = Instant::now();
            assert_eq!(ppoll(&mut [], Some(Duration::from_micros(50)), None).unwrap(), 0);
            start.elapsed()
        })
        .min()
        .unwrap();
    assert!(best >= Duration::from_micros(50) && best < MS, "{best:?}");
}

fn readable(fd: &impl AsRawFd, timeout: Duration) -> bool {
    ppoll(&mut [PollFd::new(fd.as_raw_fd(), PollFd::IN)], Some(timeout), None).unwrap() == 1
}

fn is_cloexec(fd: &impl AsRawFd) -> bool {
    // SAFETY: takes no pointers.
    unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) & libc::FD_CLOEXEC != 0 }
}

#[test]
fn an_event_is_readable_until_cleared() {
    let event = EventFd::new().unwrap();
    assert!(is_cloexec(&event) && event.as_fd().as_raw_fd() == event.as_raw_fd());
    assert!(!readable(&event, Duration::ZERO) && !event.clear());
    event.signal();
    event.signal();
    assert!(readable(&event, Duration::ZERO));
    assert!(event.clear());
    assert!(!readable(&event, Duration::ZERO) && !event.clear());
}

#[test]
fn a_timer_ticks_until_stopped() {
    let timer = TimerFd::new().unwrap();
    assert!(is_cloexec(&timer) && timer.as_fd().as_raw_fd() == timer.as_raw_fd());
    assert_eq!(timer.clear(), 0);
    let start = Instant::now();
    timer.every(2 * MS).unwrap();
    let mut ticks = 0;
    while ticks < 5 {
        assert!(readable(&timer, Duration::from_secs(10)));
        ticks += timer.clear();
    }
    assert!(start.elapsed() >= 10 * MS);
    timer.stop().unwrap();
    assert!(!readable(&timer, 10 * MS));
    assert_eq!(timer.clear(), 0);
}

#[test]
fn any_interval_is_one() {
    let timer = TimerFd::new().unwrap();
    timer.every(Duration::ZERO).unwrap();
    assert!(readable(&timer, Duration::from_secs(10)));
    timer.every(Duration::MAX).unwrap();
    assert!(!readable(&timer, MS), "earlier ticks are forgotten");
}

#[test]
fn reading_initialises_what_was_read() {
    let (mut a, b) = UnixStream::pair().unwrap();
    b.set_nonblocking(true).unwrap();
    let mut buffer = [MaybeUninit::uninit(); 16];
    let error = read_into(b.as_fd(), &mut buffer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    a.write_all(b"hello").unwrap();
    assert_eq!(read_into(b.as_fd(), &mut buffer).unwrap(), b"hello");
    drop(a);
    assert_eq!(read_into(b.as_fd(), &mut buffer).unwrap(), b"");
}

#[test]
fn a_forked_child_has_another_generation() {
    let before = fork_generation();
    assert_ne!(before, 0);
    let threads: Vec<_> = (0..4).map(|_| thread::spawn(fork_generation)).collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap() == before));
    let (mut parent_end, child_end) = UnixStream::pair().unwrap();
    // SAFETY: the child only does what is allowed between fork and exec: atomics, `write`, `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let changed = fork_generation() != before && fork_generation() == fork_generation();
        // SAFETY: one byte is there to be written; and this ends the child. It does not tell by its
        // exit status, since valgrind uses that for what it thinks of the child.
        unsafe {
            libc::write(child_end.as_raw_fd(), (&raw const changed).cast(), 1);
            libc::_exit(0);
        }
    }
    assert!(child > 0);
    let mut changed = [0];
    parent_end.read_exact(&mut changed).unwrap();
    assert_eq!(changed, [1]);
    // SAFETY: the status is not asked for.
    assert_eq!(unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) }, child);
    assert_eq!(fork_generation(), before, "the parent's stays");
}

#[test]
fn what_a_stream_has_not_delivered_is_counted() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (peer, _) = listener.accept().unwrap();
    assert_eq!(unsent(stream.as_fd()), 0);
    stream.set_nonblocking(true).unwrap();
    // Nobody reads: at some time the peer's kernel takes no more.
    while stream.write(&[0; 65536]).is_ok() {}
    assert!(unsent(stream.as_fd()) > 0);
    drop(peer);
}

#[test]
fn the_peer_of_a_unix_socket_is_known_and_of_others_not() {
    let (one, other) = std::os::unix::net::UnixStream::pair().unwrap();
    let peer = peer_credentials(one.as_fd()).unwrap();
    assert_eq!(u32::try_from(peer.pid).unwrap(), std::process::id());
    assert_eq!(peer_credentials(other.as_fd()).unwrap(), peer);
    let file = std::fs::File::open("/proc/self/status").unwrap();
    assert!(peer_credentials(file.as_fd()).is_err());
}

#[test]
fn one_thread_at_a_time_has_a_lock_whoever_owns_its_bias() {
    const TIMES: usize = 200_000;
    let lock = Lock::new(0_usize);
    let add = |times: usize| (0..times).for_each(|_| *lock.lock() += 1);
    thread::scope(|scope| {
        // Often enough in a row to become the owner, and then anew after each interruption.
        scope.spawn(|| add(TIMES));
        scope.spawn(|| add(TIMES));
        scope.spawn(|| {
            for _ in 0..100 {
                thread::sleep(MS / 10);
                add(1);
            }
        });
        scope.spawn(|| {
            let mut had = 0;
            while had < 100 {
                thread::yield_now();
                had += lock.try_lock().map_or(0, |mut value| {
                    *value += 1;
                    1
                });
            }
        });
    });
    assert_eq!(*lock.lock(), 2 * TIMES + 200);
}

#[test]
fn who_does_not_wait_is_told_that_the_owner_is_inside() {
    let lock = Lock::new(());
    (0..1_000).for_each(|_| drop(lock.lock()));
    let inside = lock.lock();
    thread::scope(|scope| {
        assert!(scope.spawn(|| lock.try_lock().is_none()).join().unwrap());
        let waits = scope.spawn(|| drop(lock.lock()));
        thread::sleep(20 * MS);
        assert!(!waits.is_finished());
        drop(inside);
        waits.join().unwrap();
    });
}

#[test]
fn a_forked_child_may_take_the_lock_of_a_thread_that_it_does_not_have() {
    let lock = Lock::new(());
    let become_owner = || (0..1_000).for_each(|_| drop(lock.lock()));
    thread::scope(|scope| scope.spawn(become_owner).join().unwrap());
    // SAFETY: the child tries a lock, which allocates nothing, and ends.
    match unsafe { libc::fork() } {
        0 => {
            let status = i32::from(lock.try_lock().is_none());
            // SAFETY: it ends the process.
            unsafe { libc::_exit(status) }
        }
        child => {
            let mut status = -1;
            // SAFETY: the status lives across the call.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0);
        }
    }
}

#[test]
fn a_threads_slack_is_its_own_and_goes_back_to_what_it_began_with() {
    fn slack() -> Duration {
        // SAFETY: touches no memory and concerns the calling thread.
        let slack_ns = unsafe { libc::prctl(libc::PR_GET_TIMERSLACK) };
        Duration::from_nanos(u64::try_from(slack_ns).unwrap())
    }
    let began = slack();
    thread::spawn(move || {
        assert_eq!(slack(), began);
        set_timer_slack(Some(5 * MS));
        assert_eq!(slack(), 5 * MS);
        set_timer_slack(None);
        assert_eq!(slack(), began);
    })
    .join()
    .unwrap();
    assert_eq!(slack(), began);
}

#[test]
fn only_what_there_is_room_for_is_appended() {
    let mut bytes = Vec::with_capacity(8);
    let capacity = bytes.capacity();
    assert!(append_within(&mut bytes, [1, 2], &[3]));
    assert!(append_within(&mut bytes, [4, 5], &[]));
    assert!(!append_within(&mut bytes, [6, 7], &vec![8; capacity - 6]));
    assert_eq!((&bytes[..], bytes.capacity()), (&[1, 2, 3, 4, 5][..], capacity));
    assert!(append_within(&mut bytes, [6, 7], &vec![8; capacity - 7]));
    assert_eq!((bytes.len(), bytes[7..].iter().all(|byte| *byte == 8)), (capacity, true));
    assert!(!append_within(&mut bytes, [9, 9], &[]));
}
