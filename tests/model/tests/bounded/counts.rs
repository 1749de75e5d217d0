//! The reference count of a message's body.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::refcount::RefCount;
use super::{check, must_fail};

/// A body: loom reports accesses that are not ordered.
#[derive(Debug)]
struct Body {
    count: RefCount,
    bytes: UnsafeCell<u32>,
}

fn body() -> Arc<Body> {
    Arc::new(Body { count: RefCount::one(), bytes: UnsafeCell::new(0) })
}

fn read(body: &Body) {
    // SAFETY: nobody writes while there is another reference; loom checks it.
    body.bytes.with(|bytes| unsafe { assert!(*bytes < 2) });
}

fn write(body: &Body) {
    // SAFETY: the caller has the only reference; loom checks it.
    body.bytes.with_mut(|bytes| unsafe { *bytes += 1 });
}

/// Gives a reference up, and frees the body if it was the last.
fn release(body: &Body) -> bool {
    read(body);
    let last = body.count.release();
    if last {
        write(body);
    }
    last
}

#[test]
fn the_last_reference_frees_and_no_other() {
    check(|| {
        let shared = body();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                shared.count.retain();
                let body = Arc::clone(&shared);
                thread::spawn(move || usize::from(release(&body)))
            })
            .collect();
        let mut freed = usize::from(release(&shared));
        freed += threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>();
        assert_eq!(freed, 1);
    });
}

#[test]
fn a_clone_of_a_clone_counts() {
    check(|| {
        let shared = body();
        shared.count.retain();
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            other.count.retain();
            usize::from(release(&other)) + usize::from(release(&other))
        });
        let freed = usize::from(release(&shared)) + thread.join().unwrap();
        assert_eq!(freed, 1);
    });
}

/// An owner that finds itself alone writes.
fn writing(alone: fn(&RefCount) -> bool) {
    let shared = body();
    shared.count.retain();
    let other = Arc::clone(&shared);
    let thread = thread::spawn(move || release(&other));
    if alone(&shared.count) {
        write(&shared);
    }
    thread.join().unwrap();
}

#[test]
fn a_unique_owner_may_write() {
    check(|| writing(RefCount::is_unique));
}

#[test]
fn without_asking_it_may_not() {
    must_fail(|| writing(|_| true));
}
