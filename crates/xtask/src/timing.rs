//! `tests/timing` under valgrind, with either cipher library: no branch and no address may depend on a key.

use std::process::Command;

use crate::project::{build, root};

/// How valgrind ends a program in which it found something.
const FOUND: i32 = 9;

/// Runs every case; how many there were.
pub(crate) fn check() -> Result<String, String> {
    let mut cases = 0;
    for features in ["valgrind", "valgrind rustcrypto"] {
        let words =
            ["--profile", "timing", "--package", "tightbeam-timing", "--features", features];
        let program = build("timing", &[&["build"], &words[..]].concat())?;
        let listed = Command::new(&program).arg("--list").output();
        let listed = listed.map_err(|error| format!("{}: {error}", program.display()))?;
        for line in String::from_utf8_lossy(&listed.stdout).lines() {
            let (kind, case) = line.split_once(' ').ok_or("timing --list is not understood")?;
            let mut command = Command::new("valgrind");
            command
                .args(["--quiet", "--num-callers=40"])
                .arg(format!("--error-exitcode={FOUND}"))
                .arg(format!(
                    "--suppressions={}",
                    root().join("tests/timing/public.supp").display()
                ))
                .arg(&program)
                .arg(case);
            let output = command.output().map_err(|error| format!("valgrind: {error}"))?;
            let said = String::from_utf8_lossy(&output.stderr);
            match (kind, output.status.code()) {
                ("clean", Some(0)) | ("leak", Some(FOUND)) => cases += 1,
                ("leak", _) => return Err(format!("{case} ({features}) was not noticed\n{said}")),
                _ => return Err(format!("{case} ({features})\n{said}")),
            }
        }
    }
    match cases {
        0 => Err("no cases".to_owned()),
        _ => Ok(format!("{cases} cases")),
    }
}
