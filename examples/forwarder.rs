//! A forwarder: publishers and subscribers that do not know of each other, and a broker between them that
//! passes messages down and subscriptions up: XSUB and XPUB. It counts what its subscribers want.
//!
//! ```text
//! cargo run --example forwarder
//! ```

use std::collections::BTreeSet;
use std::error::Error;
use std::thread;

use tightbeam::{Context, PollItem, Readiness, Socket, Sub, XPub, XSub, poll};

/// Passes on what comes, until a publisher says that it was all.
fn forward(up: &Socket<XSub>, down: &Socket<XPub>) -> tightbeam::Result<BTreeSet<String>> {
    let readable = Readiness { readable: true, writable: false };
    let mut wanted = BTreeSet::new();
    loop {
        let mut items = [PollItem::socket(up, readable), PollItem::socket(down, readable)];
        poll(&mut items, None)?;
        let [from_publishers, from_subscribers] = items.map(|item| item.ready().readable);
        if from_subscribers {
            let request = down.recv()?;
            if let [1, topic @ ..] = &request[0][..] {
                wanted.insert(String::from_utf8_lossy(topic).into_owned());
            }
            // The publishers hear of the first subscription to a topic and of the last cancellation.
            up.send(request)?;
        }
        if from_publishers {
            let message = up.recv()?;
            let last = message == "the end";
            down.send(message)?;
            if last {
                return Ok(wanted);
            }
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let (up, down) = (context.socket::<XSub>()?, context.socket::<XPub>()?);
    let publishers_at = up.bind("tcp://127.0.0.1:*")?;
    let subscribers_at = down.bind("tcp://127.0.0.1:*")?;
    let broker = thread::spawn(move || forward(&up, &down));

    let mut readers = Vec::new();
    for topic in ["sport.", "weather."] {
        let subscriber = context.socket::<Sub>()?;
        subscriber.connect(&subscribers_at)?;
        subscriber.subscribe(topic)?;
        subscriber.subscribe("the end")?;
        readers.push(thread::spawn(move || -> tightbeam::Result<usize> {
            let mut heard = 0;
            loop {
                let message = subscriber.recv()?;
                if message == "the end" {
                    return Ok(heard);
                }
                println!("{}", message.to_string_lossy());
                heard += 1;
            }
        }));
    }

    let publisher = context.socket::<XPub>()?;
    publisher.connect(&publishers_at)?;
    // An XPUB hears when somebody wants what it has: nothing is sent too early.
    let mut missing = BTreeSet::from(["sport.", "the end", "weather."]);
    while !missing.is_empty() {
        let request = publisher.recv()?;
        missing.retain(|topic| request[0][1..] != *topic.as_bytes());
    }
    for news in ["sport.chess: draw", "politics: nobody listens", "weather.oslo: rain"] {
        publisher.send(news)?;
    }
    publisher.send("the end")?;

    for reader in readers {
        assert_eq!(reader.join().map_err(|_| "a reader panicked")??, 1);
    }
    let wanted = broker.join().map_err(|_| "the broker panicked")??;
    println!("the subscribers wanted {wanted:?}");
    Ok(())
}
