//! Monitors of a socket: streams, sockets that send what happens, and the queues of its peers on request.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use zmtp::SocketType;

use super::any::AnySocket;
use super::core::Core;
use super::future::TaskPlace;
use super::state::State;
use crate::connection::Origin;
use crate::endpoint::{Address, Endpoint};
use crate::error::{Error, Result};
use crate::message::Message;
use crate::monitor::{EventKind, Monitor, MonitorEvent, Place, Ticket, Version};
use crate::pipe::PipeId;

impl Core {
    /// The events of the mask from now on, as a stream.
    pub(super) fn monitor(&self, mask: u64) -> Result<Monitor> {
        Ok(self.lock()?.monitors.subscribe(mask))
    }

    /// The events of the mask from now on, as messages of a socket of the given type that is bound to
    /// the endpoint. The one there was stops, also if this one cannot be had.
    pub(super) fn monitor_socket(
        &self,
        endpoint: &str,
        mask: u64,
        version: u32,
        socket_type: SocketType,
    ) -> Result<()> {
        self.lock()?;
        let version = Version::check(version, mask)?;
        let endpoint = inproc(endpoint)?;
        if !matches!(socket_type, SocketType::Pair | SocketType::Push | SocketType::Pub) {
            return Err(Error::BadArgument("a monitor socket is a PAIR, PUSH or PUB"));
        }
        let bound = self.context.open(socket_type).and_then(|socket| {
            socket.bind(&endpoint)?;
            Ok(socket)
        });
        let socket = match bound {
            Ok(socket) => socket,
            Err(error) => {
                self.stop_monitor_socket()?;
                return Err(error);
            }
        };
        let mut guard = self.lock()?;
        let mut wakers = Vec::new();
        let monitor = guard.monitors.subscribe_socket(mask, &mut wakers);
        guard.wake_later(wakers);
        drop(guard);
        let place = TaskPlace::to_send(Arc::clone(socket.core()));
        let feed = Feed { monitor, version, _socket: socket, place, sending: None, ticket: None };
        let feeder = Feeder { feed: Mutex::new(Some(feed)), wanted: AtomicUsize::new(0) };
        Arc::new(feeder).wake();
        Ok(())
    }

    pub(super) fn stop_monitor_socket(&self) -> Result<()> {
        let mut guard = self.lock()?;
        let mut wakers = Vec::new();
        guard.monitors.end_socket(&mut wakers);
        guard.wake_later(wakers);
        Ok(())
    }

    /// Tells the monitor socket how many messages wait in the queues of each peer.
    pub(super) fn monitor_pipes_stats(&self) -> Result<()> {
        let mut guard = self.lock()?;
        let Some(mask) = guard.monitors.socket_mask() else {
            return Err(Error::BadArgument("the socket has no monitor socket"));
        };
        let pipes: Vec<PipeId> = guard.pipes.iter().map(|(id, _)| id).collect();
        if mask & EventKind::PipesStats.number() == 0 || pipes.is_empty() {
            return Err(Error::WouldBlock("no peer's queues to tell of"));
        }
        let mut wakers = Vec::new();
        for id in pipes {
            if let Some(event) = guard.pipe_stats(id) {
                guard.monitors.tell_socket(&event, &mut wakers);
            }
        }
        guard.wake_later(wakers);
        Ok(())
    }
}

/// Monitor sockets are for this process only.
fn inproc(text: &str) -> Result<Endpoint> {
    if let Some((transport, _)) = text.split_once("://")
        && transport != "inproc"
    {
        let endpoint = text.to_owned();
        return Err(Error::UnknownTransport { endpoint, expected: "inproc, for a monitor socket" });
    }
    let endpoint: Endpoint = text.parse()?;
    match endpoint.address() {
        Address::Inproc(_) => Ok(endpoint),
        _ => Err(Error::BadArgument("a monitor socket is bound to an inproc endpoint")),
    }
}

impl State {
    fn pipe_stats(&self, id: PipeId) -> Option<MonitorEvent> {
        let pipe = self.pipes.get(id)?;
        let sending = pipe.unsent() as u64;
        let receiving = pipe.unreceived() as u64;
        let event = MonitorEvent::new(EventKind::PipesStats, self.place_of_pipe(id), sending);
        Some(event.with_second(receiving))
    }

    pub(super) fn place_of_pipe(&self, id: PipeId) -> Place {
        if let Some(connection) = self.connection_of(id) {
            return match connection.origin {
                Origin::Listener(_) => (*connection.place).clone(),
                // As libzmq: the pipe belongs to the endpoint, not to the connection of the moment.
                Origin::Session(_) => connection.place.without_local(),
            };
        }
        let session = self.sessions.values().find(|session| session.pipe == Some(id));
        session.map_or(Place::NONE, |session| Place::connecting(&session.endpoint))
    }
}

/// What carries a socket's events to its monitor socket: a task that is its own executor. It goes on
/// whenever there is an event or room to send, in the thread that made it so and after that has released
/// its locks; so nobody waits for it, and it holds nobody's lock.
#[derive(Debug)]
struct Feeder {
    feed: Mutex<Option<Feed>>,
    /// Calls since somebody began to run it: who finds another at work only leaves a note.
    wanted: AtomicUsize,
}

#[derive(Debug)]
struct Feed {
    monitor: Monitor,
    version: Version,
    /// Keeps it open.
    _socket: AnySocket,
    place: TaskPlace<Arc<Core>>,
    sending: Option<Message>,
    ticket: Ticket,
}

impl Wake for Feeder {
    fn wake(self: Arc<Feeder>) {
        if self.wanted.fetch_add(1, Ordering::SeqCst) > 0 {
            return;
        }
        let waker = Waker::from(Arc::clone(&self));
        let mut seen = 1;
        while seen > 0 {
            let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
            let ended = match feed.as_mut() {
                Some(feed) => feed.run(&mut Context::from_waker(&waker)).is_ready(),
                None => false,
            };
            let done = if ended { feed.take() } else { None };
            drop(feed);
            drop(done);
            let before = self.wanted.fetch_sub(seen, Ordering::SeqCst);
            seen = before - seen;
        }
    }
}

impl Feed {
    /// Sends what has happened, as far as there is room. Ready when there will be nothing more.
    fn run(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(message) = &self.sending {
                match self.place.poll_send(message.frames(), cx) {
                    Poll::Ready(Ok(())) => self.sending = None,
                    // The context is being terminated.
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    // A reader who is that far behind misses the end.
                    Poll::Pending if self.monitor.poll_ended(&mut self.ticket, cx) => {
                        return Poll::Ready(());
                    }
                    Poll::Pending => return Poll::Pending,
                }
            }
            match self.monitor.poll_next(&mut self.ticket, cx) {
                Poll::Ready(Some(event)) => {
                    self.sending = Some(self.version.message(&event));
                }
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
