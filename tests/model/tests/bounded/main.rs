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
    pub(crate) struct Turnstile {}

    impl Turnstile {
        pub(crate) fn ask(&self) {}

        pub(crate) fn done(&self) {}

        pub(crate) fn let_go_first(&self) {}
    }
}

/// Two barriers of which one is light order what two full ones would.
mod barrier {
    use std::cell::Cell;

    use loom::sync::atomic::{AtomicU32, Ordering, fence};
    use loom::sync::{Condvar, Mutex};

    loom::lazy_static! {
        /// The kernel's list of those who sleep on a word.
        static ref SLEEPERS: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
    }

    thread_local! {
        /// Which are left out; loom's threads are all in one.
        static LEFT_OUT: Cell<(bool, bool)> = const { Cell::new((false, false)) };
    }

    /// Does it without light barriers, or without heavy ones.
    pub(crate) fn without(light: bool, heavy: bool, model: impl FnOnce()) {
        LEFT_OUT.set((light, heavy));
        model();
        LEFT_OUT.set((false, false));
    }

    pub(crate) fn is_there() -> bool {
        true
    }

    pub(crate) fn light_barrier() {
        if !LEFT_OUT.get().0 {
            fence(Ordering::SeqCst);
        }
    }

    pub(crate) fn heavy_barrier() {
        if !LEFT_OUT.get().1 {
            fence(Ordering::SeqCst);
        }
    }

    pub(crate) fn heavy_barrier_or_wait() {
        heavy_barrier();
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

/// Threads' words, which the models give out.
mod records {
    use std::cell::Cell;

    use loom::sync::atomic::AtomicUsize;

    const NOBODYS: usize = 0;

    loom::lazy_static! {
        /// The first one always looks as if it were in use.
        static ref WORDS: [AtomicUsize; 4] = [usize::MAX, 0, 0, 0].map(AtomicUsize::new);
    }

    loom::thread_local! {
        static MINE: Cell<usize> = Cell::new(NOBODYS);
    }

    /// Gives this thread one of the words 1 to 3.
    pub(crate) fn give(number: usize) {
        MINE.with(|mine| mine.set(number));
    }

    pub(crate) fn mine() -> &'static AtomicUsize {
        &WORDS[MINE.with(Cell::get)]
    }

    pub(crate) fn all() -> impl Iterator<Item = &'static AtomicUsize> {
        WORDS[1..].iter()
    }

    pub(crate) fn prepare() {}
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
