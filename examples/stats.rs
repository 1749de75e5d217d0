//! What a socket has carried and what it holds, in all and for each peer.
//!
//! ```text
//! cargo run --example stats
//! ```

use std::error::Error;
use std::thread;
use std::time::Duration;

use tightbeam::{Context, Dealer, Router};

const MESSAGES: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let router = context.socket::<Router>()?;
    let endpoint = router.bind("tcp://127.0.0.1:*")?;
    let mut dealers = Vec::new();
    for name in ["left", "right"] {
        let dealer = context.socket::<Dealer>()?;
        dealer.set_routing_id(name.as_bytes())?;
        dealer.connect(&endpoint)?;
        for n in 0..MESSAGES {
            dealer.send(format!("message {n}"))?;
        }
        let sent = dealer.stats()?.traffic;
        println!("{name} has sent {} messages, {} bytes", sent.messages_sent, sent.bytes_sent);
        dealers.push(dealer);
    }

    // What arrives is read by the I/O thread; then both peers are served in turn.
    thread::sleep(Duration::from_millis(50));
    for _ in 0..MESSAGES {
        router.recv()?;
    }
    // Nobody has this name: the message is dropped, and counted.
    router.send(["middle", "hello"])?;
    let stats = router.stats()?;
    for peer in &stats.peers {
        println!(
            "{} at {}: {} received, {} waiting",
            String::from_utf8_lossy(&peer.routing_id),
            peer.address,
            peer.traffic.messages_received,
            peer.recv_queue,
        );
    }
    println!(
        "{} received in all, {} dropped",
        stats.traffic.messages_received, stats.traffic.messages_dropped
    );
    let context = context.stats();
    println!("{} sockets, {} wake-ups of the I/O thread", context.sockets, context.io_wakeups);
    Ok(())
}
