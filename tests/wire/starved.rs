//! Descriptors run out: accepting pauses, does not spin, and recovers.
#![allow(unsafe_code, reason = "limits and counters of the process")]

use std::time::{Duration, Instant};

use tightbeam::{EventKind, Pull, Router};
use tightbeam_tests::peer::{Peer, Speaks};

use crate::bench::bound;
use crate::child::alone;
use crate::memory;

/// The CPU time that the process has used.
pub(crate) fn cpu_time() -> Duration {
    // SAFETY: the structure is plain numbers, and the kernel fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, &raw mut usage), 0);
        usage
    };
    let time = |t: libc::timeval| {
        let micros = t.tv_sec * 1_000_000 + t.tv_usec;
        Duration::from_micros(u64::try_from(micros).expect("positive"))
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// Sets how many descriptors the process may have open; at most what the system allows.
pub(crate) fn limit_descriptors(most: u64) {
    // SAFETY: the structure lives across both calls.
    unsafe {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
        limit.rlim_cur = most.min(limit.rlim_max);
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
    }
}

#[test]
fn accepting_pauses_with_an_event_does_not_spin_and_recovers() {
    if !alone("starved::accepting_pauses_with_an_event_does_not_spin_and_recovers") {
        return;
    }
    let bench = bound::<Router>();
    let mut served = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
    limit_descriptors(memory::descriptors() as u64 + 60);
    let mut peers = Vec::new();
    while let Ok(peer) = Peer::try_connect(&bench.endpoint) {
        peers.push(peer);
    }
    let event = bench.wait_for(EventKind::AcceptFailed);
    assert!(event.reason.is_some_and(|reason| reason.contains("Too many open files")));
    let (began, cpu, turns) = (Instant::now(), cpu_time(), bench.context.stats());
    // Those who are in are served while others wait.
    for _ in 0..10 {
        served.send_message(&[b"still"]);
        assert_eq!(bench.recv_message()[1], b"still");
        std::thread::sleep(Duration::from_millis(100));
    }
    let share = (cpu_time() - cpu).as_secs_f64() / began.elapsed().as_secs_f64();
    println!("measured: {:.2} % of a CPU while starved ({turns:?})", share * 100.0);
    assert!(share < 0.05, "{:.1} % of a CPU while starved", share * 100.0);
    drop(peers);
    bench.expect_good_service();
}

#[test]
fn connecting_without_descriptors_is_tried_again() {
    if !alone("starved::connecting_without_descriptors_is_tried_again") {
        return;
    }
    let bench = bound::<Pull>();
    let context = tightbeam::Context::new();
    let push = context.socket::<tightbeam::Push>().expect("socket");
    // Its poll is there already; the connection is what lacks a descriptor.
    push.bind("tcp://127.0.0.1:*").expect("bind");
    limit_descriptors(memory::descriptors() as u64 - 1);
    push.connect(&bench.endpoint).expect("connect");
    push.send("kept").expect("send");
    std::thread::sleep(Duration::from_millis(300));
    limit_descriptors(1000);
    assert_eq!(bench.recv(), b"kept");
}
