//! The typed skin: a socket of a pattern offers what the pattern can do, and nothing else.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::time::{Duration, Instant};

use zmtp::SocketType;

use super::{AnySocket, Copied, RecvFuture, SendError, SendFuture, SocketBase};
#[cfg(feature = "futures")]
use super::{MessageSink, Messages};
use crate::error::{Error, Result};
use crate::message::{Frame, Message};

mod sealed {
    #[allow(unnameable_types)]
    pub trait Sealed {}
}

/// The type of a socket, as a type. Sealed: the patterns are ZeroMQ's.
pub trait Typed: sealed::Sealed + fmt::Debug + Send + Sync + 'static {
    /// The same as a value.
    const TYPE: SocketType;
}

/// Socket types that send.
pub trait Sends: Typed {}

/// Socket types that receive.
pub trait Receives: Typed {}

macro_rules! socket_types {
    ($($(#[$doc:meta])* $name:ident: $($can:ident)+;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub enum $name {}
        impl sealed::Sealed for $name {}
        impl Typed for $name {
            const TYPE: SocketType = SocketType::$name;
        }
        $(impl $can for $name {})+
    )*};
}

socket_types! {
    /// Sends a request and receives its reply, in strict turn (RFC 28).
    Req: Sends Receives;
    /// Receives a request and sends its reply, in strict turn (RFC 28).
    Rep: Sends Receives;
    /// Sends to its peers in turn, receives from them in turn (RFC 28).
    Dealer: Sends Receives;
    /// Receives with the sender's routing id in front, and sends to the peer that the first part
    /// names (RFC 28).
    Router: Sends Receives;
    /// Sends and receives bytes over connections without ZMTP. A message is a routing id, which names the
    /// connection, and bytes: those of one read, at most 8,192, on the way in; any number on the way out.
    ///
    /// An empty message comes when a connection is made and when the peer ends it
    /// ([`STREAM_NOTIFY`](crate::options::number::STREAM_NOTIFY)); sending one closes the connection once
    /// all is written. What is sent to a routing id that nobody has is refused
    /// ([`Error::Unroutable`](crate::Error::Unroutable)).
    ///
    /// ```
    /// use std::io::{Read, Write};
    /// use tightbeam::{Context, Stream};
    ///
    /// let context = Context::new();
    /// let server = context.socket::<Stream>()?;
    /// let endpoint = server.bind("tcp://127.0.0.1:*")?;
    /// let mut client = std::net::TcpStream::connect(&endpoint.as_str()[6..])?;
    /// let connected = server.recv()?;
    /// assert_eq!(connected[1], "");
    /// client.write_all(b"hello")?;
    /// let message = server.recv()?;
    /// assert_eq!(message, [connected[0].clone(), "hello".into()]);
    /// server.send([message[0].clone(), "goodbye".into()])?;
    /// server.send([message[0].clone(), "".into()])?;
    /// let mut answer = String::new();
    /// client.read_to_string(&mut answer)?;
    /// assert_eq!(answer, "goodbye");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Stream: Sends Receives;
    /// Sends to its peers in turn (RFC 30).
    Push: Sends;
    /// Receives from its peers in turn (RFC 30).
    Pull: Receives;
    /// Sends to every peer that subscribed (RFC 29).
    Pub: Sends;
    /// Receives what it subscribed to (RFC 29).
    Sub: Receives;
    /// Sends to and receives from one peer (RFC 31). The first to connect, or to be connected to, is the
    /// peer until it goes; what others send is dropped and counted, and they stay strangers until they
    /// connect anew.
    ///
    /// ```
    /// use tightbeam::{Context, Pair};
    ///
    /// let context = Context::new();
    /// let (one, other) = (context.socket::<Pair>()?, context.socket::<Pair>()?);
    /// other.connect(one.bind("tcp://127.0.0.1:*")?)?;
    /// other.send("ready")?;
    /// assert_eq!(one.recv()?, "ready");
    /// one.send("go")?;
    /// assert_eq!(other.recv()?, "go");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Pair: Sends Receives;
    /// Sends to every peer that subscribed, and receives what they subscribe: a message of one part, the
    /// byte 1 and the topic, for the first subscription to a topic, and the byte 0 and the topic when the
    /// last one is cancelled or its peer has gone. Other messages that its peers send are received, too
    /// (RFC 29). The frame's peer is who sent it.
    ///
    /// Subscriptions hold at once, before the application hears of them. What one peer has subscribed and
    /// the application has not received counts against the peer's MAX_SUBSCRIPTIONS and MAX_TOPIC_BYTES.
    /// Unlike in libzmq, a cancellation by a peer that had not subscribed is not received (but with
    /// XPUB_VERBOSER and XPUB_MANUAL).
    ///
    /// ```
    /// use tightbeam::{Context, Sub, XPub};
    ///
    /// let context = Context::new();
    /// let (publisher, subscriber) = (context.socket::<XPub>()?, context.socket::<Sub>()?);
    /// subscriber.connect(publisher.bind("tcp://127.0.0.1:*")?)?;
    /// subscriber.subscribe("news")?;
    /// assert_eq!(publisher.recv()?, b"\x01news");
    /// publisher.send("news at ten")?; // it is known that somebody listens
    /// assert_eq!(subscriber.recv()?, "news at ten");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    XPub: Sends Receives;
    /// Receives what it subscribed to, which it does by sending: a part at the front of a message that
    /// begins with the byte 1 subscribes to the topic behind it, one that begins with 0 cancels.
    /// Everything else goes to all its publishers; who has no room goes without (RFC 29), and messages
    /// that wait to be written may be overtaken by subscriptions. It does not check what publishers
    /// send it.
    ///
    /// ```
    /// use tightbeam::{Context, XPub, XSub};
    ///
    /// let context = Context::new();
    /// let (publisher, subscriber) = (context.socket::<XPub>()?, context.socket::<XSub>()?);
    /// subscriber.connect(publisher.bind("tcp://127.0.0.1:*")?)?;
    /// subscriber.send(b"\x01news")?;
    /// assert_eq!(publisher.recv()?, b"\x01news");
    /// subscriber.send("who is there?")?;
    /// assert_eq!(publisher.recv()?, "who is there?");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    XSub: Sends Receives;
}

/// A socket of type `T`.
///
/// Options, endpoints, statistics and the like are those of [`SocketBase`], which it derefs to.
/// Whatever the type cannot do does not compile:
///
/// ```compile_fail
/// let context = tightbeam::Context::new();
/// let push = context.socket::<tightbeam::Push>().unwrap();
/// push.recv(); // a PUSH socket does not receive
/// ```
pub struct Socket<T: Typed> {
    any: AnySocket,
    marker: PhantomData<T>,
}

impl<T: Typed> fmt::Debug for Socket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Socket<{}>", T::TYPE)
    }
}

impl<T: Typed> Deref for Socket<T> {
    type Target = SocketBase;

    fn deref(&self) -> &SocketBase {
        &self.any
    }
}

impl<T: Typed> AsRef<AnySocket> for Socket<T> {
    fn as_ref(&self) -> &AnySocket {
        &self.any
    }
}

impl<T: Typed> From<Socket<T>> for AnySocket {
    fn from(socket: Socket<T>) -> AnySocket {
        socket.any
    }
}

impl<T: Typed> Socket<T> {
    pub(crate) fn new(any: AnySocket) -> Socket<T> {
        Socket { any, marker: PhantomData }
    }

    /// The same socket without its type.
    #[must_use]
    pub fn as_any(&self) -> &AnySocket {
        &self.any
    }

    /// Closes the socket: [`AnySocket::close`].
    pub fn close(self) -> usize {
        self.any.close()
    }
}

impl<T: Sends> Socket<T> {
    /// Sends a message: [`AnySocket::send`].
    ///
    /// # Errors
    /// The message comes back with the reason.
    pub fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.any.send(message)
    }

    /// Sends a message if there is room now: [`AnySocket::try_send`].
    ///
    /// # Errors
    /// The message comes back with the reason.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.any.try_send(message)
    }

    /// Sends a message, waiting at most so long: [`AnySocket::send_timeout`].
    ///
    /// # Errors
    /// The message comes back with the reason.
    pub fn send_timeout(
        &self,
        message: impl Into<Message>,
        timeout: Duration,
    ) -> Result<(), SendError> {
        self.any.send_timeout(message, timeout)
    }

    /// Sends a copy of `body` as a message of one part: [`AnySocket::send_slice`].
    ///
    /// # Errors
    /// As [`AnySocket::send`].
    pub fn send_slice(&self, body: &[u8]) -> Result<()> {
        self.any.send_slice(body, None)
    }

    /// Sends one part of a message: [`AnySocket::send_part`].
    ///
    /// # Errors
    /// As [`AnySocket::send`].
    pub fn send_part(&self, frame: &Frame, more: bool) -> Result<()> {
        self.any.send_part(frame, more, None)
    }

    /// Sends a copy of `body` as a part of a message: [`AnySocket::send_slice_part`].
    ///
    /// # Errors
    /// As [`AnySocket::send`].
    pub fn send_slice_part(&self, body: &[u8], more: bool) -> Result<()> {
        self.any.send_slice_part(body, more, None)
    }

    /// Sends a message as a future: [`AnySocket::send_async`].
    pub fn send_async(&self, message: impl Into<Message>) -> SendFuture<'_> {
        self.any.send_async(message)
    }

    /// The socket as a sink: [`AnySocket::sink`].
    #[cfg(feature = "futures")]
    pub fn sink(&self) -> MessageSink {
        self.any.sink()
    }
}

impl<T: Receives> Socket<T> {
    /// Receives a message: [`AnySocket::recv`].
    ///
    /// # Errors
    /// As [`AnySocket::recv`].
    pub fn recv(&self) -> Result<Message> {
        self.any.recv()
    }

    /// Receives a message if there is one: [`AnySocket::try_recv`].
    ///
    /// # Errors
    /// As [`AnySocket::recv`].
    pub fn try_recv(&self) -> Result<Message> {
        self.any.try_recv()
    }

    /// Receives a message, waiting at most so long: [`AnySocket::recv_timeout`].
    ///
    /// # Errors
    /// As [`AnySocket::recv`].
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Message> {
        self.any.recv_timeout(timeout)
    }

    /// Receives one part of a message: [`AnySocket::recv_part`].
    ///
    /// # Errors
    /// As [`AnySocket::recv`].
    pub fn recv_part(&self) -> Result<Frame> {
        self.any.recv_part(None)
    }

    /// Receives one part into a buffer: [`AnySocket::recv_into`].
    ///
    /// # Errors
    /// As [`AnySocket::recv`].
    pub fn recv_into(&self, buffer: &mut [u8]) -> Result<Copied> {
        self.any.recv_into(buffer, None)
    }

    /// Receives a message as a future: [`AnySocket::recv_async`].
    pub fn recv_async(&self) -> RecvFuture<'_> {
        self.any.recv_async()
    }

    /// The messages that the socket receives, as a stream: [`AnySocket::messages`].
    #[cfg(feature = "futures")]
    pub fn messages(&self) -> Messages {
        self.any.messages()
    }
}

impl Socket<Req> {
    /// Sends a request and waits for its reply.
    ///
    /// # Errors
    /// As [`AnySocket::send`] and [`AnySocket::recv`].
    pub fn request(&self, message: impl Into<Message>) -> Result<Message> {
        self.send(message).map_err(Error::from)?;
        self.recv()
    }

    /// Sends a request and waits for its reply, at most so long for both together. To ask again after
    /// the time is over, set [`set_req_relaxed`](SocketBase::set_req_relaxed) and
    /// [`set_req_correlate`](SocketBase::set_req_correlate): then a late reply to the first request is
    /// not taken for one to the second.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tightbeam::{Context, Rep, Req};
    ///
    /// let context = Context::new();
    /// let (server, client) = (context.socket::<Rep>()?, context.socket::<Req>()?);
    /// client.set_req_relaxed(true)?;
    /// client.set_req_correlate(true)?;
    /// client.connect(server.bind("tcp://127.0.0.1:*")?)?;
    /// // Nobody answers the first one.
    /// assert!(client.request_timeout("first", Duration::from_millis(20)).unwrap_err().is_would_block());
    /// std::thread::spawn(move || {
    ///     while let Ok(request) = server.recv() {
    ///         server.send(request)?;
    ///     }
    ///     Ok::<(), tightbeam::Error>(())
    /// });
    /// assert_eq!(client.request_timeout("second", Duration::from_secs(10))?, "second");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::WouldBlock`] when the time is over; otherwise as [`request`](Socket::request).
    pub fn request_timeout(
        &self,
        message: impl Into<Message>,
        timeout: Duration,
    ) -> Result<Message> {
        let begun = Instant::now();
        self.send_timeout(message, timeout).map_err(Error::from)?;
        self.recv_timeout(timeout.saturating_sub(begun.elapsed()))
    }
}

impl Socket<XSub> {
    /// Subscribes to what begins with `topic`: what sending the byte 1 and the topic does.
    ///
    /// # Errors
    /// [`Error::Terminated`], [`Error::Forked`].
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) -> Result<()> {
        self.any.subscribe(topic)
    }

    /// Takes a subscription back; one that was never made is ignored.
    ///
    /// # Errors
    /// [`Error::Terminated`], [`Error::Forked`].
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) -> Result<()> {
        self.any.unsubscribe(topic)
    }
}

impl Socket<XPub> {
    /// With [`set_xpub_manual`](SocketBase::set_xpub_manual): subscribes the peer whose subscription or
    /// cancellation was received last to what begins with `topic`. Nothing happens if it has gone.
    ///
    /// # Errors
    /// [`Error::UnknownOption`] without XPUB_MANUAL, [`Error::Terminated`], [`Error::Forked`].
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) -> Result<()> {
        self.any.subscribe(topic)
    }

    /// Takes back what [`subscribe`](Socket::subscribe) gave that peer, if it did.
    ///
    /// # Errors
    /// As [`subscribe`](Socket::subscribe).
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) -> Result<()> {
        self.any.unsubscribe(topic)
    }
}

impl Socket<Sub> {
    /// Subscribes to what begins with `topic`; the empty topic is everything. Counted: as many calls
    /// of [`unsubscribe`](Socket::unsubscribe) take it back.
    ///
    /// # Errors
    /// [`Error::Terminated`], [`Error::Forked`].
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) -> Result<()> {
        self.any.subscribe(topic)
    }

    /// Takes a subscription back; one that was never made is ignored.
    ///
    /// # Errors
    /// [`Error::Terminated`], [`Error::Forked`].
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) -> Result<()> {
        self.any.unsubscribe(topic)
    }
}
