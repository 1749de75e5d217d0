//! Types of `zmq_device`, which are all the same.

use std::ffi::c_int;

pub const ZMQ_STREAMER: c_int = 1;
pub const ZMQ_FORWARDER: c_int = 2;
pub const ZMQ_QUEUE: c_int = 3;
