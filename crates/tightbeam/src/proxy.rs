//! A proxy: what one socket receives, another sends, both ways.
//!
//! A layer above sockets, with two lanes, one for each direction. A lane takes a message only when
//! there is room for it on the other side, so that whoever sends too much is held back by their own
//! high-water mark and not by the proxy's memory.

mod handle;
mod lane;

use std::sync::Arc;
use std::time::Duration;

use self::handle::{Order, Shared};
pub use self::handle::{ProxyHandle, ProxySide, ProxyStats};
use self::lane::{Lane, Stop};
use crate::error::Result;
use crate::message::{Frame, Message};
use crate::socket::{AnySocket, PollEvent, Poller, Readiness};
use zmtp::SocketType;

const FRONT: u64 = 0;
const BACK: u64 = 1;
const CAPTURE: u64 = 2;
const CONTROL: u64 = 3;
const CALL: u64 = 4;

/// A peer without room that only the message names (ROUTER with MANDATORY) is asked again so often.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// Passes messages between two sockets, whole and unchanged, both ways, until it is told to end.
///
/// | front | back | |
/// |---|---|---|
/// | ROUTER | DEALER | a broker of requests: clients in front, workers behind |
/// | XSUB | XPUB | a forwarder: publishers in front, subscribers behind |
/// | PULL | PUSH | a streamer of work |
/// | PAIR, DEALER ... | the same | any sockets that receive and send |
///
/// Front and back may be one socket: then it is sent what it receives. Of two, a message is taken from one only
/// when the other has room for it (and so has the capture socket), so a full side holds back those
/// who send to the other. Bodies are not copied. Messages for a ROUTER peer that has gone are dropped,
/// also with MANDATORY.
///
/// * A *capture* socket (PUB, DEALER, PUSH or PAIR) is sent a copy of each message.
/// * A *control* socket (PAIR, PULL, SUB, REP ...) takes `PAUSE`, `RESUME`, `TERMINATE` and `STATISTICS`,
///   which is answered with the eight numbers of [`ProxyStats`] as `u64` in native byte order: for
///   the front, then the back, messages and bytes received, messages and bytes sent. With a REP socket
///   the others are answered with an empty message.
/// * A [`ProxyHandle`] does the same from another thread, without a socket.
///
/// ```
/// use tightbeam::{Context, Dealer, Proxy, Rep, Req, Router};
///
/// let context = Context::new();
/// let (front, back) = (context.socket::<Router>()?, context.socket::<Dealer>()?);
/// let (client, worker) = (context.socket::<Req>()?, context.socket::<Rep>()?);
/// client.connect(front.bind("tcp://127.0.0.1:*")?)?;
/// worker.connect(back.bind("tcp://127.0.0.1:*")?)?;
/// std::thread::scope(|scope| {
///     let mut proxy = Proxy::new(&front, &back);
///     let handle = proxy.handle();
///     let running = scope.spawn(move || proxy.run());
///     client.send("hello")?;
///     worker.recv()?;
///     worker.send("and goodbye")?;
///     assert_eq!(client.recv()?, "and goodbye");
///     assert_eq!(handle.stats().front.messages_received, 1);
///     handle.terminate();
///     running.join().expect("no panic")
/// })?;
/// # Ok::<(), tightbeam::Error>(())
/// ```
#[derive(Debug)]
pub struct Proxy<'a> {
    front: &'a AnySocket,
    back: &'a AnySocket,
    capture: Option<&'a AnySocket>,
    control: Option<&'a AnySocket>,
    shared: Arc<Shared>,
    lanes: Vec<Lane<'a>>,
    poller: Option<Poller>,
}

impl<'a> Proxy<'a> {
    /// A proxy between two sockets, which may be the same one.
    #[must_use]
    pub fn new(front: &'a impl AsRef<AnySocket>, back: &'a impl AsRef<AnySocket>) -> Proxy<'a> {
        let (front, back) = (front.as_ref(), back.as_ref());
        let mut lanes = vec![Lane::new(true, front, back)];
        if !front.is_same(back) {
            lanes.push(Lane::new(false, back, front));
        }
        let shared = Arc::default();
        Proxy { front, back, capture: None, control: None, shared, lanes, poller: None }
    }

    /// Sends a copy of each message to this socket.
    #[must_use]
    pub fn capture(mut self, capture: &'a impl AsRef<AnySocket>) -> Proxy<'a> {
        self.capture = Some(capture.as_ref());
        self
    }

    /// Obeys the commands that this socket receives.
    #[must_use]
    pub fn control(mut self, control: &'a impl AsRef<AnySocket>) -> Proxy<'a> {
        self.control = Some(control.as_ref());
        self
    }

    /// A handle to pause, resume and end it, and to read its counters, from any thread.
    #[must_use]
    pub fn handle(&self) -> ProxyHandle {
        ProxyHandle::new(Arc::clone(&self.shared))
    }

    /// Passes messages in this thread until it is told to end.
    ///
    /// # Errors
    /// [`Error::Terminated`](crate::Error::Terminated) when the context of one of the sockets ends;
    /// [`Error::Interrupted`](crate::Error::Interrupted) by a signal, after which it may be run again and has lost
    /// nothing; [`Error::Closed`](crate::Error::Closed), [`Error::Forked`](crate::Error::Forked); whatever else one of
    /// the sockets says, such as [`Error::OutOfTurn`](crate::Error::OutOfTurn).
    pub fn run(&mut self) -> Result<()> {
        let mut poller = match self.poller.take() {
            Some(poller) => poller,
            None => self.open()?,
        };
        let ended = self.pass(&mut poller);
        self.poller = Some(poller);
        ended
    }

    fn open(&self) -> Result<Poller> {
        const NOTHING: Readiness = Readiness { readable: false, writable: false };
        let mut poller = Poller::new()?;
        poller.add(self.front, FRONT, NOTHING)?;
        let others = [(BACK, Some(self.back)), (CAPTURE, self.capture), (CONTROL, self.control)];
        for (at, (key, socket)) in others.iter().enumerate() {
            let Some(socket) = socket else { continue };
            let known =
                others[..at].iter().any(|(_, other)| other.is_some_and(|o| o.is_same(socket)));
            if !known && !socket.is_same(self.front) {
                poller.add(socket, *key, NOTHING)?;
            }
        }
        self.shared.set_waker(poller.waker(CALL));
        Ok(poller)
    }

    fn pass(&mut self, poller: &mut Poller) -> Result<()> {
        let mut commanded = true;
        loop {
            if commanded {
                self.obey_control()?;
            }
            let mut busy = false;
            match self.shared.order() {
                Order::Terminate => {
                    self.shared.obeyed_terminate();
                    return Ok(());
                }
                Order::Pause => {}
                Order::Run => {
                    for lane in &mut self.lanes {
                        busy |= lane.pass(self.capture, &self.shared)? == Stop::Budget;
                    }
                }
            }
            // Between two batches nobody is told of commands.
            commanded = busy || self.wait(poller)?;
        }
    }

    /// Waits for what the lanes lack. True if there may be a command.
    fn wait(&self, poller: &mut Poller) -> Result<bool> {
        let passing = self.shared.order() == Order::Run;
        let lanes = || self.lanes.iter().filter(|_| passing);
        let mut timeout = None;
        for socket in [Some(self.front), Some(self.back), self.capture, self.control] {
            let Some(socket) = socket else { continue };
            let controls = self.control.is_some_and(|control| control.is_same(socket));
            let wanted = Readiness {
                readable: controls || lanes().any(|lane| lane.waits_for_message_of(socket)),
                writable: lanes().any(|lane| lane.waits_for_room_of(socket)),
            };
            poller.want(socket, wanted)?;
        }
        if lanes().any(Lane::is_to_be_asked_again) {
            timeout = Some(ASK_AGAIN);
        }
        match poller.wait_all(CALL as usize + 1, timeout) {
            Ok(events) => Ok(events.iter().any(|event: &PollEvent| {
                event.key == CONTROL || self.control.is_some_and(|_| event.ready.readable)
            })),
            Err(error) if error.is_would_block() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn obey_control(&self) -> Result<()> {
        let Some(control) = self.control else { return Ok(()) };
        while let Some(command) = control.recv_queued()? {
            let word = command.frames().first().map_or(&[][..], |frame| &frame[..]);
            if word == b"STATISTICS" {
                let numbers = self.shared.stats().numbers();
                let frames = numbers.map(|number| Frame::from(&number.to_ne_bytes()[..]));
                reply(control, Message::multipart(frames));
                continue;
            }
            match word {
                b"PAUSE" => self.shared.set_order(Order::Pause),
                b"RESUME" => self.shared.set_order(Order::Run),
                b"TERMINATE" => self.shared.set_order(Order::Terminate),
                // Whoever can reach the control socket must not be able to end the proxy by mistake.
                _ => {}
            }
            if control.socket_type() == SocketType::Rep {
                reply(control, Message::from(""));
            }
        }
        Ok(())
    }
}

/// Answers, unless the socket cannot, or nobody takes the answer: the proxy does not wait for that.
fn reply(control: &AnySocket, message: Message) {
    let _ = control.try_send(message);
}
