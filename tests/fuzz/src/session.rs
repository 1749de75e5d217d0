//! Two ends that talk to each other, and somebody on the wire between them who alters, drops, repeats, holds back
//! and inserts what goes by.

use std::time::{Duration, Instant};

use zmtp::{Config, Event, MechanismConfig, Role, SocketType, Verdict};

use crate::Target;
use crate::checks::{is_in_order, stays_failed};
use crate::choices::{MECHANISMS, a_verdict};
use crate::sealed::is_subsequence;
use crate::support::{End, Frame};
use crate::tamper::{Fate, Way};
use crate::tape::{Tape, short};

pub(crate) const TARGET: Target = Target { name: "session", run, seeds };

/// What the two ends are.
const TYPES: [[SocketType; 2]; 4] = [
    [SocketType::Pair, SocketType::Pair],
    [SocketType::XSub, SocketType::XPub],
    [SocketType::Push, SocketType::Pull],
    [SocketType::Dealer, SocketType::Router],
];

/// What an op begins with, doubled, and the number of the side that does it added.
const CARRY: u8 = 0;
const SEND: u8 = 1;
const SUBSCRIBE: u8 = 2;
const TAMPER: u8 = 3;
const TRICKLE: u8 = 4;
const WAIT: u8 = 5;

/// What messages begin with; no subscription does.
const DATA: u8 = 0xf0;

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let both = |op: u8| [op * 2, op * 2 + 1];
    let handshake = both(CARRY).repeat(5);
    let send = [SEND * 2, 2, 9, 0, 200, SEND * 2 + 1, 1, 3, 1];
    let talk = [&handshake[..], &send, &both(CARRY), &send, &both(CARRY)].concat();
    let topics = [SUBSCRIBE * 2, 5, SUBSCRIBE * 2, 4, CARRY * 2, WAIT * 2, 3];
    let fates = [
        &[TAMPER * 2, 0][..],
        &[0, 40, 1],
        &[TAMPER * 2 + 1, 3],
        &[TAMPER * 2, 4],
        &[TAMPER * 2 + 1, 5, 0, 9],
        &short(b"inserted"),
    ]
    .concat();
    let head = |mechanism: u8, types: u8, verdict: u8| vec![mechanism, types, verdict];
    let mut seeds = Vec::new();
    for (name, mechanism) in [("null", 0), ("plain", 1), ("curve", 2)] {
        seeds.push((name, [&head(mechanism, 3, 1)[..], &talk].concat()));
    }
    seeds.push(("curve-topics", [&head(2, 1, 0)[..], &talk, &topics, &send].concat()));
    seeds.push(("null-topics", [&head(0, 1, 0)[..], &talk, &topics, &send].concat()));
    seeds.push(("curve-tampered", [&head(2, 0, 0)[..], &talk, &fates, &talk].concat()));
    seeds.push(("plain-tampered", [&head(1, 0, 0)[..], &fates, &talk].concat()));
    seeds.push(("curve-trickled", [&head(2, 2, 0)[..], &[TRICKLE * 2, 70], &talk].concat()));
    seeds
}

struct Session {
    types: [SocketType; 2],
    ends: [End; 2],
    ways: [Way; 2],
    now: Instant,
    /// Frames that each end has sent, subscriptions among them.
    sent: [Vec<Frame>; 2],
    /// Topics that each end has subscribed.
    topics: [Vec<Event>; 2],
    /// So that no two bodies are the same.
    count: u8,
    /// Nobody tampered with anything, and there was time enough.
    is_honest: bool,
}

fn run(data: &[u8]) {
    let mut tape = Tape::new(data);
    let mechanism = usize::from(tape.byte()) % 3;
    let types = TYPES[usize::from(tape.byte()) % TYPES.len()];
    let choice = tape.byte();
    let verdict = a_verdict(choice);
    let configs = configs(mechanism, types, choice & 4 != 0);
    let now = Instant::now();
    let ends = configs.each_ref().map(|config| End::new(config.clone(), now));
    let mut session = Session {
        types,
        ends,
        ways: Default::default(),
        now,
        sent: Default::default(),
        topics: Default::default(),
        count: 0,
        is_honest: true,
    };
    session.ends.iter_mut().for_each(|end| end.verdict = Some(verdict.clone()));
    while let Some(op) = tape.next() {
        session.step(op / 2 % 6, usize::from(op % 2), &mut tape);
    }
    for _ in 0..6 {
        session.carry(0, None);
        session.carry(1, None);
    }
    for (end, config) in session.ends.iter().zip(&configs) {
        is_in_order(config, &verdict, end);
    }
    session.check(&configs, &verdict);
    for end in &mut session.ends {
        stays_failed(end, session.now);
    }
}

/// Both ends draw the same keys each time, and not those of the other.
fn configs(mechanism: usize, types: [SocketType; 2], authenticate: bool) -> [Config; 2] {
    let numbers = [[0, 0], [1, 2], [3, 4]][mechanism];
    let [mut one, mut other] = [0, 1].map(|side| {
        let role = [Role::Connecter, Role::Listener][side];
        let mechanism = MECHANISMS[numbers[side]].clone();
        Config { mechanism, ..Config::new(types[side], role) }
    });
    one.random = |bytes| {
        bytes.fill(4);
        Ok(())
    };
    other.random = |bytes| {
        bytes.fill(3);
        Ok(())
    };
    one.routing_id = b"one".to_vec();
    one.properties = vec![("X-One".to_owned(), b"1".to_vec())];
    other.authenticate = authenticate;
    [one, other]
}

impl Session {
    fn step(&mut self, op: u8, side: usize, tape: &mut Tape<'_>) {
        match op {
            CARRY => self.carry(side, None),
            SEND => self.send(side, tape),
            SUBSCRIBE => self.subscribe(side, tape.byte()),
            TAMPER => {
                let fate = fate(tape);
                self.is_honest = false;
                self.carry(side, Some(&fate));
            }
            TRICKLE => {
                // Only the first bytes; the rest is carried later.
                let first = usize::from(tape.byte()).min(self.ends[side].out.len());
                let later = self.ends[side].out.split_off(first);
                self.carry(side, None);
                self.ends[side].out.splice(..0, later);
            }
            _ => {
                self.is_honest = false;
                self.now += Duration::from_millis(u64::from(tape.byte()) * 200);
                self.ends.iter_mut().for_each(|end| end.tick(self.now));
            }
        }
    }

    fn carry(&mut self, from: usize, fate: Option<&Fate>) {
        let bytes = std::mem::take(&mut self.ends[from].out);
        let bytes = self.ways[from].carry(bytes, fate);
        if !bytes.is_empty() {
            self.ends[1 - from].deliver(self.now, &bytes);
        }
    }

    /// A message of one to four frames, if the handshake is over.
    fn send(&mut self, side: usize, tape: &mut Tape<'_>) {
        if !self.ends[side].connection.is_ready() {
            return;
        }
        let bodies: Vec<Vec<u8>> = (0..=tape.byte() % 4)
            .map(|_| {
                self.count = self.count.wrapping_add(1);
                [&[DATA, self.count][..], &vec![b'x'; usize::from(tape.byte()) * 2]].concat()
            })
            .collect();
        self.ends[side].send(&bodies.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let last = bodies.len() - 1;
        let frames = bodies.into_iter().enumerate().map(|(at, body)| (at < last, body));
        self.sent[side].extend(frames);
    }

    /// Only an XSUB subscribes.
    fn subscribe(&mut self, side: usize, choice: u8) {
        let end = &mut self.ends[side];
        if !end.connection.is_ready() || self.types[side] != SocketType::XSub {
            return;
        }
        let topic = vec![b't'; usize::from(choice / 2)];
        end.subscribe(choice & 1 == 0, &topic);
        // Behind a message whose end is lost, it is taken for a part.
        self.sent[side].push((false, [&[u8::from(choice & 1 == 0)], &topic[..]].concat()));
        let event = if choice & 1 == 0 { Event::Subscribe(topic) } else { Event::Cancel(topic) };
        self.topics[side].push(event);
    }

    fn check(&self, configs: &[Config; 2], verdict: &Verdict) {
        let is_curve = matches!(configs[0].mechanism, MechanismConfig::CurveClient(_));
        for side in 0..2 {
            let (end, other) = (&self.ends[side], &configs[1 - side]);
            let publishes = configs[side].socket_type == SocketType::XPub;
            let topics = if publishes { &self.topics[1 - side][..] } else { &[] };
            if is_curve {
                assert!(is_subsequence(&end.frames, &self.sent[1 - side]), "not sent like this");
                let mut sent = topics.iter();
                let heard = end.subscriptions();
                assert!(heard.iter().all(|topic| sent.any(|other| other == topic)));
                if let Some(peer) = end.peer() {
                    assert_eq!(peer.socket_type, Some(other.socket_type));
                    assert_eq!(peer.property("X-One"), (side == 1).then_some(&b"1"[..]));
                }
            }
            let is_refused = !matches!(verdict, Verdict::Accept { .. });
            if self.is_honest && !(asks(&configs[1]) && is_refused) {
                assert_eq!((&end.error, end.connection.is_ready()), (&None, true));
                let data = |frame: &&Frame| frame.1.starts_with(&[DATA]);
                assert!(end.frames.iter().eq(self.sent[1 - side].iter().filter(data)));
                assert!(!publishes || end.subscriptions() == topics);
            }
        }
    }
}

fn asks(config: &Config) -> bool {
    config.authenticate || matches!(config.mechanism, MechanismConfig::PlainServer)
}

fn fate(tape: &mut Tape<'_>) -> Fate {
    let kind = tape.byte() % 6;
    let mut at = || usize::from(u16::from_be_bytes(tape.array()));
    match kind {
        0 => Fate::Alter(at(), tape.byte()),
        1 => Fate::Cut(at()),
        2 => Fate::Drop,
        3 => Fate::Twice,
        4 => Fate::Later,
        _ => Fate::Insert(at(), tape.short().to_vec()),
    }
}
