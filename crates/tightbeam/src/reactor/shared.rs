//! The part of an I/O thread that sockets hold: its inbox, its poll, and whether it sleeps.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token, Waker};

use super::handover::Watch;
use super::io_thread::Driven;
use crate::sys::{self, EventFd};

/// What the I/O thread is told.
pub(crate) enum Command {
    /// There is a new socket.
    Add(usize, Arc<dyn Driven>),
    /// The socket is gone.
    Remove(usize),
    /// Its callers have claimed it.
    Watch(usize),
    /// It has something ready and nobody drives it.
    Work(usize),
    /// A burst of sends began.
    Burst(usize),
    /// It has a timer that comes before the one announced last.
    Deadline(usize, Instant),
    /// End the thread.
    Stop,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, token) = match self {
            Command::Add(token, _) => ("Add", *token),
            Command::Remove(token) => ("Remove", *token),
            Command::Watch(token) => ("Watch", *token),
            Command::Work(token) => ("Work", *token),
            Command::Burst(token) => ("Burst", *token),
            Command::Deadline(token, _) => ("Deadline", *token),
            Command::Stop => ("Stop", 0),
        };
        f.debug_tuple(name).field(&token).finish()
    }
}

impl Command {
    /// Whether it cannot wait until the thread wakes for another reason.
    fn is_urgent(&self) -> bool {
        !matches!(self, Command::Add(..) | Command::Watch(_))
    }
}

#[derive(Default)]
pub(super) struct Inbox {
    pub(super) commands: Vec<Command>,
    pub(super) asleep: bool,
}

/// The part of an I/O thread that sockets hold.
pub(crate) struct IoShared {
    pub(super) registry: Registry,
    pub(super) waker: Waker,
    /// Always readable.
    pub(super) beacon: EventFd,
    pub(super) inbox: Mutex<Inbox>,
    pub(super) watch: Watch,
    pub(super) next_token: AtomicUsize,
    pub(super) panics: AtomicU64,
    pub(super) turns: AtomicU64,
    pub(super) burst_looks: AtomicU64,
    pub(super) fork_generation: u32,
}

impl std::fmt::Debug for IoShared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IoShared").field("watch", &self.watch).finish_non_exhaustive()
    }
}

impl IoShared {
    /// A token for a new socket.
    pub(crate) fn token(&self) -> usize {
        self.next_token.fetch_add(1, Ordering::Relaxed)
    }

    /// A descriptor that is always readable: putting it into a poll wakes whoever sleeps there.
    pub(crate) fn beacon(&self) -> RawFd {
        self.beacon.as_raw_fd()
    }

    /// Whether the thread looks at claimed sockets.
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Whether the thread runs in this process; it does not in a forked child.
    pub(crate) fn is_of_this_process(&self) -> bool {
        self.fork_generation == sys::fork_generation()
    }

    /// How many panics were contained.
    pub(crate) fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// How often the thread has woken since it began.
    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// How often the thread has looked at bursts of sends.
    pub(crate) fn burst_looks(&self) -> u64 {
        self.burst_looks.load(Ordering::Relaxed)
    }

    /// Tells the thread something; a system call only if it sleeps and the matter is urgent.
    pub(crate) fn post(&self, command: Command) {
        let mut inbox = self.inbox();
        let wake = command.is_urgent() && mem::take(&mut inbox.asleep);
        inbox.commands.push(command);
        drop(inbox);
        if wake {
            self.wake();
        }
    }

    /// Wakes the thread, so that it looks at claimed sockets.
    pub(crate) fn wake(&self) {
        // Fails only when the descriptor's counter is full, and then the thread wakes anyway.
        let _ = self.waker.wake();
    }

    /// Puts a socket's poll into the parent poll.
    pub(crate) fn register(&self, poll: RawFd, token: usize) -> io::Result<()> {
        self.registry.register(&mut SourceFd(&poll), Token(token), Interest::READABLE)
    }

    /// Lets the socket's poll be heard; events that are pending are reported again.
    pub(crate) fn arm(&self, poll: RawFd, token: usize) -> io::Result<()> {
        let mut source = SourceFd(&poll);
        match self.registry.reregister(&mut source, Token(token), Interest::READABLE) {
            // It was set aside.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.registry.register(&mut source, Token(token), Interest::READABLE)
            }
            done => done,
        }
    }

    /// Silences the socket's poll: an epoll descriptor is never writable.
    pub(crate) fn mask(&self, poll: RawFd, token: usize) -> io::Result<()> {
        self.registry.reregister(&mut SourceFd(&poll), Token(token), Interest::WRITABLE)
    }

    /// Takes the socket's poll out of the parent. While it is there, even silenced, whatever arrives goes through both.
    pub(crate) fn deregister(&self, poll: RawFd) {
        // The descriptor may never have been registered when its creation failed half-way.
        let _ = self.registry.deregister(&mut SourceFd(&poll));
    }

    pub(super) fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
