//! The C programs beside this file, each of their cases as a test: `debian::subject::case` on Debian's libzmq, whose behaviour the
//! cases describe, and `ours::subject::case` on the library of `crates/capi`. `check.h` has the other side.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

mod library;
mod runner;

use library::Library;
use runner::{Arguments, Trial};

/// A program, or why there is none.
type Built = Result<PathBuf, String>;

fn main() -> ExitCode {
    let arguments = Arguments::from_env();
    // One test in a process of its own: whoever asked for the list has had everything built.
    let rebuild = !arguments.exact;
    let mut trials = Vec::new();
    for library in Library::all(rebuild) {
        match library {
            Ok(library) => add_trials(Arc::new(library), rebuild, &mut trials),
            Err(error) => trials.push(failing("library".to_owned(), error)),
        }
    }
    runner::run(&arguments, trials)
}

fn add_trials(library: Arc<Library>, rebuild: bool, trials: &mut Vec<Trial>) {
    let subjects = subjects(&library);
    let built = build_all(&library, &subjects, rebuild);
    for (subject, built) in subjects.iter().zip(built) {
        trials.extend(trials_of(&library, &name_of(subject), built));
    }
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("c")
}

fn name_of(subject: &Path) -> String {
    subject.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The sources that this library can be tried with, by name.
fn subjects(library: &Library) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory()).expect("tests/c can be read");
    let mut sources: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    sources.retain(|path| path.extension().is_some_and(|extension| extension == "c"));
    sources.retain(|path| library.has_drafts() || !uses_drafts(path));
    sources.sort();
    sources
}

fn uses_drafts(source: &Path) -> bool {
    fs::read_to_string(source).is_ok_and(|text| text.contains("ZMQ_BUILD_DRAFT_API"))
}

/// Builds the programs, as many at once as there are processors.
fn build_all(library: &Library, subjects: &[PathBuf], rebuild: bool) -> Vec<Built> {
    let left = Mutex::new(subjects.iter().enumerate());
    let built = Mutex::new(vec![Err("not built".to_owned()); subjects.len()]);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let next = left.lock().expect("no builder panics").next();
                    let Some((at, source)) = next else { break };
                    let program = library.build(source, rebuild);
                    built.lock().expect("no builder panics")[at] = program;
                }
            });
        }
    });
    built.into_inner().expect("no builder panics")
}

/// One test for each case of a program; a program that cannot be built is one that fails.
fn trials_of(library: &Arc<Library>, subject: &str, built: Built) -> Vec<Trial> {
    let prefix = format!("{}::{subject}", library.name);
    let cases = built.and_then(|program| Ok((library.cases(&program)?, program)));
    let (cases, program) = match cases {
        Ok(found) => found,
        Err(error) => return vec![failing(prefix, error)],
    };
    let trial = |line: &str| {
        // A case with a reason is not for this library.
        let (case, ignored) = line.split_once('\t').map_or((line, false), |(case, _)| (case, true));
        let name = format!("{prefix}::{case}");
        let (library, program, case) = (Arc::clone(library), program.clone(), case.to_owned());
        Trial { name, ignored, run: Box::new(move || run(library.command(&program, &case))) }
    };
    cases.lines().map(trial).collect()
}

fn failing(name: String, error: String) -> Trial {
    Trial { name, ignored: false, run: Box::new(move || Err(error.clone())) }
}

/// The case ends by itself: `check.h` sets an alarm.
fn run(mut command: Command) -> Result<(), String> {
    let output = command.output();
    let output = output.map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{}\n{}", output.status, String::from_utf8_lossy(&said)))
}
