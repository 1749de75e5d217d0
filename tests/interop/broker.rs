//! Proxies of ours between libzmq's sockets on both sides.

use std::thread;

use tightbeam::{AnySocket, Proxy, SocketType};

use crate::theirs::{self, ANYWHERE, LIMIT};

/// Runs a proxy of two types; the test is told where the front and the back are.
fn between(front: SocketType, back: SocketType, test: impl FnOnce(&str, &str)) {
    let [front, back]: [AnySocket; 2] = [front, back].map(crate::ours::socket);
    let places = [&front, &back].map(|socket| socket.bind(ANYWHERE).expect("an endpoint"));
    thread::scope(|scope| {
        let mut proxy = Proxy::new(&front, &back);
        let handle = proxy.handle();
        let running = scope.spawn(move || proxy.run());
        test(places[0].as_str(), places[1].as_str());
        assert!(handle.stats().front.messages_received + handle.stats().back.messages_received > 0);
        handle.terminate();
        running.join().expect("no panic").expect("it was told to end");
    });
}

#[test]
fn a_broker_stands_between_requests_and_replies_of_libzmq() {
    for program in theirs::all() {
        between(SocketType::Router, SocketType::Dealer, |front, back| {
            let echo = "--connect --count 0";
            let workers = [0, 1].map(|_| theirs::start(program, "echo rep", back, echo));
            let clients = ["--parts 3", "--size 100000", "--size 0"].map(|shape| {
                let options = format!("--connect --count 200 {shape}");
                theirs::start(program, "ask req", front, &options)
            });
            for client in clients {
                client.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
            }
            for worker in workers {
                worker.kill();
            }
        });
    }
}

#[test]
fn a_streamer_stands_between_sources_and_sinks_of_libzmq() {
    for program in theirs::all() {
        between(SocketType::Pull, SocketType::Push, |front, back| {
            let options = "--connect --count 20000 --parts 2";
            let sink = theirs::start(program, "sink pull", back, options);
            let source = theirs::start(program, "source push", front, options);
            source.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
            sink.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
        });
    }
}
