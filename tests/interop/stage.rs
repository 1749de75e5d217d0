//! Sockets of this library and of real libzmq behind one face, so that one scene can be acted with every cast: ours against theirs in
//! both parts, and theirs against theirs, which shows that the scene asks for what libzmq does and for nothing else.

mod handler;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tightbeam::options::{Value, number};
use tightbeam::{AnySocket, Context, EventKind, Frame, Message, Monitor, SocketType};

use crate::peers::{Peer, Program};
use crate::theirs::{self, LIMIT};
use tightbeam_tests::transport::anywhere;

/// How soon attempts to connect are made again in these scenes.
const SOON_MS: i32 = 20;

/// Whose socket plays a part.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who {
    Us,
    /// Us, with what libzmq has not.
    UsNatively,
    Them(&'static Program),
}

impl Who {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Who::Us => "us",
            Who::UsNatively => "us natively",
            Who::Them(program) => program.language,
        }
    }

    /// Whether it runs on our library, through whichever interface.
    pub(crate) fn is_ours(self) -> bool {
        match self {
            Who::Us | Who::UsNatively => true,
            Who::Them(program) => program.language.ends_with("on ours"),
        }
    }
}

/// Who plays whom: an option is set on the actor, and the other one sees what comes of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cast {
    actor: Who,
    other: Who,
}

impl Cast {
    /// Acts a scene with every cast.
    pub(crate) fn each(scene: impl Fn(&Cast)) {
        let mut casts = Vec::new();
        for program in theirs::puppets() {
            let them = Who::Them(program);
            if casts.is_empty() {
                // First of all: is it true of libzmq?
                casts.push(Cast { actor: them, other: them });
            }
            casts.push(Cast { actor: Who::Us, other: them });
            casts.push(Cast { actor: them, other: Who::Us });
        }
        casts.iter().for_each(|cast| cast.act(&scene));
    }

    /// Scenes that need no proof that libzmq does the same: us alone, and each of us with the system's libzmq.
    pub(crate) fn with_us() -> Vec<Cast> {
        let mut casts = vec![Cast { actor: Who::Us, other: Who::Us }];
        if let Some(program) = theirs::puppets().next() {
            let them = Who::Them(program);
            casts.push(Cast { actor: Who::Us, other: them });
            casts.push(Cast { actor: them, other: Who::Us });
        }
        casts
    }

    pub(crate) fn actor_is_ours(&self) -> bool {
        matches!(self.actor, Who::Us)
    }

    pub(crate) fn other_is_ours(&self) -> bool {
        matches!(self.other, Who::Us)
    }

    /// Acts a scene with us alone as the actor: for what libzmq has not, or only as a draft.
    pub(crate) fn against_them(scene: impl Fn(&Cast)) {
        for program in theirs::puppets() {
            let cast = Cast { actor: Who::Us, other: Who::Them(program) };
            cast.act(&scene);
        }
    }

    fn act(&self, scene: impl Fn(&Cast)) {
        println!("{} before {}", self.actor.name(), self.other.name());
        scene(self);
    }

    pub(crate) fn actor(&self, socket_type: SocketType) -> End {
        End::open(self.actor, socket_type)
    }

    pub(crate) fn other(&self, socket_type: SocketType) -> End {
        End::open(self.other, socket_type)
    }

    /// Both ends, before they meet.
    pub(crate) fn ends(&self, actor: SocketType, other: SocketType) -> (End, End) {
        (self.actor(actor), self.other(other))
    }
}

/// What happened to a socket, in libzmq's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) kind: u64,
    pub(crate) value: u64,
    pub(crate) endpoint: String,
}

/// A socket. Calls that fail answer the errno.
#[derive(Debug)]
pub(crate) enum End {
    Ours {
        context: Context,
        socket: Option<AnySocket>,
        monitor: Monitor,
        last: Option<Frame>,
        handler: Option<AnySocket>,
    },
    Theirs {
        puppet: Option<Peer>,
    },
}

/// Puppets that wait for the next scene.
static IDLE: Mutex<Vec<(&str, Peer)>> = Mutex::new(Vec::new());

fn puppet(program: &'static Program) -> Peer {
    let mut idle = IDLE.lock().expect("no panic while it is held");
    let at = idle.iter().position(|(language, _)| *language == program.language);
    match at.map(|at| idle.swap_remove(at)) {
        Some((_, peer)) => peer,
        None => program.start(&[]).unwrap_or_else(|error| panic!("{error}")),
    }
}

/// Bytes as a word of a puppet's command.
fn word(bytes: &[u8]) -> String {
    let mut word = String::with_capacity(2 * bytes.len() + 1);
    word.push('x');
    for digit in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        word.push(char::from_digit(u32::from(digit), 16).expect("half a byte"));
    }
    word
}

fn bytes(word: &str) -> Vec<u8> {
    let digits = word.strip_prefix('x').unwrap_or_else(|| panic!("{word}"));
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// Gives a puppet a command; what it answers.
fn tell(puppet: &mut Option<Peer>, command: &str) -> Result<String, i32> {
    let puppet = puppet.as_mut().expect("a scene that goes on");
    puppet.tell(command).unwrap_or_else(|error| panic!("{error}"));
    let answer = puppet.wait_for("= ", LIMIT).unwrap_or_else(|error| panic!("{error}"));
    match answer["= ".len()..].split_once(' ') {
        None if answer == "= ok" => Ok(String::new()),
        Some(("ok", rest)) => Ok(rest.to_owned()),
        Some(("error", errno)) => Err(errno.parse().expect("a number")),
        _ => panic!("{command}: {answer}"),
    }
}

impl End {
    pub(crate) fn open(who: Who, socket_type: SocketType) -> End {
        let end = match who {
            Who::Us | Who::UsNatively => {
                let context = Context::new();
                let socket = context.any_socket(socket_type).expect("a socket");
                let ms = i32::try_from(LIMIT.as_millis()).expect("a limit in milliseconds");
                socket.set_option(number::SNDTIMEO, Value::Int(ms)).expect("an option");
                let monitor = socket.monitor().expect("a monitor");
                End::Ours { context, socket: Some(socket), monitor, last: None, handler: None }
            }
            Who::Them(program) => {
                let mut puppet = Some(puppet(program));
                let open = format!("open {}", socket_type as i32);
                tell(&mut puppet, &open).expect("a socket");
                End::Theirs { puppet }
            }
        };
        let mut end = end;
        end.set(number::RECONNECT_IVL, Value::Int(SOON_MS));
        end
    }

    pub(crate) fn try_set(&mut self, option: i32, value: Value<'_>) -> Result<(), i32> {
        match self {
            End::Ours { .. } => {
                self.socket().set_option(option, value).map_err(|error| error.errno())
            }
            End::Theirs { puppet } => {
                let value = match value {
                    Value::Int(value) => format!("int {value}"),
                    Value::Int64(value) => format!("int64 {value}"),
                    Value::Bytes(value) => format!("bytes {}", word(value)),
                    value => panic!("{value:?} is for nothing that a peer sees"),
                };
                tell(puppet, &format!("set {option} {value}")).map(drop)
            }
        }
    }

    #[track_caller]
    pub(crate) fn set(&mut self, option: i32, value: Value<'_>) {
        self.try_set(option, value).expect("an option");
    }

    #[track_caller]
    pub(crate) fn set_int(&mut self, option: i32, value: i32) {
        self.set(option, Value::Int(value));
    }

    #[track_caller]
    pub(crate) fn set_text(&mut self, option: i32, value: &str) {
        self.set(option, Value::Bytes(value.as_bytes()));
    }

    /// Our own socket.
    pub(crate) fn socket(&self) -> &AnySocket {
        match self {
            End::Ours { socket, .. } => socket.as_ref().expect("a scene that goes on"),
            End::Theirs { .. } => panic!("a socket of libzmq"),
        }
    }

    pub(crate) fn try_bind(&mut self, endpoint: &str) -> Result<String, i32> {
        match self {
            End::Ours { .. } => {
                let bound = self.socket().bind(endpoint).map_err(|error| error.errno());
                bound.map(|endpoint| endpoint.to_string())
            }
            End::Theirs { puppet } => tell(puppet, &format!("bind {endpoint}")),
        }
    }

    /// Binds where nobody is, and waits until a peer can come.
    #[track_caller]
    pub(crate) fn bind(&mut self) -> String {
        self.try_bind(&anywhere()).expect("an endpoint")
    }

    pub(crate) fn try_connect(&mut self, endpoint: &str) -> Result<(), i32> {
        match self {
            End::Ours { .. } => {
                self.socket().connect(endpoint).map(drop).map_err(|error| error.errno())
            }
            End::Theirs { puppet } => tell(puppet, &format!("connect {endpoint}")).map(drop),
        }
    }

    #[track_caller]
    pub(crate) fn connect(&mut self, endpoint: &str) {
        self.try_connect(endpoint).expect("an endpoint");
    }

    /// Stops listening there.
    #[track_caller]
    pub(crate) fn unbind(&mut self, endpoint: &str) {
        match self {
            End::Ours { .. } => self.socket().unbind(endpoint).expect("an endpoint"),
            End::Theirs { puppet } => {
                drop(tell(puppet, &format!("unbind {endpoint}")).expect("an endpoint"));
            }
        }
    }

    /// Connects there no longer.
    #[track_caller]
    pub(crate) fn disconnect(&mut self, endpoint: &str) {
        match self {
            End::Ours { .. } => self.socket().disconnect(endpoint).expect("an endpoint"),
            End::Theirs { puppet } => {
                drop(tell(puppet, &format!("disconnect {endpoint}")).expect("an endpoint"));
            }
        }
    }

    /// An endpoint where nobody is bound, but somebody was, so that it can be bound again.
    #[track_caller]
    pub(crate) fn reserve(&mut self) -> String {
        let endpoint = self.bind();
        self.unbind(&endpoint);
        self.until(EventKind::Closed);
        endpoint
    }

    /// Binds where somebody was.
    #[track_caller]
    pub(crate) fn bind_again(&mut self, endpoint: &str) {
        let deadline = Instant::now() + LIMIT;
        while let Err(errno) = self.try_bind(endpoint) {
            assert!(Instant::now() < deadline, "{endpoint}: errno {errno}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The other one binds, this one connects, and both know that they may talk.
    #[track_caller]
    pub(crate) fn meet(&mut self, other: &mut End) {
        let endpoint = other.bind();
        self.connect(&endpoint);
        self.until(EventKind::HandshakeSucceeded);
        other.until(EventKind::HandshakeSucceeded);
        self.stir();
        other.stir();
    }

    /// Lets libzmq do what it only does in calls: take in connections, and say what is said to each. We wait for no call.
    pub(crate) fn stir(&mut self) {
        if let End::Theirs { puppet } = self {
            tell(puppet, "stir").expect("a socket");
        }
    }

    #[track_caller]
    pub(crate) fn send(&mut self, parts: &[impl AsRef<[u8]>]) {
        match self {
            End::Ours { .. } => self.socket().send(message(parts)).expect("a peer"),
            End::Theirs { puppet } => drop(tell(puppet, &command("send", parts)).expect("a peer")),
        }
    }

    /// Sends without waiting.
    pub(crate) fn try_send(&mut self, parts: &[impl AsRef<[u8]>]) -> Result<(), i32> {
        match self {
            End::Ours { .. } => {
                let sent = self.socket().try_send(message(parts));
                sent.map_err(|refused| refused.error.errno())
            }
            End::Theirs { puppet } => tell(puppet, &command("try", parts)).map(drop),
        }
    }

    pub(crate) fn recv_within(&mut self, limit: Duration) -> Result<Vec<Vec<u8>>, i32> {
        match self {
            End::Ours { socket, last, .. } => {
                let socket = socket.as_ref().expect("a scene that goes on");
                let message = socket.recv_timeout(limit).map_err(|error| error.errno())?;
                *last = message.last().cloned();
                Ok(message.iter().map(|part| part.to_vec()).collect())
            }
            End::Theirs { puppet } => {
                let answer = tell(puppet, &format!("recv {}", limit.as_millis()))?;
                Ok(answer.split(' ').map(bytes).collect())
            }
        }
    }

    #[track_caller]
    pub(crate) fn recv(&mut self) -> Vec<Vec<u8>> {
        // Half of what the puppet has, so that its answer is heard.
        self.recv_within(LIMIT / 2).expect("a message")
    }

    /// The next message has to be this one.
    #[track_caller]
    pub(crate) fn expect(&mut self, parts: &[impl AsRef<[u8]>]) {
        let message = self.recv();
        let wanted: Vec<_> = parts.iter().map(|part| part.as_ref().to_vec()).collect();
        let text = |parts: &[Vec<u8>]| {
            parts.iter().map(|part| part.escape_ascii().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(text(&message), text(&wanted));
    }

    /// A property of the message that was received last: its text, if there is such.
    pub(crate) fn gets(&mut self, name: &str) -> Option<String> {
        match self {
            End::Ours { last, .. } => {
                let peer = last.as_ref().expect("a message").peer()?;
                peer.get(name).map(str::to_owned)
            }
            End::Theirs { puppet } => tell(puppet, &format!("gets {name}")).ok(),
        }
    }

    pub(crate) fn event_within(&mut self, limit: Duration) -> Option<Event> {
        match self {
            End::Ours { monitor, .. } => {
                let deadline = Instant::now() + limit;
                loop {
                    let left = deadline.saturating_duration_since(Instant::now());
                    let event = monitor.next_timeout(left)?;
                    if event.kind.is_of_libzmq() {
                        return Some(Event {
                            kind: event.kind.number(),
                            value: event.value(),
                            endpoint: event.address().to_owned(),
                        });
                    }
                }
            }
            End::Theirs { puppet } => {
                let answer = tell(puppet, &format!("event {}", limit.as_millis())).ok()?;
                let mut words = answer.splitn(3, ' ');
                let mut word = || words.next().unwrap_or_default();
                let number = |word: &str| word.parse().expect("a number");
                let (kind, value) = (number(word()), number(word()));
                Some(Event { kind, value, endpoint: word().to_owned() })
            }
        }
    }

    /// Waits until this has happened.
    #[track_caller]
    pub(crate) fn until(&mut self, kind: EventKind) -> Event {
        self.until_one(&[kind])
    }

    /// Waits until one of these has happened.
    #[track_caller]
    pub(crate) fn until_one(&mut self, kinds: &[EventKind]) -> Event {
        let mut seen = Vec::new();
        while let Some(event) = self.event_within(LIMIT / 2) {
            if kinds.iter().any(|kind| kind.number() == event.kind) {
                return event;
            }
            seen.push(event);
        }
        panic!("none of {kinds:?} in {seen:#x?}");
    }

    /// Whether this has happened by now.
    pub(crate) fn has_happened(&mut self, kind: EventKind) -> bool {
        let mut happened = false;
        while let Some(event) = self.event_within(Duration::ZERO) {
            happened |= event.kind == kind.number();
        }
        happened
    }

    /// The number of the process that has the socket.
    pub(crate) fn process(&self) -> u32 {
        match self {
            End::Ours { .. } => std::process::id(),
            End::Theirs { puppet } => puppet.as_ref().expect("a scene that goes on").id(),
        }
    }

    /// Closes the socket without waiting; it lingers by its option.
    pub(crate) fn close(&mut self) {
        match self {
            End::Ours { socket, .. } => drop(socket.take()),
            End::Theirs { puppet } => drop(tell(puppet, "close").expect("a socket")),
        }
    }

    /// Closes the socket and waits until nothing of it is left; it lingers by its option.
    pub(crate) fn finish(&mut self) {
        match self {
            End::Ours { socket, .. } => drop(socket.take().map(AnySocket::close)),
            End::Theirs { puppet } => drop(tell(puppet, "finish").expect("a socket")),
        }
    }
}

fn message(parts: &[impl AsRef<[u8]>]) -> Message {
    parts.iter().map(|part| Frame::from(part.as_ref())).collect()
}

fn command(verb: &str, parts: &[impl AsRef<[u8]>]) -> String {
    let words = parts.iter().map(|part| word(part.as_ref()));
    std::iter::once(verb.to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

impl Drop for End {
    fn drop(&mut self) {
        match self {
            End::Ours { socket, .. } => {
                if let Some(socket) = socket.take() {
                    let _ = socket.set_option(number::LINGER, Value::Int(0));
                }
            }
            // After a failure the puppet may be in the middle of an answer.
            End::Theirs { .. } if std::thread::panicking() => {}
            End::Theirs { puppet } => {
                let _ = tell(puppet, "end");
                let peer = puppet.take().expect("a scene that ends once");
                IDLE.lock().expect("no panic while it is held").push((peer.language(), peer));
            }
        }
    }
}
