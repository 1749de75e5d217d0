//! What no file may contain.

use crate::sources::{Source, rust_files};

/// Longer files are taken apart.
const LINES: usize = 500;

/// Where `unsafe` may stand, each place for a reason that its own documentation gives. Tests and
/// benchmarks may use it: clippy sees to the comments there, too.
const UNSAFE_IN: [&str; 8] = [
    "crates/tightbeam/src/message/",
    "crates/tightbeam/src/sys/",
    "crates/capi/src/raw.rs",
    "crates/capi/src/slot.rs",
    "crates/capi/src/types.rs",
    "bindings/python/src/frame.rs",
    "bindings/python/src/call.rs",
    "bindings/python/src/lent.rs",
];

/// Where an entry of the C ABI says its name; what it does is as safe as anything else.
const EXPORTS: (&str, &str) = ("crates/capi/src/", "#[unsafe(no_mangle)]");

fn everything() -> Vec<Source> {
    let files = rust_files(".");
    assert!(files.len() > 100, "only {} files were found", files.len());
    files
}

fn is_library(path: &str) -> bool {
    let in_source = ["crates/", "bindings/"].iter().any(|place| path.starts_with(place));
    (in_source && path.contains("/src/")) || path.starts_with("examples/")
}

/// Whether the keyword stands in the line, and not as a part of another word.
fn has_unsafe(code: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices("unsafe").any(|(at, keyword)| {
        let before = code[..at].chars().next_back();
        let after = code[at + keyword.len()..].chars().next();
        !before.is_some_and(word) && !after.is_some_and(word)
    })
}

#[test]
fn unsafe_is_in_few_places() {
    let mut wrong = Vec::new();
    for file in everything().iter().filter(|file| is_library(&file.path)) {
        if UNSAFE_IN.iter().any(|place| file.path.starts_with(place)) {
            continue;
        }
        let exports = |code: &str| file.path.starts_with(EXPORTS.0) && code.trim() == EXPORTS.1;
        let found = file.code().filter(|(_, code)| has_unsafe(code) && !exports(code));
        wrong.extend(found.map(|(line, code)| format!("{}:{line}: {code}", file.path)));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn files_are_not_long() {
    let all = everything();
    let long = all.iter().map(|file| (file.text.lines().count(), &file.path));
    let long: Vec<_> = long.filter(|(lines, _)| *lines > LINES).collect();
    assert!(long.is_empty(), "more than {LINES} lines: {long:?}");
}

#[test]
fn nothing_is_left_undone() {
    // Put together here, so that this file does not contain them.
    let words = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["dbg", "!("].concat()];
    let mut wrong = Vec::new();
    for file in everything() {
        for (at, line) in file.text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                wrong.push(format!("{}:{}: {line}", file.path, at + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_keyword_is_told_from_other_words() {
    assert!(has_unsafe("let x = unsafe { f() };"));
    assert!(has_unsafe("pub unsafe fn f() {}"));
    assert!(!has_unsafe("#![forbid(unsafe_code)]"));
}
