//! Round trips and streaming over tcp loopback, both sockets in one process.

use std::thread;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use tightbeam::{Context, Pull, Push, Rep, Req, Socket, Typed};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    round_trip(&mut criterion);
    streaming(&mut criterion);
    criterion.final_summary();
}

fn connected<A: Typed, B: Typed>(context: &Context) -> (Socket<A>, Socket<B>) {
    let connecter: Socket<A> = context.socket().expect("socket");
    let binder: Socket<B> = context.socket().expect("socket");
    let endpoint = binder.bind("tcp://127.0.0.1:*").expect("bind");
    connecter.connect(endpoint).expect("connect");
    (connecter, binder)
}

fn round_trip(criterion: &mut Criterion) {
    let context = Context::new();
    let (req, rep) = connected::<Req, Rep>(&context);
    let echo = thread::spawn(move || {
        let mut body = [0; 64];
        loop {
            match rep.recv_into(&mut body).expect("a request").len {
                0 => return,
                len => rep.send_slice(&body[..len]).expect("a reply"),
            }
        }
    });
    criterion.bench_function("round trip REQ/REP/64 B", |bencher| {
        let mut body = [7; 64];
        bencher.iter(|| {
            req.send_slice(&body).expect("a request");
            req.recv_into(&mut body).expect("a reply")
        });
    });
    req.send_slice(b"").expect("the end");
    echo.join().expect("the echo thread");
}

fn streaming(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("streaming PUSH/PULL");
    for size in [64, 1024, 64 * 1024] {
        let context = Context::new();
        let (push, pull) = connected::<Push, Pull>(&context);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("{size} B")), |bencher| {
            bencher.iter_custom(|messages| stream(&push, &pull, messages, size));
        });
    }
}

/// The time from before the first send to after the last receive.
fn stream(push: &Socket<Push>, pull: &Socket<Pull>, messages: u64, size: usize) -> Duration {
    thread::scope(|scope| {
        let start = Instant::now();
        scope.spawn(move || {
            let body = vec![7; size];
            (0..messages).for_each(|_| push.send_slice(&body).expect("send"));
        });
        let mut body = vec![0; size];
        (0..messages).for_each(|_| assert_eq!(pull.recv_into(&mut body).expect("recv").len, size));
        start.elapsed()
    })
}
