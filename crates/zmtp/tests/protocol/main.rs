//! The protocol, played through in virtual time.

mod any_bytes;
mod field;
mod golden;
mod handshake;
mod splits;
mod support;
mod time;
mod traffic;
mod versions;
