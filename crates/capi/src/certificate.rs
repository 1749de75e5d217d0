//! Keys of CURVE with what is known about their owner, in the files of czmq and pyzmq. `EFAULT` for what is no certificate, `EINVAL` for
//! text that is NULL or not what it should be.

use std::ffi::{OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tightbeam::curve::{Certificate, CertificateError, CertificateFault, Keypair};

use crate::entry::{Errno, Result, enter, status};
use crate::handle::Slab;
use crate::keys;
use crate::raw::{Handle, Out, Output, Text};
use crate::slot::Entered;

static CERTIFICATES: Slab<Mutex<Certificate>> = Slab::new();

fn certificate(handle: Handle) -> Result<Entered<'static, Mutex<Certificate>>> {
    CERTIFICATES.enter(handle).ok_or(Errno(libc::EFAULT))
}

fn insert(certificate: Certificate) -> Result<Handle> {
    CERTIFICATES.insert(Mutex::new(certificate)).ok_or(Errno(libc::ENOMEM))
}

/// Makes a certificate with a new pair of keys. NULL with errno `EIO` if the system has no random bytes, `ENOMEM` if there is no
/// room for it.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_cert_new() -> Handle {
    enter(Handle::NULL, || {
        insert(Certificate::new(Keypair::generate().map_err(|_| Errno(libc::EIO))?))
    })
}

/// Reads one file, public or secret. NULL with the system's errno if it cannot be read, with `EINVAL` if it is no certificate; why,
/// with file and line, is then written as text into `reason`, cut if it is longer than `size`, unless that is 0.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_cert_load(path: Text, reason: Out<c_char>, size: usize) -> Handle {
    enter(Handle::NULL, || {
        let room = reason.array(size, libc::EFAULT)?;
        match Certificate::load(self::path(path)?) {
            Ok(certificate) => insert(certificate),
            Err(error) => {
                keys::write_cut(room, &error.to_string());
                Err(errno(&error))
            }
        }
    })
}

/// Lets go of a certificate and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_cert_destroy(cert_p: Out<Handle>) -> c_int {
    status(|| {
        certificate(cert_p.get(libc::EFAULT)?)?.close();
        cert_p.put(Handle::NULL);
        Ok(())
    })
}

/// Writes the secret file, whose path is this one and `_secret`, with mode 0600, and then the public one. `EINVAL` without a secret key.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_cert_save(cert: Handle, path: Text) -> c_int {
    save(cert, path, |certificate, path| certificate.save(path))
}

/// Writes the public key and the metadata.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_cert_save_public(cert: Handle, path: Text) -> c_int {
    save(cert, path, |certificate, path| certificate.save_public(path))
}

/// Writes both keys and the metadata, with mode 0600. `EINVAL` without a secret key.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_cert_save_secret(cert: Handle, path: Text) -> c_int {
    save(cert, path, |certificate, path| certificate.save_secret(path))
}

/// Writes the public key: 40 characters and a zero byte.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_cert_public_key(cert: Handle, z85_public_key: Out<c_char>) -> c_int {
    status(|| {
        let key = lock(&*certificate(cert)?).public_key();
        keys::write(keys::room(z85_public_key)?, &key.to_string());
        Ok(())
    })
}

/// Writes the secret key: 40 characters and a zero byte. `ENOENT` if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_cert_secret_key(cert: Handle, z85_secret_key: Out<c_char>) -> c_int {
    status(|| {
        let entered = certificate(cert)?;
        let certificate = lock(&entered);
        let key = certificate.secret_key().ok_or(Errno(libc::ENOENT))?;
        keys::write(keys::room(z85_secret_key)?, &key.to_z85());
        Ok(())
    })
}

/// Sets a property.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_cert_set(cert: Handle, name: Text, value: Text) -> c_int {
    status(|| {
        let set = lock(&*certificate(cert)?).set(name.str()?, value.str()?);
        set.map_err(|_| Errno(libc::EINVAL))
    })
}

/// Writes the value of a property and a zero byte where there is room for `*size` bytes; `*size` is then how many they are. `ENOENT` if
/// there is no such property.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_cert_get(
    cert: Handle,
    name: Text,
    value: Output,
    size: Out<usize>,
) -> c_int {
    status(|| {
        let entered = certificate(cert)?;
        let certificate = lock(&entered);
        let found = certificate.get(name.str()?).ok_or(Errno(libc::ENOENT))?;
        let text = [found.as_bytes(), &[0]].concat();
        crate::socket::write_option(&text, value, size)
    })
}

fn save(
    cert: Handle,
    path: Text,
    save: fn(&Certificate, &Path) -> std::result::Result<(), CertificateError>,
) -> c_int {
    status(|| {
        // Files are written without the lock.
        let certificate = lock(&*certificate(cert)?).clone();
        save(&certificate, self::path(path)?).map_err(|error| errno(&error))
    })
}

fn lock(certificate: &Mutex<Certificate>) -> MutexGuard<'_, Certificate> {
    // No method leaves one half changed.
    certificate.lock().unwrap_or_else(PoisonError::into_inner)
}

fn path<'a>(path: Text) -> Result<&'a Path> {
    let path = path.get().ok_or(Errno(libc::EINVAL))?;
    Ok(Path::new(OsStr::from_bytes(path.to_bytes())))
}

fn errno(error: &CertificateError) -> Errno {
    match error.fault() {
        CertificateFault::Io(error) => Errno(error.raw_os_error().unwrap_or(libc::EIO)),
        _ => Errno(libc::EINVAL),
    }
}
