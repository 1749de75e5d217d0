//! Runs the same work with several contenders, two processes at a time, in interleaved rounds, and compares them.
//! `README.md` says what is measured and how to read it; `cargo xtask bench compare` builds everything and calls this.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

mod harness;

use harness::contender::{self, Contender, Wanted};
use harness::progress::Progress;
use harness::results::{Outcome, Results};
use harness::run::{self, Cores};
use harness::workload::{self, Depth, Workload};
use harness::{files, plot, report};

const HELP: &str = "\
cargo xtask bench compare [OPTION]...

  --quick            shorter runs and fewer rounds
  --only TEXT        the work whose title has all of these words (`--only 'stream tcp'`); may be repeated
  --with NAME        only this contender (raw, libzmq, Tightbeam, 'Tightbeam C', 'Tightbeam futures', omq, ...); may be repeated
  --rounds N         rounds
  --out DIR          where compare.md, .json, .csv and the plots go; otherwise target/compare
  --urgent           (xtask; root) before everything else that runs on this machine
  --without-rivals   only raw sockets, libzmq and Tightbeam
  --without-libzmq   leave libzmq out
  --smoke            a handful of messages, in one round: does it run?
  --list             the titles of all work
";

struct Options {
    depth: Depth,
    only: Vec<String>,
    with: Vec<String>,
    rounds: Option<usize>,
    out: Option<PathBuf>,
    wanted: Wanted,
}

fn main() -> ExitCode {
    let result = match parse(env::args().skip(1)) {
        Ok(Some(options)) => compare(&options),
        Ok(None) => Ok(()),
        Err(error) => Err(format!("{error}\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        depth: Depth::Full,
        only: Vec::new(),
        with: Vec::new(),
        rounds: None,
        out: None,
        wanted: Wanted { libzmq: true, rivals: true },
    };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--quick" => options.depth = Depth::Quick,
            "--smoke" => options.depth = Depth::Smoke,
            "--only" => options.only.push(value()?),
            "--with" => options.with.push(value()?),
            "--rounds" => {
                let rounds = value()?.parse().ok().filter(|rounds| *rounds > 0);
                options.rounds = Some(rounds.ok_or("--rounds needs a number above 0")?);
            }
            "--out" => options.out = Some(PathBuf::from(value()?)),
            "--without-libzmq" => options.wanted.libzmq = false,
            "--without-rivals" => options.wanted.rivals = false,
            "--list" => {
                workload::all().iter().for_each(|workload| println!("{}", workload.title()));
                return Ok(None);
            }
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(None);
            }
            _ => return Err(format!("unknown option {argument:?}")),
        }
    }
    Ok(Some(options))
}

fn compare(options: &Options) -> Result<(), String> {
    let own = env::current_exe().map_err(|error| error.to_string())?;
    let beside = own.parent().unwrap_or(Path::new("."));
    let (mut contenders, missing) = contender::find(&options.wanted, beside);
    contenders
        .retain(|c| options.with.is_empty() || options.with.iter().any(|name| name == c.name));
    missing.iter().for_each(|line| eprintln!("{line}"));
    let cores = Cores::find();
    let mut results = Results::default();
    let smoke = options.depth == Depth::Smoke;
    let rounds = options.rounds.unwrap_or(options.depth.rounds());
    let wanted = |workload: &Workload| {
        let title = workload.title();
        let matches = |only: &String| only.split(' ').all(|word| title.contains(word));
        options.only.is_empty() || options.only.iter().any(matches)
    };
    let mut work = if smoke { workload::smoke() } else { workload::all() };
    work.retain(wanted);
    let mut progress = Progress::start(&work, contenders.len(), rounds, options.depth);
    for workload in &work {
        progress.tell(workload);
        compare_once(workload, &contenders, &cores, options.depth, rounds, &mut results);
    }
    let page = report::markdown(&results, &contenders, &missing, &cores.describe(), rounds);
    if !smoke {
        let out = options.out.clone().unwrap_or_else(|| beside.join("compare-results"));
        let written = write(&out, &page, &results, &contenders);
        written.map_err(|error| format!("{}: {error}", out.display()))?;
        println!("{page}\nWritten to {}.", out.display());
    }
    let failures: usize =
        contenders.iter().filter(|c| c.is_ours).map(|c| results.failures(c.name)).sum();
    if failures == 0 { Ok(()) } else { Err(format!("{failures} of our runs failed")) }
}

/// All rounds of one piece of work.
fn compare_once(
    workload: &Workload,
    contenders: &[Contender],
    cores: &Cores,
    depth: Depth,
    rounds: usize,
    results: &mut Results,
) {
    let once = |contender: &Contender, messages| {
        let outcome = run::once(workload, contender, cores, depth, messages);
        if let Outcome::Failed(error) = &outcome {
            eprintln!("  {} failed: {error}", contender.name);
        }
        outcome
    };
    let mut counts = Vec::new();
    for contender in contenders {
        match measure_count(workload, depth, |messages| once(contender, messages)) {
            Ok(count) => counts.push((contender, count)),
            // Whoever fails would fail again, and make everybody wait for it.
            Err(outcome) => {
                results.add(workload, contender.name, outcome);
            }
        }
    }
    for _ in 0..workload.rounds(rounds) {
        counts.retain(|(contender, count)| {
            results.add(workload, contender.name, once(contender, *count))
        });
    }
}

/// How many messages a contender needs for the time that a run is to take: found in runs that do not count, and warm everything up.
fn measure_count(
    workload: &Workload,
    depth: Depth,
    mut once: impl FnMut(usize) -> Outcome,
) -> Result<usize, Outcome> {
    let mut count = workload.first_count(depth);
    if depth == Depth::Smoke || !workload.is_adjusted() {
        return Ok(count);
    }
    loop {
        match once(count) {
            Outcome::Done { figures, .. } => {
                let seconds = figures.get("seconds").copied().unwrap_or(0.0).max(1e-4);
                let times = depth.seconds() / seconds;
                if times <= 1.5 {
                    return Ok(count);
                }
                // In steps: a short run says little, and connecting is part of it.
                count = workload.round((count as f64 * times.min(20.0)) as usize);
            }
            outcome => return Err(outcome),
        }
    }
}

fn write(
    out: &Path,
    page: &str,
    results: &Results,
    contenders: &[Contender],
) -> Result<(), Box<dyn std::error::Error>> {
    fs::create_dir_all(out)?;
    fs::write(out.join("compare.md"), page)?;
    fs::write(out.join("compare.json"), files::json(results, contenders))?;
    fs::write(out.join("compare.csv"), files::csv(results))?;
    plot::write_all(results, contenders, out)
}
