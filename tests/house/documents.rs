//! Documents that say what is so: the code map names every file, each promise its tests.

use crate::sources::{names_in, read, root, rust_files};

#[test]
fn readme_and_architecture_name_every_crate_and_directory() {
    let mut wanted: Vec<String> = names_in(".");
    wanted.retain(|name| name.ends_with('/'));
    wanted.extend(names_in("crates").iter().map(|name| format!("crates/{name}")));
    for document in ["README.md", "ARCHITECTURE.md"] {
        let text = read(document);
        for name in &wanted {
            let name = name.trim_end_matches('/');
            assert!(text.contains(&format!("`{name}")), "{document} does not name `{name}/`");
        }
    }
}

/// The code map has a heading for each directory, and under it a line for each file.
#[test]
fn the_code_map_names_every_file_and_no_other() {
    let text = read("ARCHITECTURE.md");
    let mut wrong = Vec::new();
    let mut files = rust_files("crates/zmtp/src");
    files.extend(rust_files("crates/tightbeam/src"));
    files.extend(rust_files("crates/xtask/src"));
    files.extend(rust_files("bindings/python/src"));
    files.retain(|file| !file.path.ends_with("tests.rs"));
    for file in &files {
        let (directory, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        let section = section(&text, directory).unwrap_or_default();
        if !section.lines().any(|line| line.starts_with(&format!("| `{name}`"))) {
            wrong.push(format!("`{name}` is not under the heading of `{directory}/`"));
        }
    }
    for directory in headings(&text) {
        for line in section(&text, directory).unwrap_or_default().lines() {
            let name = line.strip_prefix("| `").and_then(|rest| rest.split('`').next());
            let path = name.map(|name| format!("{directory}/{name}"));
            if let Some(path) = path.filter(|path| !root().join(path).exists()) {
                wrong.push(format!("{path} does not exist"));
            }
        }
    }
    assert!(wrong.is_empty(), "ARCHITECTURE.md, code map:\n{}", wrong.join("\n"));
}

/// The directories that have a heading in the code map.
fn headings(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("#### `")?.split('`').next()?.strip_suffix('/'))
}

fn section<'a>(text: &'a str, directory: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(&format!("#### `{directory}/`"))?;
    after.split("\n#").next()
}

/// Each promise names the tests that hold it, and so does each thing measured.
#[test]
fn the_promises_on_security_are_held_by_tests() {
    for (document, least) in [("SECURITY.md", 10), ("docs/security-tests.md", 20)] {
        assert_held_by_tests(document, least);
    }
}

fn assert_held_by_tests(document: &str, least: usize) {
    let text = read(document);
    let tests: String = ["tests", "crates/tightbeam/src", "crates/zmtp/tests", "crates/zmtp/src"]
        .iter()
        .flat_map(|directory| rust_files(directory))
        .map(|file| file.text)
        .collect();
    let mut promises = 0;
    let heads = ["| promise", "| fault"];
    let is_row = |line: &&str| line.starts_with("| ") && !heads.iter().any(|h| line.starts_with(h));
    for row in text.lines().filter(is_row) {
        let names = row.rsplit(" | ").next().unwrap_or_default();
        let names: Vec<&str> = names.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{document}: no test holds this: {row}");
        for name in names {
            assert!(tests.contains(&format!("fn {name}(")), "{document}: there is no test {name}");
        }
        promises += 1;
    }
    assert!(promises > least, "{document}: the table was not found");
}
