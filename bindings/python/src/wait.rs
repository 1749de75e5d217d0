//! Waiting without the GIL, and signals.

use std::time::{Duration, Instant};

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyFloat;
use tightbeam::options::OwnedValue;
use tightbeam::options::number::{RCVTIMEO, SNDTIMEO};
use tightbeam::{AnySocket, Error, Result, Timing};

use crate::error::exception;
use crate::pace::Pace;

/// How long a send or a receive may wait.
#[derive(Clone, Copy)]
pub(crate) enum Patience {
    /// Not at all.
    None,
    /// As the socket's option with this number says.
    Option(i32),
    /// So long, whatever the option says.
    Within(Duration),
}

const DONTWAIT: i32 = 1;

impl Patience {
    /// From the flags of a call that sends, and its argument `timeout` in seconds.
    pub(crate) fn to_send(flags: i32, timeout: Option<f64>) -> PyResult<Patience> {
        Patience::new(flags, timeout, SNDTIMEO)
    }

    /// The same of one that receives.
    pub(crate) fn to_receive(flags: i32, timeout: Option<f64>) -> PyResult<Patience> {
        Patience::new(flags, timeout, RCVTIMEO)
    }

    fn new(flags: i32, timeout: Option<f64>, option: i32) -> PyResult<Patience> {
        match timeout {
            _ if flags & DONTWAIT != 0 => Ok(Patience::None),
            None => Ok(Patience::Option(option)),
            Some(seconds) if seconds.is_nan() => {
                Err(PyValueError::new_err("the timeout is not a number of seconds"))
            }
            Some(seconds) => match Duration::try_from_secs_f64(seconds.max(0.0)) {
                Ok(wait) => Ok(Patience::Within(wait)),
                Err(_) => Err(PyOverflowError::new_err("the timeout is too long")),
            },
        }
    }

    fn deadline(self, socket: &AnySocket) -> Result<Deadline> {
        let wait = match self {
            Patience::None => Some(Duration::ZERO),
            Patience::Within(wait) => Some(wait),
            Patience::Option(number) => match socket.option(number)? {
                OwnedValue::Int(ms) => u64::try_from(ms).ok().map(Duration::from_millis),
                _ => None,
            },
        };
        Ok(Deadline::after(wait))
    }
}

/// When a wait is over; `None` inside is never.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    at: Option<Instant>,
    at_once: bool,
}

impl Deadline {
    pub(crate) fn after(wait: Option<Duration>) -> Deadline {
        let at = wait.and_then(|wait| Instant::now().checked_add(wait));
        Deadline { at, at_once: wait == Some(Duration::ZERO) }
    }

    /// The time that is left; `None` is for ever.
    pub(crate) fn left(self) -> Option<Duration> {
        if self.at_once {
            return Some(Duration::ZERO);
        }
        self.at.map(|at| at.saturating_duration_since(Instant::now()))
    }

    fn timing(self) -> Timing {
        self.left().into()
    }
}

/// Does something on a socket: tries with the GIL and without waiting for anything, then without the GIL for as long as
/// there is patience. None if it would have to wait, and may not at all. Signals are handled at once; what their
/// handlers raise ends the wait.
pub(crate) fn patiently<T: Send>(
    py: Python<'_>,
    socket: &AnySocket,
    patience: Patience,
    mut attempt: impl FnMut(Timing) -> Result<T> + Send,
) -> PyResult<Option<T>> {
    match attempt(Timing::TryLock) {
        Ok(done) => Ok(Some(done)),
        Err(Error::WouldBlock(_)) if matches!(patience, Patience::None) => Ok(None),
        Err(Error::WouldBlock(_) | Error::Busy | Error::Interrupted) => {
            without_gil(py, socket, patience, attempt)
        }
        Err(error) => Err(exception(py, &error)),
    }
}

/// The same for what receives, which tries for a moment without the GIL before it sleeps.
pub(crate) fn receive<T: Send>(
    py: Python<'_>,
    socket: &AnySocket,
    patience: Patience,
    pace: &Pace,
    mut attempt: impl FnMut(Timing) -> Result<T> + Send,
) -> PyResult<Option<T>> {
    let mut is_first = true;
    patiently(py, socket, patience, |timing| {
        let sleeps = matches!(timing, Timing::Within(_) | Timing::Forever);
        if sleeps && std::mem::take(&mut is_first) {
            match pace.try_for_a_moment(&mut attempt) {
                Err(Error::WouldBlock(_)) => {}
                done => return done,
            }
        }
        attempt(timing)
    })
}

/// The same without the GIL from the beginning: for what wakes a thread that wants the GIL next.
pub(crate) fn without_gil<T: Send>(
    py: Python<'_>,
    socket: &AnySocket,
    patience: Patience,
    mut attempt: impl FnMut(Timing) -> Result<T> + Send,
) -> PyResult<Option<T>> {
    let mut deadline = None;
    loop {
        let ended = py.detach(|| {
            let until = match deadline {
                Some(until) => until,
                None => *deadline.insert(patience.deadline(socket)?),
            };
            attempt(until.timing())
        });
        match ended {
            Err(Error::Interrupted) => py.check_signals()?,
            Err(Error::WouldBlock(_)) if matches!(patience, Patience::None) => return Ok(None),
            Err(error) => return Err(exception(py, &error)),
            Ok(done) => return Ok(Some(done)),
        }
    }
}

/// Does what may wait for a lock or longer without the GIL, again after each signal.
pub(crate) fn unlocked<T: Send>(
    py: Python<'_>,
    mut call: impl FnMut() -> Result<T> + Send,
) -> PyResult<T> {
    loop {
        match py.detach(&mut call) {
            Err(Error::Interrupted) => py.check_signals()?,
            Err(error) => return Err(exception(py, &error)),
            Ok(done) => return Ok(done),
        }
    }
}

/// Whether an argument is true as Python has it: `copy=1` and `track=None` are common.
pub(crate) fn truth(argument: &Bound<'_, PyAny>) -> PyResult<bool> {
    argument.is_truthy()
}

/// A time-out in milliseconds as pyzmq takes it: a number, `None` or a negative one for ever.
pub(crate) fn milliseconds(timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Duration>> {
    let Some(timeout) = timeout.filter(|timeout| !timeout.is_none()) else { return Ok(None) };
    let ms = if timeout.is_instance_of::<PyFloat>() {
        timeout.extract::<f64>()?.ceil()
    } else {
        let number = timeout.extract::<i64>().map_err(|error| match error {
            error if error.is_instance_of::<PyTypeError>(timeout.py()) => {
                PyTypeError::new_err("the timeout must be a number of milliseconds")
            }
            error => error,
        })?;
        number as f64
    };
    if ms < 0.0 {
        return Ok(None);
    }
    if ms.is_nan() {
        return Err(PyValueError::new_err("the timeout is not a number"));
    }
    Duration::try_from_secs_f64(ms / 1000.0)
        .map(Some)
        .map_err(|_| PyOverflowError::new_err("the timeout is too long"))
}
