//! Typed setters of names, and of what REQ, ROUTER and STREAM do.

use super::flag;
use crate::error::Result;
use crate::options::{Value, number};
use crate::socket::SocketBase;

/// Setters of request and reply, and of connections known by name.
#[allow(clippy::missing_errors_doc, reason = "said once, at the other setters")]
impl SocketBase {
    /// How a ROUTER or STREAM calls the peer that it connects to next, whatever the peer calls itself.
    /// Holds for one connect, which is refused if another peer has the name.
    pub fn set_connect_routing_id(&self, id: impl AsRef<[u8]>) -> Result<()> {
        self.set_option(number::CONNECT_ROUTING_ID, Value::Bytes(id.as_ref()))
    }

    /// Whether a ROUTER refuses what it cannot deliver instead of dropping it. At once.
    pub fn set_router_mandatory(&self, on: bool) -> Result<()> {
        self.set_option(number::ROUTER_MANDATORY, flag(on))
    }

    /// Whether a newcomer takes over a routing id that is in use. At once.
    pub fn set_router_handover(&self, on: bool) -> Result<()> {
        self.set_option(number::ROUTER_HANDOVER, flag(on))
    }

    /// Whether each new peer is sent an empty message, so that a ROUTER learns of this socket: who is
    /// accepted, and who is connected to, once however often the connection is made again. At once.
    pub fn set_probe_router(&self, on: bool) -> Result<()> {
        self.set_option(number::PROBE_ROUTER, flag(on))
    }

    /// Whether a REQ numbers its requests and takes no reply with another number. At once.
    pub fn set_req_correlate(&self, on: bool) -> Result<()> {
        self.set_option(number::REQ_CORRELATE, flag(on))
    }

    /// Whether a REQ may send again before the reply has come. At once.
    pub fn set_req_relaxed(&self, on: bool) -> Result<()> {
        self.set_option(number::REQ_RELAXED, flag(on))
    }

    /// Whether a ROUTER receives an empty message from each peer that connects, and from each that
    /// disconnects.
    pub fn set_router_notify(&self, connect: bool, disconnect: bool) -> Result<()> {
        let bits = i32::from(connect) | i32::from(disconnect) << 1;
        self.set_option(number::ROUTER_NOTIFY, Value::Int(bits))
    }

    /// Whether a ROUTER's peers are plain connections, as those of a [`Stream`](crate::Stream), which is
    /// made for them.
    pub fn set_router_raw(&self, on: bool) -> Result<()> {
        self.set_option(number::ROUTER_RAW, flag(on))
    }

    /// Whether a STREAM receives an empty message when a connection is made, and when it ends. Default
    /// true.
    pub fn set_stream_notify(&self, on: bool) -> Result<()> {
        self.set_option(number::STREAM_NOTIFY, flag(on))
    }
}

#[cfg(test)]
mod tests {
    use crate::options::{OwnedValue, number};
    use crate::{Context, Error, Router, Stream};

    #[test]
    fn setters_of_names_write_their_rows() {
        let context = Context::new();
        let router = context.socket::<Router>().unwrap();
        for (connect, disconnect, bits) in
            [(false, false, 0), (true, false, 1), (false, true, 2), (true, true, 3)]
        {
            router.set_router_notify(connect, disconnect).unwrap();
            assert_eq!(router.option(number::ROUTER_NOTIFY).unwrap(), OwnedValue::Int(bits));
        }
        assert!(matches!(router.set_stream_notify(true), Err(Error::UnknownOption(_))));
        let stream = context.socket::<Stream>().unwrap();
        stream.set_stream_notify(false).unwrap();
        assert!(matches!(stream.set_connect_routing_id(b""), Err(Error::BadOption { .. })));
        stream.set_connect_routing_id(b"it").unwrap();
        stream.connect("tcp://127.0.0.1:1").unwrap();
        assert!(stream.peer_state(b"it").is_ok());
        router.set_router_raw(true).unwrap();
        router.set_connect_routing_id(b"it").unwrap();
        router.connect("tcp://127.0.0.1:1").unwrap();
        router.send(["it", "bytes"]).unwrap();
        assert!(matches!(stream.set_router_raw(true), Err(Error::UnknownOption(_))));
    }
}
