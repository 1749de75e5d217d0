//! What programs declare.

use std::ffi::{c_int, c_void};

/// A message in memory that C owns: 64 bytes, to be initialised before anything else is done with them.
#[derive(Debug)]
#[repr(C)]
pub struct zmq_msg_t {
    _private: [u64; 8],
}

/// Frees a buffer that a message refers to.
pub type zmq_free_fn = unsafe extern "C" fn(data: *mut c_void, hint: *mut c_void);

/// What a thread does.
pub type zmq_thread_fn = unsafe extern "C" fn(arg: *mut c_void);

/// What a timer calls.
pub type zmq_timer_fn = unsafe extern "C" fn(timer_id: c_int, arg: *mut c_void);
