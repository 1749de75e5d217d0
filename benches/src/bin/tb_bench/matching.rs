//! A PUB with many subscriptions: what it pays for messages that nobody wants, and for those that one wants.

use std::time::Duration;

use tightbeam::{Context, Pub, Pull, Push, Socket, Sub};

use crate::system::{cpu_s, now_ns};
use crate::{Job, Outcome, receive_one};

pub(crate) const TOPIC_LEN: usize = 16;
type Topic = [u8; TOPIC_LEN];

/// Messages on their way at most.
const WINDOW: usize = 500;

/// What a client that has subscribed to everything receives; behind it, the endpoint for its answers.
const PROBE: &Topic = b"are you there?  ";

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
struct Publisher<'a> {
    socket: &'a Socket<Pub>,
    body: Vec<u8>,
    turn: usize,
}

impl Publisher<'_> {
    /// Answers how many nanoseconds `n` messages took.
    fn send(&mut self, topics: &[Topic], n: usize) -> tightbeam::Result<u64> {
        let before_ns = now_ns();
        for _ in 0..n {
            self.body[..TOPIC_LEN].copy_from_slice(&topics[self.turn]);
            self.socket.send_slice(&self.body)?;
            self.turn += 1;
            if self.turn == topics.len() {
                self.turn = 0;
            }
        }
        Ok(now_ns() - before_ns)
    }
}

/// The server.
pub(crate) fn publish(job: &Job, context: &Context) -> Outcome<String> {
    let topics: Vec<Topic> = (0..job.count).map(|i| topic(i * 7919 % job.count)).collect();
    let mut misses = topics.clone();
    misses.iter_mut().for_each(|topic| topic[TOPIC_LEN - 1] = b'x');
    let socket: Socket<Pub> = context.socket()?;
    socket.set_send_hwm(0)?;
    socket.bind(&job.endpoint)?;
    println!("READY");
    let answers: Socket<Pull> = context.socket()?;
    await_subscriber(&socket, &answers)?;

    let mut publisher = Publisher { socket: &socket, body: vec![0; job.size], turn: 0 };
    publisher.send(&misses, job.warm_up)?;
    let none_ns = publisher.send(&misses, job.sends)?;
    let before = cpu_s();
    let (mut one_ns, mut left) = (0, job.sends);
    while left > 0 {
        let n = left.min(WINDOW);
        one_ns += publisher.send(&topics, n)?;
        receive_one(answers.recv_into(&mut []), 0)?;
        left -= n;
    }
    let cpu = cpu_s() - before;
    answers.close();
    socket.close();
    let each = |ns: f64| ns / job.sends as f64;
    Ok(format!(
        "{{\"none_ns\": {:.1}, \"one_ns\": {:.1}, \"one_cpu_ns\": {:.1}}}",
        each(none_ns as f64),
        each(one_ns as f64),
        each(cpu * 1e9),
    ))
}

/// Sends probes until the client answers one.
fn await_subscriber(socket: &Socket<Pub>, answers: &Socket<Pull>) -> Outcome {
    let endpoint = answers.bind("tcp://127.0.0.1:*")?.to_string();
    let probe = [PROBE, endpoint.as_bytes()].concat();
    loop {
        socket.send_slice(&probe)?;
        match answers.recv_timeout(Duration::from_millis(1)) {
            Ok(_) => return Ok(()),
            Err(tightbeam::Error::WouldBlock(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The client.
pub(crate) fn subscribe(job: &Job, context: &Context) -> Outcome<String> {
    let socket: Socket<Sub> = context.socket()?;
    socket.set_send_hwm(0)?;
    socket.connect(&job.endpoint)?;
    let before_ns = now_ns();
    for index in 0..job.count {
        socket.subscribe(topic(index))?;
    }
    socket.subscribe(PROBE)?;
    let mut body = vec![0; job.size + TOPIC_LEN + 100];
    let len = socket.recv_into(&mut body)?.len;
    let seconds = (now_ns() - before_ns) as f64 / 1e9;
    let answers: Socket<Push> = context.socket()?;
    answers.connect(std::str::from_utf8(&body[TOPIC_LEN..len])?)?;
    answers.send_slice(&[])?;

    let mut received = 0;
    while received < job.sends {
        let message = socket.recv_into(&mut body);
        if body.starts_with(PROBE) {
            continue;
        }
        receive_one(message, job.size)?;
        received += 1;
        if received % WINDOW == 0 || received == job.sends {
            answers.send_slice(&[])?;
        }
    }
    answers.close();
    socket.close();
    Ok(format!("{{\"subscribe_s\": {seconds:.6}}}"))
}
