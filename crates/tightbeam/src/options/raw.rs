//! Options as C passes them: bytes and a length.

use super::number::{EVENTS, FD, RCVMORE, THREAD_SAFE};
use super::spec::{Kind, OptionSpec, OwnedValue, Value};
use crate::error::Result;

/// The answers that a caller may have more room for than they need.
const ROOMY: [i32; 4] = [RCVMORE, FD, EVENTS, THREAD_SAFE];
/// A key of CURVE as text, with the NUL behind it.
const KEY_TEXT: usize = 41;

impl OptionSpec {
    /// What a C caller means with these bytes, or with NULL and a length of 0.
    ///
    /// # Errors
    /// [`Error::BadOption`](crate::Error::BadOption) when they have the wrong length.
    pub(crate) fn decode<'a>(&self, raw: Option<&'a [u8]>) -> Result<Value<'a>> {
        let bytes = raw.unwrap_or_default();
        let value = match self.kind {
            Kind::Ids if raw.is_none() => Some(Value::Bytes(bytes)),
            Kind::Int { .. } | Kind::Bool | Kind::Flag | Kind::Truth | Kind::Ids => {
                bytes.try_into().ok().map(|four| Value::Int(i32::from_ne_bytes(four)))
            }
            Kind::Int64 { .. } => {
                bytes.try_into().ok().map(|v| Value::Int64(i64::from_ne_bytes(v)))
            }
            Kind::UInt64 => bytes.try_into().ok().map(|v| Value::UInt64(u64::from_ne_bytes(v))),
            // Only NULL clears: a text without a byte is one that is too short.
            Kind::Text { min, clears, .. } if bytes.len() < min => {
                (clears && raw.is_none()).then_some(Value::Bytes(bytes))
            }
            Kind::Bytes { .. } | Kind::Text { .. } | Kind::Key => Some(Value::Bytes(bytes)),
        };
        value.ok_or_else(|| self.refuse(Value::Bytes(bytes)))
    }

    /// What a C caller with so much room is given.
    ///
    /// # Errors
    /// [`Error::BadOption`](crate::Error::BadOption) when the room is not what the value needs.
    pub(crate) fn encode(&self, value: OwnedValue, room: usize) -> Result<Vec<u8>> {
        let (mut bytes, fits) = match value {
            OwnedValue::Int(v) => {
                let bytes = v.to_ne_bytes().to_vec();
                let roomy = ROOMY.contains(&self.number) && room >= bytes.len();
                (bytes, roomy || room == size_of_val(&v))
            }
            OwnedValue::Int64(v) => (v.to_ne_bytes().to_vec(), room == size_of_val(&v)),
            OwnedValue::UInt64(v) => (v.to_ne_bytes().to_vec(), room == size_of_val(&v)),
            OwnedValue::Bytes(key) if self.kind == Kind::Key && room == KEY_TEXT => {
                // A key has 32 bytes, which is a multiple of 4.
                (zmtp::z85::encode(&key).unwrap_or_default().into_bytes(), true)
            }
            OwnedValue::Bytes(key) if self.kind == Kind::Key => {
                let fits = room == key.len();
                (key, fits)
            }
            OwnedValue::Bytes(bytes) => {
                let needed = bytes.len() + usize::from(self.is_text());
                (bytes, room >= needed)
            }
        };
        if !fits {
            return Err(self.bad_room(room));
        }
        if self.is_text() || bytes.len() + 1 == KEY_TEXT && self.kind == Kind::Key {
            bytes.push(0);
        }
        Ok(bytes)
    }

    fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text { .. })
    }
}
