//! What every socket has, whatever it can send and receive.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use zmtp::SocketType;

use super::{Core, LoopWatch, Readiness, SocketStats};
use crate::context::Handle;
use crate::endpoint::Endpoint;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::monitor::{EventKind, Monitor};
use crate::options::{OwnedValue, Value};

/// What every socket has: endpoints, options, readiness, events and statistics.
///
/// Both [`AnySocket`](crate::AnySocket) and [`Socket`](crate::Socket) deref to it.
#[derive(Debug)]
pub struct SocketBase {
    core: Arc<Core>,
    owner: bool,
}

impl Drop for SocketBase {
    fn drop(&mut self) {
        if self.owner {
            self.core.close();
        }
    }
}

impl SocketBase {
    pub(super) fn new(core: Arc<Core>, owner: bool) -> SocketBase {
        SocketBase { core, owner }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The number that names the socket in [`Context::socket_by_handle`](crate::Context::socket_by_handle).
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle::new(self.core.id())
    }

    /// The type of the socket.
    #[must_use]
    pub fn socket_type(&self) -> SocketType {
        self.core.socket_type
    }

    /// Listens at an endpoint, such as `tcp://127.0.0.1:5555` or `tcp://*:*`. Answers the endpoint
    /// with the address and port that were bound.
    ///
    /// As in libzmq (`zmq_ipc`), an ipc path is taken over from whoever is bound there, or was and left it behind. Beside
    /// sockets only an empty file gives way, which may have reserved the name; libzmq removes any. The path is removed
    /// with the listener, unless somebody else has taken it over; in a forked child it is left alone.
    ///
    /// # Errors
    /// [`Error::BadEndpoint`], [`Error::UnknownTransport`], [`Error::EndpointTooLong`], [`Error::Io`] (the
    /// address or the name is in use, or not ours), [`Error::NoIoThread`], [`Error::Terminated`].
    pub fn bind(&self, endpoint: impl AsRef<str>) -> Result<Endpoint> {
        self.core.bind(endpoint.as_ref())
    }

    /// Connects to an endpoint. Returns at once: the connection is made in the background, and made
    /// again whenever it breaks. Unless the option IMMEDIATE is set, messages may be queued before.
    /// A DEALER, REQ, PUB or SUB that is connected to the endpoint already stays as it is.
    ///
    /// # Errors
    /// [`Error::BadEndpoint`], [`Error::UnknownTransport`], [`Error::EndpointTooLong`],
    /// [`Error::NoIoThread`], [`Error::Io`] (the process is out of descriptors), [`Error::Terminated`].
    pub fn connect(&self, endpoint: impl AsRef<str>) -> Result<Endpoint> {
        self.core.connect(endpoint.as_ref())
    }

    /// Stops listening at an endpoint, by the text that [`bind`](SocketBase::bind) answered, and ends
    /// the connections that were accepted there. The address is free when this returns, and an ipc path is
    /// removed. What is queued for those peers is still sent, for as long as the option LINGER says; what has arrived can
    /// still be received. Does not wait.
    ///
    /// As in libzmq, this and [`disconnect`](SocketBase::disconnect) both take either kind of endpoint.
    ///
    /// # Errors
    /// [`Error::UnknownEndpoint`]: not bound here, or given with the wildcard that `bind` was. [`Error::BadEndpoint`],
    /// [`Error::UnknownTransport`].
    pub fn unbind(&self, endpoint: impl AsRef<str>) -> Result<()> {
        self.core.leave(endpoint.as_ref())
    }

    /// Ends the connection to an endpoint, by the text that was given to [`connect`](SocketBase::connect) or that it
    /// answered; all of them if it was connected to several times. What is queued for it is still sent, for
    /// as long as the option LINGER says; what has arrived and was not received is dropped, but for a message of which
    /// a part was received. Does not wait.
    ///
    /// # Errors
    /// [`Error::UnknownEndpoint`]: not connected to. [`Error::BadEndpoint`], [`Error::UnknownTransport`].
    pub fn disconnect(&self, endpoint: impl AsRef<str>) -> Result<()> {
        self.core.leave(endpoint.as_ref())
    }

    /// Which of sending and receiving would succeed just now. Does not wait.
    ///
    /// # Errors
    /// [`Error::Terminated`], [`Error::Forked`].
    pub fn readiness(&self) -> Result<Readiness> {
        self.core.events()
    }

    /// Waits until one of the wanted is possible, at most so long (`None`: for ever). Answers what
    /// is; nothing, if the time is over.
    ///
    /// # Errors
    /// [`Error::Interrupted`], [`Error::Terminated`].
    pub fn poll(&self, wanted: Readiness, timeout: Option<Duration>) -> Result<Readiness> {
        self.core.poll(wanted, timeout)
    }

    /// A descriptor for event loops, as libzmq's option FD has it. It becomes readable with each message
    /// that arrives, when there is room to send again after there was none, and when the context or
    /// the socket ends; [`readiness`](SocketBase::readiness), or a receive or send that
    /// [would block](Error::WouldBlock), makes it not readable. It may also become readable for nothing.
    ///
    /// So ask for the readiness after each time it becomes readable, and after each send and receive
    /// before waiting for it again: messages that were there already do not signal it. Never read from
    /// it. It is made when it is first asked for, and stays the same; from then on the I/O thread
    /// drives the socket, so that nobody has to enter the library meanwhile.
    ///
    /// # Errors
    /// [`Error::Io`] (out of descriptors), [`Error::Terminated`], [`Error::Closed`], [`Error::Forked`].
    pub fn event_descriptor(&self) -> Result<BorrowedFd<'_>> {
        self.core.event_descriptor()
    }

    /// Lets an event loop of the application's wait for the socket and drive it: faster than the descriptors, for
    /// which the I/O thread has to wake the loop.
    ///
    /// # Errors
    /// [`Error::Io`] (out of descriptors), [`Error::Terminated`], [`Error::Closed`], [`Error::Forked`].
    pub fn loop_watch(&self) -> Result<LoopWatch> {
        LoopWatch::new(&self.core)
    }

    /// Has the current tokio runtime drive the socket, as a thread does that blocks in it: what arrives wakes the runtime, one of its
    /// threads reads it, and the futures that wait for it go on there. Without this the I/O thread reads and wakes the
    /// runtime, which is a switch of threads for each message that comes alone.
    ///
    /// * It holds until the socket is closed or the runtime ends; then the I/O thread drives again. Another call, on another runtime,
    ///   moves the socket there.
    /// * While the runtime's threads are busy with other things, the I/O thread takes the socket over within some 2 to 14 ms.
    /// * The futures, streams and sinks of the socket take part in the runtime's cooperative budget: a task that never has to wait
    ///   lets others run all the same.
    /// * Everything may use the socket as before: several tasks, other executors, threads that block. Where its
    ///   [event descriptor](SocketBase::event_descriptor) was handed out, the I/O thread goes on driving.
    /// * The runtime has one small task more for each such socket.
    ///
    /// ```
    /// use tightbeam::{Context, Rep, Req};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(async {
    /// let context = Context::new();
    /// let (server, client) = (context.socket::<Rep>()?, context.socket::<Req>()?);
    /// server.drive_on_tokio()?;
    /// client.drive_on_tokio()?;
    /// client.connect(server.bind("tcp://127.0.0.1:*")?)?;
    /// client.send_async("hello").await?;
    /// server.send_async(server.recv_async().await?).await?;
    /// assert_eq!(client.recv_async().await?, "hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::BadArgument`] outside of a runtime; [`Error::NoIoThread`], [`Error::Io`] (out of descriptors),
    /// [`Error::Terminated`], [`Error::Closed`], [`Error::Forked`].
    ///
    /// # Panics
    /// If the runtime was built without `enable_io`, as tokio's own sockets do.
    #[cfg(feature = "tokio")]
    pub fn drive_on_tokio(&self) -> Result<()> {
        self.core.drive_on_tokio()
    }

    /// A descriptor that is readable exactly while a message can be received, or once the context has
    /// ended: for event loops that are level-triggered. Never read from it. It is made when it is
    /// first asked for, and costs its socket two system calls whenever the answer changes.
    ///
    /// ```
    /// use std::os::fd::AsRawFd;
    /// use tightbeam::{Context, PollItem, Pull, Push, Readiness, poll};
    ///
    /// let context = Context::new();
    /// let (pull, push) = (context.socket::<Pull>()?, context.socket::<Push>()?);
    /// push.connect(pull.bind("tcp://127.0.0.1:*")?)?;
    /// push.send("hello")?;
    /// let descriptor = pull.readable_descriptor()?;
    /// let readable = Readiness { readable: true, writable: false };
    /// assert_eq!(poll(&mut [PollItem::descriptor(&descriptor, readable)], None)?, 1);
    /// assert_eq!(pull.try_recv()?, "hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`event_descriptor`](SocketBase::event_descriptor).
    pub fn readable_descriptor(&self) -> Result<BorrowedFd<'_>> {
        self.core.readable_descriptor()
    }

    /// Sets an option by its number; see [`options::TABLE`](crate::options::TABLE).
    ///
    /// # Errors
    /// [`Error::UnknownOption`], [`Error::BadOption`]; the option is then as it was.
    pub fn set_option(&self, number: i32, value: Value<'_>) -> Result<()> {
        self.core.set_option(number, value)
    }

    /// Reads an option by its number.
    ///
    /// # Errors
    /// [`Error::UnknownOption`], [`Error::BadOption`].
    pub fn option(&self, number: i32) -> Result<OwnedValue> {
        self.core.option(number)
    }

    /// Sets an option as C's `zmq_setsockopt` takes it: bytes of the value's type in this machine's order, text without a NUL, `None`
    /// for NULL and a length of 0. For bindings.
    ///
    /// # Errors
    /// As [`set_option`](SocketBase::set_option); [`Error::BadOption`] also when the length is wrong.
    ///
    /// ```
    /// use tightbeam::options::number;
    ///
    /// let socket = tightbeam::Context::new().socket::<tightbeam::Push>()?;
    /// socket.set_option_bytes(number::SNDHWM, Some(&7_i32.to_ne_bytes()))?;
    /// assert_eq!(socket.option_bytes(number::SNDHWM, 4)?, 7_i32.to_ne_bytes());
    /// socket.set_option_bytes(number::SOCKS_PROXY, Some(b"proxy:1080"))?;
    /// assert_eq!(socket.option_bytes(number::SOCKS_PROXY, 64)?, b"proxy:1080\0");
    /// # Ok::<(), tightbeam::Error>(())
    /// ```
    pub fn set_option_bytes(&self, number: i32, value: Option<&[u8]>) -> Result<()> {
        let spec = self.core.option_spec(number)?;
        self.core.set_option(number, spec.decode(value)?)
    }

    /// Reads an option as C's `zmq_getsockopt` writes it into a buffer of `room` bytes: text with a NUL behind it, keys of CURVE as 32
    /// bytes or, if there is room for exactly 41, as text. For bindings.
    ///
    /// # Errors
    /// As [`option`](SocketBase::option); [`Error::BadOption`] also when the room is wrong.
    pub fn option_bytes(&self, number: i32, room: usize) -> Result<Vec<u8>> {
        let spec = self.core.option_spec(number)?;
        spec.encode(self.core.option(number)?, room)
    }

    /// Whether one peer of a ROUTER or a STREAM, named by its routing id, has a message waiting, and has
    /// room for one. Does not wait.
    ///
    /// ```
    /// use tightbeam::{Context, Dealer, Router};
    ///
    /// let context = Context::new();
    /// let (router, dealer) = (context.socket::<Router>()?, context.socket::<Dealer>()?);
    /// dealer.connect(router.bind("tcp://127.0.0.1:*")?)?;
    /// dealer.send("hello")?;
    /// let message = router.recv()?;
    /// let state = router.peer_state(&message[0])?;
    /// assert!(state.writable && !state.readable);
    /// assert_eq!(router.peer_state(b"nobody").unwrap_err().errno(), libc::EHOSTUNREACH);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Unroutable`] if there is no such peer, [`Error::Unsupported`] on other types of socket,
    /// [`Error::Terminated`], [`Error::Forked`].
    pub fn peer_state(&self, routing_id: &[u8]) -> Result<Readiness> {
        self.core.peer_state(routing_id)
    }

    /// The events of this socket's connections from now on.
    ///
    /// # Errors
    /// [`Error::Terminated`], [`Error::Forked`].
    pub fn monitor(&self) -> Result<Monitor> {
        self.core.monitor(EventKind::ALL)
    }

    /// The events of these kinds from now on: [`EventKind::number`]s, combined with `|`.
    ///
    /// # Errors
    /// [`Error::Terminated`], [`Error::Forked`].
    pub fn monitor_events(&self, events: u64) -> Result<Monitor> {
        self.core.monitor(events)
    }

    /// Sends the events of these kinds, from now on, as messages of a socket of its own that is bound to
    /// an inproc endpoint, as libzmq's `zmq_socket_monitor_versioned` does. Connect a PAIR to it (a PULL
    /// to a PUSH, a SUB to a PUB) and receive:
    ///
    /// * version 1: a frame of 6 bytes, event (`u16`) and value (`u32`), and a frame with the endpoint;
    /// * version 2: event, number of values and values (`u64` in a frame each), the local and the remote
    ///   endpoint.
    ///
    /// Numbers are in the order of this machine. The monitored socket never waits for the reader: 1,024
    /// events wait for it beside what the high-water marks allow, and further ones are dropped. A socket
    /// has one such monitor: another call ends the one before, whose last event is
    /// [`EventKind::MonitorStopped`].
    ///
    /// ```
    /// use tightbeam::{Context, EventKind, Pair, Pull, SocketType};
    ///
    /// let context = Context::new();
    /// let pull = context.socket::<Pull>()?;
    /// pull.monitor_socket("inproc://events", EventKind::ALL_V1, 1, SocketType::Pair)?;
    /// let events = context.socket::<Pair>()?;
    /// events.connect("inproc://events")?;
    /// let endpoint = pull.bind("tcp://127.0.0.1:*")?;
    /// let message = events.recv()?;
    /// let event = u16::from_ne_bytes([message[0][0], message[0][1]]);
    /// assert_eq!(u64::from(event), EventKind::Listening.number());
    /// assert_eq!(message[1], endpoint.as_str());
    /// # Ok::<(), tightbeam::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownTransport`] for another transport; [`Error::BadArgument`] for another version or
    /// type, or events that version 1 does not have; [`Error::BadEndpoint`]; [`Error::Io`] where the name
    /// is taken, and then the monitor before has ended, too; [`Error::TooManySockets`];
    /// [`Error::Terminated`], [`Error::Forked`].
    pub fn monitor_socket(
        &self,
        endpoint: impl AsRef<str>,
        events: u64,
        version: u32,
        socket_type: SocketType,
    ) -> Result<()> {
        self.core.monitor_socket(endpoint.as_ref(), events, version, socket_type)
    }

    /// Ends the monitor that [`monitor_socket`](SocketBase::monitor_socket) began, if there is one.
    ///
    /// # Errors
    /// [`Error::Terminated`], [`Error::Forked`].
    pub fn stop_monitor_socket(&self) -> Result<()> {
        self.core.stop_monitor_socket()
    }

    /// Sends an event [`EventKind::PipesStats`] for each peer to the monitor socket, as libzmq's
    /// `zmq_socket_monitor_pipes_stats` does. [`stats`](SocketBase::stats) tells more, at once.
    ///
    /// # Errors
    /// [`Error::BadArgument`] without a monitor socket; [`Error::WouldBlock`] if there is no peer, or the
    /// monitor does not want the event; [`Error::Terminated`], [`Error::Forked`].
    pub fn monitor_pipes_stats(&self) -> Result<()> {
        self.core.monitor_pipes_stats()
    }

    /// What the socket has carried, and what it holds.
    ///
    /// # Errors
    /// [`Error::Terminated`], [`Error::Forked`].
    pub fn stats(&self) -> Result<SocketStats> {
        Ok(self.core.lock()?.stats())
    }
}
