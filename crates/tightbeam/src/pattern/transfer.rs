//! What goes in and out of a pattern, message by message.

use zmtp::SocketType;

use super::{NO_PEER_WITH_ROOM, NOTHING_TO_RECEIVE, Pattern, Received, Refusal};
use crate::options::Options;
use crate::pipe::{Outgoing, Parts, PipeId, Pipes};

const RECEIVE: &str = "receive";
const SEND: &str = "send";

impl Pattern {
    /// Queues a whole message, or says why not; then nothing was queued.
    #[inline(always)]
    pub(crate) fn send<'a>(
        &mut self,
        pipes: &mut Pipes,
        parts: impl Outgoing<'a>,
        options: &Options,
    ) -> Result<(), Refusal> {
        // The hot path: no call stands before the pipe.
        let peers = match self {
            Pattern::Push(push) => &mut push.peers,
            Pattern::Dealer(dealer) => &mut dealer.outgoing,
            _ => return self.send_by_rule(pipes, parts.parts(), options),
        };
        match peers.send(pipes, &[], parts) {
            Some(_) => Ok(()),
            None => Err(NO_PEER_WITH_ROOM),
        }
    }

    /// The same for the types that have more to look at than who has room.
    #[inline(never)]
    fn send_by_rule(
        &mut self,
        pipes: &mut Pipes,
        parts: Parts<'_>,
        options: &Options,
    ) -> Result<(), Refusal> {
        match self {
            Pattern::Router(router) => router.send(pipes, parts, options),
            Pattern::Stream(stream) => stream.send(pipes, parts),
            Pattern::Req(req) => req.send(pipes, parts, options),
            Pattern::Rep(rep) => rep.send(pipes, parts),
            Pattern::Pair(pair) => pair.send(pipes, parts),
            Pattern::Pub(publisher) => publisher.send(pipes, parts, options),
            Pattern::XPub(publisher) => publisher.send(pipes, parts, options),
            Pattern::XSub(subscriber) => {
                subscriber.send(parts);
                Ok(())
            }
            Pattern::Push(_) | Pattern::Dealer(_) => Err(NO_PEER_WITH_ROOM),
            Pattern::Pull(_) => Err(Refusal::Unsupported(SocketType::Pull, SEND)),
            Pattern::Sub(_) => Err(Refusal::Unsupported(SocketType::Sub, SEND)),
        }
    }

    /// The peer that gets the next message, for types that send each to one peer, whatever it is.
    pub(crate) fn next_receiver(&self, pipes: &Pipes) -> Option<PipeId> {
        match self {
            Pattern::Push(push) => push.peers.next_with_room(pipes),
            Pattern::Dealer(dealer) => dealer.outgoing.next_with_room(pipes),
            Pattern::Pair(pair) => pair.peer(),
            Pattern::Req(req) => req.next_receiver(pipes),
            Pattern::Rep(rep) => rep.asker(),
            Pattern::Router(_) | Pattern::Stream(_) | Pattern::Pub(_) | Pattern::XPub(_) => None,
            Pattern::Pull(_) | Pattern::Sub(_) | Pattern::XSub(_) => None,
        }
    }

    /// Whether the first part of a message may be staged: what `send` would refuse whatever the
    /// rest of the message is, is refused now.
    pub(crate) fn admit(
        &mut self,
        pipes: &Pipes,
        first: &[u8],
        options: &Options,
    ) -> Result<(), Refusal> {
        let room = match self {
            Pattern::Dealer(dealer) => dealer.can_send(pipes),
            Pattern::Push(push) => push.can_send(pipes),
            Pattern::Pair(pair) => pair.can_send(pipes),
            Pattern::Req(req) => req.admit(pipes, options)?,
            Pattern::Rep(rep) => rep.admit()?,
            Pattern::Router(router) => return router.admit(pipes, first, options),
            Pattern::Stream(stream) => return stream.routes.admit(pipes, first),
            Pattern::Pub(publisher) => return publisher.admit(pipes, first, options),
            Pattern::XPub(publisher) => return publisher.admit(pipes, first, options),
            Pattern::XSub(_) => true,
            Pattern::Pull(_) => return Err(Refusal::Unsupported(SocketType::Pull, SEND)),
            Pattern::Sub(_) => return Err(Refusal::Unsupported(SocketType::Sub, SEND)),
        };
        if room { Ok(()) } else { Err(NO_PEER_WITH_ROOM) }
    }

    /// Takes the next part.
    #[inline(always)]
    pub(crate) fn recv<'a>(&'a mut self, pipes: &'a mut Pipes) -> Result<Received<'a>, Refusal> {
        // The hot path, as in `send`.
        let peers = match self {
            Pattern::Pull(pull) => &mut pull.peers,
            Pattern::Dealer(dealer) => &mut dealer.incoming,
            _ => return self.recv_by_rule(pipes),
        };
        peers.recv(pipes)
    }

    /// The same for the types that have more to look at than whose turn it is.
    #[inline(never)]
    fn recv_by_rule<'a>(&'a mut self, pipes: &'a mut Pipes) -> Result<Received<'a>, Refusal> {
        match self {
            Pattern::Router(router) => router.routes.recv(pipes),
            Pattern::Stream(stream) => stream.routes.recv(pipes),
            Pattern::Pair(pair) => pair.recv(pipes),
            Pattern::Sub(subscriber) => subscriber.recv(pipes),
            Pattern::XPub(publisher) => publisher.recv(pipes),
            Pattern::XSub(subscriber) => subscriber.recv(pipes),
            Pattern::Req(req) => req.recv(pipes),
            Pattern::Rep(rep) => rep.recv(pipes),
            Pattern::Pull(_) | Pattern::Dealer(_) => Err(NOTHING_TO_RECEIVE),
            Pattern::Push(_) => Err(Refusal::Unsupported(SocketType::Push, RECEIVE)),
            Pattern::Pub(_) => Err(Refusal::Unsupported(SocketType::Pub, RECEIVE)),
        }
    }

    /// Whether the next receive succeeds. What would be discarded is discarded now.
    pub(crate) fn can_recv(&mut self, pipes: &mut Pipes) -> bool {
        match self {
            Pattern::Dealer(dealer) => dealer.can_recv(),
            Pattern::Router(router) => router.routes.can_recv(),
            Pattern::Stream(stream) => stream.routes.can_recv(),
            Pattern::Req(req) => req.can_recv(pipes),
            Pattern::Rep(rep) => rep.can_recv(pipes),
            Pattern::Pull(pull) => pull.can_recv(),
            Pattern::Pair(pair) => pair.can_recv(),
            Pattern::Sub(subscriber) => subscriber.can_recv(pipes),
            Pattern::XPub(publisher) => publisher.can_recv(),
            Pattern::XSub(subscriber) => subscriber.can_recv(),
            Pattern::Push(_) | Pattern::Pub(_) => false,
        }
    }

    /// Whether the next send succeeds or is dropped by the pattern's own rule.
    pub(crate) fn can_send(&self, pipes: &Pipes, options: &Options) -> bool {
        match self {
            Pattern::Dealer(dealer) => dealer.can_send(pipes),
            Pattern::Req(req) => req.can_send(pipes),
            Pattern::Rep(rep) => rep.can_send(),
            Pattern::Push(push) => push.can_send(pipes),
            Pattern::Pair(pair) => pair.can_send(pipes),
            Pattern::Router(router) => router.can_send(pipes, options),
            Pattern::Stream(_) | Pattern::Pub(_) | Pattern::XPub(_) | Pattern::XSub(_) => true,
            Pattern::Pull(_) | Pattern::Sub(_) => false,
        }
    }
}
