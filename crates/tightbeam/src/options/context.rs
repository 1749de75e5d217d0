//! The options of a context: a table like that of the sockets, all of them `int`s; the name of the threads is text too.

use super::number::context::*;
use super::spec::{Access, Kind, Value};
use crate::error::{Error, Result};
use crate::sys::ThreadTuning;

/// How many sockets a context could have at most.
const SOCKETS_AT_MOST: i32 = 65_535;
/// The size of a frame in memory, in bytes; a test of the house holds it.
const FRAME_SIZE: i32 = 64;
/// The longest prefix of threads' names, in bytes.
const PREFIX_MAX: usize = 16;

/// A row of the table of context options.
#[derive(Debug, Clone, Copy)]
pub struct ContextOptionSpec {
    name: &'static str,
    number: i32,
    kind: Kind,
    expected: &'static str,
    default: Option<i32>,
    read: Option<fn(&ContextOptions) -> i32>,
    write: Option<fn(&mut ContextOptions, i32) -> bool>,
}

impl ContextOptionSpec {
    /// libzmq's name without `ZMQ_`, e.g. `IO_THREADS`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The number in the C API. Two rows have the same: one can only be set, and the other only be read.
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

    /// The value in a new context; none where nothing is kept as one value.
    #[must_use]
    pub fn default(&self) -> Option<i32> {
        self.default
    }

    /// Whether the option can be set, read or both.
    #[must_use]
    pub fn access(&self) -> Access {
        match (self.read, self.write) {
            (None, _) => Access::Set,
            (_, None) => Access::Get,
            _ => Access::Both,
        }
    }

    fn refuse(&self, given: &str) -> Error {
        Error::BadOption { option: self.name, given: given.into(), expected: self.expected }
    }
}

/// Every context option that there is.
pub static CONTEXT_TABLE: &[ContextOptionSpec] = &[
    row("IO_THREADS", IO_THREADS, NOT_NEGATIVE, "int: threads, 0 or more")
        .at_first(1)
        .kept(|o| int_of(o.io_threads), |o, v| store(&mut o.io_threads, size_of(v))),
    row("MAX_SOCKETS", MAX_SOCKETS, AT_LEAST_1, "int: sockets, 1 or more")
        .at_first(1023)
        .kept(|o| int_of(o.max_sockets), |o, v| store(&mut o.max_sockets, size_of(v))),
    row("SOCKET_LIMIT", SOCKET_LIMIT, ANY, READ_ONLY)
        .at_first(SOCKETS_AT_MOST)
        .read(|_| SOCKETS_AT_MOST),
    row("THREAD_PRIORITY", THREAD_PRIORITY, NOT_NEGATIVE, "int: a priority, 0 or more")
        .write(|o, v| store(&mut o.threads.tuning.priority, Some(v))),
    row(
        "THREAD_SCHED_POLICY",
        THREAD_SCHED_POLICY,
        NOT_NEGATIVE,
        "int: a policy of sched.h, 0 or more",
    )
    .at_first(-1)
    .kept(
        |o| o.threads.tuning.policy.unwrap_or(-1),
        |o, v| store(&mut o.threads.tuning.policy, Some(v)),
    ),
    row("MAX_MSGSZ", MAX_MSGSZ, NOT_NEGATIVE, "int: bytes, 0 or more")
        .at_first(i32::MAX)
        .kept(|o| o.max_msgsz, |o, v| store(&mut o.max_msgsz, v)),
    row("MSG_T_SIZE", MSG_T_SIZE, ANY, READ_ONLY).at_first(FRAME_SIZE).read(|_| FRAME_SIZE),
    row(
        "THREAD_AFFINITY_CPU_ADD",
        THREAD_AFFINITY_CPU_ADD,
        NOT_NEGATIVE,
        "int: a processor, 0 or more",
    )
    .write(|o, v| {
        let cpus = &mut o.threads.tuning.cpus;
        if !cpus.contains(&size_of(v)) {
            cpus.push(size_of(v));
        }
        true
    }),
    row(
        "THREAD_AFFINITY_CPU_REMOVE",
        THREAD_AFFINITY_CPU_REMOVE,
        NOT_NEGATIVE,
        "int: a processor that was added",
    )
    .write(|o, v| {
        let cpus = &mut o.threads.tuning.cpus;
        let before = cpus.len();
        cpus.retain(|cpu| *cpu != size_of(v));
        cpus.len() < before
    }),
    row(
        "THREAD_NAME_PREFIX",
        THREAD_NAME_PREFIX,
        ANY,
        "int, or text of up to 16 bytes without NUL",
    )
    .at_first(0)
    .kept(
        |o| o.threads.prefix.parse().unwrap_or(0),
        |o, v| store(&mut o.threads.prefix, v.to_string()),
    ),
    row("ZERO_COPY_RECV", ZERO_COPY_RECV, Kind::Flag, "int: 0 or more")
        .at_first(1)
        .kept(|o| o.zero_copy_recv.into(), |o, v| store(&mut o.zero_copy_recv, v != 0)),
    row("IPV6", IPV6, Kind::Flag, "int: 0 or more")
        .at_first(0)
        .kept(|o| o.ipv6.into(), |o, v| store(&mut o.ipv6, v != 0)),
    row("BLOCKY", BLOCKY, Kind::Flag, "int: 0 or more")
        .at_first(1)
        .kept(|o| o.blocky.into(), |o, v| store(&mut o.blocky, v != 0)),
];

const ANY: Kind = Kind::Int { min: i32::MIN, max: i32::MAX };
const NOT_NEGATIVE: Kind = Kind::Int { min: 0, max: i32::MAX };
const AT_LEAST_1: Kind = Kind::Int { min: 1, max: i32::MAX };
const READ_ONLY: &str = "a get: this option is read-only";

const fn row(
    name: &'static str,
    number: i32,
    kind: Kind,
    expected: &'static str,
) -> ContextOptionSpec {
    ContextOptionSpec { name, number, kind, expected, default: None, read: None, write: None }
}

impl ContextOptionSpec {
    const fn at_first(self, default: i32) -> ContextOptionSpec {
        ContextOptionSpec { default: Some(default), ..self }
    }

    const fn read(self, read: fn(&ContextOptions) -> i32) -> ContextOptionSpec {
        ContextOptionSpec { read: Some(read), ..self }
    }

    const fn write(self, write: fn(&mut ContextOptions, i32) -> bool) -> ContextOptionSpec {
        ContextOptionSpec { write: Some(write), ..self }
    }

    const fn kept(
        self,
        read: fn(&ContextOptions) -> i32,
        write: fn(&mut ContextOptions, i32) -> bool,
    ) -> ContextOptionSpec {
        self.read(read).write(write)
    }
}

fn store<T>(field: &mut T, value: T) -> bool {
    *field = value;
    true
}

/// The options of one context.
#[derive(Debug, Clone)]
pub(crate) struct ContextOptions {
    /// In threads; 0: inproc alone works.
    pub(crate) io_threads: usize,
    /// In sockets.
    pub(crate) max_sockets: usize,
    /// How the I/O threads are.
    pub(crate) threads: ThreadOptions,
    /// In bytes of one part; the greatest number: no limit.
    max_msgsz: i32,
    /// Whether large bodies are read into place.
    pub(crate) zero_copy_recv: bool,
    /// The IPV6 of new sockets.
    pub(crate) ipv6: bool,
    /// Whether new sockets linger forever; without it they do not linger.
    pub(crate) blocky: bool,
}

/// How the I/O threads of a context are.
#[derive(Debug, Clone, Default)]
pub(crate) struct ThreadOptions {
    /// Stands before their names; empty: nothing does.
    prefix: String,
    pub(crate) tuning: ThreadTuning,
}

impl ThreadOptions {
    /// The name of a thread by its number. The system keeps the first 15 bytes.
    pub(crate) fn name(&self, number: usize) -> String {
        if self.prefix.is_empty() {
            format!("tightbeam-io-{number}")
        } else {
            format!("{}/tb-io-{number}", self.prefix)
        }
    }
}

impl Default for ContextOptions {
    fn default() -> ContextOptions {
        ContextOptions {
            io_threads: 1,
            max_sockets: 1023,
            threads: ThreadOptions::default(),
            max_msgsz: i32::MAX,
            zero_copy_recv: true,
            ipv6: false,
            blocky: true,
        }
    }
}

impl ContextOptions {
    /// Sets an option; on failure nothing changes.
    ///
    /// # Errors
    /// [`Error::UnknownOption`]; [`Error::BadOption`] when the value is out of range or the option cannot be set.
    pub(crate) fn set(&mut self, number: i32, value: i32) -> Result<()> {
        let (spec, write) = find(number, |spec| spec.write)?;
        if spec.kind.accepts(Value::Int(value)) && write(self, value) {
            return Ok(());
        }
        Err(spec.refuse(&value.to_string()))
    }

    /// Reads an option.
    ///
    /// # Errors
    /// [`Error::UnknownOption`]; [`Error::BadOption`] when it can only be set.
    pub(crate) fn get(&self, number: i32) -> Result<i32> {
        find(number, |spec| spec.read).map(|(_, read)| read(self))
    }

    /// Sets an option that is text.
    ///
    /// # Errors
    /// [`Error::UnknownOption`], [`Error::BadOption`].
    pub(crate) fn set_text(&mut self, number: i32, text: &str) -> Result<()> {
        let (spec, _) = find(number, |spec| spec.write)?;
        if number == THREAD_NAME_PREFIX && text.len() <= PREFIX_MAX && !text.contains('\0') {
            text.clone_into(&mut self.threads.prefix);
            return Ok(());
        }
        Err(spec.refuse(&Value::Bytes(text.as_bytes()).to_string()))
    }

    /// Reads an option as text.
    ///
    /// # Errors
    /// [`Error::UnknownOption`], [`Error::BadOption`].
    pub(crate) fn get_text(&self, number: i32) -> Result<String> {
        let (spec, _) = find(number, |spec| spec.read)?;
        if number == THREAD_NAME_PREFIX {
            return Ok(self.threads.prefix.clone());
        }
        Err(spec.refuse("a get of text"))
    }

    /// The longest part that may be sent, in bytes; `None`: no limit.
    pub(crate) fn max_part(&self) -> Option<usize> {
        (self.max_msgsz < i32::MAX).then(|| size_of(self.max_msgsz))
    }
}

/// The row with this number that can do what is asked of it.
fn find<T>(
    number: i32,
    can: impl Fn(&ContextOptionSpec) -> Option<T>,
) -> Result<(&'static ContextOptionSpec, T)> {
    let mut rows = CONTEXT_TABLE.iter().filter(|spec| spec.number == number).peekable();
    let Some(first) = rows.peek().copied() else {
        return Err(Error::UnknownOption(format!("{number} of a context")));
    };
    let found = rows.find_map(|spec| Some((spec, can(spec)?)));
    found.ok_or_else(|| match first.access() {
        Access::Set => first.refuse("a get"),
        _ => first.refuse("a set"),
    })
}

fn int_of(size: usize) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}

fn size_of(value: i32) -> usize {
    usize::try_from(value).unwrap_or(0)
}
