//! Properties of messages.

use std::ffi::c_int;

pub const ZMQ_MORE: c_int = 1;
pub const ZMQ_SRCFD: c_int = 2;
pub const ZMQ_SHARED: c_int = 3;

// Bytes that a group may have.
pub const ZMQ_GROUP_MAX_LENGTH: c_int = 255;
