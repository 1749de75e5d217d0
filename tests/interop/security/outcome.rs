//! What came of a scene, in lines that can be compared.

use super::scene::Scene;
use crate::stage::Event;

/// What both ends told: the server, the client.
pub(crate) struct Outcome {
    pub(crate) events: [Vec<Event>; 2],
    pub(crate) requests: [Vec<Vec<Vec<u8>>>; 2],
    pub(crate) received: [Option<String>; 2],
    pub(crate) processes: [u32; 2],
    /// Where the server is bound, over tcp.
    pub(crate) address: String,
    pub(crate) is_client_ours: bool,
    /// Nothing came of it in all that time.
    pub(crate) hung: bool,
}

const SIDES: [&str; 2] = ["server", "client"];
pub(super) const CUT_OFF: &str = "failed: cut off";
pub(super) const NO_HANDLER: &str = "failed: no handler";
const TIMED_OUT: &str = "failed: timed out";
pub(super) const RETRIES: &str = "retries";
const TWO_CLIENTS: &str = "Curve client before Curve client";
/// There is nobody to ask.
const EFAULT: u64 = libc::EFAULT as u64;

/// An event in words, without what differs from one run to the next.
fn words(event: &Event, is_impatient: bool) -> String {
    let value = event.value;
    match event.kind {
        0x1 => "connected".to_owned(),
        0x2 => format!("delayed: {value}"),
        0x4 => RETRIES.to_owned(),
        0x8 => "listening".to_owned(),
        0x20 => "accepted".to_owned(),
        0x200 => "disconnected".to_owned(),
        0x800 if value == EFAULT => NO_HANDLER.to_owned(),
        // EAGAIN; with libzmq whatever errno was left over (docs/monitoring.md).
        0x800 if is_impatient => TIMED_OUT.to_owned(),
        // EPIPE or ECONNRESET: whether the peer went before something was written to it, or after.
        0x800 if [32, 104].contains(&value) => CUT_OFF.to_owned(),
        0x800 => format!("failed: errno {value}"),
        0x1000 => "succeeded".to_owned(),
        0x2000 => format!("failed: protocol {value:#x}"),
        0x4000 => format!("failed: status {value}"),
        other => format!("event {other:#x}: {value}"),
    }
}

impl Outcome {
    /// What must be the same whoever acts.
    pub(crate) fn essence(&self, scene: &Scene) -> Vec<String> {
        let mut told = [0, 1].map(|side| self.told(side, scene.is_impatient(side)));
        let was_refused = told[1].iter().any(|word| word.starts_with("failed: status"));
        if was_refused && !self.is_client_ours {
            // A client of libzmq gives up when it was refused, and tries again when it refused the server: most of the time.
            told[1].retain(|word| word != RETRIES);
            told[1].extend(scene.handlers[1].is_some().then(|| RETRIES.to_owned()));
        }
        let mut essence = match scene.is_race {
            true => of_race(&told, self.is_client_ours && scene.name == TWO_CLIENTS),
            false => {
                let named = told.iter().zip(SIDES);
                named.map(|(told, name)| format!("{name}: {}", told.join(", "))).collect()
            }
        };
        for (side, name) in SIDES.iter().enumerate() {
            if let Some(request) = self.requests[side].first() {
                let mut frames: Vec<_> =
                    request.iter().map(|frame| frame.escape_ascii().to_string()).collect();
                // Numbers are everybody's own.
                if let Some(id) = frames.get_mut(1).filter(|id| !id.is_empty()) {
                    "ID".clone_into(id);
                }
                let frames = self.as_of_anyone(1 - side, &frames.join("|"));
                essence.push(format!("{name} asks for: {frames}"));
            }
            if let Some(received) = &self.received[side] {
                essence.push(format!("{name} receives: {}", self.as_of_anyone(1 - side, received)));
            }
        }
        if self.hung {
            essence.push("nothing more comes of it".to_owned());
        }
        essence
    }

    /// The events of a side. Where the conversation failed, those of the first attempt.
    fn told(&self, side: usize, is_impatient: bool) -> Vec<String> {
        let failed = self.received[1].is_none();
        let last = ["disconnected", RETRIES][side];
        let mut told = Vec::new();
        for event in &self.events[side] {
            told.push(words(event, is_impatient));
            if failed && told.last().is_some_and(|word| word == last) {
                break;
            }
        }
        // libzmq may say twice that it has no handler, and may then only end with the time for handshakes.
        told.dedup();
        if told.iter().any(|word| word == NO_HANDLER) {
            told.retain(|word| word != TIMED_OUT);
        }
        told
    }

    /// A text without the process at the other end, and the address.
    fn as_of_anyone(&self, side: usize, text: &str) -> String {
        let text = text.replace(&format!(":{}", self.processes[side]), ":PROCESS");
        match self.address.as_str() {
            "" => text,
            address => text.replace(address, "SERVER"),
        }
    }
}

/// Both ends see that they do not fit; the first one closes, and then the other may not get as far. A client gives up if it
/// saw it, and comes again if it was only cut off.
/// Our client of CURVE tries again after what somebody on the way may have done, too (docs/security.md).
fn of_race(told: &[Vec<String>; 2], tries_again: bool) -> Vec<String> {
    let failures =
        told.iter().flatten().filter(|word| word.starts_with("failed") && *word != CUT_OFF);
    let mut failures: Vec<String> = failures.cloned().collect();
    failures.sort();
    failures.dedup();
    let retries = told[1].iter().any(|word| word == RETRIES);
    let was_cut_off = told[1].iter().any(|word| word == CUT_OFF);
    let as_it_should = retries == was_cut_off || (tries_again && retries);
    let both = told.iter().all(|told| told.iter().any(|word| word == "disconnected"));
    vec![
        format!("either: {}", failures.join(", ")),
        format!("both disconnected: {both}, the client retries if it was cut off: {as_it_should}"),
    ]
}
