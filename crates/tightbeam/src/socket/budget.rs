//! How much is held for peers: what each of them may have, and all together.

use super::state::{Source, State};
use crate::connection::{Loss, SourceId};
use crate::pipe::PipeId;

/// For whom something is held.
#[derive(Debug, Clone, Copy)]
enum Holder {
    Connection(SourceId),
    /// What is left of a connection that has ended.
    Pipe(PipeId),
}

/// What is read before all is summed up again may exceed the budget of the socket by this part of it.
const SLACK: usize = 8;

impl State {
    /// Which budget the peer has exceeded, if any.
    pub(super) fn exceeded_budget(&self, id: SourceId) -> Option<&'static str> {
        let Some(Source::Connection(connection)) = self.sources.get(id) else { return None };
        let pipe = connection.pipe.and_then(|pipe| self.pipes.get(pipe));
        if pipe.is_some_and(|pipe| pipe.incoming.messages() > 0) {
            // Whole messages wait for a slow receiver: that holds the peer back, and ends nothing.
            return None;
        }
        (self.held_for(id) > connection.terms.options.max_held_bytes).then_some("bytes held")
    }

    /// Bytes that have come over a connection, or are to be said to its peer of its own accord.
    fn held_for(&self, id: SourceId) -> usize {
        let Some(Source::Connection(connection)) = self.sources.get(id) else { return 0 };
        let pipe = connection.pipe.and_then(|pipe| self.pipes.get(pipe));
        connection.held_bytes()
            + connection.waiting_commands()
            + pipe.map_or(0, |pipe| pipe.incoming.bytes())
    }

    /// Something was read: if more is held for all peers than may be, those go for which most is held. To sum up is left
    /// until enough may have come.
    #[cold]
    pub(super) fn keep_socket_budget(&mut self, id: SourceId, most: usize, token: usize) {
        self.unsummed = self.unsummed.saturating_add(self.held_for(id));
        if self.unsummed <= most / SLACK {
            return;
        }
        self.unsummed = 0;
        let mut held: Vec<(usize, Holder)> = self.holders();
        let mut sum: usize = held.iter().map(|(bytes, _)| bytes).sum();
        if sum <= most {
            return;
        }
        held.sort_unstable_by_key(|(bytes, _)| *bytes);
        while sum > most
            && let Some((bytes, holder)) = held.pop()
        {
            sum -= bytes;
            match holder {
                Holder::Connection(id) => {
                    if let Some(pipe) = self.connection(id).and_then(|connection| connection.pipe) {
                        self.forget_unread(pipe);
                    }
                    self.lose(id, Loss::Crowded, token);
                }
                Holder::Pipe(id) => {
                    self.forget_unread(id);
                    if self.pipes.get(id).is_some_and(|pipe| pipe.dead && pipe.unreceived() == 0) {
                        self.remove_pipe(id);
                    }
                }
            }
        }
    }

    fn holders(&self) -> Vec<(usize, Holder)> {
        let connections = self.sources.keys().map(|id| (self.held_for(id), Holder::Connection(id)));
        let left = self.pipes.iter().filter(|(id, _)| !self.links.contains_key(*id));
        let left = left.map(|(id, pipe)| (pipe.incoming.bytes(), Holder::Pipe(id)));
        connections.chain(left).filter(|(bytes, _)| *bytes > 0).collect()
    }
}
