//! The C ABI of libzmq over Tightbeam: what programs and bindings that were written for `libzmq.so.5` call.
//!
//! Each entry translates and calls `tightbeam`, and has no logic of messaging of its own. What its arguments mean is said by
//! their types, all of them in [`raw`], which is the one file that believes what C promises about pointers. Handles are
//! addresses in a range that is reserved and never followed (`handle`), so that a bad one is an errno and nothing worse.
//! A panic ends in `entry`.
//!
//! `include/zmq.h` is generated from these declarations.
#![allow(non_camel_case_types)]

pub mod auth;
pub mod certificate;
pub mod constants;
pub mod context;
mod entry;
mod handle;
pub mod keys;
pub mod message;
pub mod monitor;
pub mod own;
pub mod poll;
#[cfg(feature = "draft")]
pub mod poller;
pub mod proxy;
pub mod raw;
mod records;
mod slot;
pub mod socket;
mod sync;
pub mod timers;
pub mod transfer;
pub mod types;
pub mod utils;
pub mod version;

use tightbeam::barrier;
