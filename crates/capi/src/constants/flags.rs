//! Flags of sending and receiving.

use std::ffi::c_int;

pub const ZMQ_DONTWAIT: c_int = 1;
pub const ZMQ_SNDMORE: c_int = 2;

// An old name.
pub const ZMQ_NOBLOCK: c_int = ZMQ_DONTWAIT;
