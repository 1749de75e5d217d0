//! One side is killed, and comes again at the same endpoint.

use std::thread;
use std::time::{Duration, Instant};

use tightbeam::options::number;
use tightbeam::{AnySocket, EventKind, SocketType};

use crate::ours::{self, Content, Shape};
use crate::theirs::{self, LIMIT};
use tightbeam_tests::transport::anywhere;

const SHAPE: Shape = Shape { size: 100, parts: 2, count: 20 };

fn impatient(socket_type: SocketType) -> AnySocket {
    let socket = ours::socket(socket_type);
    ours::set(&socket, number::RECONNECT_IVL, 10);
    socket
}

/// What was sent while nobody was there arrives when somebody is.
#[test]
fn we_connect_again_and_lose_nothing_that_waited() {
    for program in theirs::all() {
        let dealer = impatient(SocketType::Dealer);
        let monitor = dealer.monitor().expect("a monitor");
        let first = theirs::start(program, "echo router", &anywhere(), "--count 0");
        let endpoint = first.endpoint().to_owned();
        dealer.connect(&endpoint).expect("an endpoint");
        let content = Content::new(SHAPE);
        ours::ask(&dealer, &content, &[]);
        first.kill();
        ours::wait_for(&monitor, EventKind::Disconnected);
        ours::source(&dealer, &content, &[]);
        let second = theirs::start(program, "echo router", &endpoint, "--count 40");
        ours::sink(&dealer, &content, &[]);
        ours::ask(&dealer, &content, &[]);
        second.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// The patterns whose state is per connection begin anew with each.
#[test]
fn peers_that_come_again_are_served_again() {
    let Some(c) = theirs::c() else { return };
    let replier = ours::socket(SocketType::Rep);
    let endpoint = replier.bind(anywhere()).expect("an endpoint");
    let monitor = replier.monitor().expect("a monitor");
    for _ in 0..3 {
        let endless = theirs::start(c, "ask req", endpoint.as_str(), "--count 1000000");
        ours::echo(&replier, 50);
        endless.kill();
        ours::wait_for(&monitor, EventKind::Disconnected);
    }
    // A request of one that was killed may be left: its answer goes nowhere.
    let mut left = 0;
    while let Ok(request) = replier.recv_timeout(Duration::from_millis(50)) {
        replier.send(request).expect("an answer, dropped or not");
        left += 1;
    }
    assert!(left <= 3, "{left} requests of 3 peers that had one each");
    let last = theirs::start(c, "ask req", endpoint.as_str(), "--count 50");
    ours::echo(&replier, 50);
    last.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_puller_goes_on_with_the_next_pusher() {
    for program in theirs::all() {
        let pull = ours::socket(SocketType::Pull);
        ours::set(&pull, number::RCVHWM, 100);
        let monitor = pull.monitor().expect("a monitor");
        let endpoint = pull.bind(anywhere()).expect("an endpoint");
        let content = Content::new(Shape { count: 500, ..SHAPE });
        let options = format!("--count 1000000 --size {} --parts {}", SHAPE.size, SHAPE.parts);
        let endless = theirs::start(program, "source push", endpoint.as_str(), &options);
        ours::sink(&pull, &content, &[]);
        endless.kill();
        // What it had sent still comes, in order and whole.
        let long = Content::new(Shape { count: 1_000_000, ..SHAPE });
        let deadline = Instant::now() + LIMIT;
        let (mut i, mut gone) = (content.shape.count, false);
        loop {
            assert!(Instant::now() < deadline, "no end after message {i}");
            match pull.recv_timeout(Duration::from_millis(10)) {
                Ok(message) => {
                    assert_eq!(message, long.message(i, &[]), "message {i}");
                    i += 1;
                }
                Err(_) if gone => break,
                Err(_) => gone = ours::has_happened(&monitor, EventKind::Disconnected),
            }
        }
        let options = content.shape.options();
        let next = theirs::start(program, "source push", endpoint.as_str(), &options);
        ours::sink(&pull, &content, &[]);
        next.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Our subscriptions are sent to each publisher that comes.
#[test]
fn our_subscriptions_are_sent_again() {
    for program in theirs::all() {
        for ours_binds in [true, false] {
            let subscriber = impatient(SocketType::Sub);
            subscriber.subscribe("b").expect("a subscription");
            subscriber.subscribe("c").expect("a subscription");
            subscriber.subscribe("c").expect("the same once more");
            subscriber.unsubscribe("c").expect("one of the two");
            let mut endpoint = anywhere();
            if ours_binds {
                endpoint = subscriber.bind(anywhere()).expect("an endpoint").to_string();
            }
            let monitor = subscriber.monitor().expect("a monitor");
            for round in 0..3 {
                let side = if ours_binds { "--connect" } else { "--bind" };
                let options =
                    format!("{side} --topic a --topic b --topic c {} --hwm 0", SHAPE.options());
                let mut peer = theirs::start(program, "source pub", &endpoint, &options);
                if !ours_binds && round == 0 {
                    endpoint = peer.endpoint().to_owned();
                    subscriber.connect(&endpoint).expect("an endpoint");
                }
                let content = Content::new(SHAPE);
                let topic = |i| ["a", "b", "c"][usize::try_from(i % 3).expect("small")];
                let passing: Vec<u64> = (0..SHAPE.count).filter(|i| topic(*i) != "a").collect();
                let first = ours::be_greeted(&subscriber, &mut peer);
                assert_eq!(first, content.message(passing[0], &["b"]), "round {round}");
                for &i in &passing[1..] {
                    ours::expect(&subscriber, &content.message(i, &[topic(i)]));
                }
                peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
                ours::wait_for(&monitor, EventKind::Disconnected);
            }
        }
    }
}

/// Theirs are sent to us again when we come again.
#[test]
fn their_subscriptions_come_again() {
    for program in theirs::all() {
        let content = Content::new(SHAPE);
        let count = SHAPE.count / 2 * 3;
        let options = format!(
            "--sub b --topic a --topic b --hwm 0 --size {} --parts {} --count {count}",
            SHAPE.size, SHAPE.parts
        );
        let mut endpoint = anywhere();
        let mut peer = None;
        for round in 0..3 {
            let publisher = ours::socket(SocketType::Pub);
            endpoint = bind_again(&publisher, &endpoint);
            let connect = format!("--connect {options}");
            let peer =
                peer.get_or_insert_with(|| theirs::start(program, "sink sub", &endpoint, &connect));
            if round == 0 {
                ours::greet(&publisher, peer, Some("b"));
            } else {
                greet_blindly(&publisher);
            }
            let greeted = sent(&publisher);
            for i in round * SHAPE.count..(round + 1) * SHAPE.count {
                let topic = if i % 2 == 0 { "a" } else { "b" };
                ours::send(&publisher, content.message(i, &[topic]));
            }
            // What nobody wanted did not leave us.
            assert_eq!(sent(&publisher) - greeted, SHAPE.count / 2);
            assert_eq!(publisher.close(), 0);
        }
        let report = peer.map(|peer| peer.finish(LIMIT)).expect("a peer");
        report.unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Binds where a socket was bound that is just being closed.
fn bind_again(socket: &AnySocket, endpoint: &str) -> String {
    let deadline = Instant::now() + LIMIT;
    loop {
        match socket.bind(endpoint) {
            Ok(endpoint) => return endpoint.to_string(),
            Err(error) => assert!(Instant::now() < deadline, "{endpoint}: {error}"),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Says hello until somebody has subscribed to it.
fn greet_blindly(publisher: &AnySocket) {
    let deadline = Instant::now() + LIMIT;
    while sent(publisher) == 0 {
        assert!(Instant::now() < deadline, "nobody subscribed");
        publisher.send([&b"b"[..], &ours::HELLO]).expect("a publisher never waits");
        thread::sleep(Duration::from_millis(2));
    }
}

fn sent(socket: &AnySocket) -> u64 {
    socket.stats().expect("statistics").traffic.messages_sent
}
