//! Waiting: threads, signals, forks, futures, bursts and idleness, on real sockets.

mod bursts;
mod crowd;
mod endings;
mod fairness;
mod fork;
mod free_functions;
mod futures;
mod idle;
mod pollers;
mod signals;
mod stress;
mod time;

mod support;
