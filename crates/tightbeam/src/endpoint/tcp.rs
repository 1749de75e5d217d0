//! The grammar of `tcp` addresses: `[source;]host:port`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use super::Reason;

/// The longest host name (a DNS name has at most 253 characters).
const NAME_MAX: usize = 253;

/// What stands behind `tcp://`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TcpAddress {
    /// The local address to connect from.
    pub(crate) source: Option<HostPort>,
    /// The address to bind, or to connect to.
    pub(crate) target: HostPort,
}

/// `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct HostPort {
    pub(crate) host: Host,
    pub(crate) port: Port,
}

/// The host of a TCP address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    /// `*`: every interface.
    Any,
    /// An address in numbers.
    Ip(IpAddr),
    /// An IPv6 address with a zone: the name or the number of an interface.
    Zoned(Ipv6Addr, Arc<str>),
    /// A host's name.
    Name(Arc<str>),
}

/// The port of a TCP address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Port {
    /// `*` or 0: the system chooses.
    Any,
    /// A port, never 0.
    Number(u16),
}
impl TcpAddress {
    pub(super) fn is_at(&self, other: &TcpAddress) -> bool {
        let plain = |host: &Host| match host {
            Host::Ip(ip) => Some(ip.to_canonical()),
            Host::Any | Host::Zoned(..) | Host::Name(_) => None,
        };
        let (one, two) = (&self.target, &other.target);
        let mapped = plain(&one.host).is_some() && plain(&one.host) == plain(&two.host);
        self == other || (mapped && one.port == two.port && self.source == other.source)
    }

    /// Refuses what cannot be bound: an address to connect from.
    pub(super) fn for_bind(&self) -> Result<(), Reason> {
        match self.source {
            Some(_) => Err("bind takes one address, without `;`"),
            None => Ok(()),
        }
    }

    /// Refuses what cannot be connected to: a wildcard for a host or a port. (A source may have both.)
    pub(super) fn for_connect(&self) -> Result<(), Reason> {
        match &self.target {
            HostPort { host: Host::Any, .. } => Err("connect needs a host, not `*`"),
            HostPort { port: Port::Any, .. } => Err("connect needs a port from 1 to 65535"),
            HostPort { .. } => Ok(()),
        }
    }
}

impl TcpAddress {
    /// The address of a socket; `zone` names the interface of a link-local one, which is otherwise
    /// told by its number.
    pub(super) fn of(address: SocketAddr, zone: Option<&str>) -> TcpAddress {
        let host = match address {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => {
                let zone = zone.map_or_else(|| v6.scope_id().to_string(), str::to_owned);
                Host::Zoned(*v6.ip(), zone.into())
            }
            _ => Host::Ip(address.ip()),
        };
        let port = Port::from(address.port());
        TcpAddress { source: None, target: HostPort { host, port } }
    }
}

impl FromStr for TcpAddress {
    type Err = Reason;

    fn from_str(text: &str) -> Result<TcpAddress, Reason> {
        let (source, target) = match text.split_once(';') {
            Some((source, target)) => (Some(source.parse()?), target),
            None => (None, text),
        };
        Ok(TcpAddress { source, target: target.parse()? })
    }
}

impl FromStr for HostPort {
    type Err = Reason;

    fn from_str(text: &str) -> Result<HostPort, Reason> {
        let (host, port) = text.rsplit_once(':').ok_or("expected host:port")?;
        Ok(HostPort { host: host.parse()?, port: port.parse()? })
    }
}

impl FromStr for Host {
    type Err = Reason;

    /// Brackets may stand around any host: its port is what follows the last colon.
    fn from_str(text: &str) -> Result<Host, Reason> {
        let text = match text.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').ok_or("expected ] before the port")?,
            None => text,
        };
        if text == "*" {
            return Ok(Host::Any);
        }
        if let Ok(ip) = text.parse() {
            return Ok(Host::Ip(ip));
        }
        if let Some((ip, zone)) = text.split_once('%') {
            let ip = ip.parse().map_err(|_| "expected an IPv6 address before the %")?;
            let named = is_name(zone).then(|| Host::Zoned(ip, zone.into()));
            return named.ok_or("expected an interface after the %");
        }
        if is_name(text) { Ok(Host::Name(text.into())) } else { Err(bad_name(text)) }
    }
}

/// Whether the text may name a host or an interface. What such a name may hold is for the system to say; here are
/// refused only characters that mean something in an endpoint, so that a misprint is not looked up in the DNS.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= NAME_MAX
        && text.bytes().all(|b| b.is_ascii_graphic() && !b"/:;*[]%?#@\\".contains(&b))
}

fn bad_name(text: &str) -> Reason {
    match text {
        "" => "expected a host before the port",
        _ if text.len() > NAME_MAX => "expected a host name of at most 253 characters",
        _ if text.contains(';') => "expected source;target at most",
        _ if text.contains(':') => "expected host:port, or an IPv6 address and a port",
        _ => "expected an IP address, a host name or *",
    }
}

impl FromStr for Port {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Port, Reason> {
        const EXPECTED: Reason = "expected a port from 0 to 65535, or *";
        if text == "*" {
            return Ok(Port::Any);
        }
        // `parse` alone would take a sign.
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(EXPECTED);
        }
        text.parse::<u16>().map(Port::from).map_err(|_| EXPECTED)
    }
}

impl From<u16> for Port {
    fn from(number: u16) -> Port {
        if number == 0 { Port::Any } else { Port::Number(number) }
    }
}
impl fmt::Display for TcpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TcpAddress { source: Some(source), target } => write!(f, "{source};{target}"),
            TcpAddress { source: None, target } => write!(f, "{target}"),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Any => f.write_str("*"),
            Host::Ip(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Host::Zoned(ip, zone) => write!(f, "[{ip}%{zone}]"),
            Host::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Port::Any => f.write_str("*"),
            Port::Number(number) => write!(f, "{number}"),
        }
    }
}
