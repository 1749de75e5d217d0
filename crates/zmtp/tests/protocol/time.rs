//! Heartbeats (RFC 37, "Connection Heartbeating") and the handshake time-out.

use std::time::{Duration, Instant};

use zmtp::{Config, Error, Event, Heartbeat, Role, SocketType, Timeout};

use crate::support::{Pair, Script, command, frame, greeting, ready};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn config(socket_type: SocketType, role: Role, interval: u64, timeout: u64) -> Config {
    let heartbeat = Heartbeat { interval: secs(interval), timeout: secs(timeout), ttl: secs(0) };
    Config { heartbeat: Some(heartbeat), ..Config::new(socket_type, role) }
}

fn pull(interval: u64, timeout: u64) -> Config {
    config(SocketType::Pull, Role::Listener, interval, timeout)
}

const PING: &[u8] = b"\x04\x07\x04PING\0\0";

#[test]
fn without_heartbeats_an_idle_connection_asks_for_nothing() {
    let mut pair = Pair::new(SocketType::Push, SocketType::Pull);
    pair.run();
    assert_eq!(pair.a.connection.poll_timeout(), None);
    assert_eq!(pair.b.connection.poll_timeout(), None);
}

#[test]
fn an_idle_pair_with_heartbeats_stays_alive() {
    for (interval, timeout) in [(1, 1), (1, 5), (5, 1)] {
        let push = config(SocketType::Push, Role::Connecter, interval, timeout);
        let mut pair = Pair::with(push, pull(interval, timeout));
        pair.run();
        pair.advance(secs(1000));
        for end in [&pair.a, &pair.b] {
            assert_eq!(end.error, None);
            let pongs = end.events.iter().filter(|event| **event == Event::Pong).count();
            assert_eq!(pongs as u64, 1000 / interval);
        }
    }
}

/// Any traffic is a sign of life, even from a peer that does not answer PING.
#[test]
fn a_peer_that_sends_messages_but_no_pong_stays_alive() {
    let mut script = Script::ready(pull(2, 3), 1, "PUSH");
    for _ in 0..100 {
        script.advance(secs(1)).send(&frame(0, b"x"));
    }
    assert_eq!((&script.end.error, script.end.messages), (&None, 100));
}

#[test]
fn even_a_part_of_a_frame_is_a_sign_of_life() {
    let mut script = Script::ready(pull(2, 3), 1, "PUSH");
    script.send(&[2, 0, 0, 0, 0, 0, 0, 1, 0]);
    for _ in 0..100 {
        script.advance(secs(1)).send(b"x");
    }
    assert_eq!(script.end.error, None);
    for _ in 0..100 {
        script.advance(secs(1));
        script.end.connection.handle_body_part();
    }
    assert_eq!(script.end.error, None);
}

/// A peer is found dead at most interval + time-out after its last sign of life, and not before the
/// time-out has passed, whenever it dies.
#[test]
fn a_dead_peer_is_found_within_interval_and_timeout() {
    for (interval, timeout) in [(2, 3), (3, 2), (5, 5), (1, 10)] {
        for dies_after_ms in (0..20_000).step_by(700) {
            let push = Config::new(SocketType::Push, Role::Connecter);
            let mut pair = Pair::with(push, pull(interval, timeout));
            pair.run();
            let start = pair.now;
            pair.advance(Duration::from_millis(dies_after_ms));
            pair.a.send(&[b"last words"]);
            pair.run();
            pair.blackhole = true;
            let died = pair.now;
            while pair.b.error.is_none() {
                assert!(pair.now - start < secs(100), "never found");
                pair.advance(Duration::from_millis(10));
            }
            assert_eq!(pair.b.error, Some(Error::TimedOut(Timeout::Heartbeat)));
            assert!(!pair.b.error.as_ref().is_some_and(Error::is_final));
            let took = pair.now - died;
            let margin = Duration::from_millis(20);
            assert!(took <= secs(interval + timeout) + margin, "{took:?}");
            assert!(took + margin >= secs(timeout), "{took:?}");
        }
    }
}

#[test]
fn after_a_long_sleep_one_ping_is_sent_not_many() {
    let mut script = Script::ready(pull(1, 0), 1, "PUSH");
    script.advance(secs(1000)).expect(PING);
    script.advance(Duration::from_millis(999)).expect(b"");
    script.advance(Duration::from_millis(1)).expect(PING);
}

#[test]
fn a_timeout_of_zero_waits_for_ever_and_an_interval_of_zero_sends_nothing() {
    let mut script = Script::ready(pull(1, 0), 1, "PUSH");
    for _ in 0..100 {
        script.advance(secs(1));
    }
    assert_eq!(script.end.error, None);
    let script = Script::ready(pull(0, 1), 1, "PUSH");
    assert_eq!(script.end.connection.poll_timeout(), None);
}

#[test]
fn ping_is_sent_to_3_x_peers_only_and_not_before_ready() {
    let mut script = Script::with(Config { handshake_timeout: None, ..pull(1, 1) });
    script.send(&greeting(0, "NULL"));
    assert_eq!(script.end.connection.poll_timeout(), None);
    script.end.out.clear();
    script.send(&ready("PUSH", &[])).advance(secs(1)).expect(PING);
    for old in [&b"\x01\0"[..], b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08\0\0"] {
        let mut script = Script::with(pull(1, 1));
        script.send(old);
        assert!(script.end.connection.is_ready());
        assert_eq!(script.end.connection.poll_timeout(), None);
    }
}

/// "If it receives a PING command with a non-zero TTL and then does not receive any further traffic
/// within that TTL."
#[test]
fn the_ttl_of_the_peer_holds_until_something_else_arrives() {
    let timed_out = Some(Error::TimedOut(Timeout::PeerTtl));
    let config = Config::new(SocketType::Pull, Role::Listener);
    let ping = command("PING", b"\0\x14");
    let mut script = Script::ready(config.clone(), 1, "PUSH");
    script.send(&ping).advance(Duration::from_millis(1999));
    assert_eq!(script.end.error, None);
    script.advance(Duration::from_millis(1));
    assert_eq!(script.end.error, timed_out);

    let mut script = Script::ready(config.clone(), 1, "PUSH");
    script.send(&ping).advance(secs(1)).send(&frame(0, b"x")).advance(secs(1000));
    assert_eq!(script.end.error, None);

    // A second PING starts anew.
    let mut script = Script::ready(config.clone(), 1, "PUSH");
    script.send(&ping).advance(secs(1)).send(&ping).advance(Duration::from_millis(1999));
    assert_eq!(script.end.error, None);
    script.advance(Duration::from_millis(1));
    assert_eq!(script.end.error, timed_out);

    let mut script = Script::ready(config, 1, "PUSH");
    script.send(&ping).send(&command("PING", b"\0\0")).advance(secs(1000));
    assert_eq!(script.end.error, None);
}

#[test]
fn the_handshake_has_its_time_from_the_start_and_none_without_a_limit() {
    let mut config = Config::new(SocketType::Pull, Role::Listener);
    config.handshake_timeout = Some(secs(5));
    let mut script = Script::with(config.clone());
    script.advance(secs(4)).send(&greeting(1, "NULL")).advance(secs(1));
    assert_eq!(script.end.error, Some(Error::TimedOut(Timeout::Handshake)));

    let mut script = Script::with(config.clone());
    script.advance(secs(4)).send(&greeting(1, "NULL")).send(&ready("PUSH", &[])).advance(secs(99));
    assert_eq!(script.end.error, None);

    // A verdict that does not come is no excuse.
    let mut script = Script::with(Config { authenticate: true, ..config.clone() });
    script.send(&greeting(1, "NULL")).send(&ready("PUSH", &[])).advance(secs(5));
    assert_eq!(script.end.error, Some(Error::TimedOut(Timeout::Handshake)));

    config.handshake_timeout = None;
    let script = Script::with(config);
    assert_eq!(script.end.connection.poll_timeout(), None);
}

/// `Duration::MAX` must mean "never", not a panic.
#[test]
fn enormous_durations_do_not_overflow() {
    let forever = Duration::MAX;
    let mut config = Config::new(SocketType::Pull, Role::Listener);
    config.handshake_timeout = Some(forever);
    config.heartbeat = Some(Heartbeat { interval: forever, timeout: forever, ttl: forever });
    let mut script = Script::ready(config, 1, "PUSH");
    script.advance(secs(1_000_000));
    assert_eq!(script.end.connection.poll_timeout(), None::<Instant>);
}
