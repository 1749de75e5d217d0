//! C and C++ compilers take the headers, and find in them what Debian's libzmq has.

mod compiler;

use std::fs;
use std::path::Path;

use compiler::{C, CPP, Language, compile, declared_functions, defined_names, output_of};
use tightbeam_header::root;

const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
const DRAFTS: [&[&str]; 2] = [&[], &["-DZMQ_BUILD_DRAFT_API"]];

/// Where Debian keeps libzmq's header and those of the libraries over it.
const DEBIAN: &str = "/usr/include";

fn ours() -> String {
    format!("-I{}", root().join("include").display())
}

/// Whether a header of Debian's is there; if not, says what is left out.
fn has(header: &str) -> bool {
    let found = Path::new(DEBIAN).join(header).exists();
    if !found {
        eprintln!("no {header}: it is not tried");
    }
    found
}

fn check(language: &Language, standard: &str, draft: &[&str], text: &str) {
    if !language.present() {
        eprintln!("no {}: {standard} is not tried", language.program);
        return;
    }
    let (standard, include) = (format!("-std={standard}"), ours());
    let flags =
        [&[standard.as_str(), include.as_str(), "-fsyntax-only"], &STRICT[..], draft].concat();
    if let Err(error) = compile(language, &flags, text) {
        panic!("{standard} {draft:?}:\n{error}");
    }
}

#[test]
fn every_standard_takes_the_headers_without_a_warning() {
    let headers = ["zmq.h", "zmq_utils.h", "tightbeam.h"];
    let headers = headers.into_iter().filter(|name| root().join("include").join(name).exists());
    // Twice, and in any order.
    let lines: Vec<String> = headers.map(|name| format!("#include <{name}>\n")).collect();
    let reversed: Vec<String> = lines.iter().rev().cloned().collect();
    for order in [lines, reversed] {
        let text = order.concat() + &order.concat() + "int main(void) { return 0; }\n";
        for draft in DRAFTS {
            for standard in ["c99", "c11"] {
                check(&C, standard, draft, &text);
            }
            for standard in ["c++11", "c++20"] {
                check(&CPP, standard, draft, &text);
            }
        }
    }
}

/// Ends the compilation unless the header is ours.
const IS_OURS: &str = "#if ZMQ_VERSION_PATCH != 5\n#error another zmq.h\n#endif\n";

#[test]
fn cppzmq_compiles_against_the_header() {
    if !has("zmq.hpp") || !has("zmq_addon.hpp") {
        return;
    }
    let text = format!("#include <zmq.hpp>\n#include <zmq_addon.hpp>\n{IS_OURS}int main() {{}}\n");
    for draft in DRAFTS {
        for standard in ["c++11", "c++20"] {
            check(&CPP, standard, draft, &text);
        }
    }
}

#[test]
fn czmq_compiles_against_the_header() {
    if !has("czmq.h") {
        return;
    }
    // It looks for `zmq.h` beside itself first.
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("czmq");
    fs::create_dir_all(&directory).expect("a directory of our own");
    let headers = fs::read_dir(DEBIAN).expect("Debian's headers");
    for path in headers.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if (name.starts_with('z') || name.starts_with("czmq")) && !name.starts_with("zmq") {
            fs::copy(&path, directory.join(name)).expect("a copy of a header");
        }
    }
    let include = format!("-I{}", directory.display());
    let text = format!("#include <czmq.h>\n{IS_OURS}int main(void) {{ return 0; }}\n");
    for draft in DRAFTS {
        check(&C, "gnu11", &[draft, &[include.as_str()]].concat(), &text);
    }
}

/// What Debian's 4.3.4 and 4.3.5 say differently.
const DIFFERENT: [&str; 3] =
    ["ZMQ_VERSION", "ZMQ_VERSION_PATCH", "ZMQ_RECONNECT_STOP_AFTER_DISCONNECT"];

/// Names and numbers are facts of the interface: a program that prints them is built with either header.
#[test]
fn every_constant_of_debians_header_has_its_number() {
    if !has("zmq.h") {
        return;
    }
    for draft in DRAFTS {
        let debian = defined_names(draft);
        let mut text = "#include <zmq.h>\n#include <stdio.h>\nint main(void)\n{\n".to_owned();
        for name in &debian {
            if DIFFERENT.contains(&name.as_str()) {
                continue;
            }
            let (format, cast) =
                if name.contains("_PROPERTY_") { ("%s", "") } else { ("%lld", "(long long)") };
            text += &format!("    printf(\"{name} {format}\\n\", {cast}({name}));\n");
        }
        text += "    return 0;\n}\n";
        let theirs = output_of(&C, draft, &text).expect("Debian's header has its own names");
        let ours = output_of(&C, &[draft, &[ours().as_str()]].concat(), &text);
        let ours = ours.unwrap_or_else(|error| panic!("{draft:?}: {error}"));
        assert!(theirs.lines().count() > 150, "only these were compared:\n{theirs}");
        assert_eq!(theirs, ours);
    }
}

/// Functions of 4.3.5 that 4.3.4 does not have.
const LATER: [&str; 4] =
    ["zmq_ppoll", "zmq_connect_peer", "zmq_disconnect_peer", "zmq_socket_get_peer_state"];

/// As C++ tells them: the type of each function, and how the types are laid out.
#[test]
fn every_function_of_debians_header_has_its_type() {
    if !has("zmq.h") || !CPP.present() {
        return;
    }
    for draft in DRAFTS {
        every_type(draft);
    }
}

fn every_type(draft: &[&str]) {
    let is_draft = !draft.is_empty();
    let functions = declared_functions(&[draft, &[ours().as_str()]].concat());
    let mut text = "#include <zmq.h>\n#include <cstddef>\n#include <cstdio>\n#include <typeinfo>\n\
        int main()\n{\n"
        .to_owned();
    for name in functions.iter().filter(|name| !LATER.contains(&name.as_str())) {
        text += &format!("    std::printf(\"{name} %s\\n\", typeid(decltype({name})).name());\n");
    }
    for name in ["zmq_free_fn", "zmq_timer_fn", "zmq_thread_fn", "zmq_fd_t"] {
        text += &format!("    std::printf(\"{name} %s\\n\", typeid({name}).name());\n");
    }
    for (name, members) in [
        ("zmq_msg_t", &[][..]),
        ("zmq_pollitem_t", &["socket", "fd", "events", "revents"]),
        ("zmq_poller_event_t", &["socket", "fd", "user_data", "events"]),
    ] {
        if name == "zmq_poller_event_t" && !is_draft {
            continue;
        }
        text +=
            &format!("    std::printf(\"{name} %zu %zu\\n\", sizeof({name}), alignof({name}));\n");
        for member in members {
            let value = format!("(({name} *) nullptr)->{member}");
            text += &format!(
                "    std::printf(\"{name}.{member} %zu %s\\n\", offsetof({name}, {member}), typeid({value}).name());\n"
            );
        }
    }
    text += "}\n";
    let theirs = output_of(&CPP, draft, &text);
    let theirs = theirs.unwrap_or_else(|error| panic!("Debian {draft:?}: {error}"));
    let ours = output_of(&CPP, &[draft, &[ours().as_str()]].concat(), &text);
    let ours = ours.unwrap_or_else(|error| panic!("ours {draft:?}: {error}"));
    assert!(functions.len() > 60, "only {} functions were found", functions.len());
    assert_eq!(theirs, ours);
}
