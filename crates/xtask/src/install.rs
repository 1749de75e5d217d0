//! `cargo xtask install --prefix DIR [--debug]`: the C library, its headers, and what pkg-config and CMake ask for, laid out as
//! libzmq's are. Everything is found from where it lies, so that the directory may be moved.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::peers;
use crate::project::{cargo, root, target};

const HEADERS: [&str; 3] = ["zmq.h", "zmq_utils.h", "tightbeam.h"];

/// What other build systems read; the names in at signs are filled in.
const DESCRIPTIONS: [(&str, &str); 3] = [
    ("lib/pkgconfig/libzmq.pc", include_str!("install/libzmq.pc")),
    ("lib/cmake/ZeroMQ/ZeroMQConfig.cmake", include_str!("install/ZeroMQConfig.cmake")),
    (
        "lib/cmake/ZeroMQ/ZeroMQConfigVersion.cmake",
        include_str!("install/ZeroMQConfigVersion.cmake"),
    ),
];

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let debug = arguments.iter().any(|argument| argument == "--debug");
    let at = arguments.iter().position(|argument| argument == "--prefix");
    let prefix = at.and_then(|at| arguments.get(at + 1)).ok_or("--prefix DIR is missing")?;
    let version = install(&PathBuf::from(prefix), debug)?;
    println!("libzmq {version} of Tightbeam is in {prefix}");
    Ok(())
}

/// Our library as the peers find it, and the programs that it is loaded under: the prefix that it was installed at.
pub(crate) fn for_peers(release: bool) -> Result<PathBuf, String> {
    let kind = if release { "release" } else { "debug" };
    let prefix = target().join("peers").join(kind);
    install(&prefix, !release)?;
    Ok(prefix)
}

/// The C peer on our library, which it finds by itself.
pub(crate) fn c_peer(release: bool) -> Result<PathBuf, String> {
    let prefix = for_peers(release)?;
    let peer = prefix.join("peer");
    let flag = |word: &str, directory| format!("{word}{}", prefix.join(directory).display());
    let flags = [flag("-I", "include"), flag("-L", "lib"), flag("-Wl,-rpath,", "lib")];
    let flags = [&flags[0], &flags[1], &flags[2], "-lzmq"];
    peers::build_c(&root().join("tests/peers/peer.c"), &peer, &flags)?;
    Ok(peer)
}

/// Builds and lays out; answers the version.
fn install(prefix: &Path, debug: bool) -> Result<String, String> {
    let mut build = cargo(&["build", "--quiet", "--package", "tightbeam-capi"]);
    if !debug {
        build.arg("--release");
    }
    if !build.status().is_ok_and(|status| status.success()) {
        return Err("the library could not be built".to_owned());
    }
    let built = target().join(if debug { "debug" } else { "release" });
    let version = version()?;
    // As libzmq numbers its files: the version of the interface, and what was added to it since.
    let [_, minor, patch] = version;
    let shared = format!("libzmq.so.5.{}.{patch}", minor - 1);
    for directory in ["include", "lib/pkgconfig", "lib/cmake/ZeroMQ"] {
        let path = prefix.join(directory);
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let include = root().join("include");
    for name in HEADERS {
        copy(&include.join(name), &prefix.join("include").join(name))?;
    }
    let lib = prefix.join("lib");
    copy(&built.join("libzmq.so"), &lib.join(&shared))?;
    copy(&built.join("libzmq.a"), &lib.join("libzmq.a"))?;
    link(&shared, &lib.join("libzmq.so.5"))?;
    link("libzmq.so.5", &lib.join("libzmq.so"))?;
    let words = version.map(|number| number.to_string()).join(".");
    for (name, text) in DESCRIPTIONS {
        let text = text.replace("@VERSION@", &words).replace("@SHARED@", &shared);
        put(&prefix.join(name), |draft| fs::write(draft, text))?;
    }
    Ok(words)
}

/// The version that `zmq.h` says.
fn version() -> Result<[u32; 3], String> {
    let path = root().join("include/zmq.h");
    let header =
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let number = |name: &str| -> Result<u32, String> {
        let name = format!("#define ZMQ_VERSION_{name} ");
        let value = header.lines().find_map(|line| line.strip_prefix(&name));
        value.and_then(|value| value.parse().ok()).ok_or(format!("no {name}in zmq.h"))
    };
    Ok([number("MAJOR")?, number("MINOR")?, number("PATCH")?])
}

/// Copies a file unless that was done before.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let age = |path: &Path| fs::metadata(path).and_then(|data| Ok((data.modified()?, data.len())));
    let is_same = match (age(from), age(to)) {
        (Ok((made, len)), Ok((copied, same_len))) => copied >= made && len == same_len,
        _ => false,
    };
    if is_same {
        return Ok(());
    }
    put(to, |draft| fs::copy(from, draft).map(drop))
}

fn link(target: &str, path: &Path) -> Result<(), String> {
    if fs::read_link(path).is_ok_and(|found| found == Path::new(target)) {
        return Ok(());
    }
    put(path, |draft| symlink(target, draft))
}

/// Makes a file under a name of its own and then moves it into place: programs may be using what it replaces.
fn put(path: &Path, make: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.{}", std::process::id()));
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(format!("{}: {error}", draft.display()));
        }
        _ => {}
    }
    let made = make(&draft).and_then(|()| fs::rename(&draft, path));
    made.map_err(|error| format!("{}: {error}", path.display()))
}
