//! The examples in C, built once with our header, on either library: who listens and who connects may be on different ones.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::installed::installed;
use crate::place::{scratch, source};
use crate::tools::run;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum On {
    Ours,
    Debian,
}

/// Which library the listening and the connecting programs run on.
const PAIRS: [(On, On); 3] = [(On::Ours, On::Ours), (On::Ours, On::Debian), (On::Debian, On::Ours)];

/// Whether programs find a libzmq of the system's.
fn has_debian() -> bool {
    let there = Path::new("/usr/include/zmq.h").exists();
    if !there {
        eprintln!("no libzmq of the system: the examples in C are not tried with it");
    }
    there
}

fn build(name: &str) -> PathBuf {
    let program = scratch(&format!("example-{name}"));
    let (prefix, source) = (installed(), source(&format!("../../examples/c/{name}.c")));
    let include = format!("-I{}", prefix.join("include").display());
    let lib = format!("-L{}", prefix.join("lib").display());
    let (program_name, source) = (program.to_string_lossy(), source.to_string_lossy());
    let strict = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"];
    let call = ["cc", "-o", &*program_name, &source, &include, &lib, "-lzmq"];
    run(&[&call[..], &strict].concat(), &[]);
    program
}

/// A running program, which ends within a minute.
struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    fn start(program: &Path, on: On, arguments: &[&str]) -> Self {
        let mut command = Command::new("timeout");
        command.arg("60").arg(program).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        match on {
            On::Ours => command.env("LD_LIBRARY_PATH", installed().join("lib")),
            On::Debian => command.env_remove("LD_LIBRARY_PATH"),
        };
        let mut child = command.spawn().expect("coreutils has `timeout`");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, output }
    }

    /// Where it listens.
    fn endpoint(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it prints UTF-8");
        let endpoint = line.strip_prefix("at ").expect("it says where it listens");
        endpoint.trim().to_owned()
    }

    /// What else it prints until it ends, which must be well.
    fn end(mut self) -> String {
        let mut printed = String::new();
        self.output.read_to_string(&mut printed).expect("it prints UTF-8");
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}: {printed}");
        printed
    }
}

const ANYWHERE: &str = "tcp://127.0.0.1:*";

/// Runs an example on each pair of libraries: the listening role, the connecting one, and what that prints.
fn converse(name: &str, listening: &str, endpoints: usize, connecting: &str, printed: &str) {
    let program = build(name);
    for (one, other) in PAIRS {
        if (one, other) != (On::Ours, On::Ours) && !has_debian() {
            continue;
        }
        let anywhere = vec![ANYWHERE; endpoints];
        let mut server = Running::start(&program, one, &[&[listening], &anywhere[..]].concat());
        let found: Vec<String> = anywhere.iter().map(|_| server.endpoint()).collect();
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        let client = Running::start(&program, other, &[&[connecting], &found[..]].concat());
        assert_eq!(client.end(), printed, "{name}: {one:?} listens, {other:?} connects");
        server.end();
    }
}

#[test]
fn requests_are_replied_to() {
    let printed = "Hello, Ada!\nHello, Grace!\nHello, everybody!\n";
    converse("request_reply", "server", 1, "client", printed);
}

#[test]
fn tasks_go_through_a_pipeline() {
    converse("pipeline", "source", 1, "worker", "the sum is 500500\n");
}

#[test]
fn subscribers_hear_what_they_subscribed_to() {
    let printed = "weather: rain\nweather: sun\nweather: that is all\n";
    converse("publish_subscribe", "publisher", 1, "subscriber", printed);
}

#[test]
fn one_thread_polls_two_sockets() {
    converse("poller", "server", 2, "client", "100 readings have arrived\n");
}

#[test]
fn a_broker_stands_between_clients_and_workers() {
    let program = build("broker");
    for (one, other) in PAIRS {
        if (one, other) != (On::Ours, On::Ours) && !has_debian() {
            continue;
        }
        let mut broker = Running::start(&program, one, &["broker", ANYWHERE, ANYWHERE, ANYWHERE]);
        let [front, back, control] = [(); 3].map(|()| broker.endpoint());
        let worker = Running::start(&program, one, &["worker", &back]);
        let client = Running::start(&program, other, &["client", &front]);
        assert_eq!(client.end(), "once, once\ntwice, twice\nthe end, the end\n");
        worker.end();
        Running::start(&program, other, &["stop", &control]).end();
        broker.end();
    }
}
