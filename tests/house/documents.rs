//! Documents that say what is so: the code map names every file, the page of options every option.

use std::fmt::Write;
use std::{env, fs};

use tightbeam::Context;
use tightbeam::options::{Access, CONTEXT_TABLE, Effect, Kind, OptionSpec, TABLE, Value};
use zmtp::SocketType;

use crate::sources::{names_in, read, root, rust_files};

const OPTIONS_PAGE: &str = "docs/options.md";
const NUMBERS: &str = "crates/tightbeam/src/options/number.rs";

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

/// Each promise names the tests that hold it.
#[test]
fn the_promises_on_security_are_held_by_tests() {
    let text = read("SECURITY.md");
    let tests: String = ["tests", "crates/zmtp/tests"]
        .iter()
        .flat_map(|directory| rust_files(directory))
        .map(|file| file.text)
        .collect();
    let mut promises = 0;
    for row in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise"))
    {
        let names = row.rsplit(" | ").next().unwrap_or_default();
        let names: Vec<&str> = names.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test holds this: {row}");
        for name in names {
            assert!(tests.contains(&format!("fn {name}(")), "SECURITY.md: there is no test {name}");
        }
        promises += 1;
    }
    assert!(promises > 10, "the table of promises was not found");
}

/// `BLESS=1 cargo test --package tightbeam-tests --test house` writes the page anew.
#[test]
fn the_page_of_options_is_fresh() {
    let fresh = options_page();
    if env::var_os("BLESS").is_some() {
        fs::write(root().join(OPTIONS_PAGE), &fresh)
            .unwrap_or_else(|error| panic!("{OPTIONS_PAGE}: {error}"));
    }
    let committed = fs::read_to_string(root().join(OPTIONS_PAGE)).unwrap_or_default();
    let how = "BLESS=1 cargo test --package tightbeam-tests --test house";
    assert!(committed == fresh, "{OPTIONS_PAGE} is not what the table says; renew it with {how}");
}

const INTRODUCTION: &str = "\
# Options

This page is generated from the tables in `crates/tightbeam/src/options/`, and a test holds it to them. What is not here does not
exist: setting it is refused with `Error::UnknownOption` (`EINVAL`), and so is setting an option on a socket type that has no use
for it. A value out of range is refused with `Error::BadOption` (`EINVAL`), and the option stays as it was.

Names and numbers are those of the C API (`tightbeam::options::number`, without `ZMQ_`); numbers from 10,000 up are Tightbeam's own.
*When* says for what a set holds: *at once*, or for *later* endpoints, those that are bound or connected afterwards.

```rust
use tightbeam::options::{OwnedValue, Value, number};

let context = tightbeam::Context::new();
let socket = context.socket::<tightbeam::Push>()?;
socket.set_option(number::SNDHWM, Value::Int(10_000))?;
assert_eq!(socket.option(number::SNDHWM)?, OwnedValue::Int(10_000));
# Ok::<(), tightbeam::Error>(())
```
";

fn options_page() -> String {
    let numbers = read(NUMBERS);
    let (of_sockets, of_contexts) = numbers.split_once("pub mod context").unwrap_or((&numbers, ""));
    let mut page = INTRODUCTION.to_owned();
    page += "\n## Options of a socket\n\n";
    page += "| option | number | value | default | access | when | sockets | |\n";
    page += "|---|---|---|---|---|---|---|---|\n";
    for spec in TABLE {
        let (name, number) = (spec.name(), spec.number());
        let (access, when) = (access_of(spec.access()), when(spec));
        let (value, default) = (value(spec), default(spec.default()));
        let (types, meaning) = (sockets(spec.sockets()), meaning(of_sockets, name));
        // The types stand in a column of their own.
        let prefix = format!("{}: ", names(spec.sockets()));
        let meaning = capital(meaning.strip_prefix(&prefix).unwrap_or(&meaning));
        let row = [name, &number.to_string(), &value, &default, access, when, &types, &meaning];
        page += &format!("| {} |\n", row.join(" | "));
    }
    page += "\n## Options of a context\n\n";
    page += "| option | number | value | default | access | |\n|---|---|---|---|---|---|\n";
    for spec in CONTEXT_TABLE {
        let meaning = meaning(of_contexts, spec.name());
        let (name, number) = (spec.name(), spec.number());
        let expected = if spec.access() == Access::Get { "int" } else { spec.expected() };
        let default = spec.default().map(|value| value.to_string()).unwrap_or_default();
        let access = access_of(spec.access());
        let _ =
            writeln!(page, "| {name} | {number} | {expected} | {default} | {access} | {meaning} |");
    }
    page
}

/// What the documentation of the option's number says.
fn meaning(numbers: &str, name: &str) -> String {
    let constant = format!("pub const {name}: i32");
    let before = numbers.split_once(&constant).map(|(before, _)| before);
    let before = before.unwrap_or_else(|| panic!("{NUMBERS} has no {name}"));
    let mut lines: Vec<&str> = before
        .lines()
        .rev()
        .skip_while(|line| line.trim().is_empty())
        .map_while(|line| line.trim().strip_prefix("/// "))
        .collect();
    lines.reverse();
    assert!(!lines.is_empty(), "{NUMBERS} says nothing about {name}");
    let text = lines.join(" ");
    // These stand in columns of their own.
    let text = text.trim_end_matches(" At once.").trim_start_matches("Set only");
    let text = text.trim_start_matches("Get only").trim_start_matches([',', ':', ' ']);
    capital(text)
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}

fn value(spec: &OptionSpec) -> String {
    match (spec.access(), spec.kind()) {
        (Access::Get, Kind::Bytes { .. } | Kind::Text { .. }) => "text".to_owned(),
        (Access::Get, _) => "int".to_owned(),
        _ => spec.expected().to_owned(),
    }
}

fn access_of(access: Access) -> &'static str {
    match access {
        Access::Set => "set",
        Access::Get => "get",
        Access::Both => "set, get",
    }
}

fn when(spec: &OptionSpec) -> &'static str {
    match (spec.access(), spec.effect()) {
        (Access::Get, _) => "",
        (_, Effect::Live) => "at once",
        (_, Effect::NextEndpoint) => "later",
    }
}

fn default(value: Option<Value<'_>>) -> String {
    match value {
        None => String::new(),
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Int64(number)) => number.to_string(),
        Some(Value::UInt64(number)) => number.to_string(),
        Some(Value::Bytes([])) => "empty".to_owned(),
        Some(Value::Bytes(bytes)) if bytes.iter().all(|byte| *byte == 0) => "zeros".to_owned(),
        Some(Value::Bytes(bytes)) => bytes.escape_ascii().to_string(),
    }
}

/// Those of the types that exist here yet.
fn sockets(types: &[SocketType]) -> String {
    if types == SocketType::ALL {
        return "all".to_owned();
    }
    let context = Context::new();
    let types: Vec<SocketType> =
        types.iter().copied().filter(|socket| context.any_socket(*socket).is_ok()).collect();
    names(&types)
}

fn names(types: &[SocketType]) -> String {
    let names: Vec<&str> = types.iter().map(|socket| socket.name()).collect();
    names.join(", ")
}
