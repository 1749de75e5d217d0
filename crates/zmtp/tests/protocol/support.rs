//! Two peers, or a peer and a script, in virtual time and without sockets.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zmtp::{
    Config, Connection, Encoder, Error, Event, FrameHeader, Frames, Peer, Progress, Role,
    SocketType, Traffic, Transmit, Verdict, encode_header,
};

/// A frame of a message: MORE and body.
pub(crate) type Frame = (bool, Vec<u8>);

/// A connection with the simplest driver that keeps the contract.
pub(crate) struct End {
    pub(crate) connection: Connection,
    /// What arrived and was not consumed.
    pub(crate) rest: Vec<u8>,
    /// What is to be sent.
    pub(crate) out: Vec<u8>,
    pub(crate) events: Vec<Event>,
    /// Data frames received, of whole messages or not.
    pub(crate) frames: Vec<Frame>,
    /// As counted by `Progress::messages`.
    pub(crate) messages: u32,
    /// The same, when the last read began.
    messages_before_read: u32,
    /// Of each subscription and cancellation, how many messages came before it.
    pub(crate) positions: Vec<u32>,
    pub(crate) partial: Option<FrameHeader>,
    pub(crate) error: Option<Error>,
    /// From the first use on.
    encoder: Option<Encoder>,
    /// The answers to `Event::Authenticate`.
    pub(crate) verdict: Option<Verdict>,
}

impl End {
    pub(crate) fn new(config: Config, now: Instant) -> Self {
        let mut end = Self {
            connection: Connection::new(Arc::new(config), now),
            rest: Vec::new(),
            out: Vec::new(),
            events: Vec::new(),
            frames: Vec::new(),
            messages: 0,
            messages_before_read: 0,
            positions: Vec::new(),
            partial: None,
            error: None,
            encoder: None,
            verdict: None,
        };
        end.settle(now);
        end
    }

    /// Bytes arrive.
    pub(crate) fn deliver(&mut self, now: Instant, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        if self.error.is_none() {
            self.read(now);
        }
    }

    fn read(&mut self, now: Instant) {
        let mut input = std::mem::take(&mut self.rest);
        self.messages_before_read = self.messages;
        match self.connection.handle_read(now, &mut input) {
            Ok(progress) => {
                self.take_traffic(&progress, &input);
                self.rest = input[progress.consumed..].to_vec();
            }
            Err(error) => self.error = Some(error),
        }
        self.settle(now);
    }

    fn take_traffic(&mut self, progress: &Progress, input: &[u8]) {
        let bytes = match &progress.traffic {
            Traffic::None => &[][..],
            Traffic::Input(Range { start, end }) => {
                assert!(*end <= progress.consumed);
                &input[*start..*end]
            }
            Traffic::Buffer(buffer) => buffer,
        };
        let mut frames = Frames::new(bytes);
        let (mut messages, mut whole) = (0, 0);
        while let Some((header, body)) = frames.next() {
            if !header.command {
                self.frames.push((header.more, body.to_vec()));
                if !header.more {
                    messages += 1;
                    whole = bytes.len() - frames.rest().len();
                }
            }
        }
        assert!(frames.rest().is_empty(), "traffic must consist of whole frames");
        assert_eq!((progress.messages, progress.whole), (messages, whole));
        self.messages += progress.messages;
        self.partial = progress.partial;
    }

    /// Time passes.
    pub(crate) fn tick(&mut self, now: Instant) {
        if self.error.is_none() && self.connection.poll_timeout().is_some_and(|at| at <= now) {
            if let Err(error) = self.connection.handle_timeout(now) {
                self.error = Some(error);
            }
            self.settle(now);
        }
    }

    /// Takes events and what is to be sent, answers verdicts, and asks for errors that are due.
    fn settle(&mut self, now: Instant) {
        let mut position = self.messages_before_read;
        while let Some(event) = self.connection.poll_event() {
            let asks = matches!(event, Event::Authenticate(_));
            match event {
                Event::MessagesBefore(messages) => {
                    position = self.messages_before_read + messages;
                    continue;
                }
                Event::Subscribe(_) | Event::Cancel(_) => self.positions.push(position),
                _ => {}
            }
            self.events.push(event);
            if asks && let Some(verdict) = self.verdict.take() {
                self.answer(now, verdict);
            }
        }
        loop {
            let mut bytes = Vec::new();
            match self.connection.take_transmit(&mut bytes) {
                Transmit::Nothing => break,
                Transmit::Raw => self.out.append(&mut bytes),
                Transmit::Canonical => {
                    for (header, body) in Frames::new(&bytes) {
                        self.encode(header, body);
                    }
                }
            }
        }
        if self.error.is_none() && self.connection.poll_timeout() == Some(now) {
            self.tick(now);
        }
    }

    /// Answers a verdict and presents what had to wait for it.
    pub(crate) fn answer(&mut self, now: Instant, verdict: Verdict) {
        match self.connection.handle_verdict(now, verdict) {
            Ok(()) => self.read(now),
            Err(error) => {
                self.error = Some(error);
                self.settle(now);
            }
        }
    }

    /// Sends a frame through the encoder.
    pub(crate) fn encode(&mut self, header: FrameHeader, body: &[u8]) {
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            empty => empty.insert(self.connection.take_encoder().expect("ready, and the first")),
        };
        encoder.encode(header, body, &mut self.out).expect("nonces are left");
    }

    /// Sends a message through the encoder.
    pub(crate) fn send(&mut self, frames: &[&[u8]]) {
        for (index, body) in frames.iter().enumerate() {
            let more = index + 1 < frames.len();
            let body_len = body.len() as u64;
            let header_len = encode_header(more, false, body_len, &mut [0; 9]);
            let header = FrameHeader { more, command: false, body_len, header_len };
            self.encode(header, body);
        }
    }

    /// Sends a subscription as a driver does: canonical form first, then the encoder.
    pub(crate) fn subscribe(&mut self, subscribe: bool, topic: &[u8]) {
        let mut canonical = Vec::new();
        let version = self.peer().expect("a peer that is ready").version;
        zmtp::append_subscription(version, subscribe, topic, &mut canonical);
        for (header, body) in Frames::new(&canonical) {
            self.encode(header, body);
        }
    }

    pub(crate) fn peer(&self) -> Option<&Peer> {
        self.events.iter().find_map(|event| match event {
            Event::Ready(peer) => Some(peer),
            _ => None,
        })
    }

    /// The subscriptions and cancellations received.
    pub(crate) fn subscriptions(&self) -> Vec<Event> {
        let wanted = |event: &&Event| matches!(event, Event::Subscribe(_) | Event::Cancel(_));
        self.events.iter().filter(wanted).cloned().collect()
    }
}

/// Two ends and the wire between them.
pub(crate) struct Pair {
    pub(crate) a: End,
    pub(crate) b: End,
    pub(crate) now: Instant,
    /// How many bytes arrive at a time.
    pub(crate) chunk: usize,
    /// The wire swallows everything.
    pub(crate) blackhole: bool,
}

impl Pair {
    /// `a` connects, `b` listens.
    pub(crate) fn new(a: SocketType, b: SocketType) -> Self {
        Self::with(Config::new(a, Role::Connecter), Config::new(b, Role::Listener))
    }

    pub(crate) fn with(a: Config, b: Config) -> Self {
        let now = Instant::now();
        let (a, b) = (End::new(a, now), End::new(b, now));
        Self { a, b, now, chunk: usize::MAX, blackhole: false }
    }

    /// Moves bytes both ways until nothing moves.
    pub(crate) fn run(&mut self) {
        while !(self.a.out.is_empty() && self.b.out.is_empty()) {
            self.run_once();
        }
    }

    /// Moves what is to be sent.
    pub(crate) fn run_once(&mut self) {
        let (to_b, to_a) = (std::mem::take(&mut self.a.out), std::mem::take(&mut self.b.out));
        if self.blackhole {
            return;
        }
        for chunk in to_b.chunks(self.chunk) {
            self.b.deliver(self.now, chunk);
        }
        for chunk in to_a.chunks(self.chunk) {
            self.a.deliver(self.now, chunk);
        }
    }

    /// Lets time pass, stopping at every timer.
    pub(crate) fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let next = [&self.a, &self.b]
                .iter()
                .filter(|end| end.error.is_none())
                .filter_map(|end| end.connection.poll_timeout())
                .min();
            match next {
                Some(at) if at <= end => self.now = self.now.max(at),
                _ => break,
            }
            self.a.tick(self.now);
            self.b.tick(self.now);
            self.run();
        }
        self.now = end;
    }
}

/// A connection whose peer is a script of bytes.
pub(crate) struct Script {
    pub(crate) end: End,
    pub(crate) now: Instant,
}

impl Script {
    pub(crate) fn new(socket_type: SocketType, role: Role) -> Self {
        Self::with(Config::new(socket_type, role))
    }

    pub(crate) fn with(config: Config) -> Self {
        let now = Instant::now();
        Self { end: End::new(config, now), now }
    }

    /// Past the handshake with a peer of `theirs` and version 3.`minor`.
    pub(crate) fn ready(config: Config, minor: u8, theirs: &str) -> Self {
        let mut script = Self::with(config);
        script.send(&greeting(minor, "NULL"));
        script.send(&ready(theirs, &[]));
        assert!(script.end.connection.is_ready(), "{:?}", script.end.error);
        script.end.out.clear();
        script
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> &mut Self {
        self.end.deliver(self.now, bytes);
        self
    }

    /// Exactly these bytes were sent since the last call.
    #[track_caller]
    pub(crate) fn expect(&mut self, bytes: &[u8]) -> &mut Self {
        let sent = std::mem::take(&mut self.end.out);
        assert_eq!(sent.escape_ascii().to_string(), bytes.escape_ascii().to_string());
        self
    }

    pub(crate) fn advance(&mut self, duration: Duration) -> &mut Self {
        self.now += duration;
        self.end.tick(self.now);
        self
    }

    /// The connection is over, and none of the bytes became a message.
    #[track_caller]
    pub(crate) fn expect_closed(&self) -> &Error {
        assert_eq!(self.end.frames, [], "nothing may be delivered");
        self.end.error.as_ref().expect("the connection should be over")
    }
}

/// A whole 3.x greeting.
pub(crate) fn greeting(minor: u8, mechanism: &str) -> Vec<u8> {
    let mut bytes = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, minor];
    bytes.extend(mechanism.bytes());
    bytes.resize(64, 0);
    bytes
}

/// A frame with this flags byte; the length form follows bit 1.
pub(crate) fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![flags];
    if flags & 2 == 0 {
        bytes.push(u8::try_from(body.len()).expect("a short body"));
    } else {
        bytes.extend((body.len() as u64).to_be_bytes());
    }
    bytes.extend(body);
    bytes
}

/// A command frame.
pub(crate) fn command(name: &str, data: &[u8]) -> Vec<u8> {
    let mut body = vec![name.len() as u8];
    body.extend(name.bytes());
    body.extend(data);
    frame(if body.len() > 255 { 6 } else { 4 }, &body)
}

/// One metadata property.
pub(crate) fn property(name: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![name.len() as u8];
    bytes.extend(name.bytes());
    bytes.extend((value.len() as u32).to_be_bytes());
    bytes.extend(value);
    bytes
}

/// A READY command.
pub(crate) fn ready(socket_type: &str, properties: &[(&str, &[u8])]) -> Vec<u8> {
    let mut data = property("Socket-Type", socket_type.as_bytes());
    for (name, value) in properties {
        data.extend(property(name, value));
    }
    command("READY", &data)
}

/// A 1.0 frame.
pub(crate) fn frame_v1(more: bool, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u64 + 1;
    let mut bytes = match u8::try_from(length) {
        Ok(length @ 0..=254) => vec![length],
        _ => [vec![0xff], length.to_be_bytes().to_vec()].concat(),
    };
    bytes.push(u8::from(more));
    bytes.extend(body);
    bytes
}
