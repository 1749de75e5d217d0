//! What a frame can be made from, turned into and compared with.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::Utf8Error;

use bytes::Bytes;

use super::frame::{Frame, INLINE, Reference};
use super::storage::Storage;

/// How many bytes of a body `Debug` shows.
const SHOWN: usize = 64;

impl From<&[u8]> for Frame {
    #[inline]
    fn from(bytes: &[u8]) -> Frame {
        Frame::copy_from(bytes)
    }
}

impl<const N: usize> From<&[u8; N]> for Frame {
    #[inline]
    fn from(bytes: &[u8; N]) -> Frame {
        Frame::copy_from(bytes)
    }
}

impl<const N: usize> From<[u8; N]> for Frame {
    #[inline]
    fn from(bytes: [u8; N]) -> Frame {
        Frame::copy_from(&bytes)
    }
}

impl From<&str> for Frame {
    #[inline]
    fn from(text: &str) -> Frame {
        Frame::copy_from(text.as_bytes())
    }
}

impl From<String> for Frame {
    /// Takes the text without copying it, unless it is short.
    fn from(text: String) -> Frame {
        Frame::from(text.into_bytes())
    }
}

impl From<&String> for Frame {
    fn from(text: &String) -> Frame {
        Frame::copy_from(text.as_bytes())
    }
}

impl From<&Vec<u8>> for Frame {
    fn from(bytes: &Vec<u8>) -> Frame {
        Frame::copy_from(bytes)
    }
}

impl From<Vec<u8>> for Frame {
    /// Takes the bytes without copying them, unless they are few.
    fn from(bytes: Vec<u8>) -> Frame {
        if bytes.len() <= INLINE {
            return Frame::inline(&bytes);
        }
        let len = bytes.len();
        let (storage, data) = Storage::from_vec(bytes);
        Frame::by_reference(Reference { storage: Some(storage), data, len })
    }
}

impl From<Bytes> for Frame {
    /// Shares the bytes without copying them, unless they are few.
    fn from(bytes: Bytes) -> Frame {
        if bytes.len() <= INLINE { Frame::inline(&bytes) } else { Frame::share_bytes(bytes) }
    }
}

impl From<Frame> for Bytes {
    fn from(frame: Frame) -> Bytes {
        frame.into_bytes()
    }
}

impl From<Frame> for Vec<u8> {
    fn from(frame: Frame) -> Vec<u8> {
        frame.into_vec()
    }
}

impl Frame {
    fn share_bytes(bytes: Bytes) -> Frame {
        let (data, len) = (std::ptr::NonNull::from(&bytes[..]).cast(), bytes.len());
        // The bytes stay where they are when their handle moves.
        Frame::by_reference(Reference { storage: Some(Storage::from_bytes(bytes)), data, len })
    }

    /// The body as [`Bytes`], without copying it unless it lies in the frame.
    ///
    /// ```
    /// # use tightbeam::Frame;
    /// let frame = Frame::from(vec![1; 100]);
    /// let at = frame.as_ptr();
    /// assert_eq!(frame.into_bytes().as_ptr(), at);
    /// ```
    #[must_use]
    pub fn into_bytes(mut self) -> Bytes {
        match self.reference() {
            None => return Bytes::copy_from_slice(&self),
            Some(Reference { storage: Some(storage), .. }) => {
                if let Some(bytes) = storage.as_bytes() {
                    return bytes.slice_ref(&self);
                }
            }
            Some(Reference { storage: None, .. }) => {}
        }
        // The peer need not live as long as the bytes.
        self.set_peer(None);
        Bytes::from_owner(self)
    }

    /// The body as a vector, without copying it if it was made from one and is not shared.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<u8> {
        if let Some(Reference { storage: Some(storage), data, len }) = self.reference() {
            // SAFETY: the frame's own reference, which it forgets if the vector was taken.
            if let Some(mut vec) = unsafe { storage.take_vec(data) } {
                self.forget_body();
                vec.truncate(len);
                return vec;
            }
        }
        self.to_vec()
    }

    /// The body as text.
    ///
    /// # Errors
    ///
    /// It is not UTF-8.
    pub fn to_str(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(self)
    }

    /// The body as text, with replacement characters for what is not UTF-8.
    #[must_use]
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self)
    }
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Frame {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl Hash for Frame {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self[..].hash(state);
    }
}

impl Eq for Frame {}

impl PartialEq for Frame {
    fn eq(&self, other: &Frame) -> bool {
        self[..] == other[..]
    }
}

// Comparisons with whatever has bytes, both ways.
macro_rules! equal_bytes {
    ($($other:ty $(, $n:ident)?;)*) => {$(
        impl $(<const $n: usize>)? PartialEq<$other> for Frame {
            fn eq(&self, other: &$other) -> bool {
                self[..] == *AsRef::<[u8]>::as_ref(other)
            }
        }
        impl $(<const $n: usize>)? PartialEq<Frame> for $other {
            fn eq(&self, other: &Frame) -> bool {
                other == self
            }
        }
    )*};
}

equal_bytes! {
    [u8]; &[u8]; [u8; N], N; &[u8; N], N; str; &str; String; Vec<u8>; Bytes;
}

impl fmt::Debug for Frame {
    /// Shows the body as text with escapes; of long ones the start and the length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame(\"{}\"", self[..self.len().min(SHOWN)].escape_ascii())?;
        if self.len() > SHOWN {
            write!(f, ".. {} bytes", self.len())?;
        }
        f.write_str(if self.more() { ", more)" } else { ")" })
    }
}
