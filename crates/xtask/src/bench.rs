//! `cargo xtask bench`: builds the harness and the contenders in release and runs the harness.

use std::process::Command;

use crate::project::build;
use crate::setup;

/// Goes before everything else that runs at an ordinary priority: `nice` counts only within a session where the kernel
/// groups processes by session, so the session gets its share as well.
const URGENT: [&str; 5] = [
    "setsid",
    "--wait",
    "sh",
    "-c",
    "echo -20 >/proc/self/autogroup; exec nice -n -20 \"$0\" \"$@\"",
];

/// What builds the harness, the Rust contender and the library for the C one.
pub(crate) const CONTENDERS: [&str; 6] =
    ["--package", "tightbeam-benches", "--package", "tightbeam-capi", "--bins", "--lib"];

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let tools = setup::run();
    let mut release = vec!["build", "--release"];
    release.extend(CONTENDERS);
    let harness = build("bench", &release)?;
    let urgent = arguments.iter().any(|argument| argument == "--urgent");
    let mut command = if urgent {
        let mut command = Command::new(URGENT[0]);
        command.args(&URGENT[1..]).arg(harness);
        command
    } else {
        Command::new(harness)
    };
    command.args(arguments.iter().filter(|argument| *argument != "--urgent"));
    let counts = arguments.first().is_some_and(|first| first == "count");
    if !tools.libzmq && !counts {
        command.arg("--without-libzmq");
    }
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the bench harness failed: {status}")),
        Err(error) => Err(format!("the bench harness: {error}")),
    }
}
