//! How every entry ends: with a value, or with errno set. No panic gets past it.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tightbeam::{Error, OutOfMemory};

/// What an entry leaves in `errno`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) c_int);

impl From<Error> for Errno {
    #[cold]
    fn from(error: Error) -> Errno {
        Errno(error.errno())
    }
}

impl From<OutOfMemory> for Errno {
    #[cold]
    fn from(_: OutOfMemory) -> Errno {
        Errno(libc::ENOMEM)
    }
}

pub(crate) type Result<T> = std::result::Result<T, Errno>;

/// Runs an entry; `failure` is what it answers when errno is set.
#[inline]
pub(crate) fn enter<T>(failure: T, entry: impl FnOnce() -> Result<T>) -> T {
    match catch_unwind(AssertUnwindSafe(entry)) {
        Ok(Ok(value)) => value,
        Ok(Err(errno)) => {
            errno.set();
            failure
        }
        Err(_) => {
            // A mistake of ours, told on standard error; what it was about may be half done.
            Errno(libc::ENOTRECOVERABLE).set();
            failure
        }
    }
}

/// Runs an entry that answers 0 or -1.
#[inline]
pub(crate) fn status(entry: impl FnOnce() -> Result<()>) -> c_int {
    enter(-1, || entry().map(|()| 0))
}

/// A length as C's `int` has it.
pub(crate) fn int_len(len: usize) -> c_int {
    c_int::try_from(len).unwrap_or(c_int::MAX)
}
