//! Options of tcp and ipc: who may come, from where, over what.

use tightbeam::EventKind::{self, Disconnected, HandshakeFailedNoDetail, HandshakeSucceeded};
use tightbeam::SocketType::{Pull, Push};
use tightbeam::options::number;
use tightbeam_tests::paths::Directory;

use crate::stage::{Cast, End};
use crate::theirs::ANYWHERE;

fn over_tcp(connects: &mut End, binds: &mut End, at: &str) -> String {
    let endpoint = binds.try_bind(at).expect("an endpoint");
    connects.connect(&endpoint);
    connects.send(&["x"]);
    binds.expect(&["x"]);
    endpoint
}

const TURNED_AWAY: [EventKind; 3] = [HandshakeSucceeded, Disconnected, HandshakeFailedNoDetail];

#[test]
fn ipv6_is_spoken_by_both() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    Cast::each(|cast| {
        for (option, value) in [(number::IPV6, 1), (number::IPV4ONLY, 0)] {
            for actor_binds in [true, false] {
                let (mut push, mut pull) = match actor_binds {
                    false => cast.ends(Push, Pull),
                    true => {
                        let (pull, push) = cast.ends(Pull, Push);
                        (push, pull)
                    }
                };
                push.set_int(option, value);
                pull.set_int(option, value);
                let endpoint = over_tcp(&mut push, &mut pull, "tcp://[::1]:*");
                assert!(endpoint.starts_with("tcp://[::1]:"), "{endpoint}");
                assert_eq!(pull.gets("Peer-Address").as_deref(), Some("::1"));
            }
        }
    });
}

#[test]
fn a_source_address_is_where_the_connection_comes_from() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Push, Pull);
        let endpoint = other.try_bind(ANYWHERE).expect("an endpoint");
        let target = endpoint.trim_start_matches("tcp://");
        actor.connect(&format!("tcp://127.0.0.9:0;{target}"));
        actor.send(&["x"]);
        other.expect(&["x"]);
        assert_eq!(other.gets("Peer-Address").as_deref(), Some("127.0.0.9"));
    });
}

#[test]
fn accept_filters_send_the_others_away() {
    Cast::each(|cast| {
        for (filter, welcome) in [("127.0.0.0/8", true), ("10.0.0.0/8", false)] {
            let (mut actor, mut other) = cast.ends(Pull, Push);
            actor.set_text(number::TCP_ACCEPT_FILTER, filter);
            let endpoint = actor.try_bind(ANYWHERE).expect("an endpoint");
            other.connect(&endpoint);
            let came = other.until_one(&TURNED_AWAY).kind == HandshakeSucceeded.number();
            assert_eq!(came, welcome, "{filter}");
        }
    });
}

#[test]
fn ipc_filters_let_in_only_the_processes_that_they_name() {
    // SAFETY: geteuid(2) and getegid(2) always succeed and touch no memory.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    let number = |id: u32| i32::try_from(id).expect("a small number");
    Cast::each(|cast| {
        let directory = Directory::new();
        let mut count = 0;
        let mut may_come = |option, value: Option<u32>| {
            let (mut actor, mut other) = cast.ends(Pull, Push);
            let value = value.unwrap_or_else(|| other.process());
            actor.set_int(option, number(value));
            count += 1;
            let endpoint = directory.endpoint(&count.to_string());
            actor.try_bind(&endpoint).expect("an endpoint");
            other.connect(&endpoint);
            other.until_one(&TURNED_AWAY).kind == HandshakeSucceeded.number()
        };
        assert!(may_come(number::IPC_FILTER_UID, Some(user)));
        assert!(!may_come(number::IPC_FILTER_UID, Some(user + 7)));
        assert!(may_come(number::IPC_FILTER_GID, Some(group)));
        assert!(!may_come(number::IPC_FILTER_GID, Some(group + 7)));
        assert!(may_come(number::IPC_FILTER_PID, None));
        assert!(!may_come(number::IPC_FILTER_PID, Some(1)));
    });
}

#[test]
fn a_socks_proxy_is_asked_to_reach_the_peer() {
    Cast::each(|cast| {
        for login in [None, Some(("user", "secret"))] {
            let (mut actor, mut other) = cast.ends(Push, Pull);
            actor.set_text(number::SOCKS_PROXY, &crate::socks::proxy(login));
            if let Some((user, password)) = login {
                actor.set_text(number::SOCKS_USERNAME, user);
                actor.set_text(number::SOCKS_PASSWORD, password);
            }
            over_tcp(&mut actor, &mut other, ANYWHERE);
            // Before its peer: libzmq aborts now and then if it is ended while it asks a proxy once more.
            drop(actor);
        }
    });
}

#[test]
fn what_the_system_is_told_about_a_connection_harms_no_talk() {
    use number::*;
    let tuning = [
        (SNDBUF, 30_000),
        (RCVBUF, 30_000),
        (BACKLOG, 3),
        (TOS, 0x28),
        (TCP_KEEPALIVE, 1),
        (TCP_KEEPALIVE_CNT, 3),
        (TCP_KEEPALIVE_IDLE, 20),
        (TCP_KEEPALIVE_INTVL, 5),
        (TCP_MAXRT, 20_000),
        (CONNECT_TIMEOUT, 5_000),
    ];
    Cast::each(|cast| {
        for actor_binds in [true, false] {
            let (mut actor, mut other) = match actor_binds {
                true => cast.ends(Pull, Push),
                false => cast.ends(Push, Pull),
            };
            for (option, value) in tuning {
                actor.set_int(option, value);
            }
            actor.set_text(BINDTODEVICE, "lo");
            if actor_binds {
                over_tcp(&mut other, &mut actor, ANYWHERE);
            } else {
                over_tcp(&mut actor, &mut other, ANYWHERE);
            }
        }
    });
}

#[test]
fn what_libzmq_has_only_as_drafts_harms_no_talk_with_it() {
    Cast::against_them(|cast| {
        let (mut actor, mut other) = cast.ends(Pull, Push);
        actor.set_int(number::PRIORITY, 3);
        over_tcp(&mut other, &mut actor, ANYWHERE);
    });
}

#[test]
fn a_descriptor_that_was_opened_before_is_connected_to() {
    use std::os::fd::IntoRawFd;
    Cast::against_them(|cast| {
        let (mut actor, mut other) = cast.ends(Pull, Push);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let endpoint = format!("tcp://{}", listener.local_addr().expect("an address"));
        actor.set_int(number::USE_FD, listener.into_raw_fd());
        actor.try_bind(&endpoint).expect("the descriptor's endpoint");
        other.connect(&endpoint);
        other.send(&["x"]);
        actor.expect(&["x"]);
    });
}
