//! Who takes part: builds the C programs, finds the Rust one and the library for C.

use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::workload::{Mode, Transport, Workload};

/// A library, or none, with the programs that do the work.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    lat: PathBuf,
    /// The same within one process.
    local_lat: PathBuf,
    rest: PathBuf,
    /// Where the programs find the library that they are run on, if it is not the system's.
    library: Option<PathBuf>,
}

impl Contender {
    pub(crate) fn program(&self, workload: &Workload) -> &Path {
        match (workload.mode, workload.transport) {
            (Mode::Lat, Transport::Inproc) => &self.local_lat,
            (Mode::Lat, _) => &self.lat,
            _ => &self.rest,
        }
    }

    /// Has a program run on this contender's library.
    pub(crate) fn equip(&self, command: &mut Command) {
        if let Some(library) = &self.library {
            command.env("LD_LIBRARY_PATH", library);
        }
    }

    /// There is nothing raw to compare subscriptions and encryption with, nor queues between threads.
    pub(crate) fn takes_part(&self, workload: &Workload) -> bool {
        let Workload { mode, transport, .. } = *workload;
        self.name != "raw"
            || match mode {
                Mode::Lat => true,
                Mode::Thr | Mode::Paced => transport != Transport::Inproc,
                Mode::Match | Mode::Curve => false,
            }
    }
}

/// All contenders that can be had here; those that cannot are named on stderr.
pub(crate) fn find(libzmq: bool) -> Vec<Contender> {
    let own = env::current_exe().unwrap_or_default();
    let beside = own.parent().unwrap_or(Path::new("."));
    let mut found = Vec::new();
    let mut add = |name, programs: Result<[PathBuf; 3], String>, library| match programs {
        Ok([lat, local_lat, rest]) => {
            found.push(Contender { name, lat, local_lat, rest, library });
        }
        Err(reason) => eprintln!("{name} is left out: {reason}"),
    };
    let everything = |program: PathBuf| [program.clone(), program.clone(), program];
    let build = |source, libraries: &[&str]| build(beside, source, libraries);
    let raw = || {
        Ok([
            build("raw_pingpong", &[])?,
            build("raw_futex", &["-pthread"])?,
            build("raw_stream", &[])?,
        ])
    };
    add("raw", raw(), None);
    let zmq_bench = if libzmq {
        build("zmq_bench", &["-lzmq", "-pthread"]).map(everything)
    } else {
        Err("libzmq is not installed".to_owned())
    };
    add("libzmq", zmq_bench.clone(), None);
    let tightbeam = beside.join("tb_bench");
    let there = tightbeam.exists().then(|| everything(tightbeam.clone()));
    add("tightbeam", there.ok_or_else(|| format!("there is no {}", tightbeam.display())), None);
    // The very program that was linked with libzmq.
    match stand_in(beside) {
        Ok(library) => add("tightbeam C", zmq_bench, Some(library)),
        Err(reason) => add("tightbeam C", Err(reason), None),
    }
    found
}

/// A directory in which programs find our library as `libzmq.so.5`.
fn stand_in(beside: &Path) -> Result<PathBuf, String> {
    let library = beside.join("libzmq.so");
    if !library.exists() {
        return Err(format!("there is no {}", library.display()));
    }
    let directory = beside.join("bench-c/lib");
    let link = directory.join("libzmq.so.5");
    let linked = fs::create_dir_all(&directory).and_then(|()| match symlink(&library, &link) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    });
    linked.map_err(|error| format!("{}: {error}", link.display()))?;
    Ok(directory)
}

/// Compiles a program of `benches/c`; quick enough to be done every time.
fn build(beside: &Path, name: &str, libraries: &[&str]) -> Result<PathBuf, String> {
    let directory = beside.join("bench-c");
    fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let program = directory.join(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("c").join(name).with_extension("c");
    let output = Command::new("cc")
        .args(["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-o"])
        .args([&program, &source])
        .args(libraries)
        .output()
        .map_err(|error| format!("cc: {error}"))?;
    if output.status.success() {
        return Ok(program);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("cc {name}.c: {}", errors.lines().next().unwrap_or("failed")))
}
