//! `ipc://path`: the addresses of Unix domain sockets.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::Reason;

/// The most bytes behind `ipc://`: what a `sockaddr_un` holds, with the zero byte that ends it.
pub(super) const LENGTH_MAX: usize = 107;

/// Where a Unix domain socket is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum IpcAddress {
    /// `*`: a path of our choice.
    Any,
    /// In the file system.
    Path(Arc<str>),
    /// In Linux's abstract namespace, without the `@`.
    Abstract(Arc<str>),
}

impl IpcAddress {
    pub(super) fn for_connect(&self) -> Result<(), Reason> {
        match self {
            IpcAddress::Any => Err("connect needs a path, not `*`"),
            IpcAddress::Path(_) | IpcAddress::Abstract(_) => Ok(()),
        }
    }
}

impl FromStr for IpcAddress {
    type Err = Reason;

    fn from_str(text: &str) -> Result<IpcAddress, Reason> {
        if text.contains('\0') {
            return Err("expected a path without zero bytes");
        }
        match text.strip_prefix('@') {
            Some("") => Err("expected a name after the @"),
            Some(name) => Ok(IpcAddress::Abstract(name.into())),
            None if text.is_empty() => Err("expected a path, @ and a name, or *"),
            None if text == "*" => Ok(IpcAddress::Any),
            None => Ok(IpcAddress::Path(text.into())),
        }
    }
}

impl fmt::Display for IpcAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IpcAddress::Any => f.write_str("*"),
            IpcAddress::Path(path) => f.write_str(path),
            IpcAddress::Abstract(name) => write!(f, "@{name}"),
        }
    }
}
