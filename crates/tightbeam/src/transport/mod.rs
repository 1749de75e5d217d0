//! Transports: how bytes get from one process to another.

pub(crate) mod tcp;

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use mio::event::Source;
use mio::{Interest, Registry, Token};

use crate::sys;

/// Reads that throw away input before a stream is closed.
const DISCARDS: usize = 64;

/// A connected stream, or one that is connecting. Never blocks.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(mio::net::TcpStream),
}

/// A listener. Never blocks.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(mio::net::TcpListener),
}

impl Stream {
    /// Reads into the buffers in turn.
    pub(crate) fn read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => (&*tcp).read_vectored(buffers),
        }
    }

    /// Reads into one buffer.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => (&*tcp).read(buffer),
        }
    }

    /// Writes one buffer.
    pub(crate) fn write(&self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => (&*tcp).write(buffer),
        }
    }

    /// Writes the buffers in turn.
    pub(crate) fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => (&*tcp).write_vectored(buffers),
        }
    }

    /// How the connection attempt ended; `Ok(false)` while it goes on.
    pub(crate) fn finish_connect(&self) -> io::Result<bool> {
        match self {
            Stream::Tcp(tcp) => {
                if let Some(error) = tcp.take_error()? {
                    return Err(error);
                }
                match tcp.peer_addr() {
                    Ok(_) => Ok(true),
                    Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Ends both directions; a thread that reads or writes just now is told at once.
    pub(crate) fn shutdown(&self) {
        match self {
            // Fails when the peer was quicker.
            Stream::Tcp(tcp) => drop(tcp.shutdown(Shutdown::Both)),
        }
    }

    /// Throws away what has arrived, if the system still has something to deliver: a stream closed with
    /// unread input is reset, and that would be lost.
    pub(crate) fn discard_input(&self) {
        if sys::unsent(self.as_fd()) == 0 {
            return;
        }
        let mut buffer = [0; 16 * 1024];
        for _ in 0..DISCARDS {
            if !matches!(self.read(&mut buffer), Ok(n) if n > 0) {
                return;
            }
        }
    }

    /// The peer's address without the port.
    pub(crate) fn peer_address(&self) -> String {
        match self {
            Stream::Tcp(tcp) => {
                tcp.peer_addr().map_or_else(|_| String::new(), |a| a.ip().to_string())
            }
        }
    }

    /// Puts the stream into a poll. Writability is asked for from the start: an idle TCP stream
    /// reports it only once, and after that only when a write had to stop.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Stream::Tcp(tcp) => {
                tcp.register(registry, token, Interest::READABLE | Interest::WRITABLE)
            }
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Tcp(tcp) => tcp.as_fd(),
        }
    }
}

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Stream::Tcp(tcp) => tcp.as_raw_fd(),
        }
    }
}

impl Listener {
    /// Accepts a connection.
    pub(crate) fn accept(&self) -> io::Result<Stream> {
        match self {
            Listener::Tcp(tcp) => tcp.accept().map(|(stream, _)| Stream::Tcp(stream)),
        }
    }

    /// Puts the listener into a poll.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Listener::Tcp(tcp) => tcp.register(registry, token, Interest::READABLE),
        }
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Listener::Tcp(tcp) => tcp.as_raw_fd(),
        }
    }
}
