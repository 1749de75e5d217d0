//! Who takes part: builds the C programs, finds those in Rust and our library for C.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::machine;
use super::workload::{Group, Transport, Workload};

/// A library, or none, with the program that does the work.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    programs: Programs,
    /// Where the program finds the library that it is run on, if it is not the system's.
    library: Option<PathBuf>,
    /// Whether a run that fails makes the comparison fail.
    pub(crate) is_ours: bool,
}

#[derive(Clone, Debug)]
enum Programs {
    One(PathBuf),
    Raw { pingpong: PathBuf, futex: PathBuf, stream: PathBuf, ring: PathBuf },
}

/// The rivals in Rust: what they are called, and their packages.
const RIVALS: [(&str, &str); 5] = [
    ("omq", "omq-tokio"),
    ("omq exclusive", "omq-tokio"),
    ("monocoque", "monocoque-rs"),
    ("rzmq", "rzmq"),
    ("zeromq", "zeromq"),
];

impl Contender {
    /// The program that does this, if there is one.
    pub(crate) fn program(&self, workload: &Workload) -> Option<&Path> {
        let (pingpong, futex, stream, ring) = match &self.programs {
            Programs::One(program) => return Some(program),
            Programs::Raw { pingpong, futex, stream, ring } => (pingpong, futex, stream, ring),
        };
        let inproc = workload.transport == Transport::Inproc;
        match workload.group {
            Group::RoundTrip if inproc => workload.pair.then_some(futex),
            Group::RoundTrip => Some(pingpong),
            Group::Stream if workload.parts > 1 => None,
            Group::Stream if inproc => Some(ring),
            Group::Stream | Group::Paced => Some(stream),
            _ => None,
        }
        .map(PathBuf::as_path)
    }

    /// Has a program run on this contender's library.
    pub(crate) fn equip(&self, command: &mut Command) {
        match &self.library {
            Some(library) => command.env("LD_LIBRARY_PATH", library),
            None => command.env_remove("LD_LIBRARY_PATH"),
        };
    }

    /// Whether a running program of this contender's has the library that it is meant to have.
    pub(crate) fn is_on_its_library(&self, process: u32) -> bool {
        let Some(library) = &self.library else { return true };
        let Ok(linked) = fs::canonicalize(library.join("libzmq.so.5")) else { return false };
        let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
        // One that has ended since has none; longer runs of the same program tell.
        maps.is_empty() || maps.contains(&*linked.to_string_lossy())
    }
}

/// What is to take part.
pub(crate) struct Wanted {
    pub(crate) libzmq: bool,
    pub(crate) rivals: bool,
}

/// All contenders that can be had here, and a line for each that cannot.
pub(crate) fn find(wanted: &Wanted, beside: &Path) -> (Vec<Contender>, Vec<String>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    let mut add = |name, is_ours, version: String, programs: Result<Programs, String>, library| {
        match programs {
            Ok(programs) => found.push(Contender { name, version, programs, library, is_ours }),
            Err(reason) => missing.push(format!("{name} is left out: {reason}")),
        }
    };
    add("raw", true, "C".to_owned(), raw(beside), None);
    let zmq = if wanted.libzmq {
        build(beside, "zmq", &["-lzmq", "-pthread"]).map(Programs::One)
    } else {
        Err("it is not installed".to_owned())
    };
    add("libzmq", false, machine::libzmq_version(), zmq.clone(), None);
    let ours = machine::tightbeam_version();
    add("Tightbeam", true, ours.clone(), there(beside.join("compare-tightbeam")), None);
    // The very program that was linked with libzmq.
    match stand_in(beside) {
        Ok(library) => add("Tightbeam C", true, ours.clone(), zmq, Some(library)),
        Err(reason) => add("Tightbeam C", true, ours.clone(), Err(reason), None),
    }
    let futures = there(beside.join("compare-tightbeam-futures"));
    add("Tightbeam futures", true, ours, futures, None);
    for (name, package) in RIVALS.iter().filter(|_| wanted.rivals) {
        let program = there(beside.join(format!("compare-{}", name.replace(' ', "-"))));
        add(name, false, machine::locked_version(package), program, None);
    }
    (found, missing)
}

fn raw(beside: &Path) -> Result<Programs, String> {
    Ok(Programs::Raw {
        pingpong: build(beside, "raw_pingpong", &[])?,
        futex: build(beside, "raw_futex", &["-pthread"])?,
        stream: build(beside, "raw_stream", &[])?,
        ring: build(beside, "raw_ring", &["-pthread"])?,
    })
}

fn there(program: PathBuf) -> Result<Programs, String> {
    if program.exists() {
        return Ok(Programs::One(program));
    }
    Err(format!("there is no {}: it was not built", program.display()))
}

/// A directory in which programs find our library as `libzmq.so.5`.
fn stand_in(beside: &Path) -> Result<PathBuf, String> {
    let library = beside.join("libzmq.so");
    if !library.exists() {
        return Err(format!("there is no {}", library.display()));
    }
    let directory = beside.join("compare-c/lib");
    let link = directory.join("libzmq.so.5");
    let linked = fs::create_dir_all(&directory).and_then(|()| match symlink(&library, &link) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    });
    linked.map_err(|error| format!("{}: {error}", link.display()))?;
    Ok(directory)
}

/// Compiles a program of `c/`, a file or a directory of them; quick enough to be done every time.
fn build(beside: &Path, name: &str, libraries: &[&str]) -> Result<PathBuf, String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("c");
    let directory = beside.join("compare-c");
    fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let program = directory.join(name);
    let source = sources.join(name);
    let files = match fs::read_dir(&source) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(_) => vec![source.with_extension("c")],
    };
    let mut command = Command::new("cc");
    command.args(["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-o"]).arg(&program);
    command.args(files.iter().filter(|file| file.extension().is_some_and(|e| e == "c")));
    let output = command.args(libraries).output().map_err(|error| format!("cc: {error}"))?;
    if output.status.success() {
        return Ok(program);
    }
    let log = String::from_utf8_lossy(&output.stderr);
    Err(format!("cc: {}", log.lines().find(|line| line.contains("error")).unwrap_or(&log)))
}
