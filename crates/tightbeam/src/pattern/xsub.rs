//! XSUB: a SUB whose subscriptions are messages, and whose other messages go to every peer (RFC 29).

use std::iter;

use super::fair_queue::FairQueue;
use super::subscriptions::Subscriptions;
use super::{News, Received, Refusal};
use crate::options::Options;
use crate::pipe::{Parts, PipeId, Pipes};

#[derive(Debug, Default)]
pub(crate) struct XSub {
    subscriptions: Subscriptions<()>,
    /// Whom messages go to.
    peers: Vec<PipeId>,
    incoming: FairQueue,
    /// What the peers must be told of.
    news: Vec<News>,
}

/// A part that is a subscription or a cancellation: which of them, and the topic.
fn request(part: &[u8]) -> Option<(bool, &[u8])> {
    match part {
        [kind @ (0 | 1), topic @ ..] => Some((*kind == 1, topic)),
        _ => None,
    }
}

/// The bodies of these parts.
fn bodies(parts: Parts<'_>) -> impl Iterator<Item = &[u8]> {
    let each = iter::successors(Some(parts), |parts| Some(parts.rest()));
    each.take(parts.len()).map(|parts| parts.first())
}

fn is_request(part: &&[u8]) -> bool {
    request(part).is_some()
}

impl XSub {
    pub(super) fn attach(&mut self, id: PipeId) {
        self.peers.push(id);
    }

    pub(super) fn detach(&mut self, id: PipeId) {
        self.peers.retain(|other| *other != id);
    }

    pub(super) fn forget(&mut self, id: PipeId) {
        self.incoming.detach(id);
    }

    pub(super) fn readable(&mut self, id: PipeId) {
        self.incoming.readable(id);
    }

    /// True if the peers must be told: of each subscription, but only of the last cancellation.
    pub(super) fn subscribe(&mut self, topic: &[u8], subscribe: bool) -> bool {
        if subscribe {
            self.subscriptions.subscribe(topic, ());
            return true;
        }
        self.subscriptions.cancel(topic, ()).is_some_and(|removed| removed.last_of_topic)
    }

    pub(super) fn each_subscription(&self, f: impl FnMut(&[u8])) {
        self.subscriptions.for_each_topic(f);
    }

    pub(super) fn topics(&self) -> usize {
        self.subscriptions.len()
    }

    /// What the peers must be told of since this was asked last.
    pub(super) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// Parts at the front that are subscriptions are sent as such, before the rest.
    pub(super) fn send(&mut self, parts: Parts<'_>) {
        self.take_requests(bodies(parts).take_while(is_request));
    }

    /// The rest goes to all as it is. Subscriptions in it hold, too, unless ONLY_FIRST_SUBSCRIBE says
    /// otherwise.
    pub(super) fn send_rest(&mut self, pipes: &mut Pipes, parts: Parts<'_>, options: &Options) {
        let front = bodies(parts).take_while(is_request).count();
        if front == parts.len() {
            return;
        }
        let rest = (0..front).fold(parts, |parts, _| parts.rest());
        if !options.only_first_subscribe {
            self.take_requests(bodies(rest));
        }
        for &id in &self.peers {
            if !pipes.offer(id, &[], rest) {
                pipes.count_drop(Some(id));
            }
        }
    }

    fn take_requests<'a>(&mut self, parts: impl Iterator<Item = &'a [u8]>) {
        for (subscribe, topic) in parts.filter_map(request) {
            if self.subscribe(topic, subscribe) {
                self.news.push(News { topic: topic.into(), subscribe });
            }
        }
    }

    pub(super) fn recv<'p>(&mut self, pipes: &'p mut Pipes) -> Result<Received<'p>, Refusal> {
        self.incoming.recv(pipes)
    }

    pub(super) fn can_recv(&self) -> bool {
        self.incoming.current().is_some()
    }
}
