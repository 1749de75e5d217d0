//! A thousand connections on one socket: each is served, both ways, and costs little while it is idle.

use std::time::Duration;

use tightbeam::options::{OwnedValue, Value, number};
use tightbeam::{
    AnySocket, Context, Dealer, Endpoint, Pub, Pull, Push, Router, SocketBase, SocketType, Sub,
    Typed,
};
use tightbeam_tests::peer::{HANG, Peer, command, message, opening};
use tightbeam_tests::sockets::{open, peers, until};

use crate::child::alone;
use crate::memory;
use crate::starved::limit_descriptors;

const THOUSAND: usize = 1_000;
const TRANSPORTS: [&str; 2] = ["tcp://127.0.0.1:*", "ipc://*"];

/// A bound socket whose listener holds as many as come at once, so that none waits for a repeated SYN.
fn hub<T: Typed>(context: &Context, transport: &str) -> (tightbeam::Socket<T>, Endpoint) {
    let socket = open::<T>(context);
    socket.set_option(number::BACKLOG, Value::Int(4096)).expect("BACKLOG");
    let endpoint = socket.bind(transport).expect("bind");
    (socket, endpoint)
}

/// How many different topics are subscribed.
fn topics(publisher: &SocketBase) -> usize {
    match publisher.option(number::TOPICS_COUNT).expect("TOPICS_COUNT") {
        OwnedValue::Int(count) => usize::try_from(count).expect("a count"),
        other => panic!("{other:?}"),
    }
}

/// Room for a thousand sockets, each with descriptors of its own.
fn context() -> Context {
    limit_descriptors(20_000);
    let context = Context::new();
    context.set_option(number::context::MAX_SOCKETS, 2_000).expect("MAX_SOCKETS");
    context
}

fn thousand<T: Typed>(context: &Context, endpoint: &Endpoint) -> Vec<tightbeam::Socket<T>> {
    let connect = |_| {
        let socket = open::<T>(context);
        socket.connect(endpoint).expect("connect");
        socket
    };
    (0..THOUSAND).map(connect).collect()
}

#[test]
fn a_router_answers_each_of_1_000_dealers() {
    if !alone("thousand::a_router_answers_each_of_1_000_dealers") {
        return;
    }
    for transport in TRANSPORTS {
        let context = context();
        let (router, endpoint) = hub::<Router>(&context, transport);
        let dealers = thousand::<Dealer>(&context, &endpoint);
        for round in 0..2 {
            for (n, dealer) in dealers.iter().enumerate() {
                dealer.send(format!("{round} {n}")).expect("send");
            }
            for _ in 0..THOUSAND {
                let question = router.recv_timeout(HANG).expect("a question");
                router.send(question).expect("an answer");
            }
            for (n, dealer) in dealers.iter().enumerate() {
                let answer = dealer.recv_timeout(HANG).expect("an answer");
                assert_eq!(answer, format!("{round} {n}").as_str(), "over {transport}");
            }
        }
        assert_eq!(peers(&router), THOUSAND);
        drop(dealers);
        until("all have gone", || peers(&router) == 0);
    }
}

#[test]
fn a_publisher_tells_each_of_1_000_subscribers_what_it_wants() {
    if !alone("thousand::a_publisher_tells_each_of_1_000_subscribers_what_it_wants") {
        return;
    }
    for transport in TRANSPORTS {
        let context = context();
        let (publisher, endpoint) = hub::<Pub>(&context, transport);
        let subscribers = thousand::<Sub>(&context, &endpoint);
        for (n, subscriber) in subscribers.iter().enumerate() {
            // Its own comes last: when that is known, so is the other.
            subscriber.subscribe("all").expect("subscribe");
            subscriber.subscribe(format!("{n} ")).expect("subscribe");
        }
        until("all have subscribed", || topics(&publisher) == THOUSAND + 1);
        for n in 0..THOUSAND {
            publisher.send(format!("{n} yours")).expect("send");
        }
        publisher.send("all").expect("send");
        for (n, subscriber) in subscribers.iter().enumerate() {
            for expected in [&format!("{n} yours"), "all"] {
                let message = subscriber.recv_timeout(HANG).expect("a message");
                assert_eq!(message, expected, "over {transport}");
            }
            assert!(subscriber.try_recv().is_err(), "{n} got what is not its own");
        }
        drop(subscribers);
        until("all have gone", || peers(&publisher) == 0);
    }
}

#[test]
fn a_puller_gets_what_each_of_1_000_pushers_sends() {
    if !alone("thousand::a_puller_gets_what_each_of_1_000_pushers_sends") {
        return;
    }
    const EACH: usize = 5;
    for transport in TRANSPORTS {
        let context = context();
        let (pull, endpoint) = hub::<Pull>(&context, transport);
        let pushers = thousand::<Push>(&context, &endpoint);
        until("all are connected", || peers(&pull) == THOUSAND);
        for (n, pusher) in pushers.iter().enumerate() {
            (0..EACH).for_each(|i| pusher.send(format!("{n} {i}")).expect("send"));
        }
        let mut next = vec![0; THOUSAND];
        for _ in 0..THOUSAND * EACH {
            let message = pull.recv_timeout(HANG).expect("a message").to_string_lossy();
            let (n, i) = message.split_once(' ').expect("two numbers");
            let (n, i): (usize, usize) = (n.parse().expect("n"), i.parse().expect("i"));
            assert_eq!(i, next[n], "in the order of its sender, over {transport}");
            next[n] += 1;
        }
        assert!(pull.try_recv().is_err(), "each once");
        drop(pushers);
        until("all have gone", || peers(&pull) == 0);
    }
}

/// The socket types that serve many, and what connects to them.
const CROWDS: [(SocketType, &str); 6] = [
    (SocketType::Router, "DEALER"),
    (SocketType::Rep, "REQ"),
    (SocketType::Pub, "SUB"),
    (SocketType::XPub, "XSUB"),
    (SocketType::Pull, "PUSH"),
    (SocketType::Push, "PULL"),
];

/// A peer that shakes hands and says something without waiting for answers.
fn visitor(endpoint: &str, socket: &AnySocket, peer_type: &str, n: usize) -> Peer {
    let mut peer = Peer::connect(endpoint);
    let n = format!("{n:05}");
    let said = match socket.socket_type() {
        SocketType::Push => Vec::new(),
        SocketType::Pub | SocketType::XPub => command("SUBSCRIBE", n.as_bytes()),
        SocketType::Rep => message(&[b"", n.as_bytes()]),
        _ => message(&[n.as_bytes()]),
    };
    peer.send_bytes(&[opening(peer_type), said].concat());
    peer
}

/// Hears what so many peers have said, and answers where that is the pattern; then there are `all`.
fn serve(socket: &AnySocket, count: usize, all: usize) {
    match socket.socket_type() {
        SocketType::Push => until("all are connected", || peers(socket) == all),
        SocketType::Pub => until("all have subscribed", || topics(socket) == all),
        SocketType::Rep | SocketType::Router => {
            for _ in 0..count {
                let question = socket.recv_timeout(HANG).expect("a question");
                socket.send(question).expect("an answer");
            }
        }
        _ => (0..count).for_each(|_| drop(socket.recv_timeout(HANG).expect("a message"))),
    }
}

#[test]
fn a_connection_of_any_type_costs_less_than_4_kb_when_it_has_been_served() {
    if !alone("thousand::a_connection_of_any_type_costs_less_than_4_kb_when_it_has_been_served") {
        return;
    }
    limit_descriptors(20_000);
    for transport in TRANSPORTS {
        for (socket_type, peer_type) in CROWDS {
            let context = Context::new();
            let socket = context.any_socket(socket_type).expect("socket");
            socket.set_option(number::BACKLOG, Value::Int(4096)).expect("BACKLOG");
            let endpoint = socket.bind(transport).expect("bind").to_string();
            let visit = |n| visitor(&endpoint, &socket, peer_type, n);
            // What a socket has whoever comes is there before.
            let first: Vec<Peer> = (0..50).map(visit).collect();
            serve(&socket, 50, 50);
            let before = memory::live();
            let crowd: Vec<Peer> = (50..THOUSAND + 50).map(visit).collect();
            serve(&socket, THOUSAND, THOUSAND + 50);
            // The I/O thread has gone to sleep: what it holds for a while is not counted.
            std::thread::sleep(Duration::from_millis(20));
            let each = (memory::live() - before) / THOUSAND as isize;
            println!(
                "measured: {each} bytes for each {peer_type} at {socket_type} over {transport}"
            );
            assert!(each < 4_000, "{each} bytes for each {peer_type} at {socket_type}");
            drop((first, crowd));
            until("all have gone", || peers(&socket) == 0);
        }
    }
}
