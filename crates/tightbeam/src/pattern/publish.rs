//! PUB: each message goes to every peer that subscribed to a prefix of it (RFC 29).

use super::Refusal;
use super::subscriptions::Subscriptions;
use crate::options::Options;
use crate::pipe::{Parts, PipeId, Pipes};

#[derive(Debug, Default)]
pub(crate) struct Pub {
    subscriptions: Subscriptions<PipeId>,
    /// Whom the message being sent goes to; kept to spare an allocation.
    targets: Vec<PipeId>,
}

impl Pub {
    pub(super) fn detach(&mut self, id: PipeId) {
        self.subscriptions.remove_subscriber(id, |_| {});
    }

    pub(super) fn peer_subscription(&mut self, id: PipeId, topic: &[u8], subscribe: bool) {
        if subscribe {
            self.subscriptions.subscribe(topic, id);
        } else {
            self.subscriptions.cancel(topic, id);
        }
    }

    pub(super) fn subscriptions_of(&self, id: PipeId) -> (usize, usize) {
        (self.subscriptions.topics_of(id), self.subscriptions.topic_bytes_of(id))
    }

    pub(super) fn send(
        &mut self,
        pipes: &mut Pipes,
        parts: Parts<'_>,
        options: &Options,
    ) -> Result<(), Refusal> {
        self.targets.clear();
        let targets = &mut self.targets;
        self.subscriptions.matches(parts.first(), |id| targets.push(id));
        if options.xpub_nodrop && self.targets.iter().any(|id| !pipes.has_room(*id)) {
            return Err(Refusal::WouldBlock("a subscriber has no room for a message"));
        }
        for &id in &self.targets {
            if pipes.has_room(id) {
                pipes.push(id, &[], parts);
            } else {
                pipes.count_drop(Some(id));
            }
        }
        Ok(())
    }
}
