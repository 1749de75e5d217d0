//! PUB: each message goes to every peer that subscribed to a prefix of it (RFC 29).

use super::subscriptions::Subscriptions;
use super::{Refusal, Request};
use crate::message::Frame;
use crate::options::Options;
use crate::pipe::{Parts, PipeId, Pipes};

/// What PUB and XPUB have in common: who gets what.
#[derive(Debug, Default)]
pub(super) struct Publisher {
    /// A peer has a topic once, however often it subscribed: libzmq's subscribers cancel once what they
    /// subscribed twice.
    pub(super) subscriptions: Subscriptions<PipeId>,
    /// Whom the message being sent goes to; kept to spare an allocation.
    targets: Vec<PipeId>,
}

impl Publisher {
    /// A peer whose pipe is there is welcome, whatever it will subscribe to.
    pub(super) fn attach(&mut self, pipes: &mut Pipes, id: PipeId, options: &Options) {
        if !options.xpub_welcome_msg.is_empty() {
            let welcome = Frame::copy_from(&options.xpub_welcome_msg);
            pipes.push(id, &[], Parts::Frames(std::slice::from_ref(&welcome)));
        }
    }

    /// Finds whom a message goes to.
    #[inline]
    pub(super) fn choose(&mut self, pipes: &Pipes, topic: &[u8], options: &Options) {
        self.targets.clear();
        let targets = &mut self.targets;
        self.subscriptions.matches(topic, |id| targets.push(id));
        if options.invert_matching {
            self.invert(pipes);
        }
    }

    /// The peers that did not subscribe, instead of those that did.
    #[cold]
    fn invert(&mut self, pipes: &Pipes) {
        self.targets.sort_unstable();
        let matched = std::mem::take(&mut self.targets);
        let open = pipes.iter().filter(|(_, pipe)| !pipe.dead && !pipe.closing);
        let others = open.map(|(id, _)| id).filter(|id| matched.binary_search(id).is_err());
        self.targets.extend(others);
    }

    /// Of those chosen, only this one.
    pub(super) fn choose_only(&mut self, id: PipeId) {
        self.targets.retain(|target| *target == id);
    }

    /// With XPUB_NODROP: refuses what those chosen have no room for.
    #[inline]
    pub(super) fn admit(&self, pipes: &Pipes, options: &Options) -> Result<(), Refusal> {
        if options.xpub_nodrop && self.targets.iter().any(|id| !pipes.has_room(*id)) {
            return Err(Refusal::WouldBlock("a subscriber has no room for a message"));
        }
        Ok(())
    }

    /// Queues a message for those chosen; who has no room goes without, or makes all wait.
    #[inline]
    pub(super) fn deliver(
        &mut self,
        pipes: &mut Pipes,
        parts: Parts<'_>,
        options: &Options,
    ) -> Result<(), Refusal> {
        if options.xpub_nodrop {
            pipes.settle();
            self.admit(pipes, options)?;
        }
        if pipes.offer_to_all(&self.targets, parts) {
            return Ok(());
        }
        for &id in &self.targets {
            if !pipes.offer(id, &[], parts) {
                pipes.count_drop(Some(id));
            }
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Pub {
    publisher: Publisher,
}

impl Pub {
    pub(super) fn attach(&mut self, pipes: &mut Pipes, id: PipeId, options: &Options) {
        self.publisher.attach(pipes, id, options);
    }

    pub(super) fn detach(&mut self, id: PipeId) {
        self.publisher.subscriptions.remove_subscriber(id, |_, _| {});
    }

    /// With XPUB_MANUAL the application would have to say who gets what, which a PUB cannot.
    pub(super) fn peer_subscription(
        &mut self,
        id: PipeId,
        request: Request<'_>,
        options: &Options,
    ) {
        let Request { topic, subscribe, .. } = request;
        if options.xpub_manual {
            return;
        }
        if subscribe {
            self.publisher.subscriptions.subscribe_once(topic, id);
        } else {
            self.publisher.subscriptions.cancel(topic, id);
        }
    }

    pub(super) fn subscriptions_of(&self, id: PipeId) -> (usize, usize) {
        let subscriptions = &self.publisher.subscriptions;
        (subscriptions.topics_of(id), subscriptions.topic_bytes_of(id))
    }

    pub(super) fn topics(&self) -> usize {
        self.publisher.subscriptions.len()
    }

    pub(super) fn send(
        &mut self,
        pipes: &mut Pipes,
        parts: Parts<'_>,
        options: &Options,
    ) -> Result<(), Refusal> {
        self.publisher.choose(pipes, parts.first(), options);
        self.publisher.deliver(pipes, parts, options)
    }

    /// Whether a message that begins so would be sent.
    pub(super) fn admit(
        &mut self,
        pipes: &Pipes,
        first: &[u8],
        options: &Options,
    ) -> Result<(), Refusal> {
        self.publisher.choose(pipes, first, options);
        self.publisher.admit(pipes, options)
    }
}
