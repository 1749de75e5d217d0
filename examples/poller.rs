//! An event loop of a program's own: sockets, a descriptor of the system, timers, and a waker for other
//! threads, all waited for at once.
//!
//! ```text
//! cargo run --example poller
//! ```

use std::error::Error;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use tightbeam::{Context, Poller, Pull, Push, Readiness, Timers};

const SOCKET: u64 = 1;
const PIPE: u64 = 2;
const DONE: u64 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let (pull, push) = (context.socket::<Pull>()?, context.socket::<Push>()?);
    push.connect(pull.bind("tcp://127.0.0.1:*")?)?;
    let (mut near, mut far) = UnixStream::pair()?;

    let readable = Readiness { readable: true, writable: false };
    let mut poller = Poller::new()?;
    poller.add(&pull, SOCKET, readable)?;
    poller.add_descriptor(&near, PIPE, readable)?;
    let done = poller.waker(DONE);
    let timers = Timers::new();
    timers.add(Duration::from_millis(5), |_, _| println!("a timer: every 5 ms"));

    let others = thread::spawn(move || -> Result<(), std::io::Error> {
        for n in 0..3 {
            thread::sleep(Duration::from_millis(4));
            push.send(format!("message {n}")).map_err(std::io::Error::other)?;
            far.write_all(b"!")?;
        }
        thread::sleep(Duration::from_millis(4));
        done.wake();
        Ok(())
    });
    loop {
        match poller.wait(timers.timeout()) {
            Ok(event) if event.key == SOCKET => println!("{}", pull.try_recv()?.to_string_lossy()),
            Ok(event) if event.key == PIPE => {
                near.read_exact(&mut [0])?;
                println!("a byte through a pipe");
            }
            Ok(_) => break,
            Err(error) if error.is_would_block() => {}
            Err(error) => return Err(error.into()),
        }
        timers.execute();
    }
    others.join().map_err(|_| "the other thread panicked")??;
    println!("done");
    Ok(())
}
