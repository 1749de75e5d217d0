//! What is known about the peer that a frame came from.

use std::ffi::CStr;

use zmtp::SocketType;

/// What is known about the peer that a frame was received from; shared by all its frames.
///
/// ```no_run
/// # fn show(frame: tightbeam::Frame) {
/// if let Some(peer) = frame.peer() {
///     println!("{} at {}", peer.get("Socket-Type").unwrap_or("?"), peer.address());
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Peer {
    info: PeerInfo,
    /// What `get` answers: names and values in turn, each with a zero byte behind it. C is given references, and a server
    /// has many peers: so all of it is one allocation.
    texts: Box<[u8]>,
}

/// What a [`Peer`] is made from.
#[derive(Debug, Default)]
pub(crate) struct PeerInfo {
    /// The IP address without the port; empty if the transport has none.
    pub(crate) address: String,
    pub(crate) socket_type: Option<SocketType>,
    /// The routing id that the peer announced.
    pub(crate) routing_id: Vec<u8>,
    /// The properties of the peer's handshake, as it sent them.
    pub(crate) properties: Vec<(String, Vec<u8>)>,
    /// The properties that our own authenticator answered, `User-Id` among them.
    pub(crate) authenticated: Vec<(String, Vec<u8>)>,
    /// The number of the connection's file descriptor.
    pub(crate) descriptor: Option<i32>,
}

const SOCKET_TYPE: &str = "Socket-Type";
const PEER_ADDRESS: &str = "Peer-Address";
const ROUTING_ID: &str = "Routing-Id";
/// The old name of the routing id, and the one on the wire.
const IDENTITY: &str = "Identity";
const USER_ID: &str = "User-Id";

impl Peer {
    /// Collects the answers of [`get`](Peer::get).
    pub(crate) fn new(info: PeerInfo) -> Peer {
        let socket_type = info.socket_type.map_or("", SocketType::name);
        let known = [
            (SOCKET_TYPE, socket_type.as_bytes()),
            (PEER_ADDRESS, info.address.as_bytes()),
            (ROUTING_ID, info.routing_id.as_slice()),
        ];
        let known: Vec<_> = known.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        // A peer cannot override what we know; and who it is and where, it cannot say at all.
        let claimed = info.properties.iter().map(borrow).filter(|(name, _)| {
            let mut ours = known.iter().map(|(name, _)| *name).chain([PEER_ADDRESS, USER_ID]);
            !ours.any(|ours| ours.eq_ignore_ascii_case(canonical(name)))
        });
        let all = known.iter().copied().chain(info.authenticated.iter().map(borrow)).chain(claimed);
        let mut texts = Vec::new();
        // A name with a zero byte must not become another one by being cut there.
        for (name, value) in all.filter(|(name, _)| !name.contains('\0')) {
            texts.extend_from_slice(canonical(name).as_bytes());
            texts.push(0);
            texts.extend(value.iter().take_while(|&&byte| byte != 0));
            texts.push(0);
        }
        Peer { info, texts: texts.into() }
    }

    /// A peer in the same process: without a handshake there are no properties.
    pub(crate) fn in_process(socket_type: SocketType, routing_id: Vec<u8>) -> Peer {
        let socket_type = Some(socket_type);
        let info = PeerInfo { socket_type, routing_id, ..PeerInfo::default() };
        Peer { info, texts: Box::default() }
    }

    /// The peer's IP address, without the port; empty if the transport has none.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.info.address
    }

    /// The type of the peer's socket, if it said one that is known here.
    #[must_use]
    pub fn socket_type(&self) -> Option<SocketType> {
        self.info.socket_type
    }

    /// The routing id that the peer announced; empty if none.
    #[must_use]
    pub fn routing_id(&self) -> &[u8] {
        &self.info.routing_id
    }

    /// The number of the connection's file descriptor, if it has one. The descriptor belongs to the
    /// socket, and may be closed and its number used for something else at any time.
    #[must_use]
    pub fn descriptor(&self) -> Option<i32> {
        self.info.descriptor
    }

    /// The properties that the peer sent in its handshake, as it sent them: they are its claims.
    #[must_use]
    pub fn properties(&self) -> &[(String, Vec<u8>)] {
        &self.info.properties
    }

    /// A property by its name, upper or lower case: `Socket-Type`, `Peer-Address`, `Routing-Id`
    /// (also `Identity`), `User-Id` and others that the authenticator answered, and the `X-` ones
    /// that the peer sent. None if it is not known or not UTF-8, and for every name over inproc, which has no handshake;
    /// values end at their first zero byte.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_c_str(name)?.to_str().ok()
    }

    /// A property by its name, as C sees it: like [`get`](Peer::get), but it may be any bytes.
    #[must_use]
    pub fn get_c_str(&self, name: &str) -> Option<&CStr> {
        let name = canonical(name);
        let mut rest = &*self.texts;
        let mut next = || {
            let text = CStr::from_bytes_until_nul(rest).ok()?;
            rest = &rest[text.count_bytes() + 1..];
            Some(text)
        };
        while let (Some(known), Some(value)) = (next(), next()) {
            if known.to_bytes().eq_ignore_ascii_case(name.as_bytes()) {
                return Some(value);
            }
        }
        None
    }
}

fn borrow((name, value): &(String, Vec<u8>)) -> (&str, &[u8]) {
    (name, value)
}

/// The name under which a property is kept.
fn canonical(name: &str) -> &str {
    if name.eq_ignore_ascii_case(IDENTITY) { ROUTING_ID } else { name }
}
