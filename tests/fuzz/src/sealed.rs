//! Traffic in the boxes of CURVE beside the same traffic without them: what comes out is the same, up to the
//! first box that is not as it should be.

use std::sync::LazyLock;
use std::time::Instant;

use crate::Target;
use crate::checks::{costs_little, is_in_order, stays_failed};
use crate::choices::{MECHANISMS, a_verdict, config};
use crate::curve_peers::{scripted_client, scripted_server};
use crate::curve_script::{Key, message};
use crate::curve_server::alter;
use crate::outcome::{in_reads, outcome, play};
use crate::support::{Frame, frame, greeting, property, ready};
use crate::tape::{Tape, short};

pub(crate) const TARGET: Target = Target { name: "sealed", run, seeds };

/// The key of the traffic; our end's part of it does not change.
static KEY: LazyLock<Key> =
    LazyLock::new(|| scripted_server().transient.with(&scripted_client().transient.public));

/// What a server of CURVE says up to the traffic, for each type of our socket; its own type fits.
static STARTS: LazyLock<Vec<[Vec<u8>; 2]>> = LazyLock::new(|| {
    let (server, client) = (scripted_server(), scripted_client().transient.public);
    let types = zmtp::SocketType::ALL;
    let peers = types.map(|ours| types.into_iter().find(|theirs| ours.may_talk_to(*theirs)));
    let starts = peers.map(|peer| {
        let name = peer.map_or("", zmtp::SocketType::name);
        let metadata = property("Socket-Type", name.as_bytes());
        let welcome = server.welcome(&client);
        let sealed = [greeting(1, "CURVE"), welcome, server.ready(&client, 1, &metadata)].concat();
        [sealed, [greeting(1, "NULL"), ready(name, &[])].concat()]
    });
    starts.to_vec()
});

/// What an op begins with: the flags of a frame, or one of these.
const LONG: u8 = 4;
const NUMBER: u8 = 5;
const ALTERED: u8 = 6;
const RAW: u8 = 7;

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let messages = [
        [&[1][..], &short(b"a")].concat(),
        [&[0][..], &short(b"\x01topic")].concat(),
        [&[2][..], &short(b"\x04PING\0\x05ctx")].concat(),
        [&[2][..], &short(b"\x09SUBSCRIBEtopic")].concat(),
        vec![LONG, 0, 0x10, 0],
        vec![LONG, 1, 0x10, 0xff],
        [&[0][..], &short(b"")].concat(),
    ]
    .concat();
    let head = |ours: zmtp::SocketType| vec![ours as u8, 0, 0, 3, 6, 63];
    let pull = head(zmtp::SocketType::Pull);
    let gap = [&[NUMBER, 9][..], &[0], &short(b"a")].concat();
    let repeated = [&[0][..], &short(b"a"), &[NUMBER, 0, 0], &short(b"a")].concat();
    vec![
        ("pull", [&pull[..], &messages].concat()),
        ("router", [head(zmtp::SocketType::Router), messages.clone()].concat()),
        ("xpub", [head(zmtp::SocketType::XPub), messages.clone()].concat()),
        ("pub", [head(zmtp::SocketType::Pub), messages].concat()),
        ("gap", [&pull[..], &gap].concat()),
        ("repeated", [&pull[..], &repeated].concat()),
        ("altered", [&pull[..], &[ALTERED, 0], &short(b"abc"), &[1, 20, 1, 0]].concat()),
        ("raw", [&pull[..], &[RAW], &short(&frame(0, &[b'x'; 40]))].concat()),
    ]
}

/// Both forms of the traffic, as far as they are the same.
struct Twins {
    sealed: Vec<u8>,
    open: Vec<u8>,
    /// The last number.
    number: u64,
    /// Every frame that was sealed, whatever became of it.
    sent: Vec<Frame>,
    /// Something is not as it should be: from here on there is only the sealed form.
    spoiled: bool,
}

fn run(data: &[u8]) {
    let mut tape = Tape::new(data);
    let [ours, flags, longest, frames] = tape.array();
    let sizes = tape.array::<2>();
    let choice = [ours, flags & !2, longest, frames];
    let [curve, null] = [3, 0].map(|number| config(&MECHANISMS[number], choice));
    let starts = &STARTS[usize::from(ours) % STARTS.len()];
    let [sealed, open] = starts.clone();
    let mut twins = Twins { sealed, open, number: 1, sent: Vec::new(), spoiled: false };
    while let Some(op) = tape.next() {
        twins.add(op % 8, &mut tape);
    }

    let (now, verdict) = (Instant::now(), a_verdict(0));
    // Tiny reads of long streams take long and show nothing more.
    let sizes = sizes.map(|size| 1 + usize::from(size) * 4 + twins.sealed.len() / 100);
    let mut whole = play(&curve, verdict.clone(), &[&twins.sealed], now);
    let cut = play(&curve, verdict.clone(), &in_reads(&twins.sealed, &sizes), now);
    assert_eq!(outcome(&whole), outcome(&cut), "cuts must not matter");
    let open = play(&null, verdict.clone(), &[&twins.open], now);
    assert!(whole.frames.starts_with(&open.frames), "{:?} {:?}", whole.frames, open.frames);
    assert!(
        is_subsequence(&whole.frames, &twins.sent),
        "not sent: {:?} {:?}",
        whole.frames,
        twins.sent
    );
    if !twins.spoiled {
        assert_eq!((whole.frames.len(), whole.messages), (open.frames.len(), open.messages));
        assert_eq!(whole.subscriptions(), open.subscriptions());
        assert_eq!(whole.positions, open.positions);
        assert_eq!(whole.error.is_some(), open.error.is_some(), "{:?}", (whole.error, open.error));
    }
    is_in_order(&curve, &verdict, &whole);
    costs_little(&curve, &verdict, &twins.sealed);
    stays_failed(&mut whole, now);
}

impl Twins {
    fn add(&mut self, op: u8, tape: &mut Tape<'_>) {
        match op {
            RAW => {
                self.sealed.extend(tape.short());
                self.spoiled = true;
            }
            NUMBER => {
                // It may fall, stay, or leave numbers out.
                let step = tape.byte();
                self.number = (self.number + u64::from(step)).saturating_sub(u64::from(step == 0));
                let flags = tape.byte() % 4;
                let is_spent = step == 0;
                self.frame(flags, tape.short(), is_spent, |_| false);
            }
            ALTERED => {
                let (flags, body) = (tape.byte(), tape.short());
                self.frame(flags, body, false, |bytes| !alter(bytes, tape).is_empty());
            }
            LONG => {
                let (flags, length) = (tape.byte() % 4, u16::from_be_bytes(tape.array()));
                let body = vec![b'x'; usize::from(length % 6000)];
                self.frame(flags, &body, false, |_| false);
            }
            flags => self.frame(flags, tape.short(), false, |_| false),
        }
    }

    /// Appends a frame in both forms; `tamper` may alter the sealed one, and says whether it did.
    fn frame(
        &mut self,
        flags: u8,
        body: &[u8],
        is_bad: bool,
        tamper: impl FnOnce(&mut [u8]) -> bool,
    ) {
        self.number += 1;
        let plain = [&[flags], body].concat();
        let mut bytes = message(&KEY, b"CurveZMQMESSAGES", self.number, &plain);
        let is_altered = tamper(&mut bytes);
        self.sealed.extend(&bytes);
        self.sent.push((flags & 1 == 1, body.to_vec()));
        let (more, is_command) = (flags & 1, flags & 2 != 0);
        // An empty command is one byte off from a form that libzmq has for long ones.
        let is_malformed = flags > 3 || (is_command && (more == 1 || body.is_empty()));
        self.spoiled |= is_bad || is_malformed || is_altered;
        if !self.spoiled {
            let long = if body.len() > 255 { 2 } else { 0 };
            let command = if is_command { 4 } else { 0 };
            self.open.extend(frame(more | long | command, body));
        }
    }
}

/// Whether all of these were sent, in this order.
pub(crate) fn is_subsequence(received: &[Frame], sent: &[Frame]) -> bool {
    let mut sent = sent.iter();
    received.iter().all(|frame| sent.any(|other| other == frame))
}
