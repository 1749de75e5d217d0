//! Waiting: threads, signals, forks, futures, bursts and idleness, on real sockets.

mod bursts;
mod crowd;
mod descriptors;
mod endings;
mod fairness;
mod fork;
mod free_functions;
mod futures;
mod idle;
mod loop_watches;
mod masks;
mod on_tokio;
mod poll_sets;
mod pollers;
mod signals;
mod streams;
mod stress;
mod time;
mod tokio_tasks;
mod urgent;

mod support;
