//! Every mechanism, role and end against every misbehaviour at every step of the handshake. The steps are those of a sound
//! peer; the misbehaviours are made of them.

use tightbeam_tests::bytes::{bytes, command, frame, property};
use tightbeam_tests::peer::Peer;
use zmtp::FrameHeader;

use crate::secured::{End, Guard, Subject};

/// What an attacker says in place of one step, and what the socket is to tell of it.
struct Deed {
    what: String,
    said: Vec<u8>,
    /// Part of the reason; any will do where it is empty.
    reason: &'static str,
}

/// A message that would be delivered if the socket took what went before.
const EVIL: &str = "00 04 'evil'";
const BROKE: &str = "broke the protocol";
const LEFT: &str = "the peer closed the connection";

fn deed(what: impl Into<String>, said: Vec<u8>, reason: &'static str) -> Deed {
    Deed { what: what.into(), said, reason }
}

/// With a message behind it.
fn evil(what: impl Into<String>, mut said: Vec<u8>, reason: &'static str) -> Deed {
    said.extend(bytes(EVIL));
    deed(what, said, reason)
}

fn body(act: &[u8]) -> &[u8] {
    let header = FrameHeader::parse(act).expect("a frame").expect("whole");
    &act[header.header_len..]
}

/// Some of the lengths below this: all of the short ones, then every seventh.
fn lengths(below: usize) -> impl Iterator<Item = usize> {
    (0..below).filter(move |length| *length < 48 || length % 7 == 0 || *length + 2 > below)
}

/// In place of a command.
fn deeds(guard: Guard, step: usize, act: &[u8], acts: &[Vec<u8>]) -> Vec<Deed> {
    let name_length = usize::from(body(act)[0]) + 1;
    let (name, data) = body(act).split_at(name_length);
    let last = step + 1 == acts.len();
    let mut deeds = vec![
        deed("nothing", Vec::new(), LEFT),
        evil("a message", Vec::new(), BROKE),
        evil("a PING", bytes("04 07 04 'PING' 0000"), BROKE),
        evil("an empty command", bytes("04 00"), BROKE),
        evil("a command without its name", bytes("04 03 09 'ab'"), BROKE),
        evil("an ERROR", command("ERROR", b"\x04oops"), "refused the connection: oops"),
        evil("a malformed ERROR", command("ERROR", b"\xffx"), BROKE),
        evil("a command of 64 KiB and more", bytes("06 0000000000010001"), "above the limit"),
        evil("a command of 2^62", bytes("06 4000000000000000"), "above the limit"),
        evil("a command of 2^63", bytes("06 8000000000000000"), "out of range"),
        evil("a command with more", [&[5], &act[1..]].concat(), "MORE flag"),
        evil("a reserved flag", [&[0x14], &act[1..]].concat(), "reserved bit"),
        evil("another name", frame(4, &[b"\x05WRONG", data].concat()), BROKE),
        evil("garbage", frame(4, &vec![0xa5; name.len() + data.len()]), BROKE),
        evil("zeros", frame(4, &[name, &vec![0; data.len().max(1)]].concat()), ""),
        evil("ones", frame(4, &[name, &vec![0xff; data.len().max(1)]].concat()), ""),
        evil("a byte more", frame(4, &[name, data, &[7]].concat()), ""),
        evil("100 bytes more", frame(4, &[name, data, &[7; 100]].concat()), ""),
    ];
    for size in [1 << 10, 4 << 10, 16 << 10, (64 << 10) - 20] {
        let said = frame(4, &[name, data, &vec![7; size]].concat());
        deeds.push(evil(format!("{size} bytes more"), said, ""));
    }
    // No metadata at all is what a peer may say.
    for length in lengths(data.len()).skip(usize::from(last && shows_metadata(guard))) {
        let said = frame(4, &[name, &data[..length]].concat());
        deeds.push(evil(format!("the first {length} bytes"), said, ""));
    }
    for length in lengths(act.len()).skip(1) {
        deeds.push(deed(format!("{length} bytes, then the end"), act[..length].to_vec(), LEFT));
    }
    for at in lengths(data.len()) {
        let mut said = act.to_vec();
        let start = said.len() - data.len();
        said[start + at] ^= 0x80;
        deeds.push(evil(format!("another byte {at}"), said, ""));
    }
    for (other, said) in acts.iter().enumerate().filter(|(other, _)| *other != step) {
        deeds.push(evil(format!("step {other}"), said.clone(), ""));
    }
    if !last {
        deeds.push(evil("itself and a message", act.to_vec(), BROKE));
        deeds.push(evil("itself twice", [act, act].concat(), BROKE));
    }
    deeds
}

/// What the metadata of a step, where it can be read, may not be.
fn metadata(act: &[u8]) -> Vec<Deed> {
    let name = &body(act)[..=usize::from(body(act)[0])];
    let socket_type = property("Socket-Type", b"PUSH");
    let with = |rest: &[u8]| frame(4, &[name, &socket_type, rest].concat());
    let many: Vec<u8> = (0..257).flat_map(|n| property(&format!("X-{n}"), b"")).collect();
    vec![
        evil("257 properties", with(&many), "more than 256 metadata properties"),
        evil("a value of 2^32", with(&bytes("03 'X-a' ffffffff")), "malformed metadata"),
        evil("a name of nothing", with(&bytes("00 00000000")), "malformed metadata"),
        evil("another type", frame(4, &[name, &property("Socket-Type", b"SUB")].concat()), "SUB"),
    ]
}

/// In place of the greeting.
fn greetings(guard: Guard, act: &[u8]) -> Vec<Deed> {
    let mut deeds: Vec<Deed> = (1..64)
        .map(|length| deed(format!("{length} bytes of it"), act[..length].to_vec(), LEFT))
        .collect();
    for mechanism in ["NULL", "PLAIN", "CURVE", "GSSAPI", "null", "", "CURVEX"] {
        let own =
            mechanism.as_bytes() == act[12..32].split(|byte| *byte == 0).next().unwrap_or(b"");
        if !own {
            let said = tightbeam_tests::speaker::greeting(mechanism, false, 1);
            deeds.push(evil(format!("mechanism {mechanism:?}"), said, "security mechanism"));
        }
    }
    for (what, said) in [
        ("HTTP", "'GET' 20 '/' 20 'HTTP/1.1' 0d0a 0d0a"),
        ("TLS", "16 03 01 00 c8 01 00 00 c4 03 03 'x'*200"),
        ("ones", "ff*64"),
        ("lines", "0d0a*8"),
    ] {
        deeds.push(deed(what, bytes(said), ""));
    }
    if guard != Guard::Null {
        for (what, said) in [
            ("2.0", "ff 00*7 01 7f 01 08 00 00 00 04 'evil'"),
            ("revision 0", "ff 00*7 01 7f 00 08 01 00 05 00 'evil'"),
            ("1.0", "01 00 05 00 'evil'"),
            ("1.0 with a name", "03 00 'me' 05 00 'evil'"),
        ] {
            deeds.push(deed(what, bytes(said), "knows no security mechanisms"));
        }
    }
    deeds
}

/// Whether the metadata of the peer's last step can be read.
fn shows_metadata(guard: Guard) -> bool {
    guard != Guard::Curve
}

/// All steps of a sound peer, which is let in.
pub(crate) fn recorded(subject: &Subject, end: End) -> Vec<Vec<u8>> {
    let mut visit = subject.visit(end, 1);
    let mut acts = Vec::new();
    while let Some(act) = visit.speaker.next_act() {
        visit.speaker.peer.send_bytes(&act);
        acts.push(act);
    }
    assert!(visit.speaker.is_ready());
    drop(visit);
    let (failure, _) = subject.next_end();
    assert_eq!(failure, None);
    acts
}

/// Goes as far as this step, and answers what a sound peer would say.
pub(crate) fn come_to(
    subject: &Subject,
    end: End,
    step: usize,
    minor: u8,
) -> (crate::secured::Visit, Vec<u8>) {
    let mut visit = subject.visit(end, minor);
    for _ in 0..step {
        let act = visit.speaker.next_act().expect("a step");
        visit.speaker.peer.send_bytes(&act);
    }
    let act = visit.speaker.next_act().expect("a step");
    (visit, act)
}

fn attack(guard: Guard, server: bool, end: End) {
    let subject = Subject::new(guard, server);
    let acts = recorded(&subject, end);
    let mut count = 0;
    for (step, recorded) in acts.iter().enumerate() {
        let mut all = match step {
            0 => greetings(guard, recorded).len(),
            _ => deeds(guard, step, recorded, &acts).len(),
        };
        let last = step + 1 == acts.len();
        if last && shows_metadata(guard) {
            all += metadata(recorded).len();
        }
        for number in 0..all {
            // Steps are different each time where there are keys in them.
            let (mut visit, act) = come_to(&subject, end, step, u8::from(number % 2 == 0));
            let mut chosen = match step {
                0 => greetings(guard, &act),
                _ => deeds(guard, step, &act, &acts),
            };
            if last && shows_metadata(guard) {
                chosen.extend(metadata(&act));
            }
            let Deed { what, said, reason } = chosen.swap_remove(number);
            let what = format!("{guard:?}, server {server}, {end:?}, step {step}: {what}");
            visit.speaker.peer.offer(&said);
            visit.speaker.peer.finish_if_open();
            subject.expect_sound(visit, reason, &what);
            count += 1;
        }
    }
    println!("measured: {guard:?}, server {server}, {end:?}: {count} attacks");
}

macro_rules! attacks {
    ($(fn $name:ident($guard:ident, $server:literal, $end:ident);)*) => {$(
        #[test]
        fn $name() {
            attack(Guard::$guard, $server, End::$end);
        }
    )*};
}

attacks! {
    fn every_misbehaviour_against_a_listener_of_null(Null, false, Listens);
    fn every_misbehaviour_against_a_connecter_of_null(Null, false, Connects);
    fn every_misbehaviour_against_a_listener_of_null_with_a_domain(Domain, false, Listens);
    fn every_misbehaviour_against_a_connecter_of_null_with_a_domain(Domain, false, Connects);
    fn every_misbehaviour_against_a_listening_server_of_plain(Plain, true, Listens);
    fn every_misbehaviour_against_a_connecting_server_of_plain(Plain, true, Connects);
    fn every_misbehaviour_against_a_listening_client_of_plain(Plain, false, Listens);
    fn every_misbehaviour_against_a_connecting_client_of_plain(Plain, false, Connects);
    fn every_misbehaviour_against_a_listening_server_of_curve(Curve, true, Listens);
    fn every_misbehaviour_against_a_connecting_server_of_curve(Curve, true, Connects);
    fn every_misbehaviour_against_a_listening_client_of_curve(Curve, false, Listens);
    fn every_misbehaviour_against_a_connecting_client_of_curve(Curve, false, Connects);
}

/// Steps of another connection, which all were good there.
#[test]
fn no_step_of_curve_can_be_replayed_on_another_connection() {
    for (server, end) in
        [(true, End::Listens), (true, End::Connects), (false, End::Listens), (false, End::Connects)]
    {
        let subject = Subject::new(Guard::Curve, server);
        let acts = recorded(&subject, end);
        for from in 1..acts.len() {
            let (mut visit, _) = come_to(&subject, end, from, 1);
            let said: Vec<u8> = acts[from..].concat();
            visit.speaker.peer.offer(&[said, bytes(EVIL)].concat());
            visit.speaker.peer.finish_if_open();
            subject.expect_sound(visit, BROKE, &format!("server {server}, {end:?}, from {from}"));
        }
    }
}

/// A peer that is in sends one good message, and then what it must not.
#[test]
fn behind_the_handshake_of_curve_nothing_counts_that_is_not_sealed_in_order() {
    let subject = Subject::new(Guard::Curve, true);
    type Alter = fn(&[u8], &[u8]) -> Vec<u8>;
    let alterations: [(&str, Alter, &str); 9] = [
        ("repeated", |first, _| first.to_vec(), "a nonce that does not rise"),
        ("in another order", |first, second| [second, first].concat(), "does not rise"),
        ("unsealed", |_, _| bytes(EVIL), BROKE),
        ("READY again", |_, _| command("READY", b""), BROKE),
        ("an altered number", |_, second| altered(second, 17), "a box that does not open"),
        ("an altered box", |_, second| altered(second, second.len() - 1), "does not open"),
        ("an altered name", |_, second| altered(second, 3), BROKE),
        ("cut", |_, second| frame(4, &body(second)[..20]), BROKE),
        ("only a name", |_, _| command("MESSAGE", b""), BROKE),
    ];
    for (what, alter, reason) in alterations {
        let mut visit = subject.visit(End::Listens, 1);
        assert!(visit.speaker.shake_hands());
        let [first, second] = [b"sent", b"evil"].map(|body| visit.speaker.message(body));
        visit.speaker.peer.send_bytes(&first);
        assert_eq!(subject.socket.recv().expect("a message"), "sent");
        if what == "in another order" {
            // The second is delivered: what was left out on the way is not noticed.
            visit.speaker.peer.send_bytes(&second);
            assert_eq!(subject.socket.recv().expect("a message"), "evil");
            visit.speaker.peer.send_bytes(&first);
        } else {
            visit.speaker.peer.offer(&alter(&first, &second));
        }
        visit.speaker.peer.finish_if_open();
        subject.expect_sound(visit, reason, what);
    }
}

fn altered(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

/// The connection breaks at each step, and in the middle of each.
#[test]
fn a_reset_at_any_step_is_a_loss_like_others() {
    for (guard, server) in crate::secured::ROLES {
        for end in [End::Listens, End::Connects] {
            let subject = Subject::new(guard, server);
            let steps = recorded(&subject, end).len();
            for step in 0..steps {
                for half in [false, true] {
                    let (visit, act) = come_to(&subject, end, step, 1);
                    let before = subject.losses();
                    let mut peer: Peer = visit.speaker.peer;
                    if step == 0 {
                        // It was accepted, or has connected.
                        peer.expect("ff 00*7 01 7f");
                    }
                    peer.offer(&act[..if half { act.len() / 2 } else { 0 }]);
                    peer.reset();
                    let (failure, event) = subject.next_end();
                    let what = format!("{guard:?}, server {server}, {end:?}, step {step}");
                    assert!(failure.is_some() && event.reason.is_some(), "{what}: {event:?}");
                    assert_eq!(subject.losses(), before + 1, "{what}");
                    subject.expect_nothing(&what);
                }
                subject.expect_good_service("resets");
            }
        }
    }
}
