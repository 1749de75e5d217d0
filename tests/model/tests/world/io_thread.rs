//! The I/O thread: `reactor/io_thread.rs`, retold for one socket and without bursts and timers.

use std::sync::Arc;
use std::time::Duration;

use shuttle::rand::Rng;
use shuttle::sync::Mutex;

use super::Flaw;
use super::core::Core;
use super::handover::Watch;
use super::kernel::Kernel;

/// What the I/O thread is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Watch,
    Work,
    Stop,
}

#[derive(Debug, Default)]
struct Inbox {
    commands: Vec<Command>,
    asleep: bool,
}

#[derive(Debug)]
pub(crate) struct IoShared {
    watch: Watch,
    inbox: Mutex<Inbox>,
    kernel: Arc<Kernel>,
}

impl IoShared {
    pub(crate) fn new(kernel: Arc<Kernel>) -> IoShared {
        IoShared { watch: Watch::new(), inbox: Mutex::default(), kernel }
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    pub(crate) fn post(&self, command: Command) {
        let mut inbox = self.inbox.lock().unwrap();
        let wake = command != Command::Watch && std::mem::take(&mut inbox.asleep);
        inbox.commands.push(command);
        drop(inbox);
        if wake {
            self.wake();
        }
    }

    pub(crate) fn wake(&self) {
        self.kernel.wake_outer();
    }
}

/// How long the thread sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sleep {
    NotAtAll,
    UntilTheNextLook,
    ForGood,
}

pub(crate) struct Loop {
    core: Arc<Core>,
    work: bool,
    /// How many callers had left at the last look, if the socket is watched.
    watched: Option<u32>,
    lively: bool,
    running: bool,
}

impl Loop {
    pub(crate) fn new(core: &Arc<Core>) -> Loop {
        let core = Arc::clone(core);
        Loop { core, work: false, watched: None, lively: false, running: true }
    }

    pub(crate) fn run(mut self) {
        let mut look_is_due = true;
        while self.running {
            self.take_commands();
            if std::mem::take(&mut self.work) {
                self.work = self.core.drive();
            }
            if look_is_due {
                self.look();
            }
            let sleep = self.prepare_to_sleep();
            let timeout = match sleep {
                Sleep::NotAtAll => Some(Duration::ZERO),
                Sleep::UntilTheNextLook => Some(Duration::from_millis(2)),
                Sleep::ForGood => None,
            };
            let socket = self.core.kernel.poll_outer(timeout);
            self.core.io.watch.wake();
            self.core.io.inbox.lock().unwrap().asleep = false;
            self.work |= socket;
            // It may be early: an event, or no sleep at all. But time passes.
            look_is_due = shuttle::rand::thread_rng().r#gen();
            if sleep == Sleep::NotAtAll {
                shuttle::thread::yield_now();
            }
        }
    }

    fn take_commands(&mut self) {
        let commands = std::mem::take(&mut self.core.io.inbox.lock().unwrap().commands);
        for command in commands {
            match command {
                Command::Watch => {
                    self.watched.get_or_insert(0);
                    self.lively = true;
                }
                Command::Work => self.work = true,
                Command::Stop => self.running = false,
            }
        }
    }

    fn look(&mut self) {
        self.lively = false;
        let Some(before) = self.watched.take() else { return };
        let sight = self.core.handover.look();
        if !sight.claimed {
            return;
        }
        let quiet = sight.departures == before;
        if quiet && !sight.occupied {
            if self.core.handover.rearm() {
                self.core.arm();
                return;
            }
            self.lively = true;
        }
        if !quiet && shuttle::rand::thread_rng().r#gen() {
            self.core.set_aside();
        }
        self.lively |= !quiet || !sight.occupied;
        self.watched = Some(sight.departures);
    }

    fn prepare_to_sleep(&mut self) -> Sleep {
        let io = &self.core.io;
        let flaw = self.core.flaw;
        if self.work || !self.running {
            return Sleep::NotAtAll;
        }
        let early = flaw == Flaw::LookBeforeAnnouncing && self.has_abandoned();
        io.watch.sleep();
        {
            let mut inbox = io.inbox.lock().unwrap();
            if !inbox.commands.is_empty() && flaw != Flaw::NoInboxBeforeSleep {
                return Sleep::NotAtAll;
            }
            inbox.asleep = true;
        }
        let abandoned = match flaw {
            Flaw::NoLookBeforeSleep => false,
            Flaw::LookBeforeAnnouncing => early,
            _ => self.has_abandoned(),
        };
        if self.lively || abandoned {
            io.watch.wake();
            return Sleep::UntilTheNextLook;
        }
        Sleep::ForGood
    }

    fn has_abandoned(&self) -> bool {
        let sight = self.core.handover.look();
        self.watched.is_some() && sight.claimed && !sight.occupied
    }
}
