//! What is said on the wire does not depend on the transport.

use tightbeam_tests::transport::again_over_ipc;

#[test]
fn handshakes_versions_and_framing_are_the_same() {
    again_over_ipc(
        &["handshake::", "versions::", "framing::", "cuts::", "gone::", "heartbeat::"],
        &[],
    );
}

#[test]
fn hostile_and_slow_peers_are_dealt_with_alike() {
    again_over_ipc(
        &[
            "hostile::",
            "pressure::",
            "half_open::",
            "sigpipe::",
            "raw::",
            "upstream::",
            "large_slices::",
        ],
        &[],
    );
}

#[test]
fn no_mechanism_is_weaker() {
    again_over_ipc(&["misbehaviour::", "judged::", "silence::", "budget::"], &[]);
}
