//! A proxy that is steered from another thread: it collects work from many sources, rests while it is paused,
//! and tells what has passed. PULL in front, PUSH behind.
//!
//! ```text
//! cargo run --example steering
//! ```

use std::error::Error;
use std::iter;
use std::thread;
use std::time::Duration;

use tightbeam::{Context, Proxy, Pull, Push};

const SOURCES: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let (front, back) = (context.socket::<Pull>()?, context.socket::<Push>()?);
    let (sources_at, sink_at) = (front.bind("tcp://127.0.0.1:*")?, back.bind("tcp://127.0.0.1:*")?);
    let sink = context.socket::<Pull>()?;
    sink.connect(&sink_at)?;

    thread::scope(|scope| {
        let mut proxy = Proxy::new(&front, &back);
        let handle = proxy.handle();
        let running = scope.spawn(move || proxy.run());

        let mut sources = Vec::new();
        for n in 1..=SOURCES {
            let source = context.socket::<Push>()?;
            source.connect(&sources_at)?;
            source.send(format!("work of source {n}"))?;
            sources.push(source);
        }
        for _ in &sources {
            println!("{}", sink.recv()?.to_string_lossy());
        }

        handle.pause();
        for source in &sources {
            source.send("while the proxy rests")?;
        }
        // A proxy that was just passing messages may finish its batch.
        let early = iter::from_fn(|| sink.recv_timeout(Duration::from_millis(50)).ok()).count();
        println!("{early} came while it was paused");
        handle.resume();
        for _ in early..SOURCES {
            println!("{}", sink.recv()?.to_string_lossy());
        }

        handle.terminate();
        running.join().map_err(|_| "the proxy panicked")??;
        println!("{} messages have passed", handle.stats().front.messages_received);
        assert_eq!(handle.stats().front.messages_received, 2 * SOURCES as u64);
        Ok(())
    })
}
