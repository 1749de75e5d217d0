//! Having it decided whether peers may come in.
//!
//! ```text
//!   the protocol asks --> put off until unlocked --> the context's gate --+-- knows at once ----> end_judging
//!                                                                         \-- a handler answers later --^
//! ```
//!
//! Until then nothing of the peer is read; the time for the handshake goes on.

use std::sync::Weak;
use std::time::Instant;

use zmtp::AuthRequest;
use zmtp::curve::PublicKey;

use super::core::Core;
use super::state::State;
use crate::auth::{Credentials, Request};
use crate::connection::{Loss, SourceId};
use crate::zap::Judgement;

/// A peer on which somebody has to decide.
#[derive(Debug)]
pub(crate) struct Question {
    source: SourceId,
    pub(crate) request: Request,
    /// The routing id of the socket that asks.
    pub(crate) identity: Vec<u8>,
    /// Nobody is asked for a socket without a domain.
    pub(crate) needs_domain: bool,
}

/// Who waits for a decision.
#[derive(Debug)]
pub(crate) struct Asker {
    core: Weak<Core>,
    source: SourceId,
}

impl Asker {
    pub(super) fn new(core: &Core, source: SourceId) -> Asker {
        Asker { core: Weak::clone(&core.this), source }
    }

    /// Tells the decision; the connection may be gone.
    pub(crate) fn tell(self, judgement: Judgement) {
        if let Some(core) = self.core.upgrade() {
            core.end_judging(self.source, judgement);
        }
    }
}

impl State {
    /// The protocol wants to know whether the peer may come in: that is asked once the lock is released.
    pub(super) fn begin_judging(&mut self, id: SourceId, asked: AuthRequest) {
        let Some(connection) = self.connection(id) else { return };
        connection.judging = true;
        let options = &connection.terms.options;
        let request = Request {
            domain: options.security.zap_domain.clone(),
            address: connection.stream.peer_address(),
            credentials: credentials(asked.mechanism, asked.credentials),
            routing_id: asked.routing_id,
        };
        let (identity, needs_domain) =
            (options.routing_id.clone(), options.security.zap_enforce_domain);
        self.deferred.questions.push(Question { source: id, request, identity, needs_domain });
    }

    /// A peer that goes while it is judged is not kept until the verdict, nor one whose place others want: nobody has told it
    /// that messages may flow, so it has sent none.
    pub(super) fn note_flight(&mut self, id: SourceId, token: usize) {
        let Some(connection) = self.connection(id).filter(|connection| connection.judging) else {
            return;
        };
        let fled = connection.hung_up.then_some(Loss::Closed);
        if let Some(loss) = fled.or_else(|| connection.end_of_notice()) {
            self.lose(id, loss, token);
        }
    }
}

fn credentials(mechanism: &str, frames: Vec<Vec<u8>>) -> Credentials {
    let mut frames = frames.into_iter();
    let (first, second) = (frames.next().unwrap_or_default(), frames.next().unwrap_or_default());
    match mechanism {
        "PLAIN" => Credentials::Plain { username: first, password: second.into() },
        "CURVE" => {
            let key = first.try_into().unwrap_or_default();
            Credentials::Curve(PublicKey::from_bytes(key))
        }
        _ => Credentials::Null,
    }
}

impl Core {
    /// Has a request decided. Called without the lock.
    pub(super) fn ask(&self, question: &Question) {
        self.context.ask(question, Asker::new(self, question.source));
    }

    fn end_judging(&self, id: SourceId, judgement: Judgement) {
        let token = self.token();
        let mut guard = self.lock_always();
        let reply = guard.judged(id, judgement, token);
        drop(guard);
        if reply {
            self.write(id);
        }
    }
}

impl State {
    /// Goes on with a handshake, or ends it. True if there is something to write.
    fn judged(&mut self, id: SourceId, judgement: Judgement, token: usize) -> bool {
        let Some(connection) = self.connection(id).filter(|connection| connection.judging) else {
            return false;
        };
        let more = connection.end_judging();
        let Some(protocol) = connection.protocol() else { return false };
        let verdict = judgement.map_err(Loss::Unjudged);
        let accepted =
            verdict.and_then(|verdict| Ok(protocol.handle_verdict(Instant::now(), verdict)?));
        if let Err(loss) = accepted {
            self.lose(id, loss, token);
            return false;
        }
        self.take_events(id, token);
        self.watch_protocol(id, token);
        if more {
            self.enlist(id);
            self.deferred.kick = true;
        }
        self.connection(id).is_some_and(|connection| connection.collect())
    }
}
