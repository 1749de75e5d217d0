//! Medians, ranges, ratios; as Markdown and as JSON.

use std::fmt::Write;

use crate::run::Figures;
use crate::workload::{Mode, Workload};

/// A column of figures: key, heading, decimals, and whether ratios to the others are of interest.
type Column = (&'static str, &'static str, usize, bool);

fn columns(mode: Mode) -> &'static [Column] {
    match mode {
        Mode::Lat => &[
            ("p50_us", "p50 us", 1, true),
            ("p99_us", "p99 us", 1, false),
            ("p999_us", "p99.9 us", 1, false),
            ("cpu_us", "CPU us per round trip", 1, false),
        ],
        Mode::Thr | Mode::Curve => &[
            ("mmsg_s", "million msg/s", 3, true),
            ("mb_s", "MB/s", 0, false),
            ("cpu_us", "CPU us per msg", 3, true),
            ("sender_cpu_us", "of it the sender", 3, false),
        ],
        Mode::Paced => &[
            ("p50_us", "p50 us", 1, true),
            ("p99_us", "p99 us", 1, true),
            ("p999_us", "p99.9 us", 1, false),
            ("cpu_us", "CPU us per msg", 1, false),
        ],
        Mode::Match => &[
            ("none_ns", "ns per send, none matches", 0, true),
            ("one_ns", "ns per send, one matches", 0, true),
            ("one_cpu_ns", "CPU ns of the publisher for it", 0, true),
            ("subscribe_ms", "all subscribed after ms", 1, true),
        ],
    }
}

fn heading(mode: Mode) -> &'static str {
    match mode {
        Mode::Lat => "Round trip (REQ/REP; inproc: PAIR/PAIR)",
        Mode::Thr => "Streaming (PUSH/PULL), one core each if not said otherwise",
        Mode::Curve => "Streaming through CURVE (PUSH/PULL), one core each",
        Mode::Paced => "One-way latency of a paced sender (PUSH/PULL)",
        Mode::Match => "Subscription matching (PUB/SUB), one core per process",
    }
}

/// With whom the others are compared.
fn yardsticks(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Lat | Mode::Thr | Mode::Paced => &["raw", "libzmq"],
        Mode::Match | Mode::Curve => &["libzmq"],
    }
}

struct Entry {
    workload: Workload,
    contender: &'static str,
    runs: Vec<Figures>,
    failures: usize,
}

impl Entry {
    fn sorted(&self, key: &str) -> Vec<f64> {
        let mut values: Vec<f64> =
            self.runs.iter().filter_map(|run| run.get(key)).copied().collect();
        values.sort_by(f64::total_cmp);
        values
    }

    fn median(&self, key: &str) -> Option<f64> {
        let values = self.sorted(key);
        let middle = values.len() / 2;
        match values.len() {
            0 => None,
            n if n % 2 == 1 => Some(values[middle]),
            _ => Some((values[middle - 1] + values[middle]) / 2.0),
        }
    }
}

/// All runs so far.
#[derive(Default)]
pub(crate) struct Results {
    entries: Vec<Entry>,
}

impl Results {
    pub(crate) fn add(
        &mut self,
        workload: &Workload,
        contender: &'static str,
        outcome: Result<Figures, String>,
    ) {
        let label = workload.title();
        let same = |e: &Entry| e.contender == contender && e.workload.title() == label;
        let at = self.entries.iter().position(same).unwrap_or_else(|| {
            let workload = *workload;
            self.entries.push(Entry { workload, contender, runs: Vec::new(), failures: 0 });
            self.entries.len() - 1
        });
        match outcome {
            Ok(figures) => self.entries[at].runs.push(figures),
            Err(_) => self.entries[at].failures += 1,
        }
    }

    pub(crate) fn failures(&self) -> usize {
        self.entries.iter().map(|entry| entry.failures).sum()
    }

    /// The ratio of an entry's median to that of another contender in the same workload.
    fn ratio(&self, entry: &Entry, key: &str, other: &str) -> Option<f64> {
        let title = entry.workload.title();
        let other =
            self.entries.iter().find(|e| e.contender == other && e.workload.title() == title)?;
        Some(entry.median(key)? / other.median(key)?)
    }

    /// A table for each mode: median (min - max), and ratios of medians.
    pub(crate) fn markdown(&self, note: &str) -> String {
        let mut text = format!("{note} Each figure: median (min - max) of the rounds.\n");
        for mode in Mode::ALL {
            let entries: Vec<&Entry> =
                self.entries.iter().filter(|entry| entry.workload.mode == mode).collect();
            if entries.is_empty() {
                continue;
            }
            let mut head = vec!["work".to_owned(), "contender".to_owned()];
            for (_, name, _, ratios) in columns(mode) {
                head.push((*name).to_owned());
                if *ratios {
                    head.extend(yardsticks(mode).iter().map(|other| format!("/ {other}")));
                }
            }
            let _ = writeln!(text, "\n### {}\n\n{}", heading(mode), row(&head));
            let _ = writeln!(text, "|{}", "---|".repeat(head.len()));
            for entry in entries {
                let _ = writeln!(text, "{}", row(&self.cells(entry)));
            }
        }
        text
    }

    fn cells(&self, entry: &Entry) -> Vec<String> {
        let mut cells = vec![entry.workload.label(), entry.contender.to_owned()];
        for (key, _, decimals, ratios) in columns(entry.workload.mode) {
            let values = entry.sorted(key);
            cells.push(match (entry.median(key), values.first(), values.last()) {
                (Some(median), Some(min), Some(max)) => {
                    format!("{median:.decimals$} ({min:.decimals$} - {max:.decimals$})")
                }
                _ => "failed".to_owned(),
            });
            for other in yardsticks(entry.workload.mode).iter().filter(|_| *ratios) {
                let ratio = self.ratio(entry, key, other);
                cells.push(ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}x")));
            }
        }
        cells
    }

    /// An array with an object for each workload and contender, with all values in order of the rounds.
    pub(crate) fn json(&self) -> String {
        let objects: Vec<String> = self.entries.iter().map(json_object).collect();
        format!("[\n{}\n]\n", objects.join(",\n"))
    }
}

fn row(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

fn json_object(entry: &Entry) -> String {
    let workload = &entry.workload;
    let mut text = format!(
        "  {{\"mode\": \"{}\", \"work\": \"{}\", \"contender\": \"{}\", \"failures\": {}",
        workload.mode.name(),
        workload.label(),
        entry.contender,
        entry.failures,
    );
    for (key, ..) in columns(workload.mode) {
        let Some(median) = entry.median(key) else { continue };
        let values: Vec<String> =
            entry.runs.iter().filter_map(|run| run.get(key)).map(f64::to_string).collect();
        let _ = write!(
            text,
            ", \"{key}\": {{\"median\": {median}, \"values\": [{}]}}",
            values.join(", ")
        );
    }
    text.push('}');
    text
}
