//! Other programs.

use std::path::Path;
use std::process::{Command, Stdio};

/// Whether a program is there; if not, says what is left out.
pub(crate) fn has(program: &str, what: &str) -> bool {
    let there = succeeds(&[program, "--version"]);
    if !there {
        eprintln!("no {program}: {what} are not tried");
    }
    there
}

pub(crate) fn succeeds(words: &[&str]) -> bool {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Runs a program, which must succeed within two minutes, and answers what it prints.
pub(crate) fn run(words: &[&str], environment: &[(&str, &Path)]) -> String {
    let mut command = Command::new("timeout");
    // Through `env`: what is loaded first is meant for the program, not for `timeout`.
    command.args(["120", "env"]).stdin(Stdio::null());
    for (name, value) in environment {
        command.arg(format!("{name}={}", value.display()));
    }
    let output = command.args(words).output().expect("coreutils has `timeout`");
    let said = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{words:?}: {}\n{said}{printed}", output.status);
    String::from_utf8(output.stdout).expect("programs print UTF-8")
}
