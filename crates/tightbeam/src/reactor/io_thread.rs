//! The thread that drives every socket that nobody is driving.
//!
//! It sleeps in a parent poll that holds the sockets' own polls, and wakes for an event of an armed
//! socket, a command, a timer, a look at claimed sockets (every 2 ms while there is something to
//! see) or a look at a burst (every 100 us, or 400 us while its sender does all the writing).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, mem};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use super::handover::{Handover, Watch};
use super::shared::{Command, IoShared};
use crate::sys::{self, EventFd, TimerFd};

/// How often the I/O thread looks at sockets that their callers have left claimed.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// So much later a look may come, which is more than most systems' tick: a processor that is busy has that anyway, and
/// an interrupt for the look alone takes it from whoever works there, for longer than a whole round trip.
const LOOK_SLACK: Duration = Duration::from_millis(5);
/// How often it looks at a burst of sends.
const BURST_LOOK_EVERY: Duration = Duration::from_micros(100);
/// The same once the senders of all bursts have proved to write themselves: each look takes the core
/// from a sender that has the same one.
const STEADY_LOOK_EVERY: Duration = Duration::from_micros(400);
/// So many looks in a row that find nothing to do are proof: that senders write themselves, or that callers come back.
const PROOF: u32 = 8;

/// Deadlines without a socket that are never worth clearing away.
const STALE_KEPT: usize = 64;

const WAKE: Token = Token(0);
const BURST_TICK: Token = Token(1);
const FIRST_SOCKET: usize = 2;

/// A socket, as the I/O thread sees it.
pub(crate) trait Driven: Send + Sync {
    /// Who drives it.
    fn handover(&self) -> &Handover;
    /// Makes its poll heard by the I/O thread again, and posts what it has ready.
    fn arm(&self);
    /// Its callers keep coming back: takes its poll out of the parent for as long as they have it.
    fn set_aside(&self);
    /// A bounded turn of reading, writing and accepting. True if work remains.
    fn drive(&self) -> bool;
    /// Looks at a burst, and writes what has waited long enough.
    fn look_at_burst(&self) -> Look;
    /// Does what is due and answers when to come next.
    fn expire(&self, now: Instant) -> Option<Instant>;
    /// One of the above panicked: nothing more can be expected of this socket.
    fn give_up(&self);
}

/// What a look at a burst of sends found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// It is over, and its tail has been written; the next may begin soon.
    Over,
    /// There is none; one may begin soon.
    Quiet,
    /// There has been none for some time: who begins one says so.
    Last,
    /// It goes on, and what was queued had waited since the last look.
    Stale,
    /// It goes on, and its sender writes.
    Steady,
}

/// An I/O thread; joined by [`stop`](IoThread::stop).
pub(crate) struct IoThread {
    shared: Arc<IoShared>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for IoThread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IoThread").field("shared", &self.shared).finish_non_exhaustive()
    }
}

impl IoThread {
    /// Starts a thread with this name, which first prepares itself; if that fails there is none.
    pub(crate) fn start(
        name: String,
        prepare: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> io::Result<IoThread> {
        let poll = Poll::new()?;
        let tick = TimerFd::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let registry = poll.registry().try_clone()?;
        let beacon = EventFd::new()?;
        beacon.signal();
        registry.register(&mut SourceFd(&tick.as_raw_fd()), BURST_TICK, Interest::READABLE)?;
        let shared = Arc::new(IoShared {
            registry,
            waker,
            beacon,
            inbox: Mutex::default(),
            watch: Watch::new(),
            next_token: AtomicUsize::new(FIRST_SOCKET),
            panics: AtomicU64::new(0),
            turns: AtomicU64::new(0),
            burst_looks: AtomicU64::new(0),
            fork_generation: sys::fork_generation(),
        });
        let looper = Loop::new(poll, tick, Arc::clone(&shared));
        let (tell, told) = mpsc::sync_channel(1);
        let run = move || {
            let prepared = prepare();
            let ready = prepared.is_ok();
            let _ = tell.send(prepared);
            if ready {
                looper.run();
            }
        };
        let thread = sys::without_signals(|| std::thread::Builder::new().name(name).spawn(run))?;
        told.recv().unwrap_or_else(|_| Err(io::Error::other("the thread panicked")))?;
        Ok(IoThread { shared, thread: Some(thread) })
    }

    /// The part that sockets hold.
    pub(crate) fn shared(&self) -> &Arc<IoShared> {
        &self.shared
    }

    /// Ends the thread and waits for it.
    pub(crate) fn stop(mut self) {
        self.shared.post(Command::Stop);
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            // A panic of the loop itself was contained and counted already.
            let _ = thread.join();
        }
    }
}

struct Entry {
    driven: Arc<dyn Driven>,
    deadline: Option<Instant>,
}

/// A claimed socket and how many callers had left it at the last look.
struct Watched {
    token: usize,
    departures: u32,
    /// Looks at which callers had come and gone, since they claimed it.
    returns: u32,
}

impl Watched {
    fn new(token: usize) -> Watched {
        Watched { token, departures: 0, returns: 0 }
    }
}

struct Loop {
    poll: Poll,
    tick: TimerFd,
    shared: Arc<IoShared>,
    sockets: HashMap<usize, Entry>,
    deadlines: BinaryHeap<Reverse<(Instant, usize)>>,
    work: Vec<usize>,
    watched: Vec<Watched>,
    next_look: Instant,
    /// Something moved at the last look: look again before sleeping.
    lively: bool,
    /// The next sleep's time-out is for a look, and may be as late as that.
    patient: bool,
    bursts: Vec<usize>,
    /// Looks in a row at which all bursts were steady.
    steady_looks: u32,
    running: bool,
}

impl Loop {
    fn new(poll: Poll, tick: TimerFd, shared: Arc<IoShared>) -> Loop {
        Loop {
            poll,
            tick,
            shared,
            sockets: HashMap::new(),
            deadlines: BinaryHeap::new(),
            work: Vec::new(),
            watched: Vec::new(),
            next_look: Instant::now(),
            lively: false,
            patient: false,
            bursts: Vec::new(),
            steady_looks: 0,
            running: true,
        }
    }

    fn run(mut self) {
        let mut events = Events::with_capacity(256);
        while self.running {
            self.take_commands();
            self.work_off();
            let now = Instant::now();
            self.expire(now);
            if now >= self.next_look {
                self.look(now);
            }
            let timeout = self.prepare_to_sleep();
            // EINTR ends the sleep early, which is harmless; nothing else is expected of epoll.
            let _ = self.poll.poll(&mut events, timeout);
            self.shared.watch.wake();
            self.shared.inbox().asleep = false;
            self.shared.turns.fetch_add(1, Ordering::Relaxed);
            for event in &events {
                match event.token() {
                    WAKE => {}
                    BURST_TICK => self.look_at_bursts(),
                    Token(token) => self.queue(token),
                }
            }
        }
    }

    fn take_commands(&mut self) {
        let commands = mem::take(&mut self.shared.inbox().commands);
        for command in commands {
            self.obey(command);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Add(token, driven) => {
                self.sockets.insert(token, Entry { driven, deadline: None });
            }
            Command::Remove(token) => self.remove(token),
            Command::Watch(token) => {
                self.watched.retain(|w| w.token != token);
                self.watched.push(Watched::new(token));
                self.lively = true;
            }
            Command::Work(token) => self.queue(token),
            Command::Burst(token) => self.begin_burst(token),
            Command::Deadline(token, at) => self.set_deadline(token, at),
            Command::Stop => self.running = false,
        }
    }

    fn remove(&mut self, token: usize) {
        self.sockets.remove(&token);
        self.watched.retain(|w| w.token != token);
        self.bursts.retain(|t| *t != token);
        self.work.retain(|t| *t != token);
        if self.deadlines.len() > 2 * self.sockets.len() + STALE_KEPT {
            // Deadlines of sockets that are gone would stay until their time.
            let entries = self.sockets.iter();
            let live =
                entries.filter_map(|(token, entry)| Some(Reverse((entry.deadline?, *token))));
            self.deadlines = live.collect();
        }
    }

    fn queue(&mut self, token: usize) {
        if !self.work.contains(&token) {
            self.work.push(token);
        }
    }

    /// One turn for each socket that has something ready.
    fn work_off(&mut self) {
        for token in mem::take(&mut self.work) {
            if self.ask(token, false, |driven| driven.drive()) {
                self.queue(token);
            }
        }
    }

    /// Calls a socket; a panic costs that socket, never the thread.
    fn ask<R>(&self, token: usize, otherwise: R, call: impl FnOnce(&dyn Driven) -> R) -> R {
        let Some(entry) = self.sockets.get(&token) else { return otherwise };
        let driven = &*entry.driven;
        catch_unwind(AssertUnwindSafe(|| call(driven))).unwrap_or_else(|_| {
            self.shared.panics.fetch_add(1, Ordering::Relaxed);
            let _ = catch_unwind(AssertUnwindSafe(|| driven.give_up()));
            otherwise
        })
    }

    fn set_deadline(&mut self, token: usize, at: Instant) {
        let Some(entry) = self.sockets.get_mut(&token) else { return };
        if entry.deadline.is_none_or(|now| at < now) {
            entry.deadline = Some(at);
            self.deadlines.push(Reverse((at, token)));
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some(&Reverse((at, token))) = self.deadlines.peek() {
            if at > now {
                return;
            }
            self.deadlines.pop();
            match self.sockets.get_mut(&token) {
                Some(entry) if entry.deadline == Some(at) => entry.deadline = None,
                _ => continue,
            }
            if let Some(next) = self.ask(token, None, |driven| driven.expire(now)) {
                self.set_deadline(token, next);
            }
        }
    }

    /// Takes back the sockets that nobody came back to since the last look.
    fn look(&mut self, now: Instant) {
        self.next_look = now + LOOK_EVERY;
        self.lively = false;
        let mut watched = mem::take(&mut self.watched);
        watched.retain_mut(|w| self.keep_watching(w));
        self.watched = watched;
    }

    fn keep_watching(&mut self, w: &mut Watched) -> bool {
        let Some(entry) = self.sockets.get(&w.token) else { return false };
        let sight = entry.driven.handover().look();
        if !sight.claimed {
            return false;
        }
        let quiet = sight.departures == mem::replace(&mut w.departures, sight.departures);
        if quiet && !sight.occupied {
            if entry.driven.handover().rearm() {
                self.ask(w.token, (), |driven| driven.arm());
                return false;
            }
            self.lively = true;
            return true;
        }
        if !quiet {
            w.returns = w.returns.saturating_add(1);
            if w.returns == PROOF {
                self.ask(w.token, (), |driven| driven.set_aside());
            }
        }
        self.lively |= !quiet || !sight.occupied;
        true
    }

    /// How long to sleep. The order is what keeps wake-ups from being lost: announce the sleep,
    /// then look for commands and abandoned sockets once more.
    fn prepare_to_sleep(&mut self) -> Option<Duration> {
        if !self.work.is_empty() || !self.running {
            return Some(Duration::ZERO);
        }
        self.shared.watch.sleep();
        {
            let mut inbox = self.shared.inbox();
            if !inbox.commands.is_empty() {
                return Some(Duration::ZERO);
            }
            inbox.asleep = true;
        }
        let now = Instant::now();
        let next_timer = self.deadlines.peek().map(|Reverse((at, _))| *at);
        if self.lively || self.has_abandoned() {
            self.shared.watch.wake();
            let looks_first = next_timer.is_none_or(|at| self.next_look + LOOK_SLACK <= at);
            self.be_patient(looks_first);
            let until = next_timer.map_or(self.next_look, |at| at.min(self.next_look));
            return Some(until.saturating_duration_since(now));
        }
        self.be_patient(false);
        next_timer.map(|at| at.saturating_duration_since(now))
    }

    /// Whether the time-out of the next sleep may be late; other timers are what the application asked for.
    fn be_patient(&mut self, patient: bool) {
        if patient != mem::replace(&mut self.patient, patient) {
            sys::set_timer_slack(patient.then_some(LOOK_SLACK));
        }
    }

    fn has_abandoned(&self) -> bool {
        self.watched.iter().any(|w| {
            self.sockets.get(&w.token).is_some_and(|entry| {
                let sight = entry.driven.handover().look();
                sight.claimed && !sight.occupied
            })
        })
    }

    fn begin_burst(&mut self, token: usize) {
        self.steady_looks = 0;
        if self.tick.every(BURST_LOOK_EVERY).is_err() {
            // Without a timer the tail is written at once, which only costs speed.
            while self.ask(token, Look::Last, |driven| driven.look_at_burst()) != Look::Last {}
            return;
        }
        if !self.bursts.contains(&token) {
            self.bursts.push(token);
        }
    }

    fn look_at_bursts(&mut self) {
        self.tick.clear();
        self.shared.burst_looks.fetch_add(1, Ordering::Relaxed);
        let mut bursts = mem::take(&mut self.bursts);
        let mut steady = true;
        bursts.retain(|token| {
            let look = self.ask(*token, Look::Last, |driven| driven.look_at_burst());
            steady &= look != Look::Stale;
            look != Look::Last
        });
        self.bursts = bursts;
        self.pace_looks(steady);
    }

    /// Looks less often at what needs no looking after. If the timer cannot be set, it goes on as it was.
    fn pace_looks(&mut self, steady: bool) {
        let before = self.steady_looks;
        self.steady_looks = if steady { before.saturating_add(1) } else { 0 };
        let _ = if self.bursts.is_empty() {
            self.tick.stop()
        } else if self.steady_looks == PROOF {
            self.tick.every(STEADY_LOOK_EVERY)
        } else if !steady && before >= PROOF {
            self.tick.every(BURST_LOOK_EVERY)
        } else {
            Ok(())
        };
    }
}
