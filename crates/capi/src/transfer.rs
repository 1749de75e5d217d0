//! Sending and receiving.

use std::ffi::c_int;
use std::mem;

use tightbeam::{AnySocket, Frame, Timing};

use crate::constants::{ZMQ_DONTWAIT, ZMQ_SNDMORE};
use crate::entry::{Result, enter, int_len};
use crate::raw::{Handle, Input, Msg, Out, Output, Parts, copy_for_c};
use crate::socket::socket;

#[inline]
fn timing(flags: c_int) -> Option<Timing> {
    (flags & ZMQ_DONTWAIT != 0).then_some(Timing::Never)
}

#[inline]
fn send_bytes(socket: &AnySocket, bytes: &[u8], flags: c_int) -> Result<()> {
    if flags & ZMQ_SNDMORE == 0 {
        return Ok(socket.send_slice(bytes, timing(flags))?);
    }
    Ok(socket.send_slice_part(bytes, true, timing(flags))?)
}

#[inline]
fn send_frame(socket: &AnySocket, frame: &Frame, flags: c_int) -> Result<()> {
    Ok(socket.send_part(frame, flags & ZMQ_SNDMORE != 0, timing(flags))?)
}

/// Sends a copy of so many bytes as a part of a message. Answers how many.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_send(socket: Handle, buf: Input, len: usize, flags: c_int) -> c_int {
    enter(-1, || {
        let socket = self::socket(socket)?;
        send_bytes(&socket, buf.bytes(len)?, flags)?;
        Ok(int_len(len))
    })
}

/// The same with bytes that stay as they are for ever; many are not copied.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_send_const(socket: Handle, buf: Input, len: usize, flags: c_int) -> c_int {
    enter(-1, || {
        let socket = self::socket(socket)?;
        send_frame(&socket, &buf.constant(len)?, flags)?;
        Ok(int_len(len))
    })
}

/// Receives a part of a message into a buffer. Answers how long the part is; what the buffer has no room for is lost.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_recv(socket: Handle, buf: Output, len: usize, flags: c_int) -> c_int {
    enter(-1, || {
        let socket = self::socket(socket)?;
        let copied = socket.recv_into(buf.room(len)?, timing(flags))?;
        Ok(int_len(copied.len))
    })
}

/// Sends a message, which is empty afterwards; on failure it is as it was. Answers its size.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_send(msg: Msg, socket: Handle, flags: c_int) -> c_int {
    enter(-1, || {
        let (socket, frame) = (self::socket(socket)?, msg.frame()?);
        send_frame(&socket, frame, flags)?;
        let sent = mem::take(frame);
        Ok(int_len(sent.len()))
    })
}

/// Receives a part into a message; what it held is let go. Answers its size.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_recv(msg: Msg, socket: Handle, flags: c_int) -> c_int {
    enter(-1, || {
        let (socket, frame) = (self::socket(socket)?, msg.frame()?);
        let received = socket.recv_part(timing(flags))?;
        let len = int_len(received.len());
        drop(mem::replace(frame, received));
        Ok(len)
    })
}

/// The old name of `zmq_msg_send`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_sendmsg(socket: Handle, msg: Msg, flags: c_int) -> c_int {
    zmq_msg_send(msg, socket, flags)
}

/// The old name of `zmq_msg_recv`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_recvmsg(socket: Handle, msg: Msg, flags: c_int) -> c_int {
    zmq_msg_recv(msg, socket, flags)
}

/// Sends copies of `count` buffers: with `ZMQ_SNDMORE` as the parts of one message, otherwise each as a message. Answers the
/// length of the last one.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_sendiov(socket: Handle, iov: Parts, count: usize, flags: c_int) -> c_int {
    enter(-1, || {
        let socket = self::socket(socket)?;
        let mut parts = iov.bytes(count)?.peekable();
        let mut len = 0;
        while let Some(part) = parts.next() {
            let part = part?;
            let flags = if parts.peek().is_none() { flags & !ZMQ_SNDMORE } else { flags };
            send_bytes(&socket, part, flags)?;
            len = part.len();
        }
        Ok(int_len(len))
    })
}

/// Receives the parts of a message, at most `*count`, each into memory that the caller frees with `free`. Answers how many, and
/// writes the same to `*count`. Parts for which there is no room stay where they are.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_recviov(
    socket: Handle,
    iov: Parts,
    count: Out<usize>,
    flags: c_int,
) -> c_int {
    enter(-1, || {
        let socket = self::socket(socket)?;
        let room = iov.room(count.get(libc::EINVAL)?)?;
        count.put(0);
        let mut received = 0;
        for place in room {
            let part = socket.recv_part(timing(flags))?;
            *place = copy_for_c(part.as_ref())?;
            received += 1;
            count.put(received);
            if !part.more() {
                break;
            }
        }
        Ok(int_len(received))
    })
}
