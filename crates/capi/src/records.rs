//! Threads' records: a word of each thread's own, that all may read. [`Slot`](crate::slot::Slot) says what stands in it; 0 is
//! nothing.
//!
//! There are as many as there were threads at the same time; they are never freed, and one whose thread has ended is another's
//! later. Nothing here waits for another thread: in a forked child it may be gone.

use std::cell::Cell;
use std::iter;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

use crate::{barrier, raw};

/// On cache lines of its own (two, which some processors fetch together): it is written by one thread, and often.
#[derive(Debug)]
#[repr(align(128))]
struct Record {
    word: AtomicUsize,
    taken: AtomicBool,
    next: AtomicPtr<Record>,
}

static FIRST: Record = Record::new();

/// The word of a thread without a record: it looks like one in use.
static NOBODYS: AtomicUsize = AtomicUsize::new(usize::MAX);

thread_local! {
    /// The word of this thread's record. There is nothing to drop, so that it may be looked at until the very end.
    static MINE: Cell<&'static AtomicUsize> = const { Cell::new(&NOBODYS) };
    static TAKEN: Taken = const { Taken(Cell::new(None)) };
}

/// This thread's word: not 0 if it is in use, or if the thread has none.
#[inline]
pub(crate) fn mine() -> &'static AtomicUsize {
    MINE.get()
}

/// The words of all threads.
pub(crate) fn all() -> impl Iterator<Item = &'static AtomicUsize> {
    iter::successors(Some(&FIRST), |record| raw::published(&record.next)).map(|record| &record.word)
}

/// Sees to it that this thread has a word for its next call, if it may use it.
#[cold]
pub(crate) fn prepare() {
    if !barrier::is_there() {
        return MINE.set(&NOBODYS);
    }
    if ptr::eq(mine(), &NOBODYS) {
        // Fails only while the thread is ending.
        let _ = TAKEN.try_with(Taken::take);
    }
}

impl Record {
    const fn new() -> Record {
        Record {
            word: AtomicUsize::new(0),
            taken: AtomicBool::new(false),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    fn take(&self) -> bool {
        !self.taken.load(Ordering::Relaxed) && !self.taken.swap(true, Ordering::Acquire)
    }
}

/// The record that a thread has taken, until it ends.
struct Taken(Cell<Option<&'static Record>>);

impl Taken {
    fn take(&self) {
        let mut record = &FIRST;
        while !record.take() {
            match raw::published(&record.next) {
                Some(next) => record = next,
                None => raw::publish(&record.next, Box::new(Record::new())),
            }
        }
        self.0.set(Some(record));
        MINE.set(&record.word);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        MINE.set(&NOBODYS);
        // A thread that was torn out of a call leaves it as it is: what it was in is in use for ever.
        if let Some(record) = self.0.take()
            && record.word.load(Ordering::Relaxed) == 0
        {
            record.taken.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn each_thread_has_a_word_of_its_own_which_is_anothers_when_it_has_ended() {
        barrier::prepare();
        if !barrier::is_there() {
            return;
        }
        let address = || {
            prepare();
            ptr::from_ref(mine()).addr()
        };
        let together = || {
            let barrier = Barrier::new(3);
            let mut found = thread::scope(|scope| {
                let started = [(); 3].map(|()| {
                    scope.spawn(|| {
                        let found = address();
                        barrier.wait();
                        found
                    })
                });
                started.map(|thread| thread.join().unwrap())
            });
            found.sort_unstable();
            found
        };
        let first = together();
        assert!(first[0] < first[1] && first[1] < first[2]);
        assert!(first.iter().all(|word| all().any(|other| ptr::from_ref(other).addr() == *word)));
        // Other tests take records meanwhile, but not one each time.
        for _ in 0..100 {
            together();
        }
        assert!(all().count() < 100);
    }

    #[test]
    fn a_thread_that_is_ending_has_none() {
        struct Late;
        thread_local!(static LATE: Late = const { Late });
        impl Drop for Late {
            fn drop(&mut self) {
                prepare();
                assert!(ptr::eq(mine(), &NOBODYS));
            }
        }
        barrier::prepare();
        thread::spawn(|| {
            // Dropped after what is made later.
            LATE.with(|_| ());
            prepare();
            assert_eq!(ptr::eq(mine(), &NOBODYS), !barrier::is_there());
        })
        .join()
        .unwrap();
    }
}
