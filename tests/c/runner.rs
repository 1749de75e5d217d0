//! What cargo and nextest ask of a test program, for tests that are found when it runs.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;
use std::{env, io, thread};

/// A test: its name, and what it does.
pub(crate) struct Trial {
    pub(crate) name: String,
    /// Not run unless that is asked for.
    pub(crate) ignored: bool,
    pub(crate) run: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// The command line of a test program, as far as tools use it.
#[derive(Default)]
pub(crate) struct Arguments {
    list: bool,
    /// Names are compared whole.
    pub(crate) exact: bool,
    only_ignored: bool,
    include_ignored: bool,
    quiet: bool,
    threads: Option<usize>,
    names: Vec<String>,
    skipped: Vec<String>,
}

impl Arguments {
    pub(crate) fn from_env() -> Self {
        let mut arguments = Self::default();
        let mut words = env::args().skip(1);
        while let Some(word) = words.next() {
            let (word, value) = match word.split_once('=') {
                Some((option, value)) if option.starts_with("--") => {
                    (option.to_owned(), Some(value.to_owned()))
                }
                _ => (word, None),
            };
            let mut value = || value.clone().or_else(|| words.next()).unwrap_or_default();
            match word.as_str() {
                "--list" => arguments.list = true,
                "--exact" => arguments.exact = true,
                "--ignored" => arguments.only_ignored = true,
                "--include-ignored" => arguments.include_ignored = true,
                "--quiet" | "-q" => arguments.quiet = true,
                "--test-threads" => arguments.threads = value().parse().ok(),
                "--skip" => arguments.skipped.push(value()),
                "--format" | "--color" | "--logfile" | "-Z" => drop(value()),
                // The others change what is shown of tests' own output.
                option if option.starts_with('-') => {}
                name => arguments.names.push(name.to_owned()),
            }
        }
        arguments
    }

    fn wants(&self, trial: &Trial) -> bool {
        let fits = |pattern: &String| {
            if self.exact { trial.name == *pattern } else { trial.name.contains(pattern.as_str()) }
        };
        (self.names.is_empty() || self.names.iter().any(fits))
            && !self.skipped.iter().any(fits)
            && (trial.ignored || !self.only_ignored)
    }
}

/// Lists or runs those that are asked for.
pub(crate) fn run(arguments: &Arguments, mut trials: Vec<Trial>) -> ExitCode {
    let all = trials.len();
    trials.retain(|trial| arguments.wants(trial));
    if arguments.list {
        for trial in &trials {
            println!("{}: test", trial.name);
        }
        return ExitCode::SUCCESS;
    }
    let filtered = all - trials.len();
    let started = Instant::now();
    let (to_run, ignored): (Vec<_>, Vec<_>) = trials
        .into_iter()
        .partition(|trial| !trial.ignored || arguments.only_ignored || arguments.include_ignored);
    println!("\nrunning {} tests", to_run.len());
    let failures = run_all(arguments, &to_run);
    for (name, error) in &failures {
        println!("\n---- {name} ----\n{error}");
    }
    let outcome = if failures.is_empty() { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {outcome}. {} passed; {} failed; {} ignored; 0 measured; {filtered} filtered out; finished in {:.2}s\n",
        to_run.len() - failures.len(),
        failures.len(),
        ignored.len(),
        started.elapsed().as_secs_f64(),
    );
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

/// Runs them, several at once; answers the names and reasons of those that failed.
fn run_all(arguments: &Arguments, trials: &[Trial]) -> Vec<(String, String)> {
    // They wait more than they compute.
    let by_default = thread::available_parallelism().map_or(1, usize::from) * 2;
    let left = Mutex::new(trials.iter());
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..arguments.threads.unwrap_or(by_default).max(1) {
            scope.spawn(|| {
                loop {
                    let next = left.lock().expect("no test panics with this lock").next();
                    let Some(trial) = next else { break };
                    let result = (trial.run)();
                    let word = if result.is_ok() { "ok" } else { "FAILED" };
                    if !arguments.quiet || result.is_err() {
                        let _ = writeln!(io::stdout(), "test {} ... {word}", trial.name);
                    }
                    if let Err(error) = result {
                        let mut failures = failures.lock().expect("no test panics with this lock");
                        failures.push((trial.name.clone(), error));
                    }
                }
            });
        }
    });
    failures.into_inner().expect("no test panics with this lock")
}
