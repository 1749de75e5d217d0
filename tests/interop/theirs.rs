//! The libzmq peers that this machine has.

use std::env;
use std::io::{Write, stderr};
use std::sync::OnceLock;
use std::time::Duration;

use crate::installed::installed;
use crate::peers::{Peer, Program};

/// How long anything may take that a peer has to do.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);
/// Where peers bind that nobody has to find again.
pub(crate) const ANYWHERE: &str = "tcp://127.0.0.1:*";

/// The C peer, on the system's libzmq.
pub(crate) fn c() -> Option<&'static Program> {
    static C: OnceLock<Option<Program>> = OnceLock::new();
    let missing = "the C peer: it needs cc and libzmq3-dev";
    C.get_or_init(|| found(Program::c(), missing)).as_ref().or_else(|| absent(missing))
}

/// The Python peer, on pyzmq with a libzmq of its own.
pub(crate) fn python() -> Option<&'static Program> {
    static PYTHON: OnceLock<Option<Program>> = OnceLock::new();
    let missing = "the Python peer: `cargo xtask setup` makes .venv with pyzmq";
    PYTHON.get_or_init(|| found(Program::python(), missing)).as_ref().or_else(|| absent(missing))
}

/// The program that asks the system's libzmq about options.
pub(crate) fn options() -> Option<&'static Program> {
    static OPTIONS: OnceLock<Option<Program>> = OnceLock::new();
    let missing = "the questions about options: they need cc and libzmq3-dev";
    OPTIONS
        .get_or_init(|| found(Program::question("options"), missing))
        .as_ref()
        .or_else(|| absent(missing))
}

/// The program that acts scenes with the system's libzmq and tells its monitors' events.
pub(crate) fn monitor() -> Option<&'static Program> {
    static MONITOR: OnceLock<Option<Program>> = OnceLock::new();
    let missing = "libzmq's monitors: they need cc and libzmq3-dev";
    let build = || found(Program::question("monitor"), missing);
    MONITOR.get_or_init(build).as_ref().or_else(|| absent(missing))
}

/// The programs that write and read certificates, as far as they are there: with czmq and with pyzmq.
pub(crate) fn certificates() -> impl Iterator<Item = &'static Program> {
    static C: OnceLock<Option<Program>> = OnceLock::new();
    static PYTHON: OnceLock<Option<Program>> = OnceLock::new();
    let missing = "certificates of czmq: they need cc and libczmq-dev";
    let build = || found(Program::question_of("certificate", &["-lczmq", "-lzmq"]), missing);
    let c = C.get_or_init(build).as_ref().or_else(|| absent(missing));
    let missing = "certificates of pyzmq: `cargo xtask setup` makes .venv with pyzmq";
    let find = || found(Program::python_script("certificate.py"), missing);
    c.into_iter().chain(PYTHON.get_or_init(find).as_ref().or_else(|| absent(missing)))
}

/// The puppets, as far as they are there: on the system's libzmq and on pyzmq's.
pub(crate) fn puppets() -> impl Iterator<Item = &'static Program> {
    static C: OnceLock<Option<Program>> = OnceLock::new();
    static PYTHON: OnceLock<Option<Program>> = OnceLock::new();
    let missing = "the C puppet: it needs cc and libzmq3-dev";
    let c = C.get_or_init(|| found(Program::question("puppet"), missing)).as_ref();
    let c = c.or_else(|| absent(missing));
    let missing = "the Python puppet: `cargo xtask setup` makes .venv with pyzmq";
    let python = PYTHON.get_or_init(|| found(Program::python_puppet(), missing)).as_ref();
    c.into_iter().chain(python.or_else(|| absent(missing)))
}

/// The same puppets on our own library, through its C interface, as far as they are there.
pub(crate) fn puppets_on_ours() -> &'static [Program] {
    static PUPPETS: OnceLock<Vec<Program>> = OnceLock::new();
    PUPPETS.get_or_init(|| {
        puppets()
            .map(|program| match program.language {
                "c" => on_ours(program, "c on ours", "LD_LIBRARY_PATH", "lib"),
                _ => python_on_ours(program),
            })
            .collect()
    })
}

/// pyzmq's authenticator, on its own library and on ours, if it is there.
pub(crate) fn authenticators() -> Option<[Program; 2]> {
    let missing = "pyzmq's authenticator: `cargo xtask setup` makes .venv with pyzmq";
    let Some(program) = found(Program::python_script("auth.py"), missing) else {
        absent(missing);
        return None;
    };
    let on_ours = python_on_ours(&program);
    Some([program, on_ours])
}

/// The wheel brings a libzmq of its own, which ours has to come before.
fn python_on_ours(program: &Program) -> Program {
    on_ours(program, "python on ours", "LD_PRELOAD", "lib/libzmq.so.5")
}

fn on_ours(program: &Program, name: &'static str, variable: &str, path: &str) -> Program {
    let setting = format!("{variable}={}", installed().join(path).display());
    program.clone().under(&["env", &setting]).called(name)
}

/// Both, as far as they are there.
pub(crate) fn all() -> impl Iterator<Item = &'static Program> {
    c().into_iter().chain(python())
}

fn found(program: Option<Program>, missing: &str) -> Option<Program> {
    if program.is_none() {
        // Past the test harness, which would not show it for a test that passes.
        let _ = writeln!(stderr(), "missing: {missing}; tests with it are left out");
    }
    program
}

/// Where everything should be installed, leaving out is failing.
fn absent(missing: &str) -> Option<&'static Program> {
    assert!(env::var_os("CI").is_none(), "missing: {missing}");
    None
}

/// Starts a peer with a command line in one piece, words separated by spaces.
pub(crate) fn start(program: &Program, role_and_type: &str, endpoint: &str, options: &str) -> Peer {
    let mut words: Vec<&str> = role_and_type.split(' ').collect();
    words.push(endpoint);
    words.extend(options.split_whitespace());
    program.start(&words).unwrap_or_else(|error| panic!("{error}"))
}

/// Sends a signal to a peer.
pub(crate) fn signal(peer: &Peer, signal: i32) {
    let id = libc::pid_t::try_from(peer.id()).expect("a process id fits");
    // SAFETY: kill(2) reads nothing of ours.
    let sent = unsafe { libc::kill(id, signal) };
    assert_eq!(sent, 0, "{}", std::io::Error::last_os_error());
}
