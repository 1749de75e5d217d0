//! A lock with a bias: one at a time is inside, and whoever waits for the owner is woken.

use loom::cell::UnsafeCell;
use loom::sync::{Arc, Mutex, MutexGuard};
use loom::thread;

use super::bias::Bias;
use super::{barrier, check, must_fail};

/// The lock, as `sys/lock.rs` makes it of a bias and a mutex; the value counts visits.
#[derive(Debug)]
struct Lock {
    bias: Bias,
    mutex: Mutex<()>,
    visits: UnsafeCell<usize>,
}

// SAFETY: this is what the model checks: loom's cell finds two that are inside at once.
unsafe impl Sync for Lock {}
// SAFETY: as above.
unsafe impl Send for Lock {}

impl Lock {
    /// Biased to the thread with this name.
    fn biased_to(owner: usize) -> Arc<Lock> {
        let lock = Lock { bias: Bias::new(), mutex: Mutex::new(()), visits: UnsafeCell::new(0) };
        lock.bias.give(owner);
        Arc::new(lock)
    }

    fn inside(&self) {
        // SAFETY: as above.
        self.visits.with_mut(|visits| unsafe { *visits += 1 });
    }

    /// Comes in whichever way is open, and becomes the owner if it is to.
    fn visit(&self, me: usize, becomes_owner: bool) {
        if let Some(seat) = self.bias.enter(me) {
            self.inside();
            return self.bias.leave(seat);
        }
        let _mutex = self.with_mutex();
        self.bias.wait_until_left();
        self.inside();
        if becomes_owner {
            self.bias.give(me);
        }
    }

    /// Comes in if it need not wait.
    fn try_to_visit(&self) -> bool {
        let _mutex = self.with_mutex();
        let free = !self.bias.is_occupied();
        if free {
            self.inside();
        }
        free
    }

    fn with_mutex(&self) -> MutexGuard<'_, ()> {
        let mutex = self.mutex.lock().unwrap();
        self.bias.take();
        mutex
    }
}

const OWNER: usize = 1;
const OTHER: usize = 2;
const THIRD: usize = 3;

fn one_comes_while_the_owner_is_inside() {
    let lock = Lock::biased_to(OWNER);
    let owner = {
        let lock = Arc::clone(&lock);
        thread::spawn(move || {
            lock.visit(OWNER, false);
            lock.visit(OWNER, false);
        })
    };
    lock.visit(OTHER, false);
    owner.join().unwrap();
    lock.visits.with(|visits| {
        // SAFETY: everybody else is done.
        assert_eq!(unsafe { *visits }, 3);
    });
}

#[test]
fn the_owner_and_others_are_inside_one_at_a_time() {
    check(one_comes_while_the_owner_is_inside);
}

#[test]
fn without_either_barrier_they_are_not() {
    must_fail(|| barrier::without(false, true, one_comes_while_the_owner_is_inside));
    must_fail(|| barrier::without(true, false, one_comes_while_the_owner_is_inside));
}

#[test]
fn an_owner_that_was_slow_to_come_in_does_not_hide_the_next_one() {
    check(|| {
        let lock = Lock::biased_to(OWNER);
        let owner = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || lock.visit(OWNER, false))
        };
        let other = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                lock.visit(OTHER, true);
                lock.visit(OTHER, false);
            })
        };
        lock.visit(THIRD, false);
        owner.join().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn one_that_does_not_wait_leaves_the_owner_alone() {
    check(|| {
        let lock = Lock::biased_to(OWNER);
        let owner = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || lock.visit(OWNER, true))
        };
        let came = lock.try_to_visit();
        lock.visit(OTHER, false);
        owner.join().unwrap();
        lock.visits.with(|visits| {
            // SAFETY: everybody else is done.
            assert_eq!(unsafe { *visits }, 2 + usize::from(came));
        });
    });
}
