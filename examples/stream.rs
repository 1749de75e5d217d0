//! A web server of one page, and a client that is no ZeroMQ program: STREAM sends and receives bytes as they are.
//!
//! ```text
//! cargo run --example stream
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use tightbeam::{Context, Frame, Message, Socket, Stream};

const VISITORS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let server = context.socket::<Stream>()?;
    let endpoint = server.bind("tcp://127.0.0.1:*")?;
    let address = endpoint.as_str().trim_start_matches("tcp://").to_owned();
    let visitors = (1..=VISITORS).map(|n| {
        let address = address.clone();
        thread::spawn(move || visit(&address, n))
    });
    let visitors: Vec<_> = visitors.collect();
    serve(&server, VISITORS)?;
    for visitor in visitors {
        println!("{}", visitor.join().map_err(|_| "a visitor panicked")??);
    }
    Ok(())
}

/// Answers so many requests.
fn serve(server: &Socket<Stream>, count: usize) -> tightbeam::Result<()> {
    // A request comes in as many pieces as the network likes.
    let mut requests: HashMap<Frame, Vec<u8>> = HashMap::new();
    let mut answered = 0;
    while answered < count {
        let message = server.recv()?;
        let (client, bytes) = (&message[0], &message[1]);
        let request = requests.entry(client.clone()).or_default();
        if bytes.is_empty() && !request.is_empty() {
            // It has left in the middle of its request; the other empty message was its arrival.
            requests.remove(client);
            continue;
        }
        request.extend_from_slice(bytes);
        if request.ends_with(b"\r\n\r\n") {
            let line = String::from_utf8_lossy(request).lines().next().unwrap_or("").to_owned();
            let page = format!("HTTP/1.0 200 OK\r\n\r\nyou said: {line}");
            server.send(Message::multipart([client.clone(), page.into()]))?;
            // No bytes at all: the connection ends once the rest is written.
            server.send(Message::multipart([client.clone(), Frame::new()]))?;
            requests.remove(client);
            answered += 1;
        }
    }
    Ok(())
}

fn visit(address: &str, n: usize) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(address)?;
    write!(connection, "GET /page/{n} HTTP/1.0\r\n")?;
    write!(connection, "Host: {address}\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer.replace("\r\n\r\n", ": "))
}
