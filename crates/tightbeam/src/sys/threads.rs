//! How a thread is scheduled, and which signals it is spared.

use std::io;
use std::sync::OnceLock;
use std::time::Duration;

/// How a thread is to be scheduled; empty: as the one that starts it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ThreadTuning {
    /// A policy of `sched.h`.
    pub(crate) policy: Option<i32>,
    /// For policies of real time their priority; with any other one, that the thread comes first.
    pub(crate) priority: Option<i32>,
    /// The processors that it may run on; empty: any.
    pub(crate) cpus: Vec<usize>,
}

/// The least nice value: such a thread comes before all others.
const FIRST: libc::c_int = -20;

/// Tunes the calling thread.
///
/// # Errors
/// What the system says: no permission, no such policy or priority, none of the processors exists.
pub(crate) fn tune_thread(tuning: &ThreadTuning) -> io::Result<()> {
    if tuning.policy.is_some() || tuning.priority.is_some() {
        schedule(tuning.policy, tuning.priority)?;
    }
    if !tuning.cpus.is_empty() {
        pin(&tuning.cpus)?;
    }
    Ok(())
}

fn schedule(policy: Option<i32>, priority: Option<i32>) -> io::Result<()> {
    // SAFETY: asks about the calling thread, and touches no memory.
    let current = check(unsafe { libc::sched_getscheduler(0) })?;
    let policy = policy.unwrap_or(current);
    let timeshared = [libc::SCHED_OTHER, libc::SCHED_BATCH, libc::SCHED_IDLE].contains(&policy);
    let least = if timeshared {
        0
    } else {
        // SAFETY: touches no memory.
        check(unsafe { libc::sched_get_priority_min(policy) })?
    };
    let rank = if timeshared { 0 } else { priority.unwrap_or(least) };
    let param = libc::sched_param { sched_priority: rank };
    // SAFETY: the parameter lives across the call, which concerns the calling thread.
    check(unsafe { libc::sched_setscheduler(0, policy, &raw const param) })?;
    if timeshared && priority.is_some() {
        // SAFETY: touches no memory; on Linux it concerns the calling thread.
        check(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, FIRST) })?;
    }
    Ok(())
}

fn pin(cpus: &[usize]) -> io::Result<()> {
    // SAFETY: all zeros is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for cpu in cpus.iter().filter(|cpu| **cpu < size_of::<libc::cpu_set_t>() * 8) {
        // SAFETY: the number was compared with the size of the set.
        unsafe { libc::CPU_SET(*cpu, &mut set) };
    }
    // SAFETY: the set lives across the call, which concerns the calling thread.
    check(unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) }).map(|_| ())
}

/// How late the calling thread's sleeps with a time-out may end, so that they end with others; none is as late as those
/// of the thread that started it.
pub(crate) fn set_timer_slack(slack: Option<Duration>) {
    let slack_ns = slack.map_or(0, |slack| slack.as_nanos());
    let slack_ns = libc::c_ulong::try_from(slack_ns).unwrap_or(libc::c_ulong::MAX);
    // SAFETY: touches no memory and concerns the calling thread. It cannot fail, and would cost only interrupts.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, slack_ns) };
}

/// Signals that tell a thread of its own mistake: holding them back would only hide it.
const OWN: [libc::c_int; 7] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGSYS,
    libc::SIGABRT,
];

/// Runs `start`, which starts a thread, so that the thread holds back all signals: those for the process are the
/// application's, and go to its own threads, which wait for them or have them end their waits.
pub(crate) fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    // SAFETY: all zeros is a set of signals.
    let mut all: libc::sigset_t = unsafe { std::mem::zeroed() };
    let mut before = all;
    // SAFETY: the sets live across the calls, all numbers are of signals, and the mask is the calling thread's own.
    unsafe {
        libc::sigfillset(&raw mut all);
        for signal in OWN {
            libc::sigdelset(&raw mut all, signal);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
    }
    let started = start();
    // SAFETY: the set was filled in above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
    started
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Whether threads may run at the same time, as far as the machine goes.
pub(crate) fn has_several_processors() -> bool {
    static SEVERAL: OnceLock<bool> = OnceLock::new();
    // SAFETY: asks for a number, and touches no memory.
    *SEVERAL.get_or_init(|| unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) } > 1)
}
