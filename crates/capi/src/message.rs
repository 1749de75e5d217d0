//! Messages: one part each, in 64 bytes of the caller's.

use std::ffi::{c_char, c_int, c_void};
use std::mem;
use std::ptr;

use tightbeam::Frame;

use crate::constants::{ZMQ_MORE, ZMQ_SHARED, ZMQ_SRCFD};
use crate::entry::{Errno, Result, enter, status};
use crate::raw::{Buffer, ConstMsg, Handle, Input, Msg, Text};
use crate::types::zmq_free_fn;

/// Makes an empty message.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_init(msg: Msg) -> c_int {
    status(|| msg.init(Frame::new()))
}

/// Makes a message of so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_init_size(msg: Msg, size: usize) -> c_int {
    status(|| msg.init(Frame::try_zeroed(size)?))
}

/// Makes a message that refers to a buffer. `ffn(data, hint)` is called once, by whichever thread needs the buffer last;
/// without it the buffer is a constant.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_init_data(
    msg: Msg,
    data: Buffer,
    size: usize,
    ffn: Option<zmq_free_fn>,
    hint: Handle,
) -> c_int {
    status(|| msg.init_foreign(data, size, ffn, hint))
}

/// Makes a message with a copy of so many bytes.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_init_buffer(msg: Msg, buf: Input, size: usize) -> c_int {
    status(|| msg.init(Frame::try_copy_from(buf.bytes(size)?)?))
}

/// Ends a message: it holds nothing any more. A message that is closed is no message: `EFAULT`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_close(msg: Msg) -> c_int {
    status(|| msg.close())
}

/// Moves a message: what was in `dest` is let go, and `src` is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_move(dest: Msg, src: Msg) -> c_int {
    status(|| {
        dest.frame()?;
        let frame = mem::take(src.frame()?);
        assign(dest, frame)
    })
}

/// Makes `dest` the same message as `src`; the bytes are shared. What was in `dest` is let go.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_copy(dest: Msg, src: Msg) -> c_int {
    status(|| {
        let frame = src.frame()?.clone();
        assign(dest, frame)
    })
}

/// What was there is dropped last: its free function may look at the message.
fn assign(dest: Msg, frame: Frame) -> Result<()> {
    let before = mem::replace(dest.frame()?, frame);
    drop(before);
    Ok(())
}

/// Where the bytes are; they may be written to.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_data(msg: Msg) -> *mut c_void {
    enter(ptr::null_mut(), || Ok(msg.frame()?.as_mut_ptr()?.cast()))
}

/// How many bytes the message has.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_size(msg: ConstMsg) -> usize {
    enter(0, || Ok(msg.frame()?.len()))
}

/// Whether more parts follow the one that was received.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_more(msg: ConstMsg) -> c_int {
    enter(0, || Ok(msg.frame()?.more().into()))
}

/// A property of a message: `ZMQ_MORE`, `ZMQ_SRCFD`, `ZMQ_SHARED`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_get(msg: ConstMsg, property: c_int) -> c_int {
    enter(-1, || {
        let frame = msg.frame()?;
        match property {
            ZMQ_MORE => Ok(frame.more().into()),
            ZMQ_SHARED => Ok(frame.is_shared().into()),
            ZMQ_SRCFD => {
                frame.peer().and_then(tightbeam::Peer::descriptor).ok_or(Errno(libc::EINVAL))
            }
            _ => Err(Errno(libc::EINVAL)),
        }
    })
}

/// No property of a message can be set: `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_set(msg: Msg, _property: c_int, _optval: c_int) -> c_int {
    status(|| {
        msg.frame()?;
        Err(Errno(libc::EINVAL))
    })
}

/// What is known about the peer that a message came from, by name; valid as long as the message. NULL and `EINVAL` if it is
/// not known.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_gets(msg: ConstMsg, property: Text) -> *const c_char {
    enter(ptr::null(), || {
        let (frame, name) = (msg.frame()?, property.str()?);
        let value =
            frame.peer().and_then(|peer| peer.get_c_str(name)).ok_or(Errno(libc::EINVAL))?;
        Ok(value.as_ptr())
    })
}

/// Sets the routing id of a message for a SERVER or PEER socket: anything but 0.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_set_routing_id(msg: Msg, routing_id: u32) -> c_int {
    status(|| {
        let frame = msg.frame()?;
        if routing_id == 0 {
            return Err(Errno(libc::EINVAL));
        }
        frame.set_routing_id(routing_id);
        Ok(())
    })
}

/// The routing id of a message; 0 if it has none.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_routing_id(msg: Msg) -> u32 {
    enter(0, || Ok(msg.frame()?.routing_id()))
}

/// Sets the group of a message for a RADIO socket: at most 255 bytes.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_set_group(msg: Msg, group: Text) -> c_int {
    status(|| {
        let (frame, group) = (msg.frame()?, group.get().ok_or(Errno(libc::EINVAL))?);
        frame.set_group(group.to_bytes()).map_err(|_| Errno(libc::EINVAL))
    })
}

/// The group of a message; empty if it has none. Valid as long as the message is.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_group(msg: Msg) -> *const c_char {
    enter(ptr::null(), || Ok(msg.frame()?.group_c_str().as_ptr()))
}
