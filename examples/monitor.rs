//! What happens to a socket's connections, as events: a peer comes and goes, and one is refused.
//!
//! ```text
//! cargo run --example monitor
//! ```

use std::error::Error;
use std::time::Duration;

use tightbeam::{Context, EventKind, Monitor, Pub, Pull, Push};

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let pull = context.socket::<Pull>()?;
    let monitor = pull.monitor()?;
    let endpoint = pull.bind("tcp://127.0.0.1:*")?;

    let push = context.socket::<Push>()?;
    push.connect(&endpoint)?;
    show_until(&monitor, EventKind::HandshakeSucceeded)?;
    push.close();
    show_until(&monitor, EventKind::Disconnected)?;

    // A PUB has nothing to say to a PULL: the handshake fails, and the reason says why.
    let misfit = context.socket::<Pub>()?;
    misfit.connect(&endpoint)?;
    show_until(&monitor, EventKind::Refused)?;
    println!("events missed because they were not read in time: {}", monitor.dropped());
    Ok(())
}

fn show_until(monitor: &Monitor, last: EventKind) -> Result<(), Box<dyn Error>> {
    loop {
        let event = monitor.next_timeout(Duration::from_secs(10)).ok_or("nothing happens")?;
        let at = event.endpoint.as_ref().map_or("", |endpoint| endpoint.as_str());
        let why = event.reason.as_deref().unwrap_or_default();
        println!("{:?} {at} {why}", event.kind);
        if event.kind == last {
            return Ok(());
        }
    }
}
