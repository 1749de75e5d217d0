//! Delivery that survives loss: each message has a number, is kept until it is acknowledged, and is sent again
//! if that takes too long; the receiver does each number once. DEALER and ROUTER.
//!
//! ```text
//! cargo run --example acknowledge
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use tightbeam::{Context, Dealer, Frame, Message, Router, Socket};

const ORDERS: u64 = 50;
/// How many may be on their way: what the sender has to keep.
const WINDOW: usize = 10;
const PATIENCE: Duration = Duration::from_millis(20);

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let (shop, customer) = (context.socket::<Router>()?, context.socket::<Dealer>()?);
    customer.connect(shop.bind("tcp://127.0.0.1:*")?)?;
    let receiving = thread::spawn(move || receive(&shop));
    let again = send(&customer)?;
    context.shutdown();
    let done = receiving.join().map_err(|_| "the receiver panicked")??;
    println!("{} orders were done, {again} had to be sent again", done.len());
    assert!(done.into_iter().eq(1..=ORDERS) && again > 0);
    Ok(())
}

/// Answers how many orders were sent more than once.
fn send(customer: &Socket<Dealer>) -> Result<usize, Box<dyn Error>> {
    let mut orders = 1..=ORDERS;
    let mut kept: BTreeMap<u64, Instant> = BTreeMap::new();
    let mut again = 0;
    loop {
        while kept.len() < WINDOW
            && let Some(number) = orders.next()
        {
            customer.send(order(number))?;
            kept.insert(number, Instant::now());
        }
        if kept.is_empty() {
            return Ok(again);
        }
        if let Ok(acknowledged) = customer.recv_timeout(PATIENCE) {
            kept.remove(&u64::from_le_bytes(acknowledged[0][..].try_into()?));
        }
        for (number, sent) in kept.iter_mut().filter(|(_, sent)| sent.elapsed() > PATIENCE) {
            customer.send(order(*number))?;
            *sent = Instant::now();
            again += 1;
        }
    }
}

fn order(number: u64) -> Message {
    Message::multipart([Frame::from(number.to_le_bytes()), format!("order {number}").into()])
}

/// Does each order once, until the context ends; loses some of what comes, to show that it does not matter.
fn receive(shop: &Socket<Router>) -> Result<BTreeSet<u64>, tightbeam::Error> {
    let mut done = BTreeSet::new();
    for count in 1.. {
        let Ok(message) = shop.recv() else { break };
        if count % 4 == 0 {
            continue;
        }
        let number = message[1][..].try_into().map_or(0, u64::from_le_bytes);
        if done.insert(number) && number % 10 == 0 {
            println!("{} is done", message[2].to_string_lossy());
        }
        // An acknowledgement may be lost, too: the order comes again, and is acknowledged again.
        match shop.send(Message::multipart([message[0].clone(), message[1].clone()])) {
            Err(refused) if !matches!(refused.error, tightbeam::Error::Terminated) => {
                return Err(refused.error);
            }
            _ => {}
        }
    }
    Ok(done)
}
