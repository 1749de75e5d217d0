//! What Tightbeam is to reach, through both of its interfaces, and whether it does.

use std::fmt::Write;

use super::report::row;
use super::results::Results;

/// A bound on a figure of one piece of work.
enum Bound {
    /// At least so many times the other's figure.
    AtLeast(f64, &'static str),
    /// At most so many times the other's figure.
    AtMost(f64, &'static str),
    /// At most this.
    Below(f64),
}

use Bound::{AtLeast, AtMost, Below};

/// The title of the work, the figure, and its bound.
const TARGETS: &[(&str, &str, Bound)] = &[
    ("round-trip tcp 64 B, one core", "p50_us", AtMost(1.15, "raw")),
    ("round-trip ipc 64 B, one core", "p50_us", AtMost(1.25, "raw")),
    ("round-trip inproc PAIR 64 B, one core", "p50_us", AtMost(1.25, "raw")),
    ("stream tcp 64 B", "rate", AtLeast(4.0, "libzmq")),
    ("stream tcp 64 B", "cpu_us", AtMost(0.25, "libzmq")),
    ("stream tcp 1 KB", "rate", AtLeast(3.0, "libzmq")),
    ("stream tcp 8 KB", "rate", AtLeast(2.6, "libzmq")),
    ("stream tcp 64 KB", "rate", AtLeast(0.9, "raw")),
    ("stream tcp 1 MB", "rate", AtLeast(0.9, "raw")),
    ("stream ipc 64 B", "rate", AtLeast(4.0, "libzmq")),
    ("stream inproc 64 B", "rate", AtLeast(3.0, "libzmq")),
    ("fan-in tcp 64 B from 100", "rate", AtLeast(4.0, "libzmq")),
    ("router tcp 64 B for 100", "rate", AtLeast(2.0, "libzmq")),
    ("router tcp 64 B for 100, polled by one thread", "rate", AtLeast(2.0, "libzmq")),
    ("publish tcp 64 B to 100", "rate", AtLeast(3.0, "libzmq")),
    ("publish tcp 64 B to 100, a topic each", "rate", AtLeast(3.0, "libzmq")),
    ("match tcp 64 B, 100000 subscriptions", "none_ns", Below(100.0)),
    ("curve tcp 64 B", "rate", AtLeast(2.0, "libzmq")),
    ("curve tcp 64 KB", "rate", AtLeast(1.2, "libzmq")),
    ("paced tcp 64 B at 10000/s", "p50_us", AtMost(0.5, "libzmq")),
    ("paced tcp 64 B at 10000/s", "p99_us", AtMost(1.0, "libzmq")),
    ("idle tcp 64 B from 5000", "heap_each", Below(4096.0)),
    ("idle tcp 64 B from 5000", "wakeups", Below(0.0)),
    ("idle tcp 64 B from 5000", "seconds", AtMost(1.0, "libzmq")),
];

/// The table, as far as its work was done.
pub(crate) fn markdown(results: &Results) -> String {
    let mut text = String::new();
    for (title, key, bound) in TARGETS {
        let cell = |contender| verdict(results, title, key, bound, contender);
        let (Some(rust), Some(c)) = (cell("Tightbeam"), cell("Tightbeam C")) else { continue };
        let wanted = match bound {
            AtLeast(times, other) => format!("at least {times}x {other}"),
            AtMost(times, other) => format!("at most {times}x {other}"),
            Below(most) => format!("at most {most}"),
        };
        let cells = [(*title).to_owned(), (*key).to_owned(), wanted, rust, c];
        let _ = writeln!(text, "{}", row(&cells));
    }
    if text.is_empty() {
        return text;
    }
    let head = ["work", "figure", "is to be", "Rust API", "C ABI"].map(str::to_owned);
    format!("\n## Targets\n\n{}\n|---|---|---|---|---|\n{text}", row(&head))
}

fn verdict(
    results: &Results,
    title: &str,
    key: &str,
    bound: &Bound,
    contender: &str,
) -> Option<String> {
    let own = results.median(title, contender, key)?;
    let ratio = |other: &str| Some(own / results.median(title, other, key)?);
    let (reached, figure) = match bound {
        AtLeast(times, other) => ratio(other).map(|r| (r >= *times, format!("{r:.2}x")))?,
        AtMost(times, other) => ratio(other).map(|r| (r <= *times, format!("{r:.2}x")))?,
        Below(most) => (own <= *most, format!("{own:.0}")),
    };
    Some(if reached { figure } else { format!("{figure} **short**") })
}
