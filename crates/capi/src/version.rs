//! Who we say we are, and errors in words.

use std::ffi::{CStr, c_char, c_int};

use crate::constants::{ZMQ_VERSION_MAJOR, ZMQ_VERSION_MINOR, ZMQ_VERSION_PATCH};
use crate::entry::Errno;
use crate::raw::{Out, Text};

/// Writes the version of libzmq whose interface this is. NULL is skipped.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_version(major: Out<c_int>, minor: Out<c_int>, patch: Out<c_int>) {
    major.put(ZMQ_VERSION_MAJOR);
    minor.put(ZMQ_VERSION_MINOR);
    patch.put(ZMQ_VERSION_PATCH);
}

/// What the calling thread's last failed call left in `errno`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_errno() -> c_int {
    Errno::last().0
}

/// An error in words, which stay valid. Also takes the system's numbers.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_strerror(errnum: c_int) -> *const c_char {
    let words: &CStr = match errnum {
        tightbeam::EFSM => c"The socket cannot do this in its present state",
        tightbeam::ENOCOMPATPROTO => c"The transport does not fit the type of the socket",
        tightbeam::ETERM => c"The context was terminated",
        tightbeam::EMTHREAD => c"The context has no I/O thread",
        _ => return crate::raw::system_error(errnum),
    };
    words.as_ptr()
}

/// 1 if the library has what the name says (`ipc`, `curve`, `draft` and so on), else 0.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_has(capability: Text) -> c_int {
    c_int::from(capability.get().is_some_and(|name| name == c"ipc" || name == c"curve"))
}
