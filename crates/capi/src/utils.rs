//! What libzmq offers to C beside messaging: counters, watches, threads.

use std::ffi::{c_int, c_uint, c_ulong};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::entry::{Errno, Result, enter, status};
use crate::handle::Slab;
use crate::raw::{Handle, Out, Task, Thread};
use crate::slot::Entered;
use crate::types::zmq_thread_fn;

static COUNTERS: Slab<AtomicI32> = Slab::new();
static WATCHES: Slab<Instant> = Slab::new();
static THREADS: Slab<Mutex<Option<Thread>>> = Slab::new();

const BAD_HANDLE: Errno = Errno(libc::EFAULT);

fn counter(handle: Handle) -> Result<Entered<'static, AtomicI32>> {
    COUNTERS.enter(handle).ok_or(BAD_HANDLE)
}

/// Makes a counter that threads may share; it is 0.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_atomic_counter_new() -> Handle {
    enter(Handle::NULL, || COUNTERS.insert(AtomicI32::new(0)).ok_or(Errno(libc::ENOMEM)))
}

/// Sets a counter.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_atomic_counter_set(counter: Handle, value: c_int) {
    enter((), || {
        self::counter(counter)?.store(value, Ordering::SeqCst);
        Ok(())
    });
}

/// Adds 1; answers what it was before. A counter that is not answers 0 here and below.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_atomic_counter_inc(counter: Handle) -> c_int {
    enter(0, || Ok(self::counter(counter)?.fetch_add(1, Ordering::SeqCst)))
}

/// Takes 1 away; answers 1 while the counter is above 0, else 0.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_atomic_counter_dec(counter: Handle) -> c_int {
    enter(0, || Ok((self::counter(counter)?.fetch_sub(1, Ordering::SeqCst) != 1).into()))
}

/// The value of a counter.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_atomic_counter_value(counter: Handle) -> c_int {
    enter(0, || Ok(self::counter(counter)?.load(Ordering::SeqCst)))
}

/// Ends a counter and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_atomic_counter_destroy(counter_p: Out<Handle>) {
    enter((), || {
        counter(counter_p.get(libc::EFAULT)?)?.close();
        counter_p.put(Handle::NULL);
        Ok(())
    });
}

/// Starts a watch.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_stopwatch_start() -> Handle {
    enter(Handle::NULL, || WATCHES.insert(Instant::now()).ok_or(Errno(libc::ENOMEM)))
}

fn watch(handle: Handle) -> Result<Entered<'static, Instant>> {
    WATCHES.enter(handle).ok_or(BAD_HANDLE)
}

fn microseconds(watch: &Instant) -> c_ulong {
    c_ulong::try_from(watch.elapsed().as_micros()).unwrap_or(c_ulong::MAX)
}

/// The microseconds since a watch was started.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_stopwatch_intermediate(watch: Handle) -> c_ulong {
    enter(0, || Ok(microseconds(&*self::watch(watch)?)))
}

/// The same, and the end of the watch.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_stopwatch_stop(watch: Handle) -> c_ulong {
    enter(0, || {
        let watch = self::watch(watch)?;
        let passed = microseconds(&watch);
        watch.close();
        Ok(passed)
    })
}

/// Sleeps for so many seconds.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_sleep(seconds: c_int) {
    // Negative: not at all.
    thread::sleep(Duration::from_secs(c_uint::try_from(seconds).unwrap_or(0).into()));
}

/// Calls `func(arg)` in a thread of its own. NULL and `EAGAIN` if there can be none.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_threadstart(func: Option<zmq_thread_fn>, arg: Handle) -> Handle {
    enter(Handle::NULL, || {
        let task = Task::new(func.ok_or(BAD_HANDLE)?, arg);
        // The handle comes first: a thread cannot be called back.
        let handle = THREADS.insert(Mutex::new(None)).ok_or(Errno(libc::EAGAIN))?;
        let entered = thread(handle)?;
        match task.start() {
            Ok(started) => *place_of(&entered) = Some(started),
            Err(errno) => {
                entered.close();
                return Err(errno);
            }
        }
        Ok(handle)
    })
}

fn thread(handle: Handle) -> Result<Entered<'static, Mutex<Option<Thread>>>> {
    THREADS.enter(handle).ok_or(BAD_HANDLE)
}

fn place_of(thread: &Mutex<Option<Thread>>) -> MutexGuard<'_, Option<Thread>> {
    // Poisoned or not, it is the handle that counts.
    thread.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until the thread has ended.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_threadclose(thread: Handle) {
    status(|| {
        let entered = self::thread(thread)?;
        entered.close();
        let thread = place_of(&entered).take();
        if let Some(thread) = thread {
            thread.join();
        }
        Ok(())
    });
}
