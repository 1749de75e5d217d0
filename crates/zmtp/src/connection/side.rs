//! What every state of a connection works on: what goes out, what happened, what time brings.

use std::sync::Arc;

use super::life::Life;
use crate::{AuthRequest, Config, Event, FrameHeader, Peer, frame};

/// Everything of a connection but its state.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) config: Arc<Config>,
    /// Bytes of the greeting and the handshake.
    pub(super) handshake: Vec<u8>,
    /// Command frames in canonical form.
    pub(super) commands: Vec<u8>,
    pub(super) events: Events,
    pub(super) life: Life,
    /// The peer's greeting was of 3.0 or later: it understands commands.
    pub(super) peer_knows_commands: bool,
}

/// Events that nobody has asked for yet. They take hardly more memory than the bytes that caused them:
/// subscriptions stay packed, and any number of PONGs is one event.
#[derive(Debug, Default)]
pub(super) struct Events {
    authenticate: Option<Box<AuthRequest>>,
    ready: Option<Box<Peer>>,
    /// Frames whose MORE flag stands for a cancellation. Commands among them hold a part within a message,
    /// which begins with 0 or 1, or a 2 and the number of messages before the next subscription.
    subscriptions: Vec<u8>,
    /// Messages of this read so far.
    messages: u32,
    /// The number of messages that was said last.
    said: u32,
    /// How much of `subscriptions` has been polled.
    polled: usize,
    pong: bool,
}

impl Events {
    pub(super) fn authenticate(&mut self, request: AuthRequest) {
        self.authenticate = Some(Box::new(request));
    }

    pub(super) fn ready(&mut self, peer: Peer) {
        self.ready = Some(Box::new(peer));
    }

    /// A read begins.
    pub(super) const fn begin_read(&mut self) {
        self.messages = 0;
        self.said = 0;
    }

    /// So many messages of this read are complete.
    pub(super) const fn count_messages(&mut self, messages: u32) {
        self.messages = messages;
    }

    pub(super) fn subscription(&mut self, subscribe: bool, topic: &[u8]) {
        if self.said != self.messages {
            self.said = self.messages;
            let count = self.messages.to_be_bytes();
            frame::append(false, true, &[&[2], &count], &mut self.subscriptions);
        }
        frame::append(!subscribe, false, &[topic], &mut self.subscriptions);
    }

    /// A part within a message that begins with 0 or 1.
    pub(super) fn within(&mut self, part: &[u8]) {
        frame::append(false, true, &[part], &mut self.subscriptions);
    }

    pub(super) const fn pong(&mut self) {
        self.pong = true;
    }

    pub(super) fn poll(&mut self) -> Option<Event> {
        if let Some(request) = self.authenticate.take() {
            return Some(Event::Authenticate(*request));
        }
        if let Some(peer) = self.ready.take() {
            return Some(Event::Ready(*peer));
        }
        if let Some(event) = self.poll_subscription() {
            return Some(event);
        }
        std::mem::take(&mut self.pong).then_some(Event::Pong)
    }

    fn poll_subscription(&mut self) -> Option<Event> {
        let rest = self.subscriptions.get(self.polled..)?;
        let Ok(Some(header)) = FrameHeader::parse(rest) else {
            self.subscriptions = Vec::new();
            self.polled = 0;
            return None;
        };
        let body = header.body(rest)?;
        self.polled += header.header_len + body.len();
        Some(match (header.command, body) {
            (false, _) if header.more => Event::Cancel(body.to_vec()),
            (false, _) => Event::Subscribe(body.to_vec()),
            (true, [kind @ (0 | 1), topic @ ..]) => Event::Within(topic.to_vec(), *kind == 1),
            (true, _) => Event::MessagesBefore(u32::from_be_bytes(body.get(1..)?.try_into().ok()?)),
        })
    }
}
