//! How a scene is acted, and what came of it.

use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tightbeam::SocketType;
use tightbeam::options::{Value, number};
use tightbeam_tests::transport::anywhere_over;

use super::native::{self, Seen};
use super::outcome::Outcome;
use super::scene::{Given, Handler, Judge, Scene, Setting};
use crate::stage::{End, Event, Who};

const SERVER: usize = 0;
const CLIENT: usize = 1;

/// How long a scene may take that nothing comes of.
const LIMIT: Duration = Duration::from_secs(30);
/// So long after both were disconnected a client that says nothing does not try again: an attempt is announced at once.
const QUIET: Duration = Duration::from_millis(250);

const CONNECT_RETRIED: u64 = 0x4;
const DISCONNECTED: u64 = 0x200;
const HANDSHAKE_SUCCEEDED: u64 = 0x1000;

/// The names that a receiver asks for.
const NAMES: [&str; 6] = ["User-Id", "Peer-Address", "Identity", "Socket-Type", "Hello", "X-App"];

const CLIENT_ID: &str = "client";

/// Between two attempts, where only the first one counts.
const LATER_MS: i32 = 60_000;

/// One end while it acts.
struct Actor {
    end: End,
    handler: Option<Handler>,
    /// What an authenticator in its place has seen.
    seen: Option<Seen>,
    events: Vec<Event>,
    requests: Vec<Vec<Vec<u8>>>,
    received: Option<String>,
}

impl Actor {
    fn open(scene: &Scene, side: usize, who: Who) -> Actor {
        let mut end = End::open(who, SocketType::Dealer);
        if side == CLIENT {
            end.set_text(number::ROUTING_ID, CLIENT_ID);
        }
        if attempts(scene) == 1 {
            end.set_int(number::RECONNECT_IVL, LATER_MS);
        }
        let mut actor = Actor {
            end,
            handler: scene.handlers[side].clone(),
            seen: None,
            events: Vec::new(),
            requests: Vec::new(),
            received: None,
        };
        match who {
            Who::UsNatively => actor.prepare_natively(&scene.settings[side], side),
            Who::Us | Who::Them(_) => actor.prepare(&scene.settings[side]),
        }
        actor
    }

    fn prepare(&mut self, settings: &[Setting]) {
        for (option, given) in settings {
            let value = match given {
                Given::Int(value) => Value::Int(*value),
                Given::Text(text) => Value::Bytes(text.as_bytes()),
            };
            self.end.set(*option, value);
        }
        if let Some(handler) = self.handler.as_ref().filter(|handler| !handler.is_late) {
            self.end.open_handler(handler.socket_type);
        }
    }

    fn prepare_natively(&mut self, settings: &[Setting], side: usize) {
        native::configure(self.end.socket(), settings);
        if let Some(handler) = self.handler.take() {
            let own_id = native::text(settings, number::ROUTING_ID);
            let identity = own_id.unwrap_or(if side == CLIENT { CLIENT_ID } else { "" });
            let (authenticator, seen) = native::authenticator(&handler.judge, identity);
            self.end.set_authenticator(authenticator);
            self.seen = Some(seen);
        }
    }

    /// All that was asked about peers.
    fn into_requests(self) -> Vec<Vec<Vec<u8>>> {
        match self.seen {
            Some(seen) => seen.lock().expect("no panic while it is held").clone(),
            None => self.requests,
        }
    }

    /// Notes what has happened; whether anything has.
    fn hear(&mut self) -> bool {
        let before = self.events.len();
        while let Some(event) = self.end.event_within(Duration::ZERO) {
            self.events.push(event);
        }
        self.events.len() > before
    }

    fn authenticate(&mut self) -> bool {
        let Some(handler) = &self.handler else { return false };
        let Some(asked) = self.end.asked_within(Duration::ZERO) else { return false };
        // What a ROUTER has in front goes in front of what it says.
        let (envelope, request) = match handler.socket_type {
            SocketType::Router => asked.split_at(2),
            _ => asked.split_at(0),
        };
        self.requests.push(request.to_vec());
        if let Some(reply) = handler.judge.reply(request, self.requests.len()) {
            self.end.reply(&[envelope.to_vec(), reply].concat());
        } else if matches!(handler.judge, Judge::Leaves) {
            self.end.dismiss();
            self.handler = None;
        }
        true
    }

    fn receive(&mut self, wanted: &str) -> bool {
        if self.received.is_some() {
            return false;
        }
        let Ok(message) = self.end.recv_within(Duration::ZERO) else { return false };
        assert_eq!(message, [wanted.as_bytes()]);
        let mut received = wanted.to_owned();
        for name in NAMES {
            if let Some(value) = self.end.gets(name) {
                received.push_str(&format!(" {name}={value}"));
            }
        }
        self.received = Some(received);
        true
    }

    fn count(&self, kind: u64) -> usize {
        self.events.iter().filter(|event| event.kind == kind).count()
    }
}

/// An address of this machine that nobody else uses: on busy machines clients of others look for servers whose port has become ours.
fn lonely_address() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("127.{}.{}.{}", 1 + std::process::id() % 250, 1 + count / 250 % 250, 1 + count % 250)
}

/// Acts a scene to its end: the conversation, a second attempt, or that there is none.
pub(super) fn act(scene: &Scene, casts: [Who; 2]) -> Outcome {
    let [mut server, mut client] =
        [SERVER, CLIENT].map(|side| Actor::open(scene, side, casts[side]));
    let address = match scene.over_ipc {
        true => String::new(),
        false => lonely_address(),
    };
    let wanted = match scene.over_ipc {
        true => anywhere_over(true),
        false => format!("tcp://{address}:*"),
    };
    let endpoint = server.end.try_bind(&wanted).expect("an endpoint");
    if let Some(handler) = server.handler.as_ref().filter(|handler| handler.is_late) {
        server.end.open_handler(handler.socket_type);
    }
    client.end.connect(&endpoint);
    // It fails if the server has refused the client by now, and the client has given up.
    let _ = client.end.try_send(&["hello"]);
    let deadline = Instant::now() + LIMIT;
    let mut last = Instant::now();
    let hung = loop {
        let mut happened = false;
        for actor in [&mut server, &mut client] {
            happened |= actor.hear() | actor.authenticate();
        }
        if server.receive("hello") {
            server.end.try_send(&["welcome"]).expect("the peer that was heard");
            happened = true;
        }
        happened |= client.receive("welcome");
        let now = Instant::now();
        if happened {
            last = now;
        }
        if is_done(&server, &client) || is_over(scene, [&server, &client], now - last) {
            break false;
        }
        if now > deadline {
            break true;
        }
        if !happened {
            // The end that has most to say.
            let event = client.end.event_within(Duration::from_millis(2));
            if let Some(event) = event {
                client.events.push(event);
                last = Instant::now();
            }
        }
    };
    let processes = [server.end.process(), client.end.process()];
    let take = |actor: &mut Actor| (mem::take(&mut actor.events), actor.received.take());
    let [(told, heard), (told_there, heard_there)] = [&mut server, &mut client].map(take);
    // The client ends first: it shall not connect to whoever is bound there next.
    let asked_there = client.into_requests();
    let asked = server.into_requests();
    Outcome {
        events: [told, told_there],
        received: [heard, heard_there],
        requests: [asked, asked_there],
        processes,
        address,
        is_client_ours: casts[CLIENT].is_ours(),
        hung,
    }
}

/// Whether they have talked, and their monitors know it.
fn is_done(server: &Actor, client: &Actor) -> bool {
    client.received.is_some()
        && [server, client].iter().all(|actor| actor.count(HANDSHAKE_SUCCEEDED) > 0)
}

/// How many attempts count: where a handler changes its mind, the second.
fn attempts(scene: &Scene) -> usize {
    let changes = |handler: &Handler| matches!(handler.judge, Judge::First(_));
    1 + usize::from(scene.handlers.iter().flatten().any(changes))
}

/// Whether all attempts that count have come to nothing, and what the client makes of that is known.
fn is_over(scene: &Scene, [server, client]: [&Actor; 2], quiet: Duration) -> bool {
    let attempts = attempts(scene);
    let ended = server.count(DISCONNECTED).min(client.count(DISCONNECTED)) >= attempts;
    ended && (client.count(CONNECT_RETRIED) >= attempts || quiet > QUIET)
}
