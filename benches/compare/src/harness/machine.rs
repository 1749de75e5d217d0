//! What the figures depend on: the machine, the date, versions.

use std::fs;
use std::process::Command;

/// What a program says, in one line; `?` if it cannot be run.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.ok().filter(|text| !text.is_empty()).unwrap_or_else(|| "?".to_owned())
}

pub(crate) fn libzmq_version() -> String {
    said("pkg-config", &["--modversion", "libzmq"])
}

/// Our version, and the commit.
pub(crate) fn tightbeam_version() -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let commit = said("git", &["-C", root, "rev-parse", "--short", "HEAD"]);
    format!("{} ({commit})", locked_version("tightbeam"))
}

/// The version of a package that this package was built with.
pub(crate) fn locked_version(package: &str) -> String {
    let lock = include_str!("../../Cargo.lock");
    let after = lock.split_once(&format!("name = \"{package}\"\nversion = \""));
    let version = after.and_then(|(_, after)| after.split('"').next());
    version.unwrap_or("?").to_owned()
}

pub(crate) fn date() -> String {
    said("date", &["-u", "+%F %H:%M UTC"])
}

/// Processor, cores, kernel, and what else was running.
pub(crate) fn description() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split(": ").nth(1)).unwrap_or("an unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    let kernel = said("uname", &["-sr"]);
    format!("{model}, {cores} cores, {kernel}; load averages at the end {}", load.join(" "))
}
