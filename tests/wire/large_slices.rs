//! Large bodies that `send_slice` hands to the kernel without copying them first: whole, in order, and the
//! caller's again as soon as the call returns.

use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use tightbeam::curve::Keypair;
use tightbeam::options::number;
use tightbeam::{
    Context, Dealer, EventKind, Frame, Pair, Pull, Push, Rep, Req, SocketBase, Timing,
};
use tightbeam_tests::peer::{HANG, Lounge, Peer, Speaks};
use tightbeam_tests::sockets::{bind, connect, join, open};

use crate::bench::{bound, bound_with, connected, connected_to};
use crate::memory;

const MIB: usize = 1 << 20;

/// The n-th body.
fn body(n: usize, len: usize) -> Vec<u8> {
    let tile: Vec<u8> = (0..1021).map(|i| (i * 31 + n * 7) as u8).collect();
    let mut body = tile.repeat(len / tile.len() + 1);
    body.truncate(len);
    body
}

#[test]
fn what_the_kernel_takes_at_once_is_not_copied() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    let sent = body(0, 100_000);
    let mut received = vec![0; sent.len()];
    push.send_slice(&sent).unwrap();
    pull.recv_into(&mut received).unwrap();
    let bytes = memory::handed_out(|| push.send_slice(&sent).unwrap());
    assert!(bytes < 100_000, "{bytes} bytes");
    pull.recv_into(&mut received).unwrap();
    assert!(received == sent);
}

#[test]
fn the_buffer_is_the_callers_again_when_the_call_returns() {
    let bench = bound::<Push>();
    let mut peer = Peer::connect_narrow(&bench.endpoint, 2048);
    peer = peer.shake_hands("PULL", b"", Speaks::V3_1);
    bench.wait_for(EventKind::HandshakeSucceeded);
    let mut buffer = vec![0; 4 * MIB];
    for n in 0..3 {
        buffer.copy_from_slice(&body(n, 4 * MIB));
        bench.socket.send_slice(&buffer).unwrap();
    }
    buffer.fill(0);
    for n in 0..3 {
        assert!(peer.take_message() == [body(n, 4 * MIB)], "message {n}");
    }
}

#[test]
fn a_peer_that_reads_slowly_gets_large_and_small_ones_in_order() {
    let bench = bound_with::<Push>(&[(number::SNDHWM, 5)]);
    let mut peer = Peer::connect_narrow(&bench.endpoint, 2048);
    peer = peer.shake_hands("PULL", b"", Speaks::V3_1);
    bench.wait_for(EventKind::HandshakeSucceeded);
    let lengths = |n: usize| [MIB, 10, 40_000, 20_000, 3 * MIB][n % 5];
    let socket = bench.socket;
    let sender = thread::spawn(move || {
        for n in 0..25 {
            socket.send_slice(&body(n, lengths(n))).unwrap();
        }
        socket
    });
    for n in 0..25 {
        if n % 10 == 0 {
            thread::sleep(Duration::from_millis(10));
        }
        assert!(peer.take_message() == [body(n, lengths(n))], "message {n}");
    }
    drop(sender.join().unwrap());
}

#[test]
fn a_cut_within_a_large_slice_loses_it_and_nothing_behind_it() {
    let lounge = Lounge::narrow(2048);
    let bench = connected_to::<Push>(&lounge, &[]);
    for taken in [1, 9, 40_000, MIB] {
        let mut peer = lounge.accept().shake_hands("PULL", b"", Speaks::V3_1);
        bench.wait_for(EventKind::HandshakeSucceeded);
        for n in 0..3 {
            bench.socket.send_slice(&body(n, 4 * MIB)).unwrap();
        }
        bench.send("behind");
        peer.take(taken);
        peer.cut();
        let mut peer = lounge.accept().shake_hands("PULL", b"", Speaks::V3_1);
        for n in 1..3 {
            assert!(peer.take_message() == [body(n, 4 * MIB)], "message {n}, {taken} taken");
        }
        assert_eq!(peer.take_message(), [b"behind"]);
        bench.wait_for(EventKind::HandshakeSucceeded);
        peer.cut();
        bench.wait_for(EventKind::Disconnected);
    }
}

#[test]
fn a_large_slice_that_finds_the_connection_broken_goes_over_the_next_one() {
    let (bench, lounge) = connected::<Push>(&[]);
    for n in 0..20 {
        let peer = lounge.accept().shake_hands("PULL", b"", Speaks::V3_1);
        bench.wait_for(EventKind::HandshakeSucceeded);
        peer.reset();
        bench.socket.send_slice(&body(n, 100_000)).unwrap();
        let mut peer = lounge.accept().shake_hands("PULL", b"", Speaks::V3_1);
        assert!(peer.take_message() == [body(n, 100_000)], "message {n}");
        bench.wait_for(EventKind::HandshakeSucceeded);
        peer.cut();
    }
}

#[test]
fn threads_that_share_a_socket_send_whole_messages_each_in_its_order() {
    let bench = bound::<Push>();
    let mut peer = Peer::join(&bench.endpoint, "PULL", Speaks::V3_1);
    bench.wait_for(EventKind::HandshakeSucceeded);
    let lengths = [MIB, 50_000, 100];
    thread::scope(|scope| {
        for (sender, len) in lengths.into_iter().enumerate() {
            let socket = &bench.socket;
            scope.spawn(move || {
                for n in 0..100 {
                    socket.send_slice(&body(sender + n, len)).unwrap();
                }
            });
        }
        let mut next = [0; 3];
        for _ in 0..300 {
            let message = peer.take_message().remove(0);
            let sender = lengths.iter().position(|len| *len == message.len()).unwrap();
            assert!(message == body(sender + next[sender], lengths[sender]), "sender {sender}");
            next[sender] += 1;
        }
    });
}

#[test]
fn peers_of_every_version_get_large_slices_in_their_own_form() {
    for speaks in [Speaks::V1_0, Speaks::V2_0, Speaks::V3_0, Speaks::V3_1] {
        let bench = bound::<Push>();
        let mut peer = Peer::join(&bench.endpoint, "PULL", speaks);
        for n in 0..3 {
            let sent = body(n, 200_000);
            bench.any().send_slice(&sent, Some(Timing::Within(HANG))).unwrap();
            assert!(peer.take_message() == [sent], "{speaks:?}");
        }
    }
}

#[test]
fn large_slices_are_sealed_where_curve_is_spoken() {
    let context = Context::new();
    let (server, client) = (Keypair::generate().unwrap(), Keypair::generate().unwrap());
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    pull.set_curve_server(&server).unwrap();
    push.set_curve_client(&client, &server.public).unwrap();
    connect(&push, &bind(&pull));
    let mut received = vec![0; MIB];
    for n in 0..3 {
        push.send_slice(&body(n, MIB)).unwrap();
        pull.recv_into(&mut received).unwrap();
        assert!(received == body(n, MIB), "message {n}");
    }
}

#[test]
fn every_type_that_sends_to_one_peer_puts_its_envelope_before_a_large_slice() {
    let context = Context::new();
    let sent = body(0, 300_000);
    let mut received = vec![0; sent.len()];
    let (rep, req) = join::<Rep, Req>(&context);
    let (a, b) = join::<Pair, Pair>(&context);
    let (c, d) = join::<Dealer, Dealer>(&context);
    for _ in 0..3 {
        req.send_slice(&sent).unwrap();
        assert!(rep.recv().unwrap() == sent);
        rep.send_slice(&sent).unwrap();
        req.recv_into(&mut received).unwrap();
        assert!(received == sent);
        a.send_slice(&sent).unwrap();
        assert!(b.recv().unwrap() == sent);
        c.send_slice(&sent).unwrap();
        assert!(d.recv().unwrap() == sent);
    }
    let senders: [&SocketBase; 4] = [&rep, &req, &a, &c];
    assert!(senders.iter().all(|socket| socket.stats().unwrap().traffic.bytes_sent == 900_000));
}

/// A body that goes back to a pool.
struct Pooled {
    body: Vec<u8>,
    pool: Arc<Mutex<()>>,
    returns: mpsc::Sender<()>,
}

impl AsRef<[u8]> for Pooled {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        self.returns.send(()).unwrap();
        drop(self.pool.lock());
    }
}

#[test]
fn whoever_sends_a_large_slice_does_not_wait_for_a_free_function() {
    let bench = bound_with::<Push>(&[(number::SNDHWM, 0)]);
    let mut peer = Peer::connect_narrow(&bench.endpoint, 2048);
    peer = peer.shake_hands("PULL", b"", Speaks::V3_1);
    bench.wait_for(EventKind::HandshakeSucceeded);
    let pool = Arc::new(Mutex::new(()));
    let (returns, returned) = mpsc::channel();
    let pooled = Pooled { body: body(0, 8 * MIB), pool: Arc::clone(&pool), returns };
    bench.send(Frame::from_owner(pooled));
    (1..4).for_each(|n| bench.send(body(n, MIB)));
    let in_use = pool.lock().unwrap();
    let reader = thread::spawn(move || {
        (0..5).for_each(|n| assert!(peer.take_message()[0][..9] == body(n, 9), "message {n}"));
    });
    // The first body is written: it is freed by the thread that goes on writing the rest afterwards.
    returned.recv_timeout(HANG).unwrap();
    let (done, sent) = mpsc::channel();
    let socket = bench.socket;
    let sender = thread::spawn(move || {
        socket.send_slice(&body(4, MIB)).unwrap();
        done.send(()).unwrap();
        socket
    });
    let in_time = sent.recv_timeout(HANG);
    drop(in_use);
    assert!(in_time.is_ok(), "the sender waited for the pool");
    reader.join().unwrap();
    drop(sender.join().unwrap());
}
