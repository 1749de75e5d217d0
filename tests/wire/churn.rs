//! Connections that come and go, and connections that are only there.

use std::time::Instant;

use tightbeam::{Message, Pull, Router};
use tightbeam_tests::peer::{Peer, Speaks, opening};

use crate::bench::bound;
use crate::child::alone;
use crate::memory;
use crate::starved::{cpu_time, limit_descriptors};

#[test]
fn ten_thousand_peers_leave_no_memory_and_no_descriptors_behind() {
    if !alone("churn::ten_thousand_peers_leave_no_memory_and_no_descriptors_behind") {
        return;
    }
    let bench = bound::<Router>();
    let visit = |n: u32| {
        let mut peer = Peer::connect(&bench.endpoint);
        peer.send_bytes(&opening("DEALER"));
        peer.send_message(&[&n.to_be_bytes()]);
        assert_eq!(bench.recv_message()[1], n.to_be_bytes());
        if n.is_multiple_of(3) {
            peer.reset()
        } else {
            peer.cut()
        }
        while bench.events.try_next().is_some() {}
    };
    (0..2_000).for_each(visit);
    bench.wait_for_connections(0);
    let (heap, descriptors) = (memory::live(), memory::descriptors());
    let began = Instant::now();
    (0..10_000).for_each(visit);
    bench.wait_for_connections(0);
    while bench.events.try_next().is_some() {}
    let grown = memory::live() - heap;
    println!("measured: {grown} bytes more after 10,000 peers, in {:?}", began.elapsed());
    assert!(grown <= 10 * 1024, "{grown} bytes more");
    // The socket may have got its waker meanwhile, which is made when it is first needed.
    assert!(memory::descriptors() <= descriptors + 1);
    assert!(bench.socket.stats().expect("stats").peers.is_empty());
}

#[test]
fn an_idle_connection_costs_at_most_4_kib_and_nothing_per_call() {
    if !alone("churn::an_idle_connection_costs_at_most_4_kib_and_nothing_per_call") {
        return;
    }
    limit_descriptors(20_000);
    let bench = bound::<Router>();
    let mut active = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
    let mut rounds = |count: u32| {
        let began = cpu_time();
        for n in 0..count {
            active.send_message(&[&n.to_be_bytes()]);
            let question = bench.recv_message();
            bench.send(Message::multipart([&question[0], &question[1]]));
            assert_eq!(active.take_message(), [n.to_be_bytes()]);
            if n.is_multiple_of(4) {
                // Out of the library for a while: the I/O thread takes the socket back.
                std::thread::sleep(std::time::Duration::from_millis(6));
            }
        }
        (cpu_time() - began) / count
    };
    rounds(100);
    let alone = rounds(200);
    while bench.events.try_next().is_some() {}
    let before = memory::live();
    let mut peers = Vec::with_capacity(2_000);
    for _ in 0..2_000 {
        peers.push(Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1));
    }
    bench.wait_for_connections(2_001);
    while bench.events.try_next().is_some() {}
    let each = (memory::live() - before) / 2_000;
    for peer in &mut peers {
        peer.send_message(&[b"once"]);
        let question = bench.recv_message();
        bench.send(Message::multipart([&question[0][..], &[b'x'; 100]]));
        peer.take_message();
    }
    let used = (memory::live() - before) / 2_000;
    let crowd = rounds(200);
    println!("measured: {each} bytes for each idle connection, {used} after a message each way");
    println!("measured: {alone:?} of CPU per round trip alone, {crowd:?} beside 2,000 idle peers");
    assert!(each <= 4096, "{each} bytes each");
    assert!(used <= 4096, "{used} bytes each after a message");
    assert!(crowd < alone * 4, "{alone:?} alone, {crowd:?} in a crowd");
}

#[test]
fn connecters_that_come_and_go_leave_nothing_behind() {
    if !alone("churn::connecters_that_come_and_go_leave_nothing_behind") {
        return;
    }
    let bench = bound::<Pull>();
    let visit = |n: u32| {
        let push = bench.context.socket::<tightbeam::Push>().expect("socket");
        push.connect(&bench.endpoint).expect("connect");
        push.send(n.to_be_bytes()).expect("send");
        assert_eq!(push.close(), 0);
        assert_eq!(bench.recv(), n.to_be_bytes());
        while bench.events.try_next().is_some() {}
    };
    let idle = memory::descriptors();
    (0..200).for_each(visit);
    bench.wait_for_connections(0);
    // The I/O thread's, and the socket's waker, are made when they are first needed.
    memory::wait_for_descriptors(idle + 4);
    let (heap, descriptors) = (memory::live(), memory::descriptors());
    (0..1_000).for_each(visit);
    bench.wait_for_connections(0);
    let grown = memory::live() - heap;
    println!("measured: {grown} bytes more after 1,000 sockets");
    assert!(grown <= 16 * 1024, "{grown} bytes more");
    memory::wait_for_descriptors(descriptors + 1);
}
