//! Runs the same work with several contenders, two processes at a time, in interleaved rounds, and compares them.
//! `README.md` says what is measured and how to read it; `cargo xtask bench` builds everything and calls this.

use std::process::ExitCode;
use std::{env, fs};

mod contender;
mod count;
mod report;
mod run;
mod workload;

use report::Results;
use workload::{Depth, Mode, Transport};

const HELP: &str = "\
cargo xtask bench [OPTION]...
cargo xtask bench count [--bless]   instructions per message, under callgrind

  --quick            fewer messages and rounds: about a minute
  --only MODE        lat, thr, curve, paced or match alone
  --transport NAME   tcp, ipc or inproc alone
  --rounds N         rounds
  --json FILE        also write the results there as JSON (`-`: to standard output, instead of the tables)
  --urgent           (xtask; root) before everything else that runs on this machine
  --smoke            a handful of messages: does it run?
  --without-libzmq   leave libzmq out
";

struct Options {
    depth: Depth,
    only: Option<Mode>,
    transport: Option<Transport>,
    rounds: Option<usize>,
    json: Option<String>,
    libzmq: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((count, rest)) if count == "count" => count::run(rest),
        _ => compare(arguments.into_iter()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    match parse(arguments) {
        Ok(Some(options)) => bench(&options),
        Ok(None) => {
            print!("{HELP}");
            Ok(())
        }
        Err(error) => Err(format!("{error}\n\n{HELP}")),
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        depth: Depth::Full,
        only: None,
        transport: None,
        rounds: None,
        json: None,
        libzmq: true,
    };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--quick" => options.depth = Depth::Quick,
            "--smoke" => options.depth = Depth::Smoke,
            "--only" => options.only = Some(Mode::parse(&value()?)?),
            "--transport" => options.transport = Some(Transport::parse(&value()?)?),
            "--rounds" => {
                let rounds = value()?.parse().ok().filter(|rounds| *rounds > 0);
                options.rounds = Some(rounds.ok_or("--rounds needs a number above 0")?);
            }
            "--json" => options.json = Some(value()?),
            "--without-libzmq" => options.libzmq = false,
            "--help" | "-h" => return Ok(None),
            _ => return Err(format!("unknown option {argument:?}")),
        }
    }
    Ok(Some(options))
}

fn bench(options: &Options) -> Result<(), String> {
    let contenders = contender::find(options.libzmq);
    let placements = run::Placements::find();
    let mut results = Results::default();
    for workload in workload::all() {
        let elsewhere = options.transport.is_some_and(|only| only != workload.transport);
        if elsewhere || options.only.is_some_and(|mode| mode != workload.mode) {
            continue;
        }
        eprintln!("{}", workload.title());
        for _ in 0..options.rounds.unwrap_or(options.depth.rounds()) {
            for contender in contenders.iter().filter(|c| c.takes_part(&workload)) {
                let outcome = run::once(&workload, contender, &placements, options.depth);
                if let Err(error) = &outcome {
                    eprintln!("  {} failed: {error}", contender.name);
                }
                results.add(&workload, contender.name, outcome);
            }
        }
    }
    if options.json.as_deref() != Some("-") {
        print!("{}", results.markdown(&placements.describe()));
    }
    match options.json.as_deref() {
        Some("-") => print!("{}", results.json()),
        Some(path) => {
            fs::write(path, results.json()).map_err(|error| format!("{path}: {error}"))?
        }
        None => {}
    }
    match results.failures() {
        0 => Ok(()),
        failures => Err(format!("{failures} runs failed")),
    }
}
