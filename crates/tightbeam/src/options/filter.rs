//! Address ranges that a listener may be limited to.

use std::net::IpAddr;

/// An address and how many of its leading bits count: `192.0.2.0/24`, `2001:db8::/32`, or one whole address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AddressFilter {
    address: IpAddr,
    bits: u32,
}

/// What stands before an IPv4 address in IPv6's clothes.
const MAPPED_BITS: u32 = 96;

impl AddressFilter {
    /// From text; `None` when it is malformed.
    pub(crate) fn parse(text: &[u8]) -> Option<AddressFilter> {
        let text = std::str::from_utf8(text).ok()?;
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return None;
        }
        Some(match address.to_canonical() {
            // A range of IPv4 in IPv6's clothes, if it is not wider than all of IPv4.
            IpAddr::V4(inner) if address.is_ipv6() && bits >= MAPPED_BITS => {
                AddressFilter { address: inner.into(), bits: bits - MAPPED_BITS }
            }
            _ => AddressFilter { address, bits },
        })
    }

    pub(crate) fn is_ipv4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// Whether an address is in the range. One of IPv4 that came over an IPv6 socket is one of IPv4.
    pub(crate) fn matches(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(range), IpAddr::V4(address)) => {
                let apart = u32::from(range) ^ u32::from(address);
                apart.checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(range), IpAddr::V6(address)) => {
                let apart = u128::from(range) ^ u128::from(address);
                apart.checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::AddressFilter;

    fn matches(filter: &str, address: &str) -> bool {
        let filter = AddressFilter::parse(filter.as_bytes()).expect("a filter");
        filter.matches(address.parse().expect("an address"))
    }

    #[test]
    fn leading_bits_count() {
        assert!(matches("192.0.2.0/24", "192.0.2.77") && !matches("192.0.2.0/24", "192.0.3.77"));
        assert!(matches("192.0.2.1", "192.0.2.1") && !matches("192.0.2.1", "192.0.2.2"));
        assert!(matches("0.0.0.0/0", "203.0.113.9") && !matches("0.0.0.0/0", "::2"));
        assert!(
            matches("2001:db8::/32", "2001:db8:7::1") && !matches("2001:db8::/32", "2001:db9::1")
        );
        assert!(matches("::1", "::1") && !matches("::1", "::2") && matches("::/0", "2001:db8::1"));
    }

    #[test]
    fn ipv4_over_an_ipv6_socket_is_ipv4() {
        assert!(matches("127.0.0.0/8", "::ffff:127.0.0.1"));
        assert!(matches("::ffff:127.0.0.1", "127.0.0.1"));
        assert!(matches("::ffff:127.0.0.0/104", "127.1.2.3"));
        assert!(!matches("::ffff:127.0.0.0/104", "126.1.2.3"));
    }

    #[test]
    fn malformed_ranges_are_refused() {
        for text in
            ["", "x", "1.2.3", "1.2.3.4/", "1.2.3.4/33", "::1/129", "1.2.3.4/-1", "/8", "host/8"]
        {
            assert_eq!(AddressFilter::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(AddressFilter::parse(&[0xff, 0xfe]), None);
    }

    /// The bits of an address, the first in front.
    fn bits_of(address: IpAddr) -> String {
        match address {
            IpAddr::V4(ip) => format!("{:032b}", u32::from(ip)),
            IpAddr::V6(ip) => format!("{:0128b}", u128::from(ip)),
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_range_or_are_refused(bytes in any::<Vec<u8>>(), text in "[0-9a-f:.]{0,20}/?[-+0-9]{0,11}", address in any::<IpAddr>()) {
            for given in [&bytes[..], text.as_bytes()] {
                if let Some(filter) = AddressFilter::parse(given) {
                    filter.matches(address);
                }
            }
        }

        #[test]
        fn a_range_is_what_shares_its_leading_bits(range in any::<IpAddr>(), address in any::<IpAddr>(), flip in 0..128_usize, bits in 0..140_usize) {
            let filter = AddressFilter::parse(format!("{range}/{bits}").as_bytes());
            let most = if range.is_ipv4() { 32 } else { 128 };
            prop_assert_eq!(filter.is_some(), bits <= most);
            let Some(filter) = filter else { return Ok(()) };
            let near = match range {
                IpAddr::V4(ip) => IpAddr::from((u32::from(ip) ^ (1 << (flip % 32))).to_be_bytes()),
                IpAddr::V6(ip) => IpAddr::from((u128::from(ip) ^ (1 << flip)).to_be_bytes()),
            };
            // An IPv4 address in IPv6's clothes is one of IPv4, and in no range of IPv6 but one of such addresses alone.
            let of_ipv4 = range.is_ipv4() || bits >= 96 && range.to_canonical().is_ipv4();
            for address in [range, near, address].map(|address| address.to_canonical()) {
                let clothed = match address {
                    IpAddr::V4(ip) if range.is_ipv6() => ip.to_ipv6_mapped().into(),
                    address => address,
                };
                let same = of_ipv4 == address.is_ipv4()
                    && bits_of(range)[..bits] == bits_of(clothed)[..bits];
                prop_assert_eq!(filter.matches(address), same, "{} in {}/{}", address, range, bits);
            }
        }
    }
}
