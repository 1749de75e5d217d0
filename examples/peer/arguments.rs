//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use tightbeam::SocketType;

/// What the peer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Echo,
    Ask,
    Source,
    Sink,
}

impl Role {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Role::Echo => "echo",
            Role::Ask => "ask",
            Role::Source => "source",
            Role::Sink => "sink",
        }
    }

    fn from_name(name: &str) -> Option<Role> {
        [Role::Echo, Role::Ask, Role::Source, Role::Sink].into_iter().find(|r| r.name() == name)
    }

    /// The types of socket that can play the role.
    const fn types(self) -> &'static [SocketType] {
        use SocketType::{Dealer, Pair, Pub, Pull, Push, Rep, Req, Router, Sub, XPub, XSub};
        match self {
            Role::Echo => &[Rep, Router, Dealer, Pair],
            Role::Ask => &[Req, Dealer, Router, Pair],
            Role::Source => &[Push, Pub, Dealer, Router, Pair, XPub, XSub],
            Role::Sink => &[Pull, Sub, Router, Dealer, Pair, XSub, XPub],
        }
    }
}

/// The command line, parsed. `tests/peers/README.md` says what each option means.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) role: Role,
    pub(crate) socket_type: SocketType,
    pub(crate) endpoint: String,
    pub(crate) bind: bool,
    pub(crate) count: Option<u64>,
    pub(crate) size: usize,
    pub(crate) parts: usize,
    pub(crate) lines: Option<PathBuf>,
    pub(crate) show: u64,
    pub(crate) id: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) envelope: bool,
    pub(crate) prefixes: Vec<String>,
    pub(crate) topics: Vec<String>,
    pub(crate) any_order: bool,
    pub(crate) hwm: Option<i32>,
    /// In milliseconds; -1: for ever.
    pub(crate) linger: i32,
    /// In milliseconds.
    pub(crate) timeout: i32,
    /// In milliseconds; 0: none.
    pub(crate) heartbeat: i32,
}

impl Arguments {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let (mut options, mut positional) = (Vec::new(), Vec::new());
        while let Some(word) = words.next() {
            match word.strip_prefix("--") {
                Some("bind" | "connect" | "envelope" | "any-order") => {
                    options.push((word, String::new()));
                }
                Some(_) => {
                    let value = words.next().ok_or(format!("{word} needs a value"))?;
                    options.push((word, value));
                }
                None => positional.push(word),
            }
        }
        let [role, socket_type, endpoint] =
            positional.try_into().map_err(|given: Vec<String>| {
                format!("expected ROLE, TYPE and ENDPOINT, not {} words", given.len())
            })?;
        let mut arguments = Arguments::new(&role, &socket_type, endpoint)?;
        let mut sides = options.iter().filter(|(name, _)| name == "--bind" || name == "--connect");
        if sides.next().is_some() && sides.next().is_some() {
            return Err("expected one of --bind and --connect".to_owned());
        }
        for (name, value) in options {
            arguments.set(&name, value)?;
        }
        arguments.check()
    }

    fn new(role: &str, socket_type: &str, endpoint: String) -> Result<Arguments, String> {
        let role = Role::from_name(role).ok_or(format!("there is no role {role:?}"))?;
        let name = socket_type.to_uppercase();
        let socket_type = SocketType::from_name(name.as_bytes())
            .filter(|socket_type| role.types().contains(socket_type))
            .ok_or(format!("{} is not for {socket_type:?}", role.name()))?;
        Ok(Arguments {
            role,
            socket_type,
            endpoint,
            bind: matches!(role, Role::Echo | Role::Sink),
            count: None,
            size: 64,
            parts: 1,
            lines: None,
            show: 0,
            id: None,
            to: None,
            envelope: false,
            prefixes: Vec::new(),
            topics: Vec::new(),
            any_order: false,
            hwm: None,
            // A sink has nothing to send.
            linger: if role == Role::Sink { 0 } else { -1 },
            timeout: 30_000,
            heartbeat: 0,
        })
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "--bind" => self.bind = true,
            "--connect" => self.bind = false,
            "--count" => self.count = Some(parse(name, &value)?),
            "--size" => self.size = parse(name, &value)?,
            "--parts" => self.parts = parse(name, &value)?,
            "--lines" => self.lines = Some(value.into()),
            "--show" => self.show = parse(name, &value)?,
            "--id" => self.id = Some(value),
            "--to" => self.to = Some(value),
            "--envelope" => self.envelope = true,
            "--sub" => self.prefixes.push(value),
            "--topic" => self.topics.push(value),
            "--any-order" => self.any_order = true,
            "--hwm" => self.hwm = Some(parse(name, &value)?),
            "--linger" => self.linger = parse(name, &value)?,
            "--timeout" => self.timeout = parse(name, &value)?,
            "--heartbeat" => self.heartbeat = parse(name, &value)?,
            _ => return Err(format!("there is no option {name}")),
        }
        Ok(())
    }

    fn check(mut self) -> Result<Arguments, String> {
        if self.size > 100_000_000 || !(1..=1_000).contains(&self.parts) {
            return Err("--size is 0 to 100000000, --parts 1 to 1000".to_owned());
        }
        if self.prefixes.iter().any(|prefix| !prefix.is_empty()) && self.topics.is_empty() {
            return Err("--sub needs --topic".to_owned());
        }
        if self.prefixes.is_empty() {
            self.prefixes.push(String::new());
        }
        Ok(self)
    }

    /// Whether it is a socket that says or hears hellos.
    pub(crate) fn is_pub_sub(&self) -> bool {
        use SocketType::{Pub, Sub, XPub, XSub};
        matches!(self.socket_type, Pub | Sub | XPub | XSub)
    }

    /// The topic of message `i`.
    pub(crate) fn topic(&self, i: u64) -> Option<&str> {
        let k = i.checked_rem(self.topics.len() as u64)?;
        self.topics.get(usize::try_from(k).ok()?).map(String::as_str)
    }

    /// The first message from `i` on that passes the subscriptions.
    pub(crate) fn passing(&self, i: u64) -> Result<u64, String> {
        let subscribes = matches!(self.socket_type, SocketType::Sub | SocketType::XSub);
        if !subscribes || self.topics.is_empty() {
            return Ok(i);
        }
        let passes = |i: &u64| {
            let topic = self.topic(*i).unwrap_or_default();
            self.prefixes.iter().any(|prefix| topic.starts_with(prefix))
        };
        let mut candidates = i..i + self.topics.len() as u64;
        candidates.find(passes).ok_or("no topic passes the subscriptions".to_owned())
    }
}

fn parse<T: FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{name} {value}: not a number, or out of range"))
}
