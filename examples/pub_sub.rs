//! A publisher tells of the weather, subscribers hear of the cities they asked for: PUB and SUB.
//!
//! ```text
//! cargo run --example pub_sub
//! ```

use std::error::Error;
use std::thread;
use std::time::Duration;

use tightbeam::{Context, Pub, Socket, Sub};

const REPORTS: [&str; 4] = ["oslo 3 rain", "rome 19 sun", "oslo 4 sun", "lima 21 mist"];
/// Tells a subscriber that the publisher knows it: until then, what is published passes it by.
const HELLO: &str = "hello";

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let publisher = context.socket::<Pub>()?;
    let endpoint = publisher.bind("tcp://127.0.0.1:*")?;

    let mut listeners = Vec::new();
    for city in ["oslo", "rome"] {
        let subscriber = context.socket::<Sub>()?;
        subscriber.connect(&endpoint)?;
        subscriber.subscribe(city)?;
        subscriber.subscribe(HELLO)?;
        // Subscriptions arrive a little later than they are made.
        while subscriber.try_recv().is_err() {
            publisher.send(HELLO)?;
            thread::sleep(Duration::from_millis(1));
        }
        listeners.push(thread::spawn(move || listen(city, &subscriber)));
    }
    for report in REPORTS {
        publisher.send(report)?;
    }
    publisher.send("oslo: end")?;
    publisher.send("rome: end")?;
    for listener in listeners {
        listener.join().map_err(|_| "a subscriber panicked")??;
    }
    Ok(())
}

fn listen(city: &str, subscriber: &Socket<Sub>) -> tightbeam::Result<()> {
    let mut heard = 0;
    loop {
        let message = subscriber.recv()?;
        match &*message.to_string_lossy() {
            HELLO => {}
            report if report.ends_with("end") => break,
            report => {
                heard += 1;
                println!("who listens for {city} hears: {report}");
            }
        }
    }
    println!("who listens for {city} has heard {heard} reports");
    Ok(())
}
