//! What holds for a connection whatever its peer sends.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zmtp::{Config, Connection, Event, FrameHeader, MechanismConfig, SocketType, Verdict, Version};

use crate::choices::a_verdict;
use crate::counting::peak_of;
use crate::outcome::{in_reads, outcome, play};
use crate::support::End;

thread_local! {
    static REACHED: Cell<Reached> = const { Cell::new(Reached { ready: 0, frames: 0 }) };
}

/// How far connections came that a target has looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// Connections whose handshake was completed.
    pub ready: usize,
    /// Frames that they handed out.
    pub frames: usize,
}

/// How far connections come in `work`, on this thread.
pub fn reached_in(work: impl FnOnce()) -> Reached {
    REACHED.set(Reached { ready: 0, frames: 0 });
    work();
    REACHED.get()
}

/// How a stream is presented.
#[derive(Clone, Copy)]
pub(crate) struct Presented {
    /// What is said when a verdict is asked for.
    pub(crate) verdict: u8,
    /// The sizes of the reads, in turn.
    pub(crate) sizes: [u8; 2],
}

/// Presents a stream whole, in reads, and with a late verdict, and checks that it makes no difference. The end
/// that it answers has got all of it at once.
pub(crate) fn stream(config: &Config, presented: Presented, stream: &[u8]) -> End {
    let now = Instant::now();
    let verdict = a_verdict(presented.verdict);
    let sizes = presented.sizes.map(|size| 1 + usize::from(size) % 64);
    let reads = in_reads(stream, &sizes);

    let mut whole = play(config, verdict.clone(), &[stream], now);
    let cut = play(config, verdict.clone(), &reads, now);
    assert_eq!(outcome(&whole), outcome(&cut), "cuts must not matter");

    let mut late = End::new(config.clone(), now);
    reads.iter().for_each(|read| late.deliver(now, read));
    if late.events.iter().any(|event| matches!(event, Event::Authenticate(_))) {
        assert_eq!((late.peer(), late.frames.len()), (None, 0), "nothing before the verdict");
        late.answer(now, verdict.clone());
    }
    assert_eq!(outcome(&whole), outcome(&late), "the time of the verdict must not matter");

    is_in_order(config, &verdict, &whole);
    costs_little(config, &verdict, stream);
    stays_failed(&mut whole, now);
    for milliseconds in [500, 1000, 2000, 31_000, 61_000] {
        late.tick(now + Duration::from_millis(milliseconds));
    }
    stays_failed(&mut late, now);
    whole
}

/// What was delivered was allowed, and came after what has to come first.
pub(crate) fn is_in_order(config: &Config, verdict: &Verdict, end: &End) {
    let ready = end.events.iter().position(|event| matches!(event, Event::Ready(_)));
    let before = &end.events[..ready.unwrap_or(end.events.len())];
    let asked = before.iter().any(|event| matches!(event, Event::Authenticate(_)));
    assert!(before.len() <= 1 && asked == (before.len() == 1), "only a question before Ready");
    assert!(ready.is_some() || end.frames.is_empty(), "nothing is delivered before Ready");
    assert_eq!(end.connection.is_ready(), ready.is_some() && end.error.is_none());
    let Some(peer) = end.peer() else { return };
    let Reached { ready, frames } = REACHED.get();
    REACHED.set(Reached { ready: ready + 1, frames: frames + end.frames.len() });

    let accepted = matches!(verdict, Verdict::Accept { .. });
    assert!(!asked || accepted, "somebody who was refused got in");
    let asks = match config.mechanism {
        MechanismConfig::PlainServer => true,
        MechanismConfig::Null | MechanismConfig::CurveServer(_) => config.authenticate,
        _ => false,
    };
    assert!(!asks || asked, "somebody got in without a verdict");
    let is_secure = config.authenticate || !matches!(config.mechanism, MechanismConfig::Null);
    assert!(!is_secure || peer.version >= Version::V3_0, "a downgrade");
    assert_eq!(peer.mechanism, config.mechanism.name());
    assert!(peer.socket_type.is_none_or(|theirs| config.socket_type.may_talk_to(theirs)));
    assert!(peer.routing_id.len() <= 255);
    assert!(
        !(peer.routing_id.len() == 5 && peer.routing_id.starts_with(&[0])),
        "it claims to be nameless"
    );
    assert!(peer.properties.len() <= config.limits.properties);
    let granted = match verdict {
        Verdict::Accept { user_id, properties } if asked => {
            assert_eq!(peer.granted.len(), usize::from(user_id.is_some()) + properties.len() / 2);
            user_id.as_deref()
        }
        _ => None,
    };
    assert_eq!(peer.property("User-Id"), granted, "a peer cannot say who it is");
    assert_eq!(peer.property("Peer-Address"), None, "a peer cannot say where it is");
    keeps_limits(config, end);
}

fn keeps_limits(config: &Config, end: &End) {
    let longest = config.max_message_size.unwrap_or(u64::MAX);
    assert!(end.frames.iter().all(|(_, body)| body.len() as u64 <= longest));
    let messages = end.frames.split_inclusive(|(more, _)| !more);
    let frames = messages.map(<[_]>::len).max().unwrap_or(0);
    assert!(frames as u64 <= u64::from(config.limits.frames_per_message));
    let last = end.frames.iter().filter(|(more, _)| !more).count();
    assert_eq!(end.messages as usize, last);
    for event in &end.events {
        match event {
            Event::Subscribe(topic) | Event::Cancel(topic) | Event::Within(topic, _) => {
                assert!(topic.len() as u64 <= config.limits.topic);
                assert!(matches!(config.socket_type, SocketType::Pub | SocketType::XPub));
            }
            _ => {}
        }
    }
}

/// A connection allocates no more than it is sent, and a little; vectors that grow hold twice what is in them, and
/// the old half while they move.
pub(crate) fn costs_little(config: &Config, verdict: &Verdict, stream: &[u8]) {
    let now = Instant::now();
    let (config, mut verdict) = (Arc::new(config.clone()), Some(verdict.clone()));
    let mut input = stream.to_vec();
    let cost = peak_of(|| {
        let mut connection = Connection::new(config, now);
        let mut start = 0;
        while let Ok(progress) = connection.handle_read(now, &mut input[start..]) {
            assert!(progress.consumed <= input.len() - start);
            start += progress.consumed;
            let mut answered = false;
            while let Some(event) = connection.poll_event() {
                if let (Event::Authenticate(_), Some(verdict)) = (event, verdict.take()) {
                    answered = connection.handle_verdict(now, verdict).is_ok();
                }
            }
            if progress.consumed == 0 && !answered {
                break;
            }
        }
    });
    let limit = 3 * stream.len() + 64 * 1024;
    assert!(cost <= limit, "{cost} bytes for {}", stream.len());
}

/// The first error is final: every later call answers it, and nothing else happens.
pub(crate) fn stays_failed(end: &mut End, now: Instant) {
    let Some(error) = end.error.clone() else { return };
    let connection = &mut end.connection;
    let header = FrameHeader { more: false, command: false, body_len: 1, header_len: 2 };
    for _ in 0..2 {
        assert_eq!(connection.handle_read(now, &mut b"\0\x01x".to_vec()), Err(error.clone()));
        assert_eq!(connection.handle_timeout(now), Err(error.clone()));
        assert_eq!(connection.handle_verdict(now, a_verdict(0)), Err(error.clone()));
        assert_eq!(connection.handle_large_body(now, header), Err(error.clone()));
        assert_eq!((connection.poll_event(), connection.poll_timeout()), (None, None));
        assert!(!connection.is_ready());
        assert_eq!(connection.take_transmit(&mut Vec::new()), zmtp::Transmit::Nothing);
    }
}
