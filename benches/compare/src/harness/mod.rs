//! The harness: who takes part, what is done, how it is run, and what is said of it.

pub(crate) mod ahead;
pub(crate) mod contender;
pub(crate) mod files;
pub(crate) mod machine;
pub(crate) mod plot;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod results;
pub(crate) mod run;
pub(crate) mod targets;
pub(crate) mod workload;
