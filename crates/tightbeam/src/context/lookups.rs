//! Look-ups of names, which may block for long, in a few threads that end when there is nothing to look up.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::sys;

/// Look-ups at the same time; more wait for one of these.
const AT_ONCE: usize = 8;

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Work {
    waiting: VecDeque<Job>,
    threads: usize,
}

/// The look-ups of one context. There are no more than sessions: each waits for its own.
#[derive(Clone, Default)]
pub(crate) struct Lookups {
    work: Arc<Mutex<Work>>,
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let work = self.lock();
        write!(f, "Lookups {{ threads: {}, waiting: {} }}", work.threads, work.waiting.len())
    }
}

impl Lookups {
    /// Has a look-up done soon. If there can be no thread at all, the reason comes back.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut work = self.lock();
        work.waiting.push_back(Box::new(job));
        if work.threads == AT_ONCE {
            return Ok(());
        }
        work.threads += 1;
        drop(work);
        let this = self.clone();
        let serve = move || {
            while let Some(job) = this.next() {
                // It is the socket's own affair, which goes on without an answer.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        };
        let thread = thread::Builder::new().name("tightbeam-lookup".into());
        let spawned = sys::without_signals(|| thread.spawn(serve));
        let Err(error) = spawned else { return Ok(()) };
        let mut work = self.lock();
        work.threads -= 1;
        if work.threads > 0 {
            // The others come to it.
            return Ok(());
        }
        let unserved = work.waiting.pop_back();
        drop(work);
        drop(unserved);
        Err(error)
    }

    /// What is to be done next; otherwise the thread is over.
    fn next(&self) -> Option<Job> {
        let mut work = self.lock();
        let next = work.waiting.pop_front();
        if next.is_none() {
            work.threads -= 1;
        }
        next
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::sync::{Barrier, atomic};

    use super::*;

    #[test]
    fn many_look_ups_share_a_few_threads_which_end() {
        let lookups = Lookups::default();
        let gate = Arc::new(Barrier::new(AT_ONCE + 1));
        let (done, finished) = channel();
        let running = Arc::new(atomic::AtomicUsize::new(0));
        for number in 0..50 {
            let (gate, done, running) = (Arc::clone(&gate), done.clone(), Arc::clone(&running));
            let job = move || {
                assert!(running.fetch_add(1, atomic::Ordering::SeqCst) < AT_ONCE);
                if number < AT_ONCE {
                    gate.wait();
                }
                running.fetch_sub(1, atomic::Ordering::SeqCst);
                done.send(number).expect("somebody who counts");
                assert_ne!(number, 20, "one that fails");
            };
            lookups.run(job).expect("threads");
        }
        assert_eq!(lookups.lock().threads, AT_ONCE);
        gate.wait();
        drop(done);
        assert_eq!(finished.iter().count(), 50);
        while lookups.lock().threads > 0 {
            thread::yield_now();
        }
    }
}
