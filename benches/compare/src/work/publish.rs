//! One publisher, many subscribers: all get everything, or each has a topic of its own.
//!
//! So that nobody has to drop anything, at most two windows of messages are on their way: the subscribers acknowledge a
//! window when the last of them has it.

use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Job, Library, Outcome};
use crate::library::{Role, Socket};
use crate::system::{Used, now_ns};

/// Messages in a window; where each subscriber has a topic of its own, a tenth of it for each.
pub(super) const WINDOW: usize = 2000;

fn window(job: &Job) -> usize {
    if job.apart { WINDOW / 10 * job.peers } else { WINDOW }
}

/// What begins the messages that are sent until everybody has subscribed.
pub(super) const PROBE: &[u8; 8] = b"?probe?/";

pub(super) async fn publish<L: Library>(job: &Job, library: &L) -> Outcome<String> {
    let (mut socket, control) = job.serve(library, Role::Pub).await?;
    probe(job, library, &mut socket, &control).await?;
    let mut body = vec![0; job.size];
    let (before, started_ns) = (Used::so_far(), now_ns());
    let window = window(job);
    for i in 0..job.count {
        if i % window == 0 && i >= 2 * window {
            library.acknowledged(&control).await?;
        }
        let topic = if job.apart { i % job.peers } else { 0 };
        body[..8].copy_from_slice(&topic_of(topic));
        socket.send(&body, 1).await?;
        if (i + 1) % window == 0 {
            socket.flush().await?;
        }
    }
    for _ in 0..(job.count / window).min(2) {
        library.acknowledged(&control).await?;
    }
    let seconds = (now_ns() - started_ns) as f64 / 1e9;
    let used = Used::since(before);
    socket.close().await?;
    Ok(format!("{{\"seconds\": {seconds:.6}, {}}}", used.json()))
}

/// Sends probes until the client says that every subscriber has had one.
pub(super) async fn probe<L: Library>(
    job: &Job,
    library: &L,
    socket: &mut L::Socket,
    control: &TcpStream,
) -> Outcome {
    let mut probe = vec![0; job.size];
    probe[..8].copy_from_slice(PROBE);
    control.set_nonblocking(true)?;
    loop {
        socket.send(&probe, 1).await?;
        socket.flush().await?;
        library.sleep(Duration::from_millis(2)).await;
        library.yield_now().await;
        match crate::library::read_byte(control) {
            Ok(()) => break,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(control.set_nonblocking(false)?)
}

fn topic_of(subscriber: usize) -> [u8; 8] {
    let mut topic = *b"t0000000";
    let mut rest = subscriber;
    for digit in topic[1..].iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    topic
}

pub(super) async fn subscribe<L: Library>(job: &Job, library: &L) -> Outcome<String> {
    let control = job.control()?;
    let progress = Progress { done: AtomicUsize::new(0), peers: job.peers, control: &control };
    let before = Used::so_far();
    let subscribers = library.side_by_side(job.peers, |subscriber| {
        let progress = &progress;
        async move {
            let received = receive(job, library, subscriber, progress).await;
            received.map_err(|error| error.to_string())
        }
    });
    for subscriber in subscribers.await {
        subscriber?;
    }
    let used = Used::since(before);
    Ok(format!("{{{}}}", used.json()))
}

/// What the subscribers have, together.
struct Progress<'a> {
    /// Steps that subscribers have done: the probe, and each window.
    done: AtomicUsize,
    peers: usize,
    control: &'a TcpStream,
}

impl Progress<'_> {
    /// The last one to do a step acknowledges it. Nobody can be two steps ahead of somebody else, and the publisher is told
    /// as often as all of them have done something, so that it does not matter which step that was.
    fn step(&self) -> Outcome {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(self.peers) { super::acknowledge(self.control) } else { Ok(()) }
    }
}

async fn receive<L: Library>(
    job: &Job,
    library: &L,
    subscriber: usize,
    progress: &Progress<'_>,
) -> Outcome {
    let mut socket = library.connect(&job.setup(Role::Sub), &job.endpoint).await?;
    if job.apart {
        socket.subscribe(&topic_of(subscriber)).await?;
        socket.subscribe(PROBE).await?;
    } else {
        socket.subscribe(b"").await?;
    }
    socket.recv().await?;
    progress.step()?;
    let each = if job.apart { job.peers } else { 1 };
    let (window, total) = (window(job) / each, job.count / each);
    let mut received = 0;
    while received < total {
        let message = socket.recv().await?;
        if message.head == *PROBE {
            continue;
        }
        if message.len != job.size {
            return Err(format!("received {} bytes", message.len).into());
        }
        received += 1;
        if received % window == 0 {
            progress.step()?;
        }
    }
    socket.close().await
}
