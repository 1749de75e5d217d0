//! The lock-free pieces one by one, with loom: every interleaving and every value that the memory
//! model lets an atomic read, within small bounds. The files are the library's own.
//!
//! Each model has variants that leave a step out; loom must find what breaks.

#[allow(dead_code, reason = "the library uses more of it")]
#[path = "../../../../crates/tightbeam/src/reactor/handover.rs"]
mod handover;
#[allow(dead_code, reason = "the library uses more of it")]
#[path = "../../../../crates/tightbeam/src/message/refcount.rs"]
mod refcount;

/// What the library's files are built on here.
mod sync {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
}

mod claims;
mod counts;
mod edges;

use std::panic::catch_unwind;

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// loom must not believe that the protocol works without a step.
fn must_fail(model: impl Fn() + Sync + Send + std::panic::UnwindSafe + 'static) {
    assert!(catch_unwind(|| check(model)).is_err(), "the missing step went unnoticed");
}
