//! Medians, ranges and ratios as tables in Markdown.

use std::fmt::Write;

use super::contender::Contender;
use super::results::{Entry, Results};
use super::workload::Group;
use super::{ahead, machine, targets};

/// A column of figures.
pub(crate) struct Column {
    pub(crate) key: &'static str,
    pub(crate) heading: &'static str,
    decimals: usize,
    /// What a figure is divided by.
    unit: f64,
    /// Whether ratios to the others are of interest.
    ratios: bool,
}

const fn column(
    key: &'static str,
    heading: &'static str,
    decimals: usize,
    unit: f64,
    ratios: bool,
) -> Column {
    Column { key, heading, decimals, unit, ratios }
}

impl Column {
    /// Whether it says who is ahead; the others say at what price.
    pub(crate) fn decides(&self) -> bool {
        self.ratios && !matches!(self.key, "cpu_us" | "subscribe_s")
    }

    /// How many times better one figure is than another.
    pub(crate) fn times_better(&self, one: f64, other: f64) -> f64 {
        if self.key == "rate" { one / other } else { other / one }
    }
}

const P50: Column = column("p50_us", "p50 us", 1, 1.0, true);
const P99: Column = column("p99_us", "p99 us", 1, 1.0, false);
const P999: Column = column("p999_us", "p99.9 us", 1, 1.0, false);
const RATE: Column = column("rate", "M msg/s", 3, 1e6, true);
const CPU: Column = column("cpu_us", "CPU s per M", 3, 1.0, true);
const SWITCHES: Column = column("switches", "switches per 1,000", 1, 1e-3, false);

pub(crate) fn columns(group: Group) -> Vec<Column> {
    match group {
        Group::RoundTrip => vec![P50, P99, P999, CPU, SWITCHES],
        Group::Router => vec![RATE, P50, P99, P999, CPU, SWITCHES],
        Group::Stream | Group::Curve => {
            vec![RATE, column("mb_s", "MB/s", 0, 1.0, false), CPU, SWITCHES]
        }
        Group::FanIn | Group::Publish => vec![RATE, CPU, SWITCHES],
        Group::Match => vec![
            column("none_ns", "ns per send, none matches", 0, 1.0, true),
            column("one_ns", "ns per send, one matches", 0, 1.0, true),
            column("subscribe_s", "all subscribed after ms", 1, 1e-3, true),
            CPU,
        ],
        Group::Paced => vec![P50, column("p99_us", "p99 us", 1, 1.0, true), P999, CPU, SWITCHES],
        Group::Idle => vec![
            column("heap_each", "heap KB each", 2, 1000.0, true),
            column("wakeups", "wake-ups in 2 s", 0, 1.0, false),
            column("idle_cpu_ms", "CPU ms in 2 s", 3, 1.0, false),
            column("seconds", "all connected after s", 3, 1.0, true),
        ],
    }
}

/// With whom the others are compared.
const YARDSTICKS: [&str; 2] = ["raw", "libzmq"];

/// The whole page.
pub(crate) fn markdown(
    results: &Results,
    contenders: &[Contender],
    missing: &[String],
    pinned: &str,
    rounds: usize,
) -> String {
    let mut text = format!(
        "# Comparison\n\n{}, {}. {pinned}. {rounds} interleaved rounds: median (min - max), ratios of medians.\n\n",
        machine::date(),
        machine::description(),
    );
    for contender in contenders {
        let _ = writeln!(text, "* {}: {}", contender.name, contender.version);
    }
    for line in missing.iter().chain(&results.failed) {
        let _ = writeln!(text, "* {line}");
    }
    text += &targets::markdown(results);
    text += &ahead::markdown(results, contenders);
    for group in Group::ALL {
        let entries = results.of(group);
        if !entries.is_empty() {
            let _ = write!(text, "\n## {}\n\n{}", group.heading(), table(results, group, &entries));
        }
    }
    text
}

fn table(results: &Results, group: Group, entries: &[&Entry]) -> String {
    let yardsticks: Vec<&str> = YARDSTICKS
        .into_iter()
        .filter(|name| entries.iter().any(|e| e.contender == *name))
        .collect();
    let mut head = vec!["work".to_owned(), "library".to_owned()];
    for column in columns(group) {
        head.push(column.heading.to_owned());
        if column.ratios {
            head.extend(yardsticks.iter().map(|other| format!("/ {other}")));
        }
    }
    let mut text = format!("{}\n|{}\n", row(&head), "---|".repeat(head.len()));
    for entry in entries {
        if entry.runs.is_empty() && entry.failures == 0 {
            continue;
        }
        let _ = writeln!(text, "{}", row(&cells(results, entry, &yardsticks)));
    }
    text
}

fn cells(results: &Results, entry: &Entry, yardsticks: &[&str]) -> Vec<String> {
    let title = entry.workload.title();
    let mut cells = vec![entry.workload.label(), entry.contender.to_owned()];
    for column in columns(entry.workload.group) {
        let (unit, decimals) = (column.unit, column.decimals);
        let summary = entry.summary(column.key);
        cells.push(summary.map_or_else(
            || "failed".to_owned(),
            |s| {
                let (median, min, max) = (s.median / unit, s.min / unit, s.max / unit);
                format!("{median:.decimals$} ({min:.decimals$} - {max:.decimals$})")
            },
        ));
        for other in yardsticks.iter().filter(|_| column.ratios) {
            let other = results.median(&title, other, column.key).filter(|other| *other > 0.0);
            let ratio = summary.zip(other).map(|(own, other)| own.median / other);
            cells.push(ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}x")));
        }
    }
    cells
}

pub(crate) fn row(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}
