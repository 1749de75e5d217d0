//! One publisher and one subscriber with many subscriptions: what a message costs that nobody wants, and one that one wants.

use super::publish::{PROBE, WINDOW, probe};
use super::{Job, Library};
use crate::Outcome;
use crate::library::{Role, Socket};
use crate::system::{Used, now_ns};

type Topic = [u8; 16];

fn topic(index: usize) -> Topic {
    let mut topic = *b"topic/0000000000";
    let mut rest = index;
    for digit in topic[6..].iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    topic
}

/// Sends messages of each topic of a table in turn.
struct Publisher<S> {
    socket: S,
    body: Vec<u8>,
    turn: usize,
}

impl<S: Socket> Publisher<S> {
    /// Answers how many nanoseconds `n` messages took.
    async fn send(&mut self, topics: &[Topic], n: usize) -> Outcome<u64> {
        let before_ns = now_ns();
        for _ in 0..n {
            self.body[..16].copy_from_slice(&topics[self.turn]);
            self.socket.send(&self.body, 1).await?;
            self.turn += 1;
            if self.turn == topics.len() {
                self.turn = 0;
            }
        }
        Ok(now_ns() - before_ns)
    }
}

pub(super) async fn publish<L: Library>(job: &Job, library: &L) -> Outcome<String> {
    // Consecutive messages are far apart.
    let topics: Vec<Topic> = (0..job.topics).map(|i| topic(i * 7919 % job.topics)).collect();
    let mut misses = topics.clone();
    misses.iter_mut().for_each(|topic| topic[15] = b'x');
    let (mut socket, control) = job.serve(library, Role::Pub).await?;
    probe(job, library, &mut socket, &control).await?;

    let mut publisher = Publisher { socket, body: vec![0; job.size], turn: 0 };
    publisher.send(&misses, job.warm).await?;
    let none_ns = publisher.send(&misses, job.count).await?;
    let before = Used::so_far();
    let mut one_ns = 0;
    for _ in 0..job.count / WINDOW {
        one_ns += publisher.send(&topics, WINDOW).await?;
        publisher.socket.flush().await?;
        library.acknowledged(&control).await?;
    }
    let used = Used::since(before);
    publisher.socket.close().await?;
    let each = |ns: f64| ns / job.count as f64;
    Ok(format!(
        "{{\"seconds\": {:.6}, \"none_ns\": {:.1}, \"one_ns\": {:.1}, {}}}",
        (none_ns + one_ns) as f64 / 1e9,
        each(none_ns as f64),
        each(one_ns as f64),
        used.json(),
    ))
}

pub(super) async fn subscribe<L: Library>(job: &Job, library: &L) -> Outcome<String> {
    let control = job.control()?;
    let mut socket = library.connect(&job.setup(Role::Sub), &job.endpoint).await?;
    let before_ns = now_ns();
    for index in 0..job.topics {
        socket.subscribe(&topic(index)).await?;
    }
    // The last one, so that the publisher has all of them when a probe arrives.
    socket.subscribe(PROBE).await?;
    socket.recv().await?;
    let subscribe_s = (now_ns() - before_ns) as f64 / 1e9;
    super::acknowledge(&control)?;

    let before = Used::so_far();
    let mut received = 0;
    while received < job.count {
        let message = socket.recv().await?;
        if message.head == *PROBE {
            continue;
        }
        if message.len != job.size {
            return Err(format!("received {} bytes", message.len).into());
        }
        received += 1;
        if received % WINDOW == 0 {
            super::acknowledge(&control)?;
        }
    }
    let used = Used::since(before);
    socket.close().await?;
    Ok(format!("{{\"subscribe_s\": {subscribe_s:.6}, {}}}", used.json()))
}
