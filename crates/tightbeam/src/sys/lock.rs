//! A lock that costs next to nothing to the thread which uses it all the time.
//!
//! ```text
//!   SHARED --a thread has come often in a row--> BIASED to that thread
//!     ^                                               |
//!     +-----------anybody else comes------------------+
//! ```
//!
//! While it is shared it is a mutex, which takes two atomic read-modify-writes, and each holds up what the processor would do
//! beside them. While it is biased, its owner comes and goes with plain stores ([`Bias`]). Whoever else comes has the mutex,
//! and takes the bias away, which costs some microseconds; so it is given only to a thread that has come many times in a row, and
//! more times where it did not last. Where the system has no heavy barrier, the lock stays a mutex.

use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::mem::{self, MaybeUninit};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use super::barrier;
use super::bias::{Bias, Seat, UNNAMED};

/// Visits in a row that make an owner.
const RUN: u32 = 64;
/// The same after biases that did not last, at most.
const MOST_RUN: u32 = 1 << 16;
/// Visits for which a bias has to last to be worth its barrier.
const PAYS: usize = 512;

thread_local! {
    /// This thread's name among owners.
    static NAME: Cell<usize> = const { Cell::new(UNNAMED) };
}

/// A name that no other thread of the process has ever had.
fn my_name() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(UNNAMED + 1);
    match NAME.get() {
        UNNAMED => {
            let name = NEXT.fetch_add(1, Ordering::Relaxed);
            NAME.set(name);
            name
        }
        name => name,
    }
}

/// Who has come with the mutex.
#[derive(Debug)]
struct Turns {
    last: usize,
    /// How often in a row.
    run: u32,
    /// How often that has to be to make an owner.
    needed: u32,
    /// One from whom the bias was taken may still be inside.
    occupied: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Lock<T> {
    bias: Bias,
    turns: Mutex<Turns>,
    /// What holds the mutex, as long as somebody has the lock by it.
    held: UnsafeCell<MaybeUninit<MutexGuard<'static, Turns>>>,
    value: UnsafeCell<T>,
}

// SAFETY: the lock gives out one reference at a time: with the mutex and nobody inside, or to the bias's owner.
unsafe impl<T: Send> Send for Lock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Lock<T> {}

/// The lock, held. Two words, which go from function to function in registers: what goes through the stack is written in words and
/// read back in pairs, for which the processor waits.
#[derive(Debug)]
pub(crate) struct Locked<'a, T> {
    lock: &'a Lock<T>,
    /// Where the owner sits. Whoever else has come has the mutex.
    seat: Option<&'a Seat>,
    /// It stays with its thread, as a mutex's guard does.
    thread: PhantomData<MutexGuard<'a, Turns>>,
}

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Lock<T> {
        barrier::prepare();
        let needed = if barrier::is_there() { RUN } else { u32::MAX };
        Lock {
            bias: Bias::new(),
            turns: Mutex::new(Turns { last: UNNAMED, run: 0, needed, occupied: false }),
            held: UnsafeCell::new(MaybeUninit::uninit()),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits until nobody has it.
    #[inline(always)]
    pub(crate) fn lock(&self) -> Locked<'_, T> {
        match self.bias.enter(NAME.get()) {
            Some(seat) => self.locked(Some(seat)),
            None => self.lock_shared(),
        }
    }

    /// The lock, if nobody has it.
    #[inline(always)]
    pub(crate) fn try_lock(&self) -> Option<Locked<'_, T>> {
        match self.bias.enter(NAME.get()) {
            Some(seat) => Some(self.locked(Some(seat))),
            None => self.try_lock_shared(),
        }
    }

    #[inline(always)]
    fn locked<'a>(&'a self, seat: Option<&'a Seat>) -> Locked<'a, T> {
        Locked { lock: self, seat, thread: PhantomData }
    }

    #[inline(never)]
    fn lock_shared(&self) -> Locked<'_, T> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        self.take_bias(&mut turns);
        if turns.occupied {
            self.bias.wait_until_left();
        }
        self.count(turns)
    }

    #[inline(never)]
    fn try_lock_shared(&self) -> Option<Locked<'_, T>> {
        let mut turns = match self.turns.try_lock() {
            Ok(turns) => turns,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        self.take_bias(&mut turns);
        if turns.occupied && self.bias.is_occupied() {
            return None;
        }
        Some(self.count(turns))
    }

    fn take_bias(&self, turns: &mut Turns) {
        let Some(visits) = self.bias.take() else { return };
        turns.needed = match turns.needed {
            _ if !barrier::is_there() => u32::MAX,
            _ if visits >= PAYS => RUN,
            needed => needed.saturating_mul(2).min(MOST_RUN),
        };
        turns.run = 0;
        turns.occupied = true;
    }

    fn count<'a>(&'a self, mut turns: MutexGuard<'a, Turns>) -> Locked<'a, T> {
        let me = my_name();
        turns.occupied = false;
        turns.run = if turns.last == me { turns.run.saturating_add(1) } else { 0 };
        turns.last = me;
        // SAFETY: only its lifetime changes: the `Locked` that is made here moves it out before it ends itself.
        let turns = unsafe { mem::transmute::<MutexGuard<'a, _>, MutexGuard<'static, _>>(turns) };
        // SAFETY: whoever has the mutex is the only one who looks there.
        unsafe { (*self.held.get()).write(turns) };
        self.locked(None)
    }

    /// Gives the mutex back, and the bias to who had it, if that has come often enough.
    ///
    /// # Safety
    /// To be called once for each [`count`](Lock::count).
    #[inline(never)]
    unsafe fn leave_shared(&self) {
        // SAFETY: written by `count`, with the mutex, which this thread has had since.
        let turns = unsafe { (*self.held.get()).assume_init_read() };
        if turns.run >= turns.needed {
            self.bias.give(turns.last);
        }
    }
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: whoever has a `Locked` is the only one.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Locked<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Locked<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        match self.seat {
            Some(seat) => self.lock.bias.leave(seat),
            // SAFETY: without a seat it was made by `count`, and is dropped once.
            None => unsafe { self.lock.leave_shared() },
        }
    }
}
