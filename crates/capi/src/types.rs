//! What programs declare.

#![allow(missing_docs)] // members say what they are

use std::ffi::{c_int, c_short, c_void};

use crate::raw::Handle;

/// A message in memory that C owns: 64 bytes, to be initialised before anything else is done with them.
#[derive(Debug)]
#[repr(C)]
pub struct zmq_msg_t {
    _private: [u64; 8],
}

/// Frees a buffer that a message refers to.
pub type zmq_free_fn = unsafe extern "C" fn(data: *mut c_void, hint: *mut c_void);

/// What a thread does.
pub type zmq_thread_fn = unsafe extern "C-unwind" fn(arg: *mut c_void);

/// What a timer calls.
pub type zmq_timer_fn = unsafe extern "C" fn(timer_id: c_int, arg: *mut c_void);

/// A descriptor of the system's.
pub type zmq_fd_t = c_int;

/// What one poll waits for: a socket or, without one, a descriptor.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct zmq_pollitem_t {
    pub socket: Handle,
    pub fd: zmq_fd_t,
    pub events: c_short,
    pub revents: c_short,
}

/// What a poller found.
#[cfg(feature = "draft")]
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct zmq_poller_event_t {
    pub socket: Handle,
    pub fd: zmq_fd_t,
    pub user_data: Handle,
    pub events: c_short,
}
