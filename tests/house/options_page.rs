//! The page of options, made from the tables, the comments on the numbers, and the setters.

use std::fmt::Write;
use std::{env, fs};

use tightbeam::options::{Access, CONTEXT_TABLE, Effect, Kind, OptionSpec, TABLE, Value};
use zmtp::SocketType;

use crate::sources::{Source, read, root, rust_files};

const PAGE: &str = "docs/options.md";
const NUMBERS: &str = "crates/tightbeam/src/options/number.rs";
/// A file for each area of the table.
const AREAS_IN: &str = "crates/tightbeam/src/options/table/";
/// The areas in the order of the page.
const AREAS: [&str; 7] = ["general", "flow", "timing", "tcp", "patterns", "security", "foreign"];
const SETTERS_IN: &str = "crates/tightbeam/src/socket/";
/// The transports that options are for, by how their names begin; the others are for every transport.
const TRANSPORTS: [(&str, &[&str]); 3] = [
    (
        "tcp",
        &[
            "TCP_",
            "SOCKS_",
            "TOS",
            "PRIORITY",
            "BINDTODEVICE",
            "BUSY_POLL",
            "IPV",
            "CONNECT_TIMEOUT",
        ],
    ),
    ("ipc", &["IPC_FILTER_"]),
    (
        "tcp, ipc",
        &[
            "SNDBUF",
            "RCVBUF",
            "BACKLOG",
            "USE_FD",
            "RECONNECT_",
            "HANDSHAKE_",
            "HEARTBEAT_",
            "MAXMSGSIZE",
            "MAX_",
            "IMMEDIATE",
            "AFFINITY",
            "METADATA",
        ],
    ),
];

/// `BLESS=1 cargo test --package tightbeam-tests --test house` writes the page anew.
#[test]
fn the_page_of_options_is_fresh() {
    let fresh = page();
    if env::var_os("BLESS").is_some() {
        fs::write(root().join(PAGE), &fresh).unwrap_or_else(|error| panic!("{PAGE}: {error}"));
    }
    let committed = fs::read_to_string(root().join(PAGE)).unwrap_or_default();
    let how = "BLESS=1 cargo test --package tightbeam-tests --test house";
    assert!(committed == fresh, "{PAGE} is not what the table says; renew it with {how}");
}

const INTRODUCTION: &str = "\
# Options

Every option that there is. Names, numbers, ranges and defaults are those of libzmq (`ZMQ_SNDHWM` is `tightbeam::options::number::SNDHWM`); numbers from 10,000 up are
Tightbeam's own. Most have a setter with Rust's types, durations instead of milliseconds; `set_option` and `option` take all of them.

```rust
use std::time::Duration;
use tightbeam::options::{OwnedValue, Value, number};

let context = tightbeam::Context::new();
let socket = context.socket::<tightbeam::Push>()?;
socket.set_linger(Some(Duration::from_secs(2)))?;
assert_eq!(socket.option(number::LINGER)?, OwnedValue::Int(2_000));
socket.set_option(number::SNDHWM, Value::Int(10_000))?;

// What is out of range is refused, and the option stays as it was.
let error = socket.set_option(number::SNDHWM, Value::Int(-1)).unwrap_err();
assert_eq!(error.errno(), libc::EINVAL);
assert_eq!(socket.option(number::SNDHWM)?, OwnedValue::Int(10_000));
# Ok::<(), tightbeam::Error>(())
```

* **A set holds** *at once*, or for the endpoints that are bound or connected *next*: set those first.
* **For** names the socket types that the option can be set on, or the transports that it means something to; nothing: all. On another type it is refused.
* What is not here does not exist: setting it is `Error::UnknownOption`, a value out of range is `Error::BadOption`, both `EINVAL`.

This page is generated from the tables in `crates/tightbeam/src/options/`, and a test holds it to them.
";

const HEADER: &str = "\
| option | number | setter | type and range | default | access | a set holds | for | what it does |
|---|---|---|---|---|---|---|---|---|
";

fn page() -> String {
    let numbers = read(NUMBERS);
    let (of_sockets, of_contexts) = numbers.split_once("pub mod context").unwrap_or((&numbers, ""));
    let mut setters = rust_files(SETTERS_IN);
    setters.retain(|file| file.path.contains("/setters") || file.path.ends_with("/typed.rs"));
    let mut page = INTRODUCTION.to_owned();
    let mut count = 0;
    for area in AREAS {
        let source = read(&format!("{AREAS_IN}{area}.rs"));
        let title = source.lines().next().unwrap_or_default();
        let title = title.trim_start_matches("//! ").trim_end_matches('.');
        let _ = write!(page, "\n## {}\n\n{HEADER}", capital(title));
        let is_here = |spec: &&OptionSpec| source.contains(&format!("\"{}\",", spec.name()));
        for spec in TABLE.iter().filter(is_here) {
            count += 1;
            let _ = writeln!(page, "| {} |", row(spec, of_sockets, &setters).join(" | "));
        }
    }
    assert_eq!(count, TABLE.len(), "each option is in one area");
    page += "\n## Options of a context\n\nSet with `Context::set_option`, by `tightbeam::options::number::context`.\n\n";
    page += "| option | number | type and range | default | access | what it does |\n|---|---|---|---|---|---|\n";
    for spec in CONTEXT_TABLE {
        let meaning = meaning(of_contexts, spec.name());
        let (name, number) = (spec.name(), spec.number());
        let expected = if spec.access() == Access::Get { "int" } else { spec.expected() };
        let default = spec.default().map(|value| value.to_string()).unwrap_or_default();
        let access = access_of(spec.access());
        let _ =
            writeln!(page, "| {name} | {number} | {expected} | {default} | {access} | {meaning} |");
    }
    page
}

fn row(spec: &OptionSpec, numbers: &str, setters: &[Source]) -> [String; 9] {
    let name = spec.name();
    let meaning = meaning(numbers, name);
    // The types stand in a column of their own.
    let prefix = format!("{}: ", names(spec.sockets()));
    let meaning = capital(meaning.strip_prefix(&prefix).unwrap_or(&meaning));
    [
        name.to_owned(),
        spec.number().to_string(),
        setter(name, setters).map(|setter| format!("`{setter}`")).unwrap_or_default(),
        value(spec),
        default(spec.default()),
        access_of(spec.access()).to_owned(),
        when(spec).to_owned(),
        reach(spec),
        meaning,
    ]
}

/// The public function that sets the option: one that does so by its number, or has its name.
fn setter(name: &str, setters: &[Source]) -> Option<String> {
    let set = format!("self.set_option(number::{name},");
    if let Some((before, _)) = setters.iter().find_map(|file| file.text.split_once(&set)) {
        return before.rsplit("pub fn ").next()?.split('(').next().map(str::to_owned);
    }
    let name = name.to_lowercase();
    let is_there = setters.iter().any(|file| file.text.contains(&format!("pub fn {name}(")));
    is_there.then_some(name)
}

/// What the documentation of the option's number says.
fn meaning(numbers: &str, name: &str) -> String {
    let constant = format!("pub const {name}: i32");
    let before = numbers.split_once(&constant).map(|(before, _)| before);
    let before = before.unwrap_or_else(|| panic!("{NUMBERS} has no {name}"));
    let mut lines: Vec<&str> = before
        .lines()
        .rev()
        .skip_while(|line| line.trim().is_empty())
        .map_while(|line| line.trim().strip_prefix("/// "))
        .collect();
    lines.reverse();
    assert!(!lines.is_empty(), "{NUMBERS} says nothing about {name}");
    let text = lines.join(" ");
    // These stand in columns of their own.
    let text = text.trim_end_matches(" At once.").trim_start_matches("Set only");
    let text = text.trim_start_matches("Get only").trim_start_matches([',', ':', ' ']);
    capital(text)
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}

fn value(spec: &OptionSpec) -> String {
    match (spec.access(), spec.kind()) {
        (Access::Get, Kind::Bytes { .. } | Kind::Text { .. }) => "text".to_owned(),
        (Access::Get, _) => "int".to_owned(),
        _ => spec.expected().to_owned(),
    }
}

fn access_of(access: Access) -> &'static str {
    match access {
        Access::Set => "set",
        Access::Get => "get",
        Access::Both => "set, get",
    }
}

fn when(spec: &OptionSpec) -> &'static str {
    match (spec.access(), spec.effect()) {
        (Access::Get, _) => "",
        (_, Effect::Live) => "at once",
        (_, Effect::NextEndpoint) => "next",
    }
}

fn default(value: Option<Value<'_>>) -> String {
    match value {
        None => String::new(),
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Int64(number)) => number.to_string(),
        Some(Value::UInt64(number)) => number.to_string(),
        Some(Value::Bytes([])) => "empty".to_owned(),
        Some(Value::Bytes(bytes)) if bytes.iter().all(|byte| *byte == 0) => "zeros".to_owned(),
        Some(Value::Bytes(bytes)) => bytes.escape_ascii().to_string(),
    }
}

/// Which sockets it can be set on, or else which transports it is for.
fn reach(spec: &OptionSpec) -> String {
    if spec.sockets() != SocketType::ALL {
        return names(spec.sockets());
    }
    let begins = |starts: &&[&str]| starts.iter().any(|start| spec.name().starts_with(start));
    let transports = TRANSPORTS.iter().find(|(_, starts)| begins(starts));
    transports.map(|(transports, _)| (*transports).to_owned()).unwrap_or_default()
}

fn names(types: &[SocketType]) -> String {
    let names: Vec<&str> = types.iter().map(|socket| socket.name()).collect();
    names.join(", ")
}
