//! Slots of C's handles: some use a value while another closes it, and others come with what they remember of it.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::slot::Slot;
use super::{check, must_fail};

/// As many generations as handles tell apart.
const MASK: u64 = 15;

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
}

/// Some use the value while two others close it.
fn closing(users: usize, closers: usize) {
    let world = World::new();
    let role = |act: fn(&World)| {
        let world = Arc::clone(&world);
        thread::spawn(move || act(&world))
    };
    let threads: Vec<_> = (0..users)
        .map(|_| role(|world| world.use_it(0, MASK, 0)))
        .chain((1..closers).map(|_| role(World::close)))
        .collect();
    world.close();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(world.closed.load(Ordering::Relaxed), 1);
    assert_eq!(world.dropped.load(Ordering::Relaxed), 1);
    assert!(world.slot.enter(0, MASK).is_none());
    assert_eq!(world.open(1), Some(1), "it can be used again");
}

#[test]
fn a_value_is_dropped_once_and_never_while_it_is_used() {
    check(|| closing(2, 1));
}

#[test]
fn one_of_those_who_close_has_closed_it() {
    check(|| closing(1, 2));
}

/// One closes the value and another puts the next one in its place, while a third uses what it remembers.
fn reusing(mask: u64) {
    let world = World::new();
    let (closer, late) = (Arc::clone(&world), Arc::clone(&world));
    let threads = [
        thread::spawn(move || {
            closer.close();
            closer.open(1);
        }),
        thread::spawn(move || late.use_it(0, mask, 0)),
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
    check(|| reusing(MASK));
    // Without the generation.
    must_fail(|| reusing(0));
}
