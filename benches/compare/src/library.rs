//! What a library has to offer to take part. Methods are asynchronous because most rivals are; with one that blocks, such as
//! Tightbeam, they just return when they are done.

use std::future::Future;
use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use crate::Outcome;

/// The sockets' types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are ZeroMQ's")]
pub enum Role {
    Req,
    Rep,
    Pair,
    Push,
    Pull,
    Pub,
    Sub,
    Dealer,
    Router,
}

/// What a socket is opened for.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its type.
    pub role: Role,
    /// The longest part that it receives.
    pub size: usize,
    /// How many peers a socket that binds will have: some libraries have to be told.
    pub peers: usize,
    /// Whether its connections are encrypted, with the keys in `keys`; who binds is the server.
    pub curve: bool,
}

/// The keys that the manual page `zmq_curve` gives for tests.
#[expect(missing_docs, reason = "their names say it")]
pub mod keys {
    pub const SERVER_PUBLIC: &str = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    pub const SERVER_SECRET: &str = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
    pub const CLIENT_PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    pub const CLIENT_SECRET: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

    /// The bytes of a key: Z85, as RFC 32 has it.
    pub fn bytes(key: &str) -> [u8; 32] {
        const DIGITS: &str =
            "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
        let mut bytes = [0; 32];
        let digits: Vec<u32> =
            key.chars().map(|c| DIGITS.find(c).expect("a digit of Z85") as u32).collect();
        for (five, four) in digits.chunks(5).zip(bytes.chunks_mut(4)) {
            let value = five.iter().fold(0_u32, |value, digit| value * 85 + digit);
            four.copy_from_slice(&value.to_be_bytes());
        }
        bytes
    }
}

/// What is looked at of a message: as much as an application that checks its input would.
#[derive(Clone, Copy, Debug, Default)]
pub struct Received {
    /// Bytes of all parts.
    pub len: usize,
    /// The first bytes of the first part.
    pub head: [u8; 8],
}

impl Received {
    /// Looks at the parts of a message.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut received = Self::default();
        for (at, part) in parts.into_iter().enumerate() {
            if let (0, Some(head)) = (at, part.first_chunk()) {
                received.head = *head;
            }
            received.len += part.len();
        }
        received
    }
}

/// A library, with what its sockets share (a context).
#[expect(async_fn_in_trait, reason = "nobody needs to know whether these futures are `Send`")]
pub trait Library: Clone + Send + Sync + 'static {
    /// A socket of it.
    type Socket: Socket;

    /// Once for each process.
    fn new() -> Outcome<Self>;

    /// Runs what a thread does.
    fn run<T>(&self, work: impl Future<Output = T>) -> T;

    /// Runs the work of `count` peers side by side: in a thread each where calls block, otherwise as tasks.
    async fn side_by_side<T: Send, F: Future<Output = T>>(
        &self,
        count: usize,
        work: impl Fn(usize) -> F + Sync,
    ) -> Vec<T>;

    /// A socket that is bound; returns once clients can connect (and calls `ready` before it waits for them).
    async fn bind(
        &self,
        setup: &Setup,
        endpoint: &str,
        ready: impl FnOnce(),
    ) -> Outcome<Self::Socket>;

    /// A socket that is connected, or about to be.
    async fn connect(&self, setup: &Setup, endpoint: &str) -> Outcome<Self::Socket>;

    /// Whether one thread can wait for many sockets. Otherwise each has a task, or a thread, there too.
    const POLLS: bool = false;

    /// Waits until some of the sockets have a message, and answers which.
    async fn poll(&self, _sockets: &[Self::Socket], _ready: &mut Vec<usize>) -> Outcome {
        Err("there is no poll".into())
    }

    /// Lets other things go on for so long, or less.
    async fn sleep(&self, time: Duration);

    /// Lets other things go on, where there are any.
    async fn yield_now(&self);

    /// Waits for a byte of the other side's.
    async fn acknowledged(&self, control: &TcpStream) -> Outcome;
}

/// Reads a byte from the other side, and blocks for it.
pub fn read_byte(mut control: &TcpStream) -> std::io::Result<()> {
    control.read_exact(&mut [0])
}

/// What a library cannot do: it is left out where that is measured.
#[derive(Clone, Copy, Debug)]
pub struct Unsupported(pub &'static str);

impl std::fmt::Display for Unsupported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Unsupported {}

/// One socket.
#[expect(async_fn_in_trait, reason = "nobody needs to know whether these futures are `Send`")]
pub trait Socket {
    /// Sends a message of so many parts, each with these bytes, which the caller keeps.
    async fn send(&mut self, body: &[u8], parts: usize) -> Outcome;

    /// Receives a message.
    async fn recv(&mut self) -> Outcome<Received>;

    /// Receives a message and sends it back to where it came from.
    async fn echo(&mut self) -> Outcome;

    /// Adds a subscription.
    async fn subscribe(&mut self, topic: &[u8]) -> Outcome;

    /// What the library held back of earlier messages leaves, if the library does not see to that.
    async fn flush(&mut self) -> Outcome {
        Ok(())
    }

    /// Ends it. Everything has arrived.
    async fn close(self) -> Outcome;
}
