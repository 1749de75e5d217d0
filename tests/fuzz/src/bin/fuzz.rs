//! A target under libFuzzer: the environment's `FUZZ_TARGET` says which. `cargo xtask fuzz` runs it.
#![no_main]

use std::sync::LazyLock;

use tightbeam_fuzz::{TARGETS, Target};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("FUZZ_TARGET names no target: {name:?}"))
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.run)(data));
