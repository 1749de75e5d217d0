//! Contexts.

use std::ffi::c_int;

use tightbeam::options::number::context::{IO_THREADS, THREAD_NAME_PREFIX};
use tightbeam::{Context, Error};

use crate::entry::{Errno, Result, enter, status};
use crate::handle::Slab;
use crate::raw::{Handle, Input, Out, Output};
use crate::slot::Entered;

static CONTEXTS: Slab<Context> = Slab::new();

pub(crate) fn context(handle: Handle) -> Result<Entered<'static, Context>> {
    CONTEXTS.enter(handle).ok_or(Errno(libc::EFAULT))
}

/// Makes a context. NULL with errno `EMFILE` if there are too many.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_new() -> Handle {
    enter(Handle::NULL, || CONTEXTS.insert(Context::new()).ok_or(Errno(libc::EMFILE)))
}

/// Shuts a context down, waits until its sockets are closed and have sent what they linger for, and ends it. `EINTR`: call
/// it again.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_term(context: Handle) -> c_int {
    status(|| {
        let entered = self::context(context)?;
        match entered.term() {
            // A forked child has nothing to wait for.
            Ok(()) | Err(Error::Forked) => {}
            Err(error) => return Err(error.into()),
        }
        entered.close();
        Ok(())
    })
}

/// Ends every call that waits in a socket of the context with `ETERM`; its sockets can only be closed from now on.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_shutdown(context: Handle) -> c_int {
    status(|| {
        self::context(context)?.shutdown();
        Ok(())
    })
}

/// Sets an option of a context.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_set(context: Handle, option: c_int, optval: c_int) -> c_int {
    status(|| Ok(self::context(context)?.set_option(option, optval)?))
}

/// An option of a context, or -1.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_get(context: Handle, option: c_int) -> c_int {
    enter(-1, || Ok(self::context(context)?.option(option)?))
}

/// Sets an option of a context that is an `int` or, if it is `ZMQ_THREAD_NAME_PREFIX`, text.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_set_ext(
    context: Handle,
    option: c_int,
    optval: Input,
    optvallen: usize,
) -> c_int {
    status(|| {
        let context = self::context(context)?;
        let value = optval.bytes(optvallen).map_err(|_| Errno(libc::EINVAL))?;
        if let Ok(number) = value.try_into() {
            return Ok(context.set_option(option, c_int::from_ne_bytes(number))?);
        }
        let text = std::str::from_utf8(value).map_err(|_| Errno(libc::EINVAL))?;
        Ok(context.set_text_option(option, text)?)
    })
}

/// Reads an option of a context that is an `int` or, if it is `ZMQ_THREAD_NAME_PREFIX`, text.
#[cfg(feature = "draft")]
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_get_ext(
    context: Handle,
    option: c_int,
    optval: Output,
    optvallen: Out<usize>,
) -> c_int {
    status(|| {
        let context = self::context(context)?;
        let room = optvallen.get(libc::EINVAL)?;
        let value = if option == THREAD_NAME_PREFIX && room != size_of::<c_int>() {
            let mut text = context.text_option(option)?.into_bytes();
            text.push(0);
            text
        } else {
            context.option(option)?.to_ne_bytes().to_vec()
        };
        crate::socket::write_option(&value, optval, optvallen)
    })
}

/// As `zmq_ctx_new`, with so many I/O threads.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_init(io_threads: c_int) -> Handle {
    enter(Handle::NULL, || {
        let context = Context::new();
        context.set_option(IO_THREADS, io_threads)?;
        CONTEXTS.insert(context).ok_or(Errno(libc::EMFILE))
    })
}

/// The old name of `zmq_ctx_term`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_term(context: Handle) -> c_int {
    zmq_ctx_term(context)
}

/// Another old name of `zmq_ctx_term`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_destroy(context: Handle) -> c_int {
    zmq_ctx_term(context)
}
