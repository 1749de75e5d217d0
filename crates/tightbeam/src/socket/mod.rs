//! Sockets: the untyped one that every language uses, and the typed skin over it.

mod adopt;
mod any;
mod attempts;
mod base;
mod budget;
mod burst;
mod connecting;
mod core;
mod descriptor;
mod direct;
mod draining;
mod driven;
mod flush;
mod future;
mod gather;
mod guard;
mod inproc;
mod judging;
mod leaving;
mod linger;
mod listening;
mod loop_watch;
mod loss;
mod monitoring;
#[cfg(feature = "tokio")]
mod on_tokio;
mod peers;
mod poll_set;
mod poller;
mod report;
mod setters;
mod staging;
mod state;
mod stats;
#[cfg(feature = "futures")]
mod stream;
mod transfer;
mod turn;
mod typed;
mod wait;
mod watch;

use std::os::fd::AsRawFd;
use std::time::Duration;

pub use self::any::AnySocket;
pub use self::base::SocketBase;
pub(crate) use self::core::Core;
pub use self::descriptor::Wanted;
pub(crate) use self::future::TaskPlace;
pub use self::future::{RecvFuture, SendFuture};
pub(crate) use self::judging::{Asker, Question};
pub use self::loop_watch::LoopWatch;
pub use self::poll_set::{PollEvent, PollWaker, Poller};
pub use self::poller::{PollItem, poll, ppoll};
pub use self::report::Counters;
pub use self::stats::{PeerStats, SocketStats, Unsent};
#[cfg(feature = "futures")]
pub use self::stream::{MessageSink, Messages};
pub use self::transfer::Copied;
pub use self::typed::{
    Dealer, Pair, Pub, Pull, Push, Receives, Rep, Req, Router, Sends, Socket, Stream, Sub, Typed,
    XPub, XSub,
};
pub use self::wait::Timing;

use self::state::{Life, State};
use self::wait::{Slept, park, remaining};
use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::options::{OptionSpec, OwnedValue, Value, number};
use crate::reactor::parker::Parker;
use crate::reactor::waiters::Interest;

/// A message that was not sent, and why.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct SendError {
    /// The message, as it was given.
    pub message: Message,
    /// Why it was not sent.
    #[source]
    pub error: Error,
}

impl From<SendError> for Error {
    /// Forgets the message.
    fn from(refused: SendError) -> Error {
        refused.error
    }
}

/// Which of sending and receiving would succeed just now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Readiness {
    /// The next receive succeeds.
    pub readable: bool,
    /// The next send succeeds.
    pub writable: bool,
}

impl Core {
    fn peer_state(&self, routing_id: &[u8]) -> Result<Readiness> {
        self.glance();
        let guard = self.lock()?;
        let Some(routes) = guard.pattern.routes() else {
            let operation = "tell its peers apart by routing id";
            return Err(Error::Unsupported { socket: self.socket_type, operation });
        };
        let pipe = routes.get(routing_id).and_then(|id| guard.pipes.get(id));
        let pipe = pipe.ok_or_else(|| Error::Unroutable(routing_id.to_vec()))?;
        Ok(Readiness { readable: pipe.unreceived() > 0, writable: pipe.has_room() })
    }

    fn poll(&self, wanted: Readiness, timeout: Option<Duration>) -> Result<Readiness> {
        self.glance();
        let timing = timeout.map_or(Timing::Forever, Timing::Within);
        let polled = self.block_on(self.lock()?, Interest::Observe, timing, |guard| {
            let now = guard.readiness();
            let hit = Readiness {
                readable: now.readable && wanted.readable,
                writable: now.writable && wanted.writable,
            };
            if hit == Readiness::default() {
                return Err(Error::WouldBlock("nothing is ready"));
            }
            Ok(hit)
        });
        match polled {
            Ok((ready, _)) => Ok(ready),
            Err(Error::WouldBlock(_)) => Ok(Readiness::default()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn subscribe(&self, topic: &[u8], subscribe: bool) -> Result<()> {
        let mut guard = self.lock()?;
        let state = &mut *guard;
        if !state.pattern.subscribe(topic, subscribe, &state.options)? {
            return Ok(());
        }
        guard.announce(topic, subscribe);
        // Many subscriptions in a row are gathered, as messages are.
        self.after_send(guard, topic.len());
        Ok(())
    }

    fn set_option(&self, number: i32, value: Value<'_>) -> Result<()> {
        let mut guard = self.lock()?;
        match number {
            number::SUBSCRIBE | number::UNSUBSCRIBE => {
                guard.options.set(number, value)?;
                drop(guard);
                let Value::Bytes(topic) = value else { return Ok(()) };
                self.subscribe(topic, number == number::SUBSCRIBE)
            }
            _ => {
                guard.options.set(number, value)?;
                guard.apply_options();
                Ok(())
            }
        }
    }

    /// The row of an option that this socket has.
    fn option_spec(&self, number: i32) -> Result<&'static OptionSpec> {
        self.lock()?.options.spec(number)
    }

    fn option(&self, number: i32) -> Result<OwnedValue> {
        let guard = self.lock()?;
        let spec = guard.options.spec(number)?;
        if !spec.is_socket() {
            return guard.options.get(number);
        }
        spec.check_get()?;
        Ok(match number {
            number::TYPE => OwnedValue::Int(self.socket_type as i32),
            number::RCVMORE => OwnedValue::Int(guard.more.into()),
            number::LAST_ENDPOINT => {
                let text = guard.last_endpoint.as_ref().map_or("", Endpoint::as_str);
                OwnedValue::Bytes(text.as_bytes().to_vec())
            }
            number::FD => {
                drop(guard);
                OwnedValue::Int(self.event_descriptor()?.as_raw_fd())
            }
            number::TOPICS_COUNT => {
                OwnedValue::Int(i32::try_from(guard.pattern.topics()).unwrap_or(i32::MAX))
            }
            number::EVENTS => {
                drop(guard);
                let ready = self.events()?;
                OwnedValue::Int(i32::from(ready.readable) + 2 * i32::from(ready.writable))
            }
            _ => return Err(Error::UnknownOption(spec.name().to_owned())),
        })
    }

    /// Waits until a closed socket has nothing left to send; answers what it could not.
    fn wait_until_gone(&self) -> usize {
        if self.is_forked() {
            return 0;
        }
        loop {
            let mut guard = self.lock_always();
            if guard.life == Life::Gone {
                return guard.undelivered;
            }
            let parker = Parker::current();
            let ticket = guard.waiters.add_thread(Interest::Observe, &parker);
            let deadline = match guard.life {
                Life::Closing { until } => until,
                _ => None,
            };
            drop(guard);
            let slept = park(&parker, deadline);
            self.lock_always().waiters.remove(ticket);
            if slept == Slept::TimedOut && remaining(deadline) == Some(Duration::ZERO) {
                self.finish_closing();
            }
        }
    }
}

impl State {
    pub(crate) fn readiness(&mut self) -> Readiness {
        self.settle_dry();
        let mut readable = self.pattern.can_recv(&mut self.pipes);
        while self.resume_skipped() && !readable {
            self.settle_dry();
            readable = self.pattern.can_recv(&mut self.pipes);
        }
        Readiness { readable, writable: self.pattern.can_send(&self.pipes, &self.options) }
    }

    /// Whether what a waiter waits for is possible.
    fn is_possible(&mut self, interest: Interest) -> bool {
        let ready = self.readiness();
        match interest {
            Interest::Receive => ready.readable,
            Interest::Send => ready.writable,
            Interest::Observe => ready.readable || ready.writable,
        }
    }

    /// Options that hold for pipes that exist already.
    fn apply_options(&mut self) {
        self.settle_dry();
        self.pattern.apply(&self.options);
        let (send, receive) = self.marks();
        for pipe in self.pipes.iter_mut() {
            pipe.set_marks(send, receive);
        }
        self.call_neighbours();
        let paused = self.pipes.iter().filter(|(_, pipe)| pipe.paused);
        let paused: Vec<_> = paused.map(|(id, _)| id).collect();
        for id in paused {
            self.after_recv(id);
        }
        self.waiters.notify(Interest::Send, usize::MAX);
    }
}
