//! Closing while the peer goes on sending. A stream that is closed with unread input is reset, and what the peer has not
//! received by then is lost; so the socket says that it is done, and reads on until the peer is, too.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use tightbeam::options::number::{LINGER, RCVHWM};
use tightbeam::options::{Value, number};
use tightbeam::{Context, Dealer, Message, Socket};
use tightbeam_tests::peer::{HANG, Peer, Speaks};

use crate::child::alone;
use crate::memory;

const BODY: usize = 16 * 1024;
/// More than the buffers of the peer's system take.
const MESSAGES: usize = 64;

/// A socket that lingers as it is told, and a peer of it that has a small buffer and has not read yet.
fn pair(linger: i32) -> (Context, Socket<Dealer>, String, Peer) {
    let context = Context::new();
    let socket = context.socket::<Dealer>().expect("socket");
    for (option, value) in [(LINGER, linger), (RCVHWM, 1)] {
        socket.set_option(option, Value::Int(value)).expect("option");
    }
    // All of it fits, and is in the system's hands when the socket is closed.
    socket.set_option(number::SNDBUF, Value::Int(4 << 20)).expect("SNDBUF");
    let endpoint = socket.bind("tcp://127.0.0.1:*").expect("bind").to_string();
    let peer = Peer::connect_narrow(&endpoint, 8 * 1024).shake_hands("DEALER", b"", Speaks::V3_1);
    (context, socket, endpoint, peer)
}

fn fill(socket: &Socket<Dealer>) {
    for n in 0..MESSAGES {
        socket.send(Message::from(vec![n as u8; BODY])).expect("send");
    }
}

/// Fails instead of hanging; says how long it took.
fn promptly<R: Send + 'static>(run: impl FnOnce() -> R + Send + 'static) -> (R, Duration) {
    let began = Instant::now();
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(run()));
    (receiver.recv_timeout(HANG).expect("an end"), began.elapsed())
}

#[test]
fn what_was_sent_before_close_arrives_although_the_peer_goes_on_sending() {
    let (context, socket, _, mut peer) = pair(10_000);
    // Input that nobody takes: with the receive mark at 1 most of it stays in the system.
    for _ in 0..8 {
        peer.send_message(&[&[7; BODY]]);
    }
    fill(&socket);
    drop(socket);
    for n in 0..MESSAGES {
        // A reset would make this fail, or the next read.
        peer.send_message(&[b"still here"]);
        assert_eq!(peer.take_message(), [vec![n as u8; BODY]], "message {n}");
    }
    peer.expect_closed();
    peer.cut();
    let (ended, _) = promptly(move || context.term_timeout(HANG));
    assert!(ended.expect("term"));
}

/// How long a socket takes to end whose peer keeps its side open; it has read what there was, or nothing.
fn time_to_end(linger: i32, reads: bool) -> Duration {
    let (context, socket, _, mut peer) = pair(linger);
    if reads {
        socket.send("hello").expect("send");
        assert_eq!(peer.take_message(), [b"hello"]);
    } else {
        fill(&socket);
    }
    drop(socket);
    let (ended, took) = promptly(move || context.term_timeout(HANG));
    assert!(ended.expect("term"), "linger: {linger}, reads: {reads}");
    drop(peer);
    took
}

#[test]
fn a_peer_that_does_not_close_holds_nobody_up_for_long_and_nobody_without_linger() {
    // On a machine that does much else any of them may take long, but not each time.
    let in_order = || {
        let (patient, obliging) = (time_to_end(-1, false), time_to_end(-1, true));
        let (limited, hasty) = (time_to_end(300, false), time_to_end(0, false));
        println!("{hasty:?} {limited:?} {obliging:?} {patient:?}");
        obliging < patient && limited < patient && hasty < limited
    };
    assert!((0..5).any(|_| in_order()));
}

#[test]
fn the_port_is_free_while_a_connection_is_still_closing() {
    let (context, socket, endpoint, mut peer) = pair(10_000);
    fill(&socket);
    drop(socket);
    let next = context.socket::<Dealer>().expect("socket");
    let deadline = Instant::now() + HANG;
    while next.bind(&endpoint).is_err() {
        assert!(Instant::now() < deadline, "the port is not free");
    }
    // The old one is there still, and has everything to give.
    for n in 0..MESSAGES {
        assert_eq!(peer.take_message(), [vec![n as u8; BODY]]);
    }
    peer.expect_closed();
}

#[test]
fn streams_that_closed_gracefully_leave_no_descriptors() {
    if !alone("closing::streams_that_closed_gracefully_leave_no_descriptors") {
        return;
    }
    let context = Context::new();
    let socket = context.socket::<Dealer>().expect("socket");
    let lounge = tightbeam_tests::peer::Lounge::open();
    let endpoint = lounge.endpoint();
    let visit = || {
        socket.connect(&endpoint).expect("connect");
        let mut peer = lounge.accept().shake_hands("DEALER", b"", Speaks::V3_1);
        socket.send("x").expect("send");
        assert_eq!(peer.take_message(), [b"x"]);
        socket.disconnect(&endpoint).expect("disconnect");
        peer.expect_closed();
        peer.cut();
    };
    (0..10).for_each(|_| visit());
    let before = memory::descriptors();
    (0..100).for_each(|_| visit());
    memory::wait_for_descriptors(before + 1);
}
