//! Many at once.

use std::collections::HashMap;
use std::thread;

use tightbeam::{Frame, SocketType};

use crate::ours::{self, Content, Shape};
use crate::theirs::{self, ANYWHERE, LIMIT};

const PEERS: usize = 24;
const SHAPE: Shape = Shape { size: 100, parts: 1, count: 1_000 };

/// Every source's messages arrive whole and in order, whatever the others do.
#[test]
fn many_dealers_send_to_one_router() {
    let Some(c) = theirs::c() else { return };
    let router = ours::socket(SocketType::Router);
    let endpoint = router.bind(ANYWHERE).expect("an endpoint");
    let options = SHAPE.options();
    let peers: Vec<_> = (0..PEERS)
        .map(|_| theirs::start(c, "source dealer", endpoint.as_str(), &options))
        .collect();
    let content = Content::new(SHAPE);
    let mut next: HashMap<Frame, u64> = HashMap::new();
    for _ in 0..PEERS as u64 * SHAPE.count {
        let mut message = router.recv().expect("a message");
        let id = message.pop_front().expect("a routing id");
        let i = next.entry(id).or_insert(0);
        assert_eq!(message, content.message(*i, &[]), "message {i}");
        *i += 1;
    }
    assert_eq!(next.len(), PEERS);
    assert!(next.values().all(|count| *count == SHAPE.count));
    for peer in peers {
        peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn many_requesters_ask_one_replier() {
    let Some(c) = theirs::c() else { return };
    let replier = ours::socket(SocketType::Rep);
    let endpoint = replier.bind(ANYWHERE).expect("an endpoint");
    let peers: Vec<_> = (0..PEERS)
        .map(|_| theirs::start(c, "ask req", endpoint.as_str(), "--size 100 --count 100"))
        .collect();
    ours::echo(&replier, 100 * PEERS as u64);
    for peer in peers {
        peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn many_of_our_pushers_send_to_one_puller_of_theirs() {
    let Some(c) = theirs::c() else { return };
    let count = PEERS as u64 * SHAPE.count;
    let options = format!("--any-order --size {} --count {count}", SHAPE.size);
    let peer = theirs::start(c, "sink pull", ANYWHERE, &options);
    let endpoint = peer.endpoint();
    thread::scope(|scope| {
        for _ in 0..PEERS {
            scope.spawn(|| {
                let push = ours::socket(SocketType::Push);
                push.connect(endpoint).expect("an endpoint");
                ours::source(&push, &Content::new(SHAPE), &[]);
                assert_eq!(push.close(), 0);
            });
        }
    });
    peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
}

/// Each subscriber gets what it subscribed to and nothing else, in order.
#[test]
fn many_subscribers_of_one_publisher() {
    let Some(c) = theirs::c() else { return };
    let publisher = ours::socket(SocketType::Pub);
    // A publisher drops what has no room.
    ours::set(&publisher, tightbeam::options::number::SNDHWM, 0);
    let endpoint = publisher.bind(ANYWHERE).expect("an endpoint");
    let prefixes = ["--sub a", "--sub ab", "--sub b --sub a"];
    let mut peers: Vec<_> = (0..PEERS)
        .map(|k| {
            let prefix = prefixes[k % prefixes.len()];
            let options = format!(
                "--connect {prefix} --topic ab --topic b --topic a --size 50 --count 300 --hwm 0"
            );
            theirs::start(c, "sink sub", endpoint.as_str(), &options)
        })
        .collect();
    for peer in &mut peers {
        ours::greet(&publisher, peer, Some("ab"));
    }
    let content = Content::new(Shape { size: 50, parts: 1, count: 900 });
    for i in 0..content.shape.count {
        let topic = ["ab", "b", "a"][usize::try_from(i % 3).expect("a small number")];
        ours::send(&publisher, content.message(i, &[topic]));
    }
    for peer in peers {
        peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
    }
}
