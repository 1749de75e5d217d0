//! What can go wrong, in words, with the errno that the C API answers.

use std::io;

use zmtp::SocketType;

/// The result of a call on a context or a socket.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. [`Error::errno`] gives the number that libzmq's callers know.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The call would have to wait, and was told not to, or its time-out passed (`EAGAIN`).
    #[error("would block: {0}")]
    WouldBlock(&'static str),
    /// Another thread is using the socket just now; only calls that never wait say so (`EAGAIN`).
    #[error("the socket is busy in another thread")]
    Busy,
    /// A signal ended the wait (`EINTR`).
    #[error("a signal interrupted the call")]
    Interrupted,
    /// The context was shut down or terminated (`ETERM`).
    #[error("the context was terminated")]
    Terminated,
    /// The socket was closed (`ENOTSOCK`).
    #[error("the socket is closed")]
    Closed,
    /// The object was inherited through `fork` and is dead in this process (`ENOTSOCK`).
    #[error("the socket belongs to the parent process: open a new context after fork")]
    Forked,
    /// The socket type cannot do this at all (`ENOTSUP`).
    #[error("a {socket} socket cannot {operation}")]
    Unsupported {
        /// The type of the socket.
        socket: SocketType,
        /// What was asked of it.
        operation: &'static str,
    },
    /// The socket type cannot do this now (`EFSM`): REQ and REP alternate.
    #[error("out of turn: {0}")]
    OutOfTurn(&'static str),
    /// No peer has the routing id in the message's first part (`EHOSTUNREACH`).
    #[error("no peer with routing id \"{}\"", .0.escape_ascii())]
    Unroutable(Vec<u8>),
    /// The message cannot be sent on this socket as it is (`EINVAL`).
    #[error("bad message: {0}")]
    BadMessage(&'static str),
    /// A part is longer than the context's MAX_MSGSZ (`EMSGSIZE`).
    #[error("a part of {size} bytes is too long: the context's limit is {most}")]
    TooLong {
        /// The length of the part, in bytes.
        size: usize,
        /// The most there may be.
        most: usize,
    },
    /// There is no memory for a copy of so many bytes (`ENOMEM`).
    #[error("no memory for a copy of {0} bytes")]
    OutOfMemory(usize),
    /// The endpoint is malformed (`EINVAL`).
    #[error("bad endpoint {endpoint:?}: {reason}")]
    BadEndpoint {
        /// What the caller gave.
        endpoint: String,
        /// What is wrong with it and what was expected.
        reason: &'static str,
    },
    /// The address is longer than the system takes (`ENAMETOOLONG`).
    #[error("endpoint {endpoint:?} is too long: at most {limit} bytes may follow its transport")]
    EndpointTooLong {
        /// What the caller gave.
        endpoint: String,
        /// The most bytes behind `://`.
        limit: usize,
    },
    /// The transport does not exist, or not here (`EPROTONOSUPPORT`).
    #[error("no such transport here as in {endpoint:?}: expected one of {expected}")]
    UnknownTransport {
        /// What the caller gave; its transport is what stands before `://`.
        endpoint: String,
        /// The transports that exist here.
        expected: &'static str,
    },
    /// The transport is not for sockets of this type (`ENOCOMPATPROTO`).
    #[error("a {socket} socket cannot use the transport of {endpoint:?}")]
    UnfitTransport {
        /// What the caller gave.
        endpoint: String,
        /// The type of the socket.
        socket: SocketType,
    },
    /// Not bound or connected to this endpoint (`ENOENT`).
    #[error("not bound or connected to {0:?}")]
    UnknownEndpoint(String),
    /// An option's value is out of range or of the wrong type (`EINVAL`).
    #[error("option {option}: {given} is not valid, expected {expected}")]
    BadOption {
        /// The option's name.
        option: &'static str,
        /// What was given.
        given: Box<str>,
        /// What would be accepted.
        expected: &'static str,
    },
    /// There is no such option, or this socket type has no use for it (`EINVAL`).
    #[error("no option {0} here")]
    UnknownOption(String),
    /// The context has as many sockets as it may have (`EMFILE`).
    #[error("the context already has {0} sockets, the most it may have")]
    TooManySockets(usize),
    /// The context has no I/O threads, and the transport needs one (`EMTHREAD`).
    #[error("the context has no I/O thread, which {0} needs")]
    NoIoThread(&'static str),
    /// The options ask for security that is not there (`ENOTSUP`): no connection is made without it.
    #[error(
        "{0} is not there for this socket: connections are refused rather than made without it"
    )]
    NoMechanism(&'static str),
    /// An argument is not valid, or names nothing (`EINVAL`).
    #[error("{0}")]
    BadArgument(&'static str),
    /// A wait for ever for nothing would never end (`EFAULT`).
    #[error("there is nothing to wait for")]
    NothingToWaitFor,
    /// The operating system refused.
    #[error("{operation}: {source}")]
    Io {
        /// What was attempted.
        operation: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// libzmq's own error numbers start here.
const HAUSNUMERO: i32 = 156_384_712;
/// Operation out of turn.
pub const EFSM: i32 = HAUSNUMERO + 51;
/// The transport is not for sockets of this type.
pub const ENOCOMPATPROTO: i32 = HAUSNUMERO + 52;
/// Context terminated.
pub const ETERM: i32 = HAUSNUMERO + 53;
/// No I/O thread.
pub const EMTHREAD: i32 = HAUSNUMERO + 54;

impl Error {
    /// The errno that the C API answers for this error.
    #[must_use]
    pub fn errno(&self) -> i32 {
        match self {
            Error::WouldBlock(_) | Error::Busy => libc::EAGAIN,
            Error::Interrupted => libc::EINTR,
            Error::Terminated => ETERM,
            Error::Closed | Error::Forked => libc::ENOTSOCK,
            Error::Unsupported { .. } | Error::NoMechanism(_) => libc::ENOTSUP,
            Error::OutOfTurn(_) => EFSM,
            Error::TooLong { .. } => libc::EMSGSIZE,
            Error::OutOfMemory(_) => libc::ENOMEM,
            Error::Unroutable(_) => libc::EHOSTUNREACH,
            Error::NothingToWaitFor => libc::EFAULT,
            Error::BadMessage(_)
            | Error::BadArgument(_)
            | Error::BadEndpoint { .. }
            | Error::BadOption { .. }
            | Error::UnknownOption(_) => libc::EINVAL,
            Error::EndpointTooLong { .. } => libc::ENAMETOOLONG,
            Error::UnknownTransport { .. } => libc::EPROTONOSUPPORT,
            Error::UnfitTransport { .. } => ENOCOMPATPROTO,
            Error::UnknownEndpoint(_) => libc::ENOENT,
            Error::TooManySockets(_) => libc::EMFILE,
            Error::NoIoThread(_) => EMTHREAD,
            Error::Io { source, .. } => source.raw_os_error().unwrap_or(libc::EIO),
        }
    }

    /// Whether trying again later may succeed: the call would have waited.
    #[must_use]
    pub fn is_would_block(&self) -> bool {
        matches!(self, Error::WouldBlock(_) | Error::Busy)
    }

    pub(crate) fn io(operation: &'static str) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { operation, source }
    }
}
