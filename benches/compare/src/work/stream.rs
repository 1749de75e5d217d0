//! One way: as fast as it goes from one or many senders, or paced.

use std::net::TcpStream;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Job, Library};
use crate::Outcome;
use crate::job::Work;
use crate::library::{Role, Socket};
use crate::system::{Pace, Step, Used, now_ns};

pub(super) async fn receive<L: Library>(job: &Job, library: &L) -> Outcome<String> {
    let (mut socket, control) = job.serve(library, Role::Pull).await?;
    let paced = job.work == Work::Paced;
    let mut latencies_ns = Vec::with_capacity(if paced { job.total() } else { 0 });
    let (mut before, mut first_ns) = (Used::default(), 0);
    for i in 0..job.total() {
        let received = socket.recv().await?;
        if received.len != job.size * job.parts {
            return Err(format!("received {} bytes", received.len).into());
        }
        if i + 1 == job.warm && job.peers > 1 {
            super::acknowledge(&control)?;
        }
        if i == job.warm {
            (before, first_ns) = (Used::so_far(), now_ns());
        }
        if paced {
            latencies_ns.push(now_ns() - u64::from_ne_bytes(received.head));
        }
    }
    let seconds = (now_ns() - first_ns) as f64 / 1e9;
    let used = Used::since(before);
    if paced {
        job.leave(&latencies_ns[job.warm..])?;
    }
    super::acknowledge(&control)?;
    socket.close().await?;
    Ok(format!("{{\"seconds\": {seconds:.6}, {}}}", used.json()))
}

pub(super) async fn send<L: Library>(job: &Job, library: &L) -> Outcome<String> {
    let control = job.control()?;
    let gates = Gates { start: Gate::new(&control), finish: Gate::new(&control) };
    let senders = library.side_by_side(job.peers, |_| async {
        let sent = send_all(job, library, &gates).await;
        sent.map_err(|error| error.to_string())
    });
    for sender in senders.await {
        sender?;
    }
    let before = *gates.start.opened.get().ok_or("nobody started")?;
    Ok(format!("{{{}}}", Used::since(before).json()))
}

/// Where all senders wait for each other, and for the server's word.
struct Gates<'a> {
    /// Many senders start together, when the first messages of all have arrived.
    start: Gate<'a>,
    /// Not every library sends what a socket holds when it is closed: they stay open until everything has arrived.
    finish: Gate<'a>,
}

struct Gate<'a> {
    /// Senders that have come.
    waiting: AtomicUsize,
    opened: OnceLock<Used>,
    control: &'a TcpStream,
}

impl<'a> Gate<'a> {
    fn new(control: &'a TcpStream) -> Self {
        Self { waiting: AtomicUsize::new(0), opened: OnceLock::new(), control }
    }

    fn open(&self) -> Outcome {
        self.opened.set(Used::so_far()).map_err(|_| "opened twice".into())
    }

    /// The last of all senders waits for the server's word, the others for the last one.
    async fn pass<L: Library>(&self, job: &Job, library: &L) -> Outcome {
        if self.waiting.fetch_add(1, Ordering::Relaxed) + 1 == job.peers {
            library.acknowledged(self.control).await?;
            self.open()?;
        }
        while self.opened.get().is_none() {
            library.sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

/// What one sender does.
async fn send_all<L: Library>(job: &Job, library: &L, gates: &Gates<'_>) -> Outcome {
    let mut socket = library.connect(&job.setup(Role::Push), &job.endpoint).await?;
    let mut body = vec![0; job.size];
    let mut left = job.total() / job.peers;
    if job.peers > 1 {
        socket.send(&body, job.parts).await?;
        socket.flush().await?;
        left -= 1;
        gates.start.pass(job, library).await?;
    } else {
        gates.start.open()?;
    }
    let mut pace = Pace::start(job.rate);
    for _ in 0..left {
        if job.work == Work::Paced {
            let stamp_ns = wait(&mut pace, library).await;
            body[..8].copy_from_slice(&stamp_ns.to_ne_bytes());
            socket.send(&body, job.parts).await?;
            socket.flush().await?;
        } else {
            socket.send(&body, job.parts).await?;
        }
    }
    socket.flush().await?;
    gates.finish.pass(job, library).await?;
    socket.close().await
}

/// Waits until the next message is due; answers the time from which its latency counts.
async fn wait<L: Library>(pace: &mut Pace, library: &L) -> u64 {
    loop {
        match pace.step() {
            Step::Send(stamp_ns) => return stamp_ns,
            Step::Sleep(time) => library.sleep(time).await,
            Step::Spin => library.yield_now().await,
        }
    }
}
