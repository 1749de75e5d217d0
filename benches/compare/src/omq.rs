//! The messages of omq-tokio, for its two programs.

use bytes::Bytes;
use omq_tokio::Message;

use crate::Received;

/// A message of so many parts.
pub fn message(body: &[u8], parts: usize) -> Message {
    if parts == 1 {
        Message::from_slice(body)
    } else {
        Message::multipart((0..parts).map(|_| Bytes::copy_from_slice(body)))
    }
}

/// Looks at a message.
pub fn looked_at(message: &Message) -> Received {
    Received::of((0..message.len()).filter_map(|part| message.get(part)))
}
