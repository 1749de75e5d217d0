//! The source files, and what of a line is code.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of Rust code.
pub(crate) struct Source {
    /// From the root of the workspace, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The directory of the workspace.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// A file of the workspace, as text.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names in a directory, sorted, hidden ones and `target` left out; directories end in `/`.
pub(crate) fn names_in(directory: &str) -> Vec<String> {
    let path = root().join(directory);
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{directory}: {error}"));
    let names = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        let name = if entry.path().is_dir() { format!("{name}/") } else { name };
        (!name.starts_with('.') && name != "target/" && name != "__pycache__/").then_some(name)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The Rust files in a directory and below, by path.
pub(crate) fn rust_files(directory: &str) -> Vec<Source> {
    let mut files = Vec::new();
    collect(Path::new(directory), &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!files.is_empty(), "no Rust files in {directory}");
    files
}

fn collect(directory: &Path, files: &mut Vec<Source>) {
    for name in names_in(&directory.to_string_lossy()) {
        let path: PathBuf = directory.join(&name);
        if name.ends_with('/') {
            collect(&path, files);
        } else if name.ends_with(".rs") {
            let path = path.to_string_lossy().replace('\\', "/");
            let path = path.trim_start_matches("./").to_owned();
            files.push(Source { text: read(&path), path });
        }
    }
}

impl Source {
    /// The lines of code with their numbers, without comments and without what is in quotation marks.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, String)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, code_of(line)))
    }
}

/// Texts that go over several lines do not occur often enough to be worth a parser.
fn code_of(line: &str) -> String {
    let mut code = String::with_capacity(line.len());
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' if quoted => drop(characters.next()),
            '"' => quoted = !quoted,
            '/' if !quoted && characters.peek() == Some(&'/') => break,
            // A quotation mark as a character.
            '\'' if !quoted && characters.peek() == Some(&'"') => drop(characters.next()),
            _ if quoted => {}
            _ => code.push(c),
        }
    }
    code
}

#[test]
fn only_code_is_looked_at() {
    assert_eq!(code_of(r#"let a = "unsafe \" {"; // unsafe {"#).trim(), "let a = ;");
    assert_eq!(code_of("    //! unsafe").trim(), "");
    assert_eq!(code_of("unsafe { f() }"), "unsafe { f() }");
}
