//! What a row of the option table says, and the values that options take.

use std::fmt;

use zmtp::SocketType;

use super::Options;
use super::security::parse_key;
use crate::error::{Error, Result};

/// An option's value, as given to a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A C `int`; also what C uses for booleans.
    Int(i32),
    /// A C `int64_t`.
    Int64(i64),
    /// A C `uint64_t`.
    UInt64(u64),
    /// Bytes or text, without a terminating NUL. None at all is what C says with NULL.
    Bytes(&'a [u8]),
}

/// An option's value, as answered by a get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnedValue {
    /// A C `int`; also what C uses for booleans.
    Int(i32),
    /// A C `int64_t`.
    Int64(i64),
    /// A C `uint64_t`.
    UInt64(u64),
    /// Bytes or text, without a terminating NUL.
    Bytes(Vec<u8>),
}

impl OwnedValue {
    /// The same value, borrowed.
    #[must_use]
    pub fn as_value(&self) -> Value<'_> {
        match self {
            OwnedValue::Int(v) => Value::Int(*v),
            OwnedValue::Int64(v) => Value::Int64(*v),
            OwnedValue::UInt64(v) => Value::UInt64(*v),
            OwnedValue::Bytes(v) => Value::Bytes(v),
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(v) => write!(f, "{v}"),
            Value::Int64(v) => write!(f, "{v} in 64 bits"),
            Value::UInt64(v) => write!(f, "{v} in 64 bits without a sign"),
            // Not the bytes themselves: the text goes into errors and logs, and some options are secrets.
            Value::Bytes(v) => write!(f, "a value of {} bytes", v.len()),
        }
    }
}

/// The type of an option's value and the range that a set accepts, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A C `int`.
    Int {
        /// The least value.
        min: i32,
        /// The greatest value.
        max: i32,
    },
    /// A C `int` that is 0 or 1.
    Bool,
    /// A C `int` of which 0 means no and every greater value yes; read as 0 or 1.
    Flag,
    /// A C `int`, any at all, of which 0 means no and every other value yes; read as 0 or 1.
    Truth,
    /// A C `int64_t`.
    Int64 {
        /// The least value.
        min: i64,
        /// The greatest value.
        max: i64,
    },
    /// A C `uint64_t`, any at all.
    UInt64,
    /// Bytes.
    Bytes {
        /// The shortest value, in bytes.
        min: usize,
        /// The longest value, in bytes.
        max: usize,
    },
    /// Text, which C reads with a NUL behind it.
    Text {
        /// The shortest value, in bytes.
        min: usize,
        /// The longest value, in bytes.
        max: usize,
        /// Whether no text at all (in C, NULL and a length of 0) clears the option.
        clears: bool,
    },
    /// A key of CURVE: 32 bytes, or 40 characters of Z85 with or without a NUL. Read as 32 bytes.
    Key,
    /// A C `int`, one of several that add up; none at all (in C, NULL and a length of 0) clears them.
    Ids,
}

impl Kind {
    /// Whether a set accepts this value.
    #[must_use]
    pub fn accepts(self, value: Value<'_>) -> bool {
        match (self, value) {
            (Kind::Int { min, max }, Value::Int(v)) => (min..=max).contains(&v),
            (Kind::Bool, Value::Int(v)) => v == 0 || v == 1,
            (Kind::Flag, Value::Int(v)) => v >= 0,
            (Kind::Truth | Kind::Ids, Value::Int(_)) | (Kind::UInt64, Value::UInt64(_)) => true,
            (Kind::Int64 { min, max }, Value::Int64(v)) => (min..=max).contains(&v),
            (Kind::Ids | Kind::Text { clears: true, .. }, Value::Bytes([])) => true,
            (Kind::Text { min, max, .. }, Value::Bytes(v)) => (min..=max).contains(&v.len()),
            (Kind::Key, Value::Bytes(v)) => parse_key(v).is_some(),
            (Kind::Bytes { min, max }, Value::Bytes(v)) => (min..=max).contains(&v.len()),
            _ => false,
        }
    }
}

/// What may be done with an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Set only.
    Set,
    /// Get only.
    Get,
    /// Set and get.
    Both,
}

/// When a set takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// At once.
    Live,
    /// For endpoints that are bound or connected later.
    NextEndpoint,
}

/// Who keeps an option's value, and how it is reached.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    /// A number or boolean among the [`Options`].
    Int { read: fn(&Options) -> i64, write: fn(&mut Options, i64) },
    /// The same without a sign.
    UInt64 { read: fn(&Options) -> u64, write: fn(&mut Options, u64) },
    /// A number that follows from other options.
    Read(fn(&Options) -> i64),
    /// Bytes among the [`Options`].
    Bytes { read: fn(&Options) -> Vec<u8>, write: fn(&mut Options, &[u8]) },
    /// Something that each set adds to; `false` when the value is malformed.
    Append(fn(&mut Options, Value<'_>) -> bool),
    /// The socket acts on it or answers it itself.
    Socket,
}

/// A row of the option table.
#[derive(Clone, Copy)]
pub struct OptionSpec {
    pub(super) name: &'static str,
    pub(super) number: i32,
    pub(super) kind: Kind,
    pub(super) expected: &'static str,
    pub(super) default: Option<Value<'static>>,
    pub(super) access: Access,
    pub(super) effect: Effect,
    pub(super) sockets: &'static [SocketType],
    pub(super) slot: Slot,
}

impl OptionSpec {
    /// libzmq's name without `ZMQ_`, e.g. `SNDHWM`; a name of our own from number 10,000 up.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The number in the C API.
    #[must_use]
    pub fn number(&self) -> i32 {
        self.number
    }

    /// The type and the range of the value.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What a set accepts, in words.
    #[must_use]
    pub fn expected(&self) -> &'static str {
        self.expected
    }

    /// The value of a new socket in a context with default options; none when there is nothing to keep.
    #[must_use]
    pub fn default(&self) -> Option<Value<'static>> {
        self.default
    }

    /// Whether the option can be set, read or both.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
    }

    /// When a set takes effect.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The socket types that have this option.
    #[must_use]
    pub fn sockets(&self) -> &'static [SocketType] {
        self.sockets
    }

    /// Whether the socket itself acts on the option or answers it: the value is not among its [`Options`].
    pub(crate) fn is_socket(&self) -> bool {
        matches!(self.slot, Slot::Socket)
    }

    /// Checks that the option can be set to this value.
    pub(crate) fn check(&self, value: Value<'_>) -> Result<()> {
        if self.access == Access::Get {
            return Err(self.bad("a set", "a get: this option is read-only"));
        }
        if self.kind.accepts(value) { Ok(()) } else { Err(self.refuse(value)) }
    }

    /// Checks that the option can be read.
    pub(crate) fn check_get(&self) -> Result<()> {
        match self.access {
            Access::Set => Err(self.bad("a get", "a set: this option cannot be read")),
            Access::Get | Access::Both => Ok(()),
        }
    }

    /// The error for a value that is not acceptable.
    pub(super) fn refuse(&self, value: Value<'_>) -> Error {
        self.bad(&value.to_string(), self.expected)
    }

    /// The error for a get into a buffer of the wrong size.
    pub(super) fn bad_room(&self, room: usize) -> Error {
        self.bad(&format!("a get of {room} bytes"), "as many bytes as the value has")
    }

    fn bad(&self, given: &str, expected: &'static str) -> Error {
        Error::BadOption { option: self.name, given: given.into(), expected }
    }
}

impl fmt::Debug for OptionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OptionSpec")
            .field("name", &self.name)
            .field("number", &self.number)
            .field("kind", &self.kind)
            .field("default", &self.default)
            .field("access", &self.access)
            .field("effect", &self.effect)
            .field("sockets", &self.sockets)
            .finish_non_exhaustive()
    }
}
