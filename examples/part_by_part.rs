//! A message sent and received part by part, where it is not at hand as a whole.
//!
//! ```text
//! cargo run --example part_by_part
//! ```

use std::error::Error;

use tightbeam::{Context, Frame, Pull, Push};

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let pull = context.socket::<Pull>()?;
    let push = context.socket::<Push>()?;
    push.connect(pull.bind("tcp://127.0.0.1:*")?)?;

    // Parts wait in the socket until the last one comes; then all leave together.
    push.send_slice_part(b"a header", true)?;
    push.send_part(&Frame::from(vec![7; 100_000]), true)?;
    push.send_slice_part(b"a footer", false)?;

    loop {
        let part = pull.recv_part()?;
        let from = part.peer().map_or("?", |peer| peer.address());
        println!("{} bytes from {from}, more to come: {}", part.len(), part.more());
        if !part.more() {
            break;
        }
    }

    // Into a buffer of one's own, without an allocation.
    push.send(["first", "second"])?;
    let mut buffer = [0; 16];
    loop {
        let copied = pull.recv_into(&mut buffer)?;
        println!("{:?}", std::str::from_utf8(&buffer[..copied.len.min(buffer.len())])?);
        if !copied.more {
            break;
        }
    }

    // The first part tells a receiver of whole messages how to go on: the rest comes as one.
    push.send(["topic", "body", "signature"])?;
    let topic = pull.recv_part()?;
    let rest = pull.recv()?;
    println!("{topic:?} and {} parts more", rest.len());
    Ok(())
}
