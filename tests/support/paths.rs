//! Unix domain sockets: their paths, and what lets them be used like others.

use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A directory of a test's own, removed with all that is in it.
#[derive(Debug)]
pub struct Directory(TempDir);

impl Directory {
    /// An empty one.
    ///
    /// # Panics
    /// The system refuses.
    #[must_use]
    pub fn new() -> Directory {
        Directory(tempfile::tempdir().expect("a directory for temporary files"))
    }

    /// The path of a file in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The endpoint of a socket in it.
    ///
    /// # Panics
    /// The directory for temporary files has a strange name.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> String {
        format!("ipc://{}", self.path(name).to_str().expect("a path in UTF-8"))
    }
}

impl Default for Directory {
    fn default() -> Directory {
        Directory::new()
    }
}

/// The path of an IPC endpoint.
///
/// # Panics
/// It is an endpoint of another transport.
#[must_use]
pub fn path_of(endpoint: &str) -> &Path {
    Path::new(endpoint.strip_prefix("ipc://").expect("ipc"))
}

/// The same descriptor by another name: reading, writing and closing are alike.
pub(crate) fn as_tcp(stream: UnixStream) -> TcpStream {
    TcpStream::from(OwnedFd::from(stream))
}
