//! A man in the middle: between two ends over tcp he alters, withholds, repeats and swaps one frame, and then lets everything
//! pass.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use zmtp::FrameHeader;

/// Who says what is tampered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The end that connects.
    Near,
    /// The end that listens.
    Far,
}

/// What is done to a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meddling {
    /// One bit of this byte is another; of the last one if the frame is shorter.
    Alter(usize),
    /// It does not come.
    Drop,
    /// It comes twice.
    Repeat,
    /// The one behind it comes first.
    Swap,
    /// It ends in the middle, and the connection with it.
    Cut,
    /// It goes back to where it came from, instead.
    Reflect,
}

/// The man in the middle. Ends with the process.
#[derive(Debug)]
pub struct Tamper {
    endpoint: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: String,
    from: From,
    /// Of the frames behind the greeting.
    frame: usize,
    meddling: Meddling,
    done: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

const GREETING: usize = 64;

impl Tamper {
    /// Stands before `target`, and meddles once with the frame of this number that `from` sends.
    ///
    /// # Panics
    /// The system refuses.
    #[must_use]
    pub fn with(target: &str, from: From, frame: usize, meddling: Meddling) -> Tamper {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let endpoint = format!("tcp://{}", listener.local_addr().expect("bound"));
        let shared = Arc::new(Shared {
            target: target.strip_prefix("tcp://").expect("tcp").to_owned(),
            from,
            frame,
            meddling,
            done: AtomicBool::new(false),
            streams: Mutex::default(),
        });
        let mine = Arc::clone(&shared);
        thread::spawn(move || {
            // A target that is gone looks like a cut.
            listener.incoming().flatten().for_each(|near| drop(mine.pass_on(near)));
        });
        Tamper { endpoint, shared }
    }

    /// Where to connect to.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether it has meddled: now everything passes.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.shared.done.load(Ordering::SeqCst)
    }
}

/// Whoever waits for what does not come any more has a new connection to hope for.
impl Drop for Tamper {
    fn drop(&mut self) {
        let mut streams = self.shared.streams.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn pass_on(self: &Arc<Self>, near: TcpStream) -> io::Result<()> {
        let far = TcpStream::connect(&self.target)?;
        for stream in [&near, &far] {
            stream.set_nodelay(true)?;
        }
        for (from, source, sink) in [(From::Near, &near, &far), (From::Far, &far, &near)] {
            let (source, sink, shared) = (source.try_clone()?, sink.try_clone()?, Arc::clone(self));
            thread::spawn(move || {
                // One of the ends is gone: so is the other.
                let _ = shared.pump(from, &source, &sink);
                let _ = source.shutdown(Shutdown::Both);
                let _ = sink.shutdown(Shutdown::Both);
            });
        }
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).extend([near, far]);
        Ok(())
    }

    fn pump(&self, from: From, mut source: &TcpStream, mut sink: &TcpStream) -> io::Result<()> {
        // The greeting comes in pieces, each of which the other end waits for.
        let mut left = GREETING;
        while left > 0 {
            let mut buffer = [0; GREETING];
            let read = source.read(&mut buffer[..left])?;
            if read == 0 {
                return Ok(());
            }
            sink.write_all(&buffer[..read])?;
            left -= read;
        }
        for number in 0.. {
            let frame = next_frame(source)?;
            if from != self.from || number != self.frame || self.done.swap(true, Ordering::SeqCst) {
                sink.write_all(&frame)?;
                continue;
            }
            match self.meddling {
                Meddling::Alter(at) => {
                    let mut frame = frame;
                    let at = at.min(frame.len() - 1);
                    frame[at] ^= 0x10;
                    sink.write_all(&frame)?;
                }
                Meddling::Drop => {}
                Meddling::Repeat => sink.write_all(&[&frame[..], &frame].concat())?,
                Meddling::Swap => sink.write_all(&[next_frame(source)?, frame].concat())?,
                Meddling::Cut => {
                    sink.write_all(&frame[..frame.len() / 2])?;
                    return Ok(());
                }
                Meddling::Reflect => source.write_all(&frame)?,
            }
        }
        Ok(())
    }
}

/// A frame of 2.0 and later.
fn next_frame(mut source: &TcpStream) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 2];
    source.read_exact(&mut frame)?;
    let header = loop {
        match FrameHeader::parse(&frame) {
            Ok(Some(header)) => break header,
            Ok(None) => {
                frame.push(0);
                let last = frame.len() - 1;
                source.read_exact(&mut frame[last..])?;
            }
            Err(error) => return Err(io::Error::other(error)),
        }
    };
    let body = usize::try_from(header.body_len).map_err(io::Error::other)?;
    let start = frame.len();
    frame.resize(header.header_len + body, 0);
    source.read_exact(&mut frame[start..])?;
    Ok(frame)
}
