//! XPUB: a PUB that receives: what its peers subscribe and cancel, and whatever else they send (RFC 29).
//!
//! Subscriptions take effect when they arrive; the messages that tell the application of them wait here,
//! beside the peer's other messages and in order with them. How many may wait is part of the peer's budget.

use std::collections::VecDeque;

use slotmap::SecondaryMap;

use super::fair_queue::FairQueue;
use super::publish::Publisher;
use super::subscriptions::Subscriptions;
use super::{NOTHING_TO_RECEIVE, Received, Refusal, Request};
use crate::options::Options;
use crate::pipe::{Body, Parts, PipeId, Pipes};

#[derive(Debug, Default)]
pub(crate) struct XPub {
    publisher: Publisher,
    /// What the peers asked for while the application decided what they get (XPUB_MANUAL).
    asked: Subscriptions<PipeId>,
    /// Whose subscription or cancellation was received last.
    last: Option<PipeId>,
    peers: SecondaryMap<PipeId, Upstream>,
    /// The peers with notices or messages.
    incoming: FairQueue,
    /// Parts of the current message were taken, and there are more.
    open: bool,
    /// The notice given out last.
    given: Box<[u8]>,
}

/// What a peer has sent.
#[derive(Debug, Default)]
struct Upstream {
    /// Messages taken from its pipe.
    taken: u64,
    notices: VecDeque<Notice>,
    /// The bytes of the notices.
    bytes: usize,
}

/// Tells the application of a subscription or a cancellation.
#[derive(Debug)]
struct Notice {
    /// How many messages of the peer come before it.
    at: u64,
    /// 1 or 0, and the topic.
    message: Box<[u8]>,
}

impl Upstream {
    fn push(&mut self, behind: usize, topic: &[u8], subscribe: bool) {
        let message: Box<[u8]> = [&[u8::from(subscribe)], topic].concat().into();
        self.bytes += message.len();
        self.notices.push_back(Notice { at: self.taken + behind as u64, message });
    }

    /// The next notice, unless one of the `waiting` messages comes before it.
    fn pop(&mut self, waiting: usize) -> Option<Box<[u8]>> {
        let first = self.notices.front()?;
        if first.at > self.taken && waiting > 0 {
            return None;
        }
        let notice = self.notices.pop_front()?;
        self.bytes -= notice.message.len();
        if self.notices.is_empty() {
            self.notices = VecDeque::new();
        }
        Some(notice.message)
    }
}

impl XPub {
    pub(super) fn attach(&mut self, pipes: &mut Pipes, id: PipeId, options: &Options) {
        self.publisher.attach(pipes, id, options);
        self.peers.insert(id, Upstream::default());
    }

    /// What the peer had subscribed is void, of which the application is told. Answers how many messages
    /// that makes.
    pub(super) fn detach(&mut self, pipes: &Pipes, id: PipeId, options: &Options) -> usize {
        if self.last == Some(id) {
            self.last = None;
        }
        let XPub { publisher, asked, peers, incoming, .. } = self;
        let Some(peer) = peers.get_mut(id) else { return 0 };
        let (before, behind) = (peer.notices.len(), pipes.unreceived(id));
        let (manual, every) = (options.xpub_manual, options.xpub_verbose_unsubscribe);
        publisher.subscriptions.remove_subscriber(id, |topic, last| {
            if !manual && (last || every) {
                peer.push(behind, topic, false);
            }
        });
        asked.remove_subscriber(id, |topic, _| peer.push(behind, topic, false));
        if before == 0 && !peer.notices.is_empty() && pipes.waiting(id) == 0 {
            incoming.readable(id);
        }
        peer.notices.len() - before
    }

    pub(super) fn forget(&mut self, id: PipeId) {
        if self.incoming.current() == Some(id) {
            self.open = false;
        }
        self.incoming.detach(id);
        self.peers.remove(id);
    }

    /// Whether the application has yet to be told something of this peer.
    pub(super) fn holds(&self, id: PipeId) -> bool {
        self.peers.get(id).is_some_and(|peer| !peer.notices.is_empty())
    }

    pub(super) fn readable(&mut self, id: PipeId) {
        if !self.holds(id) {
            self.incoming.readable(id);
        }
    }

    /// A peer subscribed or cancelled. Answers how many messages for the application that makes.
    pub(super) fn peer_subscription(
        &mut self,
        pipes: &Pipes,
        id: PipeId,
        request: Request<'_>,
        options: &Options,
    ) -> usize {
        let tell = self.peers.contains_key(id) && self.take_request(id, request, options);
        if !tell || request.within {
            return 0;
        }
        if !self.holds(id) && pipes.waiting(id) == 0 {
            self.incoming.readable(id);
        }
        if let Some(peer) = self.peers.get_mut(id) {
            peer.push(request.behind, request.topic, request.subscribe);
        }
        1
    }

    /// Carries a request out. True if the application is to be told: of the first subscription to each
    /// topic and the last cancellation, or of more as the options say.
    fn take_request(&mut self, id: PipeId, request: Request<'_>, options: &Options) -> bool {
        let Request { topic, subscribe, .. } = request;
        let subscriptions =
            if options.xpub_manual { &mut self.asked } else { &mut self.publisher.subscriptions };
        let changed = if subscribe {
            subscriptions.subscribe_once(topic, id).first_of_topic
        } else {
            subscriptions.cancel(topic, id).is_some_and(|removed| removed.last_of_topic)
        };
        let every = if subscribe { options.xpub_verbose } else { options.xpub_verbose_unsubscribe };
        changed || every || options.xpub_manual
    }

    /// What counts against the peer's budget: its topics, and what the application has not heard of.
    pub(super) fn subscriptions_of(&self, id: PipeId) -> (usize, usize) {
        let notices = self.peers.get(id).map_or((0, 0), |peer| (peer.notices.len(), peer.bytes));
        let sets = [&self.publisher.subscriptions, &self.asked];
        sets.iter().fold(notices, |(topics, bytes), set| {
            (topics + set.topics_of(id), bytes + set.topic_bytes_of(id))
        })
    }

    pub(super) fn topics(&self) -> usize {
        self.publisher.subscriptions.len()
    }

    /// With XPUB_MANUAL: what the peer gets whose request was received last.
    pub(super) fn subscribe_last(&mut self, topic: &[u8], subscribe: bool) {
        let Some(last) = self.last else { return };
        if subscribe {
            self.publisher.subscriptions.subscribe_once(topic, last);
        } else {
            self.publisher.subscriptions.cancel(topic, last);
        }
    }

    /// Finds whom a message goes to; answers the peer that alone gets it with XPUB_MANUAL_LAST_VALUE.
    fn choose(&mut self, pipes: &Pipes, first: &[u8], options: &Options) -> Option<PipeId> {
        self.publisher.choose(pipes, first, options);
        let last = self.last.filter(|_| options.xpub_manual && options.xpub_manual_last_value);
        if let Some(last) = last {
            self.publisher.choose_only(last);
        }
        last
    }

    /// Whether a message that begins so would be sent.
    pub(super) fn admit(
        &mut self,
        pipes: &Pipes,
        first: &[u8],
        options: &Options,
    ) -> Result<(), Refusal> {
        self.choose(pipes, first, options);
        self.publisher.admit(pipes, options)
    }

    pub(super) fn send(
        &mut self,
        pipes: &mut Pipes,
        parts: Parts<'_>,
        options: &Options,
    ) -> Result<(), Refusal> {
        let last = self.choose(pipes, parts.first(), options);
        self.publisher.deliver(pipes, parts, options)?;
        if last.is_some() {
            self.last = None;
        }
        Ok(())
    }

    pub(super) fn recv<'a>(&'a mut self, pipes: &'a mut Pipes) -> Result<Received<'a>, Refusal> {
        let id = self.incoming.current().ok_or(NOTHING_TO_RECEIVE)?;
        let waiting = pipes.waiting(id);
        if !self.open
            && let Some(peer) = self.peers.get_mut(id)
            && let Some(message) = peer.pop(waiting)
        {
            let left = waiting > 0 || !peer.notices.is_empty();
            pipes.count_received(id, message.len());
            self.given = message;
            self.last = Some(id).filter(|id| pipes.get(*id).is_some_and(|pipe| !pipe.dead));
            self.incoming.finish(left);
            let body = Body::Slice(&self.given);
            return Ok(Received { pipe: id, body, more: false, quiet: left });
        }
        let part = pipes.pop(id).ok_or(NOTHING_TO_RECEIVE)?;
        self.open = part.more;
        if !part.more {
            let peer = self.peers.get_mut(id);
            let told = peer.is_none_or(|peer| {
                peer.taken += 1;
                peer.notices.is_empty()
            });
            self.incoming.finish(part.left > 0 || !told);
        }
        Ok(Received { pipe: id, body: part.body, more: part.more, quiet: part.quiet })
    }

    pub(super) fn can_recv(&self) -> bool {
        self.incoming.current().is_some()
    }
}
