//! Builds the Python module into the project's own Python, and runs its tests there: on pyzmq and on ours.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::demo::check_one;
use crate::install::{c_peer, for_peers};
use crate::peers::{self, Program};
use crate::project::{root, rust_peer, target};
use crate::setup::Tools;
use crate::steps::Steps;

const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Programs that other people wrote for pyzmq, and what they need.
const WILD: &str = "tests/wild";

/// The steps of `cargo xtask test`.
pub(crate) fn test(steps: &mut Steps, tools: &Tools) {
    const NAME: &str = "the Python module, beside pyzmq";
    let Some(python) = &tools.python else {
        return steps.skip(NAME, "there is no .venv");
    };
    let module = root().join("bindings/python");
    let mut installed = Ok(());
    steps.check("what the Python module's tests need", || {
        installed = requirements(python, &module.join("tests/requirements.txt"), &[]);
        installed.clone().map(|()| String::new())
    });
    if installed.is_err() {
        return;
    }
    // In one command, so that no test runs on what was built before.
    let script = format!(
        "{maturin} develop --quiet && exec {python} -m pytest --quiet --ignore={WILD}",
        maturin = quoted(&python.with_file_name("maturin")),
        python = quoted(python),
    );
    let mut command = Command::new("sh");
    within(command.args(["-c", &script]), &module);
    steps.command(NAME, LIMIT, command);
    conversations(steps, tools, python);
    wild(steps, python, &module);
}

/// The Python peer on our module, which takes the place of pyzmq under it.
fn peer(python: &Path) -> Result<Program, String> {
    let script = peers::directory().ok_or("there is no tests/peers")?.join("peer.py");
    Ok(Program::new("pymod", python).with("-m").with("tightbeam.run").with(script))
}

/// The same with the module built for speed first.
pub(crate) fn built_peer(tools: &Tools) -> Result<Program, String> {
    let python = tools.python.as_ref().ok_or("there is no .venv")?;
    let module = root().join("bindings/python");
    requirements(python, &module.join("tests/requirements.txt"), &[])?;
    let mut maturin = Command::new(python.with_file_name("maturin"));
    maturin.args(["develop", "--quiet", "--release"]);
    match within(&mut maturin, &module).status() {
        Ok(status) if status.success() => peer(python),
        Ok(status) => Err(format!("maturin: {status}")),
        Err(error) => Err(format!("maturin: {error}")),
    }
}

/// The module that was built just before, in conversation with peers in Rust and C and with libzmq.
fn conversations(steps: &mut Steps, tools: &Tools, python: &Path) {
    steps.check("peers on the Python module", || {
        let mut programs = tools.programs();
        programs.push(peer(python)?);
        programs.extend(rust_peer(false)?.map(|peer| Program::new("rust", peer)));
        programs.push(Program::new("capi", c_peer(false)?));
        let others = programs.len() - 1;
        check_one("pymod", &programs).map(|()| format!("with itself and {others} others"))
    });
}

/// A command in the module's directory that finds the project's Python and builds where everything is built.
fn within<'a>(command: &'a mut Command, module: &Path) -> &'a mut Command {
    command.current_dir(module).env("CARGO_TARGET_DIR", target());
    command.env("VIRTUAL_ENV", root().join(".venv")).env_remove("PYO3_PYTHON")
}

/// Programs in the wild, on the module that was built just before, and on the C library in libzmq's place.
fn wild(steps: &mut Steps, python: &Path, module: &Path) {
    let mut prepared = Err(String::new());
    steps.check("what the programs in the wild need", || {
        let list = module.join(WILD).join("requirements.txt");
        prepared = requirements(python, &list, &["--no-deps"]).and_then(|()| for_peers(false));
        prepared.clone().map(|_| String::new())
    });
    let Ok(prefix) = prepared else { return };
    let mut command = Command::new(python);
    command.args(["-m", "pytest", "--quiet", WILD]).current_dir(module);
    command.env("TIGHTBEAM_LIBRARY", prefix.join("lib/libzmq.so.5"));
    steps.command("programs in the wild: Jupyter, locust, ...", LIMIT, command);
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// Installs what a file names, unless that was done for the same file and the same Python before.
fn requirements(python: &Path, list: &Path, flags: &[&str]) -> Result<(), String> {
    let wanted =
        fs::read_to_string(list).map_err(|error| format!("{}: {error}", list.display()))?;
    let of = list.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let mark = root().join(format!(".venv/tightbeam-{of}-requirements.txt"));
    if fs::read_to_string(&mark).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    let pip =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
    let status = Command::new(python).args(pip).args(flags).arg("--requirement").arg(list).status();
    if !status.is_ok_and(|status| status.success()) {
        return Err(format!("pip could not install what {} names", list.display()));
    }
    fs::write(&mark, wanted).map_err(|error| format!("{}: {error}", mark.display()))
}
