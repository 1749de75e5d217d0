//! `cargo xtask bench count`: how many instructions a message takes, counted by callgrind, beside those recorded in
//! `counts.md`. Unlike times, they say something on a busy machine.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

/// Messages, or round trips, that are counted.
const COUNT: usize = 2000;
/// Counts of one path, of which the median is taken.
const ROUNDS: usize = 3;
/// A path may grow by this much.
const MARGIN: f64 = 1.02;

const HELP: &str = "\
cargo xtask bench count [--bless]

  --bless   write what is counted to benches/counts.md
";

/// What `tb_count` can do, and what is counted of it.
const PATHS: [(&str, &str); 10] = [
    ("send", "tcp: `send_slice` of 64 B by itself, with its system call"),
    ("send-message", "tcp: `send` of a message of 64 B that is made for it"),
    ("recv", "tcp: `recv_into` of 64 B that have arrived, in turns of 100"),
    ("recv-message", "tcp: `recv` of the same as a message"),
    (
        "round-trip",
        "tcp: `send_slice` and `recv_into` of a REQ; the REP, in another thread, not counted",
    ),
    ("inproc-send", "inproc: `send_slice` of 64 B, in turns of 100"),
    (
        "inproc-send-message",
        "inproc: `send` of a message of 64 B that is made for it, in turns of 100",
    ),
    ("inproc-recv", "inproc: `recv_into` of 64 B, in turns of 100"),
    ("inproc-recv-message", "inproc: `recv` of the same as a message"),
    ("inproc-round-trip", "inproc: REQ and REP in one thread, both counted"),
];

/// A path, as it was counted.
struct Count {
    path: &'static str,
    meaning: &'static str,
    /// Instructions per message.
    measured: f64,
    recorded: Option<f64>,
}

impl Count {
    fn ratio(&self) -> Option<f64> {
        self.recorded.map(|recorded| self.measured / recorded)
    }

    fn has_grown(&self) -> bool {
        self.ratio().is_some_and(|ratio| ratio > MARGIN)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("count: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts everything; fails if a path has grown, or was never recorded.
fn run(arguments: &[String]) -> Result<(), String> {
    let bless = match arguments {
        [] => false,
        [only] if only == "--bless" => true,
        _ => return Err(HELP.to_owned()),
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("counts.md");
    let record = fs::read_to_string(&file).unwrap_or_default();
    let built = built_with();
    let counts = count_all(&record)?;
    print!("{}", comparison(&counts));
    if bless {
        let text = document(&counts, &built);
        return fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()));
    }
    judge(&counts, &record, &built)
}

fn judge(counts: &[Count], record: &str, built: &str) -> Result<(), String> {
    if !record.lines().any(|line| line == built) {
        println!("\nNot binding: the record is not of {built}");
        return Ok(());
    }
    let missing = |count: &&Count| count.recorded.is_none() || count.has_grown();
    let paths: Vec<&str> = counts.iter().filter(missing).map(|count| count.path).collect();
    match paths.as_slice() {
        [] => Ok(()),
        paths => Err(format!(
            "more than 2 % above the record, or not in it: {} (with reason: cargo xtask bench count --bless)",
            paths.join(", ")
        )),
    }
}

fn count_all(record: &str) -> Result<Vec<Count>, String> {
    let own = env::current_exe().map_err(|error| error.to_string())?;
    let program = own.with_file_name("tb_count");
    let count = |(path, meaning)| {
        eprintln!("{path}");
        let measured = median(&program, path)?;
        Ok(Count { path, meaning, measured, recorded: recorded(record, path) })
    };
    PATHS.into_iter().map(count).collect()
}

fn median(program: &PathBuf, path: &str) -> Result<f64, String> {
    let rounds: Result<Vec<u64>, String> = (0..ROUNDS).map(|_| once(program, path)).collect();
    let mut rounds = rounds?;
    rounds.sort_unstable();
    Ok(rounds[ROUNDS / 2] as f64 / COUNT as f64)
}

fn once(program: &PathBuf, path: &str) -> Result<u64, String> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=tb_count::counted*")
        .arg(program)
        .args([path, &COUNT.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected : "));
    let collected = collected.and_then(|(_, number)| number.trim().parse().ok());
    match collected {
        Some(instructions) if output.status.success() && instructions > 0 => Ok(instructions),
        _ => Err(format!("tb_count {path} under valgrind: {}\n{text}", output.status)),
    }
}

/// The figure of a path in the committed table.
fn recorded(record: &str, path: &str) -> Option<f64> {
    let start = format!("| {path} | ");
    let rest = record.lines().find_map(|line| line.strip_prefix(&start))?;
    rest.split(' ').next()?.parse().ok()
}

/// What else decides how many instructions there are.
fn built_with() -> String {
    let first_line = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output().ok();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        text.and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or_default()
    };
    let rustc = first_line("rustc", "--version");
    let libc = first_line("getconf", "GNU_LIBC_VERSION");
    format!("{rustc}, {libc}, {}", env::consts::ARCH)
}

fn comparison(counts: &[Count]) -> String {
    let mut text = "| path | recorded | measured | ratio |\n|---|---|---|---|\n".to_owned();
    for count in counts {
        let recorded = count.recorded.map_or("-".to_owned(), |recorded| format!("{recorded:.1}"));
        let ratio = count.ratio().map_or("-".to_owned(), |ratio| format!("{ratio:.3}"));
        let _ = writeln!(text, "| {} | {recorded} | {:.1} | {ratio} |", count.path, count.measured);
    }
    text
}

fn document(counts: &[Count], built: &str) -> String {
    let mut text = format!(
        "# Instructions per message\n\n\
         Written by `cargo xtask bench count --bless`; README.md says how they are counted. Built with\n\n\
         {built}\n\n\
         | path | instructions | of |\n|---|---|---|\n"
    );
    for count in counts {
        let _ = writeln!(text, "| {} | {:.1} | {} |", count.path, count.measured, count.meaning);
    }
    text
}
