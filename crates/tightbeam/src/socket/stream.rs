//! The messages of a socket as a `Stream`, and a socket as a `Sink`: the traits of `futures-core` and
//! `futures-sink`, which combinators and executors know.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::{FusedStream, Stream};
use futures_sink::Sink;

use super::core::Core;
use super::future::TaskPlace;
use super::wait::Timing;
use crate::error::{Error, Result};
use crate::message::Message;

/// The messages that a socket receives, as a stream; made by [`messages`](crate::AnySocket::messages).
///
/// It yields an error when the context or the socket ends, and then nothing more. Other errors, such as
/// [`Error::OutOfTurn`], do not end it. Dropping it loses no message. While it waits without being polled
/// it keeps its place among those who wait for the same socket: where several share one, and give up
/// waits half-way, [`recv_async`](crate::AnySocket::recv_async) is the fairer choice.
#[derive(Debug)]
#[must_use = "a stream does nothing unless it is polled"]
pub struct Messages {
    place: TaskPlace<Arc<Core>>,
    over: bool,
}

impl Messages {
    pub(super) fn new(core: Arc<Core>) -> Messages {
        Messages { place: TaskPlace::to_receive(core), over: false }
    }
}

impl Stream for Messages {
    type Item = Result<Message>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        self.place.in_turn(cx, |place, cx| place.poll_recv(cx)).map(|received| {
            self.over = received.as_ref().is_err_and(is_final);
            Some(received)
        })
    }
}

impl FusedStream for Messages {
    fn is_terminated(&self) -> bool {
        self.over
    }
}

/// Whether the socket will say the same for ever.
fn is_final(error: &Error) -> bool {
    matches!(error, Error::Terminated | Error::Closed | Error::Forked | Error::Unsupported { .. })
}

/// A socket that is sent to, as a sink; made by [`sink`](crate::AnySocket::sink).
///
/// It is ready when there is room for a message, so whoever sends too much waits. A message is queued as
/// soon as it is given, unless others have taken the room meanwhile: then it is held until there is
/// some, and lost if the sink is dropped before it was flushed. Flushing also writes what is queued, as
/// far as the system takes it. Closing the sink flushes it and does not close the socket.
#[derive(Debug)]
#[must_use = "a sink does nothing unless it is polled"]
pub struct MessageSink {
    place: TaskPlace<Arc<Core>>,
    held: Option<Message>,
    refused: Option<Message>,
}

impl MessageSink {
    pub(super) fn new(core: Arc<Core>) -> MessageSink {
        MessageSink { place: TaskPlace::to_send(core), held: None, refused: None }
    }

    /// Takes back the message that is held, or that was refused with the last error.
    pub fn take_unsent(&mut self) -> Option<Message> {
        self.held.take().or_else(|| self.refused.take())
    }

    /// Sends the message that is held, if there is one.
    fn poll_held(&mut self, cx: &Context<'_>) -> Poll<Result<()>> {
        let Some(message) = &self.held else { return Poll::Ready(Ok(())) };
        let sent = self.place.poll_send(message.frames(), cx);
        if let Poll::Ready(sent) = &sent {
            let message = self.held.take();
            self.refused = message.filter(|_| sent.is_err());
        }
        sent
    }
}

impl Sink<Message> for MessageSink {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match self.poll_held(cx) {
            Poll::Ready(Ok(())) => {
                self.place.in_turn(cx, |place, cx| place.poll_room(cx, Core::room_for_one))
            }
            waits_or_failed => waits_or_failed,
        }
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<()> {
        match self.place.core().send(message.frames(), Some(Timing::Never)) {
            Ok(()) => Ok(()),
            Err(Error::WouldBlock(_)) => {
                self.held = Some(message);
                Ok(())
            }
            Err(error) => {
                self.refused = Some(message);
                Err(error)
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = self.poll_held(cx);
        self.place.core().flush_all();
        flushed
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll_flush(cx)
    }
}
