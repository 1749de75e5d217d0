//! Each option does something, and a test holds it: no option is accepted and ignored. What is only stored, for transports and
//! mechanisms that do not exist here, is refused where it would matter.

use tightbeam::options::{CONTEXT_TABLE, TABLE};

use crate::sources::{Source, rust_files};

/// An option and the test of what it does.
const EFFECTS: &[(&str, &str)] = &[
    ("AFFINITY", "affinity_chooses_among_the_io_threads"),
    ("ROUTING_ID", "a_received_frame_knows_its_peer"),
    ("SUBSCRIBE", "subscriptions_are_options_too"),
    ("UNSUBSCRIBE", "subscriptions_are_options_too"),
    ("RATE", STORED),
    ("RECOVERY_IVL", STORED),
    ("SNDBUF", "tcp_options_reach_the_connection"),
    ("RCVBUF", "tcp_options_reach_the_connection"),
    ("RCVMORE", "parts_are_received_one_by_one_and_rcvmore_says_whether_more_follow"),
    ("FD", "the_option_fd_is_the_event_descriptor"),
    ("EVENTS", "type_and_events_tell_what_the_socket_is_and_can_do"),
    ("TYPE", "type_and_events_tell_what_the_socket_is_and_can_do"),
    ("LINGER", "close_waits_as_long_as_it_lingers_and_says_what_was_not_delivered"),
    ("RECONNECT_IVL", "attempts_come_after_the_interval"),
    ("BACKLOG", "backlog_is_the_length_of_the_queue_of_connections"),
    ("RECONNECT_IVL_MAX", "the_pauses_double_up_to_the_maximum_as_monitors_tell"),
    ("MAXMSGSIZE", "a_part_above_maxmsgsize_ends_the_connection_with_a_reason"),
    ("SNDHWM", "so_many_messages_wait_for_each_peer"),
    ("RCVHWM", "a_receiver_reads_up_to_its_mark_and_goes_on_when_there_is_room"),
    ("MULTICAST_HOPS", STORED),
    ("RCVTIMEO", "rcvtimeo_and_sndtimeo_end_a_wait"),
    ("SNDTIMEO", "rcvtimeo_and_sndtimeo_end_a_wait"),
    ("IPV4ONLY", "ipv4only_is_the_opposite_of_ipv6"),
    ("LAST_ENDPOINT", "last_endpoint_is_the_resolved_one_of_the_last_bind_or_connect"),
    ("ROUTER_MANDATORY", "with_mandatory_an_unknown_peer_is_unroutable"),
    ("TCP_KEEPALIVE", "tcp_options_reach_the_connection"),
    ("TCP_KEEPALIVE_CNT", "tcp_options_reach_the_connection"),
    ("TCP_KEEPALIVE_IDLE", "tcp_options_reach_the_connection"),
    ("TCP_KEEPALIVE_INTVL", "tcp_options_reach_the_connection"),
    ("CONFLATE", "a_receiver_has_the_last_message_only"),
    ("IMMEDIATE", "immediate_queues_only_for_connections_that_are_up"),
    ("IPV6", "ipv6_has_to_be_asked_for"),
    ("MECHANISM", "the_mechanism_follows_what_was_set_last"),
    ("PLAIN_SERVER", "an_authenticator_judges_every_mechanism_and_names_the_user"),
    ("PLAIN_USERNAME", "an_authenticator_judges_every_mechanism_and_names_the_user"),
    ("PLAIN_PASSWORD", "an_authenticator_judges_every_mechanism_and_names_the_user"),
    ("CURVE_SERVER", "an_authenticator_judges_every_mechanism_and_names_the_user"),
    ("CURVE_PUBLICKEY", "an_authenticator_judges_every_mechanism_and_names_the_user"),
    ("CURVE_SECRETKEY", "an_authenticator_judges_every_mechanism_and_names_the_user"),
    ("CURVE_SERVERKEY", "an_authenticator_judges_every_mechanism_and_names_the_user"),
    ("PROBE_ROUTER", "a_probe_is_an_empty_message_whichever_side_connects"),
    ("REQ_CORRELATE", "req_correlate_numbers_requests_and_takes_only_the_reply_with_the_number"),
    ("REQ_RELAXED", "req_relaxed_gives_up_a_request_for_a_new_one"),
    ("ZAP_DOMAIN", "without_anybody_to_ask_a_domain_and_plain_are_refused"),
    ("ROUTER_RAW", "a_raw_router_is_a_stream_that_drops_what_it_cannot_route"),
    ("CONNECT_ROUTING_ID", "a_router_that_connects_may_name_its_peer_itself"),
    ("STREAM_NOTIFY", "without_stream_notify_only_bytes_are_received"),
    ("ROUTER_NOTIFY", "with_router_notify_peers_that_come_and_go_are_told_by_empty_messages"),
    ("ROUTER_HANDOVER", "with_handover_a_new_peer_takes_over_the_routing_id"),
    ("GSSAPI_SERVER", REFUSED),
    ("GSSAPI_PRINCIPAL", REFUSED),
    ("GSSAPI_SERVICE_PRINCIPAL", REFUSED),
    ("GSSAPI_PLAINTEXT", STORED),
    ("HANDSHAKE_IVL", "a_silent_peer_is_closed_at_the_end_of_handshake_ivl"),
    ("XPUB_NODROP", "with_nodrop_a_full_subscriber_makes_send_wait"),
    ("XPUB_MANUAL", "with_manual_the_application_says_what_a_peer_gets_that_asked_last"),
    ("XPUB_WELCOME_MSG", "a_welcome_message_goes_to_every_peer_that_comes"),
    ("INVERT_MATCHING", "inverted_publishers_send_to_those_who_did_not_subscribe"),
    ("HEARTBEAT_IVL", "a_ping_with_the_time_to_live_is_sent_each_interval"),
    ("HEARTBEAT_TTL", "a_ping_with_the_time_to_live_is_sent_each_interval"),
    ("HEARTBEAT_TIMEOUT", "an_answer_is_waited_for_as_long_as_the_time_out_of_heartbeats_says"),
    ("CONNECT_TIMEOUT", "connect_timeout_ends_an_attempt_that_nobody_answers"),
    ("TCP_MAXRT", "tcp_options_reach_the_connection"),
    ("THREAD_SAFE", "no_type_is_said_to_be_thread_safe"),
    ("MULTICAST_MAXTPDU", STORED),
    ("VMCI_BUFFER_SIZE", STORED),
    ("VMCI_BUFFER_MIN_SIZE", STORED),
    ("VMCI_BUFFER_MAX_SIZE", STORED),
    ("VMCI_CONNECT_TIMEOUT", STORED),
    ("GSSAPI_PRINCIPAL_NAMETYPE", STORED),
    ("GSSAPI_SERVICE_PRINCIPAL_NAMETYPE", STORED),
    ("ZAP_ENFORCE_DOMAIN", "with_zap_enforce_domain_a_server_without_a_domain_asks_no_handler"),
    ("LOOPBACK_FASTPATH", STORED),
    ("METADATA", "a_received_frame_knows_its_peer"),
    ("MULTICAST_LOOP", STORED),
    ("TCP_ACCEPT_FILTER", "accept_filters_let_in_only_whom_they_name"),
    ("TOS", "the_type_of_service_and_the_priority_are_set_on_both_ends"),
    ("PRIORITY", "the_type_of_service_and_the_priority_are_set_on_both_ends"),
    ("BUSY_POLL", "busy_polling_is_set_where_the_system_allows_it"),
    ("SOCKS_PROXY", "the_proxy_looks_names_up_and_messages_pass"),
    ("SOCKS_USERNAME", "an_address_goes_to_the_proxy_in_numbers_with_user_and_password"),
    ("SOCKS_PASSWORD", "an_address_goes_to_the_proxy_in_numbers_with_user_and_password"),
    ("USE_FD", "a_listening_descriptor_that_was_opened_before_is_taken_over"),
    ("BINDTODEVICE", "a_device_limits_where_peers_come_from"),
    ("TOPICS_COUNT", "the_topics_are_counted"),
    ("XPUB_VERBOSE", "with_verbose_every_subscription_is_received"),
    ("XPUB_VERBOSER", "with_verboser_every_cancellation_is_received_too"),
    (
        "XPUB_MANUAL_LAST_VALUE",
        "with_last_value_the_next_message_goes_to_the_last_subscriber_alone",
    ),
    ("ONLY_FIRST_SUBSCRIBE", "parts_behind_data_are_subscriptions_unless_only_the_first_may_be"),
    ("IPC_FILTER_PID", "ipc_filters_let_in_only_whom_they_name"),
    ("IPC_FILTER_UID", "ipc_filters_let_in_only_whom_they_name"),
    ("IPC_FILTER_GID", "ipc_filters_let_in_only_whom_they_name"),
    ("RECONNECT_STOP", "a_refused_connection_is_the_last_one_if_the_option_says_so"),
    ("MAX_FRAMES", "a_message_of_more_frames_than_may_be_ends_the_connection"),
    ("MAX_HELD_BYTES", "multipart_of_large_frames_ends_at_the_bytes_held_even_if_sent_in_pieces"),
    ("MAX_SUBSCRIPTIONS", "a_flood_of_subscriptions_ends_at_the_budget_and_is_forgotten"),
    ("MAX_TOPIC_BYTES", "topics_end_at_their_bytes_too"),
    ("MAX_HANDSHAKES", "beyond_the_limit_the_oldest_handshake_gives_way"),
    ("MAX_SOCKET_BYTES", "beyond_the_budget_of_the_socket_the_peer_that_holds_most_goes"),
    ("MAX_COMMAND_BYTES", "commands_properties_and_pings_have_limits_that_can_be_set"),
    ("MAX_PROPERTIES", "commands_properties_and_pings_have_limits_that_can_be_set"),
    ("MAX_PING_CONTEXT", "commands_properties_and_pings_have_limits_that_can_be_set"),
];

const STORED: &str = "transports_that_do_not_exist_here_are_refused_whatever_their_options_say";
const REFUSED: &str = "security_that_is_not_there_is_refused_and_never_left_out";

/// An option of a context and the test of what it does.
const OF_CONTEXTS: &[(&str, &str)] = &[
    ("IO_THREADS", "without_io_threads_there_is_no_tcp"),
    ("MAX_SOCKETS", "max_sockets_is_a_limit_and_closing_makes_room"),
    ("SOCKET_LIMIT", "what_can_only_be_read_or_set_says_so"),
    ("THREAD_PRIORITY", "io_threads_have_the_priority_that_was_asked_for_or_bind_says_why_not"),
    ("THREAD_SCHED_POLICY", "io_threads_have_the_policy_that_was_asked_for"),
    ("MAX_MSGSZ", "max_msgsz_limits_what_is_sent"),
    ("MSG_T_SIZE", "what_can_only_be_read_or_set_says_so"),
    ("THREAD_AFFINITY_CPU_ADD", "io_threads_run_on_the_processors_that_were_named"),
    ("THREAD_AFFINITY_CPU_REMOVE", "io_threads_run_on_the_processors_that_were_named"),
    ("THREAD_NAME_PREFIX", "io_threads_have_names_with_a_prefix"),
    ("ZERO_COPY_RECV", "with_zero_copy_recv_a_large_body_is_held_once"),
    ("IPV6", "ipv6_of_the_context_is_that_of_its_new_sockets"),
    ("BLOCKY", "sockets_of_a_context_that_is_not_blocky_do_not_linger"),
];

#[test]
fn every_option_has_a_test_of_what_it_does() {
    let files: Vec<Source> = ["tests", "crates"].into_iter().flat_map(rust_files).collect();
    hold(TABLE.iter().map(|spec| spec.name()).collect(), EFFECTS, &files);
    hold(CONTEXT_TABLE.iter().map(|spec| spec.name()).collect(), OF_CONTEXTS, &files);
}

fn hold(options: Vec<&str>, effects: &[(&str, &str)], files: &[Source]) {
    for name in &options {
        let times = effects.iter().filter(|(option, _)| option == name).count();
        assert_eq!(
            times, 1,
            "tests/house/effects.rs is to name {name} once, and the test of what it does"
        );
    }
    for (option, test) in effects {
        assert!(options.contains(option), "there is no option {option}");
        let is_there = |file: &&Source| file.text.contains(&format!("fn {test}("));
        let file = files.iter().find(is_there);
        let file = file.unwrap_or_else(|| panic!("{option}: there is no test {test}"));
        // By its number, or by its setter or getter.
        let by_number = words(&file.text).any(|word| word == *option);
        let by_name = option.to_lowercase();
        let by_name = words(&file.text).any(|word| word.trim_start_matches("set_") == by_name);
        assert!(by_number || by_name, "{option}: {test} in {} does not use it", file.path);
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}
