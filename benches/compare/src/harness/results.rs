//! What was measured so far.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::workload::{Group, Workload};

/// The figures of one run, by name.
pub(crate) type Figures = BTreeMap<&'static str, f64>;

/// How one run went.
pub(crate) enum Outcome {
    Done {
        figures: Figures,
        latencies: Option<Histogram<u64>>,
    },
    /// The library cannot do that.
    Unsupported,
    Failed(String),
}

/// All runs of one piece of work with one contender.
pub(crate) struct Entry {
    pub(crate) workload: Workload,
    pub(crate) contender: &'static str,
    pub(crate) runs: Vec<Figures>,
    /// Of all runs together.
    pub(crate) latencies: Option<Histogram<u64>>,
    pub(crate) failures: usize,
}

/// A median with its range.
#[derive(Clone, Copy)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Entry {
    pub(crate) fn summary(&self, key: &str) -> Option<Summary> {
        let mut values: Vec<f64> =
            self.runs.iter().filter_map(|run| run.get(key)).copied().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let median = (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0;
        Some(Summary { median, min, max })
    }
}

/// All of it.
#[derive(Default)]
pub(crate) struct Results {
    pub(crate) entries: Vec<Entry>,
    /// A line for each contender that failed in some work, which it then does not do again.
    pub(crate) failed: Vec<String>,
}

impl Results {
    /// Adds a run. False if there is to be no other of this work by this contender.
    pub(crate) fn add(
        &mut self,
        workload: &Workload,
        contender: &'static str,
        outcome: Outcome,
    ) -> bool {
        let same = |e: &Entry| e.contender == contender && e.workload == *workload;
        let at = self.entries.iter().position(same).unwrap_or_else(|| {
            let workload = *workload;
            self.entries.push(Entry {
                workload,
                contender,
                runs: Vec::new(),
                latencies: None,
                failures: 0,
            });
            self.entries.len() - 1
        });
        let entry = &mut self.entries[at];
        match outcome {
            Outcome::Done { figures, latencies } => {
                entry.runs.push(figures);
                match (&mut entry.latencies, latencies) {
                    (Some(all), Some(more)) => all.add(more).unwrap_or_default(),
                    (all, more) => *all = more,
                }
                true
            }
            Outcome::Unsupported => false,
            Outcome::Failed(error) => {
                entry.failures += 1;
                let (runs, title) = (entry.runs.len(), workload.title());
                self.failed
                    .push(format!("{contender} failed in {title} after {runs} runs: {error}"));
                false
            }
        }
    }

    pub(crate) fn failures(&self, contender: &str) -> usize {
        self.entries.iter().filter(|e| e.contender == contender).map(|e| e.failures).sum()
    }

    pub(crate) fn of(&self, group: Group) -> Vec<&Entry> {
        self.entries.iter().filter(|entry| entry.workload.group == group).collect()
    }

    pub(crate) fn find(&self, title: &str, contender: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| e.contender == contender && e.workload.title() == title)
    }

    /// The median of a figure.
    pub(crate) fn median(&self, title: &str, contender: &str, key: &str) -> Option<f64> {
        Some(self.find(title, contender)?.summary(key)?.median)
    }
}
