//! Many peers that connect and never finish their handshake.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use tightbeam::options::number;
use tightbeam::{Pull, Router};
use tightbeam_tests::peer::{HANG, Peer, Speaks, greeting, message, opening, ready};

use crate::bench::{bound, bound_with};
use crate::child::alone;
use crate::memory;
use crate::starved::limit_descriptors;

#[test]
fn with_900_silent_peers_a_good_one_is_served_at_once() {
    if !alone("half_open::with_900_silent_peers_a_good_one_is_served_at_once") {
        return;
    }
    limit_descriptors(10_000);
    let bench = bound::<Router>();
    let silent: Vec<Peer> = (0..900).map(|_| Peer::connect(&bench.endpoint)).collect();
    bench.wait_for_connections(900);
    let began = Instant::now();
    bench.expect_good_service();
    println!("measured: a good peer beside 900 silent ones served within {:?}", began.elapsed());
    drop(silent);
    bench.wait_for_connections(0);
}

#[test]
fn beyond_the_limit_the_oldest_handshake_gives_way() {
    if !alone("half_open::beyond_the_limit_the_oldest_handshake_gives_way") {
        return;
    }
    limit_descriptors(10_000);
    for (options, limit) in [(&[][..], 1024), (&[(number::MAX_HANDSHAKES, 100)], 100)] {
        let bench = bound_with::<Pull>(options);
        let beyond = limit - 48;
        let mut silent: Vec<Peer> = (0..limit).map(|_| Peer::connect(&bench.endpoint)).collect();
        bench.wait_for_connections(limit);
        silent.extend((0..beyond).map(|_| Peer::connect(&bench.endpoint)));
        bench.wait_for_refusal("the peer exceeded its budget of pending handshakes");
        bench.expect_good_service();
        let mut closed = silent.iter_mut().map(Peer::is_closed);
        // One more had to go for the good peer.
        assert!(closed.by_ref().take(beyond).all(|closed| closed), "an old one was kept");
        assert!(!closed.skip(1).any(|closed| closed), "a young one had to go");
    }
}

#[test]
fn peers_that_have_said_a_byte_do_not_keep_new_ones_out() {
    let options = [(number::MAX_HANDSHAKES, 100), (number::HANDSHAKE_IVL, 30_000)];
    let bench = bound_with::<Pull>(&options);
    let mut begun: Vec<Peer> = (0..100).map(|_| Peer::connect(&bench.endpoint)).collect();
    begun.iter_mut().for_each(|peer| peer.send("ff"));
    bench.wait_for_connections(100);
    // Those who come are sent off at first, and come again.
    let deadline = Instant::now() + HANG;
    let mut served = false;
    while !served {
        assert!(Instant::now() < deadline, "nobody gets in");
        let mut peer = Peer::connect(&bench.endpoint);
        // Its handshake takes a while: what has come when its place is wanted does not complete it.
        served = peer.offer(&greeting(1))
            && is_answered(&mut peer)
            && peer.offer(&[ready("PUSH", b""), message(&[b"good"])].concat())
            && bench.any().recv_timeout(Duration::from_millis(20)).is_ok();
    }
    assert!(begun[0].is_closed() && !begun[99].is_closed(), "the oldest gives way");
}

/// Whether more than a greeting comes from the other end before it closes.
fn is_answered(peer: &mut Peer) -> bool {
    let (mut heard, mut buffer) = (0, [0; 256]);
    while heard <= 64 {
        match peer.read_some(&mut buffer) {
            Ok(0) | Err(_) => return false,
            Ok(read) => heard += read,
        }
    }
    true
}

#[test]
fn dripping_peers_leave_at_handshake_ivl_while_good_ones_are_served() {
    if !alone("half_open::dripping_peers_leave_at_handshake_ivl_while_good_ones_are_served") {
        return;
    }
    limit_descriptors(10_000);
    let bench =
        bound_with::<Router>(&[(number::HANDSHAKE_IVL, 4000), (number::MAX_HANDSHAKES, 5000)]);
    let began = Instant::now();
    let mut peers: Vec<Peer> = (0..2000).map(|_| Peer::connect(&bench.endpoint)).collect();
    println!("measured: 2,000 connected within {:?}", began.elapsed());
    let said = opening("DEALER");
    let mut worst = Duration::ZERO;
    for byte in &said[..64] {
        for peer in &mut peers {
            peer.offer(&[*byte]);
        }
        let asked = Instant::now();
        bench.expect_good_service();
        worst = worst.max(asked.elapsed());
        if bench.any().stats().expect("stats").handshaking == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(70));
    }
    println!(
        "measured: 2,000 dripping peers gone after {:?}, good peers served within {worst:?}",
        began.elapsed()
    );
    bench.wait_for_connections(0);
    assert!(peers.iter_mut().all(Peer::is_closed));
}

#[test]
fn a_half_open_connection_costs_little() {
    if !alone("half_open::a_half_open_connection_costs_little") {
        return;
    }
    limit_descriptors(10_000);
    let bench = bound::<Pull>();
    bench.expect_good_service();
    bench.wait_for_connections(0);
    let before = memory::live();
    let peers: Vec<Peer> = (0..1000).map(|_| Peer::connect(&bench.endpoint)).collect();
    bench.wait_for_connections(1000);
    let each = (memory::live() - before) / 1000;
    println!("measured: {each} bytes for a half-open connection");
    assert!(each <= 4096, "{each} bytes each");
    drop(peers);
    bench.wait_for_connections(0);
    while bench.events.try_next().is_some() {}
    let left = memory::live() - before;
    assert!(left < 256 * 1024, "{left} bytes left");
}

/// A task whose waker keeps whoever wakes it until it is let go.
struct Obstacle {
    reached: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl Wake for Obstacle {
    fn wake(self: Arc<Self>) {
        let _ = self.reached.send(());
        let _ = self.go_on.lock().expect("one waits").recv_timeout(HANG);
    }
}

#[test]
fn who_has_said_all_by_the_time_that_others_want_its_place_keeps_it() {
    let bench = bound_with::<Pull>(&[(number::MAX_HANDSHAKES, 4)]);
    let mut good = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
    let mut begun: Vec<Peer> = (0..4).map(|_| Peer::connect(&bench.endpoint)).collect();
    for peer in &mut begun {
        peer.send_bytes(&greeting(1));
        peer.take(64);
        // It was heard.
        peer.expect_command("READY");
    }
    let (reached, is_reached) = channel();
    let (go_on, may_go_on) = channel();
    let obstacle = Obstacle { reached, go_on: Mutex::new(may_go_on) };
    let waker = Waker::from(Arc::new(obstacle));
    let mut receiving = Box::pin(bench.socket.recv_async());
    assert!(receiving.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    good.send_message(&[b"good"]);
    // From here on the I/O thread is away, for longer than a handshake needs.
    is_reached.recv_timeout(HANG).expect("the I/O thread wakes the task");
    let _late = Peer::connect(&bench.endpoint);
    std::thread::sleep(Duration::from_millis(400));
    for peer in &mut begun {
        peer.send_bytes(&[ready("PUSH", b""), message(&[b"waited"])].concat());
    }
    go_on.send(()).expect("the I/O thread waits");
    drop(receiving);
    assert_eq!(bench.recv(), b"good");
    for _ in 0..4 {
        assert_eq!(bench.recv(), b"waited");
    }
}
