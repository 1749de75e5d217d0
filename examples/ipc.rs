//! A service for programs of this machine, over ipc: the system says who asks, and nobody can lie about it.
//!
//! ```text
//! cargo run --example ipc
//! ```

use std::error::Error;
use std::path::Path;
use std::thread;

use tightbeam::{Context, Rep, Req};

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let server = context.socket::<Rep>()?;
    // A path that nobody else can take; programs that have to find it agree on one, ipc:///run/name.
    let endpoint = server.bind("ipc://*")?;
    let path = endpoint.as_str().trim_start_matches("ipc://").to_owned();
    assert!(Path::new(&path).exists());

    let serving = thread::spawn(move || -> tightbeam::Result<()> {
        let request = server.recv()?;
        let address = request[0].peer().map_or("", |peer| peer.address());
        // localhost:USER:GROUP:PROCESS
        let mut ids = address.split(':').skip(1);
        let user = ids.next().unwrap_or("?");
        let process = ids.nth(1).unwrap_or("?");
        println!("user {user} asks in process {process}");
        assert_eq!(process, std::process::id().to_string());
        server.send(format!("hello, user {user}"))?;
        server.close();
        Ok(())
    });

    let client = context.socket::<Req>()?;
    client.connect(&endpoint)?;
    println!("the answer: {}", client.request("who am I?")?.to_string_lossy());
    serving.join().map_err(|_| "the server panicked")??;
    // The path goes with the socket that was bound to it.
    println!("the path is {}", if Path::new(&path).exists() { "still there" } else { "gone" });
    Ok(())
}
