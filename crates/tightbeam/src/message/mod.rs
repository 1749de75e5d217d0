//! Messages: one or more frames, each one part.

mod body_buf;
mod convert;
mod frame;
mod metadata;
mod peer;
mod raw;
mod refcount;
mod spare;
mod storage;

#[cfg(test)]
mod ownership_tests;
#[cfg(test)]
mod tests;

/// What [`refcount`] counts with; a model checker puts its own here.
mod sync {
    pub(super) use std::sync::atomic::{AtomicUsize, Ordering};
}

use std::fmt;
use std::ops::{Deref, DerefMut};

pub(crate) use body_buf::BodyBuf;
use bytes::Bytes;
pub use frame::Frame;
pub use metadata::BadGroup;
pub use peer::Peer;
pub(crate) use peer::PeerInfo;
pub use storage::OutOfMemory;

/// A message: one or more [`Frame`]s, which are sent and received as a whole.
///
/// It dereferences to its frames. A message of one frame, the usual case, is as large as the frame
/// and costs no allocation beside it. Which frames say that [more](Frame::more) follow does not
/// matter for sending a message.
///
/// ```
/// use tightbeam::{Frame, Message};
///
/// let one = Message::from("hello");
/// assert_eq!(one, "hello");
///
/// let two = Message::from(["topic", "body"]);
/// assert_eq!(two.len(), 2);
/// assert_eq!(two[1], "body");
///
/// let mixed = Message::multipart([Frame::from("topic"), Frame::from(vec![0; 1_000])]);
/// for frame in &mixed {
///     println!("{} bytes", frame.len());
/// }
/// ```
#[derive(Clone)]
pub struct Message(Frames);

#[derive(Clone)]
enum Frames {
    One(Frame),
    /// Not exactly one, after the first `taken`, which are not part of the message any more.
    Many {
        frames: Vec<Frame>,
        taken: usize,
    },
}

// The niche in the frame's mark tells the two apart.
const _: () = assert!(size_of::<Message>() == 64);

impl Message {
    /// A message without frames, to [`push`](Message::push) some. It cannot be sent as it is.
    #[must_use]
    pub const fn new() -> Message {
        Message(Frames::Many { frames: Vec::new(), taken: 0 })
    }

    /// A message with these frames.
    ///
    /// ```
    /// # use tightbeam::Message;
    /// let message = Message::multipart(["id", "", "request"]);
    /// assert_eq!(message, ["id", "", "request"]);
    /// ```
    pub fn multipart<I>(frames: I) -> Message
    where
        I: IntoIterator,
        I::Item: Into<Frame>,
    {
        Message::of(frames.into_iter().map(Into::into).collect())
    }

    fn of(mut frames: Vec<Frame>) -> Message {
        match frames.pop() {
            Some(only) if frames.is_empty() => Message(Frames::One(only)),
            last => {
                frames.extend(last);
                Message(Frames::Many { frames, taken: 0 })
            }
        }
    }

    /// The frames.
    #[inline]
    #[must_use]
    pub fn frames(&self) -> &[Frame] {
        match &self.0 {
            Frames::One(frame) => std::slice::from_ref(frame),
            Frames::Many { frames, taken } => &frames[*taken..],
        }
    }

    /// The frames, to change them.
    #[inline]
    #[must_use]
    pub fn frames_mut(&mut self) -> &mut [Frame] {
        match &mut self.0 {
            Frames::One(frame) => std::slice::from_mut(frame),
            Frames::Many { frames, taken } => &mut frames[*taken..],
        }
    }

    /// Appends a frame.
    pub fn push(&mut self, frame: impl Into<Frame>) {
        let frame = frame.into();
        match &mut self.0 {
            Frames::Many { frames, .. } if !frames.is_empty() => frames.push(frame),
            _ => {
                *self = match std::mem::take(self).into_single() {
                    Ok(first) => Message::of(vec![first, frame]),
                    Err(_empty) => Message(Frames::One(frame)),
                }
            }
        }
    }

    /// Puts a frame before the others.
    pub fn push_front(&mut self, frame: impl Into<Frame>) {
        let frame = frame.into();
        match &mut self.0 {
            Frames::Many { frames, taken: taken @ 1.. } => {
                *taken -= 1;
                frames[*taken] = frame;
            }
            _ => {
                let mut frames = std::mem::take(self).into_frames();
                frames.insert(0, frame);
                *self = Message::of(frames);
            }
        }
    }

    /// Takes the first frame off, if there is one.
    pub fn pop_front(&mut self) -> Option<Frame> {
        let Frames::Many { frames, taken } = &mut self.0 else {
            return std::mem::take(self).into_single().ok();
        };
        let first = std::mem::take(frames.get_mut(*taken)?);
        *taken += 1;
        // What was taken stays in front until it is half of all, so that taking every frame off a
        // message with very many, which a peer may send, is not quadratic.
        if *taken * 2 >= frames.len() {
            *self = Message::of(std::mem::take(self).into_frames());
        }
        Some(first)
    }

    /// The frames as a vector.
    #[must_use]
    pub fn into_frames(self) -> Vec<Frame> {
        match self.0 {
            Frames::One(frame) => vec![frame],
            Frames::Many { mut frames, taken } => {
                frames.drain(..taken);
                frames
            }
        }
    }

    /// The frame, if there is exactly one.
    #[inline]
    #[must_use]
    pub fn single(&self) -> Option<&Frame> {
        match &self.0 {
            Frames::One(frame) => Some(frame),
            Frames::Many { .. } => None,
        }
    }

    /// The frame, if there is exactly one.
    ///
    /// # Errors
    ///
    /// There is none, or more than one: gives the message back.
    pub fn into_single(self) -> Result<Frame, Message> {
        match self.0 {
            Frames::One(frame) => Ok(frame),
            many @ Frames::Many { .. } => Err(Message(many)),
        }
    }

    /// The frames as text, separated by spaces, with replacement characters for what is not UTF-8.
    /// For logs and examples.
    #[must_use]
    pub fn to_string_lossy(&self) -> String {
        let texts: Vec<_> = self.iter().map(Frame::to_string_lossy).collect();
        texts.join(" ")
    }
}

impl Default for Message {
    fn default() -> Message {
        Message::new()
    }
}

impl Deref for Message {
    type Target = [Frame];

    #[inline]
    fn deref(&self) -> &[Frame] {
        self.frames()
    }
}

impl DerefMut for Message {
    #[inline]
    fn deref_mut(&mut self) -> &mut [Frame] {
        self.frames_mut()
    }
}

/// A message of one frame, from whatever a frame can be made from.
impl<T: Into<Frame>> From<T> for Message {
    #[inline]
    fn from(frame: T) -> Message {
        Message(Frames::One(frame.into()))
    }
}

/// A message of several frames.
impl<T: Into<Frame>> From<Vec<T>> for Message {
    fn from(frames: Vec<T>) -> Message {
        Message::multipart(frames)
    }
}

/// A message of several frames.
impl<T: Into<Frame>, const N: usize> From<[T; N]> for Message {
    fn from(frames: [T; N]) -> Message {
        Message::multipart(frames)
    }
}

impl<T: Into<Frame>> FromIterator<T> for Message {
    fn from_iter<I: IntoIterator<Item = T>>(frames: I) -> Message {
        Message::multipart(frames)
    }
}

impl<T: Into<Frame>> Extend<T> for Message {
    fn extend<I: IntoIterator<Item = T>>(&mut self, frames: I) {
        frames.into_iter().for_each(|frame| self.push(frame));
    }
}

impl IntoIterator for Message {
    type Item = Frame;
    type IntoIter = std::vec::IntoIter<Frame>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_frames().into_iter()
    }
}

impl<'a> IntoIterator for &'a Message {
    type Item = &'a Frame;
    type IntoIter = std::slice::Iter<'a, Frame>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Eq for Message {}

impl PartialEq for Message {
    fn eq(&self, other: &Message) -> bool {
        self.frames() == other.frames()
    }
}

/// Several frames, one by one.
impl<T, const N: usize> PartialEq<[T; N]> for Message
where
    Frame: PartialEq<T>,
{
    fn eq(&self, other: &[T; N]) -> bool {
        self.frames() == other
    }
}

// A single frame with whatever a frame can be compared with.
macro_rules! equal_single {
    ($($other:ty $(, $n:ident)?;)*) => {$(
        impl $(<const $n: usize>)? PartialEq<$other> for Message {
            fn eq(&self, other: &$other) -> bool {
                self.single().is_some_and(|frame| frame == other)
            }
        }
    )*};
}

equal_single! {
    [u8]; &[u8]; &[u8; N], N; str; &str; String; Vec<u8>; Bytes; Frame;
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Message")?;
        f.debug_list().entries(self).finish()
    }
}
