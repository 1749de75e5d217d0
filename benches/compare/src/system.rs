//! The clocks and counters of the system, the same that the programs in C use, so that times of two processes can be compared.

use std::io::Error;
use std::time::Duration;

/// CLOCK_MONOTONIC, in nanoseconds.
pub fn now_ns() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is a valid place to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// What this process has used, all of its threads together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// User and system time, in seconds.
    pub cpu_s: f64,
    /// Context switches, voluntary or not.
    pub switches: i64,
}

impl Used {
    /// Until now.
    pub fn so_far() -> Self {
        // SAFETY: all zeroes is a valid `rusage`.
        let mut used: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: `used` is a valid place to write to.
        unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut used) };
        let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
        Self {
            cpu_s: seconds(used.ru_utime) + seconds(used.ru_stime),
            switches: used.ru_nvcsw + used.ru_nivcsw,
        }
    }

    /// Since then.
    pub fn since(before: Self) -> Self {
        let now = Self::so_far();
        Self { cpu_s: now.cpu_s - before.cpu_s, switches: now.switches - before.switches }
    }

    /// As members of a JSON object.
    pub fn json(&self) -> String {
        format!("\"cpu_s\": {:.6}, \"switches\": {}", self.cpu_s, self.switches)
    }
}

/// Bytes that this process has allocated.
pub fn heap_bytes() -> usize {
    // SAFETY: it has no arguments.
    let info = unsafe { libc::mallinfo2() };
    info.uordblks + info.hblkhd
}

/// Keeps this thread on one core.
pub fn pin(core: usize) -> std::io::Result<()> {
    // SAFETY: all zeroes is an empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: writes to `set`; a core beyond its end is left out.
    unsafe { libc::CPU_SET(core, &mut set) };
    // SAFETY: `set` is a valid set of the size that is given.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    if result == 0 { Ok(()) } else { Err(Error::last_os_error()) }
}

/// Lets this process have as many descriptors as it may.
pub fn raise_descriptor_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid place to write to.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` is valid; if it is refused, the old one holds.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
}

/// When to send: see "Pacing" in the README of this package.
#[derive(Debug)]
pub struct Pace {
    next_ns: u64,
    period_ns: u64,
    /// Whether the library had nothing to do before the next message.
    waited: bool,
}

/// A message that is due later than this is slept for, ...
const SLEEP_ABOVE_NS: u64 = 60_000;
/// ... until so long before.
const WAKE_EARLY_NS: u64 = 30_000;

impl Pace {
    /// The first message is due at once.
    pub fn start(rate: f64) -> Self {
        // SAFETY: sets a number of this thread.
        unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) };
        Self { next_ns: now_ns(), period_ns: (1e9 / rate) as u64, waited: false }
    }

    /// What there is to do until the next message is due.
    pub fn step(&mut self) -> Step {
        let (due, now) = (self.next_ns, now_ns());
        if now < due {
            self.waited = true;
            let sleep = due - now > SLEEP_ABOVE_NS;
            return if sleep {
                Step::Sleep(Duration::from_nanos(due - now - WAKE_EARLY_NS))
            } else {
                Step::Spin
            };
        }
        // The last send took too long: what it delays counts as latency. But where a sleep was too long, the schedule
        // moves: that is nobody's latency.
        let from = if self.waited { now } else { due };
        self.waited = false;
        self.next_ns = from + self.period_ns;
        Step::Send(from)
    }
}

/// What to do next.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Send: latency counts from this time.
    Send(u64),
    /// Sleep.
    Sleep(Duration),
    /// Let others have the core, and ask again.
    Spin,
}
