//! Where our outcome is another one than libzmq's, on purpose. Wherever libzmq lets peers in that nobody judged, we do not.

use super::outcome::{CUT_OFF, NO_HANDLER, RETRIES};
use super::scene::Scene;
use crate::stage::Who;

/// What comes of a scene when a part of it is ours.
struct Deviation {
    /// The names of the scenes; a star stands for anything.
    scenes: &'static [&'static str],
    ours: Part,
    does: Does,
    #[expect(dead_code, reason = "for whoever reads the table")]
    why: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Server,
    Client,
    /// A server with an authenticator in place of a handler.
    NativeServer,
}

enum Does {
    /// This part tells a failure and closes; a client tries again.
    Fails(Part, &'static str),
    /// What libzmq does in another scene.
    As(&'static str),
}

const TABLE: &[Deviation] = &[
    Deviation {
        scenes: &["Curve: enforced, no domain, welcome"],
        ours: Part::NativeServer,
        does: Does::As("Curve: no domain, welcome"),
        why: "an authenticator is asked whatever the domain is",
    },
    Deviation {
        scenes: &["Plain: enforced, no domain, welcome"],
        ours: Part::NativeServer,
        does: Does::As("Plain: no domain, welcome"),
        why: "the same; libzmq's process is aborted by the first client",
    },
    Deviation {
        scenes: &["Plain: enforced, no domain, *"],
        ours: Part::Server,
        does: Does::Fails(Part::Server, NO_HANDLER),
        why: "libzmq's process is aborted by the first client",
    },
    Deviation {
        scenes: &["Null: domain, no handler", "Curve: domain, no handler"],
        ours: Part::Server,
        does: Does::Fails(Part::Server, NO_HANDLER),
        why: "a domain asks for judgement: where nobody judges, nobody comes in",
    },
    Deviation {
        scenes: &["Null: a client's domain, no handler"],
        ours: Part::Client,
        does: Does::Fails(Part::Client, NO_HANDLER),
        why: "the same, at the end that connects",
    },
    Deviation {
        scenes: &["*: the handler leaves"],
        ours: Part::Server,
        does: Does::Fails(Part::Server, NO_HANDLER),
        why: "a handler that has gone will not answer, whatever the time",
    },
    Deviation {
        scenes: &["*: metadata without a name", "*: a value without end"],
        ours: Part::Server,
        does: Does::Fails(Part::Server, "failed: protocol 0x20000005"),
        why: "libzmq takes what it cannot read for no metadata at all",
    },
];

/// What has to come of a scene with this cast, if it is not what comes of it with two libzmq peers: that is the reference, and is
/// found by the scene's name.
pub(super) fn of<'a>(
    scene: &Scene,
    [server, client]: [Who; 2],
    reference_of: impl Fn(&str) -> Option<&'a [String]>,
) -> Option<Vec<String>> {
    let plays = |part| match part {
        Part::Server => server.is_ours(),
        Part::Client => client.is_ours(),
        Part::NativeServer => matches!(server, Who::UsNatively),
    };
    let found = TABLE.iter().find(|deviation| {
        plays(deviation.ours) && deviation.scenes.iter().any(|name| is_like(&scene.name, name))
    })?;
    let reference = |name| reference_of(name).unwrap_or_default().iter().cloned();
    match found.does {
        Does::As(name) => Some(reference(name).collect()),
        Does::Fails(part, reason) => {
            let [server, client] = match part {
                Part::Server | Part::NativeServer => [reason, CUT_OFF],
                Part::Client => [CUT_OFF, reason],
            };
            let mut lines = vec![
                format!("server: listening, accepted, {server}, disconnected"),
                format!("client: delayed: 115, connected, {client}, disconnected, {RETRIES}"),
            ];
            lines.extend(reference(&scene.name).filter(|line| line.contains(" asks for: ")));
            Some(lines)
        }
    }
}

/// Whether a name is another one, whose star stands for anything.
fn is_like(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => name.starts_with(start) && name.ends_with(end),
        None => name == pattern,
    }
}
