//! Where things are, and cargo.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The workspace's directory.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_owned()
}

/// The target directory: the one that this program was built into.
pub(crate) fn target() -> PathBuf {
    let own = env::current_exe().ok();
    let mut above = own.iter().flat_map(|exe| exe.ancestors());
    let profile = above.find(|directory| directory.join(".fingerprint").exists());
    profile.and_then(Path::parent).map_or_else(|| root().join("target"), Path::to_owned)
}

/// A call of cargo in the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.args(arguments).current_dir(root()).env("CARGO_TARGET_DIR", target());
    command
}

/// Whether this runs and succeeds.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Builds with cargo (messages of the compiler go to stderr) and returns the executable of the target with this name.
pub(crate) fn build(name: &str, arguments: &[&str]) -> Result<PathBuf, String> {
    build_with(name, arguments, |_| ())
}

/// The same with a call of cargo that is changed first.
pub(crate) fn build_with(
    name: &str,
    arguments: &[&str],
    change: impl FnOnce(&mut Command),
) -> Result<PathBuf, String> {
    let mut command = cargo(arguments);
    change(&mut command);
    let output = command
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo {} failed", arguments.join(" ")));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let named = format!("\"name\":\"{name}\"");
    let executable = messages.lines().filter(|line| line.contains(&named)).find_map(|line| {
        let (_, path) = line.split_once("\"executable\":\"")?;
        Some(PathBuf::from(path.split_once('"')?.0))
    });
    executable.ok_or_else(|| format!("cargo {} made no program {name}", arguments.join(" ")))
}

/// Builds the Rust peer; `None` while there is none.
pub(crate) fn rust_peer(release: bool) -> Result<Option<PathBuf>, String> {
    if !root().join("examples/Cargo.toml").exists() || !root().join("examples/peer.rs").exists() {
        return Ok(None);
    }
    let mut arguments = vec!["build", "--package", "tightbeam-examples", "--bins", "--examples"];
    if release {
        arguments.push("--release");
    }
    build("peer", &arguments).map(Some)
}

/// Runs a program of the workspace's.
pub(crate) fn run(package: &str, arguments: &[String]) -> Result<(), String> {
    let mut command = cargo(&["run", "--quiet", "--package", package, "--"]);
    match command.args(arguments).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{package}: {status}")),
        Err(error) => Err(format!("cargo: {error}")),
    }
}
