//! Waiting: threads, signals, forks, futures, bursts and idleness.
