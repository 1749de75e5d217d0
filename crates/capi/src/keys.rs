//! Keys and their printable form.

use std::ffi::{c_char, c_int};

use tightbeam::z85;

use crate::entry::{Errno, Result, enter, status};
use crate::raw::{Octets, Out, Text};

/// Writes bytes, whose number is a multiple of 4, as text and a zero byte. NULL and `EINVAL` if it is none.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_z85_encode(dest: Out<c_char>, data: Octets, size: usize) -> Out<c_char> {
    enter(Out::NULL, || {
        let text = z85::encode(data.bytes(size)?).map_err(|_| Errno(libc::EINVAL))?;
        let room = dest.array(text.len() + 1, libc::EINVAL)?;
        for (place, byte) in room.iter_mut().zip(text.bytes().chain([0])) {
            *place = byte.cast_signed();
        }
        Ok(dest)
    })
}

/// Writes the bytes that a text stands for. NULL and `EINVAL` if its length is 0 or no multiple of 5, or it is no such text.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_z85_decode(dest: Out<u8>, string: Text) -> Out<u8> {
    enter(Out::NULL, || {
        let text =
            Some(string.str()?).filter(|text| !text.is_empty()).ok_or(Errno(libc::EINVAL))?;
        let bytes = z85::decode(text).map_err(|_| Errno(libc::EINVAL))?;
        dest.array(bytes.len(), libc::EINVAL)?.copy_from_slice(&bytes);
        Ok(dest)
    })
}

/// Makes a pair of keys for CURVE, which is not there: `ENOTSUP`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_curve_keypair(_public: Out<c_char>, _secret: Out<c_char>) -> c_int {
    status(no_curve)
}

/// Derives the public key of a secret key of CURVE, which is not there: `ENOTSUP`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_curve_public(_public: Out<c_char>, _secret: Text) -> c_int {
    status(no_curve)
}

fn no_curve() -> Result<()> {
    Err(Errno(libc::ENOTSUP))
}
