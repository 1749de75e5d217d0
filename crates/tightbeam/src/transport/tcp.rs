//! TCP: names, listeners and connections.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, SockAddr, Socket, TcpKeepalive, Type};

use crate::endpoint::{Host, HostPort, Port};
use crate::options::Options;

/// The addresses that an endpoint stands for, best first. Names are looked up, which can take long.
pub(crate) fn resolve(target: &HostPort, ipv6: bool) -> io::Result<Vec<SocketAddr>> {
    let port = match target.port {
        Port::Any => 0,
        Port::Number(port) => port,
    };
    let found: Vec<SocketAddr> = match &target.host {
        Host::Any if ipv6 => vec![(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port).into()],
        Host::Any => vec![(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port).into()],
        Host::Ip(ip) => vec![(*ip, port).into()],
        Host::Zoned(ip, zone) => format!("[{ip}%{zone}]:{port}").to_socket_addrs()?.collect(),
        Host::Name(name) => (&**name, port).to_socket_addrs()?.collect(),
    };
    let usable: Vec<SocketAddr> = found.into_iter().filter(|a| ipv6 || a.is_ipv4()).collect();
    if usable.is_empty() {
        let reason = "the name has no usable address (IPv6 addresses need the IPV6 option)";
        return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, reason));
    }
    Ok(usable)
}

/// Whether [`resolve`] answers at once.
pub(crate) fn is_numeric(target: &HostPort) -> bool {
    !matches!(target.host, Host::Name(_))
}

/// A listening socket. A port that a closed listener left behind can be used at once.
pub(crate) fn listen(address: SocketAddr, options: &Options) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    set_buffers(&socket, options)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(options.backlog)?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// A connection attempt that has been begun.
pub(crate) fn connect(
    address: SocketAddr,
    source: Option<SocketAddr>,
    options: &Options,
) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    set_buffers(&socket, options)?;
    if let Some(source) = source {
        socket.set_reuse_address(true)?;
        socket.bind(&SockAddr::from(source))?;
    }
    match socket.connect(&SockAddr::from(address)) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(error),
    }
    let stream = TcpStream::from_std(socket.into());
    tune(&stream, options)?;
    Ok(stream)
}

/// Sets what holds for every connection, accepted or made.
pub(crate) fn tune(stream: &TcpStream, options: &Options) -> io::Result<()> {
    let socket = socket2::SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
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

fn set_buffers(socket: &Socket, options: &Options) -> io::Result<()> {
    if let Some(size) = options.sndbuf {
        socket.set_send_buffer_size(size)?;
    }
    if let Some(size) = options.rcvbuf {
        socket.set_recv_buffer_size(size)?;
    }
    Ok(())
}
