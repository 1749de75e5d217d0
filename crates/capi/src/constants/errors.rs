//! Errors beside those of the system.

use std::ffi::c_int;

pub const ZMQ_HAUSNUMERO: c_int = 156_384_712;

// What systems lack that have it not among their own.
pub const ENOTSUP: c_int = ZMQ_HAUSNUMERO + 1;
pub const EPROTONOSUPPORT: c_int = ZMQ_HAUSNUMERO + 2;
pub const ENOBUFS: c_int = ZMQ_HAUSNUMERO + 3;
pub const ENETDOWN: c_int = ZMQ_HAUSNUMERO + 4;
pub const EADDRINUSE: c_int = ZMQ_HAUSNUMERO + 5;
pub const EADDRNOTAVAIL: c_int = ZMQ_HAUSNUMERO + 6;
pub const ECONNREFUSED: c_int = ZMQ_HAUSNUMERO + 7;
pub const EINPROGRESS: c_int = ZMQ_HAUSNUMERO + 8;
pub const ENOTSOCK: c_int = ZMQ_HAUSNUMERO + 9;
pub const EMSGSIZE: c_int = ZMQ_HAUSNUMERO + 10;
pub const EAFNOSUPPORT: c_int = ZMQ_HAUSNUMERO + 11;
pub const ENETUNREACH: c_int = ZMQ_HAUSNUMERO + 12;
pub const ECONNABORTED: c_int = ZMQ_HAUSNUMERO + 13;
pub const ECONNRESET: c_int = ZMQ_HAUSNUMERO + 14;
pub const ENOTCONN: c_int = ZMQ_HAUSNUMERO + 15;
pub const ETIMEDOUT: c_int = ZMQ_HAUSNUMERO + 16;
pub const EHOSTUNREACH: c_int = ZMQ_HAUSNUMERO + 17;
pub const ENETRESET: c_int = ZMQ_HAUSNUMERO + 18;

// What no system has.
pub const EFSM: c_int = ZMQ_HAUSNUMERO + 51;
pub const ENOCOMPATPROTO: c_int = ZMQ_HAUSNUMERO + 52;
pub const ETERM: c_int = ZMQ_HAUSNUMERO + 53;
pub const EMTHREAD: c_int = ZMQ_HAUSNUMERO + 54;

const _: () = assert!(
    EFSM == tightbeam::EFSM
        && ENOCOMPATPROTO == tightbeam::ENOCOMPATPROTO
        && ETERM == tightbeam::ETERM
        && EMTHREAD == tightbeam::EMTHREAD
);
