//! Tightbeam as a contender: the same work as `c/zmq_bench.c`, through the Rust API.

mod encryption;
mod matching;
mod system;

use std::error::Error;

use system::{Pace, cpu_s, now_ns, pin, thread_cpu_s};
use tightbeam::{Context, Pair, Pull, Push, Receives, Rep, Req, Sends, Socket};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Lat,
    Thr,
    Paced,
    Match,
    Curve,
}

#[derive(Clone)]
struct Job {
    mode: Mode,
    server: bool,
    /// One process, whose threads are the server and the client.
    both: bool,
    /// Of `both`: the cores of the server and of the client.
    cores: Option<[usize; 2]>,
    endpoint: String,
    count: usize,
    size: usize,
    /// Of `Paced`.
    rate: f64,
    /// Of `Match`, where `count` is the number of topics.
    sends: usize,
    warm_up: usize,
}

impl Job {
    /// What the process has used; what this thread has if it shares the process with the other side.
    fn cpu_s(&self) -> f64 {
        if self.both { thread_cpu_s() } else { cpu_s() }
    }
}

fn main() -> Outcome {
    let job = parse().ok_or(
        "usage: PROGRAM lat|thr|paced|match|curve server|client ENDPOINT COUNT SIZE [RATE|SENDS], or \
         PROGRAM lat|thr both ENDPOINT COUNT SIZE [SERVER_CORE CLIENT_CORE]; COUNT must not be 0; \
         paced needs a SIZE of at least 8 and a RATE, match a SIZE of at least 16 and SENDS",
    )?;
    let context = Context::new();
    if job.both {
        return in_one_process(&job, &context);
    }
    println!("{}", work(&job, &context)?);
    Ok(())
}

/// Two threads; the server's result comes first.
fn in_one_process(job: &Job, context: &Context) -> Outcome {
    let side = |server: bool| {
        let job = Job { server, ..job.clone() };
        if let Some([servers, clients]) = job.cores {
            pin(if server { servers } else { clients }).map_err(|error| error.to_string())?;
        }
        work(&job, context).map_err(|error| error.to_string())
    };
    std::thread::scope(|scope| {
        let server = scope.spawn(|| side(true));
        let client = side(false)?;
        println!("{}\n{client}", server.join().map_err(|_| "the server panicked")??);
        Ok(())
    })
}

/// One side's work; answers its result.
fn work(job: &Job, context: &Context) -> Outcome<String> {
    match (job.mode, job.server, job.both) {
        (Mode::Lat, true, true) => answer(job, context.socket::<Pair>()?),
        (Mode::Lat, false, true) => ask(job, context.socket::<Pair>()?),
        (Mode::Lat, true, _) => answer(job, context.socket::<Rep>()?),
        (Mode::Lat, false, _) => ask(job, context.socket::<Req>()?),
        (Mode::Match, true, _) => matching::publish(job, context),
        (Mode::Match, false, _) => matching::subscribe(job, context),
        (_, true, _) => receive(job, context.socket()?),
        (_, false, _) => stream(job, context.socket()?),
    }
}

fn parse() -> Option<Job> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mode = match arguments.first()?.as_str() {
        "lat" => Mode::Lat,
        "thr" => Mode::Thr,
        "paced" => Mode::Paced,
        "match" => Mode::Match,
        "curve" => Mode::Curve,
        _ => return None,
    };
    let count: usize = arguments.get(3)?.parse().ok()?;
    let number = |at: usize| arguments.get(at).and_then(|number| number.parse().ok());
    let extra = arguments.get(5).and_then(|extra| extra.parse().ok()).unwrap_or(0.0);
    let sends = extra as usize;
    let job = Job {
        mode,
        server: arguments.get(1)? == "server",
        both: arguments.get(1)? == "both",
        cores: number(5).zip(number(6)).map(|(server, client)| [server, client]),
        endpoint: arguments.get(2)?.clone(),
        count,
        size: arguments.get(4)?.parse().ok()?,
        rate: extra,
        sends,
        warm_up: match mode {
            Mode::Thr | Mode::Curve => 0,
            Mode::Lat | Mode::Paced => count / 10,
            Mode::Match => sends / 10,
        },
    };
    let complete = match mode {
        Mode::Lat | Mode::Thr | Mode::Curve => true,
        Mode::Paced | Mode::Match if job.both => false,
        Mode::Paced => job.size >= 8 && job.rate > 0.0,
        Mode::Match => job.size >= matching::TOPIC_LEN && sends > 0,
    };
    (count > 0 && complete).then_some(job)
}

fn receive_one(received: tightbeam::Result<tightbeam::Copied>, size: usize) -> Outcome {
    let len = received?.len;
    if len == size { Ok(()) } else { Err(format!("received {len} bytes instead of {size}").into()) }
}

fn answer<T: Sends + Receives>(job: &Job, socket: Socket<T>) -> Outcome<String> {
    let mut body = vec![0; job.size];
    socket.bind(&job.endpoint)?;
    println!("READY");
    let mut before = 0.0;
    for i in 0..job.warm_up + job.count {
        if i == job.warm_up {
            before = job.cpu_s();
        }
        receive_one(socket.recv_into(&mut body), job.size)?;
        socket.send_slice(&body)?;
    }
    let cpu = job.cpu_s() - before;
    socket.close();
    Ok(format!("{{\"cpu_s\": {cpu:.6}}}"))
}

fn ask<T: Sends + Receives>(job: &Job, socket: Socket<T>) -> Outcome<String> {
    let mut body = vec![0; job.size];
    socket.connect(&job.endpoint)?;
    let mut stamps_ns = Vec::with_capacity(job.count);
    let mut before = 0.0;
    for i in 0..job.warm_up + job.count {
        if i == job.warm_up {
            before = job.cpu_s();
        }
        let start_ns = now_ns();
        socket.send_slice(&body)?;
        receive_one(socket.recv_into(&mut body), job.size)?;
        if i >= job.warm_up {
            stamps_ns.push(now_ns() - start_ns);
        }
    }
    let cpu = job.cpu_s() - before;
    socket.close();
    Ok(percentiles(&mut stamps_ns, cpu))
}

fn stream(job: &Job, socket: Socket<Push>) -> Outcome<String> {
    let mut body = vec![0; job.size];
    if job.mode == Mode::Curve {
        encryption::be_client(&socket)?;
    }
    socket.connect(&job.endpoint)?;
    let before = job.cpu_s();
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
    Ok(format!("{{\"cpu_s\": {:.6}}}", job.cpu_s() - before))
}

fn receive(job: &Job, socket: Socket<Pull>) -> Outcome<String> {
    let mut body = vec![0; job.size];
    if job.mode == Mode::Curve {
        encryption::be_server(&socket)?;
    }
    socket.bind(&job.endpoint)?;
    println!("READY");
    let mut latencies_ns = Vec::with_capacity(job.count);
    let (mut first_ns, mut before) = (0, 0.0);
    for i in 0..job.warm_up + job.count {
        receive_one(socket.recv_into(&mut body), job.size)?;
        if i == job.warm_up {
            first_ns = now_ns();
            before = job.cpu_s();
        }
        if job.mode == Mode::Paced && i >= job.warm_up {
            let stamp = body.first_chunk().map_or(0, |stamp| u64::from_ne_bytes(*stamp));
            latencies_ns.push(now_ns() - stamp);
        }
    }
    let seconds = (now_ns() - first_ns) as f64 / 1e9;
    let cpu = job.cpu_s() - before;
    socket.close();
    if job.mode == Mode::Paced {
        return Ok(percentiles(&mut latencies_ns, cpu));
    }
    let rate = (job.count - 1) as f64 / seconds;
    Ok(format!("{{\"rate\": {rate:.1}, \"seconds\": {seconds:.6}, \"cpu_s\": {cpu:.6}}}"))
}

fn percentiles(ns: &mut [u64], cpu: f64) -> String {
    ns.sort_unstable();
    let n = ns.len();
    let at = |index: usize| ns.get(index).copied().unwrap_or_default();
    format!(
        "{{\"p50_ns\": {}, \"p99_ns\": {}, \"p999_ns\": {}, \"max_ns\": {}, \"cpu_s\": {cpu:.6}}}",
        at(n * 50 / 100),
        at(n * 99 / 100),
        at(n * 999 / 1000),
        at(n - 1),
    )
}
