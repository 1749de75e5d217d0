//! Connections that break, and what may be lost with them.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{self, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tightbeam::options::number::{
    HANDSHAKE_IVL, IMMEDIATE, LINGER, MAX_HANDSHAKES, RCVHWM, RECONNECT_IVL, RECONNECT_IVL_MAX,
    SNDHWM,
};
use tightbeam::{Context, Dealer, EventKind, Frame, Peer, Pull, Push, Router, Socket};
use tightbeam_tests::peer::Lounge;
use tightbeam_tests::proxy::Proxy;
use tightbeam_tests::sockets::*;
use tightbeam_tests::transport::anywhere;

/// Tells this program, started again, to be a relay: where to bind, and where to connect to.
const RELAY: &str = "TIGHTBEAM_TEST_RELAY";

/// A PULL behind a proxy, and a PUSH that connects through it.
fn through_a_proxy(
    context: &Context,
    options: &[(i32, i32)],
) -> (Socket<Pull>, Proxy, Socket<Push>) {
    let (pull, push) = (open::<Pull>(context), open_with::<Push>(context, options));
    let proxy = Proxy::to(bind(&pull));
    push.connect(proxy.endpoint()).unwrap();
    (pull, proxy, push)
}

/// Not a test: the process that `a_killed_peer_costs_no_message_that_waited` starts and kills.
#[test]
fn relay_process() {
    let Ok(endpoints) = std::env::var(RELAY) else { return };
    let (from, to) = endpoints.split_once(' ').unwrap();
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    push.connect(to).unwrap();
    println!("\nBOUND {}", pull.bind(from).unwrap());
    while let Ok(message) = pull.recv() {
        push.send(message).unwrap();
    }
}

fn start_relay(from: &str, to: &str) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "reconnect::relay_process", "--nocapture"])
        .env(RELAY, format!("{from} {to}"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let bound =
        lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("BOUND ")?.to_owned()));
    (child, bound.expect("the relay binds"))
}

#[test]
fn a_killed_peer_costs_no_message_that_waited() {
    let context = Context::new();
    let (push, pull) = (open::<Push>(&context), open::<Pull>(&context));
    let back = bind(&pull);
    let events = push.monitor().unwrap();
    let (mut relay, endpoint) = start_relay(&anywhere(), back.as_str());
    push.connect(&endpoint).unwrap();
    for round in 0..3 {
        push.send(format!("first of {round}")).unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), format!("first of {round}"));
        relay.kill().unwrap();
        relay.wait().unwrap();
        await_event(&events, EventKind::Disconnected);
        for i in 0..100 {
            push.send(format!("{round} {i}")).unwrap();
        }
        relay = start_relay(&endpoint, back.as_str()).0;
        for i in 0..100 {
            assert_eq!(pull.recv_timeout(LIMIT).unwrap(), format!("{round} {i}"));
        }
    }
    relay.kill().unwrap();
    relay.wait().unwrap();
}

#[test]
fn what_is_sent_while_the_connection_is_down_arrives_after_it() {
    let context = Context::new();
    let (pull, proxy, push) = through_a_proxy(&context, &[(RECONNECT_IVL, 10)]);
    for round in 0..5 {
        push.send("up").unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "up");
        // Not the events of attempts that were refused in the round before.
        let events = push.monitor().unwrap();
        proxy.refuse(true);
        proxy.cut();
        await_event(&events, EventKind::Disconnected);
        for i in 0..200 {
            push.send([format!("{round}"), format!("{i}")]).unwrap();
        }
        proxy.refuse(false);
        for i in 0..200 {
            assert_eq!(pull.recv_timeout(LIMIT).unwrap(), [format!("{round}"), format!("{i}")]);
        }
    }
}

#[test]
fn cuts_in_full_stream_lose_only_what_was_on_its_way_and_never_halve_swap_or_repeat() {
    let context = Context::new();
    let (pull, proxy, push) =
        through_a_proxy(&context, &[(RECONNECT_IVL, 1), (SNDHWM, 100), (LINGER, 0)]);
    let total = 20_000u32;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Whatever is written when the last cut comes may be lost, so there is no message that must arrive.
            let mut i = 0u32;
            while !done.load(Ordering::SeqCst) {
                let rest = vec![i as u8; (i % 5_000) as usize];
                if push.send_timeout([i.to_le_bytes().to_vec(), rest], SHORT).is_ok() {
                    i += 1;
                }
            }
        });
        let _ended = OnDrop(&done);
        // A message of every connection, so that its peer is not mistaken for another; the rest of
        // one connection may come between messages of the next.
        let mut connections: Vec<Frame> = Vec::new();
        let (mut heard, mut next_cut) = (HashSet::new(), 1_000);
        let mut number = 0;
        while number < total {
            let message = pull.recv_timeout(LIMIT);
            let message = message.unwrap_or_else(|error| {
                panic!("{error} beside {:?} and {:?}", push.stats(), pull.stats())
            });
            number = number_of(&message[0]);
            assert!(message.len() == 2, "{number}");
            assert!(message[1] == vec![number as u8; (number % 5_000) as usize], "{number}");
            assert!(heard.insert(number), "{number} came twice");
            let same = |last: &&mut Frame| std::ptr::eq(peer(last), peer(&message[0]));
            match connections.iter_mut().find(same) {
                None => connections.push(message[0].clone()),
                Some(last) => {
                    assert!(number_of(last) < number, "{number} after {}", number_of(last));
                    *last = message[0].clone();
                }
            }
            if number >= next_cut {
                proxy.cut();
                next_cut = number + 1_000;
            }
        }
        assert!(connections.len() > 3, "{} connections", connections.len());
        assert!(heard.len() > total as usize / 10, "{} of {total} arrived", heard.len());
    });
}

/// How often a sender looks whether it is to end.
const SHORT: Duration = Duration::from_millis(20);

/// Tells another thread that this one is done, also by a panic.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn number_of(frame: &Frame) -> u32 {
    u32::from_le_bytes(frame[..].try_into().unwrap())
}

fn peer(frame: &Frame) -> &Peer {
    frame.peer().unwrap()
}

#[test]
fn a_message_cut_in_the_middle_is_dropped_and_counted_and_those_behind_it_arrive() {
    let context = Context::new();
    let (pull, proxy, push) = through_a_proxy(&context, &[(SNDHWM, 5), (RECONNECT_IVL, 10)]);
    set(&pull, RCVHWM, 1);
    let events = push.monitor().unwrap();
    await_event(&events, EventKind::HandshakeSucceeded);
    let body = vec![1; 1 << 20];
    let patience = Duration::from_millis(300);
    while push.send_timeout(body.clone(), patience).is_ok() {}
    proxy.cut();
    await_event(&events, EventKind::Disconnected);
    assert_eq!(dropped(&push), 1);
    push.send("last").unwrap();
    let mut received = 0;
    while pull.recv_timeout(LIMIT).unwrap() != "last" {
        received += 1;
    }
    assert!(received >= 4, "{received}");
}

/// Tells that it was called.
#[derive(Default)]
struct Told(AtomicBool);

impl Wake for Told {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn who_waits_for_room_is_told_when_all_that_was_queued_is_lost_with_the_connection() {
    let context = Context::new();
    let (pull, proxy, push) = through_a_proxy(&context, &[(SNDHWM, 1), (RECONNECT_IVL, 10)]);
    set(&pull, RCVHWM, 1);
    let body = vec![1; 1 << 20];
    let patience = Duration::from_millis(300);
    while push.send_timeout(body.clone(), patience).is_ok() {}
    let mut next = pin!(push.send_async("next"));
    let told = Arc::new(Told::default());
    let waker = Waker::from(Arc::clone(&told));
    let mut task = task::Context::from_waker(&waker);
    assert!(next.as_mut().poll(&mut task).is_pending());
    // What is left to be written would make room, too, once somebody is there.
    proxy.refuse(true);
    proxy.cut();
    until("it is told", || told.0.load(Ordering::SeqCst));
    assert!(next.as_mut().poll(&mut task).is_ready());
    assert_eq!(dropped(&push), 1);
}

#[test]
fn immediate_queues_only_for_connections_that_are_up() {
    let context = Context::new();
    let (pull, proxy, push) = through_a_proxy(&context, &[(IMMEDIATE, 1), (RECONNECT_IVL, 10)]);
    let events = push.monitor().unwrap();
    push.send_timeout("up", LIMIT).unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "up");
    proxy.refuse(true);
    proxy.cut();
    await_event(&events, EventKind::Disconnected);
    assert!(push.try_send("down").unwrap_err().error.is_would_block());
    assert!(!push.readiness().unwrap().writable);
    proxy.refuse(false);
    push.send_timeout("up again", LIMIT).unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "up again");
}

#[test]
fn without_an_interval_a_connection_is_not_made_again() {
    let context = Context::new();
    let (pull, proxy, push) = through_a_proxy(&context, &[(RECONNECT_IVL, -1)]);
    push.send("x").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "x");
    proxy.cut();
    until("the endpoint is given up", || push.stats().unwrap().peers.is_empty());
    assert!(push.try_send("y").unwrap_err().error.is_would_block());
    assert_eq!(push.disconnect(proxy.endpoint()).unwrap_err().errno(), libc::ENOENT);
    assert_eq!(proxy.accepted(), 1);
}

/// The pauses between attempts to connect to a peer that hangs up at once.
fn pauses(options: &[(i32, i32)], count: usize) -> Vec<Duration> {
    let listener = Lounge::open();
    let context = Context::new();
    let push = open_with::<Push>(&context, options);
    set(&push, LINGER, 0);
    push.connect(listener.endpoint()).unwrap();
    let mut times = (0..=count).map(|_| {
        listener.accept().cut();
        Instant::now()
    });
    let mut last = times.next().unwrap();
    times.map(|time| time.duration_since(std::mem::replace(&mut last, time))).collect()
}

/// A pause is seen a little short when the attempt before it was accepted late.
const LATE: Duration = Duration::from_millis(25);

#[test]
fn attempts_come_after_the_interval() {
    for pause in pauses(&[(RECONNECT_IVL, 60)], 4) {
        assert!(pause + LATE >= Duration::from_millis(60), "{pause:?}");
    }
}

#[test]
fn with_a_maximum_the_pauses_double_up_to_it() {
    let seen = pauses(&[(RECONNECT_IVL, 40), (RECONNECT_IVL_MAX, 200)], 5);
    for (pause, least) in seen.iter().zip([40, 80, 160, 200, 200]) {
        assert!(*pause + LATE >= Duration::from_millis(least), "{seen:?}");
    }
}

#[test]
fn the_pauses_double_up_to_the_maximum_as_monitors_tell() {
    let context = Context::new();
    let options = [(RECONNECT_IVL, 10), (RECONNECT_IVL_MAX, 50), (LINGER, 0)];
    let push = open_with::<Push>(&context, &options);
    let events = push.monitor().unwrap();
    push.connect("tcp://127.0.0.1:1").unwrap();
    let pauses = [(); 5].map(|()| await_event(&events, EventKind::ConnectRetried).value());
    assert_eq!(pauses, [10, 20, 40, 50, 50], "milliseconds");
}

#[test]
fn a_peer_that_says_nothing_is_given_up_after_handshake_ivl_and_tried_again() {
    let context = Context::new();
    let silent = Lounge::open();
    let push =
        open_with::<Push>(&context, &[(HANDSHAKE_IVL, 50), (RECONNECT_IVL, 10), (LINGER, 0)]);
    let events = push.monitor().unwrap();
    push.connect(silent.endpoint()).unwrap();
    let streams: Vec<_> = (0..2).map(|_| silent.accept()).collect();
    assert!(await_refusal(&events).reason.is_some());
    drop(streams);
}

/// Whoever is sent off while its handshake is pending may have sent a message already.
#[test]
fn a_burst_of_peers_beyond_the_budget_of_handshakes_loses_nothing() {
    let context = Context::new();
    let router = open_with::<Router>(&context, &[(MAX_HANDSHAKES, 16)]);
    let endpoint = bind(&router);
    let dealers: Vec<Socket<Dealer>> = (0..400)
        .map(|i| {
            let dealer = open::<Dealer>(&context);
            connect(&dealer, &endpoint);
            dealer.send(format!("{i}")).unwrap();
            dealer
        })
        .collect();
    let mut missing: std::collections::BTreeSet<String> =
        (0..dealers.len()).map(|i| i.to_string()).collect();
    while !missing.is_empty() {
        let message = router.recv_timeout(LIMIT);
        let message = message.unwrap_or_else(|error| panic!("{error}, missing {missing:?}"));
        assert!(missing.remove(&message[1].to_string_lossy().into_owned()), "twice: {message:?}");
    }
}
