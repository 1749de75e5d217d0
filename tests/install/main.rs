//! What `cargo xtask install` lays out is found by other build systems, and takes libzmq's place under programs that were
//! built for it.

mod examples;
mod exports;
mod installed;
mod place;
mod tools;

use std::path::{Path, PathBuf};
use std::{env, fs};

use installed::installed;
use place::{scratch, source};
use tightbeam_tests::paths::Directory;
use tools::{has, run};

/// What `program.c` prints on our library.
const OURS: &str = "4.3.5 pong\n";

/// Compiles `program.c` with what pkg-config says, runs it, and answers what it prints.
fn with_pkg_config(name: &str, asked: &[&str], flags: &[&str]) -> String {
    let library = installed();
    let pkg_config = library.join("lib/pkgconfig");
    let asked = [&["pkg-config", "--cflags", "--libs"], asked, &["libzmq"]].concat();
    let found = run(&asked, &[("PKG_CONFIG_PATH", &pkg_config)]);
    let program = scratch(name);
    let (program_name, source) = (program.to_string_lossy(), source("program.c"));
    let source = source.to_string_lossy();
    let mut words = vec!["cc", "-std=c99", "-Wall", "-o", &program_name, &source];
    words.extend(flags);
    words.extend(found.split_whitespace());
    run(&words, &[]);
    run(&[&program_name], &[("LD_LIBRARY_PATH", &library.join("lib"))])
}

#[test]
fn a_program_is_built_by_pkg_config() {
    if has("pkg-config", "programs by pkg-config") {
        assert_eq!(with_pkg_config("shared", &[], &[]), OURS);
    }
}

/// Nothing shared is left then, the C library included.
#[test]
fn a_static_program_is_built_by_pkg_config() {
    if has("pkg-config", "programs by pkg-config") {
        assert_eq!(
            with_pkg_config("static", &["--static"], &["-static", "-Wl,--no-warnings"]),
            OURS
        );
    }
}

#[test]
fn the_directory_may_be_moved() {
    if !has("pkg-config", "programs by pkg-config") {
        return;
    }
    let moved = scratch("moved");
    let _ = fs::remove_dir_all(&moved);
    fs::create_dir_all(moved.join("lib")).expect("a directory of our own");
    let description = moved.join("lib/pkgconfig");
    fs::create_dir_all(&description).expect("a directory of our own");
    fs::copy(installed().join("lib/pkgconfig/libzmq.pc"), description.join("libzmq.pc"))
        .expect("a copy");
    let asked = ["pkg-config", "--variable=libdir", "libzmq"];
    let found = run(&asked, &[("PKG_CONFIG_PATH", &description)]);
    let found = fs::canonicalize(found.trim()).expect("a directory that exists");
    assert_eq!(found, fs::canonicalize(moved.join("lib")).expect("it was made"));
}

#[test]
fn cmake_finds_both_libraries() {
    if !has("cmake", "programs by CMake") {
        return;
    }
    let (build, library) = (scratch("cmake"), installed());
    let _ = fs::remove_dir_all(&build);
    let sources = source("");
    let prefix = format!("-DCMAKE_PREFIX_PATH={}", library.display());
    let (build_name, sources) = (build.to_string_lossy(), sources.to_string_lossy());
    run(&["cmake", "-S", &sources, "-B", &build_name, &prefix], &[]);
    run(&["cmake", "--build", &build_name], &[]);
    for program in ["shared", "static"] {
        let path = build.join(program);
        assert_eq!(run(&[&path.to_string_lossy()], &[]), OURS, "{program}");
    }
    let needed = run(&["readelf", "-d", &build.join("static").to_string_lossy()], &[]);
    assert!(!needed.contains("libzmq"), "the static program asks for a shared libzmq:\n{needed}");
}

#[test]
fn a_program_linked_with_debians_library_runs_on_ours() {
    let (program, source) = (scratch("debian"), source("program.c"));
    let (name, source) = (program.to_string_lossy(), source.to_string_lossy());
    if !tools::succeeds(&["cc", "-o", &name, &source, "-lzmq"]) {
        eprintln!("no libzmq of the system: programs that were linked with it are not tried");
        return;
    }
    assert!(run(&[&name], &[]).starts_with("4.3.4"), "Debian's libzmq is another one");
    assert_eq!(run(&[&name], &[("LD_LIBRARY_PATH", &installed().join("lib"))]), OURS);
}

/// The wheel brings a libzmq of its own, which ours comes before.
#[test]
fn a_stock_pyzmq_runs_on_the_library_that_is_loaded_before_its_own() {
    let own = source("../../.venv/bin/python");
    let python = env::var_os("TIGHTBEAM_PYTHON").map_or(own, PathBuf::from);
    if !python.exists() {
        eprintln!("no .venv (cargo xtask setup): pyzmq on our library is not tried");
        return;
    }
    let words =
        [&python.to_string_lossy(), &*source("program.py").to_string_lossy()].map(str::to_owned);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let printed = run(&words, &[("LD_PRELOAD", &installed().join("lib/libzmq.so.5"))]);
    assert_eq!(printed, "True pong\n");
}

#[test]
fn the_shared_library_says_that_it_is_libzmq_5() {
    let library = installed().join("lib/libzmq.so");
    let dynamic = run(&["readelf", "-d", &library.to_string_lossy()], &[]);
    assert!(dynamic.contains("soname: [libzmq.so.5]"), "{dynamic}");
}

/// Compiles a program that uses what libzmq does not have, runs it, and answers what it prints.
fn with_our_header(name: &str, arguments: &[&str]) -> String {
    let (program, source) = (scratch(name), source(&format!("{name}.c")));
    let (name, source) = (program.to_string_lossy(), source.to_string_lossy());
    let include = format!("-I{}", installed().join("include").display());
    let lib = format!("-L{}", installed().join("lib").display());
    let strict = ["-std=gnu99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"];
    run(&[&["cc", "-o", &name, &source, &include, &lib, "-lzmq"], &strict[..]].concat(), &[]);
    run(&[&[&*name], arguments].concat(), &[("LD_LIBRARY_PATH", &installed().join("lib"))])
}

#[test]
fn what_libzmq_does_not_have_does_what_its_header_says() {
    assert_eq!(with_our_header("own", &[]), "");
}

#[test]
fn c_programs_say_who_is_let_in_and_keep_certificates() {
    let directory = Directory::new();
    assert_eq!(with_our_header("auth", &[&directory.path("").to_string_lossy()]), "");
}

/// Debian's libczmq, as it is.
#[test]
fn czmq_runs_on_the_library() {
    let (program, source) = (scratch("czmq"), source("czmq.c"));
    let (name, source) = (program.to_string_lossy(), source.to_string_lossy());
    if !tools::succeeds(&["cc", "-o", &name, &source, "-lczmq", "-lzmq"]) {
        eprintln!("no libczmq of the system: it is not tried on our library");
        return;
    }
    let ours = run(&[&name], &[("LD_LIBRARY_PATH", &installed().join("lib"))]);
    let came = ["a request", "a reply", "heard an actor", "in a loop", "through a proxy", ""];
    assert_eq!(ours, came.join("\n"));
}

#[test]
fn cppzmq_runs_on_the_library() {
    let (program, source) = (scratch("cppzmq"), source("cppzmq.cpp"));
    let (name, source) = (program.to_string_lossy(), source.to_string_lossy());
    let include = format!("-I{}", installed().join("include").display());
    let lib = format!("-L{}", installed().join("lib").display());
    let there = tools::succeeds(&["c++", "--version"]);
    if !there || !Path::new("/usr/include/zmq_addon.hpp").exists() {
        eprintln!("no C++ compiler or no cppzmq: it is not tried on our library");
        return;
    }
    let drafts = "-DZMQ_BUILD_DRAFT_API";
    run(&["c++", "-std=c++17", drafts, "-o", &name, &source, &include, &lib, "-lzmq"], &[]);
    let printed = run(&[&name], &[("LD_LIBRARY_PATH", &installed().join("lib"))]);
    assert_eq!(printed, "1\n2 two parts\na reply REP\n1\n");
}
