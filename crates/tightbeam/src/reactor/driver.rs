//! The task that drives a socket in the I/O thread's place, as far as the socket knows it; kept under the socket's lock.
//!
//! The wakers that are answered are woken or dropped once the lock is released.

use std::task::Waker;

/// A place for one driver.
#[derive(Debug, Default)]
pub(crate) struct DriverSlot {
    driver: Option<Driver>,
    last_number: u64,
}

#[derive(Debug)]
struct Driver {
    number: u64,
    /// None once it was called, until it comes.
    waker: Option<Waker>,
    /// It found the seat taken.
    wants_seat: bool,
}

impl DriverSlot {
    /// Whether there is a driver. If not, a socket on which futures wait stays with the I/O thread.
    pub(crate) fn is_taken(&self) -> bool {
        self.driver.is_some()
    }

    /// Another drives from now on; answers its number. The one before is to be woken: it finds that it is not the driver any more.
    pub(crate) fn begin(&mut self) -> (u64, Option<Waker>) {
        self.last_number += 1;
        let number = self.last_number;
        let before = self.driver.replace(Driver { number, waker: None, wants_seat: false });
        (number, before.and_then(|driver| driver.waker))
    }

    /// The driver with this number drives no more.
    pub(crate) fn end(&mut self, number: u64) -> Option<Waker> {
        self.driver.take_if(|driver| driver.number == number)?.waker
    }

    /// The driver with this number has come: whether it was called, or none if it is not the driver any more. Its waker is taken if
    /// it was.
    pub(crate) fn attend(&mut self, number: u64, waker: &mut Option<Waker>) -> Option<bool> {
        let driver = self.driver.as_mut().filter(|driver| driver.number == number)?;
        driver.wants_seat = false;
        let called = driver.waker.is_none();
        if called {
            driver.waker = waker.take();
        }
        Some(called)
    }

    /// The driver found the seat taken: whoever leaves it calls.
    pub(crate) fn want_seat(&mut self) {
        if let Some(driver) = &mut self.driver {
            driver.wants_seat = true;
        }
    }

    /// Has the driver come.
    pub(crate) fn call(&mut self) -> Option<Waker> {
        self.driver.as_mut()?.waker.take()
    }

    /// The seat is free: has the driver come if it looked for it, or there is something left to do.
    pub(crate) fn call_to_seat(&mut self, left: bool) -> Option<Waker> {
        let driver = self.driver.as_mut()?;
        if left || driver.wants_seat { driver.waker.take() } else { None }
    }
}
