//! The libraries that the C programs are linked with, and how.

use std::ffi::OsString;
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
    /// What it is made of, as far as programs have to be built again when that changes.
    header: Option<PathBuf>,
}

impl Library {
    pub(crate) const DEBIAN: &str = "debian";

    /// Those that there are; what is missing is said in a line.
    pub(crate) fn all() -> Vec<Self> {
        let debian = Self { name: Self::DEBIAN, flags: vec!["-lzmq".into()], header: None };
        let probe = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/probe.c");
        match debian.build(&probe, false) {
            Ok(_) => vec![debian],
            Err(_) => {
                eprintln!(
                    "no libzmq of the system (libzmq3-dev): its half of the C tests is left out"
                );
                Vec::new()
            }
        }
    }

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

    fn made_from(&self, source: &Path) -> impl Iterator<Item = PathBuf> {
        let shared = SHARED.map(|name| source.with_file_name(name));
        let shared = shared.into_iter().filter(|path| path.exists());
        shared.chain([source.to_owned()]).chain(self.header.clone())
    }
}

fn age(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}

fn list_of(program: &Path) -> PathBuf {
    program.with_extension("list")
}

/// The cases of a program, one a line, kept in a file: a harness that runs one test each time asks often.
pub(crate) fn cases(program: &Path) -> Result<String, String> {
    let list = list_of(program);
    if let Ok(cases) = fs::read_to_string(&list) {
        return Ok(cases);
    }
    let output = Command::new(program).arg("--list").output();
    let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
    if !output.status.success() || output.stdout.is_empty() {
        return Err(format!("{} lists no cases: {}", program.display(), output.status));
    }
    let draft = list.with_extension(std::process::id().to_string());
    let kept = fs::write(&draft, &output.stdout).and_then(|()| fs::rename(&draft, &list));
    kept.map_err(|error| format!("{}: {error}", list.display()))?;
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

/// The target directory: the one that this program was built into.
fn target() -> Result<PathBuf, String> {
    let own = env::current_exe().map_err(|error| error.to_string())?;
    let profile = own.ancestors().find(|directory| directory.join(".fingerprint").exists());
    let target = profile.and_then(Path::parent).ok_or("no target directory")?;
    Ok(target.to_owned())
}
