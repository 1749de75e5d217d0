//! Watching a socket all the time, beside those who wait in it for one call: event descriptors, and
//! the inboxes of pollers.
//!
//! Waiters are notified once and come back; a watch stays. It is told after the socket's lock has been
//! released, and not again before its owner has looked.

use std::mem;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Readiness;
use super::core::Core;
use super::guard::Guard;
use super::state::{Life, State};
use crate::error::{Error, Result};
use crate::reactor::io_thread::Driven;
use crate::reactor::waiters::News;
use crate::sys::EventFd;

/// Somebody who is told of a socket's news.
#[derive(Debug)]
pub(super) struct Watch {
    /// It was told and has not looked since.
    told: AtomicBool,
    /// What it wants to be told of; written under the socket's lock.
    receive: AtomicBool,
    send: AtomicBool,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Descriptor(EventFd),
    Poller(Arc<Inbox>, u64),
}

impl Watch {
    fn new(target: Target, wanted: Readiness) -> Arc<Watch> {
        Arc::new(Watch {
            told: AtomicBool::new(false),
            receive: AtomicBool::new(wanted.readable),
            send: AtomicBool::new(wanted.writable),
            target,
        })
    }

    /// One that is told by a number in a poller's inbox.
    pub(super) fn of_poller(inbox: &Arc<Inbox>, number: u64, wanted: Readiness) -> Arc<Watch> {
        Watch::new(Target::Poller(Arc::clone(inbox), number), wanted)
    }

    /// One whose owner is told by a descriptor, once it says what it wants.
    pub(super) fn of_loop() -> Result<Arc<Watch>> {
        let descriptor =
            EventFd::new().map_err(Error::io("make a descriptor for an event loop"))?;
        Ok(Watch::new(Target::Descriptor(descriptor), Readiness::default()))
    }

    /// Its owner is about to look by itself, and is told of nothing meanwhile.
    /// True if it had been told.
    pub(super) fn quiet(&self) -> bool {
        self.told.swap(true, Ordering::SeqCst)
    }

    /// Makes its descriptor not readable.
    pub(super) fn clear(&self) {
        if let Some(descriptor) = self.descriptor() {
            descriptor.clear();
        }
    }

    /// Its owner looks now, and wants to be told of what comes after.
    pub(super) fn listen(&self) {
        self.told.store(false, Ordering::SeqCst);
    }

    /// Under the socket's lock: whether it is to be told of these news once the lock is released.
    fn notice(&self, news: News) -> bool {
        let cares = news.end
            || (news.receive && self.receive.load(Ordering::Relaxed))
            || (news.send && self.send.load(Ordering::Relaxed));
        cares && !self.told.swap(true, Ordering::SeqCst)
    }

    /// Tells it; without any lock.
    pub(super) fn tell(&self) {
        match &self.target {
            Target::Descriptor(descriptor) => descriptor.signal(),
            Target::Poller(inbox, number) => inbox.push(*number),
        }
    }

    /// Under the socket's lock: its owner looks at the socket now, and wants to be told of what comes
    /// after.
    pub(super) fn settle(&self, wanted: Readiness) {
        self.told.store(false, Ordering::SeqCst);
        self.receive.store(wanted.readable, Ordering::Relaxed);
        self.send.store(wanted.writable, Ordering::Relaxed);
    }

    pub(super) fn descriptor(&self) -> Option<&EventFd> {
        match &self.target {
            Target::Descriptor(descriptor) => Some(descriptor),
            Target::Poller(..) => None,
        }
    }
}

/// Where a poller is told which of its sockets have news, and how it is woken.
#[derive(Debug)]
pub(super) struct Inbox {
    state: Mutex<InboxState>,
    /// Readable from when something came while the poller slept until it has woken.
    pub(super) wake: EventFd,
}

#[derive(Debug, Default)]
struct InboxState {
    told: Vec<u64>,
    called: Vec<u64>,
    asleep: bool,
}

impl Inbox {
    pub(super) fn new() -> Result<Arc<Inbox>> {
        let wake = EventFd::new().map_err(Error::io("make a descriptor to wake a poller"))?;
        Ok(Arc::new(Inbox { state: Mutex::default(), wake }))
    }

    fn state(&self) -> MutexGuard<'_, InboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The item with this number has news.
    fn push(&self, number: u64) {
        let mut state = self.state();
        state.told.push(number);
        self.rouse(state);
    }

    /// A waker with this key was used.
    pub(super) fn call(&self, key: u64) {
        let mut state = self.state();
        if !state.called.contains(&key) {
            state.called.push(key);
        }
        self.rouse(state);
    }

    fn rouse(&self, mut state: MutexGuard<'_, InboxState>) {
        let asleep = mem::take(&mut state.asleep);
        drop(state);
        if asleep {
            self.wake.signal();
        }
    }

    /// What came since the last call: appended to the two lists.
    pub(super) fn take(&self, told: &mut Vec<u64>, called: &mut Vec<u64>) {
        let mut state = self.state();
        told.append(&mut state.told);
        called.append(&mut state.called);
    }

    /// The poller is about to sleep. False if something has come already.
    pub(super) fn fall_asleep(&self) -> bool {
        let mut state = self.state();
        state.asleep = state.told.is_empty() && state.called.is_empty();
        state.asleep
    }

    /// The poller has woken.
    pub(super) fn wake_up(&self) {
        if !mem::take(&mut self.state().asleep) {
            // Whoever roused it signals, perhaps only now: then the next sleep ends early, once.
            self.wake.clear();
        }
    }
}

/// Who watches a socket; kept under its lock.
#[derive(Debug, Default)]
pub(crate) struct Watching {
    watches: Vec<Arc<Watch>>,
    /// Those of them that want the I/O thread to drive.
    pins: usize,
    level: Option<Level>,
}

/// A descriptor that is readable while there is something to receive.
#[derive(Debug)]
struct Level {
    descriptor: Arc<EventFd>,
    raised: bool,
}

impl State {
    /// Whether only the I/O thread may drive.
    pub(super) fn is_pinned(&self) -> bool {
        (self.waiters.has_tasks() && !self.waiters.driver.is_taken()) || self.watching.pins > 0
    }

    /// Who is to be told of what has happened under this lock.
    pub(super) fn take_told(&mut self) -> Vec<Arc<Watch>> {
        let news = self.waiters.take_news();
        if news == News::default() {
            return Vec::new();
        }
        self.watching.watches.iter().filter(|watch| watch.notice(news)).cloned().collect()
    }

    /// Makes the level-triggered descriptor say what is so. The two system calls do not wait, and only
    /// under the lock do they come in the right order. True if there is such a descriptor: then this is
    /// to be done at the next unlocking, too.
    pub(super) fn follow_level(&mut self) -> bool {
        if self.watching.level.is_none() {
            return false;
        }
        // Whoever reads shall hear that the socket has ended.
        let readable = self.life != Life::Open || self.readiness().readable;
        if let Some(level) = &mut self.watching.level
            && mem::replace(&mut level.raised, readable) != readable
        {
            if readable {
                level.descriptor.signal();
            } else {
                level.descriptor.clear();
            }
        }
        true
    }
}

impl Core {
    /// Tells the watch of everything that it wants from now on.
    pub(super) fn add_watch(&self, watch: &Arc<Watch>) -> Result<()> {
        let mut guard = self.lock()?;
        guard.watching.watches.push(Arc::clone(watch));
        guard.waiters.set_watched(true);
        guard.settle_dry();
        Ok(())
    }

    /// Leaves the driving to the I/O thread while the watch is there. False if the socket has ended.
    pub(super) fn pin_for_watch(&self) -> bool {
        self.lock().map(|guard| self.pin(guard)).is_ok()
    }

    /// Tells it of nothing more.
    pub(super) fn remove_watch(&self, watch: &Arc<Watch>, pinned: bool) {
        if self.is_forked() {
            return;
        }
        let mut guard = self.lock_always();
        guard.watching.watches.retain(|known| !Arc::ptr_eq(known, watch));
        if guard.watching.watches.is_empty() {
            guard.waiters.set_watched(false);
        }
        guard.watching.pins -= usize::from(pinned);
        if !guard.is_pinned() {
            self.handover.unpin();
        }
    }

    /// From now on only the I/O thread drives.
    pub(super) fn pin(&self, mut guard: Guard<'_>) {
        guard.watching.pins += 1;
        let arm = self.handover.pin();
        drop(guard);
        if arm {
            self.arm();
        }
    }

    /// What is possible now; the watch is told of what comes after.
    pub(super) fn look_for(&self, watch: &Watch, wanted: Readiness) -> Result<Readiness> {
        let mut guard = self.lock()?;
        watch.settle(wanted);
        let now = guard.readiness();
        Ok(Readiness {
            readable: now.readable && wanted.readable,
            writable: now.writable && wanted.writable,
        })
    }

    /// What is possible now, as whoever has the event descriptor asks: that clears it.
    pub(super) fn events(&self) -> Result<Readiness> {
        let ready = self.known_events()?;
        if ready.readable || !self.glance() {
            return Ok(ready);
        }
        self.known_events()
    }

    /// The same, as far as the socket knows.
    pub(super) fn known_events(&self) -> Result<Readiness> {
        let mut guard = self.lock()?;
        self.settle_events(&mut guard);
        Ok(guard.readiness())
    }

    /// Clears the event descriptor, if there is one: what comes after this lock signals it again. The
    /// system call does not wait; one that signals, put off until after an earlier unlocking, may come
    /// later, and wakes for nothing.
    pub(super) fn settle_events(&self, guard: &mut Guard<'_>) {
        let Some(watch) = self.events.get() else { return };
        if let Some(descriptor) = watch.descriptor() {
            descriptor.clear();
        }
        // That a socket can send is no news to whoever knows.
        let writable = !guard.readiness().writable;
        watch.settle(Readiness { readable: true, writable });
    }

    /// An endpoint was bound: whoever has the event descriptor looks at the socket once.
    pub(super) fn tell_bound(&self) {
        if let Some(watch) = self.events.get()
            && !watch.told.swap(true, Ordering::SeqCst)
        {
            watch.tell();
        }
    }

    /// The descriptor that is signalled at each arrival and when there is room again.
    pub(super) fn event_descriptor(&self) -> Result<BorrowedFd<'_>> {
        if self.events.get().is_none() {
            let descriptor = EventFd::new().map_err(Error::io("make an event descriptor"))?;
            let all = Readiness { readable: true, writable: true };
            let made = Watch::new(Target::Descriptor(descriptor), all);
            let mut guard = self.lock()?;
            if self.events.set(Arc::clone(&made)).is_ok() {
                guard.watching.watches.push(Arc::clone(&made));
                guard.waiters.set_watched(true);
                // What was there before is news to whoever only waits for the descriptor. Programs rely on being told of
                // an endpoint, too, as libzmq does.
                let news = guard.readiness() != Readiness::default() || !guard.sources.is_empty();
                self.pin(guard);
                if news {
                    made.tell();
                }
            }
        }
        drop(self.lock()?);
        let descriptor = self.events.get().and_then(|watch| watch.descriptor());
        descriptor.map(AsFd::as_fd).ok_or(Error::Closed)
    }

    /// The descriptor that is readable while there is something to receive.
    pub(super) fn readable_descriptor(&self) -> Result<BorrowedFd<'_>> {
        if self.level.get().is_none() {
            let descriptor = EventFd::new().map_err(Error::io("make a readable descriptor"))?;
            let descriptor = Arc::new(descriptor);
            let mut guard = self.lock()?;
            if self.level.set(Arc::clone(&descriptor)).is_ok() {
                guard.watching.level = Some(Level { descriptor, raised: false });
                guard.deferred.touch();
                self.pin(guard);
            }
        }
        drop(self.lock()?);
        self.level.get().map(AsFd::as_fd).ok_or(Error::Closed)
    }
}
