//! Options by name, with types: each method sets one row of [`options::TABLE`](crate::options::TABLE).
//! "At once" holds for what exists already; the others hold for what is bound or connected afterwards.

mod network;
mod routing;
mod security;

use std::time::Duration;

use super::SocketBase;
use crate::error::Result;
use crate::options::{Value, number};

/// As the option says it: milliseconds, rounded up, because 0 often means something else. What is too
/// long for the option is refused by its range.
fn millis(time: Duration) -> Value<'static> {
    let millis = time.as_nanos().div_ceil(1_000_000);
    Value::Int(i32::try_from(millis).unwrap_or(i32::MAX))
}

fn forever(time: Option<Duration>) -> Value<'static> {
    time.map_or(Value::Int(-1), millis)
}

fn zero(time: Option<Duration>) -> Value<'static> {
    time.map_or(Value::Int(0), millis)
}

fn count(number: usize) -> Value<'static> {
    Value::Int(i32::try_from(number).unwrap_or(i32::MAX))
}

fn size(bytes: Option<u64>) -> Value<'static> {
    Value::Int64(bytes.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)))
}

fn flag(on: bool) -> Value<'static> {
    Value::Int(on.into())
}

/// Typed setters. Times are in whole milliseconds, rounded up. All fail with [`Error::BadOption`](crate::Error::BadOption) for a value out of range,
/// [`Error::UnknownOption`](crate::Error::UnknownOption) where the socket's type has no such option, and
/// [`Error::Terminated`](crate::Error::Terminated); then the option is as it was.
#[allow(clippy::missing_errors_doc, reason = "said once, above")]
impl SocketBase {
    /// How many messages may wait to be sent to each peer; 0 is no limit. At once. Default 1,000.
    /// Messages that are just being written count until the write has returned.
    pub fn set_send_hwm(&self, messages: usize) -> Result<()> {
        self.set_option(number::SNDHWM, count(messages))
    }

    /// How many messages of each peer may wait to be received; 0 is no limit. At once. Default
    /// 1,000.
    pub fn set_recv_hwm(&self, messages: usize) -> Result<()> {
        self.set_option(number::RCVHWM, count(messages))
    }

    /// How long a closed socket goes on sending what is queued; `None` is for ever, the default.
    /// At once.
    pub fn set_linger(&self, time: Option<Duration>) -> Result<()> {
        self.set_option(number::LINGER, forever(time))
    }

    /// How long `send` waits for room; `None` is for ever, the default. At once.
    pub fn set_send_timeout(&self, time: Option<Duration>) -> Result<()> {
        self.set_option(number::SNDTIMEO, forever(time))
    }

    /// How long `recv` waits for a message; `None` is for ever, the default. At once.
    pub fn set_recv_timeout(&self, time: Option<Duration>) -> Result<()> {
        self.set_option(number::RCVTIMEO, forever(time))
    }

    /// The name that a ROUTER addresses this socket by: 1 to 255 bytes. For endpoints that
    /// follow.
    pub fn set_routing_id(&self, id: &[u8]) -> Result<()> {
        self.set_option(number::ROUTING_ID, Value::Bytes(id))
    }

    /// Whether messages are queued only for peers whose handshake is complete. For endpoints that
    /// follow.
    pub fn set_immediate(&self, on: bool) -> Result<()> {
        self.set_option(number::IMMEDIATE, flag(on))
    }

    /// The pause before a broken connection is made again; `None` is never. Default 100 ms.
    pub fn set_reconnect_interval(&self, time: Option<Duration>) -> Result<()> {
        self.set_option(number::RECONNECT_IVL, forever(time))
    }

    /// The longest pause, up to which the pause doubles; `None`, the default, keeps it as it is.
    /// A time of zero is the same as `None`.
    pub fn set_reconnect_interval_max(&self, time: Option<Duration>) -> Result<()> {
        self.set_option(number::RECONNECT_IVL_MAX, zero(time))
    }

    /// How long one connection attempt may take; `None`, the default, leaves it to the system.
    /// A time of zero is the same as `None`.
    pub fn set_connect_timeout(&self, time: Option<Duration>) -> Result<()> {
        self.set_option(number::CONNECT_TIMEOUT, zero(time))
    }

    /// How long a handshake may take; `None` is for ever. Default 30 s.
    /// A time of zero is the same as `None`.
    pub fn set_handshake_timeout(&self, time: Option<Duration>) -> Result<()> {
        self.set_option(number::HANDSHAKE_IVL, zero(time))
    }

    /// How often a silent peer is asked for a sign of life; `None`, the default, is never.
    /// A time of zero is the same as `None`.
    pub fn set_heartbeat_interval(&self, time: Option<Duration>) -> Result<()> {
        self.set_option(number::HEARTBEAT_IVL, zero(time))
    }

    /// How long to wait for any traffic after asking; a time of zero is for ever. Default: the
    /// interval.
    pub fn set_heartbeat_timeout(&self, time: Duration) -> Result<()> {
        self.set_option(number::HEARTBEAT_TIMEOUT, millis(time))
    }

    /// After which silence the peer is to give this socket up, in steps of 100 ms; zero says
    /// nothing.
    pub fn set_heartbeat_ttl(&self, time: Duration) -> Result<()> {
        self.set_option(number::HEARTBEAT_TTL, millis(time))
    }

    /// The largest part that a peer may send, in bytes; a peer that sends more is closed. `None`,
    /// the default, is no limit.
    pub fn set_max_message_size(&self, bytes: Option<u64>) -> Result<()> {
        self.set_option(number::MAXMSGSIZE, size(bytes))
    }

    /// How many connections may wait to be accepted. For endpoints that follow. Default 100.
    pub fn set_backlog(&self, connections: usize) -> Result<()> {
        self.set_option(number::BACKLOG, count(connections))
    }

    /// Whether endpoints may have IPv6 addresses. For endpoints that follow.
    pub fn set_ipv6(&self, on: bool) -> Result<()> {
        self.set_option(number::IPV6, flag(on))
    }

    /// Whether a PUB waits for slow subscribers instead of dropping what they have no room for.
    /// At once.
    pub fn set_pub_nodrop(&self, on: bool) -> Result<()> {
        self.set_option(number::XPUB_NODROP, flag(on))
    }

    /// Whether of the messages that wait to be sent to a peer, or to be received from it, only the last is
    /// kept, and of a message of several parts only the last part. There are no high-water marks then. For
    /// PULL, PUSH, SUB, PUB and DEALER, and for peers that come later; on others it has no effect.
    ///
    /// ```
    /// use tightbeam::{Context, Pull, Push};
    ///
    /// let context = Context::new();
    /// let (pull, push) = (context.socket::<Pull>()?, context.socket::<Push>()?);
    /// pull.set_conflate(true)?;
    /// push.connect(pull.bind("inproc://state")?)?;
    /// for state in ["starting", "running", "done"] {
    ///     push.send(state)?;
    /// }
    /// assert_eq!(pull.recv()?, "done");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_conflate(&self, on: bool) -> Result<()> {
        self.set_option(number::CONFLATE, flag(on))
    }

    /// Whether an XPUB receives every subscription, and not only the first to each topic. Sets back
    /// [`set_xpub_verboser`](SocketBase::set_xpub_verboser). At once.
    pub fn set_xpub_verbose(&self, on: bool) -> Result<()> {
        self.set_option(number::XPUB_VERBOSE, flag(on))
    }

    /// Whether an XPUB receives every subscription and every cancellation, and not only the first and the
    /// last of each topic. At once.
    pub fn set_xpub_verboser(&self, on: bool) -> Result<()> {
        self.set_option(number::XPUB_VERBOSER, flag(on))
    }

    /// Whether an XPUB leaves it to the application what its peers get: it receives every subscription
    /// and cancellation, none of which has an effect, and says with
    /// [`subscribe`](crate::Socket::subscribe) and `unsubscribe` what holds for the peer whose request it
    /// received last. At once, for what comes then.
    ///
    /// ```
    /// use tightbeam::{Context, Sub, XPub};
    ///
    /// let context = Context::new();
    /// let (publisher, subscriber) = (context.socket::<XPub>()?, context.socket::<Sub>()?);
    /// publisher.set_xpub_manual(true)?;
    /// subscriber.connect(publisher.bind("tcp://127.0.0.1:*")?)?;
    /// subscriber.subscribe("")?; // everything; but it gets
    /// assert_eq!(publisher.recv()?, b"\x01");
    /// publisher.subscribe("public.")?;
    /// publisher.send("secret.plans")?;
    /// publisher.send("public.news")?;
    /// assert_eq!(subscriber.recv()?, "public.news");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_xpub_manual(&self, on: bool) -> Result<()> {
        self.set_option(number::XPUB_MANUAL, flag(on))
    }

    /// As [`set_xpub_manual`](SocketBase::set_xpub_manual), and the next message that is sent after a
    /// request was received goes to that peer alone, if it matches: its last value, which the others
    /// have. At once.
    pub fn set_xpub_manual_last_value(&self, on: bool) -> Result<()> {
        self.set_option(number::XPUB_MANUAL_LAST_VALUE, flag(on))
    }

    /// What a PUB or XPUB sends first to each peer that comes, whatever it will subscribe to; a SUB that
    /// is to receive it must have subscribed to it. Empty, the default: nothing. At once.
    pub fn set_xpub_welcome_message(&self, message: &[u8]) -> Result<()> {
        self.set_option(number::XPUB_WELCOME_MSG, Value::Bytes(message))
    }

    /// Whether PUB and XPUB send to those who did not subscribe, and SUB receives what it did not
    /// subscribe to. Both sides must set it. At once.
    pub fn set_invert_matching(&self, on: bool) -> Result<()> {
        self.set_option(number::INVERT_MATCHING, flag(on))
    }

    /// Whether parts of a message that have the form of subscriptions are none if there is data before
    /// them: set at both XSUB and XPUB. At once.
    pub fn set_only_first_subscribe(&self, on: bool) -> Result<()> {
        self.set_option(number::ONLY_FIRST_SUBSCRIBE, flag(on))
    }

    /// Tells every peer a property `X-name` in the handshake. For endpoints that follow; once for each
    /// name.
    pub fn set_property(&self, name: &str, value: &str) -> Result<()> {
        self.set_option(number::METADATA, Value::Bytes(format!("{name}:{value}").as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::options::{OwnedValue, number};
    use crate::{Context, Dealer, Error};

    #[test]
    fn setters_write_the_rows_of_the_table() {
        let context = Context::new();
        let socket = context.socket::<Dealer>().unwrap();
        socket.set_linger(Some(Duration::from_millis(250))).unwrap();
        assert_eq!(socket.option(number::LINGER).unwrap(), OwnedValue::Int(250));
        socket.set_handshake_timeout(Some(Duration::from_nanos(1))).unwrap();
        assert_eq!(socket.option(number::HANDSHAKE_IVL).unwrap(), OwnedValue::Int(1));
        socket.set_linger(None).unwrap();
        assert_eq!(socket.option(number::LINGER).unwrap(), OwnedValue::Int(-1));
        socket.set_connect_timeout(None).unwrap();
        assert_eq!(socket.option(number::CONNECT_TIMEOUT).unwrap(), OwnedValue::Int(0));
        socket.set_max_message_size(Some(1 << 40)).unwrap();
        assert_eq!(socket.option(number::MAXMSGSIZE).unwrap(), OwnedValue::Int64(1 << 40));
        socket.set_routing_id(b"me").unwrap();
        assert_eq!(socket.option(number::ROUTING_ID).unwrap(), OwnedValue::Bytes(b"me".to_vec()));
    }

    #[test]
    fn setters_refuse_what_the_table_refuses() {
        let context = Context::new();
        let socket = context.socket::<Dealer>().unwrap();
        assert!(matches!(socket.set_routing_id(b""), Err(Error::BadOption { .. })));
        assert!(matches!(socket.set_router_mandatory(true), Err(Error::UnknownOption(_))));
        assert!(matches!(socket.set_property("no-prefix", "x"), Err(Error::BadOption { .. })));
    }
}
