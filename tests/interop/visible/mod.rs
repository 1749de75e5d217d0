//! Every option that a peer can see, with real libzmq on the other side, in either part.
//!
//! The tables say which test shows an option, and why the others show nothing; every option stands in one of them.

mod again;
mod flow;
mod metadata;
mod names;
mod publishing;
mod requests;
mod streams;
mod timing;
mod transports;
mod types;

use std::process::Command;

use tightbeam::options::TABLE;

/// An option and the test of what a peer sees of it.
const SEEN: &[(&str, &str)] = &[
    ("ROUTING_ID", "names::a_router_knows_peers_by_the_ids_that_they_set"),
    ("SUBSCRIBE", "publishing::subscriptions_are_sent_once_for_each_topic"),
    ("UNSUBSCRIBE", "publishing::subscriptions_are_sent_once_for_each_topic"),
    ("SNDBUF", TUNING),
    ("RCVBUF", TUNING),
    ("LINGER", "flow::a_closed_socket_that_lingers_still_delivers"),
    ("RECONNECT_IVL", "timing::without_an_interval_a_connection_that_broke_is_the_last"),
    ("BACKLOG", TUNING),
    ("RECONNECT_IVL_MAX", "timing::attempts_are_made_at_the_intervals_that_were_set"),
    ("MAXMSGSIZE", "flow::a_part_too_large_ends_the_connection_and_the_next_one_is_better"),
    ("SNDHWM", "flow::so_many_messages_wait_for_a_peer_that_is_to_come"),
    ("RCVHWM", "flow::a_receiver_that_does_not_read_holds_its_sender_back"),
    ("IPV4ONLY", "transports::ipv6_is_spoken_by_both"),
    ("ROUTER_MANDATORY", "names::only_a_mandatory_router_says_that_nobody_is_there"),
    ("TCP_KEEPALIVE", TUNING),
    ("TCP_KEEPALIVE_CNT", TUNING),
    ("TCP_KEEPALIVE_IDLE", TUNING),
    ("TCP_KEEPALIVE_INTVL", TUNING),
    ("TCP_ACCEPT_FILTER", "transports::accept_filters_send_the_others_away"),
    ("IMMEDIATE", "flow::an_immediate_sender_waits_for_its_peer"),
    ("XPUB_VERBOSE", "publishing::a_verbose_xpub_is_told_of_every_subscription"),
    ("ROUTER_RAW", "streams::a_raw_router_talks_with_whom_speaks_no_zmtp"),
    ("IPV6", "transports::ipv6_is_spoken_by_both"),
    ("PROBE_ROUTER", "names::a_probe_comes_before_anything_else_whoever_connects"),
    ("REQ_CORRELATE", "requests::correlated_requests_have_numbers_which_replies_have_to_bear"),
    ("REQ_RELAXED", "requests::a_relaxed_requester_asks_anew_and_hears_the_new_reply"),
    ("CONFLATE", "flow::of_what_waits_a_conflating_sender_keeps_the_last"),
    ("ROUTER_HANDOVER", "names::with_handover_a_name_belongs_to_whom_came_last"),
    ("TOS", TUNING),
    ("IPC_FILTER_PID", IPC_FILTERS),
    ("IPC_FILTER_UID", IPC_FILTERS),
    ("IPC_FILTER_GID", IPC_FILTERS),
    ("CONNECT_ROUTING_ID", "names::a_router_names_one_peer_to_which_it_connects"),
    ("PLAIN_SERVER", PLAIN),
    ("PLAIN_USERNAME", PLAIN),
    ("PLAIN_PASSWORD", PLAIN),
    ("CURVE_SERVER", CURVE),
    ("CURVE_PUBLICKEY", CURVE),
    ("CURVE_SECRETKEY", CURVE),
    ("CURVE_SERVERKEY", CURVE),
    ("ZAP_DOMAIN", NULL),
    ("ZAP_ENFORCE_DOMAIN", NULL),
    ("HANDSHAKE_IVL", "timing::a_handshake_that_does_not_end_is_ended"),
    ("SOCKS_PROXY", SOCKS),
    ("XPUB_NODROP", "publishing::a_publisher_that_drops_nothing_has_no_room"),
    ("XPUB_MANUAL", "publishing::a_manual_xpub_decides_what_is_subscribed"),
    ("XPUB_WELCOME_MSG", "publishing::subscribers_are_welcomed"),
    ("STREAM_NOTIFY", "streams::streams_tell_of_peers_that_come_and_go_unless_told_not_to"),
    ("INVERT_MATCHING", "publishing::inverted_matching_lets_pass_what_nobody_subscribed"),
    ("HEARTBEAT_IVL", "timing::pings_are_answered_and_so_silence_is_no_end"),
    ("HEARTBEAT_TTL", "timing::a_peer_keeps_the_time_to_live_that_it_is_told"),
    ("HEARTBEAT_TIMEOUT", "timing::a_peer_that_answers_no_ping_is_given_up"),
    ("XPUB_VERBOSER", "publishing::a_verboser_xpub_is_told_of_every_cancellation"),
    ("CONNECT_TIMEOUT", TUNING),
    ("TCP_MAXRT", TUNING),
    ("USE_FD", "transports::a_descriptor_that_was_opened_before_is_connected_to"),
    ("BINDTODEVICE", TUNING),
    ("METADATA", "metadata::senders_are_known_by_type_and_id_and_address_and_what_they_add"),
    ("XPUB_MANUAL_LAST_VALUE", "publishing::the_last_value_goes_to_whom_subscribed_last"),
    ("SOCKS_USERNAME", SOCKS),
    ("SOCKS_PASSWORD", SOCKS),
    (
        "ONLY_FIRST_SUBSCRIBE",
        "publishing::parts_behind_the_first_are_no_subscriptions_if_only_the_first_may_be",
    ),
    ("RECONNECT_STOP", "timing::a_connection_that_was_refused_is_the_last_if_told_so"),
    ("PRIORITY", "transports::what_libzmq_has_only_as_drafts_harms_no_talk_with_it"),
];

const TUNING: &str = "transports::what_the_system_is_told_about_a_connection_harms_no_talk";
const IPC_FILTERS: &str = "transports::ipc_filters_let_in_only_the_processes_that_they_name";
const NULL: &str = "security::null_does_what_it_does_between_libzmq_peers";
const PLAIN: &str = "security::plain_does_what_it_does_between_libzmq_peers";
const CURVE: &str = "security::curve_does_what_it_does_between_libzmq_peers";
const SOCKS: &str = "transports::a_socks_proxy_is_asked_to_reach_the_peer";

/// Options that concern this side alone.
const WITHIN: &[&str] = &[
    "AFFINITY",
    "RCVMORE",
    "FD",
    "EVENTS",
    "TYPE",
    "RCVTIMEO",
    "SNDTIMEO",
    "LAST_ENDPOINT",
    "MECHANISM",
    "THREAD_SAFE",
    "BUSY_POLL",
    "ROUTER_NOTIFY",
    "TOPICS_COUNT",
    "LOOPBACK_FASTPATH",
];

/// Options of transports and mechanisms that do not exist here, which are refused.
const REFUSED: &[&str] = &["RATE", "RECOVERY_IVL", "MULTICAST_", "VMCI_", "GSSAPI_"];

/// Limits of our own: peers that reach them are dropped, which no libzmq does of itself.
const OURS: std::ops::Range<i32> = 10_000..20_000;

#[test]
fn every_option_that_a_peer_can_see_is_tried() {
    let program = std::env::current_exe().expect("the test program has a path");
    let listed = Command::new(program).arg("--list").output().expect("the test program lists");
    let tests = String::from_utf8_lossy(&listed.stdout).into_owned();
    for spec in TABLE {
        let name = spec.name();
        let seen = SEEN.iter().filter(|(option, _)| *option == name).count();
        let unseen = WITHIN.contains(&name)
            || REFUSED.iter().any(|start| name.starts_with(start))
            || OURS.contains(&spec.number());
        assert!(seen + usize::from(unseen) == 1, "{name} is to stand in one table, once");
    }
    for (option, test) in SEEN {
        assert!(TABLE.iter().any(|spec| spec.name() == *option), "there is no option {option}");
        let here = format!("visible::{test}: test");
        let beside = here.trim_start_matches("visible::");
        let is_there = tests.lines().any(|listed| listed == here || listed == beside);
        assert!(is_there, "{option}: there is no test {test}");
    }
}
