//! Sockets: opened and closed, bound and connected, and their options.

use std::ffi::c_int;

use tightbeam::{AnySocket, SocketType};

use crate::context::context;
use crate::entry::{Errno, Result, enter, status};
use crate::handle::Slab;
use crate::raw::{Handle, Input, Out, Output, Text};
use crate::slot::Entered;

static SOCKETS: Slab<AnySocket> = Slab::new();

#[inline(always)]
pub(crate) fn socket(handle: Handle) -> Result<Entered<'static, AnySocket>> {
    SOCKETS.enter(handle).ok_or(Errno(libc::ENOTSOCK))
}

/// Opens a socket.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_socket(context: Handle, r#type: c_int) -> Handle {
    enter(Handle::NULL, || {
        let context = self::context(context)?;
        let socket_type = SocketType::from_number(r#type).ok_or(Errno(libc::EINVAL))?;
        SOCKETS.insert(context.any_socket(socket_type)?).ok_or(Errno(libc::EMFILE))
    })
}

/// Closes a socket without waiting; it still sends what it lingers for. Calls that wait in it end with `ENOTSOCK`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_close(socket: Handle) -> c_int {
    status(|| {
        let entered = self::socket(socket)?;
        if !entered.close() {
            return Err(Errno(libc::ENOTSOCK));
        }
        entered.begin_close();
        Ok(())
    })
}

/// Listens at an endpoint.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_bind(socket: Handle, addr: Text) -> c_int {
    status(|| self::socket(socket)?.bind(addr.str()?).map(drop).map_err(Errno::from))
}

/// Connects to an endpoint, now and whenever the connection is lost.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_connect(socket: Handle, addr: Text) -> c_int {
    status(|| self::socket(socket)?.connect(addr.str()?).map(drop).map_err(Errno::from))
}

/// Stops listening at an endpoint.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_unbind(socket: Handle, addr: Text) -> c_int {
    status(|| Ok(self::socket(socket)?.unbind(addr.str()?)?))
}

/// Ends a connection to an endpoint.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_disconnect(socket: Handle, addr: Text) -> c_int {
    status(|| Ok(self::socket(socket)?.disconnect(addr.str()?)?))
}

/// Sets an option.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_setsockopt(
    socket: Handle,
    option: c_int,
    optval: Input,
    optvallen: usize,
) -> c_int {
    status(|| {
        let socket = self::socket(socket)?;
        let value = if optval.is_null() && optvallen == 0 {
            None
        } else {
            Some(optval.bytes(optvallen).map_err(|_| Errno(libc::EINVAL))?)
        };
        Ok(socket.set_option_bytes(option, value)?)
    })
}

/// Reads an option.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_getsockopt(
    socket: Handle,
    option: c_int,
    optval: Output,
    optvallen: Out<usize>,
) -> c_int {
    status(|| {
        let socket = self::socket(socket)?;
        let value = socket.option_bytes(option, optvallen.get(libc::EINVAL)?)?;
        write_option(&value, optval, optvallen)
    })
}

/// Writes the value of an option to the caller's variable, and its length to the other one.
pub(crate) fn write_option(value: &[u8], optval: Output, optvallen: Out<usize>) -> Result<()> {
    let room = optvallen.get(libc::EINVAL)?;
    if room < value.len() || optval.is_null() {
        return Err(Errno(libc::EINVAL));
    }
    // Old programs read an `int` as a longer number.
    let clear = if room <= size_of::<u64>() { room } else { value.len() };
    let (start, tail) = optval.room(clear)?.split_at_mut(value.len());
    start.copy_from_slice(value);
    tail.fill(0);
    optvallen.put(value.len());
    Ok(())
}

/// DISH is not a type of socket here: `ENOTSUP`.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_join(socket: Handle, _group: Text) -> c_int {
    status(|| not_of_any_type(socket))
}

/// DISH is not a type of socket here: `ENOTSUP`.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_leave(socket: Handle, _group: Text) -> c_int {
    status(|| not_of_any_type(socket))
}

/// PEER is not a type of socket here: 0 and `ENOTSUP`.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_connect_peer(socket: Handle, _addr: Text) -> u32 {
    enter(0, || not_of_any_type(socket).map(|()| 0))
}

/// SERVER and PEER are not types of socket here: `ENOTSUP`.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_disconnect_peer(socket: Handle, _routing_id: u32) -> c_int {
    status(|| not_of_any_type(socket))
}

#[cfg(feature = "draft")]
fn not_of_any_type(handle: Handle) -> Result<()> {
    socket(handle)?;
    Err(Errno(libc::ENOTSUP))
}

/// What one peer of a ROUTER or STREAM socket is ready for: `ZMQ_POLLIN`, `ZMQ_POLLOUT`, or 0.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_socket_get_peer_state(
    socket: Handle,
    routing_id: Input,
    routing_id_size: usize,
) -> c_int {
    enter(-1, || {
        let state = self::socket(socket)?.peer_state(routing_id.bytes(routing_id_size)?)?;
        Ok(crate::constants::poll_bits(state).into())
    })
}
