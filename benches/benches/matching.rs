//! What a PUB pays to find that none of 100,000 subscriptions matches.

use std::time::{Duration, Instant};

use criterion::Criterion;
use tightbeam::{Context, Pub, Socket, Sub};

const TOPICS: usize = 100_000;
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let context = Context::new();
    let publisher: Socket<Pub> = context.socket().expect("PUB");
    let subscriber: Socket<Sub> = context.socket().expect("SUB");
    let endpoint = publisher.bind("tcp://127.0.0.1:*").expect("bind");
    subscriber.connect(endpoint).expect("connect");
    for index in 0..TOPICS {
        subscriber.subscribe(format!("topic/{index:010}")).expect("subscribe");
    }
    await_last(&publisher, &subscriber);

    let mut group = criterion.benchmark_group("matching/100000 subscriptions, none matches");
    for (name, edit) in [("differs early", 0), ("differs late", 15)] {
        let bodies: Vec<[u8; 64]> =
            (0..TOPICS).map(|turn| body(turn * 7_919 % TOPICS, edit)).collect();
        let mut turn = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                turn = (turn + 1) % TOPICS;
                publisher.send_slice(&bodies[turn]).expect("send");
            });
        });
    }
    group.finish();
    criterion.final_summary();
}

/// A message that would match a topic if it were not for one byte.
fn body(index: usize, edit: usize) -> [u8; 64] {
    let mut body = [0; 64];
    body[..16].copy_from_slice(format!("topic/{index:010}").as_bytes());
    body[edit] = b'x';
    body
}

/// Subscriptions arrive in order: once a message of the last one comes back, all are there.
fn await_last(publisher: &Socket<Pub>, subscriber: &Socket<Sub>) {
    subscriber.subscribe("last").expect("subscribe");
    let start = Instant::now();
    loop {
        publisher.send("last").expect("send");
        if subscriber.recv_timeout(Duration::from_millis(1)).is_ok() {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "the subscriptions did not arrive in {PATIENCE:?}");
    }
}
