//! Who takes part: builds the C programs, finds the Rust one.

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
}

impl Contender {
    pub(crate) fn program(&self, workload: &Workload) -> &Path {
        match (workload.mode, workload.transport) {
            (Mode::Lat, Transport::Inproc) => &self.local_lat,
            (Mode::Lat, _) => &self.lat,
            _ => &self.rest,
        }
    }

    /// There is nothing raw to compare subscriptions with, nor queues between threads.
    pub(crate) fn takes_part(&self, workload: &Workload) -> bool {
        let Workload { mode, transport, .. } = *workload;
        self.name != "raw"
            || (mode != Mode::Match && (mode == Mode::Lat || transport != Transport::Inproc))
    }
}

/// All contenders that can be had here; those that cannot are named on stderr.
pub(crate) fn find(libzmq: bool) -> Vec<Contender> {
    let own = env::current_exe().unwrap_or_default();
    let beside = own.parent().unwrap_or(Path::new("."));
    let mut found = Vec::new();
    let mut add = |name, programs: Result<[PathBuf; 3], String>| match programs {
        Ok([lat, local_lat, rest]) => found.push(Contender { name, lat, local_lat, rest }),
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
    add("raw", raw());
    if libzmq {
        add("libzmq", build("zmq_bench", &["-lzmq", "-pthread"]).map(everything));
    } else {
        add("libzmq", Err("it is not installed".to_owned()));
    }
    let tightbeam = beside.join("tb_bench");
    let there = tightbeam.exists().then(|| everything(tightbeam.clone()));
    add("tightbeam", there.ok_or_else(|| format!("there is no {}", tightbeam.display())));
    found
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
