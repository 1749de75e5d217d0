//! Modules use lower ones only: this table is the order, and the whole of it.

use crate::sources::{Source, rust_files};

const CRATE: &str = "crates/tightbeam/src/";

/// The modules of `tightbeam` from the lowest up, and which others each may use. Two that stand in one
/// row use each other.
const LAYERS: &[(&[&str], &[&str])] = &[
    (&["error"], &[]),
    (&["sys"], &[]),
    (&["curve"], &[]),
    (&["message"], &["sys"]),
    (&["options"], &["error", "sys"]),
    (&["auth"], &["curve", "error", "options"]),
    (&["endpoint"], &["error"]),
    (&["pipe"], &["message", "sys"]),
    (&["pattern"], &["error", "options", "pipe", "message"]),
    (&["transport"], &["endpoint", "error", "options", "sys"]),
    (&["terms"], &["error", "options"]),
    (&["zap"], &["auth", "message"]),
    (&["monitor"], &["endpoint", "error", "message", "sys"]),
    (&["connection"], &["message", "monitor", "pipe", "terms", "transport", "zap"]),
    (&["session"], &["connection", "endpoint", "pipe", "terms", "transport"]),
    (&["reactor"], &["sys"]),
    // A context opens its sockets and holds them, a socket tells its context when it has ended.
    (
        &["socket", "context"],
        &[
            "error",
            "sys",
            "message",
            "options",
            "endpoint",
            "pipe",
            "pattern",
            "transport",
            "terms",
            "connection",
            "session",
            "monitor",
            "reactor",
            "auth",
            "zap",
        ],
    ),
    (&["timers"], &["error"]),
    (&["proxy"], &["error", "message", "socket"]),
];

/// What `zmtp` does without.
const NOT_IN_ZMTP: [&str; 7] =
    ["std::net", "std::io", "std::fs", "std::os", "std::thread", "Instant::now", "SystemTime"];

/// What `module` may use, itself and those beside it included.
fn allowed(module: &str) -> Option<Vec<&'static str>> {
    let (row, uses) = LAYERS.iter().find(|(row, _)| row.contains(&module))?;
    Some(row.iter().chain(*uses).copied().collect())
}

/// The module at the top that a file belongs to, and how many levels below the crate it lies.
fn place_of(path: &str) -> (&str, usize) {
    let inner = path.trim_start_matches(CRATE).trim_end_matches(".rs").trim_end_matches("/mod");
    let top = inner.split('/').next().unwrap_or(inner);
    (top, inner.split('/').count())
}

/// The modules that a line names behind `crate::`, and what it reaches with `super::` beyond its own.
fn named_in(code: &str, depth: usize) -> Vec<String> {
    let mut named = Vec::new();
    for after in code.split("crate::").skip(1) {
        if let Some(group) = after.strip_prefix('{') {
            let group = group.split('}').next().unwrap_or(group);
            // In `{a::{b, c}, d}` the names inside count as well: nobody writes that here.
            named.extend(group.split(',').map(first_name));
        } else {
            named.push(first_name(after));
        }
    }
    let supers = code.strip_prefix("use ").unwrap_or(code).matches("super::").count();
    if code.starts_with("use super::") && supers >= depth {
        named.push("whatever lies above, by way of super::".to_owned());
    }
    named
}

fn first_name(path: &str) -> String {
    path.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn the_table_has_no_cycle() {
    for (at, (row, uses)) in LAYERS.iter().enumerate() {
        for used in *uses {
            let lower = LAYERS[..at].iter().any(|(row, _)| row.contains(used));
            assert!(lower, "{row:?} uses {used}, which does not stand above it in the table");
        }
    }
}

#[test]
fn modules_use_lower_ones_only() {
    let mut wrong = Vec::new();
    for file in rust_files(CRATE).iter().filter(|file| !file.path.ends_with("src/lib.rs")) {
        let (module, depth) = place_of(&file.path);
        let Some(allowed) = allowed(module) else {
            wrong.push(format!("{}: {module} is not in the table of layers", file.path));
            continue;
        };
        // What tests use is not what the module is built on.
        let code = file.code().take_while(|(_, code)| !code.starts_with("mod tests {"));
        for (line, code) in code.filter(|_| !file.path.ends_with("tests.rs")) {
            for used in named_in(&code, depth) {
                if !allowed.contains(&used.as_str()) {
                    wrong.push(format!("{}:{line}: {module} uses {used}: {code}", file.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn zmtp_has_no_io_no_clock_and_no_threads() {
    let mut wrong = Vec::new();
    for file in rust_files("crates/zmtp/src") {
        let offends = |code: &str| NOT_IN_ZMTP.iter().any(|what| code.contains(what));
        wrong.extend(lines_where(&file, offends));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Network descriptors are `transport`'s and `connection`'s: patterns and pipes do not know them.
#[test]
fn patterns_and_pipes_know_no_descriptors_and_no_threads() {
    let mut wrong = Vec::new();
    for directory in ["crates/tightbeam/src/pattern", "crates/tightbeam/src/pipe"] {
        for file in rust_files(directory) {
            let words = ["mio::", "std::net", "std::os", "std::thread::", "Instant::now", "Mutex"];
            // Buffers are pooled for each thread, and a lane, which models build on a lock of theirs, lies
            // between two sockets' locks.
            let apart = ["pipe/buffers.rs", "pipe/lane.rs", "pipe/sync.rs"];
            let apart = apart.iter().any(|f| file.path.ends_with(f));
            let offends = |code: &str| words.iter().any(|what| code.contains(what)) && !apart;
            wrong.extend(lines_where(&file, offends));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn lines_where(file: &Source, offends: impl Fn(&str) -> bool) -> Vec<String> {
    let found = file.code().filter(|(_, code)| offends(code));
    found.map(|(line, code)| format!("{}:{line}: {}", file.path, code.trim())).collect()
}

#[test]
fn uses_are_found_however_they_are_written() {
    assert_eq!(named_in("use crate::pipe::{Parts, PipeId};", 1), ["pipe"]);
    assert_eq!(named_in("use crate::{error::Error, pipe::Parts};", 1), ["error", "pipe"]);
    assert_eq!(named_in("fn f(x: &mut crate::socket::Core) {", 1), ["socket"]);
    assert_eq!(named_in("use super::Received;", 2).len(), 0);
    assert_eq!(named_in("use super::super::socket;", 2).len(), 1);
    assert_eq!(place_of("crates/tightbeam/src/pattern/subscriptions/node.rs"), ("pattern", 3));
    assert_eq!(place_of("crates/tightbeam/src/pattern/mod.rs"), ("pattern", 1));
    assert_eq!(place_of("crates/tightbeam/src/error.rs"), ("error", 1));
}
