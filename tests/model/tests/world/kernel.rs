//! Two epolls, one in the other, both edge-triggered: the socket's own, and the I/O thread's parent.

use std::collections::BTreeSet;
use std::time::Duration;

use shuttle::rand::Rng;
use shuttle::sync::{Condvar, Mutex};

/// The waker in the socket's poll; connections have the numbers below.
pub(crate) const WAKE: usize = usize::MAX;

#[derive(Debug, Default)]
struct Epolls {
    /// Messages in each connection's kernel buffer.
    data: Vec<usize>,
    /// What the socket's poll will report; taken when it is reported.
    inner: BTreeSet<usize>,
    /// READABLE interest of the socket's poll in the parent.
    audible: bool,
    /// The parent will report the socket's poll, if that still has something.
    outer: bool,
    /// The parent's own waker.
    woken: bool,
}

impl Epolls {
    fn report(&mut self, what: usize) {
        self.inner.insert(what);
        self.outer |= self.audible;
    }
}

#[derive(Debug, Default)]
pub(crate) struct Kernel {
    epolls: Mutex<Epolls>,
    changed: Condvar,
}

/// A signal ended the wait, or its time.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl Kernel {
    pub(crate) fn new(connections: usize) -> Kernel {
        let data = vec![0; connections];
        let epolls = Epolls { data, audible: true, ..Epolls::default() };
        Kernel { epolls: Mutex::new(epolls), changed: Condvar::new() }
    }

    fn change(&self, change: impl FnOnce(&mut Epolls)) {
        change(&mut self.epolls.lock().unwrap());
        self.changed.notify_all();
    }

    /// A message comes from the network.
    pub(crate) fn arrive(&self, connection: usize) {
        self.change(|epolls| {
            epolls.data[connection] += 1;
            epolls.report(connection);
        });
    }

    /// Reads a message; false is EAGAIN.
    pub(crate) fn read(&self, connection: usize) -> bool {
        let data = &mut self.epolls.lock().unwrap().data[connection];
        let some = *data > 0;
        *data -= usize::from(some);
        some
    }

    pub(crate) fn wake_inner(&self) {
        self.change(|epolls| epolls.report(WAKE));
    }

    pub(crate) fn wake_outer(&self) {
        self.change(|epolls| epolls.woken = true);
    }

    /// A MOD to READABLE reports again what is pending.
    pub(crate) fn arm(&self) {
        self.change(|epolls| {
            epolls.audible = true;
            epolls.outer = !epolls.inner.is_empty();
        });
    }

    /// A MOD to WRITABLE, which an epoll never is.
    pub(crate) fn mask(&self) {
        self.change(|epolls| {
            epolls.audible = false;
            epolls.outer = false;
        });
    }

    /// Waits for `ready` to find something; at most `timeout`, which may pass at any time.
    fn wait<R>(
        &self,
        timeout: Option<Duration>,
        mut ready: impl FnMut(&mut Epolls) -> Option<R>,
    ) -> Option<R> {
        let mut patience = timeout.map(|timeout| match timeout {
            Duration::ZERO => 0,
            _ => shuttle::rand::thread_rng().gen_range(0..4),
        });
        let mut epolls = self.epolls.lock().unwrap();
        loop {
            if let Some(found) = ready(&mut epolls) {
                return Some(found);
            }
            match &mut patience {
                None => epolls = self.changed.wait(epolls).unwrap(),
                Some(0) => return None,
                Some(left) => {
                    *left -= 1;
                    drop(epolls);
                    shuttle::thread::yield_now();
                    epolls = self.epolls.lock().unwrap();
                }
            }
        }
    }

    /// Waits in the socket's poll.
    pub(crate) fn poll_inner(&self, timeout: Option<Duration>) -> Result<Vec<usize>, Interrupted> {
        let found = self.wait(timeout, |epolls| {
            let events = std::mem::take(&mut epolls.inner);
            (!events.is_empty()).then(|| events.into_iter().collect())
        });
        let signal = timeout.is_some_and(|timeout| !timeout.is_zero());
        match found {
            None if signal && shuttle::rand::thread_rng().r#gen() => Err(Interrupted),
            found => Ok(found.unwrap_or_default()),
        }
    }

    /// Waits in the parent. True if the socket's poll has something.
    pub(crate) fn poll_outer(&self, timeout: Option<Duration>) -> bool {
        let found = self.wait(timeout, |epolls| {
            let socket = std::mem::take(&mut epolls.outer) && !epolls.inner.is_empty();
            (std::mem::take(&mut epolls.woken) || socket).then_some(socket)
        });
        found.unwrap_or(false)
    }
}
