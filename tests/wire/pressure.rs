//! Peers that read slowly, or stop in the middle: order, content, and nothing twice.

use std::time::Duration;

use tightbeam::options::number;
use tightbeam::{EventKind, Message, Push, Socket};
use tightbeam_tests::peer::{HANG, Lounge, Peer, Speaks};

use crate::bench::{bound_with, connected_to};

/// The n-th message: its number, and a second part whose length varies from nothing to beyond every
/// buffer.
fn numbered(n: u32) -> Message {
    Message::multipart([n.to_be_bytes().to_vec(), filling(n)])
}

fn filling(n: u32) -> Vec<u8> {
    let length = match n % 7 {
        0 => 0,
        1..4 => n as usize * 13 % 700,
        4 | 5 => 8 * 1024 + n as usize * 7,
        _ => 300_000,
    };
    (0..length).map(|i| (i as u32 * 7 + n) as u8).collect()
}

fn expect_numbered(peer: &mut Peer) -> u32 {
    let message = peer.take_message();
    assert_eq!(message.len(), 2);
    let n = u32::from_be_bytes(message[0].as_slice().try_into().expect("a number"));
    assert!(message[1] == filling(n), "message {n} was changed");
    n
}

fn send_all(socket: Socket<Push>, count: u32) -> std::thread::JoinHandle<Socket<Push>> {
    std::thread::spawn(move || {
        for n in 0..count {
            socket.as_any().send_timeout(numbered(n), HANG).expect("send");
        }
        socket
    })
}

#[test]
fn a_slow_reader_holds_the_sender_back_and_gets_everything_in_order() {
    for speaks in [Speaks::V3_1, Speaks::V1_0] {
        let bench = bound_with::<Push>(&[(number::SNDHWM, 10)]);
        let mut peer = Peer::connect_narrow(&bench.endpoint, 2048);
        peer = peer.shake_hands("PULL", b"", speaks);
        bench.wait_for(EventKind::HandshakeSucceeded);
        let sender = send_all(bench.socket, 140);
        for n in 0..140 {
            if n % 20 == 0 {
                std::thread::sleep(Duration::from_millis(20));
            }
            assert_eq!(expect_numbered(&mut peer), n);
        }
        drop(sender.join().expect("sent"));
    }
}

#[test]
fn a_reader_that_takes_nothing_fills_the_queue_to_the_mark_and_no_further() {
    let bench = bound_with::<Push>(&[(number::SNDHWM, 10)]);
    let peer = Peer::connect_narrow(&bench.endpoint, 2048).shake_hands("PULL", b"", Speaks::V3_1);
    bench.wait_for(EventKind::HandshakeSucceeded);
    let mut sent = 0;
    // 64 MiB: more than the kernel takes.
    while bench.any().send_timeout(vec![1; 1 << 20], Duration::from_millis(300)).is_ok() {
        sent += 1;
        assert!(sent < 64, "no end");
    }
    let stats = bench.socket.stats().expect("stats");
    assert_eq!(stats.peers[0].send_queue, 10);
    assert!(sent >= 10);
    drop(peer);
}

/// Every byte that the peer gets before it breaks the connection is checked, and so is what comes
/// over the next one: whole messages, in order, none twice; lost is at most what was on its way.
fn break_and_go_on(speaks: Speaks, in_order: bool) {
    let lounge = Lounge::narrow(4096);
    let bench = connected_to::<Push>(&lounge, &[(number::SNDHWM, 0), (number::SNDBUF, 4096)]);
    let mut peer = lounge.accept().shake_hands("PULL", b"", speaks);
    let count = 200;
    let sender = send_all(bench.socket, count);
    let mut last = None;
    for round in 0..5usize {
        for _ in 0..20 {
            let n = expect_numbered(&mut peer);
            assert!(last.is_none_or(|last| n > last), "{n} after {last:?}");
            last = Some(n);
        }
        // Stop in the middle of a message, at another place each time.
        peer.take(1 + round * 3);
        if in_order {
            peer.cut()
        } else {
            peer.reset()
        }
        peer = lounge.accept().shake_hands("PULL", b"", speaks);
    }
    let socket = sender.join().expect("sent");
    while last != Some(count - 1) {
        let n = expect_numbered(&mut peer);
        assert!(last.is_none_or(|last| n > last), "{n} after {last:?}");
        last = Some(n);
    }
    drop(socket);
}

#[test]
fn after_a_break_in_the_middle_of_a_message_come_whole_messages_in_order_and_none_twice() {
    for speaks in [Speaks::V3_1, Speaks::V1_0] {
        break_and_go_on(speaks, true);
        break_and_go_on(speaks, false);
    }
}

#[test]
fn a_body_that_was_half_written_is_let_go_outside_the_lock() {
    use std::sync::{Arc, Mutex};
    struct Body(Vec<u8>, Arc<Mutex<Option<Arc<Socket<Push>>>>>);
    impl AsRef<[u8]> for Body {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    impl Drop for Body {
        fn drop(&mut self) {
            // Uses the socket: a deadlock if its lock is held.
            if let Some(socket) = &*self.1.lock().expect("lock") {
                socket.stats().expect("stats");
            }
        }
    }
    let lounge = Lounge::narrow(4096);
    let bench = connected_to::<Push>(&lounge, &[(number::SNDBUF, 4096)]);
    let mut peer = lounge.accept().shake_hands("PULL", b"", Speaks::V3_1);
    let slot = Arc::new(Mutex::new(None));
    let body = Body(vec![1; 4 << 20], Arc::clone(&slot));
    bench.send(tightbeam::Frame::from_owner(body));
    peer.take(1000);
    let (events, socket) = (bench.events, Arc::new(bench.socket));
    *slot.lock().expect("lock") = Some(Arc::clone(&socket));
    peer.reset();
    let mut peer = lounge.accept().shake_hands("PULL", b"", Speaks::V3_1);
    socket.as_any().send_timeout("next", HANG).expect("send");
    assert_eq!(peer.take_message(), [b"next"]);
    drop(events);
    *slot.lock().expect("lock") = None;
}
