//! What does not depend on the transport holds over ipc, too.

use tightbeam_tests::transport::again_over_ipc;

#[test]
fn the_patterns_are_the_same() {
    again_over_ipc(&["parts::", "pubsub::", "pipeline::", "reqrep::", "router::", "pair::"], &[]);
}

#[test]
fn marks_bodies_and_reconnecting_are_the_same() {
    again_over_ipc(&["hwm::", "bodies::", "reconnect::"], &[]);
}

#[test]
fn lingering_and_endpoints_are_the_same() {
    let tcp_only = [
        "endpoints::a_bind_that_the_system_refuses_says_so",
        "endpoints::a_connection_may_come_from_a_given_address",
        "linger::a_silent_client_does_not_hold_up_close",
    ];
    again_over_ipc(&["linger::", "endpoints::", "leaving::", "giving_up::"], &tcp_only);
}
