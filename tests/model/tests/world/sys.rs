//! The futex, as the parker uses it. A wait with a time-out may end at any time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use shuttle::rand::Rng;
use shuttle::sync::{Condvar, Mutex};

use super::sync::{AtomicU32, Ordering};

/// Why a wait ended.
#[allow(clippy::enum_variant_names, reason = "the library's names")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    Woken,
    TimedOut,
    Interrupted,
}

#[derive(Default)]
struct Table {
    /// How often each word was woken.
    wakes: Mutex<HashMap<usize, u64>>,
    changed: Condvar,
}

shuttle::lazy_static! {
    static ref TABLE: Arc<Table> = Arc::new(Table::default());
}

fn address(word: &AtomicU32) -> usize {
    std::ptr::from_ref(word).addr()
}

pub(crate) fn futex_wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) -> Woken {
    let table = Arc::clone(&TABLE);
    let mut wakes = table.wakes.lock().unwrap();
    if word.load(Ordering::SeqCst) != expected {
        return Woken::Woken;
    }
    let count = |wakes: &HashMap<usize, u64>| wakes.get(&address(word)).copied().unwrap_or(0);
    let before = count(&wakes);
    let mut patience = timeout.map(|_| shuttle::rand::thread_rng().gen_range(0..4));
    while count(&wakes) == before {
        match &mut patience {
            None => wakes = table.changed.wait(wakes).unwrap(),
            Some(0) => {
                let signal = shuttle::rand::thread_rng().r#gen();
                return if signal { Woken::Interrupted } else { Woken::TimedOut };
            }
            Some(left) => {
                *left -= 1;
                drop(wakes);
                shuttle::thread::yield_now();
                wakes = table.wakes.lock().unwrap();
            }
        }
    }
    Woken::Woken
}

pub(crate) fn futex_wake(word: &AtomicU32, _count: u32) {
    let table = Arc::clone(&TABLE);
    *table.wakes.lock().unwrap().entry(address(word)).or_default() += 1;
    table.changed.notify_all();
}

/// Nobody sleeps on a descriptor here.
#[derive(Debug)]
pub(crate) struct EventFd;

impl EventFd {
    pub(crate) fn new() -> std::io::Result<EventFd> {
        Ok(EventFd)
    }

    pub(crate) fn signal(&self) {}

    pub(crate) fn clear(&self) {}
}
