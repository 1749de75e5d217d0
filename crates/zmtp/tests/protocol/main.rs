//! The protocol, played through in virtual time.

mod any_bytes;
mod choices;
mod curve;
mod curve_peers;
mod curve_script;
mod curve_traffic;
mod field;
mod golden;
mod handshake;
mod mutations;
mod outcome;
mod plain;
mod security;
mod splits;
mod support;
mod tamper;
mod time;
mod traffic;
mod versions;
