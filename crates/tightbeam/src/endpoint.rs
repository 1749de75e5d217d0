//! Endpoints: `transport://address`, parsed once, so that the rest of the library never looks at the text again.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{Error, Result};

/// The transports that exist here, for the error that refuses the others.
const TRANSPORTS: &str = "tcp";

/// The longest host name (a DNS name has at most 253 characters).
const NAME_MAX: usize = 253;

/// Where a socket binds or connects, e.g. `tcp://127.0.0.1:5555`.
///
/// An endpoint prints in one canonical form, which parses back to an equal endpoint: port 0 prints as `*`, numbers
/// without leading zeros, IPv6 addresses in their short form.
///
/// * `tcp://host:port`, where the host is an IPv4 address, an IPv6 address in brackets (`[::1]`, `[fe80::1%eth0]`),
///   or a host name; `*` (to bind) stands for every interface, port `*` or 0 for a
///   port of the system's choice.
/// * `tcp://source:port;host:port`, to connect from a given local address.
#[derive(Clone)]
pub struct Endpoint {
    text: Arc<str>,
    address: Address,
}

/// An endpoint's address, by transport.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    /// `tcp://[source;]target`.
    Tcp {
        /// The local address to connect from.
        source: Option<HostPort>,
        /// The address to bind, or to connect to.
        target: HostPort,
    },
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

/// Why a text is not an endpoint; the text itself is added once, at the end.
type Reason = &'static str;

impl Endpoint {
    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The transport's name: what stands before `://`.
    #[must_use]
    pub fn transport(&self) -> &'static str {
        match self.address {
            Address::Tcp { .. } => "tcp",
        }
    }

    /// The endpoint in parts.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Refuses what cannot be bound: an address to connect from.
    pub(crate) fn for_bind(&self) -> Result<()> {
        match self.address {
            Address::Tcp { source: Some(_), .. } => {
                Err(self.bad("bind takes one address, without `;`"))
            }
            Address::Tcp { source: None, .. } => Ok(()),
        }
    }

    /// Refuses what cannot be connected to: a wildcard for a host or a port. (A source may have both.)
    pub(crate) fn for_connect(&self) -> Result<()> {
        match &self.address {
            Address::Tcp { target: HostPort { host: Host::Any, .. }, .. } => {
                Err(self.bad("connect needs a host, not `*`"))
            }
            Address::Tcp { target: HostPort { port: Port::Any, .. }, .. } => {
                Err(self.bad("connect needs a port from 1 to 65535"))
            }
            Address::Tcp { .. } => Ok(()),
        }
    }

    /// The endpoint of a socket that the system has given an address.
    pub(crate) fn tcp(address: SocketAddr) -> Endpoint {
        let host = match address {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => {
                Host::Zoned(*v6.ip(), v6.scope_id().to_string().into())
            }
            _ => Host::Ip(address.ip()),
        };
        let port = Port::from(address.port());
        Endpoint::new(Address::Tcp { source: None, target: HostPort { host, port } })
    }

    fn new(address: Address) -> Endpoint {
        Endpoint { text: address.to_string().into(), address }
    }

    fn bad(&self, reason: Reason) -> Error {
        Error::BadEndpoint { endpoint: self.text.to_string(), reason }
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    /// Parses `transport://address`.
    ///
    /// # Errors
    /// [`Error::UnknownTransport`] when there is no such transport here, [`Error::BadEndpoint`] when the text is
    /// malformed.
    fn from_str(text: &str) -> Result<Endpoint> {
        let bad = |reason| Error::BadEndpoint { endpoint: text.to_owned(), reason };
        let (transport, rest) =
            text.split_once("://").ok_or_else(|| bad("expected transport://address"))?;
        let address = match transport {
            "tcp" => parse_tcp(rest).map_err(bad)?,
            "" => return Err(bad("expected a transport before ://")),
            _ => {
                return Err(Error::UnknownTransport {
                    endpoint: text.to_owned(),
                    expected: TRANSPORTS,
                });
            }
        };
        Ok(Endpoint::new(address))
    }
}

fn parse_tcp(text: &str) -> Result<Address, Reason> {
    let (source, target) = match text.split_once(';') {
        Some((source, target)) => (Some(source.parse()?), target),
        None => (None, text),
    };
    Ok(Address::Tcp { source, target: target.parse()? })
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

    fn from_str(text: &str) -> Result<Host, Reason> {
        if text == "*" {
            return Ok(Host::Any);
        }
        if let Some(rest) = text.strip_prefix('[') {
            return parse_bracketed(rest.strip_suffix(']').ok_or("expected ] before the port")?);
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            return match ip {
                IpAddr::V4(_) => Ok(Host::Ip(ip)),
                IpAddr::V6(_) => Err("expected an IPv6 address in brackets"),
            };
        }
        if is_name(text) { Ok(Host::Name(text.into())) } else { Err(bad_name(text)) }
    }
}

fn parse_bracketed(text: &str) -> Result<Host, Reason> {
    const EXPECTED: Reason = "expected an IPv6 address between the brackets";
    let Some((ip, zone)) = text.split_once('%') else {
        return Ok(Host::Ip(IpAddr::V6(text.parse().map_err(|_| EXPECTED)?)));
    };
    if !is_name(zone) {
        return Err("expected an interface after the %");
    }
    Ok(Host::Zoned(ip.parse().map_err(|_| EXPECTED)?, zone.into()))
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
        _ if text.contains(':') => "expected host:port, an IPv6 address in brackets",
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

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { source: Some(source), target } => write!(f, "tcp://{source};{target}"),
            Address::Tcp { source: None, target } => write!(f, "tcp://{target}"),
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

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({:?})", self.text)
    }
}

// The text is canonical: equal texts and equal addresses are the same thing.
impl PartialEq for Endpoint {
    fn eq(&self, other: &Endpoint) -> bool {
        self.text == other.text
    }
}

impl Eq for Endpoint {}

impl std::hash::Hash for Endpoint {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl AsRef<str> for Endpoint {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Endpoint {
        text.parse().unwrap_or_else(|e| panic!("{e}"))
    }

    /// The reason why a text is refused.
    fn reason(text: &str) -> &'static str {
        match text.parse::<Endpoint>() {
            Err(Error::BadEndpoint { endpoint, reason }) if endpoint == text => reason,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn good_endpoints_print_canonically() {
        for (given, printed) in [
            ("tcp://127.0.0.1:5555", "tcp://127.0.0.1:5555"),
            ("tcp://*:*", "tcp://*:*"),
            ("tcp://*:0", "tcp://*:*"),
            ("tcp://0.0.0.0:00080", "tcp://0.0.0.0:80"),
            ("tcp://[::1]:1", "tcp://[::1]:1"),
            ("tcp://[0:0:0::0:1]:65535", "tcp://[::1]:65535"),
            ("tcp://[fe80::1%eth0]:5", "tcp://[fe80::1%eth0]:5"),
            ("tcp://eth0:5", "tcp://eth0:5"),
            ("tcp://a_b.example-1.org:5", "tcp://a_b.example-1.org:5"),
            ("tcp://eth0:0;example.org:5", "tcp://eth0:*;example.org:5"),
            ("tcp://*:7;[::1]:5", "tcp://*:7;[::1]:5"),
        ] {
            let endpoint = parse(given);
            assert_eq!(endpoint.as_str(), printed);
            assert_eq!(endpoint.to_string(), printed);
            assert_eq!(endpoint, parse(printed));
            assert_eq!(endpoint.address(), parse(printed).address());
            assert_eq!(endpoint.transport(), "tcp");
        }
    }

    #[test]
    fn parts_are_told_apart() {
        let local = HostPort { host: Host::Name("eth0".into()), port: Port::Any };
        let target = HostPort {
            host: Host::Zoned("fe80::1".parse().unwrap(), "3".into()),
            port: Port::Number(5),
        };
        assert_eq!(
            parse("tcp://eth0:*;[fe80::1%3]:5").address(),
            &Address::Tcp { source: Some(local), target }
        );
    }

    #[test]
    fn malformed_endpoints_say_what_was_expected() {
        for (text, expected) in [
            ("", "transport://address"),
            ("tcp:/a:1", "transport://address"),
            ("://a:1", "a transport before"),
            ("tcp://", "host:port"),
            ("tcp://localhost", "host:port"),
            ("tcp://:5", "a host before"),
            ("tcp://a:", "a port from 0"),
            ("tcp://a:65536", "a port from 0"),
            ("tcp://a:+5", "a port from 0"),
            ("tcp://a:5/", "a port from 0"),
            ("tcp://::1:5", "in brackets"),
            ("tcp://fe80::1%eth0:5", "in brackets"),
            ("tcp://[::1:5", "] before the port"),
            ("tcp://[::1]", "] before the port"),
            ("tcp://[127.0.0.1]:5", "between the brackets"),
            ("tcp://[::1%]:5", "an interface"),
            ("tcp://[::1%a%b]:5", "an interface"),
            ("tcp://a b:5", "a host name"),
            ("tcp://a/b:5", "a host name"),
            ("tcp://b\u{fc}cher:5", "a host name"),
            ("tcp://a:1;b:2;c:3", "source;target"),
            ("tcp://;b:2", "host:port"),
            ("tcp://a:1;", "host:port"),
        ] {
            assert!(reason(text).contains(expected), "{text}: {}", reason(text));
        }
        let long = format!("tcp://{}:1", "a".repeat(254));
        assert!(reason(&long).contains("253"));
    }

    #[test]
    fn unknown_transports_name_the_known_ones() {
        for text in ["pgm://a:1", "TCP://a:1", " tcp://a:1"] {
            match text.parse::<Endpoint>() {
                Err(Error::UnknownTransport { endpoint, expected }) => {
                    assert_eq!(endpoint, text);
                    assert!(expected.contains("tcp"));
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn bind_and_connect_refuse_what_they_cannot_do() {
        for (text, bind, connect) in [
            ("tcp://127.0.0.1:5", true, true),
            ("tcp://*:5", true, false),
            ("tcp://127.0.0.1:*", true, false),
            ("tcp://127.0.0.1:0", true, false),
            ("tcp://*:0;127.0.0.1:5", false, true),
            ("tcp://lo:0;127.0.0.1:0", false, false),
        ] {
            let endpoint = parse(text);
            assert_eq!(endpoint.for_bind().is_ok(), bind, "bind {text}");
            assert_eq!(endpoint.for_connect().is_ok(), connect, "connect {text}");
        }
    }

    #[test]
    fn addresses_of_the_system_are_endpoints() {
        for text in ["127.0.0.1:5", "[::1]:5", "[fe80::1%3]:5"] {
            let endpoint = Endpoint::tcp(text.parse().unwrap());
            assert_eq!(endpoint, parse(&format!("tcp://{text}")));
        }
    }

    fn reparses(text: &str) {
        if let Ok(endpoint) = text.parse::<Endpoint>() {
            let again = parse(endpoint.as_str());
            assert_eq!(again, endpoint);
            assert_eq!(again.address(), endpoint.address());
            assert_eq!(again.as_str(), endpoint.as_str());
        }
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(text in any::<String>()) {
            reparses(&text);
            reparses(&format!("tcp://{text}"));
            reparses(&format!("tcp://[{text}]:1"));
        }

        #[test]
        fn likely_texts_print_back(text in "tcp://[a-f0-9:.*%;\\[\\]]{0,24}:[0-9*]{1,5}") {
            reparses(&text);
        }

        #[test]
        fn every_address_prints_back(ip in any::<IpAddr>(), port in any::<u16>()) {
            reparses(Endpoint::tcp(SocketAddr::new(ip, port)).as_str());
        }
    }
}
