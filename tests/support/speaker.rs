//! A scripted peer of any mechanism: it says what a sound peer would say, one command at a time, so that a test may alter,
//! withhold or repeat it.

use std::sync::Arc;
use std::time::Instant;

use zmtp::{
    Config, Connection, Encoder, Event, FrameHeader, Frames, Traffic, Transmit, Verdict,
    encode_header,
};

use crate::peer::Peer;

/// The length of a greeting of 3.x.
const GREETING: usize = 64;

/// One end of a connection that knows its part.
#[derive(Debug)]
pub struct Speaker {
    /// Through which it speaks.
    pub peer: Peer,
    protocol: Connection,
    greeting: Option<Vec<u8>>,
    /// What has come and is not dealt with.
    input: Vec<u8>,
    /// What the protocol wants to say, but for the greeting.
    output: Vec<u8>,
    /// Bytes of the greeting that the protocol is still to say.
    unsaid: usize,
    encoder: Option<Encoder>,
    /// Bodies of messages that came.
    received: Vec<Vec<u8>>,
}

impl Speaker {
    /// A peer that has said nothing yet; it accepts whoever it has to judge. `minor` is that of its version, 3.0 or 3.1.
    #[must_use]
    pub fn new(peer: Peer, config: Config, minor: u8) -> Speaker {
        let server = matches!(
            config.mechanism,
            zmtp::MechanismConfig::PlainServer | zmtp::MechanismConfig::CurveServer(_)
        );
        let greeting = greeting(config.mechanism.name(), server, minor);
        Speaker {
            peer,
            protocol: Connection::new(Arc::new(config), Instant::now()),
            greeting: Some(greeting),
            input: Vec::new(),
            output: Vec::new(),
            unsaid: GREETING,
            encoder: None,
            received: Vec::new(),
        }
    }

    /// What it says next: the greeting, then one command after the other; nothing once the handshake is complete, or
    /// when the other end has closed.
    pub fn next_act(&mut self) -> Option<Vec<u8>> {
        if let Some(greeting) = self.greeting.take() {
            return Some(greeting);
        }
        loop {
            self.collect();
            if let Some(act) = take_frame(&mut self.output) {
                return Some(act);
            }
            if self.protocol.is_ready() || !self.hear() {
                return None;
            }
        }
    }

    /// Says all that is left of the handshake. False if the other end has closed before it was complete.
    pub fn shake_hands(&mut self) -> bool {
        while let Some(act) = self.next_act() {
            if !self.peer.offer(&act) {
                return false;
            }
        }
        self.protocol.is_ready()
    }

    /// Whether the handshake is complete, as far as this end knows.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.protocol.is_ready()
    }

    /// The bytes of a message of one part: with CURVE sealed, once for each call.
    ///
    /// # Panics
    /// The handshake is not complete.
    pub fn message(&mut self, body: &[u8]) -> Vec<u8> {
        let mut wire = Vec::new();
        let mut head = [0; 9];
        let length = encode_header(false, false, body.len() as u64, &mut head);
        let header = FrameHeader::parse(&head[..length]).expect("valid").expect("whole");
        let encoder = self.encoder.as_mut().expect("the handshake is complete");
        encoder.encode(header, body, &mut wire).expect("a number is left");
        wire
    }

    /// The next message of one part; none if the other end has closed.
    pub fn receive(&mut self) -> Option<Vec<u8>> {
        while self.received.is_empty() {
            if !self.hear() {
                return None;
            }
        }
        Some(self.received.remove(0))
    }

    /// Takes what the protocol has to say and to tell.
    fn collect(&mut self) {
        while let Some(event) = self.protocol.poll_event() {
            match event {
                Event::Authenticate(_) => {
                    let _ = self.protocol.handle_verdict(Instant::now(), Verdict::accept("peer"));
                }
                Event::Ready(_) => self.encoder = self.protocol.take_encoder(),
                _ => {}
            }
        }
        while self.protocol.take_transmit(&mut self.output) != Transmit::Nothing {}
        let known = self.unsaid.min(self.output.len());
        self.output.drain(..known);
        self.unsaid -= known;
    }

    /// Waits for bytes. False if there are no more, or if what came is wrong.
    fn hear(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let read = match self.peer.read_some(&mut buffer) {
            Ok(read @ 1..) => read,
            _ => return false,
        };
        self.input.extend_from_slice(&buffer[..read]);
        loop {
            let Ok(progress) = self.protocol.handle_read(Instant::now(), &mut self.input) else {
                return false;
            };
            let traffic = match progress.traffic {
                Traffic::None => Vec::new(),
                Traffic::Input(range) => self.input[range].to_vec(),
                Traffic::Buffer(frames) => frames,
            };
            for (header, body) in Frames::new(&traffic) {
                if !header.command {
                    self.received.push(body.to_vec());
                }
            }
            self.input.drain(..progress.consumed);
            self.collect();
            if progress.consumed == 0 || self.input.is_empty() {
                return true;
            }
        }
    }
}

/// The greeting of 3.x with this mechanism.
///
/// # Panics
/// The name is longer than 20 bytes.
#[must_use]
pub fn greeting(mechanism: &str, server: bool, minor: u8) -> Vec<u8> {
    let mut greeting = crate::bytes::bytes("ff 00*7 01 7f 03");
    greeting.push(minor);
    greeting.extend_from_slice(mechanism.as_bytes());
    assert!(mechanism.len() <= 20, "{mechanism}");
    greeting.resize(32, 0);
    greeting.push(u8::from(server));
    greeting.resize(GREETING, 0);
    greeting
}

fn take_frame(bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    let header = FrameHeader::parse(bytes).ok().flatten()?;
    let length = header.header_len + usize::try_from(header.body_len).ok()?;
    (bytes.len() >= length).then(|| bytes.drain(..length).collect())
}
