//! The names of inproc endpoints: who is bound to which, and who waits for one that is not bound.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use zmtp::SocketType;

use crate::pipe::{LaneEnd, PipeId};
use crate::socket::Core;

/// The pipe of another socket of this process.
#[derive(Debug, Clone)]
pub(crate) struct Neighbour {
    pub(crate) core: Weak<Core>,
    pub(crate) pipe: PipeId,
}

/// What a socket says of itself to one that it is connected with.
#[derive(Debug, Clone)]
pub(crate) struct Introduction {
    pub(crate) socket_type: SocketType,
    pub(crate) routing_id: Vec<u8>,
}

/// A socket that connects, and the end of the lanes for the socket that is bound.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) from: Neighbour,
    pub(crate) introduction: Introduction,
    pub(crate) end: LaneEnd,
}

/// What is to be done with an [`Offer`].
#[derive(Debug)]
pub(crate) enum Match {
    /// The name is bound: the socket is to take it.
    Bound(Arc<Core>, Offer),
    /// It waits until the name is bound.
    Waits,
    /// Nobody will bind the name any more. It is to be dropped without a lock: it may hold bodies of the
    /// application.
    Never(Offer),
}

/// The inproc names of a context.
#[derive(Debug, Default)]
pub(crate) struct Names {
    bound: HashMap<Arc<str>, Weak<Core>>,
    waiting: HashMap<Arc<str>, Vec<Offer>>,
    shut_down: bool,
}

impl Names {
    /// No name will be bound any more. Answers the offers that have waited in vain, to be dropped
    /// without the lock: what they hold may be what keeps a socket open.
    pub(crate) fn shut_down(&mut self) -> HashMap<Arc<str>, Vec<Offer>> {
        self.shut_down = true;
        std::mem::take(&mut self.waiting)
    }

    /// Gives a name to a socket, and answers who has waited for it; `None` if another socket has it.
    pub(crate) fn bind(&mut self, name: &Arc<str>, core: &Weak<Core>) -> Option<Vec<Offer>> {
        if self.bound.get(name).is_some_and(|other| other.strong_count() > 0) {
            return None;
        }
        self.bound.insert(Arc::clone(name), Weak::clone(core));
        Some(self.waiting.remove(name).unwrap_or_default())
    }

    /// The socket that is bound to a name.
    pub(crate) fn holder(&self, name: &str) -> Option<Arc<Core>> {
        self.bound.get(name).and_then(Weak::upgrade)
    }

    /// Takes a name back from the socket that has it.
    pub(crate) fn unbind(&mut self, name: &str, core: &Weak<Core>) {
        if self.bound.get(name).is_some_and(|holder| holder.ptr_eq(core)) {
            self.bound.remove(name);
        }
    }

    /// Finds the socket with a name, or lets the offer wait for one.
    pub(crate) fn connect(&mut self, name: &Arc<str>, offer: Offer) -> Match {
        match self.bound.get(name).and_then(Weak::upgrade) {
            Some(core) => Match::Bound(core, offer),
            None if self.shut_down => Match::Never(offer),
            None => {
                self.waiting.entry(Arc::clone(name)).or_default().push(offer);
                Match::Waits
            }
        }
    }

    /// Takes an offer back that still waits.
    pub(crate) fn withdraw(&mut self, name: &str, from: &Neighbour) -> Option<Offer> {
        let offers = self.waiting.get_mut(name)?;
        let of_this =
            |offer: &Offer| offer.from.pipe == from.pipe && offer.from.core.ptr_eq(&from.core);
        let at = offers.iter().position(of_this)?;
        let offer = offers.remove(at);
        if offers.is_empty() {
            self.waiting.remove(name);
        }
        Some(offer)
    }
}
