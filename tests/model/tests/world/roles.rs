//! Who takes part, and what must hold at the end.

use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use shuttle::sync::{Condvar, Mutex};
use shuttle::thread;

use super::Flaw;
use super::core::{Core, Waiting};
use super::io_thread::{Command, Loop};

/// What a thread does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Role {
    /// Receives so many messages, however long it takes.
    Receiver(usize),
    /// Tries so often to receive, and gives up after a while, or by a signal.
    Impatient(usize),
    /// Receives so many messages as a future.
    Task(usize),
    /// Makes so many futures, polls each once, and drops it; what it gets is given back.
    Dropper(usize),
    /// Asks the kernel so often for news.
    Glancer(usize),
    /// Waits until the socket is shut down, and gives back what it gets meanwhile.
    Guest,
    /// Shuts the socket down.
    Shutdown,
    /// Messages that nobody receives.
    Unclaimed(usize),
}

impl Role {
    /// How many messages it may take.
    fn most(self) -> usize {
        match self {
            Role::Receiver(n) | Role::Impatient(n) | Role::Task(n) | Role::Unclaimed(n) => n,
            Role::Dropper(_) | Role::Glancer(_) | Role::Guest | Role::Shutdown => 0,
        }
    }

    fn act(self, core: &Arc<Core>) {
        match self {
            Role::Receiver(n) => (0..n).for_each(|_| assert!(core.recv(true))),
            Role::Impatient(n) => (0..n).for_each(|_| {
                core.recv(false);
            }),
            Role::Task(n) => (0..n).for_each(|_| block_on(core)),
            Role::Dropper(n) => (0..n).for_each(|_| poll_and_drop(core)),
            Role::Glancer(n) => (0..n).for_each(|_| core.glance()),
            Role::Guest => {
                while core.recv(true) {
                    core.give_back();
                    thread::yield_now();
                }
            }
            Role::Shutdown => core.shut_down(),
            Role::Unclaimed(_) => {}
        }
    }
}

/// An executor's side of a waker.
#[derive(Default)]
struct Signal {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *self.woken.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

fn block_on(core: &Arc<Core>) {
    let signal = Arc::new(Signal::default());
    let waker = Waker::from(Arc::clone(&signal));
    let mut waiting = Waiting::new(core);
    while !waiting.poll(&Context::from_waker(&waker)) {
        let mut woken = signal.woken.lock().unwrap();
        while !std::mem::take(&mut *woken) {
            woken = signal.changed.wait(woken).unwrap();
        }
    }
}

fn poll_and_drop(core: &Arc<Core>) {
    let waker = Waker::from(Arc::new(Signal::default()));
    let mut waiting = Waiting::new(core);
    if waiting.poll(&Context::from_waker(&waker)) {
        core.give_back();
    } else {
        thread::yield_now();
    }
}

/// As many messages come as there may be takers for. Everybody must get what it waits for, and all
/// that has come must be read; then one more message comes, with nobody inside, and the I/O thread
/// must read it, too.
pub(crate) fn play(roles: &[Role], flaw: Flaw) {
    const CONNECTIONS: usize = 2;
    let core = Arc::new(Core::new(flaw, CONNECTIONS));
    let total: usize = roles.iter().map(|role| role.most()).sum();
    let io = Loop::new(&core);
    let io = thread::spawn(move || io.run());
    let players: Vec<_> = roles
        .iter()
        .map(|role| {
            let (role, core) = (*role, Arc::clone(&core));
            thread::spawn(move || role.act(&core))
        })
        .collect();
    for message in 0..total {
        core.kernel.arrive(message % CONNECTIONS);
    }
    for player in players {
        player.join().unwrap();
    }
    core.wait_for(total);
    core.kernel.arrive(0);
    core.wait_for(total + 1);
    core.io.post(Command::Stop);
    io.join().unwrap();
}
