//! The properties of READY and INITIATE, beside a second reading of them that is written from the RFC.

use std::time::Instant;

use zmtp::{SocketType, parse_properties};

use crate::Target;
use crate::checks::is_in_order;
use crate::choices::{MECHANISMS, a_socket_type, a_verdict, config};
use crate::outcome::play;
use crate::support::{command, greeting, property};
use crate::tape::Tape;

pub(crate) const TARGET: Target = Target { name: "metadata", run, seeds };

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let socket_type = property("Socket-Type", b"DEALER");
    let identity = property("identity", b"somebody");
    let ours = property("X-Colour", &[0, 255, 10]);
    let claims = [property("User-Id", b"root"), property("Peer-Address", b"::1")].concat();
    vec![
        ("null", [&[0, 6][..], &socket_type, &identity, &ours].concat()),
        ("plain", [&[1, 6][..], &socket_type, &identity, &ours].concat()),
        ("claims", [&[0, 6][..], &socket_type, &claims].concat()),
        ("nothing", vec![0, 6]),
        ("twice", [&[1, 6][..], &socket_type, &socket_type].concat()),
    ]
}

fn run(data: &[u8]) {
    let mut tape = Tape::new(data);
    let (is_plain, ours) = (tape.byte() % 2 == 1, tape.byte());
    let bytes = tape.rest();
    let stream = if is_plain {
        let hello = command("HELLO", b"\x01u\x01p");
        [greeting(1, "PLAIN"), hello, command("INITIATE", bytes)].concat()
    } else {
        [greeting(1, "NULL"), command("READY", bytes)].concat()
    };
    let config = config(&MECHANISMS[if is_plain { 2 } else { 0 }], [ours, 1, 0, 3]);
    let verdict = a_verdict(0);
    let end = play(&config, verdict.clone(), &[&stream], Instant::now());
    is_in_order(&config, &verdict, &end);
    let read = end.peer().map(|peer| (peer.properties.clone(), peer.routing_id.clone()));
    let most = config.limits.properties;
    assert_eq!(parse_properties(bytes, most), split(bytes).filter(|all| all.len() <= most));
    assert_eq!(read, expected(a_socket_type(ours), bytes, most));
}

type Property = (String, Vec<u8>);

/// The properties and the routing id; `None` if they are to be refused.
fn expected(ours: SocketType, bytes: &[u8], most: usize) -> Option<(Vec<Property>, Vec<u8>)> {
    let all = split(bytes)?;
    let named = |wanted: &str| {
        let values: Vec<&Vec<u8>> = all
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value)
            .collect();
        (values.len() <= 1).then(|| values.first().map(|value| value.to_vec()))
    };
    let (socket_type, identity) = (named("Socket-Type")?, named("Identity")?);
    let theirs = match socket_type {
        Some(name) => {
            let known = SocketType::ALL.into_iter().find(|t| t.name().as_bytes() == name)?;
            ours.may_talk_to(known).then_some(())?;
            Some(known)
        }
        None => None,
    };
    let has_identity =
        matches!(theirs, None | Some(SocketType::Req | SocketType::Dealer | SocketType::Router));
    let routing_id = identity.filter(|_| has_identity).unwrap_or_default();
    if routing_id.len() > 255 || (routing_id.len() == 5 && routing_id.first() == Some(&0)) {
        return None;
    }
    let local = ["user-id", "peer-address"];
    let heard = all.into_iter().filter(|(name, _)| !local.contains(&&*name.to_lowercase()));
    let heard: Vec<Property> = heard.collect();
    (heard.len() <= most).then_some((heard, routing_id))
}

/// Names and values, if there is nothing else.
fn split(mut bytes: &[u8]) -> Option<Vec<Property>> {
    let mut properties = Vec::new();
    while let [length, rest @ ..] = bytes {
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let is_printable = name.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
        if name.is_empty() || !is_printable {
            return None;
        }
        properties.push((String::from_utf8(name.to_vec()).ok()?, value.to_vec()));
        bytes = rest;
    }
    Some(properties)
}
