//! The headers in `include` are those that the declarations make.

use std::fs;

use tightbeam_header::{HEADERS, forgotten_files};

#[test]
fn the_headers_are_fresh() {
    for header in HEADERS {
        let kept = fs::read_to_string(header.path()).unwrap_or_default();
        let made = header.generate().expect("crates/capi can be understood");
        assert!(kept == made, "include/{} is stale: run `cargo xtask header`", header.name);
    }
}

#[test]
fn every_file_that_exports_something_is_in_a_header() {
    assert_eq!(forgotten_files(), Ok(Vec::new()), "add them to HEADERS in crates/header");
}
