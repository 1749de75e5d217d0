//! Every input that was ever worth keeping goes through its target again.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use tightbeam_fuzz::{Reached, TARGETS, Target, reached_in};

/// Of all files together.
const LIMIT_BYTES: usize = 2 << 20;

fn directory(target: &Target) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name)
}

/// The files of a target's corpus, by name.
fn corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    let directory = directory(target);
    let entries = fs::read_dir(&directory);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read(&path).expect("a file"))
        })
        .collect();
    files.sort();
    files
}

#[test]
fn the_corpora_are_replayed() {
    let mut failed = Vec::new();
    for target in &TARGETS {
        for (name, bytes) in corpus(target) {
            if catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes))).is_err() {
                failed.push(format!("{}/{name}", target.name));
            }
        }
    }
    assert!(failed.is_empty(), "these break a promise: {failed:?}");
}

#[test]
fn no_input_is_too_short_to_mean_something() {
    for target in &TARGETS {
        for length in 0..40 {
            for byte in [0, 1, 2, 3, 7, 255] {
                (target.run)(&vec![byte; length]);
            }
        }
    }
}

/// A target whose valid sessions fail at the first step looks at nothing.
#[test]
fn the_valid_sessions_among_the_seeds_get_through() {
    for (target, seed, ready, frames) in [
        ("greeting", "v1", 1, 2),
        ("greeting", "v2", 1, 1),
        ("greeting", "v3", 1, 1),
        ("greeting", "curve", 1, 1),
        ("null", "ready", 1, 2),
        ("null", "asked", 1, 2),
        ("null", "asks-first", 1, 1),
        ("plain", "server", 1, 1),
        ("plain", "client", 1, 1),
        ("curve_client", "whole", 1, 2),
        ("curve_server", "open", 1, 2),
        ("curve_server", "asks", 1, 2),
        ("metadata", "null", 1, 0),
        ("metadata", "plain", 1, 0),
        ("traffic", "v3.1", 1, 4),
        ("traffic", "v3.0", 1, 4),
        ("traffic", "v3.1-topics", 1, 3),
        ("traffic", "v3.0-topics", 1, 0),
        ("traffic", "v2", 1, 2),
        ("traffic", "v1", 1, 2),
        ("traffic", "read-in-place", 1, 1),
        ("sealed", "router", 1, 5),
        ("sealed", "gap", 1, 1),
        ("session", "null", 2, 10),
        ("session", "plain", 2, 10),
        ("session", "curve", 2, 10),
        ("session", "curve-topics", 2, 15),
    ] {
        let target = TARGETS.iter().find(|t| t.name == target).expect("a target");
        let seeds = (target.seeds)();
        let (_, bytes) = seeds.iter().find(|(name, _)| *name == seed).expect("a seed");
        let reached = reached_in(|| (target.run)(bytes));
        assert_eq!(reached, Reached { ready, frames }, "{} {seed}", target.name);
    }
}

/// `cargo run --package tightbeam-fuzz --bin seeds` writes them.
#[test]
fn the_seeds_in_the_corpora_are_those_that_the_program_makes() {
    for target in &TARGETS {
        let mut made: Vec<_> = (target.seeds)()
            .into_iter()
            .map(|(name, bytes)| (format!("seed-{name}"), bytes))
            .collect();
        made.sort();
        let mut found = corpus(target);
        found.retain(|(name, _)| name.starts_with("seed-"));
        assert_eq!(made, found, "{}", target.name);
    }
}

#[test]
fn the_corpora_are_small_and_belong_to_targets() {
    let all: usize = TARGETS.iter().flat_map(corpus).map(|(_, bytes)| bytes.len()).sum();
    assert!(all < LIMIT_BYTES, "{all} bytes");
    let corpora = fs::read_dir(directory(&TARGETS[0]).with_file_name("")).expect("the corpora");
    for entry in corpora {
        let name = entry.expect("an entry").file_name();
        assert!(TARGETS.iter().any(|target| name == target.name), "{name:?} has no target");
    }
}
