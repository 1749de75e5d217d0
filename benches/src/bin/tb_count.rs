//! What callgrind counts: the instructions of one path, in a function of its own.
//!
//! ```text
//! valgrind --tool=callgrind --toggle-collect='tb_count::counted*' tb_count send|recv|... COUNT
//! ```
//!
//! `cargo xtask bench count` does this for every path.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use tightbeam::{Context, Message, Pull, Push, Rep, Req, Socket};

type Outcome = Result<(), Box<dyn Error>>;

const SIZE: usize = 64;

/// All that is counted; the name is what callgrind is told.
#[inline(never)]
fn counted(mut path: impl FnMut() -> Outcome) -> Outcome {
    path()
}

/// Which half of a pipeline is counted, and how.
#[derive(Clone, Copy)]
struct Half {
    sending: bool,
    /// A `Message` of its own for each, or a caller's buffer.
    messages: bool,
    inproc: bool,
}

const TCP: &str = "tcp://127.0.0.1:*";
const INPROC: &str = "inproc://count";

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_default();
    let count: usize = arguments.next().and_then(|count| count.parse().ok()).ok_or("COUNT")?;
    let context = Context::new();
    let half = |sending, messages| {
        pipeline(&context, count, Half { sending, messages, inproc: path.starts_with("inproc-") })
    };
    match path.trim_start_matches("inproc-") {
        "send" => half(true, false),
        "recv" => half(false, false),
        "send-message" => half(true, true),
        "recv-message" => half(false, true),
        "round-trip" if path.starts_with("inproc-") => local_round_trips(&context, count),
        "round-trip" => round_trips(&context, count),
        _ => Err("send, recv, send-message, recv-message or round-trip, also with inproc-".into()),
    }
}

/// Sends and receives in turns, of which one half is counted. Over tcp, what is counted must not depend on time:
/// how many of several sends are gathered does, and whether the receiver or the I/O thread reads.
fn pipeline(context: &Context, count: usize, half: Half) -> Outcome {
    let (push, pull) = (context.socket::<Push>()?, context.socket::<Pull>()?);
    push.connect(pull.bind(if half.inproc { INPROC } else { TCP })?)?;
    push.send("warm")?;
    pull.recv()?;
    let turn = if half.sending && !half.inproc { 1 } else { 100 };
    let send_one = || match half.messages {
        true => Ok::<(), Box<dyn Error>>(push.send(Message::from(vec![7_u8; SIZE]))?),
        false => Ok(push.send_slice(&[7; SIZE])?),
    };
    let mut buffer = [0; SIZE];
    let mut recv = || {
        (0..turn).try_for_each(|_| {
            match half.messages {
                true => drop(black_box(pull.recv()?)),
                false => drop(black_box(pull.recv_into(&mut buffer)?)),
            }
            Ok::<(), Box<dyn Error>>(())
        })
    };
    for _ in 0..count / turn {
        if half.sending {
            counted(|| (0..turn).try_for_each(|_| send_one()))?;
            recv()?;
        } else {
            // One by one, so that all runs hold them in the same pieces.
            (1..=turn).try_for_each(|sent| send_one().and_then(|()| await_all(&pull, sent)))?;
            counted(&mut recv)?;
        }
    }
    Ok(())
}

/// Waits until so many messages can be taken without asking the kernel.
fn await_all(pull: &Socket<Pull>, count: usize) -> Outcome {
    let deadline = Instant::now() + Duration::from_secs(60);
    while pull.stats()?.peers.iter().map(|peer| peer.recv_queue).sum::<usize>() < count {
        if Instant::now() > deadline {
            return Err("messages are missing".into());
        }
        std::thread::sleep(Duration::from_micros(100));
    }
    Ok(())
}

/// A requester that is counted, and a replier in another thread that is not.
fn round_trips(context: &Context, count: usize) -> Outcome {
    let (req, rep): (Socket<Req>, Socket<Rep>) = (context.socket()?, context.socket()?);
    req.connect(rep.bind(TCP)?)?;
    let server = std::thread::spawn(move || {
        (0..=count).try_for_each(|_| echo(&rep).map_err(|error| error.to_string()))
    });
    ask(&req)?;
    counted(|| (0..count).try_for_each(|_| ask(&req)))?;
    server.join().map_err(|_| "the replier panicked")??;
    Ok(())
}

/// Both sides in one thread, so that nobody waits: how often a thread does is a matter of time.
fn local_round_trips(context: &Context, count: usize) -> Outcome {
    let (req, rep): (Socket<Req>, Socket<Rep>) = (context.socket()?, context.socket()?);
    req.connect(rep.bind(INPROC)?)?;
    let mut buffer = [0; SIZE];
    counted(|| {
        (0..count).try_for_each(|_| {
            req.send_slice(&buffer)?;
            echo(&rep)?;
            req.recv_into(&mut buffer)?;
            Ok(())
        })
    })
}

fn ask(req: &Socket<Req>) -> Outcome {
    let mut buffer = [0; SIZE];
    req.send_slice(&buffer)?;
    req.recv_into(&mut buffer)?;
    Ok(())
}

fn echo(rep: &Socket<Rep>) -> Outcome {
    let mut buffer = [0; SIZE];
    rep.recv_into(&mut buffer)?;
    rep.send_slice(&buffer)?;
    Ok(())
}
