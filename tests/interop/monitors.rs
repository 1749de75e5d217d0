//! The same scenes acted with the system's libzmq (`tests/peers/monitor.c`) and with Tightbeam: the monitors tell the same events, in
//! the same order, with values and endpoints of the same class.
//!
//! What differs on purpose (`docs/monitoring.md`) is taken out before comparing: libzmq tells of descriptors closed that never
//! were connected or bound to anything (before BIND_FAILED, and when a Unix domain socket cannot be connected at once).

use std::io::Write;
use std::net::TcpStream;

use tightbeam::options::Value;
use tightbeam::options::number::{LINGER, MAXMSGSIZE, RECONNECT_IVL};
use tightbeam::{AnySocket, Context, EventKind, SocketType};

use crate::theirs::{self, LIMIT};

/// A socket, and the one that hears of its connections.
struct Side {
    name: char,
    socket: AnySocket,
    events: AnySocket,
    told: Vec<String>,
}

impl Side {
    fn open(context: &Context, name: char, socket_type: SocketType) -> Side {
        let socket = context.any_socket(socket_type).unwrap();
        socket.set_option(LINGER, Value::Int(0)).unwrap();
        socket.set_option(RECONNECT_IVL, Value::Int(50)).unwrap();
        let endpoint = format!("inproc://events-{}", socket.handle().as_u64());
        socket.monitor_socket(&endpoint, EventKind::ALL_V1, 1, SocketType::Pair).unwrap();
        let events = context.any_socket(SocketType::Pair).unwrap();
        events.connect(&endpoint).unwrap();
        Side { name, socket, events, told: Vec::new() }
    }

    fn until(&mut self, wanted: EventKind) {
        hear(self.name, &self.events, wanted, &mut self.told);
    }

    /// Closes the socket; answers all that was told.
    fn close(self) -> Vec<String> {
        let Side { name, socket, events, mut told } = self;
        socket.close();
        hear(name, &events, EventKind::MonitorStopped, &mut told);
        told
    }
}

/// Notes events up to the first of this kind, in the words of `monitor.c`.
fn hear(name: char, events: &AnySocket, wanted: EventKind, told: &mut Vec<String>) {
    loop {
        let message = events.recv_timeout(LIMIT).unwrap_or_else(|error| {
            panic!("no {wanted:?}: {error}; only {told:?}");
        });
        let event = u16::from_ne_bytes(message[0][..2].try_into().unwrap());
        let value = u32::from_ne_bytes(message[0][2..].try_into().unwrap());
        told.push(format!("{name} {event} {value} {}", message[1].to_string_lossy()));
        if u64::from(event) == wanted.number() {
            return;
        }
    }
}

fn pair(context: &Context, endpoint: &str, what: &str) -> Vec<String> {
    let (connecter, last) = match what {
        "refused" => (SocketType::Pub, EventKind::Disconnected),
        _ => (SocketType::Push, EventKind::HandshakeSucceeded),
    };
    let mut bound = Side::open(context, 'B', SocketType::Pull);
    let mut made = Side::open(context, 'C', connecter);
    bound.socket.set_option(MAXMSGSIZE, Value::Int64(100)).unwrap();
    let endpoint = bound.socket.bind(endpoint).unwrap();
    made.socket.connect(&endpoint).unwrap();
    bound.until(last);
    made.until(last);
    match what {
        "server" => {
            let told = bound.close();
            made.until(EventKind::ConnectRetried);
            return [told, made.close()].concat();
        }
        "long" => {
            made.socket.send(vec![0; 101]).unwrap();
            bound.until(EventKind::Disconnected);
            made.until(EventKind::ConnectRetried);
        }
        "unbind" => {
            bound.socket.unbind(&endpoint).unwrap();
            bound.until(EventKind::Closed);
        }
        "disconnect" => made.socket.disconnect(&endpoint).unwrap(),
        _ => {}
    }
    let told = made.close();
    if matches!(what, "client" | "disconnect") {
        bound.until(EventKind::Disconnected);
    }
    [bound.close(), told].concat()
}

fn connect_to_nobody(context: &Context, endpoint: &str) -> Vec<String> {
    let mut made = Side::open(context, 'C', SocketType::Push);
    made.socket.connect(endpoint).unwrap();
    made.until(EventKind::ConnectRetried);
    made.close()
}

fn bind_twice(context: &Context) -> Vec<String> {
    let first = context.any_socket(SocketType::Pull).unwrap();
    let mut second = Side::open(context, 'B', SocketType::Pull);
    second.socket.bind(first.bind("tcp://127.0.0.1:*").unwrap()).unwrap_err();
    second.until(EventKind::BindFailed);
    second.close()
}

fn raw(context: &Context, hex: &str) -> Vec<String> {
    let mut bound = Side::open(context, 'B', SocketType::Pull);
    let endpoint = bound.socket.bind("tcp://127.0.0.1:*").unwrap();
    let mut peer = TcpStream::connect(endpoint.as_str().trim_start_matches("tcp://")).unwrap();
    bound.until(EventKind::Accepted);
    let bytes: Vec<u8> = (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    peer.write_all(&bytes).unwrap();
    let peer = Some(peer).filter(|_| !bytes.is_empty());
    bound.until(EventKind::Disconnected);
    drop(peer);
    bound.close()
}

/// Acts a scene; the line is the one that `monitor.c` reads.
fn act(scene: &str) -> Vec<String> {
    let context = Context::new();
    let mut words = scene.split(' ');
    let mut word = || words.next().unwrap_or_default();
    match (word(), word(), word()) {
        ("pair", endpoint, what) => pair(&context, endpoint, what),
        ("nobody", endpoint, _) => connect_to_nobody(&context, endpoint),
        ("twice", ..) => bind_twice(&context),
        (_, hex, _) => raw(&context, hex),
    }
}

/// What must be the same: sides in order, each event with the class of its value and of its endpoint.
fn essence<'a>(told: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut essence = Vec::new();
    for line in told {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let &[side, event, value, endpoint] = &words[..] else { panic!("{line:?}") };
        let (event, value): (u64, u64) = (event.parse().unwrap(), value.parse().unwrap());
        let value = match event {
            // Connected, listening, accepted, closed, disconnected.
            0x1 | 0x8 | 0x20 | 0x80 | 0x200 => {
                format!("descriptor: {}", (3..4096).contains(&value))
            }
            // Retried.
            0x4 => format!("interval: {}", (50..=100).contains(&value)),
            // EPIPE or ECONNRESET: whether the peer went before something was written to it, or after.
            0x800 if [32, 104].contains(&value) => "cut off".to_owned(),
            _ => value.to_string(),
        };
        // Ports and files of the system's choice.
        let (transport, rest) = endpoint.split_once("://").unwrap_or(("", endpoint));
        let rest = match transport {
            "ipc" => "file",
            _ => rest.rsplit_once(':').map_or(rest, |(host, _)| host),
        };
        essence.push(format!("{side} {event:#x} {value} {transport} {rest}"));
    }
    // After the first pause the next attempt may begin before the socket is closed.
    if let Some(retried) = essence.iter().position(|line| line.starts_with("C 0x4 ")) {
        let stopped = |line: &String| line.starts_with("C 0x400 ");
        let end = essence.iter().position(stopped).unwrap_or(essence.len());
        essence.drain(retried + 1..end.max(retried + 1));
    }
    essence.sort_by_key(|line| line.starts_with('C'));
    essence
}

/// A greeting of ZMTP 3.0 with this mechanism and what follows, in hexadecimal.
fn greeting(mechanism: &str, rest: &[u8]) -> String {
    let mut bytes = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0];
    bytes.extend(mechanism.bytes());
    bytes.resize(64, 0);
    bytes.extend(rest);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn monitors_tell_what_libzmqs_tell() {
    let Some(libzmq) = theirs::monitor() else { return };
    let file = std::env::temp_dir().join(format!("tightbeam-nobody-{}", std::process::id()));
    // A name of libzmq's own choice would lie in the working directory.
    let ipc = format!("ipc://{}.socket", file.display());
    let tcp = "tcp://127.0.0.1:*";
    let mut scenes: Vec<String> = ["client", "server", "unbind", "disconnect", "refused", "long"]
        .iter()
        .flat_map(|what| [tcp, &ipc].map(|endpoint| format!("pair {endpoint} {what}")))
        .collect();
    scenes.extend([
        "pair tcp://*:* client".to_owned(),
        "nobody tcp://127.0.0.1:1".to_owned(),
        "nobody tcp://localhost:1".to_owned(),
        "nobody tcp://no.such.host.invalid:1".to_owned(),
        format!("nobody ipc://{}", file.display()),
        "twice".to_owned(),
        "raw".to_owned(),
        format!("raw {}", greeting("PLAIN", b"")),
        format!("raw {}", greeting("BOGUS", b"")),
        format!("raw {}", greeting("NULL", b"\x04\x06\x05BOGUS")),
        format!("raw {}", greeting("NULL", b"\x00\x01x")),
        format!("raw {}", greeting("NULL", b"\x04\x07\x05ERROR\x09")),
    ]);
    let mut differences = Vec::new();
    for scene in &scenes {
        let answer = libzmq.filter(&format!("{scene}\n"));
        let answer = answer.unwrap_or_else(|error| panic!("{scene}: {error}"));
        let mut theirs = essence(answer.lines());
        if scene == "twice" || scene.starts_with("nobody ipc") {
            // Nothing was open to anybody.
            theirs.retain(|line| !line.contains(" 0x80 "));
        }
        let mut ours = essence(act(scene).iter().map(String::as_str));
        if scene.ends_with("unbind") {
            // Accepted connections end with the endpoint; with libzmq when the socket is used again.
            let ends = |line: &String| line.contains(" 0x200 ") || line.starts_with("C 0x4 ");
            ours.retain(|line| !ends(line));
            theirs.retain(|line| !ends(line));
        }
        if scene.ends_with("refused") {
            // libzmq may be cut off while it writes.
            theirs.retain(|line| !line.contains(" 0x800 "));
        }
        if ours != theirs {
            differences.push(format!("{scene}\n  ours   {ours:?}\n  theirs {theirs:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
