//! How far a comparison is, and how long the rest will take.

use std::time::Instant;

use super::workload::{Depth, Workload};

/// What is done, and how long that took.
pub(crate) struct Progress {
    started: Instant,
    depth: Depth,
    contenders: usize,
    rounds: usize,
    number: usize,
    of: usize,
    /// By guess, in seconds.
    done_s: f64,
    all_s: f64,
}

impl Progress {
    /// Of this work, which so many contenders do in so many rounds.
    pub(crate) fn start(work: &[Workload], contenders: usize, rounds: usize, depth: Depth) -> Self {
        let mut progress = Self {
            started: Instant::now(),
            depth,
            contenders,
            rounds,
            number: 0,
            of: work.len(),
            done_s: 0.0,
            all_s: 0.0,
        };
        progress.all_s = work.iter().map(|workload| progress.guess_s(workload)).sum();
        progress
    }

    fn guess_s(&self, workload: &Workload) -> f64 {
        workload.run_s(self.depth) * (workload.runs(self.rounds) * self.contenders) as f64
    }

    /// Says what comes next.
    pub(crate) fn tell(&mut self, workload: &Workload) {
        self.number += 1;
        let elapsed_s = self.started.elapsed().as_secs_f64();
        // Until something is done, the guess is all there is.
        let scale = if self.done_s > 0.0 { elapsed_s / self.done_s } else { 1.0 };
        let left_s = (self.all_s - self.done_s) * scale;
        let (number, of, title) = (self.number, self.of, workload.title());
        eprintln!("[{number}/{of}, {} done, {} left] {title}", clock(elapsed_s), clock(left_s));
        self.done_s += self.guess_s(workload);
    }
}

/// `3:07`.
fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
