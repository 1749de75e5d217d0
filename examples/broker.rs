//! A broker: clients in front, workers behind, who need not know of each other. A proxy passes requests
//! to the workers in turn and brings the replies back, and is steered through a control socket.
//!
//! ```text
//! cargo run --example broker
//! ```

use std::error::Error;
use std::thread;

use tightbeam::{Context, Dealer, Pair, Proxy, Rep, Req, Router};

const CLIENTS: usize = 3;
const REQUESTS: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let (front, back) = (context.socket::<Router>()?, context.socket::<Dealer>()?);
    let (clients_at, workers_at) =
        (front.bind("tcp://127.0.0.1:*")?, back.bind("tcp://127.0.0.1:*")?);
    let (control, steer) = (context.socket::<Pair>()?, context.socket::<Pair>()?);
    control.bind("inproc://control")?;
    steer.connect("inproc://control")?;
    let broker = thread::spawn(move || Proxy::new(&front, &back).control(&control).run());

    for name in ["Ann", "Bob"] {
        let worker = context.socket::<Rep>()?;
        worker.connect(&workers_at)?;
        thread::spawn(move || -> tightbeam::Result<()> {
            // Ends with the context.
            loop {
                let request = worker.recv()?;
                worker.send(format!("{} was done by {name}", request.to_string_lossy()))?;
            }
        });
    }
    let mut clients = Vec::new();
    for n in 0..CLIENTS {
        let client = context.socket::<Req>()?;
        client.connect(&clients_at)?;
        clients.push(thread::spawn(move || -> tightbeam::Result<()> {
            for i in 0..REQUESTS {
                println!("{}", client.request(format!("task {n}.{i}"))?.to_string_lossy());
            }
            Ok(())
        }));
    }
    for client in clients {
        client.join().map_err(|_| "a client panicked")??;
    }

    steer.send("STATISTICS")?;
    let answer = steer.recv()?;
    let numbers = answer.iter().map(|frame| Ok(u64::from_ne_bytes(frame[..].try_into()?)));
    let numbers = numbers.collect::<Result<Vec<u64>, Box<dyn Error>>>()?;
    println!("{} requests and {} replies have passed", numbers[0], numbers[4]);
    assert_eq!(numbers[0], (CLIENTS * REQUESTS) as u64);
    steer.send("TERMINATE")?;
    Ok(broker.join().map_err(|_| "the broker panicked")??)
}
