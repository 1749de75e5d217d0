//! A peer on Tightbeam: one end of a ZeroMQ conversation, as a program. `tests/peers/README.md` says what it does and which
//! programs in other languages it can talk to.
//!
//! ```text
//! cargo run --release --example peer -- echo rep tcp://127.0.0.1:5555 --count 1000
//! cargo run --release --example peer -- ask req tcp://127.0.0.1:5555 --count 1000
//! ```

use std::collections::HashMap;
use std::io::{Write, stdin, stdout};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use tightbeam::options::{Value, number};
use tightbeam::{AnySocket, Context, Error, Frame, Message, SendError, SocketType};

#[path = "peer/arguments.rs"]
mod arguments;
#[path = "peer/content.rs"]
mod content;
#[path = "peer/tally.rs"]
mod tally;

use arguments::{Arguments, Role};
use content::Content;
use tally::Tally;

/// What a publisher sends until it is told that all subscribers hear it.
const HELLO: [u8; 2] = [0xff, 0xff];
/// Pause between two tries, of a hello or to reach a peer that is not there yet.
const AGAIN: Duration = Duration::from_millis(10);

/// Why a conversation failed, in words.
type Failure = String;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("peer: {error}\nusage: peer ROLE TYPE ENDPOINT [OPTION]...");
            return ExitCode::from(2);
        }
    };
    let mut tally = Tally::new(arguments.show);
    let result = converse(&arguments, &mut tally);
    say(&tally.report(&arguments, result.as_ref().err()));
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn converse(arguments: &Arguments, tally: &mut Tally) -> Result<(), Failure> {
    let content = Content::new(arguments)?;
    let context = Context::new();
    let socket = open(&context, arguments).map_err(|error| error.to_string())?;
    let count = arguments.count.unwrap_or(content.lines());
    let mut peer = Peer { arguments, content, socket, count, tally };
    let result = match arguments.role {
        Role::Echo => peer.echo(),
        Role::Ask => peer.ask(),
        Role::Source => peer.source(),
        Role::Sink => peer.sink(),
    };
    // After a failure the socket is dropped, which does not wait.
    result?;
    // This waits as long as the option LINGER says until all is sent.
    peer.socket.close();
    context.term().map_err(|error| error.to_string())
}

/// Opens the socket, sets its options, and binds or connects it.
fn open(context: &Context, arguments: &Arguments) -> Result<AnySocket, Error> {
    let socket = context.any_socket(arguments.socket_type)?;
    let set = |option, value| socket.set_option(option, Value::Int(value));
    set(number::LINGER, arguments.linger)?;
    set(number::SNDTIMEO, arguments.timeout)?;
    set(number::RCVTIMEO, arguments.timeout)?;
    set(number::HEARTBEAT_IVL, arguments.heartbeat)?;
    if let Some(messages) = arguments.hwm {
        set(number::SNDHWM, messages)?;
        set(number::RCVHWM, messages)?;
    }
    if arguments.to.is_some() {
        set(number::ROUTER_MANDATORY, 1)?;
    }
    if let Some(id) = &arguments.id {
        socket.set_option(number::ROUTING_ID, Value::Bytes(id.as_bytes()))?;
    }
    if matches!(arguments.socket_type, SocketType::XPub | SocketType::XSub) {
        set(number::ONLY_FIRST_SUBSCRIBE, 1)?;
    }
    if matches!(arguments.socket_type, SocketType::Sub | SocketType::XSub) {
        for prefix in &arguments.prefixes {
            socket.subscribe(prefix)?;
        }
    }
    let endpoint = if arguments.bind {
        socket.bind(&arguments.endpoint)?
    } else {
        socket.connect(&arguments.endpoint)?
    };
    say(&format!("READY {endpoint}"));
    Ok(socket)
}

struct Peer<'a> {
    arguments: &'a Arguments,
    content: Content,
    socket: AnySocket,
    /// How many messages the conversation has.
    count: u64,
    tally: &'a mut Tally,
}

impl Peer<'_> {
    /// Receives messages and sends them back.
    fn echo(&mut self) -> Result<(), Failure> {
        // A router finds the sender's routing id in front, and leaves it there for the way back.
        let envelope = usize::from(self.arguments.socket_type == SocketType::Router);
        while self.count == 0 || self.tally.count < self.count {
            let message = self.receive()?;
            self.tally.add("<-", message.get(envelope..).unwrap_or_default());
            self.send(message)?;
        }
        Ok(())
    }

    /// Sends messages, one after the reply to the other.
    fn ask(&mut self) -> Result<(), Failure> {
        self.tally.start();
        for i in 0..self.count {
            let message = self.message(i);
            let before = Instant::now();
            self.send(message.clone())?; // shares the bodies, copies none
            let reply = self.receive()?;
            self.tally.round_trip(before.elapsed());
            if reply != message {
                return Err(format!("reply {i} differs: {reply:?} for {message:?}"));
            }
            self.tally.add("->", &reply[self.prefix(i).len()..]);
        }
        Ok(())
    }

    /// Sends messages.
    fn source(&mut self) -> Result<(), Failure> {
        if self.arguments.is_pub_sub() {
            self.greet()?;
        }
        self.tally.start();
        for i in 0..self.count {
            self.send(self.message(i))?;
            self.tally.add("->", &self.content.message(i));
        }
        Ok(())
    }

    /// Says hello to the subscribers until a line comes in.
    fn greet(&mut self) -> Result<(), Failure> {
        let (told, line) = channel();
        thread::spawn(move || {
            let _ = stdin().read_line(&mut String::new());
            let _ = told.send(());
        });
        let topics = self.arguments.topics.iter();
        let mut hellos: Vec<Message> =
            topics.map(|topic| Message::from([topic.as_bytes(), &HELLO])).collect();
        if hellos.is_empty() {
            hellos.push(Message::from(HELLO));
        }
        while line.recv_timeout(AGAIN) == Err(RecvTimeoutError::Timeout) {
            for hello in &hellos {
                self.send(hello.clone())?;
            }
        }
        Ok(())
    }

    /// Receives messages and checks content and order.
    fn sink(&mut self) -> Result<(), Failure> {
        let is_router = self.arguments.socket_type == SocketType::Router;
        let is_xpub = self.arguments.socket_type == SocketType::XPub;
        let is_pub_sub = self.arguments.is_pub_sub();
        let mut synced = false;
        // For each routing id, which message comes next.
        let mut expected: HashMap<Option<Frame>, u64> = HashMap::new();
        while self.tally.count < self.count {
            let mut message = self.receive()?;
            if is_xpub && message.len() == 1 {
                continue; // a subscription
            }
            if is_pub_sub && message.last().is_some_and(|part| *part == HELLO) {
                if !std::mem::replace(&mut synced, true) {
                    say("SYNC");
                }
                continue;
            }
            let routing_id = if is_router { message.pop_front() } else { None };
            let next = expected.entry(routing_id).or_insert(0);
            let i = self.arguments.passing(*next)?;
            *next = i + 1;
            self.check(i, &message)?;
            let parts = message.get(self.prefix(i).len()..).unwrap_or_default();
            self.tally.add("<-", parts);
        }
        Ok(())
    }

    /// Whether this is message `i`, or, where order does not matter, any message.
    fn check(&self, i: u64, message: &Message) -> Result<(), Failure> {
        let prefix = self.prefix(i);
        let right = match message.split_at_checked(prefix.len()) {
            None => false,
            Some((_, parts)) if self.arguments.any_order => self.content.fits_some(parts),
            Some((front, parts)) => front == prefix && parts == &*self.content.message(i),
        };
        if right {
            return Ok(());
        }
        Err(format!("message {} is not message {i}: {message:?}", self.tally.count))
    }

    /// Message `i` with all that stands before its content.
    fn message(&self, i: u64) -> Message {
        let mut message = self.content.message(i);
        for frame in self.prefix(i).into_iter().rev() {
            message.push_front(frame);
        }
        message
    }

    fn prefix(&self, i: u64) -> Vec<Frame> {
        let to = self.arguments.to.iter().map(Frame::from);
        let empty = self.arguments.envelope.then(Frame::new);
        let topic = self.arguments.topic(i).map(Frame::from);
        to.chain(empty).chain(topic).collect()
    }

    /// Sends a message; waits for the peer if it is not there yet.
    fn send(&self, mut message: Message) -> Result<(), Failure> {
        let patience = Duration::from_millis(u64::from(self.arguments.timeout.unsigned_abs()));
        let deadline = Instant::now() + patience;
        loop {
            match self.socket.send(message) {
                Ok(()) => return Ok(()),
                Err(SendError { message: refused, error: Error::Unroutable(_) })
                    if Instant::now() < deadline =>
                {
                    message = refused;
                    thread::sleep(AGAIN);
                }
                Err(refused) => {
                    return Err(format!("send of message {}: {refused}", self.tally.count));
                }
            }
        }
    }

    fn receive(&self) -> Result<Message, Failure> {
        let lost = |error| format!("receive of message {}: {error}", self.tally.count);
        self.socket.recv().map_err(lost)
    }
}

/// Prints a line, at once.
fn say(line: &str) {
    let mut output = stdout().lock();
    // Whoever does not listen any more does not need to know.
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}
