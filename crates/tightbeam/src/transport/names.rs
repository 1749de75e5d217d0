//! What the host of a `tcp` address stands for: addresses, interfaces, hosts.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};

use crate::endpoint::{Endpoint, Host, HostPort, Port};
use crate::sys;

/// One way to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TcpRoute {
    /// The local address to connect from.
    pub(super) source: Option<SocketAddr>,
    /// The address to connect to.
    pub(super) target: SocketAddr,
}

/// The addresses to bind, best first. A name is an interface's, or else a host's, and looking that up can take
/// long. With IPv6, an IPv4 address is bound in its mapped form (`::ffff:127.0.0.1`), as libzmq does.
pub(super) fn to_bind(target: &HostPort, ipv6: bool) -> io::Result<Vec<SocketAddr>> {
    let found = local(target, ipv6)?;
    Ok(if ipv6 { found.into_iter().map(mapped).collect() } else { found })
}

/// The ways to `target`, best first: each of its addresses that the source has an address of the same family for.
/// Names are looked up, which can take long. With IPv6, IPv4 addresses are mapped, as libzmq's are: peers see it.
pub(super) fn routes(
    source: Option<&HostPort>,
    target: &HostPort,
    ipv6: bool,
) -> io::Result<Vec<TcpRoute>> {
    let written = if ipv6 { mapped } else { |address| address };
    let targets = remote(target, ipv6)?;
    let Some(source) = source else {
        let direct = |target| TcpRoute { source: None, target: written(target) };
        return Ok(targets.into_iter().map(direct).collect());
    };
    let sources = match source.host {
        // A wildcard has an address of each family.
        Host::Any => vec![
            (IpAddr::V4(Ipv4Addr::UNSPECIFIED), number(source.port)).into(),
            (IpAddr::V6(Ipv6Addr::UNSPECIFIED), number(source.port)).into(),
        ],
        _ => local(source, ipv6)?,
    };
    let pair = |target: SocketAddr| {
        let fits = |source: &&SocketAddr| source.is_ipv4() == target.is_ipv4();
        let source = sources.iter().find(fits).copied();
        let route = |source| TcpRoute { source: Some(written(source)), target: written(target) };
        source.map(route)
    };
    let routes: Vec<TcpRoute> = targets.into_iter().filter_map(pair).collect();
    if routes.is_empty() {
        let reason = "the source has no address of the target's family";
        return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, reason));
    }
    Ok(routes)
}

/// Whether the addresses are known without asking the system's resolver, which can take long.
pub(super) fn is_numeric(address: &HostPort) -> bool {
    !matches!(address.host, Host::Name(_))
}

/// The endpoint of a socket of ours.
pub(super) fn endpoint_of(address: SocketAddr) -> Endpoint {
    let zone = match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => sys::interface_name(v6.scope_id()),
        _ => None,
    };
    Endpoint::tcp(address, zone.as_deref())
}

/// An IPv4 address as an IPv6 socket writes it; others as they are.
fn mapped(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) => (IpAddr::V6(v4.ip().to_ipv6_mapped()), v4.port()).into(),
        SocketAddr::V6(_) => address,
    }
}

/// What an IPv4 socket can do as well, as it writes it.
pub(super) fn unmapped(address: SocketAddr) -> Option<SocketAddr> {
    match address {
        SocketAddr::V4(_) => Some(address),
        SocketAddr::V6(v6) => {
            let any = v6.ip().is_unspecified().then_some(Ipv4Addr::UNSPECIFIED);
            let ip = v6.ip().to_ipv4_mapped().or(any)?;
            Some((IpAddr::V4(ip), v6.port()).into())
        }
    }
}

fn number(port: Port) -> u16 {
    match port {
        Port::Any => 0,
        Port::Number(port) => port,
    }
}

/// The addresses of this machine that a host stands for, IPv6 first.
fn local(address: &HostPort, ipv6: bool) -> io::Result<Vec<SocketAddr>> {
    let port = number(address.port);
    let mut found = match &address.host {
        Host::Name(name) => {
            let mut found = sys::interface_addresses(name)?;
            found.retain(|address| ipv6 || address.is_ipv4());
            if found.is_empty() {
                found = (&**name, port)
                    .to_socket_addrs()
                    .map_or_else(|_| Vec::new(), Iterator::collect);
            }
            found.sort_by_key(SocketAddr::is_ipv4);
            found
        }
        host => numeric(host, port, ipv6)?,
    };
    found.iter_mut().for_each(|address| address.set_port(port));
    usable(found, ipv6).ok_or_else(no_device)
}

/// The addresses that a host stands for when it is connected to, in the resolver's order.
fn remote(address: &HostPort, ipv6: bool) -> io::Result<Vec<SocketAddr>> {
    let port = number(address.port);
    let found = match &address.host {
        Host::Name(name) => (&**name, port).to_socket_addrs()?.collect(),
        host => numeric(host, port, ipv6)?,
    };
    usable(found, ipv6).ok_or_else(|| {
        let reason = "the host has no usable address (IPv6 addresses need the IPV6 option)";
        io::Error::new(io::ErrorKind::AddrNotAvailable, reason)
    })
}

/// The address of a host that is not a name.
fn numeric(host: &Host, port: u16, ipv6: bool) -> io::Result<Vec<SocketAddr>> {
    let address: SocketAddr = match host {
        Host::Any if ipv6 => (IpAddr::V6(Ipv6Addr::UNSPECIFIED), port).into(),
        Host::Any => (IpAddr::V4(Ipv4Addr::UNSPECIFIED), port).into(),
        Host::Ip(ip) => (*ip, port).into(),
        Host::Zoned(ip, zone) => {
            let scope = zone.parse().ok().or_else(|| sys::interface_number(zone));
            SocketAddrV6::new(*ip, port, 0, scope.ok_or_else(no_device)?).into()
        }
        Host::Name(_) => return Err(no_device()),
    };
    Ok(vec![address])
}

/// Without IPv6, IPv4 addresses and what is one in IPv6's clothes; none if there is none.
fn usable(found: Vec<SocketAddr>, ipv6: bool) -> Option<Vec<SocketAddr>> {
    let as_ipv4 = |address: SocketAddr| match address {
        SocketAddr::V6(v6) => v6.ip().to_ipv4_mapped().map(|ip| (IpAddr::V4(ip), v6.port()).into()),
        SocketAddr::V4(_) => Some(address),
    };
    let usable: Vec<SocketAddr> =
        if ipv6 { found } else { found.into_iter().filter_map(as_ipv4).collect() };
    (!usable.is_empty()).then_some(usable)
}

/// What libzmq answers where no interface is meant.
fn no_device() -> io::Error {
    io::Error::from_raw_os_error(libc::ENODEV)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(found: io::Result<Vec<SocketAddr>>) -> Vec<String> {
        found.expect("addresses").iter().map(ToString::to_string).collect()
    }

    fn bound(text: &str, ipv6: bool) -> io::Result<Vec<SocketAddr>> {
        to_bind(&text.parse().expect("an address"), ipv6)
    }

    #[test]
    fn what_is_bound_is_what_libzmq_binds() {
        for (text, ipv4, ipv6) in [
            ("*:5", Some("0.0.0.0:5"), "[::]:5"),
            ("127.0.0.1:*", Some("127.0.0.1:0"), "[::ffff:127.0.0.1]:0"),
            ("0.0.0.0:5", Some("0.0.0.0:5"), "[::ffff:0.0.0.0]:5"),
            ("[::ffff:127.0.0.1]:5", Some("127.0.0.1:5"), "[::ffff:127.0.0.1]:5"),
            ("[::1]:5", None, "[::1]:5"),
            ("[fe80::1%lo]:5", None, "[fe80::1%1]:5"),
            ("[fe80::1%1]:5", None, "[fe80::1%1]:5"),
        ] {
            match ipv4 {
                Some(ipv4) => assert_eq!(texts(bound(text, false)), [ipv4], "{text}"),
                None => {
                    let error = bound(text, false).expect_err(text);
                    assert_eq!(error.raw_os_error(), Some(libc::ENODEV), "{text}");
                }
            }
            assert_eq!(texts(bound(text, true)), [ipv6], "{text}");
        }
        assert_eq!(texts(bound("lo:5", false))[0], "127.0.0.1:5");
        assert!(texts(bound("lo:5", true)).contains(&"[::ffff:127.0.0.1]:5".to_owned()));
        for text in ["nosuchinterface.invalid:5", "[fe80::1%nosuch]:5"] {
            let error = bound(text, true).expect_err(text);
            assert_eq!(error.raw_os_error(), Some(libc::ENODEV), "{text}");
        }
    }

    #[test]
    fn a_source_is_of_the_targets_family() {
        let between = |source: &str, target: &str, ipv6| {
            let (source, target) = (source.parse().expect(source), target.parse().expect(target));
            routes(Some(&source), &target, ipv6).map(|found| {
                let text = |route: &TcpRoute| format!("{:?} {}", route.source, route.target);
                found.iter().map(text).collect::<Vec<_>>()
            })
        };
        assert_eq!(between("*:7", "[::1]:5", true).unwrap(), ["Some([::]:7) [::1]:5"]);
        assert_eq!(
            between("lo:*", "127.0.0.1:5", true).unwrap(),
            ["Some([::ffff:127.0.0.1]:0) [::ffff:127.0.0.1]:5"]
        );
        assert!(between("127.0.0.1:0", "[::1]:5", true).is_err());
        let unknown = between("nosuchinterface.invalid:0", "127.0.0.1:5", false).unwrap_err();
        assert_eq!(unknown.raw_os_error(), Some(libc::ENODEV));
        assert!(routes(None, &"[::1]:5".parse().unwrap(), false).is_err());
    }

    #[test]
    fn zones_print_as_names() {
        let text = endpoint_of("[fe80::1%1]:5".parse().unwrap()).to_string();
        assert_eq!(text, "tcp://[fe80::1%lo]:5");
        let gone = endpoint_of(format!("[fe80::1%{}]:5", u32::MAX).parse().unwrap());
        assert_eq!(gone.to_string(), format!("tcp://[fe80::1%{}]:5", u32::MAX));
    }
}
