//! Socket types and which of them may talk to each other.

/// A socket type, as named in the `Socket-Type` property and numbered in the C API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum SocketType {
    /// Exclusive pair (RFC 31).
    Pair = 0,
    /// Publisher (RFC 29).
    Pub = 1,
    /// Subscriber (RFC 29).
    Sub = 2,
    /// Requester (RFC 28).
    Req = 3,
    /// Replier (RFC 28).
    Rep = 4,
    /// Asynchronous requester (RFC 28).
    Dealer = 5,
    /// Asynchronous replier that addresses its peers (RFC 28).
    Router = 6,
    /// Pipeline sink (RFC 30).
    Pull = 7,
    /// Pipeline source (RFC 30).
    Push = 8,
    /// Publisher that sees its subscriptions (RFC 29).
    XPub = 9,
    /// Subscriber that sends its subscriptions as messages (RFC 29).
    XSub = 10,
    /// Bytes without ZMTP: no peer may call itself so.
    Stream = 11,
}

impl SocketType {
    /// Every type, in the order of its number.
    pub const ALL: [SocketType; 12] = [
        SocketType::Pair,
        SocketType::Pub,
        SocketType::Sub,
        SocketType::Req,
        SocketType::Rep,
        SocketType::Dealer,
        SocketType::Router,
        SocketType::Pull,
        SocketType::Push,
        SocketType::XPub,
        SocketType::XSub,
        SocketType::Stream,
    ];

    /// The name on the wire, e.g. `DEALER`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            SocketType::Pair => "PAIR",
            SocketType::Pub => "PUB",
            SocketType::Sub => "SUB",
            SocketType::Req => "REQ",
            SocketType::Rep => "REP",
            SocketType::Dealer => "DEALER",
            SocketType::Router => "ROUTER",
            SocketType::Pull => "PULL",
            SocketType::Push => "PUSH",
            SocketType::XPub => "XPUB",
            SocketType::XSub => "XSUB",
            SocketType::Stream => "STREAM",
        }
    }

    /// The type with this name on the wire; names are case-sensitive (RFC 23, "Socket-Type").
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<SocketType> {
        Self::ALL.into_iter().find(|t| t.name().as_bytes() == name)
    }

    /// The type with this number in the C API.
    #[must_use]
    pub fn from_number(number: i32) -> Option<SocketType> {
        Self::ALL.into_iter().find(|t| *t as i32 == number)
    }

    /// Whether a socket of this type accepts a peer of type `peer` (RFC 28 to 31).
    #[must_use]
    pub const fn may_talk_to(self, peer: SocketType) -> bool {
        use SocketType::{Dealer, Pair, Pub, Pull, Push, Rep, Req, Router, Sub, XPub, XSub};
        matches!(
            (self, peer),
            (Pair, Pair)
                | (Pub | XPub, Sub | XSub)
                | (Sub | XSub, Pub | XPub)
                | (Req, Rep | Router)
                | (Rep, Req | Dealer)
                | (Dealer, Rep | Dealer | Router)
                | (Router, Req | Dealer | Router)
                | (Pull, Push)
                | (Push, Pull)
        )
    }
}

impl std::fmt::Display for SocketType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::SocketType;

    #[test]
    fn pairing_is_symmetric() {
        for a in SocketType::ALL {
            for b in SocketType::ALL {
                assert_eq!(a.may_talk_to(b), b.may_talk_to(a), "{a} {b}");
            }
        }
    }

    #[test]
    fn names_round_trip() {
        for t in SocketType::ALL {
            assert_eq!(SocketType::from_name(t.name().as_bytes()), Some(t));
            assert_eq!(SocketType::from_number(t as i32), Some(t));
        }
        assert_eq!(SocketType::from_name(b"dealer"), None);
        assert_eq!(SocketType::from_number(12), None);
        assert_eq!(SocketType::from_number(-1), None);
    }
}
