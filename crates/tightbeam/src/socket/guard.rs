//! The lock of a socket, and what is done once it is released.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, MutexGuard};

use super::core::Core;
use super::state::{Deferred, State};
use super::watch::Watch;
use crate::message::Frame;
use crate::pipe::PipeId;
use crate::reactor::waiters::Wakeups;

/// The lock of a socket. What was put off is done when it is released.
pub(crate) struct Guard<'a> {
    // Fields are dropped in this order: first the lock is released.
    state: MutexGuard<'a, State>,
    after: After<'a>,
}

/// What is done when the lock has been released; mostly nothing.
struct After<'a> {
    core: &'a Core,
    work: Option<Box<Work>>,
}

#[derive(Default)]
struct Work {
    wakeups: Wakeups,
    told: Vec<Arc<Watch>>,
    deferred: Option<Deferred>,
    /// Sockets of this process that have something waiting.
    calls: Vec<(Arc<Core>, PipeId)>,
    /// Dropping a body may run foreign code.
    released: Vec<Frame>,
}

/// Lists longer than this are not kept for the next time.
const KEPT_LEN: usize = 256;
/// Work is kept for the next time at so many depths: calling another socket releases that one's lock.
const KEPT_DEPTH: usize = 4;

thread_local! {
    /// Emptied lists, so that waking somebody allocates nothing.
    #[expect(clippy::vec_box, reason = "a box moves as one word")]
    static SPARE: RefCell<Vec<Box<Work>>> = const { RefCell::new(Vec::new()) };
}

impl Work {
    // Both fail only while the thread is ending.
    fn take_spare() -> Box<Work> {
        SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten().unwrap_or_default()
    }

    fn keep(self: Box<Work>) {
        if self.released.capacity() > KEPT_LEN || self.calls.capacity() > KEPT_LEN {
            return;
        }
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < KEPT_DEPTH {
                spare.push(self);
            }
        });
    }
}

impl<'a> Guard<'a> {
    #[inline]
    pub(super) fn new(core: &'a Core, state: MutexGuard<'a, State>) -> Guard<'a> {
        Guard { state, after: After { core, work: None } }
    }

    #[cold]
    fn put_off(&mut self) {
        let mut work = Work::take_spare();
        let state = &mut *self.state;
        let again = state.follow_level();
        if state.deferred.touched() {
            work.deferred = Some(state.deferred.take(again));
        }
        state.waiters.take_wakeups(&mut work.wakeups);
        work.told = state.take_told();
        std::mem::swap(&mut state.pipes.released, &mut work.released);
        state.take_calls(&mut work.calls);
        self.after.work = Some(work);
    }
}

impl Deref for Guard<'_> {
    type Target = State;

    #[inline]
    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Guard<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Guard<'_> {
    #[inline]
    fn drop(&mut self) {
        let state = &*self.state;
        debug_assert!(
            state.pipes.dry.is_empty() || !state.waiters.want_messages(),
            "a lane counts on a receiver who sleeps"
        );
        if state.deferred.touched()
            || state.waiters.has_wakeups()
            || !state.pipes.released.is_empty()
            || !state.pipes.calls.is_empty()
        {
            self.put_off();
        }
    }
}

impl Drop for After<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            self.core.do_put_off(work);
        }
    }
}

impl Core {
    #[cold]
    fn do_put_off(&self, mut work: Box<Work>) {
        for watch in work.told.drain(..) {
            watch.tell();
        }
        self.wake(&mut work.wakeups);
        // What others wait for comes before what may run foreign code, which may panic.
        if let Some(deferred) = work.deferred.take() {
            self.do_deferred(deferred);
        }
        for (core, pipe) in work.calls.drain(..) {
            core.attend(pipe);
        }
        work.wakeups.wake_tasks();
        work.released.clear();
        work.keep();
    }
}
