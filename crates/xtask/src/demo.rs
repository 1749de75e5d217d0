//! `cargo xtask demo`: peers of several languages, each in a process of its own, message each other directly in the three
//! everyday patterns, with either side bound; first lines of a real text, then as fast as they can.

use std::time::Duration;

use crate::peers::{Program, Report, Side, converse};
use crate::project::{root, rust_peer};
use crate::setup;

/// How long one conversation may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A pattern: the role and type of the side that usually binds and of the one that usually connects.
struct Pattern {
    name: &'static str,
    server: (&'static str, &'static str),
    client: (&'static str, &'static str),
    count: &'static str,
    quick_count: &'static str,
    options: &'static [&'static str],
}

const PATTERNS: [Pattern; 3] = [
    Pattern {
        name: "REQ/REP",
        server: ("echo", "rep"),
        client: ("ask", "req"),
        count: "5000",
        quick_count: "200",
        options: &[],
    },
    Pattern {
        name: "PUSH/PULL",
        server: ("sink", "pull"),
        client: ("source", "push"),
        count: "100000",
        quick_count: "2000",
        options: &[],
    },
    // A publisher drops what a slow subscriber has no room for: without a high-water mark, nothing is.
    Pattern {
        name: "PUB/SUB",
        server: ("source", "pub"),
        client: ("sink", "sub"),
        count: "100000",
        quick_count: "2000",
        options: &["--hwm", "0"],
    },
];

/// How much is asked of the peers, and printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What they said and measured.
    Demo,
    /// The same with fewer messages.
    Quick,
    /// A table's worth of checks in silence, for `cargo xtask test`.
    Silent,
}

/// Who plays the two sides, and which of them binds.
struct Casting<'a> {
    server: &'a Program,
    client: &'a Program,
    server_binds: bool,
}

impl Casting<'_> {
    fn binder(&self) -> &Program {
        if self.server_binds { self.server } else { self.client }
    }

    fn connector(&self) -> &Program {
        if self.server_binds { self.client } else { self.server }
    }
}

struct Row {
    pattern: &'static str,
    binds: String,
    connects: String,
    result: Result<String, String>,
}

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let mut wanted: Vec<&str> = arguments.iter().map(String::as_str).collect();
    wanted.retain(|argument| *argument != "--quick");
    let by_default = wanted.is_empty();
    if by_default {
        wanted = vec!["rust", "python"];
    }
    let mut programs = setup::run().programs();
    if wanted.contains(&"rust") {
        match rust_peer(true)? {
            Some(peer) => programs.insert(0, Program::new("rust", peer)),
            None => eprintln!("missing: examples/peer.rs: Rust peers are left out"),
        }
    }
    let all: Vec<&str> = programs.iter().map(|program| program.language).collect();
    let absent = wanted.iter().find(|language| !all.contains(language));
    if let (Some(language), false) = (absent, by_default) {
        return Err(format!("no peer in {language:?} here; there are: {}", all.join(", ")));
    }
    programs.retain(|program| wanted.contains(&program.language));
    if programs.is_empty() {
        return Err("no peers at all".to_owned());
    }
    let depth = if quick { Depth::Quick } else { Depth::Demo };
    converse_all(&programs, depth)
}

/// Lets each program talk with each other one and with itself, and prints a table. An error if any conversation failed.
pub(crate) fn converse_all(programs: &[Program], depth: Depth) -> Result<(), String> {
    let mut rows = Vec::new();
    for pattern in &PATTERNS {
        for casting in castings(programs) {
            rows.push(play(pattern, &casting, depth));
        }
    }
    print_table(&rows);
    let failed = rows.iter().filter(|row| row.result.is_err()).count();
    match failed {
        0 => Ok(()),
        _ => Err(format!("{failed} of {} conversations failed", rows.len())),
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

fn play(pattern: &Pattern, casting: &Casting<'_>, depth: Depth) -> Row {
    let (binder, connector) = (casting.binder().language, casting.connector().language);
    let title =
        |program: &str, (_, kind): (&str, &str)| format!("{program} {}", kind.to_uppercase());
    let (server, client) = (casting.server.language, casting.client.language);
    let (server, client) = (title(server, pattern.server), title(client, pattern.client));
    let (binds, connects) = if casting.server_binds { (server, client) } else { (client, server) };
    if depth != Depth::Silent {
        println!("\n{}: {binds} binds, {connects} connects", pattern.name);
    }
    let text = root().join("Cargo.toml");
    let text = if root().join("README.md").exists() { root().join("README.md") } else { text };
    let text = text.to_string_lossy();
    let said =
        hold(pattern, casting, &["--lines", &text, "--show", "3"]).map(|(bound, connected)| {
            if depth != Depth::Silent {
                print_said(binder, &bound);
                print_said(connector, &connected);
            }
        });
    let count = if depth == Depth::Demo { pattern.count } else { pattern.quick_count };
    let measured = said.and_then(|()| hold(pattern, casting, &["--size", "64", "--count", count]));
    let result = measured.and_then(|(bound, connected)| summary(&bound, &connected));
    if depth != Depth::Silent {
        let (Ok(line) | Err(line)) = &result;
        println!("    {line}");
    }
    Row { pattern: pattern.name, binds, connects, result }
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

fn print_said(language: &str, report: &Report) {
    for line in &report.said {
        println!("    {language:6} {}", line.trim_start_matches("SAID "));
    }
}

/// What a conversation showed: both sides saw the same, and how fast it was.
fn summary(bound: &Report, connected: &Report) -> Result<String, String> {
    for key in ["count", "bytes", "checksum"] {
        if bound.number(key) != connected.number(key) {
            return Err(format!("{key} differs: {} and {}", bound.json, connected.json));
        }
    }
    let asker = [bound, connected].into_iter().find(|report| report.number("p50_us").is_some());
    let count = bound.number("count").unwrap_or(0.0);
    if let Some(asker) = asker {
        let us = |key| asker.number(key).unwrap_or(f64::NAN);
        return Ok(format!(
            "{count} round trips, p50 {} us, p99 {} us",
            us("p50_us"),
            us("p99_us")
        ));
    }
    let receiver = if bound.json.contains("\"role\": \"sink\"") { bound } else { connected };
    let seconds = receiver.number("seconds").unwrap_or(f64::NAN);
    Ok(format!("{count} messages, {:.0} per second", count / seconds))
}

fn print_table(rows: &[Row]) {
    println!(
        "\n{:9}  {:12}  {:12}  all received was right; 64 B messages:",
        "", "binds", "connects"
    );
    for row in rows {
        let result = match &row.result {
            Ok(measured) => measured.clone(),
            Err(error) => format!("FAILED: {error}"),
        };
        println!("{:9}  {:12}  {:12}  {result}", row.pattern, row.binds, row.connects);
    }
}
