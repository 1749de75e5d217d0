//! The codec alone: frames to bytes and bytes to frames, in memory.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput};
use zmtp::{Config, Connection, FrameHeader, Frames, Role, SocketType};

const FRAMES: usize = 1_000;
const READ: usize = 64 * 1024;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    encode(&mut criterion);
    scan(&mut criterion);
    iterate(&mut criterion);
    criterion.final_summary();
}

/// A PUSH and a PULL that have shaken hands with NULL.
fn connected() -> (Connection, Connection) {
    let now = Instant::now();
    let connection =
        |socket_type, role| Connection::new(Arc::new(Config::new(socket_type, role)), now);
    let mut push = connection(SocketType::Push, Role::Connecter);
    let mut pull = connection(SocketType::Pull, Role::Listener);
    let (mut to_pull, mut to_push) = (Vec::new(), Vec::new());
    while !(push.is_ready() && pull.is_ready()) {
        push.take_transmit(&mut to_pull);
        pull.take_transmit(&mut to_push);
        let consumed = pull.handle_read(now, &to_pull).expect("handshake").consumed;
        to_pull.drain(..consumed);
        let consumed = push.handle_read(now, &to_push).expect("handshake").consumed;
        to_push.drain(..consumed);
    }
    (push, pull)
}

fn header(size: usize) -> FrameHeader {
    // The encoder does not look at `header_len`.
    FrameHeader { more: false, command: false, body_len: size as u64, header_len: 0 }
}

/// As many whole frames of 64 B as fit into one read.
fn one_read(push: &Connection) -> (Vec<u8>, u64) {
    let (mut bytes, mut frames) = (Vec::new(), 0_u64);
    let mut encoder = push.encoder();
    while bytes.len() + 66 <= READ {
        encoder.encode(header(64), &[7; 64], &mut bytes);
        frames += 1;
    }
    (bytes, frames)
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec/encode 1000 frames");
    group.throughput(Throughput::Elements(FRAMES as u64));
    for size in [64, 1024] {
        let mut encoder = connected().0.encoder();
        let body = vec![7; size];
        let mut out = Vec::with_capacity(FRAMES * (size + 9));
        group.bench_function(BenchmarkId::from_parameter(format!("{size} B")), |bencher| {
            bencher.iter(|| {
                out.clear();
                for _ in 0..FRAMES {
                    encoder.encode(header(size), black_box(&body), &mut out);
                }
                black_box(out.len())
            });
        });
    }
}

/// What a connection does with 64 KB that it read: finds the messages, copies nothing.
fn scan(criterion: &mut Criterion) {
    let (push, mut pull) = connected();
    let (bytes, frames) = one_read(&push);
    let mut group = criterion.benchmark_group("codec/handle_read");
    group.throughput(Throughput::Elements(frames));
    group.bench_function("64 KB of 64 B frames", |bencher| {
        let now = Instant::now();
        bencher.iter(|| {
            let progress = pull.handle_read(now, black_box(&bytes)).expect("valid frames");
            assert_eq!(u64::from(progress.messages), frames);
        });
    });
}

/// What a receiver does with what was found.
fn iterate(criterion: &mut Criterion) {
    let (push, _) = connected();
    let (bytes, frames) = one_read(&push);
    let mut group = criterion.benchmark_group("codec/Frames");
    group.throughput(Throughput::Elements(frames));
    group.bench_function("64 KB of 64 B frames", |bencher| {
        bencher.iter(|| {
            let bodies = Frames::new(black_box(&bytes)).map(|(_, body)| black_box(body).len());
            bodies.sum::<usize>()
        });
    });
}
