//! `cargo xtask fuzz`: the targets of `tests/fuzz` under libFuzzer, which is built with them. Nothing is installed: the
//! compiler's own counters serve, without a sanitizer.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::project::{build_with, root, succeeds, target};
use crate::setup;

const HELP: &str = "\
cargo xtask fuzz [--time SECONDS] [--keep] [TARGET]...

Looks for inputs that break a promise, in each target for so long (60 s). Those found go to target/fuzz-found; --keep puts
inputs that reach further than all before into tests/fuzz/corpus. tests/fuzz/README.md lists the targets.
";

/// Targets with seals: a fuzzer that sees what they are compared with forges them.
const SEALED: [&str; 4] = ["curve_client", "curve_server", "sealed", "session"];

/// What one input may take, in seconds and in MiB.
const LIMITS: [&str; 2] = ["-timeout=20", "-rss_limit_mb=2048"];

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let (mut seconds, mut keep, mut wanted) = (60, false, Vec::new());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--time" => {
                let value = arguments.next().and_then(|value| value.parse().ok());
                seconds = value.ok_or("--time needs a number of seconds")?;
            }
            "--keep" => keep = true,
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(());
            }
            name => wanted.push(name),
        }
    }
    let all = targets()?;
    if let Some(name) = wanted.iter().find(|name| !all.iter().any(|known| known == *name)) {
        return Err(format!("no target {name:?}; there are: {}", all.join(", ")));
    }
    setup::run();
    let fuzzer = Fuzzer::build()?;
    for name in all.iter().filter(|name| wanted.is_empty() || wanted.contains(&name.as_str())) {
        println!("{}", fuzzer.search(name, Duration::from_secs(seconds))?);
        if keep {
            fuzzer.keep(name)?;
        }
    }
    Ok(())
}

/// All targets, each for so long; how many inputs were tried.
pub(crate) fn search_all(each: Duration) -> Result<String, String> {
    let fuzzer = Fuzzer::build()?;
    let all = targets()?;
    for name in &all {
        println!("    {}", fuzzer.search(name, each)?);
    }
    Ok(format!("{} targets, {} s each", all.len(), each.as_secs()))
}

/// Whether the engine can be built here.
pub(crate) fn is_possible() -> bool {
    succeeds("c++", &["--version"])
}

/// The names of the targets, which are those of their corpora.
fn targets() -> Result<Vec<String>, String> {
    let path = root().join("tests/fuzz/corpus");
    let entries = fs::read_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.collect();
    names.sort();
    Ok(names)
}

/// The program that has all targets in it.
struct Fuzzer(PathBuf);

impl Fuzzer {
    fn build() -> Result<Fuzzer, String> {
        let words = [
            "build",
            "--profile",
            "fuzz",
            "--package",
            "tightbeam-fuzz",
            "--bin",
            "fuzz",
            "--features",
            "libfuzzer",
        ];
        let wrapper = root().join("tests/fuzz/rustc");
        build_with("fuzz", &words, |cargo| {
            cargo.env("RUSTC_WORKSPACE_WRAPPER", &wrapper);
        })
        .map(Fuzzer)
    }

    /// Runs a target and answers what came of it in a line.
    fn search(&self, name: &str, time: Duration) -> Result<String, String> {
        let found = found(name)?;
        let log = found.with_extension("log");
        let output = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = self.command(name);
        command
            .arg(format!("-max_total_time={}", time.as_secs()))
            .arg(format!("-dict={}", root().join("tests/fuzz/dictionary").display()))
            .arg(format!("-artifact_prefix={}-", found.display()))
            .args(["-print_final_stats=1", "-reload=0"])
            .arg(format!("-use_cmp={}", u8::from(!SEALED.contains(&name))))
            .args([&found, &corpus(name)])
            .stderr(output);
        let status = command.status().map_err(|error| format!("the fuzzer: {error}"))?;
        let said = fs::read(&log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        if !status.success() {
            let lines: Vec<&str> = said.lines().collect();
            let tail = lines[lines.len().saturating_sub(60)..].join("\n");
            return Err(format!("{tail}\n{name} has a finding; all of it: {}", log.display()));
        }
        let stat = |key: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(key));
            line.map_or("?", |line| line.trim_start_matches(':').trim()).to_owned()
        };
        let (tried, rate) = (stat("number_of_executed_units"), stat("average_exec_per_sec"));
        Ok(format!("{name:14} {tried:>10} inputs tried, {rate} a second, no finding"))
    }

    /// Adds to the corpus what reaches code that nothing in it reaches; how often is not asked, so that it stays small.
    fn keep(&self, name: &str) -> Result<(), String> {
        let mut command = self.command(name);
        command
            .args(["-merge=1", "-use_counters=0", "-max_len=600"])
            .args([&corpus(name), &found(name)?]);
        let output = command.output().map_err(|error| format!("the fuzzer: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(())
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.0);
        command.args(LIMITS).env("FUZZ_TARGET", name).current_dir(target());
        command
    }
}

fn corpus(name: &str) -> PathBuf {
    root().join("tests/fuzz/corpus").join(name)
}

/// The directory for what is found.
fn found(name: &str) -> Result<PathBuf, String> {
    let path = target().join("fuzz-found").join(name);
    fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}
