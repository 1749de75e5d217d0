//! Tightbeam as a contender: the same work as `c/zmq_bench.c`, through the Rust API.

mod matching;
mod system;

use std::error::Error;

use system::{Pace, cpu_s, now_ns};
use tightbeam::{Context, Pull, Push, Rep, Req, Socket};

type Outcome = Result<(), Box<dyn Error>>;

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Lat,
    Thr,
    Paced,
    Match,
}

struct Job {
    mode: Mode,
    server: bool,
    endpoint: String,
    count: usize,
    size: usize,
    /// Of `Paced`.
    rate: f64,
    /// Of `Match`, where `count` is the number of topics.
    sends: usize,
    warm_up: usize,
}

fn main() -> Outcome {
    let job = parse().ok_or(
        "usage: PROGRAM lat|thr|paced|match server|client ENDPOINT COUNT SIZE [RATE|SENDS]; COUNT must not be 0; \
         paced needs a SIZE of at least 8 and a RATE, match a SIZE of at least 16 and SENDS",
    )?;
    let context = Context::new();
    match (job.mode, job.server) {
        (Mode::Lat, true) => answer(&job, context.socket()?)?,
        (Mode::Lat, false) => ask(&job, context.socket()?)?,
        (Mode::Match, true) => matching::publish(&job, &context)?,
        (Mode::Match, false) => matching::subscribe(&job, &context)?,
        (_, true) => receive(&job, context.socket()?)?,
        (_, false) => stream(&job, context.socket()?)?,
    }
    Ok(())
}

fn parse() -> Option<Job> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mode = match arguments.first()?.as_str() {
        "lat" => Mode::Lat,
        "thr" => Mode::Thr,
        "paced" => Mode::Paced,
        "match" => Mode::Match,
        _ => return None,
    };
    let count: usize = arguments.get(3)?.parse().ok()?;
    let extra = arguments.get(5).and_then(|extra| extra.parse().ok()).unwrap_or(0.0);
    let sends = extra as usize;
    let job = Job {
        mode,
        server: arguments.get(1)? == "server",
        endpoint: arguments.get(2)?.clone(),
        count,
        size: arguments.get(4)?.parse().ok()?,
        rate: extra,
        sends,
        warm_up: match mode {
            Mode::Thr => 0,
            Mode::Lat | Mode::Paced => count / 10,
            Mode::Match => sends / 10,
        },
    };
    let complete = match mode {
        Mode::Lat | Mode::Thr => true,
        Mode::Paced => job.size >= 8 && job.rate > 0.0,
        Mode::Match => job.size >= matching::TOPIC_LEN && sends > 0,
    };
    (count > 0 && complete).then_some(job)
}

fn receive_one(received: tightbeam::Result<tightbeam::Copied>, size: usize) -> Outcome {
    let len = received?.len;
    if len == size { Ok(()) } else { Err(format!("received {len} bytes instead of {size}").into()) }
}

fn answer(job: &Job, socket: Socket<Rep>) -> Outcome {
    let mut body = vec![0; job.size];
    socket.bind(&job.endpoint)?;
    println!("READY");
    let mut before = 0.0;
    for i in 0..job.warm_up + job.count {
        if i == job.warm_up {
            before = cpu_s();
        }
        receive_one(socket.recv_into(&mut body), job.size)?;
        socket.send_slice(&body)?;
    }
    let cpu = cpu_s() - before;
    socket.close();
    println!("{{\"cpu_s\": {cpu:.6}}}");
    Ok(())
}

fn ask(job: &Job, socket: Socket<Req>) -> Outcome {
    let mut body = vec![0; job.size];
    socket.connect(&job.endpoint)?;
    let mut stamps_ns = Vec::with_capacity(job.count);
    let mut before = 0.0;
    for i in 0..job.warm_up + job.count {
        if i == job.warm_up {
            before = cpu_s();
        }
        let start_ns = now_ns();
        socket.send_slice(&body)?;
        receive_one(socket.recv_into(&mut body), job.size)?;
        if i >= job.warm_up {
            stamps_ns.push(now_ns() - start_ns);
        }
    }
    let cpu = cpu_s() - before;
    socket.close();
    print_percentiles(&mut stamps_ns, cpu);
    Ok(())
}

fn stream(job: &Job, socket: Socket<Push>) -> Outcome {
    let mut body = vec![0; job.size];
    socket.connect(&job.endpoint)?;
    let before = cpu_s();
    if job.mode == Mode::Paced {
        let mut pace = Pace::start(job.rate);
        for _ in 0..job.warm_up + job.count {
            let stamp = pace.wait();
            body[..8].copy_from_slice(&stamp.to_ne_bytes());
            socket.send_slice(&body)?;
        }
    } else {
        for _ in 0..job.count {
            socket.send_slice(&body)?;
        }
    }
    socket.close();
    println!("{{\"cpu_s\": {:.6}}}", cpu_s() - before);
    Ok(())
}

fn receive(job: &Job, socket: Socket<Pull>) -> Outcome {
    let mut body = vec![0; job.size];
    socket.bind(&job.endpoint)?;
    println!("READY");
    let mut latencies_ns = Vec::with_capacity(job.count);
    let (mut first_ns, mut before) = (0, 0.0);
    for i in 0..job.warm_up + job.count {
        receive_one(socket.recv_into(&mut body), job.size)?;
        if i == job.warm_up {
            first_ns = now_ns();
            before = cpu_s();
        }
        if job.mode == Mode::Paced && i >= job.warm_up {
            let stamp = body.first_chunk().map_or(0, |stamp| u64::from_ne_bytes(*stamp));
            latencies_ns.push(now_ns() - stamp);
        }
    }
    let seconds = (now_ns() - first_ns) as f64 / 1e9;
    let cpu = cpu_s() - before;
    socket.close();
    if job.mode == Mode::Paced {
        print_percentiles(&mut latencies_ns, cpu);
    } else {
        let rate = (job.count - 1) as f64 / seconds;
        println!("{{\"rate\": {rate:.1}, \"seconds\": {seconds:.6}, \"cpu_s\": {cpu:.6}}}");
    }
    Ok(())
}

fn print_percentiles(ns: &mut [u64], cpu: f64) {
    ns.sort_unstable();
    let n = ns.len();
    let at = |index: usize| ns.get(index).copied().unwrap_or_default();
    println!(
        "{{\"p50_ns\": {}, \"p99_ns\": {}, \"p999_ns\": {}, \"max_ns\": {}, \"cpu_s\": {cpu:.6}}}",
        at(n * 50 / 100),
        at(n * 99 / 100),
        at(n * 999 / 1000),
        at(n - 1),
    );
}
