//! TCP: listeners, connections, and what they are told.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type};

use super::names::{self, TcpRoute};
use crate::endpoint::{Endpoint, Host, HostPort, Port, TcpAddress};
use crate::error::{Error, Result};
use crate::options::Options;
use crate::sys;

/// A listening socket and its address. The host's addresses are tried in turn; looking them up can take long. A port
/// that a closed listener left behind can be used at once.
pub(crate) fn listen(
    address: &TcpAddress,
    options: &Options,
) -> io::Result<(TcpListener, Endpoint)> {
    let listener = match options.use_fd {
        Some(fd) => TcpListener::from_std(sys::take_descriptor(fd, listens)?.into()),
        None => listen_at_any(&names::to_bind(&address.target, options.ipv6)?, options)?,
    };
    SockRef::from(&listener).set_nonblocking(true)?;
    let endpoint = names::endpoint_of(listener.local_addr()?);
    Ok((listener, endpoint))
}

/// Refuses a descriptor that is no listening TCP socket.
fn listens(fd: BorrowedFd<'_>) -> io::Result<()> {
    let socket = SockRef::from(&fd);
    let internet = socket.local_addr()?.as_socket().is_some();
    if internet && socket.is_listener()? {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::EINVAL))
    }
}

fn listen_at_any(addresses: &[SocketAddr], options: &Options) -> io::Result<TcpListener> {
    let mut bound = Err(io::ErrorKind::AddrNotAvailable.into());
    for address in addresses {
        bound = listen_at(*address, options);
        if bound.is_ok() {
            break;
        }
    }
    bound
}

fn listen_at(address: SocketAddr, options: &Options) -> io::Result<TcpListener> {
    let (socket, address) = open_for(address)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    prepare(&socket, options)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(options.backlog)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// Opens a socket for an address. On a machine without IPv6, what IPv4 can do as well is done with it.
fn open_for(address: SocketAddr) -> io::Result<(Socket, SocketAddr)> {
    match open(address) {
        Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {
            let address = names::unmapped(address).ok_or(error)?;
            Ok((open(address)?, address))
        }
        opened => Ok((opened?, address)),
    }
}

fn open(address: SocketAddr) -> io::Result<Socket> {
    Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
}

/// The proxy that the options name, if any.
pub(crate) fn proxy(options: &Options) -> Result<Option<HostPort>> {
    if options.socks_proxy.is_empty() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&options.socks_proxy);
    match text.parse::<HostPort>() {
        Ok(HostPort { host, port: Port::Number(number) }) if host != Host::Any => {
            Ok(Some(HostPort { host, port: Port::Number(number) }))
        }
        _ => Err(Error::BadOption {
            option: "SOCKS_PROXY",
            given: format!("{text:?}").into(),
            expected: "host:port",
        }),
    }
}

/// Whether [`routes`] answers at once.
pub(crate) fn is_numeric(address: &TcpAddress, proxy: Option<&HostPort>) -> bool {
    names::is_numeric(proxy.unwrap_or(&address.target))
        && address.source.as_ref().is_none_or(names::is_numeric)
}

/// The ways to an address, or to the proxy that is to connect to it. Names are looked up, which can take long.
pub(crate) fn routes(
    address: &TcpAddress,
    proxy: Option<&HostPort>,
    ipv6: bool,
) -> io::Result<Vec<TcpRoute>> {
    names::routes(address.source.as_ref(), proxy.unwrap_or(&address.target), ipv6)
}

/// A connection attempt that has been begun.
pub(crate) fn connect(route: &TcpRoute, options: &Options) -> io::Result<TcpStream> {
    let (socket, target) = open_for(route.target)?;
    socket.set_nonblocking(true)?;
    prepare(&socket, options)?;
    let source = route.source.and_then(|source| match target {
        SocketAddr::V4(_) => names::unmapped(source),
        SocketAddr::V6(_) => Some(source),
    });
    if let Some(source) = source {
        socket.set_reuse_address(true)?;
        socket.bind(&SockAddr::from(source))?;
    }
    match socket.connect(&SockAddr::from(target)) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(error),
    }
    let stream = TcpStream::from_std(socket.into());
    tune(&stream, options)?;
    Ok(stream)
}

/// Whether an attempt within this machine was not answered in the call that made it.
pub(crate) fn is_unanswered(stream: &TcpStream, route: &TcpRoute) -> bool {
    route.target.ip().to_canonical().is_loopback() && stream.peer_addr().is_err()
}

/// Whether the accept filters let the peer in.
pub(crate) fn is_welcome(stream: &TcpStream, options: &Options) -> bool {
    let filters = &options.tcp_accept_filters;
    let passes = |peer: IpAddr| filters.iter().any(|filter| filter.matches(peer));
    filters.is_empty() || stream.peer_addr().is_ok_and(|peer| passes(peer.ip()))
}

/// Sets what holds for every connection, accepted or made.
pub(crate) fn tune(stream: &TcpStream, options: &Options) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    mark(&socket, options)?;
    if options.tcp_keepalive == Some(false) {
        socket.set_keepalive(false)?;
    } else if options.tcp_keepalive == Some(true) {
        socket.set_tcp_keepalive(&keepalive(options))?;
    }
    if let Some(timeout) = options.tcp_maxrt {
        socket.set_tcp_user_timeout(Some(timeout))?;
    }
    Ok(())
}

fn keepalive(options: &Options) -> TcpKeepalive {
    let mut keepalive = TcpKeepalive::new();
    let set = |time: Option<Duration>| time.filter(|time| !time.is_zero());
    if let Some(idle) = set(options.tcp_keepalive_idle) {
        keepalive = keepalive.with_time(idle);
    }
    if let Some(interval) = set(options.tcp_keepalive_intvl) {
        keepalive = keepalive.with_interval(interval);
    }
    if let Some(retries) = options.tcp_keepalive_cnt.filter(|count| *count > 0) {
        keepalive = keepalive.with_retries(retries);
    }
    keepalive
}

/// Sets what must be known before the socket is bound or connected. What accepted connections do not inherit from their
/// listener is set again in [`tune`].
fn prepare(socket: &Socket, options: &Options) -> io::Result<()> {
    if let Some(size) = options.sndbuf {
        socket.set_send_buffer_size(size)?;
    }
    if let Some(size) = options.rcvbuf {
        socket.set_recv_buffer_size(size)?;
    }
    if !options.bindtodevice.is_empty() {
        socket.bind_device(Some(&options.bindtodevice))?;
    }
    if options.busy_poll > 0 {
        sys::set_busy_poll(socket.as_fd(), options.busy_poll)?;
    }
    mark(&SockRef::from(socket), options)
}

/// What packets say about themselves.
fn mark(socket: &SockRef<'_>, options: &Options) -> io::Result<()> {
    if let Some(tos) = u32::try_from(options.tos).ok().filter(|tos| *tos > 0) {
        // A socket of one family does not know the other's option, and one that serves both has both.
        let (v4, v6) = (socket.set_tos_v4(tos), socket.set_tclass_v6(tos));
        v4.or(v6)?;
    }
    if options.priority > 0 {
        socket.set_priority(options.priority.unsigned_abs())?;
    }
    Ok(())
}
