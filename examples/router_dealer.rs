//! Work goes to whoever asks for it, without a broker: a ROUTER answers the requests of DEALER workers,
//! so that a slow worker is given less to do.
//!
//! ```text
//! cargo run --example router_dealer
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::thread;
use std::time::Duration;

use tightbeam::{Context, Dealer, Endpoint, Message, Router};

const TASKS: usize = 60;
const WORKERS: [(&str, u64); 3] = [("quick", 1), ("steady", 3), ("slow", 10)];

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let router = context.socket::<Router>()?;
    let endpoint = router.bind("tcp://127.0.0.1:*")?;
    let mut workers = Vec::new();
    for (name, millis) in WORKERS {
        let (context, endpoint) = (context.clone(), endpoint.clone());
        workers.push(thread::spawn(move || work(&context, &endpoint, name, millis)));
    }

    let mut given = BTreeMap::new();
    let mut ended = 0;
    for task in 0.. {
        // The first part is the routing id of the worker that asks, the second what it says.
        let asked = router.recv()?;
        let worker = asked[0].clone();
        if task < TASKS {
            *given.entry(worker.to_string_lossy().into_owned()).or_insert(0) += 1;
            router.send(Message::multipart([worker, format!("task {task}").into()]))?;
        } else {
            router.send(Message::multipart([worker, "end".into()]))?;
            ended += 1;
        }
        if ended == WORKERS.len() {
            break;
        }
    }
    for worker in workers {
        worker.join().map_err(|_| "a worker panicked")??;
    }
    println!("tasks given out: {given:?}");
    Ok(())
}

fn work(context: &Context, to: &Endpoint, name: &str, millis: u64) -> tightbeam::Result<()> {
    let dealer = context.socket::<Dealer>()?;
    dealer.set_routing_id(name.as_bytes())?;
    dealer.connect(to)?;
    dealer.send("ready")?;
    while dealer.recv()? != "end" {
        thread::sleep(Duration::from_millis(millis));
        dealer.send("done")?;
    }
    Ok(())
}
