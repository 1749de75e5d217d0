//! Timers for a program's own loop.

use std::ffi::{c_int, c_long};
use std::time::Duration;

use tightbeam::{TimerId, Timers};

use crate::entry::{Errno, Result, enter, status};
use crate::handle::Slab;
use crate::raw::{Alarm, Handle, Out};
use crate::slot::Entered;
use crate::types::zmq_timer_fn;

static TIMERS: Slab<Timers> = Slab::new();

fn timers(handle: Handle) -> Result<Entered<'static, Timers>> {
    TIMERS.enter(handle).ok_or(Errno(libc::EFAULT))
}

fn milliseconds(interval: usize) -> Duration {
    Duration::from_millis(u64::try_from(interval).unwrap_or(u64::MAX))
}

/// Makes a set of timers. NULL with errno `ENOMEM` if there is no room for it.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_new() -> Handle {
    enter(Handle::NULL, || TIMERS.insert(Timers::new()).ok_or(Errno(libc::ENOMEM)))
}

/// Ends a set of timers and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_destroy(timers_p: Out<Handle>) -> c_int {
    status(|| {
        timers(timers_p.get(libc::EFAULT)?)?.close();
        timers_p.put(Handle::NULL);
        Ok(())
    })
}

/// Adds a timer that calls `handler(timer_id, arg)` again and again, each time `interval` milliseconds later. Answers its
/// number.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_add(
    timers: Handle,
    interval: usize,
    handler: Option<zmq_timer_fn>,
    arg: Handle,
) -> c_int {
    enter(-1, || {
        let timers = self::timers(timers)?;
        let alarm = Alarm::new(handler.ok_or(Errno(libc::EFAULT))?, arg);
        Ok(timers.add(milliseconds(interval), move |_, id| alarm.ring(id.as_i32())).as_i32())
    })
}

/// Removes a timer.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_cancel(timers: Handle, timer_id: c_int) -> c_int {
    status(|| Ok(self::timers(timers)?.cancel(TimerId::from_i32(timer_id))?))
}

/// Changes the interval of a timer, which begins now.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_set_interval(
    timers: Handle,
    timer_id: c_int,
    interval: usize,
) -> c_int {
    status(|| {
        let timers = self::timers(timers)?;
        Ok(timers.set_interval(TimerId::from_i32(timer_id), milliseconds(interval))?)
    })
}

/// Begins the interval of a timer again.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_reset(timers: Handle, timer_id: c_int) -> c_int {
    status(|| Ok(self::timers(timers)?.reset(TimerId::from_i32(timer_id))?))
}

/// How many milliseconds there are until the next timer is due; -1 without a timer, which leaves errno alone.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_timeout(timers: Handle) -> c_long {
    enter(-1, || {
        let Some(left) = self::timers(timers)?.timeout() else { return Ok(-1) };
        // Whoever sleeps so long shall find it due.
        Ok(c_long::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(c_long::MAX))
    })
}

/// Calls the handlers of the timers that are due.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_execute(timers: Handle) -> c_int {
    status(|| {
        self::timers(timers)?.execute();
        Ok(())
    })
}
