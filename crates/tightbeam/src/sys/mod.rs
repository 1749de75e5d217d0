//! What the operating system offers and `std` and `mio` do not: the only place, beside messages, with
//! `unsafe` in this crate.
//!
//! The contract that each platform's file fulfils:
//!
//! * [`futex_wait`] and [`futex_wake`]: sleep while a word has a value. Every sleep can be ended by a
//!   signal, whatever its handler was installed with.
//! * [`ppoll`] over raw descriptors with a time-out finer than milliseconds, and with a [`SignalMask`]; a
//!   signal ends it too.
//! * [`EventFd`]: a descriptor that is readable from [`signal`](EventFd::signal) to
//!   [`clear`](EventFd::clear).
//! * [`TimerFd`]: a descriptor that becomes readable at regular intervals.
//! * [`read_into`]: read from a descriptor into memory that nobody has initialised.
//! * [`unsent`]: what a stream still has to deliver.
//! * [`peer_credentials`]: who is at the other end of a Unix domain socket.
//! * [`tune_thread`]: scheduling policy, priority and processors of the calling thread.
//! * [`set_timer_slack`]: how late the calling thread's sleeps may end.
//! * [`has_several_processors`]: whether threads may run at the same time.
//! * [`without_signals`]: start a thread that is spared the process's signals.
//! * [`interface_addresses`], [`interface_name`], [`interface_number`]: what an interface is called.
//! * [`set_busy_poll`]: spin for input.
//! * [`take_descriptor`]: own a descriptor that the application has opened.
//! * [`append_within`]: append to a vector that has room.
//! * [`prefetch_for_writing`]: ask for a cache line that will be written to.
//! * [`fork_generation`]: a number that is different in a forked child.
//! * `register_for_barriers`, `barrier_everywhere`: memory barriers on all processors that run this process.
//!
//! On these stands [`Lock`], which the thread that uses it most takes without an atomic read-modify-write.
//!
//! Descriptors are non-blocking and are not inherited through `exec`. Dropping one only closes it,
//! which is safe in a forked child. Everything may be called from any thread.

#[cfg(not(target_os = "linux"))]
compile_error!("tightbeam runs on Linux; other systems need a file of their own in `sys`");

mod append;
pub mod barrier;
mod bias;
mod cache;
mod lock;
mod net;
#[cfg_attr(target_os = "linux", path = "linux.rs")]
mod platform;

#[cfg_attr(target_os = "linux", path = "threads.rs")]
mod threads;

#[cfg(test)]
mod tests;

/// What `bias` is built on; a model checker puts its own here.
mod sync {
    pub(super) use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
}

pub(crate) use append::append_within;
pub(crate) use cache::{prefetch_for_reading, prefetch_for_writing};
pub(crate) use lock::{Lock, Locked};
pub(crate) use net::{
    interface_addresses, interface_name, interface_number, set_busy_poll, take_descriptor,
};
pub use platform::SignalMask;
pub(crate) use platform::{
    EventFd, PollFd, TimerFd, fork_generation, futex_wait, futex_wake, peer_credentials, ppoll,
    read_into, unsent,
};
pub(crate) use threads::{
    ThreadTuning, has_several_processors, set_timer_slack, tune_thread, without_signals,
};

/// Who a process was when it connected or listened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) pid: i32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Why a [`futex_wait`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::enum_variant_names)] // `Woken::Woken` is what it is
pub(crate) enum Woken {
    /// Somebody woke it, the word had another value, or no reason at all: look at the word again.
    Woken,
    /// The time is over.
    TimedOut,
    /// A signal was handled on this thread.
    Interrupted,
}
