//! `cargo xtask bench`: builds the harness and the contenders in release and runs the harness.

use crate::project::build;
use crate::setup;

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let tools = setup::run();
    let release = ["build", "--release", "--package", "tightbeam-benches", "--bins"];
    let harness = build("bench", &release)?;
    let mut command = std::process::Command::new(harness);
    command.args(arguments);
    if !tools.libzmq {
        command.arg("--without-libzmq");
    }
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the bench harness failed: {status}")),
        Err(error) => Err(format!("the bench harness: {error}")),
    }
}
