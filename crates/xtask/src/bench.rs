//! `cargo xtask bench`: builds what is to be measured in release, and runs what measures it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::project::{build, build_with, root, target};
use crate::setup::{self, Tools};

const HELP: &str = "\
cargo xtask bench compare [...]   beside raw sockets, libzmq and other implementations (`bench compare --help`)
cargo xtask bench python [...]    the Python module beside pyzmq and pyomq (`bench python --help`)
cargo xtask bench count [--bless] instructions per message beside those in benches/counts.md
";

/// Goes before everything else that runs at an ordinary priority: `nice` counts only within a session where the kernel
/// groups processes by session, so the session gets its share as well.
const URGENT: [&str; 5] = [
    "setsid",
    "--wait",
    "sh",
    "-c",
    "echo -20 >/proc/self/autogroup; exec nice -n -20 \"$0\" \"$@\"",
];

/// Features of `benches/compare`, and the programs that each builds.
const RIVALS: [(&str, &[&str]); 4] = [
    ("omq", &["compare-omq", "compare-omq-exclusive"]),
    ("monocoque", &["compare-monocoque"]),
    ("rzmq", &["compare-rzmq"]),
    ("zeromq", &["compare-zeromq"]),
];

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    match arguments.split_first() {
        Some((first, rest)) if first == "compare" => compare(rest),
        Some((first, rest)) if first == "python" => python(rest),
        Some((first, rest)) if first == "count" => {
            setup::run();
            let words = ["build", "--release", "--package", "tightbeam-benches", "--bins"];
            let count = build("bench-count", &words)?;
            judge("bench count", Command::new(count).args(rest).status())
        }
        _ => Err(HELP.to_owned()),
    }
}

fn compare(arguments: &[String]) -> Result<(), String> {
    let tools = setup::run();
    let harness = harness(true)?;
    let said = |word: &str| arguments.iter().any(|argument| argument == word);
    if !said("--without-rivals") && !said("--list") && !said("--help") {
        RIVALS.into_iter().for_each(build_rival);
    }
    let mut command = measuring(&harness, arguments);
    if !tools.libzmq {
        command.arg("--without-libzmq");
    }
    judge("bench compare", command.status())
}

/// In the project's own Python, with the module built in release.
fn python(arguments: &[String]) -> Result<(), String> {
    let python = setup::run().python.ok_or("there is no .venv")?;
    let module = root().join("bindings/python");
    let mut install = Command::new(python.with_file_name("maturin"));
    install.args(["develop", "--quiet", "--release"]).current_dir(&module);
    install.env("CARGO_TARGET_DIR", target()).env("VIRTUAL_ENV", root().join(".venv"));
    judge("maturin", install.env_remove("PYO3_PYTHON").status())?;
    let program = module.join("benchmarks/bench.py").display().to_string();
    let words: Vec<String> = [program].into_iter().chain(arguments.iter().cloned()).collect();
    judge("bench python", measuring(&python, &words).status())
}

/// A program that measures, with its arguments but `--urgent`, which says to run it before all others.
fn measuring(program: &Path, arguments: &[String]) -> Command {
    let mut command = if arguments.iter().any(|argument| argument == "--urgent") {
        let mut command = Command::new(URGENT[0]);
        command.args(&URGENT[1..]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.args(arguments.iter().filter(|argument| *argument != "--urgent"));
    command
}

/// The harness with what is ours of the contenders, in the target directory of the workspace.
pub(crate) fn harness(release: bool) -> Result<PathBuf, String> {
    let profile = if release { &["--release"][..] } else { &[] };
    let library = ["build", "--package", "tightbeam-capi", "--lib"];
    let status = crate::project::cargo(&library).args(profile).status();
    judge("the library for C", status)?;
    // Our futures are measured on tokio.
    let mut words = vec!["build", "--bins", "--features", "tokio"];
    words.extend(profile);
    build_with("compare", &words, in_its_workspace)
}

/// Without one that does not build, the comparison says so.
fn build_rival((feature, programs): (&str, &[&str])) {
    let mut words = vec!["build", "--release", "--features", feature];
    programs.iter().for_each(|program| words.extend(["--bin", program]));
    if let Err(error) = build_with(programs[0], &words, in_its_workspace) {
        eprintln!("{error}");
    }
}

fn in_its_workspace(command: &mut Command) {
    command.current_dir(root().join("benches/compare"));
}

/// The smoke run: a handful of messages with each kind of work.
pub(crate) fn smoke(harness: &Path, tools: &Tools) -> Command {
    let mut command = Command::new(harness);
    command.args(["--smoke", "--without-rivals"]);
    if !tools.libzmq {
        command.arg("--without-libzmq");
    }
    command
}

fn judge(what: &str, status: std::io::Result<ExitStatus>) -> Result<(), String> {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{what}: {status}")),
        Err(error) => Err(format!("{what}: {error}")),
    }
}
