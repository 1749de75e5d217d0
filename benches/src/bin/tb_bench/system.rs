//! The clocks that the C contenders use: the same, so that times of two processes can be compared.

use std::time::Duration;

/// CLOCK_MONOTONIC, in nanoseconds.
pub(crate) fn now_ns() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is a valid place to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// User and system time of all threads of this process, in seconds.
pub(crate) fn cpu_s() -> f64 {
    used_s(libc::RUSAGE_SELF)
}

/// The same of this thread.
pub(crate) fn thread_cpu_s() -> f64 {
    used_s(libc::RUSAGE_THREAD)
}

/// Keeps this thread on one core.
pub(crate) fn pin(core: usize) -> std::io::Result<()> {
    // SAFETY: all zeroes is an empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: writes to `set`; a core beyond its end is left out.
    unsafe { libc::CPU_SET(core, &mut set) };
    // SAFETY: `set` is a valid set of the size that is given.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

fn used_s(whose: libc::c_int) -> f64 {
    // SAFETY: all zeroes is a valid `rusage`.
    let mut used: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `used` is a valid place to write to.
    unsafe { libc::getrusage(whose, &raw mut used) };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    seconds(used.ru_utime) + seconds(used.ru_stime)
}

/// When to send: see "Pacing" in the README of this package.
pub(crate) struct Pace {
    next_ns: u64,
    period_ns: u64,
}

impl Pace {
    pub(crate) fn start(rate: f64) -> Pace {
        // SAFETY: sets a number of this thread.
        unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) };
        Pace { next_ns: now_ns(), period_ns: (1e9 / rate) as u64 }
    }

    /// Waits until the next message is due; answers the time from which its latency counts.
    pub(crate) fn wait(&mut self) -> u64 {
        let due = self.next_ns;
        let mut now = now_ns();
        if now >= due {
            self.next_ns += self.period_ns;
            return due;
        }
        if due - now > 60_000 {
            std::thread::sleep(Duration::from_nanos(due - now - 30_000));
            now = now_ns();
        }
        while now < due {
            std::thread::yield_now();
            now = now_ns();
        }
        self.next_ns = now + self.period_ns;
        now
    }
}
