//! A proxy between two sockets over TCP or Unix domain sockets, which can be cut and mended.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::paths::{Directory, as_tcp, path_of};

/// A proxy to one address, over the transport of that. Ends with the process.
#[derive(Debug)]
pub struct Proxy {
    endpoint: String,
    shared: Arc<Shared>,
    _directory: Option<Directory>,
}

#[derive(Debug, Default)]
struct Shared {
    streams: Mutex<Vec<TcpStream>>,
    refusing: AtomicBool,
    stalled: AtomicBool,
    accepted: AtomicUsize,
}

impl Proxy {
    /// Listens at a port or a path of its own and passes on to `target`, as in `tcp://127.0.0.1:5555`.
    pub fn to(target: impl AsRef<str>) -> Proxy {
        Proxy::start(target.as_ref().to_owned()).unwrap_or_else(|error| panic!("proxy: {error}"))
    }

    fn start(target: String) -> io::Result<Proxy> {
        let shared = Arc::new(Shared::default());
        let mine = Arc::clone(&shared);
        if target.starts_with("ipc://") {
            let directory = Directory::new();
            let listener = UnixListener::bind(directory.path("proxy"))?;
            let endpoint = directory.endpoint("proxy");
            thread::spawn(move || {
                listener.incoming().flatten().for_each(|near| mine.take(as_tcp(near), &target));
            });
            return Ok(Proxy { endpoint, shared, _directory: Some(directory) });
        }
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let endpoint = format!("tcp://{}", listener.local_addr()?);
        thread::spawn(move || {
            listener.incoming().flatten().for_each(|near| mine.take(near, &target));
        });
        Ok(Proxy { endpoint, shared, _directory: None })
    }

    /// Where to connect to.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Connections that were made to it, those that it refused included.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Cuts every connection that goes through.
    pub fn cut(&self) {
        for stream in self.shared.streams().drain(..) {
            // Fails when the peer was quicker.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// From now on nothing passes any more, and nobody is told.
    pub fn stall(&self) {
        self.shared.stalled.store(true, Ordering::SeqCst);
    }

    /// From now on new connections are closed at once (or no longer).
    pub fn refuse(&self, refuse: bool) {
        self.shared.refusing.store(refuse, Ordering::SeqCst);
    }
}

impl Shared {
    fn streams(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(self: &Arc<Self>, near: TcpStream, target: &str) {
        self.accepted.fetch_add(1, Ordering::SeqCst);
        if !self.refusing.load(Ordering::SeqCst) {
            // A target that is gone looks like a cut.
            let _ = self.pass_on(near, target);
        }
    }

    fn pass_on(self: &Arc<Self>, near: TcpStream, target: &str) -> io::Result<()> {
        let far = match target.strip_prefix("tcp://") {
            Some(address) => TcpStream::connect(address)?,
            None => UnixStream::connect(path_of(target)).map(as_tcp)?,
        };
        let there = (near.try_clone()?, far.try_clone()?);
        let back = (far.try_clone()?, near.try_clone()?);
        // Before anything passes, so that whoever cuts what has passed something cuts this.
        self.streams().extend([near, far]);
        for (from, to) in [there, back] {
            let shared = Arc::clone(self);
            thread::spawn(move || shared.pump(from, to));
        }
        Ok(())
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let stalled = self.stalled.load(Ordering::SeqCst);
            if !stalled && to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    }
}
