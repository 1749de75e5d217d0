//! The I/O threads of a context: how many, how they are to be, and which of them serves a socket.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::options::{ContextOptions, ThreadOptions};
use crate::reactor::io_thread::IoThread;
use crate::reactor::shared::IoShared;
use crate::sys;

/// The I/O threads of a context. Each starts when a socket first needs it.
#[derive(Debug, Default)]
pub(super) struct Threads {
    /// What the options said when the first socket was opened.
    plan: Option<Plan>,
    /// By number; `None`: not started.
    started: Vec<Option<IoThread>>,
}

#[derive(Debug, Clone)]
struct Plan {
    count: usize,
    threads: ThreadOptions,
}

impl Threads {
    /// A socket is opened: the first fixes how many threads there may be, and how they are.
    pub(super) fn plan(&mut self, options: &ContextOptions) {
        let plan = || Plan { count: options.io_threads, threads: options.threads.clone() };
        self.plan.get_or_insert_with(plan);
    }

    /// The thread that serves the fewest sockets, of those that `affinity` names as bits (0: of all).
    ///
    /// # Errors
    /// [`Error::NoIoThread`]; [`Error::Io`] when the thread cannot be started as the options say.
    pub(super) fn pick(&mut self, affinity: u64) -> Result<Arc<IoShared>> {
        let Some(plan) = &self.plan else { return Err(Error::NoIoThread(NETWORK)) };
        let may =
            |at: &usize| affinity == 0 || affinity.checked_shr(small(*at)).unwrap_or(0) & 1 == 1;
        let load = |at: &usize| self.started.get(*at).and_then(Option::as_ref).map_or(0, load_of);
        let Some(at) = (0..plan.count.min(MOST)).filter(may).min_by_key(load) else {
            return Err(Error::NoIoThread(if plan.count == 0 { NETWORK } else { AFFINITY }));
        };
        if self.started.len() <= at {
            self.started.resize_with(at + 1, || None);
        }
        let slot = &mut self.started[at];
        if slot.is_none() {
            let name = plan.threads.name(at);
            let tuning = plan.threads.tuning.clone();
            let thread = IoThread::start(name, move || sys::tune_thread(&tuning));
            *slot = Some(thread.map_err(Error::io("start an I/O thread"))?);
        }
        match slot {
            Some(thread) => Ok(Arc::clone(thread.shared())),
            None => Err(Error::NoIoThread(NETWORK)),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &IoThread> {
        self.started.iter().flatten()
    }

    /// Takes the threads out, to be stopped without the context's lock.
    pub(super) fn take(&mut self) -> impl Iterator<Item = IoThread> + use<> {
        std::mem::take(&mut self.started).into_iter().flatten()
    }
}

/// So many I/O threads are ever looked at; there are no more sockets for more.
const MOST: usize = 65_535;
const NETWORK: &str = "every transport but inproc";
const AFFINITY: &str = "the option AFFINITY";

/// How many sockets a thread serves: each of them holds its shared part.
fn load_of(thread: &IoThread) -> usize {
    Arc::strong_count(thread.shared())
}

fn small(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
