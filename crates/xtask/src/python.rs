//! Builds the Python module into the project's own Python, and runs its tests there: on pyzmq and on ours.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::install::for_peers;
use crate::project::{root, target};
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
    command.args(["-c", &script]).current_dir(&module).env("CARGO_TARGET_DIR", target());
    command.env("VIRTUAL_ENV", root().join(".venv")).env_remove("PYO3_PYTHON");
    steps.command(NAME, LIMIT, command);
    wild(steps, python, &module);
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
