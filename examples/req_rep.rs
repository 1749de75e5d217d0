//! A client asks, a server answers: REQ and REP, in strict turn.
//!
//! ```text
//! cargo run --example req_rep
//! ```

use std::error::Error;
use std::thread;

use tightbeam::{Context, Rep, Req};

const QUESTIONS: [&str; 3] = ["one", "three", "seventeen"];

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let server = context.socket::<Rep>()?;
    let endpoint = server.bind("tcp://127.0.0.1:*")?;
    println!("the server listens at {endpoint}");

    let answering = thread::spawn(move || -> tightbeam::Result<()> {
        for _ in QUESTIONS {
            let question = server.recv()?;
            server.send(format!("{} letters", question[0].len()))?;
        }
        // Waits until the last answer has left.
        server.close();
        Ok(())
    });

    let client = context.socket::<Req>()?;
    client.connect(&endpoint)?;
    for question in QUESTIONS {
        let answer = client.request(question)?;
        println!("{question}: {}", answer[0].to_str()?);
    }
    answering.join().map_err(|_| "the server panicked")??;
    Ok(())
}
