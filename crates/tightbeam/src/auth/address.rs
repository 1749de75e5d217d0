//! Peers by where they come from.

use std::net::IpAddr;

use crate::options::AddressFilter;

/// Addresses that are allowed or denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addresses {
    /// A network, or one address.
    Network(AddressFilter),
    /// Processes of this machine: user, group and process, each of which may be any.
    Local([Option<u32>; 3]),
}

impl Addresses {
    /// From text; `None` if it is malformed.
    pub(super) fn parse(text: &str) -> Option<Addresses> {
        match text.strip_prefix(LOCAL) {
            Some(ids) => Some(Addresses::Local(three(ids, |id| match id {
                "*" => Some(None),
                id => id.parse().ok().map(Some),
            })?)),
            None => AddressFilter::parse(text.as_bytes()).map(Addresses::Network),
        }
    }

    /// Whether a peer has one of them.
    pub(super) fn have(&self, peer: PeerAddress) -> bool {
        match (self, peer) {
            (Addresses::Network(network), PeerAddress::Network(address)) => {
                network.matches(address)
            }
            (Addresses::Local(wanted), PeerAddress::Local(ids)) => {
                wanted.iter().zip(ids).all(|(wanted, id)| wanted.is_none_or(|wanted| wanted == id))
            }
            _ => false,
        }
    }
}

/// Where one peer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PeerAddress {
    Network(IpAddr),
    Local([u32; 3]),
    /// Something that is neither, which no rule is about.
    Other,
}

impl PeerAddress {
    /// From what a request says.
    pub(super) fn parse(text: &str) -> PeerAddress {
        if let Some(ids) = text.strip_prefix(LOCAL).and_then(|ids| three(ids, |id| id.parse().ok()))
        {
            return PeerAddress::Local(ids);
        }
        // Link-local addresses of IPv6 are followed by their interface.
        let address = text.split('%').next().unwrap_or(text);
        address.parse().map_or(PeerAddress::Other, PeerAddress::Network)
    }
}

/// What addresses of ipc begin with.
const LOCAL: &str = "localhost:";

/// Three fields with colons in between.
fn three<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<[T; 3]> {
    let mut fields = text.split(':').map(parse);
    let found = [fields.next()??, fields.next()??, fields.next()??];
    fields.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Addresses, PeerAddress};

    fn have(addresses: &str, peer: &str) -> bool {
        Addresses::parse(addresses).expect(addresses).have(PeerAddress::parse(peer))
    }

    #[test]
    fn networks_and_single_addresses() {
        assert!(have("192.0.2.1", "192.0.2.1") && !have("192.0.2.1", "192.0.2.2"));
        assert!(have("192.0.2.0/24", "192.0.2.77") && !have("192.0.2.0/24", "192.0.3.77"));
        assert!(have("fe80::/10", "fe80::1%eth0") && !have("fe80::/10", "2001:db8::1"));
        assert!(have("0.0.0.0/0", "192.0.2.1") && !have("0.0.0.0/0", "localhost:0:0:1"));
        assert!(!have("0.0.0.0/0", "") && !have("::/0", "a.host"));
    }

    #[test]
    fn an_address_of_ipv4_in_the_clothes_of_ipv6_is_one_of_ipv4() {
        assert!(have("192.0.2.1", "::ffff:192.0.2.1") && have("::ffff:192.0.2.1", "192.0.2.1"));
        assert!(have("::ffff:192.0.2.0/120", "192.0.2.9"));
        assert!(!have("::ffff:192.0.2.0/120", "192.0.3.9"));
    }

    #[test]
    fn processes_of_this_machine() {
        let peer = "localhost:1000:100:4711";
        for addresses in [
            "localhost:1000:100:4711",
            "localhost:1000:*:*",
            "localhost:*:100:*",
            "localhost:*:*:*",
        ] {
            assert!(have(addresses, peer), "{addresses}");
        }
        for addresses in ["localhost:1001:*:*", "localhost:*:*:1", "127.0.0.1", "0.0.0.0/0"] {
            assert!(!have(addresses, peer), "{addresses}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "*",
            "a.host",
            "localhost",
            "localhost:1:2",
            "localhost:1:2:3:4",
            "localhost:-1:2:3",
            "1.2.3.4/33",
            "1.2.3",
        ] {
            assert_eq!(Addresses::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(addresses in "(localhost:)?[0-9a-f:.*/]{0,20}", peer in "(localhost:)?[0-9a-f:.%]{0,20}") {
            if let Some(addresses) = Addresses::parse(&addresses) {
                addresses.have(PeerAddress::parse(&peer));
            }
        }
    }
}
