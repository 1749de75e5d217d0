//! What the shared library exports: libzmq's functions, ours, and nothing else.

use crate::installed::installed;
use crate::tools::run;

/// Every function of libzmq's, stable and draft.
const FUNCTIONS: &str = "
    zmq_errno zmq_strerror zmq_version zmq_has
    zmq_ctx_new zmq_ctx_term zmq_ctx_shutdown zmq_ctx_set zmq_ctx_get zmq_ctx_set_ext zmq_ctx_get_ext
    zmq_init zmq_term zmq_ctx_destroy
    zmq_msg_init zmq_msg_init_size zmq_msg_init_data zmq_msg_init_buffer zmq_msg_send zmq_msg_recv
    zmq_msg_close zmq_msg_move zmq_msg_copy zmq_msg_data zmq_msg_size zmq_msg_more zmq_msg_get
    zmq_msg_set zmq_msg_gets zmq_msg_set_routing_id zmq_msg_routing_id zmq_msg_set_group zmq_msg_group
    zmq_socket zmq_close zmq_setsockopt zmq_getsockopt zmq_bind zmq_connect zmq_unbind zmq_disconnect
    zmq_send zmq_send_const zmq_recv zmq_join zmq_leave zmq_connect_peer zmq_disconnect_peer
    zmq_socket_get_peer_state
    zmq_sendmsg zmq_recvmsg zmq_sendiov zmq_recviov zmq_device
    zmq_poll zmq_ppoll
    zmq_poller_new zmq_poller_destroy zmq_poller_size zmq_poller_add zmq_poller_modify
    zmq_poller_remove zmq_poller_wait zmq_poller_wait_all zmq_poller_fd zmq_poller_add_fd
    zmq_poller_modify_fd zmq_poller_remove_fd
    zmq_proxy zmq_proxy_steerable
    zmq_socket_monitor zmq_socket_monitor_versioned zmq_socket_monitor_pipes_stats
    zmq_z85_encode zmq_z85_decode zmq_curve_keypair zmq_curve_public
    zmq_atomic_counter_new zmq_atomic_counter_set zmq_atomic_counter_inc zmq_atomic_counter_dec
    zmq_atomic_counter_value zmq_atomic_counter_destroy
    zmq_timers_new zmq_timers_destroy zmq_timers_add zmq_timers_cancel zmq_timers_set_interval
    zmq_timers_reset zmq_timers_timeout zmq_timers_execute
    zmq_stopwatch_start zmq_stopwatch_intermediate zmq_stopwatch_stop
    zmq_sleep zmq_threadstart zmq_threadclose";

fn exported() -> Vec<String> {
    let library = installed().join("lib/libzmq.so");
    let symbols = run(&["nm", "-D", "--defined-only", &library.to_string_lossy()], &[]);
    symbols.lines().filter_map(|line| line.split(' ').next_back()).map(str::to_owned).collect()
}

#[test]
fn every_function_of_libzmq_is_exported() {
    let exported = exported();
    let missing: Vec<&str> = FUNCTIONS
        .split_whitespace()
        .filter(|function| !exported.iter().any(|name| name == function))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn nothing_is_exported_but_functions_of_libzmq_and_our_own() {
    let others: Vec<String> = exported()
        .into_iter()
        .filter(|name| !name.starts_with("tightbeam_"))
        .filter(|name| !FUNCTIONS.split_whitespace().any(|function| name == function))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

/// What is exported can be called from C: the headers declare it.
#[test]
fn every_exported_function_is_declared() {
    let include = installed().join("include");
    let read = |name| std::fs::read_to_string(include.join(name)).expect("an installed header");
    let headers = read("zmq.h") + &read("tightbeam.h");
    for name in exported() {
        let declared =
            headers.contains(&format!(" {name}(")) || headers.contains(&format!("*{name}("));
        assert!(declared, "{name} is not declared");
    }
}
