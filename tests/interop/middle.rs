//! A man in the middle between two ends that speak CURVE, ours and libzmq's: whatever he does to a command of the handshake or
//! to a message, nothing is delivered that was not sent, nothing twice and nothing out of order; and where ours connects, it
//! connects again and goes on once he stops.

use std::time::{Duration, Instant};

use tightbeam::curve::Keypair;
use tightbeam::options::{Value, number};
use tightbeam::{EventKind, SocketType};
use tightbeam_tests::tamper::{From, Meddling, Tamper};

use crate::stage::{Cast, End};
use crate::theirs::LIMIT;

/// HELLO and INITIATE, and behind them messages.
const FROM_CLIENT: usize = 5;
/// WELCOME and READY.
const FROM_SERVER: usize = 2;
/// Short, for what is withheld is noticed only then.
const HANDSHAKE_MS: i32 = 150;

struct Scene {
    server: End,
    client: End,
    /// The number of the message that is sent next.
    next: u32,
    /// What was delivered last.
    last: Option<u32>,
}

impl Scene {
    /// Over which an endpoint passes that is known beforehand.
    fn open(cast: &Cast) -> (Scene, String) {
        let (mut server, mut client) = cast.ends(SocketType::Pull, SocketType::Push);
        let (keys, mine) =
            (Keypair::generate().expect("random"), Keypair::generate().expect("random"));
        server.set(number::CURVE_SECRETKEY, Value::Bytes(keys.secret.as_bytes()));
        server.set_int(number::CURVE_SERVER, 1);
        client.set(number::CURVE_PUBLICKEY, Value::Bytes(mine.public.as_bytes()));
        client.set(number::CURVE_SECRETKEY, Value::Bytes(mine.secret.as_bytes()));
        client.set(number::CURVE_SERVERKEY, Value::Bytes(keys.public.as_bytes()));
        for end in [&mut server, &mut client] {
            end.set_int(number::HANDSHAKE_IVL, HANDSHAKE_MS);
            end.set_int(number::LINGER, 0);
        }
        let endpoint = server.bind();
        (Scene { server, client, next: 0, last: None }, endpoint)
    }

    fn send(&mut self) {
        // A full queue is none of our concern here.
        if self.client.try_send(&[format!("message {}", self.next)]).is_ok() {
            self.next += 1;
        }
    }

    /// Takes what is delivered within a while.
    fn receive(&mut self, within: Duration, what: &str) {
        if let Ok(message) = self.server.recv_within(within) {
            let text = String::from_utf8(message.concat()).expect("text");
            let number = text.strip_prefix("message ").and_then(|number| number.parse().ok());
            let number: u32 = number.unwrap_or_else(|| panic!("{what}: {text:?} was never sent"));
            assert!(number < self.next, "{what}: {number} was not sent yet");
            assert!(
                self.last.is_none_or(|last| last < number),
                "{what}: {number} after {:?}",
                self.last
            );
            self.last = Some(number);
        }
    }

    /// Sends and receives until something arrives that was sent after this.
    fn goes_on(&mut self, what: &str) -> bool {
        let (from, deadline) = (self.next, Instant::now() + LIMIT / 2);
        while self.last.is_none_or(|last| last < from) {
            if Instant::now() > deadline {
                return false;
            }
            self.send();
            self.receive(Duration::from_millis(5), what);
        }
        true
    }

    fn act(mut self, endpoint: &str, from: From, frame: usize, meddling: Meddling, recovers: bool) {
        let what = format!("{from:?} {frame} {meddling:?}");
        let middle = Tamper::with(endpoint, from, frame, meddling);
        self.client.connect(middle.endpoint());
        let deadline = Instant::now() + LIMIT / 2;
        while !middle.is_done() {
            assert!(Instant::now() < deadline, "{what}: it never came");
            self.send();
            self.receive(Duration::from_millis(5), &what);
        }
        if !recovers {
            // What matters is what is delivered.
            for _ in 0..5 {
                self.send();
                self.receive(Duration::from_millis(5), &what);
            }
            return;
        }
        assert!(
            self.goes_on(&what),
            "{what}: nothing arrives any more: {:?} and {:?}, {} sent, last {:?}",
            self.server,
            self.client,
            self.next,
            self.last
        );
    }
}

/// Some bytes of each part of a command: header, name, numbers, boxes.
const BYTES: [usize; 9] = [0, 1, 3, 8, 10, 30, 60, 90, usize::MAX];

impl Cast {
    /// libzmq does not connect again after what it takes for a violation; and its server, once messages flow, tells of one
    /// and then neither reads nor closes.
    fn recovers(&self, from: From, frame: usize) -> bool {
        self.other_is_ours() && (self.actor_is_ours() || from == From::Far || frame < 2)
    }
}

/// Each frame in a thread of its own: most of the time is spent waiting for what does not come.
fn meddle(meddlings: impl Fn(&Cast, From, usize) + Sync) {
    let meddlings = &meddlings;
    for cast in &Cast::with_us() {
        std::thread::scope(|scope| {
            for (from, frames) in [(From::Near, FROM_CLIENT), (From::Far, FROM_SERVER)] {
                for frame in 0..frames {
                    scope.spawn(move || meddlings(cast, from, frame));
                }
            }
        });
    }
}

#[test]
fn a_man_in_the_middle_alters_nothing_that_is_delivered() {
    meddle(|cast, from, frame| {
        let recovers = cast.recovers(from, frame);
        for at in BYTES {
            let (scene, endpoint) = Scene::open(cast);
            scene.act(&endpoint, from, frame, Meddling::Alter(at), recovers);
        }
    });
}

#[test]
fn a_man_in_the_middle_may_drop_repeat_reorder_reflect_and_cut() {
    use Meddling::{Cut, Drop, Reflect, Repeat, Swap};
    meddle(|cast, from, frame| {
        let recovers = cast.recovers(from, frame);
        for meddling in [Drop, Repeat, Swap, Reflect, Cut] {
            // Of a handshake there is nothing behind it that could come first.
            if meddling == Swap && (from == From::Far || frame < 2) {
                continue;
            }
            let (scene, endpoint) = Scene::open(cast);
            scene.act(&endpoint, from, frame, meddling, recovers);
        }
    });
}

/// For want of another event libzmq tells of a message that does not hold as of a handshake.
#[test]
fn a_message_that_does_not_hold_is_told_as_libzmq_tells_it() {
    Cast::each(|cast| {
        for (meddling, value) in
            [(Meddling::Repeat, 0x1000_0002), (Meddling::Alter(usize::MAX), 0x1100_0001)]
        {
            let (mut scene, endpoint) = Scene::open(cast);
            let middle = Tamper::with(&endpoint, From::Near, 2, meddling);
            scene.client.connect(middle.endpoint());
            scene.send();
            scene.server.until(EventKind::HandshakeSucceeded);
            assert_eq!(scene.server.until(EventKind::HandshakeFailedProtocol).value, value);
        }
    });
}
