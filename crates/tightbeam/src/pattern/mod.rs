//! The messaging patterns, a file for each socket type.
//!
//! A pattern decides which pipe a message goes to or comes from. It sees pipes, never bytes on the
//! wire, descriptors or threads.

mod dealer;
mod fair_queue;
mod load_balance;
mod pair;
mod publish;
mod pull;
mod push;
mod rep;
mod req;
mod router;
mod routes;
mod stream;
mod subscribe;
mod subscriptions;
mod transfer;
mod xpub;
mod xsub;

use zmtp::SocketType;

pub(crate) use routes::Routes;
pub(crate) use stream::Notices;

use crate::error::{Error, Result};
use crate::options::Options;
use crate::pipe::{Body, Parts, PipeId, Pipes};

/// A part on its way to the application.
#[derive(Debug)]
pub(crate) struct Received<'a> {
    /// Where it came from.
    pub(crate) pipe: PipeId,
    pub(crate) body: Body<'a>,
    pub(crate) more: bool,
    /// Taking it changes nothing else in the pipe.
    pub(crate) quiet: bool,
}

/// What a peer wants from a publisher.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) topic: &'a [u8],
    /// Or cancel.
    pub(crate) subscribe: bool,
    /// Messages of the same peer that were sent before it and not received yet.
    pub(crate) behind: usize,
    /// It is part of a message that the application receives, and needs no message of its own.
    pub(crate) within: bool,
}

/// What the application has sent as a subscription or a cancellation.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) topic: Box<[u8]>,
    /// Or cancel.
    pub(crate) subscribe: bool,
}

/// The state of a socket's pattern.
#[derive(Debug)]
#[repr(u8)]
#[expect(clippy::large_enum_variant, reason = "one for each socket, and asked for every message")]
pub(crate) enum Pattern {
    Dealer(dealer::Dealer),
    Router(router::Router),
    Stream(stream::Stream),
    Req(req::Req),
    Rep(rep::Rep),
    Push(push::Push),
    Pull(pull::Pull),
    Pub(publish::Pub),
    Sub(subscribe::Sub),
    Pair(pair::Pair),
    XPub(xpub::XPub),
    XSub(xsub::XSub),
}

/// Why a pattern does not send or receive. Small, for it travels with every message; [`Error`] says
/// the same to the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is worth waiting.
    WouldBlock(&'static str),
    /// It is not the socket's turn.
    OutOfTurn(&'static str),
    /// Sockets of this type never do.
    Unsupported(SocketType, &'static str),
    /// No peer has the name in the message's first part.
    Unroutable,
    /// It does not have the parts that it should.
    Malformed(&'static str),
}

impl Refusal {
    /// The same for the application; `parts` is what was refused.
    pub(crate) fn into_error(self, parts: Parts<'_>) -> Error {
        match self {
            Refusal::WouldBlock(why) => Error::WouldBlock(why),
            Refusal::OutOfTurn(why) => Error::OutOfTurn(why),
            Refusal::Unsupported(socket, operation) => Error::Unsupported { socket, operation },
            Refusal::Unroutable => Error::Unroutable(parts.first().to_vec()),
            Refusal::Malformed(expected) => Error::BadMessage(expected),
        }
    }
}

const NO_PEER_WITH_ROOM: Refusal = Refusal::WouldBlock("no peer has room for a message");
const NOTHING_TO_RECEIVE: Refusal = Refusal::WouldBlock("no message has arrived");

impl Pattern {
    /// The pattern of a socket type.
    pub(crate) fn new(socket_type: SocketType) -> Pattern {
        match socket_type {
            SocketType::Dealer => Pattern::Dealer(dealer::Dealer::default()),
            SocketType::Router => Pattern::Router(router::Router::new()),
            SocketType::Stream => Pattern::Stream(stream::Stream::new()),
            SocketType::Req => Pattern::Req(req::Req::new()),
            SocketType::Rep => Pattern::Rep(rep::Rep::default()),
            SocketType::Push => Pattern::Push(push::Push::default()),
            SocketType::Pull => Pattern::Pull(pull::Pull::default()),
            SocketType::Pub => Pattern::Pub(publish::Pub::default()),
            SocketType::Sub => Pattern::Sub(subscribe::Sub::default()),
            SocketType::Pair => Pattern::Pair(pair::Pair::default()),
            SocketType::XPub => Pattern::XPub(xpub::XPub::default()),
            SocketType::XSub => Pattern::XSub(xsub::XSub::default()),
        }
    }

    /// A pipe is there to be sent to.
    pub(crate) fn attach(&mut self, pipes: &mut Pipes, id: PipeId, options: &Options) {
        // Once for what was connected, however often it reconnects: so libzmq does it.
        if options.probe_router && !options.router_raw {
            pipes.push(id, &[], Parts::Slice(&[]));
        }
        match self {
            Pattern::Dealer(dealer) => dealer.attach(id),
            Pattern::Router(router) => router.attach(pipes, id, options),
            Pattern::Stream(stream) => stream.attach(pipes, id),
            Pattern::Req(req) => req.attach(id),
            Pattern::Push(push) => push.attach(id),
            Pattern::Pair(pair) => pair.attach(id),
            Pattern::Pub(publisher) => publisher.attach(pipes, id, options),
            Pattern::XPub(publisher) => publisher.attach(pipes, id, options),
            Pattern::XSub(subscriber) => subscriber.attach(id),
            // They answer or receive.
            Pattern::Rep(_) | Pattern::Pull(_) | Pattern::Sub(_) => {}
        }
    }

    /// The pipe's peer introduced itself; happens again after each reconnect.
    pub(crate) fn identify(
        &mut self,
        pipes: &mut Pipes,
        id: PipeId,
        routing_id: &[u8],
        options: &Options,
    ) {
        if let Pattern::Router(router) = self {
            router.identify(pipes, id, routing_id, options);
        }
    }

    /// The peers by their routing ids, where the socket knows them so.
    pub(crate) fn routes(&self) -> Option<&Routes> {
        match self {
            Pattern::Router(router) => Some(&router.routes),
            Pattern::Stream(stream) => Some(&stream.routes),
            _ => None,
        }
    }

    /// The application says how it calls the pipe's peer.
    pub(crate) fn assign(&mut self, pipes: &mut Pipes, id: PipeId, name: &[u8]) {
        match self {
            Pattern::Router(router) => router.routes.assign(pipes, id, name),
            Pattern::Stream(stream) => stream.routes.assign(pipes, id, name),
            _ => {}
        }
    }

    /// What of its connections the socket tells the application in messages, given what held when their
    /// endpoint was bound or connected.
    pub(crate) fn notices(&self, options: &Options) -> Notices {
        match self {
            Pattern::Router(_) => Notices::of_router(options),
            Pattern::Stream(_) => Notices::of_stream(options),
            _ => Notices::NONE,
        }
    }

    /// Whether a message is a routing id and one part: what comes second is the last.
    pub(crate) fn sends_in_two(&self, options: &Options) -> bool {
        match self {
            Pattern::Router(_) => options.router_raw,
            Pattern::Stream(_) => true,
            _ => false,
        }
    }

    /// The pipe's connection broke; the pipe stays, and what the peer had asked for is void. Answers how
    /// many messages for the application that makes.
    pub(crate) fn interrupt(&mut self, pipes: &Pipes, id: PipeId, options: &Options) -> usize {
        match self {
            Pattern::Pub(_) | Pattern::XPub(_) => self.detach(pipes, id, options),
            _ => 0,
        }
    }

    /// The pipe takes no more messages; those that it holds may still be received. Answers how many
    /// messages for the application that makes.
    pub(crate) fn detach(&mut self, pipes: &Pipes, id: PipeId, options: &Options) -> usize {
        match self {
            Pattern::Dealer(dealer) => dealer.detach(id),
            Pattern::Router(router) => router.routes.detach(id),
            Pattern::Stream(stream) => stream.routes.detach(id),
            Pattern::Req(req) => req.detach(id),
            Pattern::Rep(rep) => rep.detach(id),
            Pattern::Push(push) => push.detach(id),
            Pattern::Pair(pair) => pair.detach(id),
            Pattern::Pub(publisher) => publisher.detach(id),
            Pattern::XPub(publisher) => return publisher.detach(pipes, id, options),
            Pattern::XSub(subscriber) => subscriber.detach(id),
            Pattern::Pull(_) | Pattern::Sub(_) => {}
        }
        0
    }

    /// Whether the pattern has something for the application from this peer beside what its pipe holds.
    pub(crate) fn holds(&self, id: PipeId) -> bool {
        matches!(self, Pattern::XPub(publisher) if publisher.holds(id))
    }

    /// The pipe is about to be removed.
    pub(crate) fn forget(&mut self, id: PipeId) {
        match self {
            Pattern::Dealer(dealer) => dealer.forget(id),
            Pattern::Router(router) => router.routes.forget(id),
            Pattern::Stream(stream) => stream.routes.forget(id),
            Pattern::Req(req) => req.forget(id),
            Pattern::Rep(rep) => rep.forget(id),
            Pattern::Pull(pull) => pull.forget(id),
            Pattern::Pair(pair) => pair.forget(id),
            Pattern::Sub(subscriber) => subscriber.forget(id),
            Pattern::XPub(publisher) => publisher.forget(id),
            Pattern::XSub(subscriber) => subscriber.forget(id),
            Pattern::Push(_) | Pattern::Pub(_) => {}
        }
    }

    /// The pipe had no whole message and has one now.
    pub(crate) fn readable(&mut self, pipes: &mut Pipes, id: PipeId) {
        match self {
            Pattern::Dealer(dealer) => dealer.readable(id),
            Pattern::Router(router) => router.routes.readable(pipes, id),
            Pattern::Stream(stream) => stream.routes.readable(pipes, id),
            Pattern::Req(req) => req.readable(id),
            Pattern::Rep(rep) => rep.readable(id),
            Pattern::Pull(pull) => pull.readable(id),
            Pattern::Pair(pair) => pair.readable(pipes, id),
            Pattern::Sub(subscriber) => subscriber.readable(id),
            Pattern::XPub(publisher) => publisher.readable(id),
            Pattern::XSub(subscriber) => subscriber.readable(id),
            // Neither receives: whatever a peer sends is dropped.
            Pattern::Push(_) | Pattern::Pub(_) => {
                while pipes.waiting(id) > 0 {
                    pipes.skip_message(id);
                }
            }
        }
    }

    /// The pipe's first message is another than before.
    pub(crate) fn replaced(&mut self, id: PipeId) {
        if let Pattern::Sub(subscriber) = self {
            subscriber.replaced(id);
        }
    }

    /// How many waiting senders may go on when a pipe has become ready for `room` messages more.
    /// Where the message decides to whom it goes, only they themselves can tell: all try again.
    pub(crate) fn senders_to_wake(&self, room: usize) -> usize {
        match self {
            Pattern::Router(_) | Pattern::Stream(_) | Pattern::Pub(_) | Pattern::XPub(_) => {
                usize::MAX
            }
            _ => room,
        }
    }

    /// A peer subscribed, or cancelled a subscription. Answers how many messages for the application that
    /// makes.
    pub(crate) fn peer_subscription(
        &mut self,
        pipes: &Pipes,
        id: PipeId,
        request: Request<'_>,
        options: &Options,
    ) -> usize {
        match self {
            Pattern::Pub(publisher) => publisher.peer_subscription(id, request, options),
            Pattern::XPub(publisher) => {
                return publisher.peer_subscription(pipes, id, request, options);
            }
            _ => {}
        }
        0
    }

    /// The topics and their bytes that a peer has subscribed to: what its budget counts.
    pub(crate) fn subscriptions_of(&self, id: PipeId) -> (usize, usize) {
        match self {
            Pattern::Pub(publisher) => publisher.subscriptions_of(id),
            Pattern::XPub(publisher) => publisher.subscriptions_of(id),
            _ => (0, 0),
        }
    }

    /// The application subscribes or cancels. True if the peers must be told.
    pub(crate) fn subscribe(
        &mut self,
        topic: &[u8],
        subscribe: bool,
        options: &Options,
    ) -> Result<bool> {
        match self {
            Pattern::Sub(subscriber) => Ok(subscriber.subscribe(topic, subscribe)),
            Pattern::XSub(subscriber) => Ok(subscriber.subscribe(topic, subscribe)),
            Pattern::XPub(publisher) if options.xpub_manual => {
                publisher.subscribe_last(topic, subscribe);
                Ok(false)
            }
            Pattern::XPub(_) => {
                Err(Error::UnknownOption("SUBSCRIBE on an XPUB without XPUB_MANUAL".into()))
            }
            _ => Err(Error::UnknownOption("SUBSCRIBE on a socket that does not subscribe".into())),
        }
    }

    /// Calls `f` with every topic that a new peer must be told of.
    pub(crate) fn each_subscription(&self, f: impl FnMut(&[u8])) {
        match self {
            Pattern::Sub(subscriber) => subscriber.each_subscription(f),
            Pattern::XSub(subscriber) => subscriber.each_subscription(f),
            _ => {}
        }
    }

    /// The second half of [`send`](Pattern::send), where the peers must be told of something in between.
    pub(crate) fn send_rest(&mut self, pipes: &mut Pipes, parts: Parts<'_>, options: &Options) {
        if let Pattern::XSub(subscriber) = self {
            subscriber.send_rest(pipes, parts, options);
        }
    }

    /// What the peers must be told of since this was asked last.
    pub(crate) fn take_news(&mut self) -> Vec<News> {
        match self {
            Pattern::XSub(subscriber) => subscriber.take_news(),
            _ => Vec::new(),
        }
    }

    /// How many different topics are subscribed: by the peers, or by this socket.
    pub(crate) fn topics(&self) -> usize {
        match self {
            Pattern::Pub(publisher) => publisher.topics(),
            Pattern::XPub(publisher) => publisher.topics(),
            Pattern::Sub(subscriber) => subscriber.topics(),
            Pattern::XSub(subscriber) => subscriber.topics(),
            _ => 0,
        }
    }

    /// Takes on what was set of the options that a pattern asks for without being handed them.
    pub(crate) fn apply(&mut self, options: &Options) {
        if let Pattern::Sub(subscriber) = self {
            subscriber.apply(options);
        }
    }
}
