//! Setters of what connections are told.

use std::time::Duration;

use super::{SocketBase, Value, count, flag, number, zero};
use crate::error::Result;

/// -1 where the system's default is to hold.
fn or_default<T>(value: Option<T>, some: impl FnOnce(T) -> Value<'static>) -> Value<'static> {
    value.map_or(Value::Int(-1), some)
}

fn seconds(time: Duration) -> Value<'static> {
    let seconds = time.as_nanos().div_ceil(1_000_000_000);
    Value::Int(i32::try_from(seconds).unwrap_or(i32::MAX))
}

/// Text, or none at all to clear it.
fn text(value: Option<&str>) -> Value<'_> {
    Value::Bytes(value.unwrap_or_default().as_bytes())
}

/// Typed setters of what connections are told; all for endpoints that follow. `None` leaves a choice to the system. They fail as
/// the others do.
#[allow(clippy::missing_errors_doc, reason = "said once, at the other setters")]
impl SocketBase {
    /// The I/O threads that may serve this socket, as bits; 0, the default, is any. The first endpoint
    /// chooses the one that serves the fewest sockets.
    pub fn set_affinity(&self, threads: u64) -> Result<()> {
        self.set_option(number::AFFINITY, Value::UInt64(threads))
    }

    /// The system's buffer for what is sent, in bytes.
    pub fn set_send_buffer(&self, bytes: Option<usize>) -> Result<()> {
        self.set_option(number::SNDBUF, or_default(bytes, count))
    }

    /// The system's buffer for what is received, in bytes.
    pub fn set_recv_buffer(&self, bytes: Option<usize>) -> Result<()> {
        self.set_option(number::RCVBUF, or_default(bytes, count))
    }

    /// Whether the system asks silent tcp peers for a sign of life.
    pub fn set_tcp_keepalive(&self, on: Option<bool>) -> Result<()> {
        self.set_option(number::TCP_KEEPALIVE, or_default(on, flag))
    }

    /// After how many questions without an answer a tcp connection is dead.
    pub fn set_tcp_keepalive_count(&self, probes: Option<usize>) -> Result<()> {
        self.set_option(number::TCP_KEEPALIVE_CNT, or_default(probes, count))
    }

    /// After which silence the system asks first, in whole seconds, rounded up.
    pub fn set_tcp_keepalive_idle(&self, time: Option<Duration>) -> Result<()> {
        self.set_option(number::TCP_KEEPALIVE_IDLE, or_default(time, seconds))
    }

    /// The pause between the system's questions, in whole seconds, rounded up.
    pub fn set_tcp_keepalive_interval(&self, time: Option<Duration>) -> Result<()> {
        self.set_option(number::TCP_KEEPALIVE_INTVL, or_default(time, seconds))
    }

    /// How long bytes sent over tcp may stay without an acknowledgement.
    pub fn set_tcp_user_timeout(&self, time: Option<Duration>) -> Result<()> {
        self.set_option(number::TCP_MAXRT, zero(time))
    }

    /// The type-of-service byte of packets; 0 is the system's default.
    pub fn set_type_of_service(&self, bits: u8) -> Result<()> {
        self.set_option(number::TOS, Value::Int(bits.into()))
    }

    /// The network interface that alone is used; needs a privilege.
    pub fn set_bind_to_device(&self, interface: Option<&str>) -> Result<()> {
        self.set_option(number::BINDTODEVICE, text(interface))
    }

    /// The SOCKS 5 proxy, `host:port`, through which tcp connections are made.
    pub fn set_socks_proxy(&self, proxy: Option<&str>) -> Result<()> {
        self.set_option(number::SOCKS_PROXY, text(proxy))
    }

    /// The name and the password for the SOCKS 5 proxy. Nothing is changed unless both can be.
    pub fn set_socks_login(&self, login: Option<(&str, &str)>) -> Result<()> {
        let (user, password) = login.unwrap_or_default();
        let before = self.option(number::SOCKS_USERNAME)?;
        self.set_option(number::SOCKS_USERNAME, text(Some(user)))?;
        let set = self.set_option(number::SOCKS_PASSWORD, text(Some(password)));
        if set.is_err() {
            self.set_option(number::SOCKS_USERNAME, before.as_value())?;
        }
        set
    }

    /// Lets tcp connections in from this address or range too, such as `192.0.2.0/24`; without any, all
    /// come in. `None` forgets the ranges.
    pub fn add_tcp_accept_filter(&self, range: Option<&str>) -> Result<()> {
        self.set_option(number::TCP_ACCEPT_FILTER, text(range))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::options::{OwnedValue, number};
    use crate::{Context, Dealer};

    #[test]
    fn setters_of_connections_write_their_rows() {
        let context = Context::new();
        let socket = context.socket::<Dealer>().unwrap();
        let int = |number| match socket.option(number).unwrap() {
            OwnedValue::Int(value) => value,
            other => panic!("{other:?}"),
        };
        socket.set_affinity(1 << 63).unwrap();
        assert_eq!(socket.option(number::AFFINITY).unwrap(), OwnedValue::UInt64(1 << 63));
        socket.set_send_buffer(Some(7)).unwrap();
        socket.set_recv_buffer(Some(8)).unwrap();
        assert_eq!((int(number::SNDBUF), int(number::RCVBUF)), (7, 8));
        socket.set_send_buffer(None).unwrap();
        assert_eq!(int(number::SNDBUF), -1);
        socket.set_tcp_keepalive(Some(false)).unwrap();
        socket.set_tcp_keepalive_count(Some(3)).unwrap();
        socket.set_tcp_keepalive_idle(Some(Duration::from_millis(1_001))).unwrap();
        socket.set_tcp_keepalive_interval(None).unwrap();
        let keepalive = [
            number::TCP_KEEPALIVE,
            number::TCP_KEEPALIVE_CNT,
            number::TCP_KEEPALIVE_IDLE,
            number::TCP_KEEPALIVE_INTVL,
        ];
        assert_eq!(keepalive.map(int), [0, 3, 2, -1]);
        socket.set_tcp_user_timeout(Some(Duration::from_secs(1))).unwrap();
        socket.set_type_of_service(0x10).unwrap();
        assert_eq!((int(number::TCP_MAXRT), int(number::TOS)), (1_000, 0x10));
    }

    #[test]
    fn texts_are_set_and_cleared_and_a_login_is_all_or_nothing() {
        let context = Context::new();
        let socket = context.socket::<Dealer>().unwrap();
        let text = |number| match socket.option(number).unwrap() {
            OwnedValue::Bytes(value) => String::from_utf8(value).unwrap(),
            other => panic!("{other:?}"),
        };
        socket.set_socks_proxy(Some("proxy:1080")).unwrap();
        socket.set_bind_to_device(Some("lo")).unwrap();
        assert_eq!(
            (text(number::SOCKS_PROXY), text(number::BINDTODEVICE)),
            ("proxy:1080".into(), "lo".into())
        );
        socket.set_socks_proxy(None).unwrap();
        assert_eq!(text(number::SOCKS_PROXY), "");
        socket.set_socks_login(Some(("me", "secret"))).unwrap();
        assert!(socket.set_socks_login(Some(("you", &"x".repeat(256)))).is_err());
        assert_eq!(
            (text(number::SOCKS_USERNAME), text(number::SOCKS_PASSWORD)),
            ("me".into(), "secret".into())
        );
        socket.set_socks_login(None).unwrap();
        assert_eq!(text(number::SOCKS_USERNAME), "");
        socket.add_tcp_accept_filter(Some("192.0.2.0/24")).unwrap();
        assert!(socket.add_tcp_accept_filter(Some("nowhere")).is_err());
        socket.add_tcp_accept_filter(None).unwrap();
    }
}
