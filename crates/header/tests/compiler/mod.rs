//! Calls of the compilers.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) struct Language {
    pub(crate) program: &'static str,
    name: &'static str,
}

pub(crate) const C: Language = Language { program: "cc", name: "c" };
pub(crate) const CPP: Language = Language { program: "c++", name: "c++" };

impl Language {
    pub(crate) fn present(&self) -> bool {
        let mut command = Command::new(self.program);
        command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

/// Compiles a text; what the compiler prints is the answer, or the error.
pub(crate) fn compile(language: &Language, flags: &[&str], text: &str) -> Result<String, String> {
    let mut command = Command::new(language.program);
    command.args(["-x", language.name]).args(flags).arg("-");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{}: {error}", language.program))?;
    let mut input = child.stdin.take().ok_or("no input")?;
    input.write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    drop(input);
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    if output.status.success() {
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Compiles a program and runs it; what it prints is the answer.
pub(crate) fn output_of(language: &Language, flags: &[&str], text: &str) -> Result<String, String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let program: PathBuf =
        [env!("CARGO_TARGET_TMPDIR"), &format!("header-{}-{number}", std::process::id())]
            .iter()
            .collect();
    let path = program.to_string_lossy().into_owned();
    compile(language, &[flags, &["-w", "-o", &path]].concat(), text)?;
    let output = Command::new(&program).output().map_err(|error| error.to_string());
    let _ = fs::remove_file(&program);
    String::from_utf8(output?.stdout).map_err(|error| error.to_string())
}

/// The names of numbers and texts that Debian's `zmq.h` defines.
pub(crate) fn defined_names(flags: &[&str]) -> Vec<String> {
    let flags = [flags, &["-dM", "-E"]].concat();
    let defined = compile(&C, &flags, "#include <zmq.h>\n").unwrap_or_default();
    let names = defined.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("#define ")?.split_once(' ')?;
        let is_plain = name.starts_with("ZMQ_") && !name.contains('(');
        (is_plain && !value.is_empty()).then(|| name.to_owned())
    });
    names.chain(["EFSM", "ENOCOMPATPROTO", "ETERM", "EMTHREAD"].map(str::to_owned)).collect()
}

/// The functions that our `zmq.h` declares.
pub(crate) fn declared_functions(flags: &[&str]) -> Vec<String> {
    // A mark before each, which the header itself does not change.
    let flags = [flags, &["-E", "-P", "-DZMQ_EXPORT=EXPORTED"]].concat();
    let declared = compile(&C, &flags, "#include <zmq.h>\n").unwrap_or_default();
    let names = declared.split("EXPORTED ").skip(1).filter_map(|declaration| {
        let before = declaration.split('(').next()?;
        before.rsplit([' ', '*']).next().map(str::to_owned)
    });
    names.collect()
}
