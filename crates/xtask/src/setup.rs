//! Installs what the other tasks need: libzmq, valgrind and a Python of the project's own with pyzmq. Quick when all is there;
//! what cannot be had is said in one line, with what will be left out because of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::project::{root, succeeds, target};
use crate::{peers, project};

/// What this machine offers after set-up.
#[derive(Debug)]
pub(crate) struct Tools {
    /// The project's own Python, with pyzmq.
    pub(crate) python: Option<PathBuf>,
    /// The directory with the C peer and `peer.py`.
    pub(crate) peers: Option<PathBuf>,
    pub(crate) libzmq: bool,
    pub(crate) valgrind: bool,
    pub(crate) nextest: bool,
    /// One line for each thing that is missing.
    pub(crate) missing: Vec<String>,
}

impl Tools {
    pub(crate) fn print(&self) {
        let python = self.python.as_ref().map(|path| path.display().to_string());
        println!("python with pyzmq  {}", python.as_deref().unwrap_or("-"));
        let peers = self.peers.as_ref().map(|path| path.display().to_string());
        println!("C peers            {}", peers.as_deref().unwrap_or("-"));
        println!("valgrind           {}", if self.valgrind { "yes" } else { "-" });
        println!("cargo-nextest      {}", if self.nextest { "yes" } else { "no, cargo test" });
    }

    /// Tells tests where the peers are.
    pub(crate) fn tell(&self, command: &mut Command) {
        if let Some(python) = &self.python {
            command.env("TIGHTBEAM_PYTHON", python);
        }
        if let Some(peers) = &self.peers {
            command.env("TIGHTBEAM_PEERS", peers);
        }
    }

    /// The C and the Python peer, as far as they are there.
    pub(crate) fn programs(&self) -> Vec<peers::Program> {
        let Some(directory) = peers::directory() else { return Vec::new() };
        let c = self.peers.as_ref().map(|dir| peers::Program::new("c", dir.join("peer")));
        let python = self
            .python
            .as_ref()
            .map(|python| peers::Program::new("python", python).with(directory.join("peer.py")));
        c.into_iter().chain(python).collect()
    }
}

/// A package of the system: what it is for, how to see that it is there, and its names for apt.
struct Package {
    apt: &'static [&'static str],
    present: fn() -> bool,
    otherwise: &'static str,
}

/// The last one is Python.
const PACKAGES: [Package; 6] = [
    Package {
        apt: &["gcc", "libc6-dev"],
        present: || succeeds("cc", &["--version"]),
        otherwise: "no C compiler: C peers and the C contenders of the benchmarks are left out",
    },
    Package {
        apt: &["libzmq3-dev"],
        present: has_libzmq,
        otherwise: "no libzmq (libzmq3-dev): C peers and libzmq benchmarks are left out",
    },
    Package {
        apt: &["valgrind"],
        present: || succeeds("valgrind", &["--version"]),
        otherwise: "no valgrind: memory checks are left out",
    },
    Package {
        apt: &["g++", "cmake", "pkg-config"],
        present: || {
            ["c++", "cmake", "pkg-config"].iter().all(|name| succeeds(name, &["--version"]))
        },
        otherwise: "not all of c++, cmake, pkg-config: some tests of the C library's surroundings are left out",
    },
    Package {
        apt: &["cppzmq-dev", "libczmq-dev"],
        present: || {
            ["zmq.hpp", "czmq.h"].iter().all(|name| Path::new("/usr/include").join(name).exists())
        },
        otherwise: "not both of cppzmq and czmq: zmq.h is not tried with them",
    },
    Package {
        apt: &["python3", "python3-venv"],
        present: || has_pinned_own() || succeeds("python3", &["-c", "import venv, ensurepip"]),
        otherwise: "no python3 with venv: pyzmq peers are left out",
    },
];

/// Installs and builds what is missing, and says what stays missing.
pub(crate) fn run() -> Tools {
    let wanted: Vec<&Package> = PACKAGES.iter().filter(|package| !(package.present)()).collect();
    if !wanted.is_empty() {
        let names: Vec<&str> = wanted.iter().flat_map(|package| package.apt).copied().collect();
        install(&names);
    }
    let left = wanted.iter().filter(|package| !(package.present)());
    let mut missing: Vec<String> = left.map(|package| package.otherwise.to_owned()).collect();
    let python = match python() {
        Ok(python) => Some(python),
        // Said already where there is no Python to make it with.
        Err(error) => {
            if (PACKAGES[PACKAGES.len() - 1].present)() {
                missing.push(error);
            }
            None
        }
    };
    let libzmq = has_libzmq();
    let peers = libzmq.then(c_peers).and_then(|built| built.map_err(|e| missing.push(e)).ok());
    for line in &missing {
        eprintln!("missing: {line}");
    }
    Tools {
        python,
        peers,
        libzmq,
        valgrind: succeeds("valgrind", &["--version"]),
        nextest: succeeds("cargo-nextest", &["nextest", "--version"]),
        missing,
    }
}

/// Whether a program can be compiled and linked with libzmq. The answer yes is kept in the target directory.
fn has_libzmq() -> bool {
    let probe = target().join("peers/probe");
    let source = root().join("tests/peers/probe.c");
    peers::build_c(&source, &probe, &["-lzmq"]).is_ok()
}

/// Installs packages with apt, where there is one and we may.
fn install(names: &[&str]) {
    let prefix: &[&str] = if succeeds("sh", &["-c", "test $(id -u) = 0"]) {
        &[]
    } else if succeeds("sudo", &["-n", "true"]) {
        &["sudo", "-n"]
    } else {
        return;
    };
    if !succeeds("apt-get", &["--version"]) {
        return;
    }
    eprintln!("apt-get install {}", names.join(" "));
    let apt = |arguments: &[&str]| {
        let call = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"];
        let words = [prefix, &call, arguments].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    // The lists of a fresh machine are empty; an update that fails may still leave usable ones.
    apt(&["update"]);
    if !apt(&[&["install", "-y", "--no-install-recommends"], names].concat()) {
        // One that cannot be had must not keep the others away.
        for name in names {
            apt(&["install", "-y", "--no-install-recommends", name]);
        }
    }
}

/// The virtual environment `.venv` with the pinned pyzmq.
fn python() -> Result<PathBuf, String> {
    let environment = root().join(".venv");
    let python = environment.join("bin/python");
    if has_pinned_own() {
        return Ok(python);
    }
    let path = environment.to_string_lossy();
    if !succeeds("python3", &["-m", "venv", "--clear", &path]) {
        return Err(
            "the virtual environment .venv could not be made: pyzmq peers are left out".into()
        );
    }
    eprintln!("pip install --requirement tests/peers/requirements.txt");
    let pip =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
    let installed = Command::new(&python)
        .args(pip)
        .arg("--requirement")
        .arg(root().join("tests/peers/requirements.txt"))
        .status()
        .is_ok_and(|status| status.success());
    if installed && has_pinned_own() {
        return Ok(python);
    }
    Err("pip could not install pyzmq: pyzmq peers are left out".into())
}

/// Whether the virtual environment is there and has the pyzmq that `requirements.txt` names.
fn has_pinned_own() -> bool {
    let requirements = root().join("tests/peers/requirements.txt");
    let pinned = fs::read_to_string(requirements).unwrap_or_default();
    let Some((_, version)) = pinned.trim().split_once("==") else { return false };
    let found = Command::new(root().join(".venv/bin/python"))
        .args(["-c", "import zmq; print(zmq.__version__)"])
        .stderr(Stdio::null())
        .output();
    found.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == version)
}

/// Builds the C peer and puts the Python one beside it.
fn c_peers() -> Result<PathBuf, String> {
    let directory = project::target().join("peers");
    let sources = root().join("tests/peers");
    peers::build_c(&sources.join("peer.c"), &directory.join("peer"), &["-lzmq"])?;
    fs::copy(sources.join("peer.py"), directory.join("peer.py"))
        .map_err(|error| format!("peer.py could not be copied: {error}"))?;
    Ok(directory)
}
