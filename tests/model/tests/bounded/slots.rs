//! Slots of C's handles: some use a value while another closes it, and others come with what they remember of it. Threads have
//! words in which they announce themselves, or are counted.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::slot::Slot;
use super::{barrier, check, must_fail, records};

/// As many generations as handles tell apart.
const MASK: u64 = 15;

/// The word of a thread that has none, and is counted.
const COUNTED: usize = 0;

/// A value that knows its number, and counts its end.
#[derive(Debug)]
struct Value {
    number: usize,
    dropped: Arc<AtomicUsize>,
}

impl Drop for Value {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

struct World {
    slot: Slot<Value>,
    dropped: Arc<AtomicUsize>,
    /// Calls that were told that they have closed it.
    closed: AtomicUsize,
}

impl World {
    fn new() -> Arc<World> {
        let dropped = Arc::new(AtomicUsize::new(0));
        let world = World { slot: Slot::default(), dropped, closed: AtomicUsize::new(0) };
        assert_eq!(world.open(0), Some(0));
        Arc::new(world)
    }

    /// The generation, if the slot was empty.
    fn open(&self, number: usize) -> Option<u64> {
        let generation = self.slot.reserve()?;
        self.slot.open(Value { number, dropped: Arc::clone(&self.dropped) });
        Some(generation)
    }

    fn close(&self) {
        let Some(entered) = self.slot.enter(0, MASK) else { return };
        if entered.close() {
            self.closed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Uses the value of that generation, which has that number; loom sees if it is dropped meanwhile.
    fn use_it(&self, generation: u64, mask: u64, number: usize) {
        if let Some(entered) = self.slot.enter(generation, mask) {
            assert_eq!(entered.number, number);
            assert_eq!(entered.dropped.load(Ordering::Relaxed), number);
        }
    }

    fn use_first(&self) {
        self.use_it(0, MASK, 0);
    }

    /// As a function to free memory may, which is called within a call.
    fn use_within_use(&self) {
        let Some(_outer) = self.slot.enter(0, MASK) else { return };
        self.use_first();
    }

    /// The inner call is the one that lasts.
    fn close_within_use(&self) {
        let outer = self.slot.enter(0, MASK);
        let inner = self.slot.enter(0, MASK);
        if outer.is_some_and(|outer| outer.close()) {
            self.closed.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(inner) = inner {
            assert_eq!(inner.dropped.load(Ordering::Relaxed), 0);
        }
    }

    /// Comes and goes, without a look at the value.
    fn pass(&self) {
        drop(self.slot.enter(0, MASK));
    }
}

/// What threads do, and which word each has.
type Role = (usize, fn(&World));

/// The value is used and closed at once: the first of the roles is this thread's.
fn closing(roles: &[Role]) {
    let world = World::new();
    let start = |&(word, act): &Role| {
        let world = Arc::clone(&world);
        thread::spawn(move || {
            records::give(word);
            act(&world);
        })
    };
    let threads: Vec<_> = roles[1..].iter().map(start).collect();
    records::give(roles[0].0);
    roles[0].1(&world);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(world.closed.load(Ordering::Relaxed), 1);
    assert_eq!(world.dropped.load(Ordering::Relaxed), 1);
    assert!(world.slot.enter(0, MASK).is_none());
    assert_eq!(world.open(1), Some(1), "it can be used again");
}

#[test]
fn a_value_is_dropped_once_and_never_while_it_is_used() {
    check(|| closing(&[(1, World::close), (2, World::use_first), (3, World::use_first)]));
    check(|| closing(&[(1, World::close), (2, World::use_first), (COUNTED, World::use_first)]));
}

#[test]
fn so_it_is_for_those_who_are_counted() {
    let user: Role = (COUNTED, World::use_first);
    check(move || closing(&[CLOSER, user, user]));
    check(|| closing(&[CLOSER, (1, World::use_first), (2, World::pass)]));
}

#[test]
fn one_of_those_who_close_has_closed_it() {
    check(|| closing(&[(1, World::close), (2, World::close), (3, World::use_first)]));
    check(|| closing(&[(1, World::close), (COUNTED, World::close), (2, World::use_first)]));
}

#[test]
fn a_call_within_a_call_keeps_it_too() {
    check(|| closing(&[(1, World::close), (2, World::use_within_use)]));
    check(|| closing(&[(1, World::close_within_use), (2, World::use_first)]));
    check(|| closing(&[(1, World::close_within_use), (2, World::use_within_use)]));
}

/// One who closes and has passed no light barrier, which in a model is as good as a heavy one.
const CLOSER: Role = (COUNTED, World::close);

#[test]
fn without_a_barrier_on_either_side_it_is_dropped_while_it_is_used() {
    for (light, heavy) in [(true, false), (false, true)] {
        let model = || closing(&[CLOSER, (2, World::use_first)]);
        barrier::without(light, heavy, || must_fail(model));
    }
}

#[test]
fn without_a_barrier_on_either_side_it_is_never_emptied() {
    for (light, heavy) in [(true, false), (false, true)] {
        let model = || closing(&[CLOSER, (2, World::pass)]);
        barrier::without(light, heavy, || must_fail(model));
    }
}

/// One closes the value and another puts the next one in its place, while a third uses what it remembers.
fn reusing(closer_word: usize, late_word: usize, mask: u64) {
    let world = World::new();
    let (closer, late) = (Arc::clone(&world), Arc::clone(&world));
    let threads = [
        thread::spawn(move || {
            records::give(closer_word);
            closer.close();
            closer.open(1);
        }),
        thread::spawn(move || {
            records::give(late_word);
            late.use_it(0, mask, 0);
        }),
    ];
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    if let Some(generation) = world.open(1) {
        assert_eq!(generation, 1);
    }
    world.use_it(1, MASK, 1);
    assert_eq!(world.dropped.load(Ordering::Relaxed), 1);
}

#[test]
fn an_old_handle_never_reaches_the_next_value() {
    for (closer, late) in [(1, 2), (1, COUNTED), (COUNTED, 2), (COUNTED, COUNTED)] {
        check(move || reusing(closer, late, MASK));
        // Without the generation.
        must_fail(move || reusing(closer, late, 0));
    }
}

/// The next value is closed, too, while one who was slow is still about the first.
fn closing_twice() {
    let world = World::new();
    let other = Arc::clone(&world);
    let thread = thread::spawn(move || {
        records::give(2);
        other.use_first();
        other.use_it(1, MASK, 1);
    });
    records::give(1);
    world.close();
    let again = world.open(1);
    if let Some(generation) = again {
        world.slot.enter(generation, MASK).unwrap().close();
    }
    thread.join().unwrap();
    assert_eq!(world.dropped.load(Ordering::Relaxed), 1 + usize::from(again.is_some()));
}

#[test]
fn a_slow_user_of_one_value_neither_empties_the_next_nor_leaves_it_full() {
    check(closing_twice);
}
