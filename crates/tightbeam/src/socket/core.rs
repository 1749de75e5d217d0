//! One socket: its lock, and what lies outside it.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, TryLockError, Weak};
use std::time::Instant;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use zmtp::SocketType;

use super::guard::Guard;
use super::linger::Patience;
use super::state::{Deferred, Life, State};
use super::watch::Watch;
use crate::context::{ContextShared, SocketId};
use crate::error::{Error, Result};
use crate::options::Options;
use crate::pattern::Pattern;
use crate::reactor::handover::Handover;
use crate::reactor::io_thread::Driven;
use crate::reactor::shared::{Command, IoShared};
use crate::reactor::waiters::Wakeups;
use crate::sys::{self, EventFd, Lock, Locked};

/// Events taken from a poll at once.
pub(super) const EVENTS: usize = 128;
/// The token of the beacon in a socket's poll.
pub(super) const WAKE: Token = Token(usize::MAX);

/// What a thread must hold to wait for the socket's events.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) poll: Poll,
    pub(super) events: Events,
    /// Sleeps that are expected to be short, for the last ones were.
    pub(super) brisk: u8,
    /// Whether to look a moment longer before sleeping.
    pub(super) patience: Patience,
}

impl Seat {
    pub(super) fn new(poll: Poll) -> Seat {
        let events = Events::with_capacity(EVENTS);
        Seat { poll, events, brisk: 0, patience: Patience::NEW }
    }
}

/// A socket's place in the reactor; made when it first binds or connects over the network.
#[derive(Debug)]
pub(super) struct Reactor {
    pub(super) io: Arc<IoShared>,
    pub(super) token: usize,
    pub(super) poll_fd: RawFd,
    pub(super) registry: Arc<Registry>,
    pub(super) seat: Mutex<Seat>,
    /// The I/O thread's beacon is in the poll: nobody needs it before somebody sleeps there.
    has_beacon: AtomicBool,
}

impl Reactor {
    fn new(io: Arc<IoShared>) -> io::Result<Reactor> {
        let poll = Poll::new()?;
        let registry = Arc::new(poll.registry().try_clone()?);
        let (token, poll_fd) = (io.token(), poll.as_raw_fd());
        let seat = Mutex::new(Seat::new(poll));
        Ok(Reactor { io, token, poll_fd, registry, seat, has_beacon: AtomicBool::new(false) })
    }

    /// Takes the seat if it is free.
    pub(super) fn try_seat(&self) -> Option<std::sync::MutexGuard<'_, Seat>> {
        match self.seat.try_lock() {
            Ok(seat) => Some(seat),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Wakes whoever sleeps in the socket's poll.
    pub(super) fn wake_poll(&self) {
        let beacon = self.io.beacon();
        let mut source = SourceFd(&beacon);
        // Registering what is readable reports it, and so does registering it again; neither takes a
        // descriptor. It fails only if another thread is just doing the first of the two.
        let _ = if self.has_beacon.swap(true, Ordering::SeqCst) {
            self.registry.reregister(&mut source, WAKE, Interest::READABLE)
        } else {
            self.registry.register(&mut source, WAKE, Interest::READABLE)
        };
    }
}

impl Drop for Reactor {
    fn drop(&mut self) {
        // The epoll of the I/O thread is shared with a forked child: the child must not touch it.
        if self.io.is_of_this_process() {
            self.io.deregister(self.poll_fd);
        }
    }
}

/// A socket of any type. What is next to it in memory may be another thread's, so it has cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Core {
    pub(super) this: Weak<Core>,
    pub(super) id: SocketId,
    pub(crate) socket_type: SocketType,
    pub(super) context: Arc<ContextShared>,
    fork_generation: u32,
    pub(super) handover: Handover,
    pub(super) reactor: OnceLock<Reactor>,
    state: Lock<State>,
    /// Whether a task drives; written under the lock.
    #[cfg(feature = "tokio")]
    pub(super) is_driven: AtomicBool,
    /// Whether the list of ready sources has entries; written under the lock.
    pub(super) has_ready: Arc<AtomicBool>,
    epoch: Instant,
    /// In bytes; the context's limit when the socket was opened.
    pub(super) max_part: usize,
    /// When a caller last left while the I/O thread slept, in nanoseconds since `epoch`.
    last_unwatched: AtomicU64,
    /// The event descriptor, once it was asked for.
    pub(super) events: OnceLock<Arc<Watch>>,
    /// The level-triggered descriptor, once it was asked for.
    pub(super) level: OnceLock<Arc<EventFd>>,
}

impl Core {
    pub(crate) fn new(
        id: SocketId,
        socket_type: SocketType,
        context: Arc<ContextShared>,
        options: Options,
        pattern: Pattern,
    ) -> Arc<Core> {
        let has_ready = Arc::new(AtomicBool::new(false));
        let max_part = options.max_part.unwrap_or(usize::MAX);
        Arc::new_cyclic(|this| Core {
            this: Weak::clone(this),
            id,
            socket_type,
            context,
            fork_generation: sys::fork_generation(),
            handover: Handover::new(),
            reactor: OnceLock::new(),
            state: Lock::new(State::new(options, pattern, Arc::clone(&has_ready))),
            #[cfg(feature = "tokio")]
            is_driven: AtomicBool::new(false),
            has_ready,
            epoch: Instant::now(),
            max_part,
            last_unwatched: AtomicU64::new(0),
            events: OnceLock::new(),
            level: OnceLock::new(),
        })
    }

    pub(super) fn id(&self) -> SocketId {
        self.id
    }

    /// Whether this process is not the one that opened the socket.
    #[inline]
    pub(crate) fn is_forked(&self) -> bool {
        self.fork_generation != sys::fork_generation()
    }

    /// Locks the socket. A forked child must not come here: the lock may be held for ever.
    #[inline]
    pub(crate) fn lock_always(&self) -> Guard<'_> {
        let mut state = self.state.lock();
        state.pipes.settle();
        Guard::new(self, state)
    }

    /// Locks the socket for a call of the application.
    #[inline]
    pub(crate) fn lock(&self) -> Result<Guard<'_>> {
        let mut state = self.acquire(false)?;
        state.pipes.settle();
        Ok(Guard::new(self, state))
    }

    /// The lock for a call of the application; `only_free` does not wait until somebody else releases it.
    /// A send or receive makes a [`Guard`] of this only if something is left to do: handed on from function to function it goes
    /// through memory, and the processor waits for that. What a publisher has gathered for many peers is left as it is: nobody may
    /// look at the queues to them.
    #[inline(always)]
    pub(super) fn acquire(&self, only_free: bool) -> Result<Locked<'_, State>> {
        if self.is_forked() {
            return Err(Error::Forked);
        }
        let state =
            if only_free { self.state.try_lock().ok_or(Error::Busy)? } else { self.state.lock() };
        state.check_open()?;
        Ok(state)
    }

    /// In a forked child: closes the descriptors that can be reached without waiting, and nothing
    /// else.
    pub(crate) fn abandon(&self) {
        if let Some(mut state) = self.state.try_lock() {
            state.sources.clear();
            state.life = Life::Gone;
        }
    }

    /// The socket's place in the reactor, made on first use.
    pub(super) fn reactor(&self) -> Result<&Reactor> {
        if let Some(reactor) = self.reactor.get() {
            return Ok(reactor);
        }
        let affinity = self.lock()?.options.affinity;
        let io = self.context.io_thread(affinity)?;
        let made = Reactor::new(io).map_err(Error::io("open the socket's poll"))?;
        let (io, token, poll_fd) = (Arc::clone(&made.io), made.token, made.poll_fd);
        let mut mine = false;
        let reactor = self.reactor.get_or_init(|| {
            mine = true;
            // Before anybody can tell the I/O thread of its timers.
            if let Some(this) = self.this.upgrade() {
                io.post(Command::Add(token, this));
            }
            made
        });
        if mine {
            io.register(poll_fd, token).map_err(Error::io("register the socket's poll"))?;
        }
        Ok(reactor)
    }

    /// The token that timers are announced with. Only sockets in the reactor have timers.
    pub(super) fn token(&self) -> usize {
        self.reactor.get().map_or(0, |reactor| reactor.token)
    }

    /// Wakes those that were notified.
    pub(super) fn wake(&self, wakeups: &mut Wakeups) {
        if std::mem::take(&mut wakeups.poll)
            && let Some(reactor) = self.reactor.get()
        {
            reactor.wake_poll();
        }
        wakeups.wake_threads();
    }

    /// Does what was put off until the lock was released.
    pub(super) fn do_deferred(&self, deferred: Deferred) {
        if let Some(reactor) = self.reactor.get() {
            for command in deferred.commands {
                reactor.io.post(command);
            }
            if deferred.kick {
                self.kick();
            }
            if deferred.give_back {
                self.give_back();
            }
        }
        for stream in deferred.streams {
            stream.discard_input();
            if let Some(reactor) = self.reactor.get() {
                // Before it is closed: a forked child may hold the descriptor open.
                let _ = reactor.registry.deregister(&mut SourceFd(&stream.as_raw_fd()));
            }
        }
        if let Some(reactor) = self.reactor.get() {
            for listener in deferred.listeners {
                listener.close(&reactor.registry);
            }
        }
        for question in &deferred.questions {
            self.ask(question);
        }
        if !deferred.hung_up.is_empty() {
            self.hang_up(&deferred.hung_up);
        }
        if deferred.ended {
            self.context.socket_ended(self.id);
        }
        // Last, for they are foreign code that may panic.
        for waker in deferred.wakers {
            waker.wake();
        }
    }

    /// Makes sure that somebody comes for the ready list.
    fn kick(&self) {
        let Some(reactor) = self.reactor.get() else { return };
        let sight = self.handover.look();
        if !sight.claimed {
            reactor.io.post(Command::Work(reactor.token));
        } else if sight.occupied {
            reactor.wake_poll();
        } else {
            // Claimed with nobody inside: the task that drives, or the next caller, or the look that takes the socket back.
            let driver = self.lock_always().waiters.driver.call();
            if let Some(driver) = driver {
                driver.wake();
            }
        }
    }

    /// Gives a claimed socket back at once, if nobody is inside: what it has to do cannot wait until
    /// somebody looks.
    pub(super) fn give_back(&self) {
        if self.handover.rearm() {
            self.arm();
        }
    }

    /// Whether a caller left just now, too, and found the I/O thread asleep.
    pub(super) fn left_unwatched_again(&self, within_ns: u64) -> bool {
        let now = u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let last = self.last_unwatched.swap(now, Ordering::Relaxed);
        last != 0 && now.saturating_sub(last) < within_ns
    }
}
