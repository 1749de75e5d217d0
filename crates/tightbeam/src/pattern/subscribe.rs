//! SUB: receives what it subscribed to, and checks it again on receipt (RFC 29).

use super::fair_queue::FairQueue;
use super::subscriptions::Subscriptions;
use super::{NOTHING_TO_RECEIVE, Received, Refusal};
use crate::options::Options;
use crate::pipe::{PipeId, Pipes};

#[derive(Debug, Default)]
pub(crate) struct Sub {
    subscriptions: Subscriptions<()>,
    incoming: FairQueue,
    /// The first message of the fair queue was found to match.
    matched: bool,
    /// What matches is discarded, and the rest received (INVERT_MATCHING).
    inverted: bool,
}

impl Sub {
    pub(super) fn readable(&mut self, id: PipeId) {
        self.incoming.readable(id);
    }

    pub(super) fn replaced(&mut self, id: PipeId) {
        if self.incoming.current() == Some(id) {
            self.matched = false;
        }
    }

    pub(super) fn forget(&mut self, id: PipeId) {
        self.replaced(id);
        self.incoming.detach(id);
    }

    pub(super) fn apply(&mut self, options: &Options) {
        self.inverted = options.invert_matching;
    }

    pub(super) fn topics(&self) -> usize {
        self.subscriptions.len()
    }

    /// True if the peers must be told: of each subscription (a publisher may answer each with what it
    /// sent last), but only of the last cancellation.
    pub(super) fn subscribe(&mut self, topic: &[u8], subscribe: bool) -> bool {
        if subscribe {
            self.subscriptions.subscribe(topic, ());
            true
        } else {
            self.subscriptions.cancel(topic, ()).is_some_and(|removed| removed.last_of_topic)
        }
    }

    pub(super) fn each_subscription(&self, f: impl FnMut(&[u8])) {
        self.subscriptions.for_each_topic(f);
    }

    #[inline]
    pub(super) fn recv<'p>(&mut self, pipes: &'p mut Pipes) -> Result<Received<'p>, Refusal> {
        if !self.can_recv(pipes) {
            return Err(NOTHING_TO_RECEIVE);
        }
        let received = self.incoming.recv(pipes)?;
        self.matched = received.more;
        Ok(received)
    }

    /// Discards what no subscription matches: a peer may filter late, or not at all.
    #[inline(always)]
    pub(super) fn can_recv(&mut self, pipes: &mut Pipes) -> bool {
        if !self.matched && self.subscriptions.has_empty_topic() && !self.inverted {
            self.matched = self.incoming.current().is_some();
            return self.matched;
        }
        self.matched || self.find_match(pipes)
    }

    #[inline(never)]
    fn find_match(&mut self, pipes: &mut Pipes) -> bool {
        while !self.matched {
            let Some(current) = self.incoming.current() else { return false };
            let topic = pipes.get(current).and_then(|pipe| pipe.incoming.first_body());
            let topic = topic.unwrap_or_default();
            self.matched = self.subscriptions.matches_any(topic) != self.inverted;
            if !self.matched {
                self.incoming.skip(pipes);
            }
        }
        true
    }
}
