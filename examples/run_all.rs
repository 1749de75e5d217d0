//! Every example runs to its end and says something.

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long an example may take.
const LIMIT: Duration = Duration::from_secs(60);

/// The examples in the manifest. `peer` has tests of its own: it needs somebody to talk to.
fn examples() -> Vec<&'static str> {
    let manifest = include_str!("Cargo.toml");
    let sections = manifest.split("[[example]]").skip(1);
    let names = sections.filter_map(|section| section.split('"').nth(1));
    names.filter(|name| *name != "peer").collect()
}

/// Cargo builds the examples of a package for its tests, beside the directory of the tests.
fn program(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let test = env::current_exe()?;
    let profile = test.ancestors().nth(2).ok_or("the test is not in a target directory")?;
    let program = profile.join("examples").join(name);
    let hint = "is not built: `cargo test --package tightbeam-examples` without `--test` builds it";
    if program.exists() { Ok(program) } else { Err(hint.into()) }
}

fn run(name: &str) -> Result<(), Box<dyn Error>> {
    let mut child =
        Command::new(program(name)?).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let end = Instant::now() + LIMIT;
    while child.try_wait()?.is_none() {
        if Instant::now() > end {
            child.kill()?;
            return Err(format!("still runs after {LIMIT:?}").into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    match output.stdout.is_empty() {
        _ if !output.status.success() => Err(format!("{}: {errors}", output.status).into()),
        true => Err("it said nothing".into()),
        false => Ok(()),
    }
}

#[test]
fn every_example_ends_well() {
    let examples = examples();
    assert!(examples.len() >= 8, "found only {examples:?}");
    let failed: Vec<String> = examples
        .iter()
        .filter_map(|name| run(name).err().map(|error| format!("{name}: {error}")))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// An example is for reading: each file is short, and is listed in the manifest and in the README.
#[test]
fn examples_are_short_and_listed() -> Result<(), Box<dyn Error>> {
    for entry in std::fs::read_dir(env!("CARGO_MANIFEST_DIR"))? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        if !is_rust || ["peer", "run_all"].contains(&name.as_str()) {
            continue;
        }
        assert!(examples().contains(&name.as_str()), "{name}.rs is not in Cargo.toml");
        let link = format!("[{name}]({name}.rs)");
        assert!(include_str!("README.md").contains(&link), "{name}.rs is not in README.md");
        let lines = std::fs::read_to_string(&path)?.lines().count();
        assert!(lines <= 90, "{name}.rs has {lines} lines");
    }
    Ok(())
}
