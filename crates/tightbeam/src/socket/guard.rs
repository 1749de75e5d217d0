//! The lock of a socket, and what is done once it is released.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::core::Core;
use super::state::{Deferred, State};
use super::watch::Watch;
use crate::message::Frame;
use crate::pipe::PipeId;
use crate::reactor::waiters::Wakeups;
use crate::sys::Locked;

/// The lock of a socket. What was put off is done when it is released; mostly that is nothing.
pub(crate) struct Guard<'a> {
    core: &'a Core,
    /// Present until released.
    state: Option<Locked<'a, State>>,
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

const RELEASED_ONCE: &str = "present until released, which ends the guard";

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
    pub(super) fn new(core: &'a Core, state: Locked<'a, State>) -> Guard<'a> {
        Guard { core, state: Some(state) }
    }

    /// Releases the lock, and does what was put off.
    #[cold]
    fn finish(&mut self) {
        let Some(mut guarded) = self.state.take() else { return };
        let state = &mut *guarded;
        let mut work = Work::take_spare();
        let again = state.follow_level();
        if state.deferred.touched() {
            work.deferred = Some(state.deferred.take(again));
        }
        state.waiters.take_wakeups(&mut work.wakeups);
        work.told = state.take_told();
        std::mem::swap(&mut state.pipes.released, &mut work.released);
        state.take_calls(&mut work.calls);
        drop(guarded);
        self.core.do_put_off(work);
    }
}

impl Deref for Guard<'_> {
    type Target = State;

    #[inline]
    fn deref(&self) -> &State {
        self.state.as_ref().expect(RELEASED_ONCE)
    }
}

impl DerefMut for Guard<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut State {
        self.state.as_mut().expect(RELEASED_ONCE)
    }
}

impl Drop for Guard<'_> {
    #[inline]
    fn drop(&mut self) {
        debug_assert!(
            self.state.as_ref().is_none_or(|state| {
                state.pipes.dry.is_empty() || !state.waiters.want_messages()
            }),
            "a lane counts on a receiver who sleeps"
        );
        if self.state.as_ref().is_some_and(|state| state.has_put_off()) {
            self.finish();
        }
    }
}

impl State {
    /// Whether there is something to do once the lock is released. Most sends and receives find nothing, and make no
    /// [`Guard`] at all.
    #[inline(always)]
    pub(super) fn has_put_off(&self) -> bool {
        self.deferred.touched()
            || self.waiters.has_wakeups()
            || !self.pipes.released.is_empty()
            || !self.pipes.calls.is_empty()
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
