//! Unix domain sockets: their paths, and what lets them be used like others.

use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A directory of a test's own, removed with all that is in it.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// An empty one.
    ///
    /// # Panics
    /// The system refuses.
    #[must_use]
    pub fn new() -> Directory {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("tightbeam-test-{}-{count}", std::process::id());
            let path = std::env::temp_dir().join(name);
            match std::fs::create_dir(&path) {
                Ok(()) => return Directory(path),
                // A process that was killed has left it, and its number came again.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => panic!("a directory for temporary files: {error}"),
            }
        }
    }

    /// The path of a file in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
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

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
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
