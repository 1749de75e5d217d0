//! Transports: how bytes get from one process to another.

pub(crate) mod ipc;
mod names;
mod socks;
pub(crate) mod tcp;

use std::io::{self, IoSlice, IoSliceMut, Read};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::event::Source;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use self::ipc::{IpcListener, IpcStream};
pub(crate) use self::names::TcpRoute;
pub(crate) use self::socks::{Negotiation, SocksError};
use crate::options::Options;
use crate::sys;

/// Buffers that the system takes at once.
const SLICES: usize = libc::UIO_MAXIOV as usize;

/// Reads that throw away input in one go.
const DISCARDS: usize = 64;

/// A connected stream, or one that is connecting. Never blocks.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(mio::net::TcpStream),
    Ipc(IpcStream),
}

/// How far input was thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discarded {
    /// Nothing is left for now.
    All,
    /// There may be more.
    Some,
    /// Nothing more will come.
    Ended,
}

/// A listener. Never blocks.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(mio::net::TcpListener),
    Ipc(IpcListener),
}

impl Stream {
    /// Reads into the buffers in turn.
    pub(crate) fn read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => (&*tcp).read_vectored(buffers),
            Stream::Ipc(ipc) => ipc.read_vectored(buffers),
        }
    }

    /// Reads into one buffer.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => (&*tcp).read(buffer),
            Stream::Ipc(ipc) => ipc.read(buffer),
        }
    }

    /// Writes one buffer.
    pub(crate) fn write(&self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => send(tcp, buffer),
            Stream::Ipc(ipc) => send(ipc, buffer),
        }
    }

    /// Writes the buffers in turn.
    pub(crate) fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => send_vectored(tcp, buffers),
            Stream::Ipc(ipc) => send_vectored(ipc, buffers),
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
            Stream::Ipc(_) => Ok(true),
        }
    }

    /// Ends both directions; a thread that reads or writes just now is told at once.
    pub(crate) fn shutdown(&self) {
        match self {
            // Fails when the peer was quicker.
            Stream::Tcp(tcp) => drop(tcp.shutdown(Shutdown::Both)),
            Stream::Ipc(ipc) => ipc.shutdown(),
        }
    }

    /// Nothing more can arrive; what has arrived can still be read.
    pub(crate) fn end_input(&self) {
        match self {
            // Fails when the connection is gone, and then nothing arrives anyway.
            Stream::Tcp(tcp) => drop(tcp.shutdown(Shutdown::Read)),
            Stream::Ipc(ipc) => ipc.end_input(),
        }
    }

    /// Whether closing it with unread input resets it, so that what was written may be lost.
    pub(crate) fn may_be_reset(&self) -> bool {
        match self {
            Stream::Tcp(_) => true,
            Stream::Ipc(_) => false,
        }
    }

    /// Tells the peer that nothing more follows.
    pub(crate) fn finish_writing(&self) {
        match self {
            // Fails when the peer was quicker.
            Stream::Tcp(tcp) => drop(tcp.shutdown(Shutdown::Write)),
            Stream::Ipc(_) => {}
        }
    }

    /// How many bytes of those written, the end counted as one, the peer's system has not taken yet.
    pub(crate) fn unsent(&self) -> usize {
        sys::unsent(self.as_fd())
    }

    /// Throws away what has arrived, up to a limit.
    pub(crate) fn discard(&self) -> Discarded {
        let mut buffer = [0; 16 * 1024];
        for _ in 0..DISCARDS {
            match self.read(&mut buffer) {
                Ok(n) if n > 0 => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Discarded::All,
                Ok(_) | Err(_) => return Discarded::Ended,
            }
        }
        Discarded::Some
    }

    /// Throws away what has arrived, if the system still has something to deliver that a reset would lose.
    pub(crate) fn discard_input(&self) {
        if self.may_be_reset() && self.unsent() > 0 {
            self.discard();
        }
    }

    /// The peer's address without the port; over IPC `localhost:`, its user, group and process.
    pub(crate) fn peer_address(&self) -> String {
        match self {
            Stream::Tcp(tcp) => {
                tcp.peer_addr().map_or_else(|_| String::new(), |a| a.ip().to_string())
            }
            Stream::Ipc(ipc) => ipc.credentials().map_or_else(
                |_| String::new(),
                |peer| format!("localhost:{}:{}:{}", peer.uid, peer.gid, peer.pid),
            ),
        }
    }

    /// The endpoints of this end and of the other; none where only listeners have names.
    pub(crate) fn ends(&self) -> Option<(String, String)> {
        match self {
            Stream::Tcp(tcp) => Some((name(tcp.local_addr()), name(tcp.peer_addr()))),
            Stream::Ipc(_) => None,
        }
    }

    /// Sets what can be set once the stream has been accepted.
    pub(crate) fn tune(&self, options: &Options) -> io::Result<()> {
        match self {
            Stream::Tcp(tcp) => tcp::tune(tcp, options),
            Stream::Ipc(_) => Ok(()),
        }
    }

    /// Whether the filters of the listener that accepted the stream let the peer in.
    pub(crate) fn is_welcome(&self, options: &Options) -> bool {
        match self {
            Stream::Tcp(tcp) => tcp::is_welcome(tcp, options),
            Stream::Ipc(ipc) => ipc.is_welcome(options),
        }
    }

    /// Puts the stream into a poll. Writability of TCP is asked for from the start: an idle stream
    /// reports it only once, and after that only when a write had to stop.
    pub(crate) fn register(&mut self, registry: &Arc<Registry>, token: Token) -> io::Result<()> {
        match self {
            Stream::Tcp(tcp) => {
                tcp.register(registry, token, Interest::READABLE | Interest::WRITABLE)
            }
            Stream::Ipc(ipc) => ipc.register(registry, token),
        }
    }

    /// A write had to stop (`true`), or may go on (`false`): whether the poll is to tell of room.
    pub(crate) fn watch_room(&self, watch: bool) {
        match self {
            Stream::Tcp(_) => {}
            Stream::Ipc(ipc) => ipc.watch_room(watch),
        }
    }
}

// `write` and `writev` would raise SIGPIPE where the peer has gone, which ends a C program that has not asked for it.

fn send(stream: &impl AsFd, buffer: &[u8]) -> io::Result<usize> {
    SockRef::from(stream).send_with_flags(buffer, libc::MSG_NOSIGNAL)
}

fn send_vectored(stream: &impl AsFd, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    let buffers = &buffers[..buffers.len().min(SLICES)];
    SockRef::from(stream).send_vectored_with_flags(buffers, libc::MSG_NOSIGNAL)
}

fn name(address: io::Result<SocketAddr>) -> String {
    address.map_or_else(|_| String::new(), |address| format!("tcp://{address}"))
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Tcp(tcp) => tcp.as_fd(),
            Stream::Ipc(ipc) => ipc.as_fd(),
        }
    }
}

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Stream::Tcp(tcp) => tcp.as_raw_fd(),
            Stream::Ipc(ipc) => ipc.as_raw_fd(),
        }
    }
}

impl Listener {
    /// Accepts a connection.
    pub(crate) fn accept(&self) -> io::Result<Stream> {
        match self {
            Listener::Tcp(tcp) => tcp.accept().map(|(stream, _)| Stream::Tcp(stream)),
            Listener::Ipc(ipc) => ipc.accept().map(Stream::Ipc),
        }
    }

    /// Puts the listener into a poll.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Listener::Tcp(tcp) => tcp.register(registry, token, Interest::READABLE),
            Listener::Ipc(ipc) => ipc.register(registry, token),
        }
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Listener::Tcp(tcp) => tcp.as_raw_fd(),
            Listener::Ipc(ipc) => ipc.as_raw_fd(),
        }
    }
}

/// A listener that one thread can close while another accepts: closing waits for that one call, and then the address is
/// free. Dropping it only closes the descriptor, as a forked child must.
#[derive(Debug)]
pub(crate) struct SharedListener {
    listener: Mutex<Option<Listener>>,
    descriptor: RawFd,
}

impl SharedListener {
    pub(crate) fn new(listener: Listener) -> SharedListener {
        let descriptor = listener.as_raw_fd();
        SharedListener { listener: Mutex::new(Some(listener)), descriptor }
    }

    /// The number of the descriptor, also after it was closed.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.descriptor
    }

    fn open(&self) -> MutexGuard<'_, Option<Listener>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the listener into a poll.
    pub(crate) fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        self.open().as_mut().map_or(Ok(()), |listener| listener.register(registry, token))
    }

    /// Accepts a connection; none comes to a listener that is closed.
    pub(crate) fn accept(&self) -> io::Result<Stream> {
        match &*self.open() {
            Some(listener) => listener.accept(),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Closes it, and removes its file if it has one.
    pub(crate) fn close(&self, registry: &Registry) {
        let Some(listener) = self.open().take() else { return };
        // Before it is closed: a forked child may hold the descriptor open. Fails for one that was never registered.
        let _ = registry.deregister(&mut SourceFd(&listener.as_raw_fd()));
        if let Listener::Ipc(ipc) = &listener {
            ipc.remove_file();
        }
    }
}
