//! Who waits for a socket, and what must be woken once its lock is released.

use std::sync::Arc;
use std::task::Waker;

use super::driver::DriverSlot;
use super::parker::{Parker, Wake};

/// What a waiter waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    /// A message to receive.
    Receive,
    /// Room to send.
    Send,
    /// Either; the waiter only looks and takes nothing, so it is told of everything.
    Observe,
}

#[derive(Debug)]
enum Sleeper {
    Thread(Arc<Parker>),
    Task(Waker),
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    interest: Interest,
    sleeper: Sleeper,
}

/// The waiters of one socket, oldest first; kept under the socket's lock. A notified waiter is
/// taken off the list: it tries again, and comes back if there was nothing.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    list: Vec<Waiter>,
    next_id: u64,
    tasks: usize,
    wakeups: Wakeups,
    has_wakeups: bool,
    /// Whom the free seat was offered to last. Until that thread has answered, by taking the seat or
    /// by passing it on, nobody else may be coming for it.
    offered: Option<u64>,
    /// Somebody watches all the time, beside those who wait.
    watched: bool,
    news: News,
    pub(crate) driver: DriverSlot,
}

/// What was notified since it was last asked for; kept only while somebody watches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// There may be something to receive.
    pub(crate) receive: bool,
    /// There may be room to send.
    pub(crate) send: bool,
    /// The socket ends.
    pub(crate) end: bool,
}

/// Wake-ups that wait until the lock is released: they are system calls or foreign code.
#[derive(Debug, Default)]
pub(crate) struct Wakeups {
    threads: Vec<Arc<Parker>>,
    tasks: Vec<Waker>,
    /// Of tasks that do not wait any more: dropping one is foreign code, too.
    unused: Vec<Waker>,
    /// The thread that drives sleeps in the socket's poll.
    pub(crate) poll: bool,
}

impl Wakeups {
    /// Wakes threads; the socket's poll is left to its owner.
    pub(crate) fn wake_threads(&mut self) {
        for parker in self.threads.drain(..) {
            parker.unpark();
        }
    }

    /// Wakes tasks, which is foreign code.
    pub(crate) fn wake_tasks(&mut self) {
        for waker in self.tasks.drain(..) {
            waker.wake();
        }
        self.unused.clear();
    }
}

impl Waiters {
    pub(crate) fn add_thread(&mut self, interest: Interest, parker: &Arc<Parker>) -> u64 {
        self.add(interest, Sleeper::Thread(Arc::clone(parker)))
    }

    pub(crate) fn add_task(&mut self, interest: Interest, waker: Waker) -> u64 {
        self.tasks += 1;
        self.add(interest, Sleeper::Task(waker))
    }

    fn add(&mut self, interest: Interest, sleeper: Sleeper) -> u64 {
        self.next_id += 1;
        self.list.push(Waiter { id: self.next_id, interest, sleeper });
        self.next_id
    }

    /// Takes a waiter off the list; false if it had been notified.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let Some(at) = self.list.iter().position(|w| w.id == id) else { return false };
        if let Sleeper::Task(waker) = self.take(at).sleeper {
            self.wakeups.unused.push(waker);
            self.has_wakeups = true;
        }
        true
    }

    fn take(&mut self, at: usize) -> Waiter {
        let waiter = self.list.remove(at);
        self.tasks -= usize::from(matches!(waiter.sleeper, Sleeper::Task(_)));
        waiter
    }

    /// Whether nobody wants to be told of anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty() && !self.watched
    }

    /// Whether somebody is to be told of messages.
    pub(crate) fn want_messages(&self) -> bool {
        self.watched || self.list.iter().any(|waiter| waiter.interest != Interest::Send)
    }

    /// Whether somebody waits for room to send.
    pub(crate) fn want_room(&self) -> bool {
        self.list.iter().any(|waiter| waiter.interest == Interest::Send)
    }

    /// Whether somebody watches from now on, who asks for the news whenever there are wake-ups.
    pub(crate) fn set_watched(&mut self, watched: bool) {
        self.watched = watched;
        self.news = News::default();
    }

    /// What was notified since the last call.
    pub(crate) fn take_news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    fn note(&mut self, news: News) {
        if self.watched {
            self.news.receive |= news.receive;
            self.news.send |= news.send;
            self.news.end |= news.end;
            self.has_wakeups = true;
        }
    }

    /// Whether a future waits.
    pub(crate) fn has_tasks(&self) -> bool {
        self.tasks > 0
    }

    /// Notifies up to `count` that wait for `what`, and everybody who observes.
    pub(crate) fn notify(&mut self, what: Interest, count: usize) {
        let (receive, send) = (what != Interest::Send, what != Interest::Receive);
        self.note(News { receive, send, end: false });
        let mut left = count;
        let mut at = 0;
        while let Some(waiter) = self.list.get(at) {
            let takes = waiter.interest == what && left > 0;
            if takes || waiter.interest == Interest::Observe {
                left -= usize::from(takes);
                let waiter = self.take(at);
                self.wake(waiter);
            } else {
                at += 1;
            }
        }
    }

    /// Notifies everybody: the socket ends.
    pub(crate) fn notify_all(&mut self) {
        self.note(News { receive: true, send: true, end: true });
        self.tasks = 0;
        for waiter in std::mem::take(&mut self.list) {
            self.wake(waiter);
        }
        let driver = self.driver.call();
        self.wake_driver(driver);
    }

    /// Notifies one waiting thread, so that it takes over the driving. If none waits, the task that drives is called if it looked for
    /// the seat, or there is something left to do.
    pub(crate) fn pass_the_seat(&mut self, left: bool) {
        self.offered = None;
        if let Some(at) = self.list.iter().position(|w| matches!(w.sleeper, Sleeper::Thread(_))) {
            let waiter = self.take(at);
            self.offered = Some(waiter.id);
            self.wake(waiter);
        } else {
            let driver = self.driver.call_to_seat(left);
            self.wake_driver(driver);
        }
    }

    fn wake_driver(&mut self, waker: Option<Waker>) {
        self.has_wakeups |= waker.is_some();
        self.wakeups.tasks.extend(waker);
    }

    /// Whether this waiter was offered the seat; asking takes the offer back. A thread that does not
    /// wait any longer passes it on.
    pub(crate) fn take_offer(&mut self, id: u64) -> bool {
        self.offered.take_if(|offered| *offered == id).is_some()
    }

    fn wake(&mut self, waiter: Waiter) {
        match waiter.sleeper {
            Sleeper::Task(waker) => {
                self.wakeups.tasks.push(waker);
                self.has_wakeups = true;
            }
            Sleeper::Thread(parker) => self.wake_thread(parker),
        }
    }

    /// Notifies a thread, be it on the list or not.
    pub(crate) fn wake_thread(&mut self, parker: Arc<Parker>) {
        match parker.notify() {
            // Awake: it drives, perhaps, and found what it waits for itself.
            Wake::Nothing => return,
            Wake::Unpark => self.wakeups.threads.push(parker),
            Wake::Poll => self.wakeups.poll = true,
        }
        self.has_wakeups = true;
    }

    /// Whether anybody is to be woken once the lock is released.
    #[inline]
    pub(crate) fn has_wakeups(&self) -> bool {
        self.has_wakeups
    }

    /// Moves to `none`, which is empty, who is to be woken.
    pub(crate) fn take_wakeups(&mut self, none: &mut Wakeups) {
        self.has_wakeups = false;
        std::mem::swap(&mut self.wakeups, none);
    }
}
