//! Values of options of sockets.

use std::ffi::c_int;

// `ZMQ_MECHANISM`.
pub const ZMQ_NULL: c_int = 0;
pub const ZMQ_PLAIN: c_int = 1;
pub const ZMQ_CURVE: c_int = 2;
pub const ZMQ_GSSAPI: c_int = 3;

// `ZMQ_GSSAPI_PRINCIPAL_NAMETYPE` and `ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE`.
pub const ZMQ_GSSAPI_NT_HOSTBASED: c_int = 0;
pub const ZMQ_GSSAPI_NT_USER_NAME: c_int = 1;
pub const ZMQ_GSSAPI_NT_KRB5_PRINCIPAL: c_int = 2;

// `ZMQ_ROUTER_NOTIFY`, as bits.
#[cfg(feature = "draft")]
pub const ZMQ_NOTIFY_CONNECT: c_int = 1;
#[cfg(feature = "draft")]
pub const ZMQ_NOTIFY_DISCONNECT: c_int = 2;

// `ZMQ_RECONNECT_STOP`, as bits.
#[cfg(feature = "draft")]
pub const ZMQ_RECONNECT_STOP_CONN_REFUSED: c_int = 1;
#[cfg(feature = "draft")]
pub const ZMQ_RECONNECT_STOP_HANDSHAKE_FAILED: c_int = 2;
#[cfg(feature = "draft")]
pub const ZMQ_RECONNECT_STOP_AFTER_DISCONNECT: c_int = 4;

// `ZMQ_NORM_MODE`.
#[cfg(feature = "draft")]
pub const ZMQ_NORM_FIXED: c_int = 0;
#[cfg(feature = "draft")]
pub const ZMQ_NORM_CC: c_int = 1;
#[cfg(feature = "draft")]
pub const ZMQ_NORM_CCL: c_int = 2;
#[cfg(feature = "draft")]
pub const ZMQ_NORM_CCE: c_int = 3;
#[cfg(feature = "draft")]
pub const ZMQ_NORM_CCE_ECNONLY: c_int = 4;
