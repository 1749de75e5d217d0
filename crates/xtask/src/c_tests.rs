//! The C programs of `tests/c` on our library under valgrind: each runs all of its cases in one process.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::{fs, thread};

use crate::project::{cargo, target};

/// Builds the programs by way of their harness, and runs them under this valgrind; how many there were.
pub(crate) fn under_valgrind(valgrind: &[&str]) -> Result<String, String> {
    let words = ["test", "--quiet", "--package", "tightbeam-tests", "--test", "c", "--", "--list"];
    let listed = cargo(&words).stdout(Stdio::null()).status();
    if !listed.map_err(|error| format!("cargo: {error}"))?.success() {
        return Err("the C tests could not be listed".to_owned());
    }
    let programs = programs()?;
    let left = Mutex::new(programs.iter());
    let errors = Mutex::new(String::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let next = left.lock().expect("no runner panics").next();
                    let Some(program) = next else { break };
                    if let Err(error) = run(valgrind, program) {
                        errors.lock().expect("no runner panics").push_str(&error);
                    }
                }
            });
        }
    });
    let errors = errors.into_inner().expect("no runner panics");
    if errors.is_empty() { Ok(format!("{} programs", programs.len())) } else { Err(errors) }
}

fn programs() -> Result<Vec<PathBuf>, String> {
    let directory = target().join("c-tests/ours");
    let entries = fs::read_dir(&directory);
    let entries = entries.map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut programs: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    programs.retain(|path| path.is_file() && path.extension().is_none());
    match programs.len() {
        // A harness that builds elsewhere must not look like a success.
        0 => Err(format!("no C programs in {}", directory.display())),
        _ => Ok(programs),
    }
}

/// What valgrind finds in a child whose own end says nothing of it is printed, between equals signs.
fn run(valgrind: &[&str], program: &Path) -> Result<(), String> {
    let output = Command::new(valgrind[0])
        .args(&valgrind[1..])
        .arg(program)
        .arg("--here")
        .env("ZMQ_LIBRARY", "ours")
        .env("CHECK_LIMIT", "240")
        .current_dir(target().join("c-tests/ours"))
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| format!("{}: {error}\n", valgrind[0]))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() && !said.lines().any(|line| line.starts_with("==")) {
        return Ok(());
    }
    Err(format!("{}: {}\n{said}\n", program.display(), output.status))
}
