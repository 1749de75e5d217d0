//! Sockets joined for a test, and waiting for what happens to them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tightbeam::options::Value;
use tightbeam::{
    Context, Endpoint, EventKind, Message, Monitor, MonitorEvent, Pub, Socket, SocketBase, Sub,
    Typed,
};

use crate::transport::anywhere;

/// How long anything may take before a test counts as hung.
pub const LIMIT: Duration = Duration::from_secs(30);
/// A bind to a port of the system's choice.
pub const ANY_PORT: &str = "tcp://127.0.0.1:*";

/// A new socket.
pub fn open<T: Typed>(context: &Context) -> Socket<T> {
    context.socket().unwrap_or_else(|error| panic!("{}: {error}", T::TYPE))
}

/// A socket with options that are numbers.
pub fn open_with<T: Typed>(context: &Context, options: &[(i32, i32)]) -> Socket<T> {
    let socket = open(context);
    for (number, value) in options {
        set(&socket, *number, *value);
    }
    socket
}

/// Sets an option that is a number.
pub fn set(socket: &SocketBase, number: i32, value: i32) {
    socket.set_option(number, Value::Int(value)).unwrap_or_else(|error| panic!("{error}"));
}

/// Binds to a port, or a path, of the system's choice.
pub fn bind(socket: &SocketBase) -> Endpoint {
    socket.bind(anywhere()).unwrap_or_else(|error| panic!("{error}"))
}

/// Connects.
pub fn connect(socket: &SocketBase, endpoint: &Endpoint) {
    socket.connect(endpoint).unwrap_or_else(|error| panic!("{error}"));
}

/// A bound socket and one that is connected to it, the handshake complete on both sides.
pub fn join<A: Typed, B: Typed>(context: &Context) -> (Socket<A>, Socket<B>) {
    let (bound, connected) = (open(context), open(context));
    join_up(&bound, &connected);
    (bound, connected)
}

/// Binds one socket, connects the other, and waits until both are through the handshake.
pub fn join_up(bound: &SocketBase, connected: &SocketBase) -> Endpoint {
    let before = peers(bound);
    let endpoint = bind(bound);
    connect(connected, &endpoint);
    await_peers(connected, 1);
    await_peers(bound, before + 1);
    endpoint
}

/// Peers that a socket is connected with just now.
pub fn peers(socket: &SocketBase) -> usize {
    let stats = socket.stats().unwrap_or_else(|error| panic!("{error}"));
    stats.peers.iter().filter(|peer| peer.connected).count()
}

/// Waits until so many peers are connected.
pub fn await_peers(socket: &SocketBase, count: usize) {
    until("peers are connected", || peers(socket) == count);
}

/// Messages of all peers that wait to be received.
pub fn waiting(socket: &SocketBase) -> usize {
    let stats = socket.stats().unwrap_or_else(|error| panic!("{error}"));
    stats.peers.iter().map(|peer| peer.recv_queue).sum()
}

/// Waits until so many messages can be received.
pub fn await_waiting(socket: &SocketBase, count: usize) {
    until("messages wait to be received", || waiting(socket) >= count);
}

/// Messages that the socket has dropped.
pub fn dropped(socket: &SocketBase) -> u64 {
    socket.stats().unwrap_or_else(|error| panic!("{error}")).traffic.messages_dropped
}

/// Waits until `condition` holds; fails when that takes longer than [`LIMIT`].
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < end, "not within {LIMIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The next event of this kind; others before it are passed over.
pub fn await_event(monitor: &Monitor, kind: EventKind) -> MonitorEvent {
    let end = Instant::now() + LIMIT;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let event = monitor.next_timeout(left);
        let event = event.unwrap_or_else(|| panic!("no {kind:?} within {LIMIT:?}"));
        if event.kind == kind {
            return event;
        }
    }
}

/// The next event that tells why a handshake failed; others before it are passed over.
pub fn await_refusal(monitor: &Monitor) -> MonitorEvent {
    let end = Instant::now() + LIMIT;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let event = monitor.next_timeout(left);
        let event = event.unwrap_or_else(|| panic!("no handshake fails within {LIMIT:?}"));
        if event.kind.is_handshake_failure() {
            return event;
        }
    }
}

/// The parts of a message as text.
pub fn texts(message: &Message) -> Vec<String> {
    message.iter().map(|frame| frame.to_string_lossy().into_owned()).collect()
}

/// Waits until the publisher knows whatever the subscriber has subscribed and cancelled until now.
/// No message for the subscriber may be on its way.
pub fn synchronise(publisher: &Socket<Pub>, subscriber: &Socket<Sub>) {
    static MARKS: AtomicUsize = AtomicUsize::new(0);
    let mark = format!("\0mark {} \0", MARKS.fetch_add(1, Ordering::Relaxed));
    let sent = || publisher.stats().map_or(0, |stats| stats.traffic.messages_sent);
    subscriber.subscribe(&mark).unwrap_or_else(|error| panic!("{error}"));
    let before = sent();
    let mut heard = 0;
    until("a subscription arrives", || {
        publisher.send(&*mark).unwrap_or_else(|error| panic!("{error}"));
        sent() > before
    });
    while heard < sent() - before {
        let message = subscriber.recv_timeout(LIMIT).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(message, mark.as_str(), "a message was on its way");
        heard += 1;
    }
    subscriber.unsubscribe(&mark).unwrap_or_else(|error| panic!("{error}"));
}
