//! Traffic after the handshake, in every version and for every type of socket, and the same with large bodies
//! that the driver reads itself.

use std::time::Instant;

use zmtp::{Config, FrameHeader, Frames, SocketType, encode_header};

use crate::Target;
use crate::checks::{self, Presented};
use crate::choices::{MECHANISMS, a_socket_type, a_verdict, config};
use crate::support::{End, command, frame, frame_v1, greeting, ready};
use crate::tape::Tape;

pub(crate) const TARGET: Target = Target { name: "traffic", run, seeds };

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let head = |version: u8, ours: SocketType| vec![version, ours as u8, 0, 0, 3, 0, 6, 29];
    let data = [
        frame(1, b"a"),
        command("PING", b"\0\x05ctx"),
        frame(3, &[b'x'; 300]),
        frame(0, b""),
        command("PONG", b"ctx"),
        command("OTHER", b"thing"),
        frame(0, b"\x01part"),
    ]
    .concat();
    let topics = [
        frame(0, b"\x01topic"),
        command("SUBSCRIBE", b"other"),
        frame(1, b"message"),
        frame(0, b"\x01within"),
        command("CANCEL", b"other"),
        frame(0, b"\0topic"),
        frame(0, b"message"),
        [b"\x04\0\0\0\0\0\0\x01\0\x09SUBSCRIBE".to_vec(), vec![b't'; 246]].concat(),
    ]
    .concat();
    let old = [frame_v1(true, b"a"), vec![0], frame_v1(false, &[b'x'; 300])].concat();
    vec![
        ("v3.1", [head(3, SocketType::Router), data.clone()].concat()),
        ("v3.0", [head(2, SocketType::Pull), data].concat()),
        ("v3.1-topics", [head(3, SocketType::XPub), topics.clone()].concat()),
        ("v3.0-topics", [head(2, SocketType::Pub), topics].concat()),
        ("v2", [head(1, SocketType::Pull), frame(1, b"a"), frame(2, &[b'x'; 300])].concat()),
        ("v1", [head(0, SocketType::Pull), old].concat()),
        ("v1-topics", [head(0, SocketType::XPub), frame_v1(false, b"\x01topic")].concat()),
        ("read-in-place", [head(3, SocketType::Pull), frame(2, &[b'x'; 700])].concat()),
    ]
}

fn run(data: &[u8]) {
    let mut tape = Tape::new(data);
    let version = tape.byte();
    let choice = tape.array();
    let mut config = config(&MECHANISMS[0], choice);
    config.authenticate = false;
    let presented = Presented { verdict: tape.byte(), sizes: tape.array() };
    let bytes = tape.rest();
    frames_are_read_back(bytes);
    let Some(start) = start(version, config.socket_type) else { return };
    let whole = checks::stream(&config, presented, &[&start, bytes].concat());
    let in_place = read_in_place(&config, presented, &start, bytes);
    assert_eq!(
        (&whole.frames, whole.messages, &whole.error),
        (&in_place.frames, in_place.messages, &in_place.error),
        "bodies that the driver reads itself are no different"
    );
}

/// What a peer that fits says first.
fn start(version: u8, ours: SocketType) -> Option<Vec<u8>> {
    let mut types = SocketType::ALL.into_iter();
    let theirs = types.find(|theirs| ours.may_talk_to(*theirs))?;
    Some(match version % 4 {
        0 => b"\x01\0".to_vec(),
        1 => {
            let number = (0..=8).find(|number| ours.may_talk_to(a_socket_type(*number)))?;
            [b"\xff\0\0\0\0\0\0\0\x01\x7f\x01", &[number, 0, 0][..]].concat()
        }
        minor => [greeting(minor - 2, "NULL"), ready(theirs.name(), &[])].concat(),
    })
}

/// A driver that reads every body itself of which it gets to know.
fn read_in_place(config: &Config, presented: Presented, start: &[u8], mut bytes: &[u8]) -> End {
    let now = Instant::now();
    let mut end = End::new(config.clone(), now);
    end.verdict = Some(a_verdict(presented.verdict));
    end.deliver(now, start);
    let mut sizes = presented.sizes.iter().map(|size| 1 + usize::from(*size)).cycle();
    while !bytes.is_empty() && end.error.is_none() {
        let size = sizes.next().unwrap_or(1).min(bytes.len());
        let (read, rest) = bytes.split_at(size);
        end.deliver(now, read);
        bytes = rest;
        if let Some(header) = end.partial.take() {
            bytes = read_body(&mut end, now, header, bytes);
        }
    }
    end
}

/// Reads the body behind a header, as far as it is there, and answers what comes after it.
fn read_body<'a>(end: &mut End, now: Instant, header: FrameHeader, bytes: &'a [u8]) -> &'a [u8] {
    let begun = &end.rest[header.header_len..];
    let missing = header.body_len - begun.len() as u64;
    let missing = usize::try_from(missing).unwrap_or(usize::MAX);
    let Some((body, rest)) = bytes.split_at_checked(missing) else {
        end.connection.handle_body_part();
        return b"";
    };
    let body = [begun, body].concat();
    end.rest.clear();
    match end.connection.handle_large_body(now, header) {
        Ok(messages) => {
            end.messages += messages;
            end.frames.push((header.more, body));
        }
        Err(error) => end.error = Some(error),
    }
    rest
}

/// Frames that are whole are written back as they were, but for lengths that could be shorter.
fn frames_are_read_back(bytes: &[u8]) {
    let mut frames = Frames::new(bytes);
    let mut at = 0;
    for (header, body) in frames.by_ref() {
        assert_eq!(header.body_len, body.len() as u64);
        let mut canonical = [0; 9];
        let length = encode_header(header.more, header.command, header.body_len, &mut canonical);
        assert!(length <= header.header_len);
        let again = FrameHeader::parse(&canonical[..length]);
        assert_eq!(again, Ok(Some(FrameHeader { header_len: length, ..header })));
        if length == header.header_len && bytes[at] & 2 == canonical[0] & 2 {
            assert_eq!(bytes[at..at + length], canonical[..length]);
        }
        at += header.header_len + body.len();
    }
    assert_eq!(bytes.len() - at, frames.rest().len());
}
