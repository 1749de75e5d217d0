//! What callgrind counts: the instructions of one path, in a function of its own.
//!
//! ```text
//! valgrind --tool=callgrind --toggle-collect='tb_count::counted' tb_count send|recv|... COUNT
//! ```

use std::error::Error;
use std::hint::black_box;

use tightbeam::{Context, Message, Pull, Push, Rep, Req, Socket};

type Outcome = Result<(), Box<dyn Error>>;

const SIZE: usize = 64;

/// All that is counted; the name is what callgrind is told.
#[inline(never)]
fn counted(mut path: impl FnMut() -> Outcome) -> Outcome {
    path()
}

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_default();
    let count: usize = arguments.next().and_then(|count| count.parse().ok()).ok_or("COUNT")?;
    let transport = if path.starts_with("inproc") { "inproc://count" } else { "tcp://127.0.0.1:*" };
    let context = Context::new();
    match path.trim_start_matches("inproc-") {
        "send" => pipeline(&context, transport, count, true, false),
        "recv" => pipeline(&context, transport, count, false, false),
        "send-message" => pipeline(&context, transport, count, true, true),
        "recv-message" => pipeline(&context, transport, count, false, true),
        "round-trip" => round_trips(&context, transport, count),
        _ => Err("send, recv, send-message, recv-message or round-trip, also with inproc-".into()),
    }
}

/// Sends and receives in turns of 100 messages, of which one half is counted.
fn pipeline(
    context: &Context,
    transport: &str,
    count: usize,
    sending: bool,
    messages: bool,
) -> Outcome {
    let (push, pull) = (context.socket::<Push>()?, context.socket::<Pull>()?);
    push.connect(pull.bind(transport)?)?;
    push.send("warm")?;
    pull.recv()?;
    let mut buffer = [0; SIZE];
    for _ in 0..count / 100 {
        let mut send = || {
            (0..100).try_for_each(|_| match messages {
                true => Ok::<(), Box<dyn Error>>(push.send(Message::from(vec![7_u8; SIZE]))?),
                false => Ok(push.send_slice(&[7; SIZE])?),
            })
        };
        let mut recv = || {
            (0..100).try_for_each(|_| {
                match messages {
                    true => drop(black_box(pull.recv()?)),
                    false => drop(black_box(pull.recv_into(&mut buffer)?)),
                }
                Ok::<(), Box<dyn Error>>(())
            })
        };
        if sending {
            counted(&mut send)?;
            recv()?;
        } else {
            send()?;
            counted(&mut recv)?;
        }
    }
    Ok(())
}

/// A requester that is counted, and a replier in another thread that is not.
fn round_trips(context: &Context, transport: &str, count: usize) -> Outcome {
    let (req, rep): (Socket<Req>, Socket<Rep>) = (context.socket()?, context.socket()?);
    req.connect(rep.bind(transport)?)?;
    let server = std::thread::spawn(move || {
        let mut buffer = [0; SIZE];
        for _ in 0..=count {
            let echoed = rep.recv_into(&mut buffer).and_then(|_| rep.send_slice(&buffer));
            if echoed.is_err() {
                return;
            }
        }
    });
    let mut buffer = [0; SIZE];
    req.send_slice(&buffer)?;
    req.recv_into(&mut buffer)?;
    counted(|| {
        for _ in 0..count {
            req.send_slice(&buffer)?;
            req.recv_into(&mut buffer)?;
        }
        Ok(())
    })?;
    server.join().map_err(|_| "the replier panicked")?;
    Ok(())
}
