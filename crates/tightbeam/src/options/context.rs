//! The options of a context: a table like that of the sockets, all of them `int`s.

use super::number::context::{BLOCKY, IO_THREADS, IPV6, MAX_SOCKETS};
use super::spec::{Kind, Value};
use crate::error::{Error, Result};

/// A row of the table of context options.
#[derive(Debug, Clone, Copy)]
pub struct ContextOptionSpec {
    name: &'static str,
    number: i32,
    kind: Kind,
    expected: &'static str,
    default: i32,
    read: fn(&ContextOptions) -> i32,
    write: fn(&mut ContextOptions, i32),
}

impl ContextOptionSpec {
    /// libzmq's name without `ZMQ_`, e.g. `IO_THREADS`.
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

    /// The value in a new context.
    #[must_use]
    pub fn default(&self) -> i32 {
        self.default
    }
}

/// Every context option that there is.
pub static CONTEXT_TABLE: &[ContextOptionSpec] = &[
    ContextOptionSpec {
        name: "IO_THREADS",
        number: IO_THREADS,
        kind: Kind::Int { min: 0, max: i32::MAX },
        expected: "int: threads, 0 or more",
        default: 1,
        read: |o| int_of(o.io_threads),
        write: |o, v| o.io_threads = size_of(v),
    },
    ContextOptionSpec {
        name: "MAX_SOCKETS",
        number: MAX_SOCKETS,
        kind: Kind::Int { min: 1, max: i32::MAX },
        expected: "int: sockets, 1 or more",
        default: 1023,
        read: |o| int_of(o.max_sockets),
        write: |o, v| o.max_sockets = size_of(v),
    },
    ContextOptionSpec {
        name: "IPV6",
        number: IPV6,
        kind: Kind::Flag,
        expected: "int: 0 or more",
        default: 0,
        read: |o| o.ipv6.into(),
        write: |o, v| o.ipv6 = v != 0,
    },
    ContextOptionSpec {
        name: "BLOCKY",
        number: BLOCKY,
        kind: Kind::Flag,
        expected: "int: 0 or more",
        default: 1,
        read: |o| o.blocky.into(),
        write: |o, v| o.blocky = v != 0,
    },
];

/// The options of one context.
#[derive(Debug, Clone)]
pub(crate) struct ContextOptions {
    /// In threads; 0: inproc alone works.
    pub(crate) io_threads: usize,
    /// In sockets.
    pub(crate) max_sockets: usize,
    /// The IPV6 of new sockets.
    pub(crate) ipv6: bool,
    /// Whether new sockets linger forever; without it they do not linger.
    pub(crate) blocky: bool,
}

impl Default for ContextOptions {
    fn default() -> ContextOptions {
        ContextOptions { io_threads: 1, max_sockets: 1023, ipv6: false, blocky: true }
    }
}

impl ContextOptions {
    /// Sets an option; on failure nothing changes.
    ///
    /// # Errors
    /// [`Error::UnknownOption`], or [`Error::BadOption`] when the value is out of range.
    pub(crate) fn set(&mut self, number: i32, value: i32) -> Result<()> {
        let spec = find(number)?;
        if !spec.kind.accepts(Value::Int(value)) {
            return Err(Error::BadOption {
                option: spec.name,
                given: value.to_string().into(),
                expected: spec.expected,
            });
        }
        (spec.write)(self, value);
        Ok(())
    }

    /// Reads an option.
    ///
    /// # Errors
    /// [`Error::UnknownOption`].
    pub(crate) fn get(&self, number: i32) -> Result<i32> {
        find(number).map(|spec| (spec.read)(self))
    }
}

fn find(number: i32) -> Result<&'static ContextOptionSpec> {
    CONTEXT_TABLE
        .iter()
        .find(|spec| spec.number == number)
        .ok_or_else(|| Error::UnknownOption(format!("{number} of a context")))
}

fn int_of(size: usize) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}

fn size_of(value: i32) -> usize {
    usize::try_from(value).unwrap_or(0)
}
