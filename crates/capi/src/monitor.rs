//! Monitors: what happens to a socket's connections, as messages.

use std::ffi::c_int;

use tightbeam::SocketType;

use crate::constants::ZMQ_PAIR;
use crate::entry::{Errno, Result, status};
use crate::raw::{Handle, Text};
use crate::socket::socket;

/// Tells of events at an inproc endpoint, to which a PAIR connects; each is a frame with the event (`uint16_t`) and its value
/// (`uint32_t`), and a frame with the endpoint. NULL ends it.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_socket_monitor(socket: Handle, addr: Text, events: c_int) -> c_int {
    // Bits are bits, whatever number they make.
    status(|| monitor(socket, addr, i64::from(events).cast_unsigned(), 1, ZMQ_PAIR))
}

/// The same in a version of its format, by a PAIR, a PUB or a PUSH. Version 2: frames with the event, the number of values and
/// the values (`uint64_t` each), the local and the remote endpoint.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_socket_monitor_versioned(
    socket: Handle,
    addr: Text,
    events: u64,
    event_version: c_int,
    r#type: c_int,
) -> c_int {
    status(|| monitor(socket, addr, events, event_version, r#type))
}

fn monitor(handle: Handle, addr: Text, events: u64, version: c_int, kind: c_int) -> Result<()> {
    let socket = socket(handle)?;
    if addr.get().is_none() {
        return Ok(socket.stop_monitor_socket()?);
    }
    let invalid = Errno(libc::EINVAL);
    let version = u32::try_from(version).map_err(|_| invalid)?;
    let kind = SocketType::from_number(kind).ok_or(invalid)?;
    Ok(socket.monitor_socket(addr.str()?, events, version, kind)?)
}

/// Has the monitor tell of the messages that wait in each direction, for each peer.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_socket_monitor_pipes_stats(socket: Handle) -> c_int {
    status(|| Ok(self::socket(socket)?.monitor_pipes_stats()?))
}
