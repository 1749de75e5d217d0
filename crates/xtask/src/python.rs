//! Builds the Python module into the project's own Python, and runs its tests there: on pyzmq and on ours.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::project::{root, target};
use crate::setup::Tools;
use crate::steps::Steps;

const LIMIT: Duration = Duration::from_secs(15 * 60);

/// The steps of `cargo xtask test`.
pub(crate) fn test(steps: &mut Steps, tools: &Tools) {
    const NAME: &str = "the Python module, beside pyzmq";
    let Some(python) = &tools.python else {
        return steps.skip(NAME, "there is no .venv");
    };
    let module = root().join("bindings/python");
    let mut installed = Ok(());
    steps.check("what the Python module's tests need", || {
        installed = requirements(python, &module);
        installed.clone().map(|()| String::new())
    });
    if installed.is_err() {
        return;
    }
    // In one command, so that no test runs on what was built before.
    let script = format!(
        "{maturin} develop --quiet && exec {python} -m pytest --quiet",
        maturin = quoted(&python.with_file_name("maturin")),
        python = quoted(python),
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(&module).env("CARGO_TARGET_DIR", target());
    command.env("VIRTUAL_ENV", root().join(".venv")).env_remove("PYO3_PYTHON");
    steps.command(NAME, LIMIT, command);
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// Installs what `requirements.txt` names, unless that was done for the same file and the same Python before.
fn requirements(python: &Path, module: &Path) -> Result<(), String> {
    let list = module.join("tests/requirements.txt");
    let wanted =
        fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    let mark = root().join(".venv/tightbeam-requirements.txt");
    if fs::read_to_string(&mark).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    let pip =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
    let status = Command::new(python).args(pip).arg("--requirement").arg(&list).status();
    if !status.is_ok_and(|status| status.success()) {
        return Err(
            "pip could not install what bindings/python/tests/requirements.txt names".into()
        );
    }
    fs::write(&mark, wanted).map_err(|error| format!("{}: {error}", mark.display()))
}
