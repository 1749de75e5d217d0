//! What every test here needs: a socket on an ephemeral port, its events, and proof that it still
//! serves a good peer.

use std::time::{Duration, Instant};

use tightbeam::options::{Value, number};
use tightbeam::{
    AnySocket, Context, EventKind, Message, Monitor, MonitorEvent, Socket, SocketType, Typed,
};
use tightbeam_tests::peer::{HANG, Lounge, Peer, Speaks};
use tightbeam_tests::transport::anywhere;

/// A socket under test, its events, and where it listens.
pub(crate) struct Bench<T: Typed> {
    pub(crate) socket: Socket<T>,
    pub(crate) events: Monitor,
    pub(crate) endpoint: String,
    pub(crate) context: Context,
}

/// A bound socket.
pub(crate) fn bound<T: Typed>() -> Bench<T> {
    bound_with(&[])
}

/// A bound socket with these options.
pub(crate) fn bound_with<T: Typed>(options: &[(i32, i32)]) -> Bench<T> {
    let mut bench = open(options);
    bench.endpoint = bench.socket.bind(anywhere()).expect("bind").to_string();
    bench
}

/// A socket that connects to a scripted listener.
pub(crate) fn connected<T: Typed>(options: &[(i32, i32)]) -> (Bench<T>, Lounge) {
    let lounge = Lounge::open();
    (connected_to(&lounge, options), lounge)
}

/// A socket that connects to this listener.
pub(crate) fn connected_to<T: Typed>(lounge: &Lounge, options: &[(i32, i32)]) -> Bench<T> {
    let mut bench = open(&[&[(number::RECONNECT_IVL, 10)], options].concat());
    bench.endpoint = lounge.endpoint();
    bench.socket.connect(&bench.endpoint).expect("connect");
    bench
}

fn open<T: Typed>(options: &[(i32, i32)]) -> Bench<T> {
    let context = Context::new();
    let socket = context.socket::<T>().expect("socket");
    // Scripted peers come faster than one core accepts them, and a connection attempt that the system
    // drops takes a second to be tried again.
    socket.set_option(number::BACKLOG, Value::Int(4096)).expect("BACKLOG");
    for (option, value) in options {
        let set = match *option {
            number::MAXMSGSIZE
            | number::MAX_HELD_BYTES
            | number::MAX_TOPIC_BYTES
            | number::MAX_SOCKET_BYTES => {
                socket.set_option(*option, Value::Int64(i64::from(*value)))
            }
            _ => socket.set_option(*option, Value::Int(*value)),
        };
        set.expect("option");
    }
    socket.set_option(number::LINGER, Value::Int(0)).expect("LINGER");
    let events = socket.monitor().expect("monitor");
    Bench { socket, events, endpoint: String::new(), context }
}

impl<T: Typed> Bench<T> {
    pub(crate) fn any(&self) -> &AnySocket {
        self.socket.as_any()
    }

    /// The next event of a kind; others are passed over.
    pub(crate) fn wait_for(&self, kind: EventKind) -> MonitorEvent {
        self.wait_until(&format!("{kind:?}"), |event| event.kind == kind)
    }

    /// The next event that tells why a handshake failed.
    pub(crate) fn wait_for_failure(&self) -> MonitorEvent {
        self.wait_until("failure of a handshake", |event| {
            event.kind.is_handshake_failure() || event.kind == EventKind::BudgetExceeded
        })
    }

    fn wait_until(&self, what: &str, is_it: impl Fn(&MonitorEvent) -> bool) -> MonitorEvent {
        let deadline = Instant::now() + HANG;
        let mut seen = Vec::new();
        while Instant::now() < deadline {
            match self.events.next_timeout(Duration::from_millis(100)) {
                Some(event) if is_it(&event) => return event,
                Some(event) => seen.push(event.kind),
                None => {}
            }
        }
        panic!("no {what}; only {:?}", &seen[seen.len().saturating_sub(20)..]);
    }

    /// Waits until a handshake fails, and says that it was for this reason.
    pub(crate) fn wait_for_refusal(&self, reason: &str) {
        let event = self.wait_for_failure();
        let given = event.reason.unwrap_or_default();
        assert!(given.contains(reason), "expected {reason:?}, got {given:?}");
    }

    /// Waits until a connection that was up is lost for this reason.
    pub(crate) fn wait_for_loss(&self, reason: &str) {
        self.wait_for_reason(EventKind::Disconnected, reason);
    }

    fn wait_for_reason(&self, kind: EventKind, reason: &str) {
        let event = self.wait_for(kind);
        let given = event.reason.unwrap_or_default();
        assert!(given.contains(reason), "expected {reason:?}, got {given:?}");
    }

    /// The number of connections, handshakes included.
    pub(crate) fn connections(&self) -> usize {
        self.socket.stats().expect("stats").connections
    }

    /// Waits until the number of connections is this.
    pub(crate) fn wait_for_connections(&self, wanted: usize) {
        let deadline = Instant::now() + HANG;
        while self.connections() != wanted {
            assert!(Instant::now() < deadline, "{} connections", self.connections());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Receives a message of one part.
    pub(crate) fn recv(&self) -> Vec<u8> {
        let mut message = self.recv_message();
        assert_eq!(message.len(), 1, "{message:?}");
        message.remove(0)
    }

    /// Receives a message.
    pub(crate) fn recv_message(&self) -> Vec<Vec<u8>> {
        let message = self.any().recv_timeout(HANG).expect("a message");
        message.frames().iter().map(|frame| frame.to_vec()).collect()
    }

    /// Nothing has arrived that could be received.
    pub(crate) fn expect_nothing(&self) {
        let received = self.any().try_recv();
        assert!(received.as_ref().is_err_and(tightbeam::Error::is_would_block), "{received:?}");
    }

    /// Sends a message.
    pub(crate) fn send(&self, message: impl Into<Message>) {
        self.any().send_timeout(message, HANG).expect("send");
    }

    /// A new peer connects, shakes hands and is served. The bar is 100 ms on a machine that does
    /// nothing else; here it only must not wait for a time-out of whatever else goes on.
    pub(crate) fn expect_good_service(&self) {
        let began = Instant::now();
        let good = |socket_type| Peer::join(&self.endpoint, socket_type, Speaks::V3_1);
        match self.socket.socket_type() {
            SocketType::Pull | SocketType::Sub => {
                let with = if T::TYPE == SocketType::Pull { "PUSH" } else { "PUB" };
                good(with).send_message(&[b"good"]);
                assert_eq!(self.recv(), b"good");
            }
            SocketType::Router => {
                let mut dealer = good("DEALER");
                dealer.send_message(&[b"good"]);
                let request = self.recv_message();
                assert_eq!(request[1..], [b"good".to_vec()]);
                self.send(Message::multipart([&request[0][..], b"served"]));
                assert_eq!(dealer.take_message(), [b"served".to_vec()]);
            }
            SocketType::Dealer => {
                let mut dealer = good("DEALER");
                dealer.send_message(&[b"good"]);
                assert_eq!(self.recv(), b"good");
            }
            SocketType::Pub => {
                let mut subscriber = good("SUB");
                subscriber.send("04 0e 09 'SUBSCRIBE' 'good'");
                // A subscription takes effect some time after it was sent.
                let deadline = Instant::now() + HANG;
                while subscriber.peek(Duration::from_millis(5)).is_none() {
                    assert!(Instant::now() < deadline, "nothing published arrived");
                    self.send("good");
                }
                assert_eq!(subscriber.take_message(), [b"good"]);
            }
            SocketType::Push => {
                let mut pull = good("PULL");
                self.send("good");
                assert_eq!(pull.take_message(), [b"good".to_vec()]);
            }
            other => panic!("no good peer for {other}"),
        }
        let took = began.elapsed();
        assert!(took < Duration::from_secs(5), "a good peer had to wait {took:?}");
    }
}
