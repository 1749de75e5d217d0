//! What a poll waits for.

use std::ffi::{c_int, c_short};

pub const ZMQ_POLLIN: c_short = 1;
pub const ZMQ_POLLOUT: c_short = 2;
pub const ZMQ_POLLERR: c_short = 4;
pub const ZMQ_POLLPRI: c_short = 8;

// A number of items that programs have room for.
pub const ZMQ_POLLITEMS_DFLT: c_int = 16;
