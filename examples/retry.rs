//! A client that does not wait for ever: it asks again when no answer has come in time, and gives up in the
//! end. The server dies with a request in its hands, and another one takes its place.
//!
//! ```text
//! cargo run --example retry
//! ```

use std::error::Error;
use std::thread;
use std::time::Duration;

use tightbeam::{Context, Endpoint, Message, Rep, Req, Socket};

fn main() -> Result<(), Box<dyn Error>> {
    let there = Context::new();
    let first = there.socket::<Rep>()?;
    let endpoint = first.bind("tcp://127.0.0.1:*")?;

    let here = Context::new();
    let client = here.socket::<Req>()?;
    // Asking again is allowed, and an answer belongs to the question with the same number.
    client.set_req_relaxed(true)?;
    client.set_req_correlate(true)?;
    // What nobody will answer does not hold up the end.
    client.set_linger(Some(Duration::ZERO))?;
    client.connect(&endpoint)?;

    let servers = there.clone();
    let serving = thread::spawn(move || -> tightbeam::Result<()> {
        let request = first.recv()?;
        println!("the first server dies with the request {:?}", request.to_string_lossy());
        first.close();
        serve(&servers, &endpoint)
    });
    println!("the answer is {}", ask(&client, "6 times 7")?.to_string_lossy());

    there.shutdown();
    let ended = serving.join().map_err(|_| "a server panicked")?;
    println!("the second server has ended: {}", ended.expect_err("it serves until then"));
    match ask(&client, "is anybody there?") {
        Ok(answer) => return Err(format!("who says {answer:?}?").into()),
        Err(error) => println!("given up: {error}"),
    }
    Ok(())
}

/// Asks several times, with more patience each time. A request may be done more than once: it should do no harm.
fn ask(client: &Socket<Req>, question: &str) -> tightbeam::Result<Message> {
    let mut patience = Duration::from_millis(50);
    for attempt in 1..5 {
        match client.request_timeout(question, patience) {
            Err(error) if error.is_would_block() => {
                println!("attempt {attempt}: no answer within {patience:?}");
            }
            answer => return answer,
        }
        patience *= 2;
    }
    client.request_timeout(question, patience)
}

fn serve(context: &Context, endpoint: &Endpoint) -> tightbeam::Result<()> {
    let server = context.socket::<Rep>()?;
    server.bind(endpoint)?;
    loop {
        let request = server.recv()?;
        println!("the second server is asked {:?}", request.to_string_lossy());
        server.send("42")?;
    }
}
