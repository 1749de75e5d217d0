//! The pieces in which threads meet, one by one, with loom: every interleaving and every value that the memory
//! model lets an atomic read, within small bounds. The files are the library's own.
//!
//! Each model has variants that leave a step out; loom must find what breaks.

#[path = "../../../../crates/tightbeam/src/sys/bias.rs"]
mod bias;
#[allow(dead_code, reason = "the library uses more of it")]
#[path = "../../../../crates/tightbeam/src/reactor/handover.rs"]
mod handover;
#[allow(dead_code, reason = "the library uses more of it")]
#[path = "../../../../crates/tightbeam/src/pipe/lane.rs"]
mod lane;
#[allow(dead_code, reason = "the library uses more of it")]
#[path = "../../../../crates/tightbeam/src/message/refcount.rs"]
mod refcount;
#[allow(dead_code, reason = "the library uses more of it")]
#[path = "../../../../crates/capi/src/slot.rs"]
mod slot;

/// What the library's files are built on here.
mod sync {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
    pub(crate) use loom::sync::{Arc, Mutex, MutexGuard};

    /// Courtesy, on which nothing depends.
    #[derive(Debug, Default)]
    pub(crate) struct Turnstile;

    impl Turnstile {
        pub(crate) fn ask(&self) {}

        pub(crate) fn done(&self) {}

        pub(crate) fn let_go_first(&self) {}
    }
}

/// What `bias` is built on here. A barrier of which one side bears the cost does what one on each side does.
mod barrier {
    use std::cell::Cell;

    use loom::sync::atomic::{AtomicU32, Ordering, fence};
    use loom::sync::{Condvar, Mutex};

    std::thread_local! {
        /// Whether the heavy barrier is left out, for a model that must fail. All threads of a model are one of the system's.
        pub(crate) static LEFT_OUT: Cell<bool> = const { Cell::new(false) };
    }

    loom::lazy_static! {
        /// The kernel's list of those who sleep on a word.
        static ref SLEEPERS: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
    }

    pub(crate) fn light_barrier() {
        fence(Ordering::SeqCst);
    }

    pub(crate) fn heavy_barrier() {
        if !LEFT_OUT.get() {
            fence(Ordering::SeqCst);
        }
    }

    pub(crate) fn sleep(word: &AtomicU32, expected: u32) {
        let list = SLEEPERS.0.lock().unwrap();
        if word.load(Ordering::SeqCst) == expected {
            drop(SLEEPERS.1.wait(list).unwrap());
        }
    }

    pub(crate) fn wake(_: &AtomicU32) {
        let _list = SLEEPERS.0.lock().unwrap();
        SLEEPERS.1.notify_all();
    }
}

/// Messages, of which a lane only counts how many there are.
mod in_queue {
    use super::parts::Parts;

    #[derive(Debug, Default)]
    pub(crate) struct InQueue {
        messages: usize,
    }

    impl InQueue {
        pub(crate) fn messages(&self) -> usize {
            self.messages
        }

        pub(crate) fn push_message(&mut self, _: &[u8], _: Parts<'_>) {
            self.messages += 1;
        }

        pub(crate) fn pop(&mut self) -> Option<()> {
            self.messages = self.messages.checked_sub(1)?;
            Some(())
        }

        pub(crate) fn seal(&mut self) {}

        pub(crate) fn start_over(&mut self) {}
    }
}

mod parts {
    use std::marker::PhantomData;

    #[derive(Clone, Copy)]
    pub(crate) struct Parts<'a>(pub(crate) PhantomData<&'a [u8]>);

    impl<'a> Parts<'a> {
        pub(crate) fn last(&self) -> Parts<'a> {
            *self
        }
    }
}

mod biases;
mod claims;
mod counts;
mod edges;
mod lanes;
mod slots;

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
