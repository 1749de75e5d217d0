//! The libraries that the C programs are linked with, and how.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What each program is compiled with: no warning is let pass.
const STRICT: [&str; 7] =
    ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-pthread"];

/// The files that every program is made from as well.
const SHARED: [&str; 2] = ["check.h", "sockets.h"];

/// A library and its header.
pub(crate) struct Library {
    pub(crate) name: &'static str,
    flags: Vec<OsString>,
    /// What every program is made from as well.
    headers: Vec<PathBuf>,
}

impl Library {
    const DEBIAN: &str = "debian";
    const OURS: &str = "ours";

    /// Those that there are, ours built if `rebuild` says so; what is missing is said in a line.
    pub(crate) fn all(rebuild: bool) -> Vec<Result<Self, String>> {
        let debian = Self { name: Self::DEBIAN, flags: vec!["-lzmq".into()], headers: Vec::new() };
        let probe = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/probe.c");
        let ours = Self::ours(rebuild).map_err(|error| format!("{}: {error}", Self::OURS));
        if debian.build(&probe, false).is_ok() {
            return vec![Ok(debian), ours];
        }
        eprintln!("no libzmq of the system (libzmq3-dev): its half of the C tests is left out");
        vec![ours]
    }

    /// The library of `crates/capi`, in a directory of its own under the names that programs look for.
    fn ours(rebuild: bool) -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let directory = target()?.join("c-tests/lib");
        if rebuild || !directory.join("libzmq.so").exists() {
            let built = build_ours(&root)?;
            fs::create_dir_all(&directory)
                .map_err(|error| format!("{}: {error}", directory.display()))?;
            for name in ["libzmq.so", "libzmq.so.5"] {
                link(&built, &directory.join(name))?;
            }
        }
        let include = root.join("include");
        let flags = [
            "-I".into(),
            include.clone().into(),
            "-L".into(),
            directory.clone().into(),
            "-lzmq".into(),
            "-Wl,-rpath".into(),
            OsString::from_iter(["-Wl,".into(), directory.into_os_string()]),
        ];
        Ok(Self { name: Self::OURS, flags: flags.into(), headers: vec![include.join("zmq.h")] })
    }

    /// Debian's libzmq exports no draft functions.
    pub(crate) fn has_drafts(&self) -> bool {
        self.name != Self::DEBIAN
    }

    /// Builds a program unless it is there and newer than what it is made from, which is looked at if `rebuild` says so.
    pub(crate) fn build(&self, source: &Path, rebuild: bool) -> Result<PathBuf, String> {
        let directory = target()?.join("c-tests").join(self.name);
        let program = directory.join(source.file_stem().unwrap_or_default());
        let is_new =
            |built| self.made_from(source).all(|file| age(&file).is_some_and(|age| age < built));
        if age(&program).is_some_and(|built| !rebuild || is_new(built)) {
            return Ok(program);
        }
        fs::create_dir_all(&directory)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        // Several processes may build at once: each under a name of its own, then moved into place.
        let draft = program.with_extension(std::process::id().to_string());
        let output = Command::new("cc")
            .args(STRICT)
            .arg("-o")
            .args([&draft, source])
            .args(&self.flags)
            .output();
        let output = output.map_err(|error| format!("cc: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let _ = fs::remove_file(list_of(&program));
        fs::rename(&draft, &program).map_err(|error| format!("{}: {error}", program.display()))?;
        Ok(program)
    }

    /// The cases of a program, one a line, kept in a file: a harness that runs one test each time asks often.
    pub(crate) fn cases(&self, program: &Path) -> Result<String, String> {
        let list = list_of(program);
        if let Ok(cases) = fs::read_to_string(&list) {
            return Ok(cases);
        }
        let output = self.command(program, "--list").output();
        let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
        if !output.status.success() || output.stdout.is_empty() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{} lists no cases: {}\n{said}", program.display(), output.status));
        }
        let draft = list.with_extension(std::process::id().to_string());
        let kept = fs::write(&draft, &output.stdout).and_then(|()| fs::rename(&draft, &list));
        kept.map_err(|error| format!("{}: {error}", list.display()))?;
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    }

    /// A call of a program that says which library it has, in a directory where it may leave something.
    pub(crate) fn command(&self, program: &Path, argument: &str) -> Command {
        let mut command = Command::new(program);
        command.arg(argument).env("ZMQ_LIBRARY", self.name);
        if let Some(directory) = program.parent() {
            command.current_dir(directory);
        }
        command
    }

    fn made_from(&self, source: &Path) -> impl Iterator<Item = PathBuf> {
        let shared = SHARED.map(|name| source.with_file_name(name));
        let shared = shared.into_iter().filter(|path| path.exists());
        shared.chain([source.to_owned()]).chain(self.headers.clone())
    }
}

fn age(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}

fn list_of(program: &Path) -> PathBuf {
    program.with_extension("list")
}

/// Builds the library, in the profile that this program was built in; answers where it is.
fn build_ours(root: &Path) -> Result<PathBuf, String> {
    let target = target()?;
    let profile = profile()?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "tightbeam-capi"]).current_dir(root);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let output = cargo.env("CARGO_TARGET_DIR", target).output();
    let output = output.map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(profile.join("libzmq.so"))
}

/// Makes a symbolic link, also in the place of another.
fn link(to: &Path, at: &Path) -> Result<(), String> {
    if fs::read_link(at).is_ok_and(|now| now == to) {
        return Ok(());
    }
    let draft = at.with_extension(std::process::id().to_string());
    let made = symlink(to, &draft).and_then(|()| fs::rename(&draft, at));
    made.map_err(|error| format!("{}: {error}", at.display()))
}

/// The directory of the profile that this program was built in.
fn profile() -> Result<PathBuf, String> {
    let own = env::current_exe().map_err(|error| error.to_string())?;
    let profile = own.ancestors().find(|directory| directory.join(".fingerprint").exists());
    Ok(profile.ok_or("no target directory")?.to_owned())
}

/// The target directory: the one that this program was built into.
fn target() -> Result<PathBuf, String> {
    Ok(profile()?.parent().ok_or("no target directory")?.to_owned())
}
