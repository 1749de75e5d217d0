//! Endpoints: `transport://address`, parsed once, so that the rest of the library never looks at the text again.

mod inproc;
mod ipc;
mod tcp;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

pub(crate) use self::ipc::IpcAddress;
pub(crate) use self::tcp::{Host, HostPort, Port, TcpAddress};

use zmtp::SocketType;

use crate::error::{Error, Result};

/// The transports that exist here, for the error that refuses the others.
const TRANSPORTS: &str = "tcp, ipc, inproc";

/// Where a socket binds or connects, e.g. `tcp://127.0.0.1:5555`.
///
/// An endpoint prints in one canonical form, which parses back to an equal endpoint: port 0 prints as `*`, numbers
/// without leading zeros, IPv6 addresses in their short form.
///
/// * `tcp://host:port`, where the host is an IPv4 address, an IPv6 address (`[::1]`, `[fe80::1%eth0]`; the brackets
///   may be left out), or a name: to bind, first an interface's, otherwise a host's; to connect, a host's. All
///   addresses of a name are tried in turn. To bind, `*` stands for every interface, and port `*` or 0 for a port of
///   the system's choice.
/// * `tcp://source:port;host:port`, to connect from a given local address: the source is written as for binding.
/// * `ipc://path`, a path in the file system, absolute or relative; `ipc://@name`, a name in Linux's abstract
///   namespace; `ipc://*` (to bind), a path of the library's choice. At most 107 bytes behind `ipc://`.
/// * `inproc://name`, another socket of the same context: any text without a zero byte.
#[derive(Clone)]
pub struct Endpoint(Arc<Parsed>);

struct Parsed {
    text: String,
    address: Address,
}

/// An endpoint's address, by transport.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    /// `tcp://[source;]target`.
    Tcp(TcpAddress),
    /// `ipc://path`.
    Ipc(IpcAddress),
    /// `inproc://name`.
    Inproc(Arc<str>),
}

/// Why a text is not an endpoint; the text itself is added once, at the end.
type Reason = &'static str;

impl Endpoint {
    /// Parses an endpoint for a socket of this type.
    pub(crate) fn parse_for(text: &str, socket: SocketType) -> Result<Endpoint> {
        match text.parse() {
            Err(Error::UnknownTransport { endpoint, .. }) if is_unfit(&endpoint, socket) => {
                Err(Error::UnfitTransport { endpoint, socket })
            }
            parsed => parsed,
        }
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The transport's name: what stands before `://`.
    #[must_use]
    pub fn transport(&self) -> &'static str {
        match self.0.address {
            Address::Tcp(_) => "tcp",
            Address::Ipc(_) => "ipc",
            Address::Inproc(_) => "inproc",
        }
    }

    /// The endpoint in parts.
    pub(crate) fn address(&self) -> &Address {
        &self.0.address
    }

    /// Refuses what cannot be bound.
    pub(crate) fn for_bind(&self) -> Result<()> {
        let checked = match &self.0.address {
            Address::Tcp(tcp) => tcp.for_bind(),
            Address::Ipc(_) => Ok(()),
            Address::Inproc(_) => Ok(()),
        };
        checked.map_err(|reason| self.bad(reason))
    }

    /// Refuses what cannot be connected to.
    pub(crate) fn for_connect(&self) -> Result<()> {
        let checked = match &self.0.address {
            Address::Tcp(tcp) => tcp.for_connect(),
            Address::Ipc(ipc) => ipc.for_connect(),
            Address::Inproc(_) => Ok(()),
        };
        checked.map_err(|reason| self.bad(reason))
    }

    /// The endpoint of a socket that the system has given an address, with the name of the interface
    /// that a link-local one belongs to.
    pub(crate) fn tcp(address: SocketAddr, zone: Option<&str>) -> Endpoint {
        Endpoint::new(Address::Tcp(TcpAddress::of(address, zone)))
    }

    /// The endpoint of a Unix domain socket that was bound.
    pub(crate) fn ipc(address: IpcAddress) -> Endpoint {
        Endpoint::new(Address::Ipc(address))
    }

    /// Whether both name the same place: equal, but for an IPv4 address that one of them writes as IPv6 does.
    pub(crate) fn is_at(&self, other: &Endpoint) -> bool {
        match (&self.0.address, &other.0.address) {
            (Address::Tcp(one), Address::Tcp(two)) => one.is_at(two),
            (one, two) => one == two,
        }
    }

    fn new(address: Address) -> Endpoint {
        Endpoint(Arc::new(Parsed { text: address.to_string(), address }))
    }

    fn bad(&self, reason: Reason) -> Error {
        Error::BadEndpoint { endpoint: self.0.text.clone(), reason }
    }
}

/// Whether the transport, which does not exist here, could not serve such a socket anywhere: the multicast ones publish
/// and subscribe, and datagrams are for types that do not exist here.
fn is_unfit(endpoint: &str, socket: SocketType) -> bool {
    use SocketType::{Pub, Sub, XPub, XSub};
    match endpoint.split_once("://") {
        Some(("pgm" | "epgm" | "norm", _)) => !matches!(socket, Pub | Sub | XPub | XSub),
        Some(("udp", _)) => true,
        _ => false,
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    /// Parses `transport://address`.
    ///
    /// # Errors
    /// [`Error::UnknownTransport`] when there is no such transport here, [`Error::BadEndpoint`] when the text is
    /// malformed, [`Error::EndpointTooLong`] when the system has no room for such a path.
    fn from_str(text: &str) -> Result<Endpoint> {
        let bad = |reason| Error::BadEndpoint { endpoint: text.to_owned(), reason };
        let (transport, rest) =
            text.split_once("://").ok_or_else(|| bad("expected transport://address"))?;
        let address = match transport {
            "tcp" => Address::Tcp(rest.parse().map_err(bad)?),
            "ipc" if rest.len() > ipc::LENGTH_MAX => {
                let (endpoint, limit) = (text.to_owned(), ipc::LENGTH_MAX);
                return Err(Error::EndpointTooLong { endpoint, limit });
            }
            "ipc" => Address::Ipc(rest.parse().map_err(bad)?),
            "inproc" => Address::Inproc(inproc::name(rest).map_err(bad)?),
            "" => return Err(bad("expected a transport before ://")),
            _ if rest.is_empty() => return Err(bad("expected an address behind ://")),
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

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(tcp) => write!(f, "tcp://{tcp}"),
            Address::Ipc(ipc) => write!(f, "ipc://{ipc}"),
            Address::Inproc(name) => write!(f, "inproc://{name}"),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({:?})", self.0.text)
    }
}

// The text is canonical: equal texts and equal addresses are the same thing.
impl PartialEq for Endpoint {
    fn eq(&self, other: &Endpoint) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for Endpoint {}

impl std::hash::Hash for Endpoint {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.text.hash(state);
    }
}

impl AsRef<str> for Endpoint {
    fn as_ref(&self) -> &str {
        &self.0.text
    }
}
