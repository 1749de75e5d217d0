//! Tightbeam's own tasks, run as `cargo xtask TASK`. `cargo xtask help` lists them.
//!
//! Standard library only, so that the first command on a fresh machine compiles in a second or two.

use std::process::ExitCode;

mod bench;
mod c_tests;
mod demo;
mod fuzz;
mod install;
#[path = "../../../tests/peers/mod.rs"]
mod peers;
mod project;
mod python;
mod setup;
mod steps;
mod test;
mod timing;

const HELP: &str = "\
cargo xtask TASK

  demo [--quick] [LANGUAGE]...   peers in processes of their own message each other; what they said and measured
                                 (languages: rust capi pymod python c; c, the system's libzmq, only with itself unless told)
  test [--verbose]               every test there is
  bench compare [--quick] [...]  beside raw sockets, libzmq and other implementations (`bench compare --help`)
  bench python [--quick] [...]   the Python module beside pyzmq and pyomq (`bench python --help`)
  fuzz [--time SECONDS] [...]    looks for inputs that break a promise (`fuzz --help`)
  bench count [--bless]          instructions per message beside those in benches/counts.md
  timing                         whether anything depends on keys, under valgrind
  install --prefix DIR [--debug] the C library with its headers, for pkg-config and CMake, too
  header [--check]               writes the C headers in include/, or says whether they are fresh
  setup                          installs what the others need; they call it themselves
  help                           this
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = arguments.split_first().map_or(("help", &[][..]), |(t, r)| (t.as_str(), r));
    let result = match task {
        "demo" => demo::run(rest),
        "test" => test::run(rest),
        "bench" => bench::run(rest),
        "fuzz" => fuzz::run(rest),
        "timing" => timing::check().map(|remark| println!("{remark}, as they should be")),
        "install" => install::run(rest),
        "header" => project::run("tightbeam-header", rest),
        "setup" => {
            setup::run().print();
            Ok(())
        }
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        _ => Err(format!("no task {task:?}\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
