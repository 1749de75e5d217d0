//! Linux.

use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{Credentials, Woken};

/// How long a futex wait lasts at most, and until when on the clock of the machine's running time one without a time-out
/// does, in seconds: 34 years.
const FOR_EVER_S: u64 = 1 << 30;

/// The kernel's time on its old system calls, in which all fields are a `long`. It is not libc's,
/// which on 32-bit systems may have grown.
#[repr(C)]
struct KernelTimespec {
    seconds: libc::c_long,
    nanoseconds: libc::c_long,
}

/// Sleeps while `word` has the value `expected`, at most `timeout` (`None`: for as long as it takes).
///
/// It may wake for no reason, so callers loop. A signal handled on this thread ends the sleep, also one
/// whose handler was installed with `SA_RESTART`: the kernel restarts waits without a time-out behind the
/// caller's back, so this always gives it one.
pub(crate) fn futex_wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) -> Woken {
    // A point in time that does not come spares the kernel a look at the clock.
    let (operation, time) = match timeout {
        None => (libc::FUTEX_WAIT_BITSET, Duration::from_secs(FOR_EVER_S)),
        Some(timeout) => (libc::FUTEX_WAIT, timeout.min(Duration::from_secs(FOR_EVER_S))),
    };
    let time = KernelTimespec {
        // Both fit: the seconds are limited above, and nanoseconds are below a billion.
        seconds: time.as_secs() as libc::c_long,
        nanoseconds: time.subsec_nanos() as libc::c_long,
    };
    // SAFETY: the word and the time live across the call, and the kernel writes to neither.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            operation | libc::FUTEX_PRIVATE_FLAG,
            expected,
            &raw const time,
            ptr::null::<u32>(),
            libc::FUTEX_BITSET_MATCH_ANY,
        )
    };
    match result {
        0 => Woken::Woken,
        _ => match io::Error::last_os_error().raw_os_error() {
            Some(libc::ETIMEDOUT) => Woken::TimedOut,
            Some(libc::EINTR) => Woken::Interrupted,
            // EAGAIN: the word had another value already.
            _ => Woken::Woken,
        },
    }
}

/// Wakes up to `count` threads of this process that sleep on `word`.
pub(crate) fn futex_wake(word: &AtomicU32, count: u32) {
    // The kernel takes the number as signed, and a negative one as "one".
    let count = count.min(i32::MAX as u32);
    // SAFETY: the kernel only uses the word's address, which is valid.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
            count,
        );
    }
}

/// A descriptor that [`ppoll`] looks at, what for, and what it found. Laid out as C's `pollfd`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct PollFd(libc::pollfd);

impl PollFd {
    /// Readable.
    pub(crate) const IN: i16 = libc::POLLIN;
    /// Writable.
    pub(crate) const OUT: i16 = libc::POLLOUT;
    /// Has urgent data.
    pub(crate) const PRI: i16 = libc::POLLPRI;
    /// Broken; only ever found, not asked for.
    pub(crate) const ERR: i16 = libc::POLLERR;
    /// Hung up; only ever found, not asked for.
    pub(crate) const HUP: i16 = libc::POLLHUP;
    /// Not open; only ever found, not asked for.
    pub(crate) const NVAL: i16 = libc::POLLNVAL;

    /// Looks at `fd` for `events`: `IN`, `OUT`, `PRI`. Negative descriptors are skipped.
    pub(crate) fn new(fd: RawFd, events: i16) -> PollFd {
        PollFd(libc::pollfd { fd, events, revents: 0 })
    }

    /// What was found by the last [`ppoll`].
    pub(crate) fn revents(&self) -> i16 {
        self.0.revents
    }
}

impl std::fmt::Debug for PollFd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let libc::pollfd { fd, events, revents } = self.0;
        write!(f, "PollFd({fd}: {events:#x} -> {revents:#x})")
    }
}

/// Signals that a thread holds back, as a wait is told ([`ppoll`](crate::ppoll)).
#[derive(Clone, Copy)]
pub struct SignalMask(libc::sigset_t);

impl SignalMask {
    /// The mask that holds these signals back. Numbers of no signal are skipped.
    ///
    /// ```
    /// use tightbeam::SignalMask;
    ///
    /// const SIGINT: i32 = 2;
    /// let all_but_interrupt = SignalMask::new((1..65).filter(|number| *number != SIGINT));
    /// ```
    #[must_use]
    pub fn new(signals: impl IntoIterator<Item = i32>) -> SignalMask {
        // SAFETY: all fields are numbers, and 0 is an empty set on Linux.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        for signal in signals {
            // SAFETY: the set is valid; a bad number is an error that changes nothing.
            unsafe { libc::sigaddset(&raw mut set, signal) };
        }
        SignalMask(set)
    }
}

impl std::fmt::Debug for SignalMask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // SAFETY: the set is valid; a bad number is in no set.
        let held = |signal: &i32| unsafe { libc::sigismember(&raw const self.0, *signal) == 1 };
        f.debug_set().entries((1..=libc::SIGRTMAX()).filter(held)).finish()
    }
}

/// Waits until one of the descriptors has one of its events, at most `timeout` (`None`: for as long as
/// it takes), and says how many have. Descriptors that are not open are reported as such. With a mask
/// the thread holds back the signals in it, and no others, while it waits.
///
/// # Errors
///
/// [`io::ErrorKind::Interrupted`] if a signal was handled on this thread, also one whose handler was
/// installed with `SA_RESTART`. Others if there are more descriptors than the process may have, or no
/// memory for them.
pub(crate) fn ppoll(
    fds: &mut [PollFd],
    timeout: Option<Duration>,
    mask: Option<&SignalMask>,
) -> io::Result<usize> {
    let mask = mask.map_or(ptr::null(), |mask| &raw const mask.0);
    let timeout = timeout.map(timespec);
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `PollFd` is a `pollfd`, there are as many as is said, and time and mask live across the call.
    let found = unsafe {
        libc::ppoll(
            fds.as_mut_ptr().cast::<libc::pollfd>(),
            fds.len() as libc::nfds_t,
            timeout,
            mask,
        )
    };
    usize::try_from(found).map_err(|_| io::Error::last_os_error())
}

fn timespec(duration: Duration) -> libc::timespec {
    // SAFETY: all fields are numbers (some targets have padding, so it has no literal).
    let mut spec: libc::timespec = unsafe { std::mem::zeroed() };
    spec.tv_sec = duration.as_secs().try_into().unwrap_or(libc::time_t::MAX);
    // Below a billion, so it fits.
    spec.tv_nsec = duration.subsec_nanos() as _;
    spec
}

/// Owns the descriptor that a system call returned, or says why there is none.
fn owned(fd: RawFd) -> io::Result<File> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system just gave us the descriptor, and nobody else has it.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// A descriptor that is readable while it is signalled.
#[derive(Debug)]
pub(crate) struct EventFd(File);

impl EventFd {
    /// One that is not signalled.
    ///
    /// # Errors
    ///
    /// The process or the system has no descriptors or no memory left.
    pub(crate) fn new() -> io::Result<EventFd> {
        // SAFETY: takes no pointers.
        owned(unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) }).map(EventFd)
    }

    /// Makes it readable. Signalling it again changes nothing, but wakes edge-triggered waiters again.
    pub(crate) fn signal(&self) {
        // Fails only if it was signalled 2^64 - 1 times since it was cleared: then it is readable.
        let _ = (&self.0).write(&1_u64.to_ne_bytes());
    }

    /// Makes it not readable, and says whether it was.
    pub(crate) fn clear(&self) -> bool {
        read_count(&self.0) != 0
    }
}

/// A descriptor that becomes readable at regular intervals.
#[derive(Debug)]
pub(crate) struct TimerFd(File);

impl TimerFd {
    /// One that stands still.
    ///
    /// # Errors
    ///
    /// The process or the system has no descriptors or no memory left.
    pub(crate) fn new() -> io::Result<TimerFd> {
        let flags = libc::TFD_NONBLOCK | libc::TFD_CLOEXEC;
        // SAFETY: takes no pointers.
        owned(unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, flags) }).map(TimerFd)
    }

    /// Makes it readable every `interval` from now on, for the first time after one. Earlier ticks
    /// that were not cleared are forgotten.
    ///
    /// # Errors
    ///
    /// None is known: the interval is limited to what the system takes (at least a nanosecond).
    pub(crate) fn every(&self, interval: Duration) -> io::Result<()> {
        // Zero would stop it; and far beyond a century the kernel's arithmetic is its own.
        let interval =
            interval.clamp(Duration::from_nanos(1), Duration::from_secs(i32::MAX as u64));
        self.set(timespec(interval))
    }

    /// Stops it; ticks that were not cleared are forgotten.
    ///
    /// # Errors
    ///
    /// None is known.
    pub(crate) fn stop(&self) -> io::Result<()> {
        self.set(timespec(Duration::ZERO))
    }

    /// Makes it not readable until the next tick, and says how many there were since it was last
    /// cleared.
    pub(crate) fn clear(&self) -> u64 {
        read_count(&self.0)
    }

    fn set(&self, interval: libc::timespec) -> io::Result<()> {
        let spec = libc::itimerspec { it_interval: interval, it_value: interval };
        // SAFETY: the descriptor is ours, the new value lives across the call, and the old one is
        // not asked for.
        match unsafe { libc::timerfd_settime(self.0.as_raw_fd(), 0, &spec, ptr::null_mut()) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// The count in a non-blocking eventfd or timerfd, which reading sets to 0.
fn read_count(mut file: &File) -> u64 {
    let mut count = [0; 8];
    match file.read(&mut count) {
        Ok(8) => u64::from_ne_bytes(count),
        // Would block: it is 0.
        _ => 0,
    }
}

macro_rules! as_fd {
    ($($type:ty)*) => {$(
        impl AsFd for $type {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.0.as_fd()
            }
        }

        impl AsRawFd for $type {
            fn as_raw_fd(&self) -> RawFd {
                self.0.as_raw_fd()
            }
        }
    )*};
}

as_fd! { EventFd TimerFd }

/// Reads into memory that need not be initialised, and gives back the part that then is.
///
/// # Errors
///
/// As the `read` system call.
pub(crate) fn read_into<'a>(
    fd: BorrowedFd<'_>,
    buffer: &'a mut [MaybeUninit<u8>],
) -> io::Result<&'a mut [u8]> {
    // SAFETY: as many bytes as are said may be written there.
    let n = unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
    let n = usize::try_from(n).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the kernel has written to the first `n` bytes.
    Ok(unsafe { &mut *(ptr::from_mut(&mut buffer[..n]) as *mut [u8]) })
}

/// 0: the handler is not installed yet.
static FORK_GENERATION: AtomicU32 = AtomicU32::new(0);

/// A number that is never 0, stays the same in a process, and is different in a child that was forked
/// after the first call. One relaxed load, cheap enough for every call.
///
/// Children made by the bare system calls (`clone`, `vfork`) are not noticed: they may do nothing with
/// our objects anyway.
#[inline]
pub(crate) fn fork_generation() -> u32 {
    match FORK_GENERATION.load(Ordering::Relaxed) {
        0 => install_fork_handler(),
        generation => generation,
    }
}

#[cold]
fn install_fork_handler() -> u32 {
    // Threads may race here and install the handler twice, which does no harm: the number only has to
    // change. A lock would do harm, since a child may be forked while it is held. If there is no memory
    // for the handler, forks go unnoticed, as in any library that does not look.
    // SAFETY: the handler is a plain function that lives as long as this library, and does nothing
    // that is forbidden between fork and exec.
    unsafe { libc::pthread_atfork(None, None, Some(after_fork_in_child)) };
    match FORK_GENERATION.compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => 1,
        Err(generation) => generation,
    }
}

/// How many bytes written to a stream the other side has not acknowledged yet; 0 if that cannot be told.
pub(crate) fn unsent(stream: BorrowedFd<'_>) -> usize {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the request writes one integer, to a place that is valid.
    let told = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if told == 0 { usize::try_from(bytes).unwrap_or(0) } else { 0 }
}

/// Who is at the other end of a Unix domain socket.
///
/// # Errors
///
/// It is no such socket, or not connected.
pub(crate) fn peer_credentials(stream: BorrowedFd<'_>) -> io::Result<Credentials> {
    let mut found = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut size = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the option is a `ucred`, and both it and its size live across the call.
    let told = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut found).cast(),
            &raw mut size,
        )
    };
    match told {
        0 => Ok(Credentials { pid: found.pid, uid: found.uid, gid: found.gid }),
        _ => Err(io::Error::last_os_error()),
    }
}

unsafe extern "C" fn after_fork_in_child() {
    // The child has one thread, so nothing comes between.
    let generation = FORK_GENERATION.load(Ordering::Relaxed);
    FORK_GENERATION.store(generation.wrapping_add(1).max(1), Ordering::Relaxed);
}

/// Asks for barriers on all processors that run this process: [`barrier_everywhere`]. False if the system has none. It may take
/// some milliseconds.
pub(super) fn register_for_barriers() -> bool {
    membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
}

/// Has every processor that runs a thread of this process pass a memory barrier; false if the system refuses.
pub(super) fn barrier_everywhere() -> bool {
    membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
}

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: the call touches no memory of ours.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}
