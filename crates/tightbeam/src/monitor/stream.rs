//! The events of a socket as a stream: blocking, with a time-out, without waiting, and as futures.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::event::{EventKind, MonitorEvent, Place};
use crate::sys;

/// Events that wait for a slow reader; more are dropped and counted.
const CAPACITY: usize = 1024;

/// Events that an empty queue keeps room for.
const KEPT: usize = 16;

/// What a socket tells and a reader takes.
#[derive(Debug)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    arrived: Condvar,
    fork_generation: u32,
}

#[derive(Debug)]
struct Inner {
    events: VecDeque<MonitorEvent>,
    mask: u64,
    /// Events dropped, in all and since the last one that was kept.
    dropped: u64,
    missing: u64,
    /// Nobody is to wait for more, which may come if the socket is not gone yet.
    ended: bool,
    abandoned: bool,
    /// With each, the number of the ticket that it belongs to.
    wakers: Vec<(u64, Waker)>,
    next_ticket: u64,
}

/// A task's place among those that wait for a monitor; none while it has not waited.
pub(crate) type Ticket = Option<u64>;

impl Queue {
    pub(super) fn new(mask: u64) -> Arc<Queue> {
        let inner = Inner {
            events: VecDeque::new(),
            mask,
            dropped: 0,
            missing: 0,
            ended: false,
            abandoned: false,
            wakers: Vec::new(),
            next_ticket: 0,
        };
        let fork_generation = sys::fork_generation();
        Arc::new(Queue { inner: Mutex::new(inner), arrived: Condvar::new(), fork_generation })
    }

    /// Locks it for a reader. A forked child, in which it may be locked for ever, has nothing to read.
    fn lock_here(&self) -> Option<MutexGuard<'_, Inner>> {
        (self.fork_generation == sys::fork_generation()).then(|| self.lock())
    }

    /// Whether nobody reads any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.lock().abandoned
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an event in, if there is room; the tasks to wake go to `wakers`. False if nobody reads any
    /// more.
    pub(super) fn tell(&self, event: &MonitorEvent, wakers: &mut Vec<Waker>) -> bool {
        let mut inner = self.lock();
        if inner.abandoned {
            return false;
        }
        if inner.mask & event.kind.number() == 0 {
            return true;
        }
        if inner.events.len() >= CAPACITY {
            inner.dropped += 1;
            inner.missing += 1;
            return true;
        }
        inner.tell_missing();
        inner.events.push_back(event.clone());
        wakers.extend(inner.take_wakers());
        drop(inner);
        self.arrived.notify_one();
        true
    }

    /// How many events were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Nobody waits for events any more.
    pub(super) fn stop_waiting(&self, wakers: &mut Vec<Waker>) {
        let mut inner = self.lock();
        inner.ended = true;
        wakers.extend(inner.take_wakers());
        drop(inner);
        self.arrived.notify_all();
    }

    /// There will be no more events but the one that says so.
    pub(super) fn end(&self, wakers: &mut Vec<Waker>) {
        let mut inner = self.lock();
        inner.tell_missing();
        if inner.mask & EventKind::MonitorStopped.number() != 0 {
            let stopped = MonitorEvent::new(EventKind::MonitorStopped, Place::NONE, 0);
            inner.events.push_back(stopped);
        }
        drop(inner);
        self.stop_waiting(wakers);
    }
}

impl Inner {
    /// The next event; a queue that is empty again gives its memory back.
    fn pop(&mut self) -> Option<MonitorEvent> {
        let event = self.events.pop_front()?;
        if self.events.is_empty() {
            self.events.shrink_to(KEPT);
        }
        Some(event)
    }

    /// Where events are missing, one says how many.
    fn tell_missing(&mut self) {
        let missing = std::mem::take(&mut self.missing);
        if missing > 0 && self.mask & EventKind::EventsDropped.number() != 0 {
            let event = MonitorEvent::new(EventKind::EventsDropped, Place::NONE, missing);
            self.events.push_back(event.because("the monitor was not read in time"));
        }
    }
}

/// The events of a socket from the moment it was asked for; made by
/// [`monitor`](crate::SocketBase::monitor).
///
/// The socket never waits for the reader: when 1,024 events wait, further ones are dropped and
/// [counted](Monitor::dropped), and where they are missing stands [`EventKind::EventsDropped`]. The last
/// event is [`EventKind::MonitorStopped`], when the socket has been closed and nothing is left of it. A
/// monitor may be shared between threads; each event goes to one of them.
///
/// When its context is shut down nobody waits for events any more: what is there can be read, and also
/// what comes while the socket is closed, but where a wait would begin there is `None`.
///
/// ```
/// use tightbeam::{Context, EventKind, Pull};
///
/// let context = Context::new();
/// let pull = context.socket::<Pull>()?;
/// let monitor = pull.monitor()?;
/// let endpoint = pull.bind("tcp://127.0.0.1:*")?;
/// pull.close();
/// let kinds: Vec<EventKind> = monitor.map(|event| event.kind).collect();
/// assert_eq!(kinds, [EventKind::Listening, EventKind::Closed, EventKind::MonitorStopped]);
/// # Ok::<(), tightbeam::Error>(())
/// ```
#[derive(Debug)]
pub struct Monitor {
    queue: Arc<Queue>,
}

impl Monitor {
    pub(super) fn new(queue: Arc<Queue>) -> Monitor {
        Monitor { queue }
    }

    /// Waits for the next event; `None` when there will be no more, or the context was shut down. Signals
    /// do not end the wait.
    #[must_use]
    pub fn wait_next(&self) -> Option<MonitorEvent> {
        self.take(None)
    }

    /// Waits for the next event, at most so long; `None` if there was none, will be no more, or the
    /// context was shut down.
    #[must_use]
    pub fn next_timeout(&self, timeout: Duration) -> Option<MonitorEvent> {
        self.take(Instant::now().checked_add(timeout))
    }

    /// The next event if there is one; never waits.
    #[must_use]
    pub fn try_next(&self) -> Option<MonitorEvent> {
        self.queue.lock_here()?.pop()
    }

    /// Waits for the next event as a future, for any executor; `None` when there will be no more, or the
    /// context was shut down. Dropping it before it is ready loses nothing.
    pub fn next_async(&self) -> NextEvent<'_> {
        NextEvent { monitor: self, ticket: None }
    }

    /// The next event, or a place for the waker.
    pub(crate) fn poll_next(
        &self,
        ticket: &mut Ticket,
        cx: &Context<'_>,
    ) -> Poll<Option<MonitorEvent>> {
        let waker = cx.waker().clone();
        let Some(mut inner) = self.queue.lock_here() else { return Poll::Ready(None) };
        match inner.pop() {
            Some(event) => Poll::Ready(Some(event)),
            None if inner.ended => Poll::Ready(None),
            None => {
                let before = inner.set_waker(ticket, waker);
                drop(inner);
                drop(before);
                Poll::Pending
            }
        }
    }

    /// Whether the socket has ended; if not, the waker is woken by what comes next.
    pub(crate) fn poll_ended(&self, ticket: &mut Ticket, cx: &Context<'_>) -> bool {
        let waker = cx.waker().clone();
        let Some(mut inner) = self.queue.lock_here() else { return true };
        if inner.ended {
            return true;
        }
        let before = inner.set_waker(ticket, waker);
        drop(inner);
        drop(before);
        false
    }

    /// How many events were dropped because they were not read in time.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.queue.lock_here().map_or(0, |inner| inner.dropped)
    }

    fn take(&self, deadline: Option<Instant>) -> Option<MonitorEvent> {
        let mut inner = self.queue.lock_here()?;
        loop {
            if let Some(event) = inner.pop() {
                return Some(event);
            }
            if inner.ended {
                return None;
            }
            let arrived = &self.queue.arrived;
            inner = match deadline {
                None => arrived.wait(inner).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    let waited = arrived.wait_timeout(inner, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl Inner {
    /// Puts a waker in the place of the ticket, and answers the one that was there: like every waker
    /// it is foreign code, to be dropped without the lock.
    fn set_waker(&mut self, ticket: &mut Ticket, waker: Waker) -> Option<Waker> {
        if let Some((_, known)) = self.wakers.iter_mut().find(|(of, _)| Some(*of) == *ticket) {
            return Some(std::mem::replace(known, waker));
        }
        self.next_ticket += 1;
        *ticket = Some(self.next_ticket);
        self.wakers.push((self.next_ticket, waker));
        None
    }

    fn take_wakers(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.wakers).into_iter().map(|(_, waker)| waker)
    }

    fn remove_waker(&mut self, ticket: u64) -> Option<Waker> {
        let at = self.wakers.iter().position(|(of, _)| *of == ticket)?;
        Some(self.wakers.swap_remove(at).1)
    }
}

impl Iterator for Monitor {
    type Item = MonitorEvent;

    /// Waits for the next event; ends with the socket.
    fn next(&mut self) -> Option<MonitorEvent> {
        self.wait_next()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let Some(mut inner) = self.queue.lock_here() else { return };
        inner.abandoned = true;
        inner.events.clear();
        let wakers = inner.take_wakers();
        drop(inner);
        drop(wakers);
    }
}

/// Waits for an event; made by [`next_async`](Monitor::next_async).
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct NextEvent<'a> {
    monitor: &'a Monitor,
    ticket: Ticket,
}

impl Future for NextEvent<'_> {
    type Output = Option<MonitorEvent>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let NextEvent { monitor, ticket } = &mut *self;
        monitor.poll_next(ticket, cx)
    }
}

impl Drop for NextEvent<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let waker = self.monitor.queue.lock_here().and_then(|mut inner| inner.remove_waker(ticket));
        drop(waker);
    }
}
