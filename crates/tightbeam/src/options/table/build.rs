//! What rows are made of: the kinds of rows, the words for what they accept, and conversions.

use std::time::Duration;

use zmtp::SocketType::{self, Pub, XPub};

pub(super) use crate::options::number::*;
pub(super) use crate::options::spec::{Access, Effect, Kind, OptionSpec, Slot, Value};
pub(super) use crate::options::{Options, number};

pub(super) const MAX: i32 = i32::MAX;
pub(super) const ANY: &[SocketType] = &SocketType::ALL;
pub(super) const PUBLISHERS: &[SocketType] = &[Pub, XPub];

pub(super) const MESSAGES: &str = "int: messages, 0 or more (0: no limit)";
pub(super) const WAIT: &str = "int: milliseconds, 0 or more, or -1 to wait forever";
pub(super) const MILLIS: &str = "int: milliseconds, 0 or more";
pub(super) const BUFFER: &str = "int: bytes, 0 or more, or -1 for the system's default";
pub(super) const BOOL: &str = "int: 0 or 1";
pub(super) const FLAG: &str = "int: 0 or more";
pub(super) const TRUTH: &str = "int: 0, or any other for 1";
pub(super) const SECONDS: &str = "int: seconds, 0 or more, or -1 for the system's default";
pub(super) const TOPIC: &str = "bytes of any number";
pub(super) const READ_ONLY: &str = "a get: this option is read-only";

pub(super) const fn row(
    name: &'static str,
    number: i32,
    kind: Kind,
    expected: &'static str,
) -> OptionSpec {
    OptionSpec {
        name,
        number,
        kind,
        expected,
        default: None,
        access: Access::Both,
        effect: Effect::NextEndpoint,
        sockets: ANY,
        slot: Slot::Socket,
    }
}

pub(super) const fn int(
    name: &'static str,
    number: i32,
    min: i32,
    max: i32,
    expected: &'static str,
    default: i32,
) -> OptionSpec {
    let row = row(name, number, Kind::Int { min, max }, expected);
    OptionSpec { default: Some(Value::Int(default)), ..row }
}

pub(super) const fn int64(
    name: &'static str,
    number: i32,
    min: i64,
    expected: &'static str,
    default: i64,
) -> OptionSpec {
    let row = row(name, number, Kind::Int64 { min, max: i64::MAX }, expected);
    OptionSpec { default: Some(Value::Int64(default)), ..row }
}

pub(super) const fn boolean(name: &'static str, number: i32) -> OptionSpec {
    OptionSpec { default: Some(Value::Int(0)), ..row(name, number, Kind::Bool, BOOL) }
}

/// What libzmq lets set to any number from 0, and never lets read.
pub(super) const fn flag(name: &'static str, number: i32) -> OptionSpec {
    let row = row(name, number, Kind::Flag, FLAG).set_only().live();
    OptionSpec { default: Some(Value::Int(0)), ..row }
}

pub(super) const fn bytes(
    name: &'static str,
    number: i32,
    min: usize,
    max: usize,
    expected: &'static str,
) -> OptionSpec {
    row(name, number, Kind::Bytes { min, max }, expected)
}

/// What any number sets, and a get answers as 0 or 1.
pub(super) const fn truth(name: &'static str, number: i32, default: i32) -> OptionSpec {
    row(name, number, Kind::Truth, TRUTH).default_int(default)
}

pub(super) const fn uint64(name: &'static str, number: i32, expected: &'static str) -> OptionSpec {
    OptionSpec { default: Some(Value::UInt64(0)), ..row(name, number, Kind::UInt64, expected) }
}

/// Text that cannot be cleared once it is set.
pub(super) const fn text(name: &'static str, number: i32, expected: &'static str) -> OptionSpec {
    row(name, number, Kind::Text { min: 1, max: 255, clears: false }, expected)
}

/// Text that no text at all clears.
pub(super) const fn cleared(
    name: &'static str,
    number: i32,
    max: usize,
    expected: &'static str,
) -> OptionSpec {
    row(name, number, Kind::Text { min: 1, max, clears: true }, expected)
}

/// What the socket answers and nobody sets.
pub(super) const fn answer(name: &'static str, number: i32) -> OptionSpec {
    let row = row(name, number, Kind::Int { min: i32::MIN, max: MAX }, READ_ONLY).live();
    OptionSpec { access: Access::Get, ..row }
}

impl OptionSpec {
    pub(super) const fn live(self) -> OptionSpec {
        OptionSpec { effect: Effect::Live, ..self }
    }

    pub(super) const fn set_only(self) -> OptionSpec {
        OptionSpec { access: Access::Set, ..self }
    }

    pub(super) const fn of(self, sockets: &'static [SocketType]) -> OptionSpec {
        OptionSpec { sockets, ..self }
    }

    pub(super) const fn kept(
        self,
        read: fn(&Options) -> i64,
        write: fn(&mut Options, i64),
    ) -> OptionSpec {
        OptionSpec { slot: Slot::Int { read, write }, ..self }
    }

    pub(super) const fn unsigned(
        self,
        read: fn(&Options) -> u64,
        write: fn(&mut Options, u64),
    ) -> OptionSpec {
        OptionSpec { slot: Slot::UInt64 { read, write }, ..self }
    }

    /// Follows from other options.
    pub(super) const fn read_only(self, read: fn(&Options) -> i64) -> OptionSpec {
        OptionSpec { slot: Slot::Read(read), access: Access::Get, ..self }
    }

    pub(super) const fn default_int(self, default: i32) -> OptionSpec {
        OptionSpec { default: Some(Value::Int(default)), ..self }
    }

    pub(super) const fn stored(
        self,
        read: fn(&Options) -> Vec<u8>,
        write: fn(&mut Options, &[u8]),
    ) -> OptionSpec {
        let default: &[u8] = if matches!(self.kind, Kind::Key) { &[0; 32] } else { &[] };
        let default = Some(Value::Bytes(default));
        OptionSpec { slot: Slot::Bytes { read, write }, default, ..self }
    }

    pub(super) const fn appended(self, append: fn(&mut Options, Value<'_>) -> bool) -> OptionSpec {
        OptionSpec { slot: Slot::Append(append), access: Access::Set, ..self }
    }
}

pub(super) fn or(value: Option<i64>, none: i64) -> i64 {
    value.unwrap_or(none)
}

pub(super) fn int_of(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// On a machine of 32 bits a larger number of bytes means all of them.
pub(super) fn size_of(v: i64) -> usize {
    usize::try_from(v).unwrap_or(usize::MAX)
}

pub(super) fn clamped(v: i64) -> i32 {
    i32::try_from(v).unwrap_or(MAX)
}

pub(super) fn small(v: i64) -> u8 {
    u8::try_from(v).unwrap_or(u8::MAX)
}

pub(super) fn size_unless(v: i64, none: i64) -> Option<usize> {
    (v != none).then(|| size_of(v))
}

pub(super) fn bool_unless(v: i64) -> Option<bool> {
    (v != -1).then_some(v != 0)
}

pub(super) fn ms_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn ms_unless(v: i64, none: i64) -> Option<Duration> {
    (v != none).then(|| Duration::from_millis(u64::try_from(v).unwrap_or(0)))
}

pub(super) fn secs_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
