//! Named steps with a log each, a limit, and a table at the end.

use std::fs::{self, File};
use std::io::{IsTerminal, stdin};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::project::{succeeds, target};

/// How much of a failed step's log is printed.
const TAIL_LINES: usize = 80;

enum Outcome {
    Passed(String),
    Failed,
    Skipped(String),
}

/// Runs steps and remembers how they went.
pub(crate) struct Steps {
    verbose: bool,
    results: Vec<(String, Outcome, Duration)>,
}

impl Steps {
    pub(crate) fn new(verbose: bool) -> Self {
        Self { verbose, results: Vec::new() }
    }

    /// Leaves a step out.
    pub(crate) fn skip(&mut self, name: &str, reason: &str) {
        println!("==> {name}: skipped, {reason}");
        self.results.push((name.to_owned(), Outcome::Skipped(reason.to_owned()), Duration::ZERO));
    }

    /// Runs a function; what it returns is a remark for the table, or the reason of the failure.
    pub(crate) fn check(&mut self, name: &str, step: impl FnOnce() -> Result<String, String>) {
        println!("==> {name}");
        let started = Instant::now();
        let outcome = match step() {
            Ok(remark) => Outcome::Passed(remark),
            Err(error) => {
                println!("{error}");
                Outcome::Failed
            }
        };
        self.record(name, outcome, started.elapsed());
    }

    /// Runs a program; it fails if that fails or takes longer than the limit.
    pub(crate) fn command(&mut self, name: &str, limit: Duration, mut command: Command) {
        let verbose = self.verbose;
        self.check(name, || {
            let log = log_path(name)?;
            let mut child = start(&mut command, &log, verbose)?;
            let result = wait(&mut child, limit);
            if let Err(error) = &result {
                print_tail(&log);
                return Err(format!(
                    "{name} failed: {error}; all of its output: {}",
                    log.display()
                ));
            }
            let output = fs::read(&log).unwrap_or_default();
            let tests = test_count(&String::from_utf8_lossy(&output));
            Ok(if tests == 0 { String::new() } else { format!("{tests} tests") })
        });
    }

    fn record(&mut self, name: &str, outcome: Outcome, took: Duration) {
        let word = match &outcome {
            Outcome::Passed(_) => "ok",
            Outcome::Failed => "FAILED",
            Outcome::Skipped(_) => "skipped",
        };
        println!("    {word}, {:.1} s", took.as_secs_f64());
        self.results.push((name.to_owned(), outcome, took));
    }

    /// Prints the table; an error if a step failed.
    pub(crate) fn finish(self) -> Result<(), String> {
        let width = self.results.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        println!();
        let mut failed = Vec::new();
        for (name, outcome, took) in &self.results {
            let (word, remark) = match outcome {
                Outcome::Passed(remark) => ("ok", remark.as_str()),
                Outcome::Failed => ("FAILED", ""),
                Outcome::Skipped(reason) => ("skipped", reason.as_str()),
            };
            println!("{name:width$}  {word:7}  {:7.1} s  {remark}", took.as_secs_f64());
            if matches!(outcome, Outcome::Failed) {
                failed.push(name.as_str());
            }
        }
        match failed.as_slice() {
            [] => Ok(()),
            names => Err(format!("failed: {}", names.join(", "))),
        }
    }
}

fn log_path(name: &str) -> Result<PathBuf, String> {
    let directory = target().join("xtask-logs");
    fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let file: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    Ok(directory.join(file).with_extension("log"))
}

fn start(command: &mut Command, log: &Path, verbose: bool) -> Result<Child, String> {
    let file = File::create(log).map_err(|error| format!("{}: {error}", log.display()))?;
    if !verbose {
        let other = file.try_clone().map_err(|error| format!("{}: {error}", log.display()))?;
        command.stdout(file).stderr(other);
    }
    // In a group of its own so that a limit ends all of it; at a terminal Ctrl-C has to reach it.
    if !stdin().is_terminal() {
        command.process_group(0);
    }
    let program = command.get_program().display().to_string();
    command.stdin(Stdio::null()).spawn().map_err(|error| format!("{program}: {error}"))
}

fn wait(child: &mut Child, limit: Duration) -> Result<(), String> {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(status.to_string()),
            Ok(None) => thread::sleep(Duration::from_millis(20)),
            Err(error) => return Err(error.to_string()),
        }
    }
    if !stdin().is_terminal() {
        succeeds("kill", &["-KILL", "--", &format!("-{}", child.id())]);
    }
    let _ = child.kill();
    let _ = child.wait();
    Err(format!("it took longer than {limit:?}"))
}

fn print_tail(log: &Path) {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    for line in &lines[lines.len().saturating_sub(TAIL_LINES)..] {
        println!("    | {line}");
    }
}

/// How many tests passed, as far as the output tells: lines of `cargo test` and of nextest.
pub(crate) fn test_count(output: &str) -> u32 {
    let before = |line: &str, word: &str| -> Option<u32> {
        line.split_once(word)?.0.split_whitespace().last()?.parse().ok()
    };
    let summaries = output.lines().filter(|line| {
        line.starts_with("test result:")
            || line.trim_start().starts_with("Summary")
            || (line.contains(" passed") && line.contains(" in ") && line.ends_with('s'))
    });
    summaries.filter_map(|line| before(line, " passed")).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_in_every_format() {
        let output = "\
            test result: ok. 12 passed; 0 failed; 0 ignored\n\
            \x20    Summary [   0.5s] 30 tests run: 30 passed, 0 skipped\n\
            7 passed in 1.20s\n";
        assert_eq!(test_count(output), 49);
    }

    #[test]
    fn a_failed_step_fails_the_whole() {
        let mut steps = Steps::new(false);
        steps.command("a step that passes", Duration::from_secs(10), Command::new("true"));
        steps.command("a step that fails", Duration::from_secs(10), Command::new("false"));
        steps.skip("a step left out", "for a reason");
        assert_eq!(steps.finish(), Err("failed: a step that fails".to_owned()));
    }

    #[test]
    fn a_step_that_takes_too_long_is_ended() {
        let mut steps = Steps::new(false);
        let mut command = Command::new("sleep");
        command.arg("30");
        steps.command("a step that hangs", Duration::from_millis(100), command);
        assert!(steps.finish().is_err());
    }
}
