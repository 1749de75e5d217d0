//! `cargo xtask test`: every test there is, as a list of steps.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::bench;
use crate::c_tests::under_valgrind;
use crate::demo::check_all;
use crate::fuzz;
use crate::install::c_peer;
use crate::peers::{Program, Side, converse};
use crate::project::{build, cargo, root, rust_peer};
use crate::python;
use crate::setup::{self, Tools};
use crate::steps::{Steps, test_count};
use crate::timing;

/// The limit of a step, building included.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// Valgrind as every memory check runs it: an error or a lost block is a failure.
const VALGRIND: [&str; 6] = [
    "valgrind",
    "--quiet",
    "--error-exitcode=9",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite",
    "--show-leak-kinds=definite",
];

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let mut steps = Steps::new(arguments.iter().any(|argument| argument == "--verbose"));
    let mut tools = None;
    steps.check("set-up", || {
        let found = setup::run();
        let remark = found.missing.join("; ");
        tools = Some(found);
        Ok(remark)
    });
    let tools = tools.ok_or("no set-up")?;
    workspace_tests(&mut steps, &tools);
    models(&mut steps);
    peers(&mut steps, &tools);
    python::test(&mut steps, &tools);
    memory(&mut steps, &tools);
    fuzzing(&mut steps);
    benches(&mut steps, &tools);
    steps.finish()
}

/// The tests of all packages, and those in the documentation.
fn workspace_tests(steps: &mut Steps, tools: &Tools) {
    let models = model_package();
    let except: Vec<&str> = models.iter().flat_map(|name| ["--exclude", name]).collect();
    let call = |words: &[&str]| {
        let mut command = cargo(words);
        command.args(&except);
        tools.tell(&mut command);
        command
    };
    if tools.nextest {
        // What a failed test says comes last: of a long log only the end is printed.
        let says = "--failure-output=immediate-final";
        let words = ["nextest", "run", "--workspace", "--no-tests=pass", "--no-fail-fast", says];
        steps.command("tests of the workspace", LIMIT, call(&words));
        steps.command("tests in the docs", LIMIT, call(&["test", "--workspace", "--doc"]));
    } else {
        let words = ["test", "--workspace", "--no-fail-fast"];
        steps.command("tests of the workspace", LIMIT, call(&words));
    }
}

/// The models of the hand-over: a package of their own, in release because they try millions of interleavings.
fn models(steps: &mut Steps) {
    const NAME: &str = "model checks (release)";
    match model_package() {
        Some(package) => {
            let words = ["test", "--release", "--no-fail-fast", "--package", &package];
            steps.command(NAME, LIMIT, cargo(&words));
        }
        None => steps.skip(NAME, "there is no tests/model"),
    }
}

/// The name of the package in `tests/model`.
fn model_package() -> Option<String> {
    let manifest = fs::read_to_string(root().join("tests/model/Cargo.toml")).ok()?;
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = \""))?;
    Some(name.trim_end_matches('"').to_owned())
}

/// Peers of all languages with each other. Those without Rust check the peers themselves.
fn peers(steps: &mut Steps, tools: &Tools) {
    const NAME: &str = "peers of all languages";
    let mut programs = tools.programs();
    let mut rust = Ok(None);
    steps.check("the Rust peer", || {
        rust = rust_peer(false);
        rust.clone().map(|peer| if peer.is_some() { "" } else { "there is none yet" }.to_owned())
    });
    if let Ok(Some(peer)) = rust {
        programs.insert(0, Program::new("rust", peer));
    }
    steps.check("the C peer on our library", || {
        let peer = c_peer(false)?;
        programs.push(Program::new("capi", peer));
        Ok(String::new())
    });
    if programs.is_empty() {
        return steps.skip(NAME, "there are none");
    }
    let languages: Vec<&str> = programs.iter().map(|program| program.language).collect();
    let remark = languages.join(", ");
    steps.check(NAME, || check_all(&programs).map(|()| remark));
}

/// Valgrind over the unsafe parts' own tests, over the C tests, and over a Rust peer that talks with libzmq.
fn memory(steps: &mut Steps, tools: &Tools) {
    if !tools.valgrind {
        return steps.skip("valgrind", "it is not installed");
    }
    steps.check("valgrind: the unit tests of message and buffers", || {
        let words = ["test", "--package", "tightbeam", "--lib", "--no-run"];
        let tests = build("tightbeam", &words)?;
        let mut command = Command::new(VALGRIND[0]);
        command.args(&VALGRIND[1..]).arg(tests).args(["message::", "pipe::", "--test-threads=1"]);
        let output = command.output().map_err(|error| error.to_string())?;
        let log = [output.stdout, output.stderr].concat();
        let log = String::from_utf8_lossy(&log);
        match test_count(&log) {
            // A filter that fits no test any more must not look like a success.
            0 => Err(log.into_owned()),
            tests if output.status.success() => Ok(format!("{tests} tests")),
            _ => Err(log.into_owned()),
        }
    });
    steps.check("valgrind: the C tests on our library", || under_valgrind(&VALGRIND));
    steps.check("valgrind: nothing depends on keys", timing::check);
    const PEERS: &str = "valgrind: a Rust peer with libzmq";
    let c = tools.programs().into_iter().find(|program| program.language == "c");
    let (Some(c), Ok(Some(rust))) = (c, rust_peer(false)) else {
        return steps.skip(PEERS, "one of the two is missing");
    };
    let rust = Program::new("rust under valgrind", rust).under(&VALGRIND);
    steps.check(PEERS, || {
        for (rust_side, c_side, size) in MEMORY_PAIRS {
            let options = ["--count", "100", "--size", size];
            let side = |program, (role, socket_type)| Side {
                program,
                role,
                socket_type,
                options: &options,
            };
            let (rust, c) = (side(&rust, rust_side), side(&c, c_side));
            converse("tcp://127.0.0.1:*", &rust, &c, Duration::from_secs(120))?;
        }
        Ok(format!("{} conversations", MEMORY_PAIRS.len()))
    });
}

type RoleAndType = (&'static str, &'static str);

/// What the Rust peer does under valgrind, what the C peer does, and with parts of which size.
const MEMORY_PAIRS: [(RoleAndType, RoleAndType, &str); 6] = [
    (("echo", "rep"), ("ask", "req"), "64"),
    (("ask", "req"), ("echo", "rep"), "100000"),
    (("echo", "router"), ("ask", "dealer"), "1000"),
    (("sink", "pull"), ("source", "push"), "100000"),
    (("source", "push"), ("sink", "pull"), "20"),
    (("source", "pub"), ("sink", "sub"), "64"),
];

/// A short search in each target. What was found before is replayed by the tests of the workspace.
fn fuzzing(steps: &mut Steps) {
    const NAME: &str = "fuzzing (short)";
    if !fuzz::is_possible() {
        return steps.skip(NAME, "there is no C++ compiler for libFuzzer");
    }
    steps.check(NAME, || fuzz::search_all(Duration::from_secs(4)));
}

/// The comparison with a handful of messages, without rivals: it must not rot between the runs that count.
fn benches(steps: &mut Steps, tools: &Tools) {
    let mut harness = Err(String::new());
    steps.check("the comparison's harness", || {
        harness = bench::harness(false);
        harness.clone().map(|_| String::new())
    });
    if let Ok(harness) = harness {
        steps.command("comparison (smoke)", LIMIT, bench::smoke(&harness, tools));
    }
}
