//! Two threads with a socket each: one works, the other tells it what to do. PAIR over inproc, which needs
//! neither a lock nor a network.
//!
//! ```text
//! cargo run --example pair
//! ```

use std::error::Error;
use std::thread;

use tightbeam::{Context, Pair, Socket};

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let (here, there) = (context.socket::<Pair>()?, context.socket::<Pair>()?);
    // Inproc may be connected before it is bound, too.
    there.connect("inproc://worker")?;
    here.bind("inproc://worker")?;
    let worker = thread::spawn(move || work(&there));

    println!("the worker is {}", here.recv()?.to_string_lossy());
    for limit in [100, 1_000, 10_000] {
        here.send(limit.to_string())?;
        println!("there are {} primes below {limit}", here.recv()?.to_string_lossy());
    }
    here.send("enough")?;
    let answered = worker.join().map_err(|_| "the worker panicked")??;
    println!("the worker has answered {answered} times");
    Ok(())
}

/// Counts primes for as long as it is given numbers.
fn work(boss: &Socket<Pair>) -> tightbeam::Result<usize> {
    boss.send("ready")?;
    for answered in 0.. {
        let Ok(limit) = boss.recv()?.to_string_lossy().parse::<u32>() else {
            return Ok(answered);
        };
        let is_prime = |n: &u32| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
        boss.send((2..limit).filter(is_prime).count().to_string())?;
    }
    Ok(0)
}
