//! Where scripted peers accept.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;

use crate::paths::{Directory, as_tcp};
use crate::peer::{HANG, Peer, set_buffer};
use crate::transport::over_ipc;

/// Where peers accept.
#[derive(Debug)]
pub struct Lounge {
    listener: Listener,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    Ipc(UnixListener, Directory),
}

impl Listener {
    fn accept(&self) -> std::io::Result<TcpStream> {
        match self {
            Listener::Tcp(listener) => listener.accept().map(|(stream, _)| stream),
            Listener::Ipc(listener, _) => listener.accept().map(|(stream, _)| as_tcp(stream)),
        }
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> i32 {
        match self {
            Listener::Tcp(listener) => listener.as_raw_fd(),
            Listener::Ipc(listener, _) => listener.as_raw_fd(),
        }
    }
}

impl Lounge {
    /// Listens at a port of the system's choice, or at a path.
    ///
    /// # Panics
    /// The system refuses.
    #[must_use]
    pub fn open() -> Lounge {
        let listener = if over_ipc() {
            let directory = Directory::new();
            let listener = UnixListener::bind(directory.path("lounge")).expect("bind");
            Listener::Ipc(listener, directory)
        } else {
            Listener::Tcp(TcpListener::bind("127.0.0.1:0").expect("bind"))
        };
        Lounge { listener }
    }

    /// Listens with a small receive buffer, so that who writes has to stop often.
    ///
    /// # Panics
    /// The system refuses.
    #[must_use]
    pub fn narrow(receive_buffer: i32) -> Lounge {
        let lounge = Lounge::open();
        set_buffer(&lounge.listener, libc::SO_RCVBUF, receive_buffer);
        lounge
    }

    /// The endpoint to connect to.
    ///
    /// # Panics
    /// The system refuses.
    #[must_use]
    pub fn endpoint(&self) -> String {
        match &self.listener {
            Listener::Tcp(listener) => format!("tcp://{}", listener.local_addr().expect("bound")),
            Listener::Ipc(_, directory) => directory.endpoint("lounge"),
        }
    }

    /// Stops listening; a path stays behind, at which nobody listens.
    ///
    /// # Panics
    /// The system refuses.
    pub fn stop(&mut self) {
        // SAFETY: shutdown(2) on a descriptor of ours.
        let done = unsafe { libc::shutdown(self.listener.as_raw_fd(), libc::SHUT_RDWR) };
        assert_eq!(done, 0, "shutdown");
    }

    /// Accepts a connection.
    ///
    /// # Panics
    /// None comes in time.
    #[must_use]
    pub fn accept(&self) -> Peer {
        let deadline = std::time::Instant::now() + HANG;
        match &self.listener {
            Listener::Tcp(listener) => listener.set_nonblocking(true),
            Listener::Ipc(listener, _) => listener.set_nonblocking(true),
        }
        .expect("fcntl");
        loop {
            match self.listener.accept() {
                Ok(stream) => {
                    stream.set_nonblocking(false).expect("fcntl");
                    return Peer::new(stream);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => wait_readable(&self.listener),
                Err(e) => panic!("accept: {e}"),
            }
            assert!(std::time::Instant::now() < deadline, "nobody connected");
        }
    }
}

/// Waits a while for a descriptor to be readable.
fn wait_readable(fd: &impl AsRawFd) {
    let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid entry, as announced.
    unsafe { libc::poll(&mut poll, 1, 1000) };
}
