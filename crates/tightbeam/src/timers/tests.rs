//! Timers in virtual time. What happens is what libzmq 4.3.4 was seen to do, but for an interval of zero,
//! with which its execute never ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use super::*;

const MS: Duration = Duration::from_millis(1);

/// A set, its clock, and which timers have fired.
struct Bench {
    timers: Timers,
    now: Instant,
    fired: Arc<Mutex<Vec<&'static str>>>,
}

impl Bench {
    fn new() -> Bench {
        Bench { timers: Timers::new(), now: Instant::now(), fired: Arc::default() }
    }

    fn note(&self, name: &'static str) -> impl Fn() + Send + 'static {
        let fired = Arc::clone(&self.fired);
        move || fired.lock().unwrap().push(name)
    }

    fn add(&self, ms: u32, name: &'static str) -> TimerId {
        let note = self.note(name);
        self.timers.add_at(self.now, ms * MS, move |_, _| note())
    }

    /// Lets so much time pass and answers what fires then.
    fn after(&mut self, ms: u32) -> Vec<&'static str> {
        self.now += ms * MS;
        let count = self.timers.execute_at(self.now);
        let fired = std::mem::take(&mut *self.fired.lock().unwrap());
        assert_eq!(fired.len(), count);
        fired
    }

    fn left(&self) -> Option<Duration> {
        self.timers.timeout_at(self.now)
    }
}

#[test]
fn timers_fire_at_their_intervals_in_the_order_of_their_times() {
    let mut bench = Bench::new();
    assert_eq!(bench.left(), None);
    bench.add(30, "slow");
    bench.add(20, "fast");
    assert_eq!(bench.left(), Some(20 * MS));
    assert!(bench.after(19).is_empty());
    assert_eq!(bench.left(), Some(MS));
    assert_eq!(bench.after(1), ["fast"]);
    assert_eq!(bench.after(10), ["slow"]);
    assert_eq!(bench.after(40), ["fast", "slow"]);
}

#[test]
fn a_timer_that_is_late_fires_once_and_then_an_interval_later() {
    let mut bench = Bench::new();
    bench.add(10, "ten");
    bench.add(30, "thirty");
    assert_eq!(bench.after(1_000), ["ten", "thirty"]);
    assert_eq!(bench.left(), Some(10 * MS));
    assert!(bench.after(9).is_empty());
    assert_eq!(bench.after(1), ["ten"]);
}

#[test]
fn an_interval_of_zero_fires_once_for_each_execute() {
    let mut bench = Bench::new();
    bench.add(0, "zero");
    assert_eq!(bench.left(), Some(Duration::ZERO));
    assert_eq!(bench.after(0), ["zero"]);
    assert_eq!(bench.after(0), ["zero"]);
}

#[test]
fn set_interval_and_reset_count_from_now() {
    let mut bench = Bench::new();
    let id = bench.add(10, "it");
    bench.now += 6 * MS;
    bench.timers.reset_at(bench.now, id).unwrap();
    assert_eq!(bench.left(), Some(10 * MS));
    bench.now += 6 * MS;
    bench.timers.set_interval_at(bench.now, id, 50 * MS).unwrap();
    assert_eq!(bench.left(), Some(50 * MS));
    assert_eq!(bench.after(50), ["it"]);
    assert_eq!(bench.left(), Some(50 * MS));
}

#[test]
fn timers_that_are_not_there_are_refused() {
    let bench = Bench::new();
    let id = bench.add(10, "it");
    bench.timers.cancel(id).unwrap();
    assert_eq!((bench.left(), bench.timers.len()), (None, 0));
    let results = [
        bench.timers.cancel(id),
        bench.timers.reset(id),
        bench.timers.set_interval(id, MS),
        bench.timers.cancel(TimerId::from_i32(-5)),
    ];
    for result in results {
        assert_eq!(result.unwrap_err().errno(), libc::EINVAL);
    }
    assert_ne!(bench.add(10, "another"), id);
}

#[test]
fn a_handler_may_cancel_its_own_timer_and_others() {
    let mut bench = Bench::new();
    let note = bench.note("canceller");
    let victim = Arc::new(Mutex::new(None));
    let other = Arc::clone(&victim);
    bench.timers.add_at(bench.now, 5 * MS, move |timers, id| {
        note();
        timers.cancel(id).unwrap();
        assert!(timers.cancel(id).is_err());
        timers.cancel(other.lock().unwrap().unwrap()).unwrap();
    });
    *victim.lock().unwrap() = Some(bench.add(6, "victim"));
    assert_eq!(bench.after(10), ["canceller"]);
    assert!(bench.timers.is_empty());
    assert!(bench.after(100).is_empty());
}

#[test]
fn a_handler_may_add_timers_which_wait_for_the_next_execute() {
    let mut bench = Bench::new();
    let (note, inner, start) = (bench.note("outer"), Arc::new(bench.note("inner")), bench.now);
    bench.timers.add_at(bench.now, 5 * MS, move |timers, _| {
        note();
        let inner = Arc::clone(&inner);
        timers.add_at(start, Duration::ZERO, move |_, _| inner());
    });
    assert_eq!(bench.after(5), ["outer"]);
    assert_eq!(bench.after(0), ["inner"]);
}

#[test]
fn what_a_handler_does_to_its_own_timer_holds() {
    let mut bench = Bench::new();
    let (note, now) = (bench.note("it"), bench.now);
    bench.timers.add_at(now, 5 * MS, move |timers, id| {
        note();
        timers.set_interval_at(now, id, 100 * MS).unwrap();
    });
    assert_eq!(bench.after(5), ["it"]);
    assert_eq!(bench.left(), Some(95 * MS));
}

#[test]
fn a_handler_that_panics_keeps_its_timer() {
    let mut bench = Bench::new();
    let note = bench.note("after the panic");
    let mut first = true;
    bench.timers.add_at(bench.now, 5 * MS, move |_, _| {
        assert!(!std::mem::take(&mut first), "once");
        note();
    });
    bench.now += 5 * MS;
    let caught = catch_unwind(AssertUnwindSafe(|| bench.timers.execute_at(bench.now)));
    assert!(caught.is_err());
    assert_eq!(bench.after(5), ["after the panic"]);
}

#[test]
fn a_handler_that_executes_is_not_called_within_itself() {
    let mut bench = Bench::new();
    let note = bench.note("it");
    let now = bench.now + 5 * MS;
    bench.timers.add_at(bench.now, Duration::ZERO, move |timers, _| {
        note();
        assert_eq!(timers.execute_at(now), 0);
    });
    assert_eq!(bench.after(5), ["it"]);
}

#[test]
fn what_a_cancelled_handler_holds_may_use_the_set() {
    struct Last(Arc<Timers>);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.add(MS, |_, _| {});
        }
    }
    let timers = Arc::new(Timers::new());
    let last = Last(Arc::clone(&timers));
    let id = timers.add(MS, move |_, _| {
        let _ = &last;
    });
    timers.cancel(id).unwrap();
    assert_eq!(timers.len(), 1);
}

#[test]
fn intervals_beyond_the_clock_are_for_ever() {
    let mut bench = Bench::new();
    bench.timers.add_at(bench.now, Duration::MAX, |_, _| {});
    assert!(bench.left().unwrap() > Duration::from_secs(1 << 30));
    assert!(bench.after(1_000).is_empty());
}
