//! Frames of messages: made, cloned, dropped.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion};
use tightbeam::Frame;

/// One that fits into the frame itself, one that needs memory, and a larger one.
const SIZES: [usize; 3] = [16, 64, 1024];

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    copy(&mut criterion);
    clone(&mut criterion);
    adopt(&mut criterion);
    criterion.final_summary();
}

fn id(size: usize) -> BenchmarkId {
    BenchmarkId::from_parameter(format!("{size} B"))
}

fn copy(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("message/copy_from and drop");
    for size in SIZES {
        let bytes = vec![7; size];
        group.bench_function(id(size), |bencher| {
            bencher.iter(|| drop(black_box(Frame::copy_from(black_box(&bytes)))));
        });
    }
}

fn clone(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("message/clone and drop");
    for size in SIZES {
        let frame = Frame::copy_from(&vec![7; size]);
        group.bench_function(id(size), |bencher| {
            bencher.iter(|| drop(black_box(black_box(&frame).clone())));
        });
    }
}

/// A vector becomes a frame; making the vector does not count, freeing it with the frame does.
fn adopt(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("message/from Vec and drop");
    for size in SIZES {
        group.bench_function(id(size), |bencher| {
            let frame = |bytes: Vec<u8>| drop(black_box(Frame::from(bytes)));
            bencher.iter_batched(|| vec![7; size], frame, BatchSize::SmallInput);
        });
    }
}
