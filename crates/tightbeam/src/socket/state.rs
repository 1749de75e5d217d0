//! What a socket's lock protects, and the lock itself.

use std::collections::{BTreeSet, VecDeque};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::time::{Duration, Instant};

use slotmap::{SecondaryMap, SlotMap};

use super::burst::Burst;
use super::draining::Draining;
use super::gather::Gather;
use super::inproc::Local;
use super::judging::Question;
use super::report::Counters;
use super::watch::Watching;
use crate::connection::{Connection, SessionId, SourceId};
use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use crate::message::Frame;
use crate::monitor::Monitors;
use crate::options::Options;
use crate::pattern::Pattern;
use crate::pipe::{PipeId, Pipes, Segment, Staged};
use crate::reactor::parker::Parker;
use crate::reactor::shared::Command;
use crate::reactor::waiters::Waiters;
use crate::session::Session;
use crate::terms::Terms;
use crate::transport::{SharedListener, Stream};

/// What the kernel reports events for.
#[derive(Debug)]
pub(crate) enum Source {
    Connection(Box<Connection>),
    Listener(Box<Listening>),
    /// What is left of a connection that we have closed.
    Draining(Box<Draining>),
}

/// A bound endpoint.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) listener: Arc<SharedListener>,
    pub(crate) endpoint: Endpoint,
    pub(crate) terms: Arc<Terms>,
    /// In the list of ready sources.
    pub(crate) listed: bool,
    /// Connections whose handshake is not complete, oldest first.
    pub(crate) pending: VecDeque<(SourceId, Instant)>,
    /// The system has run out of something: a timer says when to accept again.
    pub(crate) resting: bool,
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The protocol's next deadline, or a connection attempt that takes too long.
    Connection(SourceId),
    /// A listener of this machine has left an attempt unanswered for so long that the next one may be quicker.
    Redial(SourceId),
    /// Time to connect again.
    Reconnect(SessionId),
    /// Accepting goes on after the system ran out of something.
    Accept(SourceId),
    /// Disconnected long enough.
    Disconnect(SessionId),
    /// Unbound long enough.
    Leave(SourceId),
    /// Time to ask how far the peer of a closed connection is.
    Drain(SourceId),
    /// Closed long enough.
    Linger,
}

/// Whether the socket may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Life {
    Open,
    /// The context was shut down: only closing is left.
    Terminated,
    /// Closed; what is queued may still be sent until then.
    Closing {
        until: Option<Instant>,
    },
    /// Nothing is left of it.
    Gone,
}

/// The state of a socket.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) life: Life,
    pub(crate) options: Options,
    pub(crate) pattern: Pattern,
    pub(crate) pipes: Pipes,
    /// The connection that serves a pipe, while there is one.
    pub(crate) links: SecondaryMap<PipeId, SourceId>,
    pub(crate) sources: SlotMap<SourceId, Source>,
    pub(crate) sessions: SlotMap<SessionId, Session>,
    /// Sources that the kernel may have something for.
    ready: VecDeque<SourceId>,
    /// Whether there are any, for those who do not hold the lock.
    has_ready: Arc<AtomicBool>,
    pub(crate) timers: BTreeSet<(Instant, Timer)>,
    pub(crate) waiters: Waiters,
    pub(crate) burst: Burst,
    /// Who writes to this connection as soon as its writer is back.
    pub(crate) next_writer: Option<(SourceId, Arc<Parker>)>,
    /// Parts sent one by one, until the last one comes.
    pub(crate) staged: Staged,
    /// The part received last has more behind it.
    pub(crate) more: bool,
    /// Receives since the kernel was last asked for news.
    pub(crate) unasked: u32,
    pub(crate) last_endpoint: Option<Endpoint>,
    /// Connections with sockets of this process.
    pub(crate) local: Local,
    pub(crate) gather: Gather,
    pub(crate) monitors: Monitors,
    pub(crate) counters: Counters,
    pub(crate) deferred: Touched,
    /// The I/O thread was asked to write what is queued.
    pub(crate) flush_requested: bool,
    /// Messages that could not be delivered when the socket ended.
    pub(crate) undelivered: usize,
    pub(crate) watching: Watching,
    /// The most bytes that may have come since what is held was summed up.
    pub(crate) unsummed: usize,
}

/// What is to be done once the lock is released: system calls and foreign code.
#[derive(Debug, Default)]
pub(crate) struct Deferred {
    pub(crate) commands: Vec<Command>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) frames: Vec<(usize, Frame)>,
    /// Connections to close.
    pub(crate) streams: Vec<Arc<Stream>>,
    /// Listeners to close.
    pub(crate) listeners: Vec<Arc<SharedListener>>,
    /// Sources became ready although nobody may be looking.
    pub(crate) kick: bool,
    /// The kernel's buffer is full: somebody must be told when it is not.
    pub(crate) give_back: bool,
    /// Tasks that wait for events of monitors.
    pub(crate) wakers: Vec<Waker>,
    /// Peers of which somebody is to decide whether they may come in.
    pub(crate) questions: Vec<Question>,
    /// Pipes that the application has ended.
    pub(crate) hung_up: Vec<PipeId>,
    /// The socket has ended: tell the context.
    pub(crate) ended: bool,
}

/// [`Deferred`], and whether anybody has touched it: most calls do not.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    deferred: Deferred,
    touched: bool,
}

impl Touched {
    #[inline]
    pub(super) fn touched(&self) -> bool {
        self.touched
    }

    /// Takes what is to be done; `again` if there will be something next time in any case.
    pub(super) fn take(&mut self, again: bool) -> Deferred {
        self.touched = again;
        std::mem::take(&mut self.deferred)
    }

    /// There will be something next time in any case.
    pub(super) fn touch(&mut self) {
        self.touched = true;
    }
}

impl Deref for Touched {
    type Target = Deferred;

    fn deref(&self) -> &Deferred {
        &self.deferred
    }
}

impl DerefMut for Touched {
    fn deref_mut(&mut self) -> &mut Deferred {
        self.touched = true;
        &mut self.deferred
    }
}

impl State {
    pub(crate) fn new(options: Options, pattern: Pattern, has_ready: Arc<AtomicBool>) -> State {
        State {
            life: Life::Open,
            options,
            pattern,
            pipes: Pipes::default(),
            links: SecondaryMap::new(),
            sources: SlotMap::with_key(),
            sessions: SlotMap::with_key(),
            ready: VecDeque::new(),
            has_ready,
            timers: BTreeSet::new(),
            waiters: Waiters::default(),
            burst: Burst::default(),
            next_writer: None,
            staged: Staged::default(),
            more: false,
            unasked: 0,
            last_endpoint: None,
            local: Local::default(),
            gather: Gather::default(),
            monitors: Monitors::default(),
            counters: Counters::default(),
            deferred: Touched::default(),
            flush_requested: false,
            undelivered: 0,
            watching: Watching::default(),
            unsummed: 0,
        }
    }

    /// Fails unless the socket may be used.
    pub(crate) fn check_open(&self) -> Result<()> {
        match self.life {
            Life::Open => Ok(()),
            Life::Terminated => Err(Error::Terminated),
            Life::Closing { .. } | Life::Gone => Err(Error::Closed),
        }
    }

    pub(crate) fn connection(&mut self, id: SourceId) -> Option<&mut Connection> {
        match self.sources.get_mut(id) {
            Some(Source::Connection(connection)) => Some(connection),
            _ => None,
        }
    }

    pub(crate) fn listening(&mut self, id: SourceId) -> Option<&mut Listening> {
        match self.sources.get_mut(id) {
            Some(Source::Listener(listening)) => Some(listening),
            _ => None,
        }
    }

    /// Puts a source on the list of ready ones.
    pub(crate) fn enlist(&mut self, id: SourceId) {
        let listed = match self.sources.get_mut(id) {
            Some(Source::Connection(connection)) => &mut connection.listed,
            Some(Source::Listener(listening)) => &mut listening.listed,
            Some(Source::Draining(draining)) => &mut draining.listed,
            None => return,
        };
        if !std::mem::replace(listed, true) {
            self.ready.push_back(id);
            self.has_ready.store(true, Ordering::SeqCst);
        }
    }

    /// Whether a source is ready.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next ready source.
    pub(crate) fn next_ready(&mut self) -> Option<SourceId> {
        let mut next = None;
        while next.is_none()
            && let Some(id) = self.ready.pop_front()
        {
            next = match self.sources.get_mut(id) {
                Some(Source::Connection(connection)) => {
                    connection.listed = false;
                    Some(id)
                }
                Some(Source::Listener(listening)) => {
                    listening.listed = false;
                    Some(id)
                }
                Some(Source::Draining(draining)) => {
                    draining.listed = false;
                    Some(id)
                }
                None => None,
            };
        }
        if self.ready.is_empty() {
            self.has_ready.store(false, Ordering::SeqCst);
        }
        next
    }

    /// Sets a timer, and tells the I/O thread if it is the first to come.
    pub(crate) fn set_timer(&mut self, token: usize, at: Instant, timer: Timer) {
        let first = self.timers.first().is_none_or(|(first, _)| at < *first);
        self.timers.insert((at, timer));
        if first {
            self.deferred.commands.push(Command::Deadline(token, at));
        }
    }

    /// Sets a timer that comes after a while; none if it never comes.
    pub(crate) fn set_timer_in(&mut self, token: usize, after: Duration, timer: Timer) {
        if let Some(at) = Instant::now().checked_add(after) {
            self.set_timer(token, at, timer);
        }
    }
}
