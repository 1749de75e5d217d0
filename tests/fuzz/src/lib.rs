//! Fuzz targets: plain functions that take any bytes and panic where a promise is broken. `tests/corpus.rs`
//! replays what is in `corpus`, `cargo xtask fuzz` looks for more; `README.md` beside this says how.
//!
//! What the protocol's own tests are built of is used here, too.

use counting::Counting;

#[path = "../../../crates/zmtp/tests/protocol/choices.rs"]
mod choices;
#[path = "../../../crates/zmtp/tests/counting/mod.rs"]
mod counting;
#[path = "../../../crates/zmtp/tests/protocol/curve_peers.rs"]
#[allow(dead_code, reason = "the protocol's tests use all of it")]
mod curve_peers;
#[path = "../../../crates/zmtp/tests/protocol/curve_script.rs"]
#[allow(dead_code, reason = "the protocol's tests use all of it")]
mod curve_script;
#[path = "../../../crates/zmtp/tests/protocol/outcome.rs"]
mod outcome;
#[path = "../../../crates/zmtp/tests/protocol/support.rs"]
#[allow(dead_code, reason = "the protocol's tests use all of it")]
mod support;
#[path = "../../../crates/zmtp/tests/protocol/tamper.rs"]
mod tamper;

mod checks;
mod curve_client;
mod curve_server;
mod handshakes;
mod metadata;
mod options;
mod sealed;
mod session;
mod tape;
mod text;
mod traffic;

pub use checks::{Reached, reached_in};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One thing to fuzz.
#[derive(Debug)]
pub struct Target {
    /// What it is called on the command line, and its directory in `corpus`.
    pub name: &'static str,
    /// Takes any bytes; panics where they break a promise.
    pub run: fn(&[u8]),
    /// Valid inputs with their names: where the search begins.
    pub seeds: fn() -> Vec<(&'static str, Vec<u8>)>,
}

/// All of them.
pub static TARGETS: [Target; 11] = [
    handshakes::GREETING,
    handshakes::NULL,
    handshakes::PLAIN,
    curve_client::TARGET,
    curve_server::TARGET,
    metadata::TARGET,
    traffic::TARGET,
    sealed::TARGET,
    session::TARGET,
    text::TARGET,
    options::TARGET,
];
