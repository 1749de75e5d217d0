//! Keys and their printable form.

use std::ffi::{c_char, c_int};

use tightbeam::curve::{Keypair, SecretKey};
use tightbeam::z85;

use crate::entry::{Errno, Result, enter, status};
use crate::raw::{Octets, Out, Text};

/// A key as text, with its zero byte.
const KEY_TEXT_SIZE: usize = 41;

/// Writes bytes, whose number is a multiple of 4, as text and a zero byte. NULL and `EINVAL` if it is none.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_z85_encode(dest: Out<c_char>, data: Octets, size: usize) -> Out<c_char> {
    enter(Out::NULL, || {
        let text = z85::encode(data.bytes(size)?).map_err(|_| Errno(libc::EINVAL))?;
        write(dest.array(text.len() + 1, libc::EINVAL)?, &text);
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

/// Makes a new pair of keys for CURVE: each 40 characters and a zero byte. `EIO` if the system has no random bytes.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_curve_keypair(
    z85_public_key: Out<c_char>,
    z85_secret_key: Out<c_char>,
) -> c_int {
    status(|| {
        let [public, secret] = [room(z85_public_key)?, room(z85_secret_key)?];
        let keypair = Keypair::generate().map_err(|_| Errno(libc::EIO))?;
        write(public, &keypair.public.to_string());
        write(secret, &keypair.secret.to_z85());
        Ok(())
    })
}

/// Writes the public key that belongs to a secret key. `EINVAL` if that is not 40 characters of Z85.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_curve_public(z85_public_key: Out<c_char>, z85_secret_key: Text) -> c_int {
    status(|| {
        let secret = z85_secret_key.str()?.parse::<SecretKey>().map_err(|_| Errno(libc::EINVAL))?;
        write(room(z85_public_key)?, &secret.public_key().to_string());
        Ok(())
    })
}

/// Room for a key as text.
pub(crate) fn room<'a>(key: Out<c_char>) -> Result<&'a mut [c_char]> {
    key.array(KEY_TEXT_SIZE, libc::EINVAL)
}

/// Writes as much of a text as there is room for, and a zero byte.
pub(crate) fn write_cut(room: &mut [c_char], text: &str) {
    if let Some((end, room)) = room.split_last_mut() {
        *end = 0;
        write(room, text);
    }
}

/// Writes text and a zero byte.
pub(crate) fn write(room: &mut [c_char], text: &str) {
    for (place, byte) in room.iter_mut().zip(text.bytes().chain([0])) {
        *place = byte.cast_signed();
    }
}
