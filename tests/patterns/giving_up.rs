//! What ends an endpoint for good, and after what it is connected to again.

use std::time::Duration;

use tightbeam::options::number::{HANDSHAKE_IVL, RECONNECT_IVL, RECONNECT_STOP};
use tightbeam::{Context, EventKind, Push, Socket};
use tightbeam_tests::bytes::{greeting, ready};
use tightbeam_tests::peer::{Lounge, Peer, Speaks};
use tightbeam_tests::sockets::*;

const REFUSED: i32 = 1;
const HANDSHAKE_FAILED: i32 = 2;
const AFTER_DISCONNECT: i32 = 4;

/// A PUSH that is quick to come again, and not to come for these reasons.
fn push(context: &Context, stop: i32) -> Socket<Push> {
    let options = [(RECONNECT_IVL, 5), (HANDSHAKE_IVL, 100), (RECONNECT_STOP, stop)];
    open_with::<Push>(context, &options)
}

/// An address where a listener was, but is no more.
fn abandoned() -> (Lounge, String) {
    let mut lounge = Lounge::open();
    let endpoint = lounge.endpoint();
    lounge.stop();
    (lounge, endpoint)
}

fn is_given_up(push: &Socket<Push>) -> bool {
    push.stats().unwrap().peers.is_empty()
}

#[test]
fn a_refused_connection_is_the_last_one_if_the_option_says_so() {
    let context = Context::new();
    let (_lounge, endpoint) = abandoned();
    let stopping = push(&context, REFUSED);
    stopping.connect(&endpoint).unwrap();
    until("it is given up", || is_given_up(&stopping));
    assert_eq!(stopping.disconnect(&endpoint).unwrap_err().errno(), libc::ENOENT);
    let patient = push(&context, HANDSHAKE_FAILED | AFTER_DISCONNECT);
    let events = patient.monitor().unwrap();
    patient.connect(&endpoint).unwrap();
    for _ in 0..5 {
        await_event(&events, EventKind::ConnectRetried);
    }
    assert!(!is_given_up(&patient));
}

/// What a listener does with a connection.
type Deed = fn(Peer);

fn break_off(peer: Peer) {
    peer.cut();
}

fn stay_silent(mut peer: Peer) {
    peer.expect_closed_eventually();
}

fn break_off_in_the_handshake(mut peer: Peer) {
    peer.send_bytes(&greeting(1));
    peer.cut();
}

fn break_off_after_the_handshake(peer: Peer) {
    peer.shake_hands("PULL", b"", Speaks::V3_1).cut();
}

fn want_another_mechanism(mut peer: Peer) {
    let mut bytes = greeting(1);
    bytes[12..16].copy_from_slice(b"FOO\0");
    peer.send_bytes(&bytes);
    peer.expect_closed_eventually();
}

fn be_of_another_type(mut peer: Peer) {
    peer.send_bytes(&greeting(1));
    peer.send_bytes(&ready("PUSH", b""));
    peer.expect_closed_eventually();
}

fn send_nonsense(peer: Peer) {
    let mut peer = peer.shake_hands("PULL", b"", Speaks::V3_1);
    peer.send("ff*20");
    peer.expect_closed_eventually();
}

#[test]
fn broken_connections_and_time_outs_are_tried_again() {
    for deed in [break_off, stay_silent, break_off_in_the_handshake, break_off_after_the_handshake]
        as [Deed; 4]
    {
        let (context, lounge) = (Context::new(), Lounge::open());
        let push = push(&context, REFUSED | AFTER_DISCONNECT);
        push.connect(lounge.endpoint()).unwrap();
        for _ in 0..3 {
            deed(lounge.accept());
        }
        assert!(!is_given_up(&push));
    }
}

#[test]
fn a_peer_that_breaks_the_protocol_or_does_not_fit_is_not_tried_again() {
    for deed in [want_another_mechanism, be_of_another_type, send_nonsense] as [Deed; 3] {
        let (context, lounge) = (Context::new(), Lounge::open());
        let push = push(&context, 0);
        push.connect(lounge.endpoint()).unwrap();
        deed(lounge.accept());
        until("it is given up", || is_given_up(&push));
        assert!(push.send_timeout("x", Duration::ZERO).is_err());
    }
}

#[test]
fn a_failed_handshake_is_the_last_one_if_the_option_says_so() {
    for deed in [break_off, stay_silent, break_off_in_the_handshake] as [Deed; 3] {
        let (context, lounge) = (Context::new(), Lounge::open());
        let push = push(&context, HANDSHAKE_FAILED);
        push.connect(lounge.endpoint()).unwrap();
        // What breaks later is none.
        break_off_after_the_handshake(lounge.accept());
        deed(lounge.accept());
        until("it is given up", || is_given_up(&push));
    }
}

#[test]
fn after_disconnect_nobody_is_waited_for_if_the_option_says_so() {
    let context = Context::new();
    let (_lounge, endpoint) = abandoned();
    for (stop, given_up) in [(AFTER_DISCONNECT, true), (REFUSED << 3, false)] {
        let push = push(&context, stop);
        push.connect(&endpoint).unwrap();
        push.send("x").unwrap();
        push.disconnect(&endpoint).unwrap();
        assert_eq!(is_given_up(&push), given_up);
        set(&push, tightbeam::options::number::LINGER, 0);
    }
}
