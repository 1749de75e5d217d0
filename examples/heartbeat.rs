//! A peer that says nothing any more without closing its connection: heartbeats notice. The cable between
//! the two is a thread that passes bytes on, until it is cut.
//!
//! ```text
//! cargo run --example heartbeat
//! ```

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tightbeam::{Context, EventKind, Pull, Push};

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let (pull, push) = (context.socket::<Pull>()?, context.socket::<Push>()?);
    let endpoint = pull.bind("tcp://127.0.0.1:*")?;
    let cut = Arc::new(AtomicBool::new(false));
    let address = lay_cable(endpoint.as_str().trim_start_matches("tcp://"), &cut)?;

    // After 20 ms of silence the peer is asked for a sign of life, and has 100 ms to give one.
    push.set_heartbeat_interval(Some(Duration::from_millis(20)))?;
    push.set_heartbeat_timeout(Duration::from_millis(100))?;
    let monitor = push.monitor_events(EventKind::Disconnected as u64)?;
    push.connect(format!("tcp://{address}"))?;
    push.send("hello")?;
    println!("received: {}", pull.recv()?.to_string_lossy());
    thread::sleep(Duration::from_millis(60));
    if let Some(time) = push.stats()?.peers.first().and_then(|peer| peer.round_trip) {
        println!("the peer is alive: the last heartbeat took {time:?}");
    }

    cut.store(true, Ordering::Relaxed);
    println!("the cable is cut");
    let event = monitor.next_timeout(Duration::from_secs(10)).ok_or("nobody noticed")?;
    println!("{:?}: {}", event.kind, event.reason.as_deref().unwrap_or_default());
    Ok(())
}

/// Leads to `address`, for one connection. Answers where the other end is.
fn lay_cable(address: &str, cut: &Arc<AtomicBool>) -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let end = listener.local_addr()?.to_string();
    let (address, cut) = (address.to_owned(), Arc::clone(cut));
    thread::spawn(move || -> std::io::Result<()> {
        let (near, far) = (listener.accept()?.0, TcpStream::connect(address)?);
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let (back, forth) = ((far.try_clone()?, near.try_clone()?), (near, far));
        let there = Arc::clone(&cut);
        thread::spawn(move || pass(forth.0, forth.1, &there));
        pass(back.0, back.1, &cut)
    });
    Ok(end)
}

/// Both connections stay open when the cable is cut; bytes get lost.
fn pass(mut from: TcpStream, mut to: TcpStream, cut: &AtomicBool) -> std::io::Result<()> {
    let mut buffer = [0; 4_096];
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        if !cut.load(Ordering::Relaxed) {
            to.write_all(&buffer[..count])?;
        }
    }
}
