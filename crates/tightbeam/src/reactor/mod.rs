//! Progress: who drives a socket, who sleeps where, and the thread that drives what nobody drives.

#[cfg_attr(not(feature = "tokio"), allow(dead_code, reason = "only a runtime brings such a task"))]
pub(crate) mod driver;
pub(crate) mod handover;
pub(crate) mod io_thread;
pub(crate) mod parker;
pub(crate) mod shared;
pub(crate) mod waiters;

/// What `handover` and `parker` are built on; the models put loom's or shuttle's in its place.
mod sync {
    pub(super) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
    pub(super) use std::thread_local;
}
