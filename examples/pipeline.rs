//! A ventilator hands out tasks, workers do them, a sink collects the results: PUSH and PULL.
//!
//! ```text
//! cargo run --example pipeline
//! ```

use std::error::Error;
use std::thread;

use tightbeam::{Context, Endpoint, EventKind, Message, Pull, Push};

const WORKERS: usize = 3;
const TASKS: u64 = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let ventilator = context.socket::<Push>()?;
    let sink = context.socket::<Pull>()?;
    let monitor = ventilator.monitor()?;
    let tasks = ventilator.bind("tcp://127.0.0.1:*")?;
    let results = sink.bind("tcp://127.0.0.1:*")?;

    for number in (0..).take(WORKERS) {
        let (context, tasks, results) = (context.clone(), tasks.clone(), results.clone());
        thread::spawn(move || {
            if let Err(error) = work(&context, number, &tasks, &results) {
                eprintln!("worker {number}: {error}");
            }
        });
    }
    // A worker that is not there yet gets nothing: the others would do it all.
    let arrivals = monitor.filter(|event| event.kind == EventKind::HandshakeSucceeded);
    println!("{} workers have come", arrivals.take(WORKERS).count());
    for task in 1..=TASKS {
        ventilator.send(task.to_le_bytes())?;
    }

    let mut sum = 0;
    let mut done = [0; WORKERS];
    for _ in 0..TASKS {
        let result = sink.recv()?;
        done[usize::from(result[0][0])] += 1;
        sum += u64::from_le_bytes(result[1][..].try_into()?);
    }
    println!("tasks done by each worker: {done:?}");
    println!("the sum of the squares from 1 to {TASKS} is {sum}");
    assert_eq!(sum, TASKS * (TASKS + 1) * (2 * TASKS + 1) / 6);
    // The workers still wait for tasks: this ends their calls.
    context.shutdown();
    Ok(())
}

fn work(
    context: &Context,
    number: u8,
    tasks: &Endpoint,
    results: &Endpoint,
) -> Result<(), Box<dyn Error>> {
    let (from, to) = (context.socket::<Pull>()?, context.socket::<Push>()?);
    from.connect(tasks)?;
    to.connect(results)?;
    loop {
        let task = match from.recv() {
            Err(tightbeam::Error::Terminated) => return Ok(()),
            task => u64::from_le_bytes(task?[0][..].try_into()?),
        };
        let square = (task * task).to_le_bytes();
        to.send(Message::multipart([&[number][..], &square]))?;
    }
}
