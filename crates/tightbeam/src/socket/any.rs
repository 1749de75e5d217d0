//! A socket whose type is known at run time.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::{Copied, Core, RecvFuture, SendError, SendFuture, SocketBase, Timing};
#[cfg(feature = "futures")]
use super::{MessageSink, Messages};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::message::{Frame, Message};

/// A socket whose type is known at run time: what [`Socket`](crate::Socket) is a typed skin over, and
/// what bindings to other languages use. What its type cannot do is refused with
/// [`Error::Unsupported`](crate::Error::Unsupported).
///
/// Every method takes `&self`, and sockets may be shared between threads. A whole message is sent
/// and received atomically; parts sent or received one by one from several threads interleave.
/// Dropping a socket closes it without waiting.
///
/// ```
/// use tightbeam::{Context, SocketType};
///
/// let context = Context::new();
/// let pull = context.any_socket(SocketType::Pull)?;
/// let push = context.any_socket(SocketType::Push)?;
/// push.connect(pull.bind("tcp://127.0.0.1:*")?)?;
/// push.send(["two", "parts"])?;
/// assert_eq!(pull.recv()?.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct AnySocket {
    base: SocketBase,
}

impl Deref for AnySocket {
    type Target = SocketBase;

    fn deref(&self) -> &SocketBase {
        &self.base
    }
}

impl AsRef<AnySocket> for AnySocket {
    fn as_ref(&self) -> &AnySocket {
        self
    }
}

impl AnySocket {
    /// Receives a message that is here already.
    pub(crate) fn recv_queued(&self) -> Result<Option<Message>> {
        self.core().recv_queued()
    }

    /// Whether the next send finds room, as far as can be told without the message.
    pub(crate) fn has_room(&self) -> Result<bool> {
        self.core().has_room()
    }

    /// Whether both are the same socket.
    pub(crate) fn is_same(&self, other: &AnySocket) -> bool {
        Arc::ptr_eq(self.core(), other.core())
    }

    pub(crate) fn new(core: Arc<Core>) -> AnySocket {
        AnySocket { base: SocketBase::new(core, true) }
    }

    /// One that does not close the socket when it is dropped.
    pub(crate) fn borrowed(core: Arc<Core>) -> AnySocket {
        AnySocket { base: SocketBase::new(core, false) }
    }

    /// Sends a message; waits for room as long as the option SNDTIMEO says (for ever by default).
    ///
    /// # Errors
    /// The message comes back with [`Error::WouldBlock`](crate::Error::WouldBlock) when the time is over,
    /// [`Error::Interrupted`] by a signal, [`Error::OutOfTurn`], [`Error::Unsupported`],
    /// [`Error::Unroutable`], [`Error::Terminated`].
    pub fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.send_timing(message.into(), None)
    }

    /// Sends a message if there is room now.
    ///
    /// # Errors
    /// As [`send`](AnySocket::send).
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.send_timing(message.into(), Some(Timing::Never))
    }

    /// Sends a message; waits for room at most so long.
    ///
    /// # Errors
    /// As [`send`](AnySocket::send).
    pub fn send_timeout(
        &self,
        message: impl Into<Message>,
        timeout: Duration,
    ) -> Result<(), SendError> {
        self.send_timing(message.into(), Some(Timing::Within(timeout)))
    }

    /// Sends a message; `timing` says how long to wait, or the option SNDTIMEO if it is `None`.
    ///
    /// # Errors
    /// As [`send`](AnySocket::send), and [`Error::Busy`] with [`Timing::TryLock`].
    pub fn send_timing(&self, message: Message, timing: Option<Timing>) -> Result<(), SendError> {
        match self.core().send(message.frames(), timing) {
            Ok(()) => Ok(()),
            Err(error) => Err(SendError { message, error }),
        }
    }

    /// Sends a message of one part, copied from `body`.
    ///
    /// # Errors
    /// As [`send`](AnySocket::send), and [`Error::OutOfMemory`].
    pub fn send_slice(&self, body: &[u8], timing: Option<Timing>) -> Result<()> {
        self.core().send_slice(body, timing)
    }

    /// Sends one part. With `more` it is kept until the last part comes; then all are sent together.
    /// If the last part is refused, the others are kept until it is tried again; but a message that is
    /// [`Unroutable`](crate::Error::Unroutable) is over.
    ///
    /// # Errors
    /// As [`send`](AnySocket::send). The frame is the caller's in any case, and shares its body.
    pub fn send_part(&self, frame: &Frame, more: bool, timing: Option<Timing>) -> Result<()> {
        self.core().send_part(frame, more, timing)
    }

    /// The same with a part that is copied from `body`.
    ///
    /// ```
    /// use tightbeam::{Context, SocketType};
    ///
    /// let context = Context::new();
    /// let pull = context.any_socket(SocketType::Pull)?;
    /// let push = context.any_socket(SocketType::Push)?;
    /// push.connect(pull.bind("tcp://127.0.0.1:*")?)?;
    /// push.send_slice_part(b"topic", true, None)?;
    /// push.send_slice_part(b"body", false, None)?;
    /// assert_eq!(pull.recv()?.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`send_part`](AnySocket::send_part), and [`Error::OutOfMemory`].
    pub fn send_slice_part(&self, body: &[u8], more: bool, timing: Option<Timing>) -> Result<()> {
        self.core().send_slice_part(body, more, timing)
    }

    /// Receives a message; waits as long as the option RCVTIMEO says (for ever by default). After
    /// [`recv_part`](AnySocket::recv_part) it answers the parts that are left.
    ///
    /// # Errors
    /// [`Error::WouldBlock`](crate::Error::WouldBlock) when the time is over, [`Error::Interrupted`] by a signal,
    /// [`Error::OutOfTurn`], [`Error::Unsupported`], [`Error::Terminated`].
    pub fn recv(&self) -> Result<Message> {
        self.core().recv(None)
    }

    /// Receives a message if there is one.
    ///
    /// # Errors
    /// As [`recv`](AnySocket::recv).
    pub fn try_recv(&self) -> Result<Message> {
        self.core().recv(Some(Timing::Never))
    }

    /// Receives a message; waits at most so long.
    ///
    /// # Errors
    /// As [`recv`](AnySocket::recv).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Message> {
        self.core().recv(Some(Timing::Within(timeout)))
    }

    /// Receives a message; `timing` says how long to wait, or the option RCVTIMEO if it is `None`.
    ///
    /// # Errors
    /// As [`recv`](AnySocket::recv), and [`Error::Busy`] with [`Timing::TryLock`].
    pub fn recv_timing(&self, timing: Option<Timing>) -> Result<Message> {
        self.core().recv(timing)
    }

    /// Receives one part; [`Frame::more`] says whether the message goes on.
    ///
    /// # Errors
    /// As [`recv`](AnySocket::recv).
    pub fn recv_part(&self, timing: Option<Timing>) -> Result<Frame> {
        self.core().recv_part(timing)
    }

    /// Receives one part into a buffer, without allocating.
    ///
    /// # Errors
    /// As [`recv`](AnySocket::recv).
    pub fn recv_into(&self, buffer: &mut [u8], timing: Option<Timing>) -> Result<Copied> {
        self.core().recv_into(buffer, timing)
    }

    /// Receives a message as a future, which may be dropped without losing anything.
    pub fn recv_async(&self) -> RecvFuture<'_> {
        RecvFuture::new(self.core())
    }

    /// Sends a message as a future; nothing is sent before it is polled.
    pub fn send_async(&self, message: impl Into<Message>) -> SendFuture<'_> {
        SendFuture::new(self.core(), message.into())
    }

    /// Subscribes a SUB socket to what begins with `topic`. Subscriptions are counted.
    ///
    /// # Errors
    /// [`Error::UnknownOption`] on another type of socket.
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) -> Result<()> {
        self.core().subscribe(topic.as_ref(), true)
    }

    /// Takes a subscription back; one that was never made is ignored.
    ///
    /// # Errors
    /// [`Error::UnknownOption`] on another type of socket.
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) -> Result<()> {
        self.core().subscribe(topic.as_ref(), false)
    }

    /// The messages that the socket receives, as a stream for any executor.
    ///
    /// ```
    /// use std::pin::pin;
    /// use futures_core::Stream;
    /// use tightbeam::{Context, Pull, Push};
    ///
    /// // Any crate with combinators for streams has such a function.
    /// async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    ///     std::future::poll_fn(|cx| pin!(&mut *stream).poll_next(cx)).await
    /// }
    ///
    /// async fn add_up(pull: tightbeam::Socket<Pull>) -> tightbeam::Result<usize> {
    ///     let (mut messages, mut sum) = (pull.messages(), 0);
    ///     while let Some(message) = next(&mut messages).await {
    ///         sum += message?.len();
    ///     }
    ///     Ok(sum)
    /// }
    /// ```
    #[cfg(feature = "futures")]
    pub fn messages(&self) -> Messages {
        Messages::new(Arc::clone(self.core()))
    }

    /// The socket as a sink for messages, for any executor.
    #[cfg(feature = "futures")]
    pub fn sink(&self) -> MessageSink {
        MessageSink::new(Arc::clone(self.core()))
    }

    /// Closes the socket without waiting, as dropping it does: calls that wait in other threads end with
    /// [`Error::Closed`]. For those who share it.
    pub fn begin_close(&self) {
        self.core().close();
    }

    /// Closes the socket and waits until what is queued was sent, or the option LINGER's time is
    /// over. Answers how many messages were not delivered to the system.
    pub fn close(self) -> usize {
        self.core().close();
        self.core().wait_until_gone()
    }
}
