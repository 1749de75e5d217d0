//! The codec alone: frames to bytes and bytes to frames, in memory.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use dryoc::classic::crypto_box::{
    crypto_box_detached_afternm_inplace, crypto_box_open_detached_afternm_inplace,
};
use zmtp::curve::Keypair;
use zmtp::{
    Config, Connection, CurveClientConfig, Encoder, FrameHeader, Frames, MechanismConfig, Role,
    SocketType,
};

const FRAMES: usize = 1_000;
const READ: usize = 64 * 1024;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    encode(&mut criterion);
    curve(&mut criterion);
    scan(&mut criterion);
    iterate(&mut criterion);
    criterion.final_summary();
}

/// A PUSH and a PULL that have shaken hands with NULL.
fn connected() -> (Connection, Connection) {
    shaken([MechanismConfig::Null, MechanismConfig::Null])
}

/// The same with CURVE.
fn sealed() -> (Connection, Connection) {
    let [client, server] = [(); 2].map(|()| Keypair::generate().expect("random bytes"));
    let curve = CurveClientConfig { keypair: client, server: server.public };
    shaken([MechanismConfig::CurveClient(curve), MechanismConfig::CurveServer(server)])
}

fn shaken([push, pull]: [MechanismConfig; 2]) -> (Connection, Connection) {
    let now = Instant::now();
    let connection = |socket_type, role, mechanism| {
        Connection::new(Arc::new(Config { mechanism, ..Config::new(socket_type, role) }), now)
    };
    let mut push = connection(SocketType::Push, Role::Connecter, push);
    let mut pull = connection(SocketType::Pull, Role::Listener, pull);
    let (mut to_pull, mut to_push) = (Vec::new(), Vec::new());
    while !(push.is_ready() && pull.is_ready()) {
        push.take_transmit(&mut to_pull);
        pull.take_transmit(&mut to_push);
        let consumed = pull.handle_read(now, &mut to_pull).expect("handshake").consumed;
        to_pull.drain(..consumed);
        let consumed = push.handle_read(now, &mut to_push).expect("handshake").consumed;
        to_push.drain(..consumed);
    }
    (push, pull)
}

fn header(size: usize) -> FrameHeader {
    // The encoder does not look at `header_len`.
    FrameHeader { more: false, command: false, body_len: size as u64, header_len: 0 }
}

/// As many whole frames of 64 B as fit into one read.
fn one_read(push: &mut Connection) -> (Vec<u8>, u64) {
    let (mut bytes, mut frames) = (Vec::new(), 0_u64);
    let mut encoder = push.take_encoder().expect("ready");
    while bytes.len() + 66 <= READ {
        encoder.encode(header(64), &[7; 64], &mut bytes).expect("nonces");
        frames += 1;
    }
    (bytes, frames)
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("codec/encode 1000 frames");
    group.throughput(Throughput::Elements(FRAMES as u64));
    for size in [64, 1024] {
        let mut encoder = connected().0.take_encoder().expect("ready");
        let body = vec![7; size];
        let mut out = Vec::with_capacity(FRAMES * (size + 9));
        group.bench_function(BenchmarkId::from_parameter(format!("{size} B")), |bencher| {
            bencher.iter(|| {
                out.clear();
                for _ in 0..FRAMES {
                    encoder.encode(header(size), black_box(&body), &mut out).expect("nonces");
                }
                black_box(out.len())
            });
        });
    }
}

/// What a connection does with 64 KB that it read: finds the messages, copies nothing.
fn scan(criterion: &mut Criterion) {
    let (mut push, mut pull) = connected();
    let (mut bytes, frames) = one_read(&mut push);
    let mut group = criterion.benchmark_group("codec/handle_read");
    group.throughput(Throughput::Elements(frames));
    group.bench_function("64 KB of 64 B frames", |bencher| {
        let now = Instant::now();
        bencher.iter(|| {
            let progress = pull.handle_read(now, black_box(&mut bytes)).expect("valid frames");
            assert_eq!(u64::from(progress.messages), frames);
        });
    });
}

/// CURVE: sealing into the bytes that are written, and opening the bytes that were read; beside it, what the
/// cipher library takes for bodies that lie where they are.
fn curve(criterion: &mut Criterion) {
    for size in [64, 1024, 65_536] {
        let mut group = criterion.benchmark_group(format!("curve/{size} B"));
        let count = (131_072 / (size + 42)).max(1);
        group.throughput(Throughput::Bytes((count * size) as u64));
        let (mut push, mut pull) = sealed();
        let mut encoder = push.take_encoder().expect("ready");
        let body = vec![7; size];
        let seal = |encoder: &mut Encoder, out: &mut Vec<u8>| {
            for _ in 0..count {
                encoder.encode(header(size), black_box(&body), out).expect("nonces");
            }
        };
        let mut out = Vec::with_capacity(count * (size + 42));
        group.bench_function("seal", |bencher| {
            bencher.iter(|| {
                out.clear();
                seal(&mut encoder, &mut out);
            });
        });
        group.bench_function("open", |bencher| {
            let now = Instant::now();
            let fresh = || {
                let mut bytes = Vec::with_capacity(count * (size + 42));
                seal(&mut encoder, &mut bytes);
                bytes
            };
            // One at a time: numbers must arrive in the order in which they were given out.
            bencher.iter_batched_ref(
                fresh,
                |bytes| pull.handle_read(now, bytes).expect("genuine").messages,
                BatchSize::PerIteration,
            );
        });
        let (mut body, mut tag) = (vec![7; size + 1], [0; 16]);
        let (key, nonce) = ([5; 32], [9; 24]);
        group.bench_function("seal, cipher alone", |bencher| {
            bencher.iter(|| {
                for _ in 0..count {
                    crypto_box_detached_afternm_inplace(&mut body, &mut tag, &nonce, &key);
                }
            });
        });
        group.bench_function("open, cipher alone", |bencher| {
            let mut sealed = body.clone();
            crypto_box_detached_afternm_inplace(&mut sealed, &mut tag, &nonce, &key);
            bencher.iter_batched_ref(
                || vec![sealed.clone(); count],
                |bodies| {
                    for body in bodies {
                        crypto_box_open_detached_afternm_inplace(body, &tag, &nonce, &key)
                            .expect("genuine");
                    }
                },
                BatchSize::PerIteration,
            );
        });
    }
}

/// What a receiver does with what was found.
fn iterate(criterion: &mut Criterion) {
    let (mut push, _) = connected();
    let (bytes, frames) = one_read(&mut push);
    let mut group = criterion.benchmark_group("codec/Frames");
    group.throughput(Throughput::Elements(frames));
    group.bench_function("64 KB of 64 B frames", |bencher| {
        bencher.iter(|| {
            let bodies = Frames::new(black_box(&bytes)).map(|(_, body)| black_box(body).len());
            bodies.sum::<usize>()
        });
    });
}
