//! `cargo xtask demo`: peers of several languages, each in a process of its own, message each other directly in the three
//! everyday patterns, with either side bound; first lines of a real text, then as fast as they can.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::install::c_peer;
use crate::peers::{Program, Report, Side, converse};
use crate::project::{root, rust_peer, target};
use crate::{python, setup};

/// How long one conversation may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How many lines of the text are printed.
const SHOWN: &str = "2";

const INTRODUCTION: &str = "
Peers message each other over tcp, each in a process of its own: first the lines of a text, of which two are shown,
then messages of 64 bytes as fast as they can. Each checks all that it receives.

    rust    Tightbeam (examples/peer.rs)
    python  pyzmq, with its own libzmq (tests/peers/peer.py)
    pymod   the same program on Tightbeam's Python module
    capi    Tightbeam's C library (tests/peers/peer.c)
    c       the same program on the libzmq of the system";

/// A pattern: the role and type of the side that usually binds and of the one that usually connects.
struct Pattern {
    name: &'static str,
    server: (&'static str, &'static str),
    client: (&'static str, &'static str),
    count: u32,
    quick_count: u32,
    options: &'static [&'static str],
}

const PATTERNS: [Pattern; 3] = [
    Pattern {
        name: "REQ/REP",
        server: ("echo", "rep"),
        client: ("ask", "req"),
        count: 50_000,
        quick_count: 200,
        options: &[],
    },
    Pattern {
        name: "PUSH/PULL",
        server: ("sink", "pull"),
        client: ("source", "push"),
        count: 1_000_000,
        quick_count: 2_000,
        options: &[],
    },
    // A publisher drops what a slow subscriber has no room for: without a high-water mark, nothing is.
    Pattern {
        name: "PUB/SUB",
        server: ("source", "pub"),
        client: ("sink", "sub"),
        count: 1_000_000,
        quick_count: 2_000,
        options: &["--hwm", "0"],
    },
];

/// How much is asked of the peers, and printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// What they said and measured.
    Demo,
    /// The same with fewer messages.
    Quick,
    /// Few messages, and nothing printed but failures, for `cargo xtask test`.
    Silent,
}

/// Who plays the two sides, and which of them binds.
struct Casting<'a> {
    server: &'a Program,
    client: &'a Program,
    server_binds: bool,
}

impl Casting<'_> {
    fn has(&self, language: &str) -> bool {
        self.server.language == language || self.client.language == language
    }

    fn is_with_itself(&self) -> bool {
        self.server.language == self.client.language
    }
}

struct Row {
    pattern: &'static str,
    binds: String,
    connects: String,
    result: Result<Measured, String>,
}

/// What a conversation of a pattern is measured by.
enum Measured {
    RoundTrips { p50_us: f64, p99_us: f64 },
    Stream { per_second: f64 },
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Measured::RoundTrips { p50_us, p99_us } => {
                write!(f, "round trip {p50_us:6.1} us (p50), {p99_us:6.1} us (p99)")
            }
            Measured::Stream { per_second } => {
                write!(f, "{:>10} messages per second", thousands(*per_second))
            }
        }
    }
}

/// A whole number, its digits in groups of three.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let grouped = digits.bytes().enumerate().flat_map(|(k, digit)| {
        let comma = k > 0 && (digits.len() - k).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([char::from(digit)])
    });
    grouped.collect()
}

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let mut wanted: Vec<&str> = arguments.iter().map(String::as_str).collect();
    wanted.retain(|argument| *argument != "--quick");
    let by_default = wanted.is_empty();
    if by_default {
        wanted = vec!["rust", "capi", "pymod", "python", "c"];
    }
    let mut programs = programs(&wanted)?;
    let all: Vec<&str> = programs.iter().map(|program| program.language).collect();
    let absent = wanted.iter().find(|language| !all.contains(language));
    if let (Some(language), false) = (absent, by_default) {
        return Err(format!("no peer in {language:?} here; there are: {}", all.join(", ")));
    }
    programs.retain(|program| wanted.contains(&program.language));
    if programs.is_empty() {
        return Err("no peers at all".to_owned());
    }
    let mut castings = castings(&programs);
    if by_default {
        // Two libzmqs are there for comparison: one of them is enough to show that we get on.
        castings.retain(|casting| casting.is_with_itself() || !casting.has("c"));
        // Which side binds is tried with Rust's.
        castings.retain(|casting| {
            casting.server_binds || !(casting.has("capi") || casting.has("pymod"))
        });
    }
    println!("{INTRODUCTION}");
    converse_all(&castings, if quick { Depth::Quick } else { Depth::Demo })
}

/// Every peer that there is, those on our own engine as far as they are wanted.
fn programs(wanted: &[&str]) -> Result<Vec<Program>, String> {
    let tools = setup::run();
    let mut programs = tools.programs();
    if wanted.contains(&"rust") {
        match rust_peer(true)? {
            Some(peer) => programs.insert(0, Program::new("rust", peer)),
            None => eprintln!("missing: examples/peer.rs: Rust peers are left out"),
        }
    }
    if wanted.contains(&"capi") {
        match c_peer(true) {
            Ok(peer) => programs.push(Program::new("capi", peer)),
            Err(error) => eprintln!("missing: C peers on our library: {error}"),
        }
    }
    if wanted.contains(&"pymod") {
        match python::built_peer(&tools) {
            Ok(peer) => programs.push(peer),
            Err(error) => eprintln!("missing: Python peers on our module: {error}"),
        }
    }
    Ok(programs)
}

/// Lets each program talk with each other one and with itself, in silence. An error if any conversation failed.
pub(crate) fn check_all(programs: &[Program]) -> Result<(), String> {
    converse_all(&castings(programs), Depth::Silent)
}

/// The same for the conversations of one language, with the servers bound.
pub(crate) fn check_one(language: &str, programs: &[Program]) -> Result<(), String> {
    let mut castings = castings(programs);
    castings.retain(|casting| casting.server_binds && casting.has(language));
    converse_all(&castings, Depth::Silent)
}

fn converse_all(castings: &[Casting<'_>], depth: Depth) -> Result<(), String> {
    let mut rows = Vec::new();
    for pattern in &PATTERNS {
        for casting in castings {
            rows.push(play(pattern, casting, depth)?);
        }
    }
    let conversations = rows.len();
    if depth == Depth::Silent {
        rows.retain(|row| row.result.is_err());
    }
    if !rows.is_empty() {
        print_table(&rows);
    }
    match rows.iter().filter(|row| row.result.is_err()).count() {
        0 => Ok(()),
        failed => Err(format!("{failed} of {conversations} conversations failed")),
    }
}

fn castings(programs: &[Program]) -> Vec<Casting<'_>> {
    let mut castings = Vec::new();
    for (k, one) in programs.iter().enumerate() {
        castings.push(Casting { server: one, client: one, server_binds: true });
        for other in &programs[k + 1..] {
            for server_binds in [true, false] {
                castings.push(Casting { server: one, client: other, server_binds });
                castings.push(Casting { server: other, client: one, server_binds });
            }
        }
    }
    castings
}

fn play(pattern: &Pattern, casting: &Casting<'_>, depth: Depth) -> Result<Row, String> {
    let title = |program: &Program, (_, kind): (_, &str)| {
        format!("{} {}", program.language, kind.to_uppercase())
    };
    let server = title(casting.server, pattern.server);
    let client = title(casting.client, pattern.client);
    let (binds, connects) = if casting.server_binds { (server, client) } else { (client, server) };
    if depth != Depth::Silent {
        println!("\n{}: {binds} binds, {connects} connects", pattern.name);
    }
    let text = text()?;
    let said = hold(pattern, casting, &["--lines", &text.to_string_lossy(), "--show", SHOWN]);
    if let (Ok((bound, connected)), true) = (&said, depth != Depth::Silent) {
        print_said((&binds, bound), (&connects, connected));
    }
    let count = match depth {
        // As long as a blink takes is too short to measure, but a Python needs its time.
        Depth::Demo if casting.has("python") || casting.has("pymod") => pattern.count / 10,
        Depth::Demo => pattern.count,
        Depth::Quick | Depth::Silent => pattern.quick_count,
    };
    let count = count.to_string();
    let measured = said.and_then(|_| hold(pattern, casting, &["--size", "64", "--count", &count]));
    let result = measured.and_then(|(bound, connected)| summary(&bound, &connected));
    if depth != Depth::Silent {
        match &result {
            Ok(measured) => println!("    {measured}"),
            Err(error) => println!("    FAILED: {error}"),
        }
    }
    Ok(Row { pattern: pattern.name, binds, connects, result })
}

/// The text that the peers send: the prose of the project's first page, line by line.
fn text() -> Result<PathBuf, String> {
    let pages = [root().join("README.md"), root().join("tests/peers/README.md")];
    let page = pages.iter().find_map(|page| fs::read_to_string(page).ok()).unwrap_or_default();
    let prose = |line: &&str| line.starts_with(char::is_alphabetic) && line.len() > 20;
    let lines: Vec<&str> = page.lines().filter(prose).collect();
    let path = target().join("xtask-demo.txt");
    fs::write(&path, lines.join("\n") + "\n")
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

/// One conversation. The reports are the binder's and the connector's.
fn hold(
    pattern: &Pattern,
    casting: &Casting<'_>,
    extra: &[&str],
) -> Result<(Report, Report), String> {
    let options = [pattern.options, extra].concat();
    let side =
        |program, (role, socket_type)| Side { program, role, socket_type, options: &options };
    let server = side(casting.server, pattern.server);
    let client = side(casting.client, pattern.client);
    let (binder, connector) =
        if casting.server_binds { (server, client) } else { (client, server) };
    converse("tcp://127.0.0.1:*", &binder, &connector, LIMIT)
}

/// The lines of both sides in turn: what one said is followed by what the other heard.
fn print_said(one: (&str, &Report), other: (&str, &Report)) {
    let is_speaker = |report: &Report| report.said.iter().any(|line| line.starts_with("SAID ->"));
    let (speaker, hearer) = if is_speaker(one.1) { (one, other) } else { (other, one) };
    for (said, heard) in speaker.1.said.iter().zip(&hearer.1.said) {
        for ((name, verb), line) in [((speaker.0, "said"), said), ((hearer.0, "heard"), heard)] {
            println!(
                "    {name:12} {verb:5}  {}",
                line.get("SAID -> ".len()..).unwrap_or_default()
            );
        }
    }
}

/// What a conversation showed: both sides saw the same, and how fast it was.
fn summary(bound: &Report, connected: &Report) -> Result<Measured, String> {
    for key in ["count", "bytes", "checksum"] {
        if bound.number(key) != connected.number(key) {
            return Err(format!("{key} differs: {} and {}", bound.json, connected.json));
        }
    }
    let number = |report: &Report, key| report.number(key).unwrap_or(f64::NAN);
    let asker = [bound, connected].into_iter().find(|report| report.number("p50_us").is_some());
    if let Some(asker) = asker {
        let (p50_us, p99_us) = (number(asker, "p50_us"), number(asker, "p99_us"));
        return Ok(Measured::RoundTrips { p50_us, p99_us });
    }
    let receiver = if bound.json.contains("\"role\": \"sink\"") { bound } else { connected };
    Ok(Measured::Stream { per_second: number(receiver, "count") / number(receiver, "seconds") })
}

fn print_table(rows: &[Row]) {
    println!("\n{:9}  {:12}  {:12}  messages of 64 bytes", "pattern", "binds", "connects");
    let mut pattern = "";
    for row in rows {
        let result = match &row.result {
            Ok(measured) => measured.to_string(),
            Err(error) => format!("FAILED: {error}"),
        };
        if row.pattern != std::mem::replace(&mut pattern, row.pattern) {
            println!("{}", "-".repeat(90));
        }
        println!("{:9}  {:12}  {:12}  {result}", row.pattern, row.binds, row.connects);
    }
}
