//! With libzmq over ipc: every pair, heartbeats and reconnecting once more.

use tightbeam_tests::transport::again_over_ipc;

#[test]
fn every_pair_talks() {
    again_over_ipc(&["pairs::"], &["hundred_megabytes"]);
}

#[test]
fn heartbeats_and_reconnecting_are_the_same() {
    again_over_ipc(&["heartbeat::", "reconnect::"], &["a_frozen_network"]);
}

#[test]
fn a_peer_sees_the_same() {
    again_over_ipc(&["visible::"], &["visible::transports", "every_option"]);
}
