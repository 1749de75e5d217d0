//! Our end of a conversation: the roles of `tests/peers/README.md`, played by sockets of this process.

use std::time::{Duration, Instant};

use tightbeam::options::{Value, number};
use tightbeam::{AnySocket, Context, Error, EventKind, Frame, Message, Monitor, SocketType};

use crate::peers::Peer;
use crate::theirs::LIMIT;

/// What a publisher sends until it knows that it is heard.
pub(crate) const HELLO: [u8; 2] = [0xff, 0xff];

/// A socket that never waits longer than the limit, and the context that it keeps alive.
pub(crate) fn socket(socket_type: SocketType) -> AnySocket {
    let socket = Context::new().any_socket(socket_type).expect("a socket");
    let ms = i32::try_from(LIMIT.as_millis()).expect("a limit in milliseconds");
    set(&socket, number::SNDTIMEO, ms);
    set(&socket, number::RCVTIMEO, ms);
    set(&socket, number::LINGER, ms);
    socket
}

pub(crate) fn set(socket: &AnySocket, option: i32, value: i32) {
    socket.set_option(option, Value::Int(value)).expect("an option");
}

pub(crate) fn set_id(socket: &AnySocket, id: &str) {
    socket.set_option(number::ROUTING_ID, Value::Bytes(id.as_bytes())).expect("a routing id");
}

/// How large the messages of a conversation are, and how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) size: usize,
    pub(crate) parts: usize,
    pub(crate) count: u64,
}

impl Shape {
    /// As options of a peer.
    pub(crate) fn options(self) -> String {
        format!("--size {} --parts {} --count {}", self.size, self.parts, self.count)
    }
}

/// The content of the messages of a shape, by the rule of the peers.
#[derive(Debug)]
pub(crate) struct Content {
    pattern: Frame,
    pub(crate) shape: Shape,
}

impl Content {
    pub(crate) fn new(shape: Shape) -> Content {
        let cycle: Vec<u8> = (0..=u8::MAX).collect();
        let mut pattern = cycle.repeat(shape.size / 256 + 2);
        pattern.truncate(shape.size + 255);
        Content { pattern: pattern.into(), shape }
    }

    /// Message `i`, with these frames in front.
    pub(crate) fn message(&self, i: u64, front: &[&str]) -> Message {
        let part = |p| {
            let start = usize::try_from((31 * i + 7 * p) % 256).expect("a byte");
            self.pattern.slice(start..start + self.shape.size)
        };
        let parts = (0..self.shape.parts as u64).map(part);
        front.iter().map(|frame| Frame::from(*frame)).chain(parts).collect()
    }
}

/// Sends messages and checks that each comes back.
pub(crate) fn ask(socket: &AnySocket, content: &Content, front: &[&str]) {
    for i in 0..content.shape.count {
        let message = content.message(i, front);
        send(socket, message.clone());
        expect(socket, &message);
    }
}

/// Sends back what comes.
pub(crate) fn echo(socket: &AnySocket, count: u64) {
    for _ in 0..count {
        let message = socket.recv().expect("a request");
        socket.send(message).expect("an answer to who asked");
    }
}

pub(crate) fn source(socket: &AnySocket, content: &Content, front: &[&str]) {
    for i in 0..content.shape.count {
        send(socket, content.message(i, front));
    }
}

/// Receives messages and checks content and order.
pub(crate) fn sink(socket: &AnySocket, content: &Content, front: &[&str]) {
    for i in 0..content.shape.count {
        expect(socket, &content.message(i, front));
    }
}

/// The next message has to be this one. (Comparing 100 MB is one thing, printing them another.)
pub(crate) fn expect(socket: &AnySocket, message: &Message) {
    let received = socket.recv().expect("a message");
    let sizes = |message: &Message| message.iter().map(|part| part.len()).collect::<Vec<_>>();
    assert_eq!(sizes(&received), sizes(message), "{received:.80?} for {message:.80?}");
    assert!(received == *message, "the content differs");
}

/// Sends a message; waits for the peer that it is for, if that is not there yet.
pub(crate) fn send(socket: &AnySocket, mut message: Message) {
    let deadline = Instant::now() + LIMIT;
    while let Err(refused) = socket.send(message) {
        let patient = matches!(refused.error, Error::Unroutable(_)) && Instant::now() < deadline;
        assert!(patient, "send: {refused}");
        message = refused.message;
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Says hello on a publisher until the peer has heard it.
pub(crate) fn greet(publisher: &AnySocket, peer: &mut Peer, topic: Option<&str>) {
    let deadline = Instant::now() + LIMIT;
    loop {
        let hello = topic.map(Frame::from).into_iter().chain([Frame::from(HELLO)]);
        publisher.send(hello.collect::<Message>()).expect("a publisher never waits");
        match peer.wait_for("SYNC", Duration::from_millis(5)) {
            Ok(_) => return,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

/// Waits for the hello of a publisher, lets it go on, and passes over the other hellos. Returns the first message.
pub(crate) fn be_greeted(subscriber: &AnySocket, peer: &mut Peer) -> Message {
    let is_hello = |message: &Message| message.last().is_some_and(|part| *part == HELLO);
    let first = subscriber.recv().expect("a hello");
    assert!(is_hello(&first), "{first:?}");
    peer.go().expect("a publisher that listens");
    loop {
        let message = subscriber.recv().expect("a message");
        if !is_hello(&message) {
            return message;
        }
    }
}

/// Waits until this has happened to the socket.
pub(crate) fn wait_for(monitor: &Monitor, kind: EventKind) {
    let deadline = Instant::now() + LIMIT;
    let mut seen = Vec::new();
    while let Some(event) = monitor.next_timeout(deadline - Instant::now()) {
        if event.kind == kind {
            return;
        }
        seen.push(event);
    }
    panic!("no {kind:?} in {seen:#?}");
}

/// Whether this has happened to the socket by now.
pub(crate) fn has_happened(monitor: &Monitor, kind: EventKind) -> bool {
    std::iter::from_fn(|| monitor.try_next()).any(|event| event.kind == kind)
}
