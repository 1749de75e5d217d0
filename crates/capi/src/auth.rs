//! Who is let in: rules for PLAIN, CURVE and addresses, in the place of a handler of ZAP. Rules may be added and taken back at any
//! time, from any thread, and hold for handshakes that follow; nobody is let in whom no rule lets in. A domain is the ZMQ_ZAP_DOMAIN of
//! a socket; the domain `*` is every domain. `EFAULT` for what is no such object, `EINVAL` for text that is NULL or not what it should be.

use std::ffi::{OsStr, c_int};
use std::os::unix::ffi::OsStrExt;

use tightbeam::auth::Authenticator;
use tightbeam::curve::PublicKey;

use crate::context::context;
use crate::entry::{Errno, Result, enter, status};
use crate::handle::Slab;
use crate::raw::{Handle, Out, Text};
use crate::slot::Entered;

static AUTHENTICATORS: Slab<Authenticator> = Slab::new();

fn authenticator(handle: Handle) -> Result<Entered<'static, Authenticator>> {
    AUTHENTICATORS.enter(handle).ok_or(Errno(libc::EFAULT))
}

/// Makes rules that let nobody in. NULL with errno `ENOMEM` if there is no room for them.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_auth_new() -> Handle {
    enter(Handle::NULL, || AUTHENTICATORS.insert(Authenticator::new()).ok_or(Errno(libc::ENOMEM)))
}

/// Lets go of rules and sets the variable to NULL. Contexts that go by them go on to do so.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_auth_destroy(auth_p: Out<Handle>) -> c_int {
    status(|| {
        authenticator(auth_p.get(libc::EFAULT)?)?.close();
        auth_p.put(Handle::NULL);
        Ok(())
    })
}

/// Has a context go by these rules, instead of others or of a handler of ZAP; NULL takes them back.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_ctx_set_auth(context: Handle, auth: Handle) -> c_int {
    status(|| {
        let context = self::context(context)?;
        if auth.is_null() {
            context.remove_authenticator();
        } else {
            context.set_authenticator(Authenticator::clone(&*authenticator(auth)?));
        }
        Ok(())
    })
}

/// Allows addresses, and from then on no others: one address, a network such as `192.0.2.0/24`, or processes over ipc,
/// `localhost:USER:GROUP:PROCESS`, each a number or `*`. Peers of NULL are let in; others have to show who they are.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_auth_allow(auth: Handle, addresses: Text) -> c_int {
    status(|| Ok(authenticator(auth)?.allow(addresses.str()?)?))
}

/// Refuses addresses, also such as are allowed.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_auth_deny(auth: Handle, addresses: Text) -> c_int {
    status(|| Ok(authenticator(auth)?.deny(addresses.str()?)?))
}

/// Takes back what was allowed or denied in these words; `ENOENT` if it was not. When the last one that was allowed is
/// taken back, nobody is.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_auth_forget_address(auth: Handle, addresses: Text) -> c_int {
    status(|| was_there(authenticator(auth)?.forget_address(addresses.str()?)?))
}

/// Lets peers of NULL in, which show nothing of themselves.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_auth_null(auth: Handle, domain: Text) -> c_int {
    status(|| {
        authenticator(auth)?.null(bytes(domain)?);
        Ok(())
    })
}

/// Lets a user of PLAIN in, or changes the password; each has at most 255 bytes.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_auth_plain(
    auth: Handle,
    domain: Text,
    username: Text,
    password: Text,
) -> c_int {
    status(|| {
        let auth = authenticator(auth)?;
        Ok(auth.plain(bytes(domain)?, bytes(username)?, bytes(password)?)?)
    })
}

/// Takes a user of PLAIN back; `ENOENT` if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_auth_forget_user(auth: Handle, domain: Text, username: Text) -> c_int {
    status(|| was_there(authenticator(auth)?.forget_user(bytes(domain)?, bytes(username)?)))
}

/// Lets whoever uses CURVE in.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_auth_curve_any(auth: Handle, domain: Text) -> c_int {
    status(|| {
        authenticator(auth)?.curve_any(bytes(domain)?);
        Ok(())
    })
}

/// Lets the owner of a public key of CURVE in.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_auth_curve_key(
    auth: Handle,
    domain: Text,
    z85_public_key: Text,
) -> c_int {
    status(|| {
        authenticator(auth)?.curve_key(bytes(domain)?, key(z85_public_key)?);
        Ok(())
    })
}

/// Takes a public key back; `ENOENT` if it is not there.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_auth_forget_key(
    auth: Handle,
    domain: Text,
    z85_public_key: Text,
) -> c_int {
    status(|| was_there(authenticator(auth)?.forget_key(bytes(domain)?, &key(z85_public_key)?)))
}

/// Lets the owners of the certificates in a folder in, for as long as they are there. It may be made later.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_auth_curve_folder(auth: Handle, domain: Text, path: Text) -> c_int {
    status(|| {
        let path = OsStr::from_bytes(bytes(path)?);
        authenticator(auth)?.curve_folder(bytes(domain)?, path);
        Ok(())
    })
}

/// Takes all back that was said of a domain; `ENOENT` if nothing was.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_auth_forget_domain(auth: Handle, domain: Text) -> c_int {
    status(|| was_there(authenticator(auth)?.forget_domain(bytes(domain)?)))
}

fn bytes<'a>(text: Text) -> Result<&'a [u8]> {
    Ok(text.get().ok_or(Errno(libc::EINVAL))?.to_bytes())
}

fn key(text: Text) -> Result<PublicKey> {
    text.str()?.parse().map_err(|_| Errno(libc::EINVAL))
}

fn was_there(found: bool) -> Result<()> {
    if found { Ok(()) } else { Err(Errno(libc::ENOENT)) }
}
