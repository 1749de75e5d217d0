//! Turns: what is done for one ready source.

use std::sync::atomic::Ordering;
use std::time::Instant;

use mio::{Events, Token};
use slotmap::{Key, KeyData};
use zmtp::{FrameHeader, Progress};

use super::core::{Core, Reactor, WAKE};
use super::guard::Guard;
use super::state::{Source, State, Timer};
use crate::connection::{Arrival, Loss, Phase, ReadJob, SourceId};
use crate::message::Frame;
use crate::pipe::{Pipe, PipeId, buffers};
use crate::reactor::waiters::Interest;

/// Turns before the kernel is asked for news again.
const TURNS: usize = 32;

/// With more sources than this, none is looked for among them.
const FEW_SOURCES: usize = 16;

/// The token of a source in the socket's poll.
pub(super) fn token_of(id: SourceId) -> Token {
    Token(usize::try_from(id.data().as_ffi()).unwrap_or(usize::MAX))
}

fn source_of(token: Token) -> SourceId {
    KeyData::from_ffi(token.0 as u64).into()
}

impl Core {
    /// Notes what the kernel reported, and deals with the first of it.
    pub(super) fn take_events(&self, reactor: &Reactor, events: &Events) {
        if events.is_empty() {
            return;
        }
        let mut guard = self.lock_always();
        guard.note_events(events);
        self.turn(reactor, guard);
    }

    /// Reads from the only peer, whether the kernel has reported something or not. False if it is not the only one.
    pub(super) fn ask_the_only_peer(&self, reactor: &Reactor) -> bool {
        let mut guard = self.lock_always();
        let Some(id) = guard.only_peer() else { return false };
        guard.enlist(id);
        self.turn(reactor, guard);
        true
    }
}

impl State {
    /// The only connection, if it is complete and the kernel has nothing to tell of it but that there is input.
    fn only_peer(&mut self) -> Option<SourceId> {
        if self.sources.capacity() > FEW_SOURCES {
            return None;
        }
        let mut connections = self.sources.iter_mut().filter_map(|(id, source)| match source {
            Source::Connection(connection) => Some((id, connection)),
            Source::Listener(_) | Source::Draining(_) => None,
        });
        let (id, connection) = connections.next()?;
        if connections.next().is_some() || connection.phase != Phase::Traffic || connection.blocked
        {
            return None;
        }
        connection.look_again();
        Some(id)
    }

    /// Puts on the list what the kernel reported.
    fn note_events(&mut self, events: &Events) {
        for event in events {
            if event.token() == WAKE {
                continue;
            }
            let id = source_of(event.token());
            let enlist = match self.sources.get_mut(id) {
                Some(Source::Connection(connection)) => connection.note_event(event),
                Some(Source::Listener(_) | Source::Draining(_)) => true,
                None => false,
            };
            if enlist && !self.is_paused(id) {
                self.enlist(id);
            }
        }
    }
}

impl Core {
    /// Takes up to [`TURNS`] turns. True if there may be more to do.
    pub(super) fn some_turns(&self, reactor: &Reactor) -> bool {
        self.some_turns_unless(reactor, || false)
    }

    /// The same, until `stop` says so.
    pub(super) fn some_turns_unless(&self, reactor: &Reactor, stop: impl Fn() -> bool) -> bool {
        for _ in 0..TURNS {
            if stop() {
                return true;
            }
            if !self.has_ready.load(Ordering::SeqCst) || !self.turn(reactor, self.lock_always()) {
                return false;
            }
        }
        true
    }

    /// Deals with one ready source. False if there is none.
    fn turn(&self, reactor: &Reactor, mut guard: Guard<'_>) -> bool {
        let Some(id) = guard.next_ready() else { return false };
        match guard.sources.get_mut(id) {
            None => {}
            Some(Source::Listener(listening)) if listening.resting => {}
            Some(Source::Listener(listening)) => {
                let listener = std::sync::Arc::clone(&listening.listener);
                drop(guard);
                self.accept(reactor, id, &listener);
            }
            Some(Source::Draining(draining)) => {
                let stream = draining.stream();
                drop(guard);
                self.turn_draining(id, &stream);
            }
            Some(Source::Connection(connection)) if connection.phase == Phase::Connecting => {
                drop(guard);
                self.finish_connecting(id);
            }
            Some(Source::Connection(connection)) => {
                let (resumed, broken) = (connection.resumed, connection.is_broken());
                let pipe = connection.pipe.and_then(|pipe| guard.pipes.get(pipe));
                let full = !broken && pipe.is_some_and(|pipe| pipe.paused);
                let limit = pipe.map_or(usize::MAX, Pipe::read_limit);
                let connection = if full { None } else { guard.connection(id) };
                let job = connection.and_then(|connection| connection.begin_read(limit));
                if job.is_none() {
                    guard.note_flight(id, self.token());
                }
                drop(guard);
                if resumed {
                    self.write(id);
                }
                if let Some(job) = job {
                    self.read(id, job);
                }
            }
        }
        true
    }

    /// One read and what follows from it.
    fn read(&self, id: SourceId, mut job: ReadJob) {
        let now = Instant::now();
        let mut arrival = job.run(now);
        let mut guard = self.lock_always();
        let reply = guard.end_read(id, job, &mut arrival, self.token());
        drop(guard);
        buffers::give_chunk(std::mem::take(&mut arrival.buffer));
        if reply {
            self.write(id);
        }
    }
}

impl State {
    fn is_paused(&self, id: SourceId) -> bool {
        let Some(Source::Connection(connection)) = self.sources.get(id) else { return false };
        // What is to be written cannot wait for the reader.
        let pipe = connection.pipe.filter(|_| !connection.resumed && !connection.is_broken());
        pipe.and_then(|pipe| self.pipes.get(pipe)).is_some_and(|pipe| pipe.paused)
    }

    /// Puts back what a reader took and deals with what it brought. True if there is something to
    /// write.
    fn end_read(
        &mut self,
        id: SourceId,
        job: ReadJob,
        arrival: &mut Arrival,
        token: usize,
    ) -> bool {
        let Some(connection) = self.connection(id) else { return false };
        connection.finish_read(job, arrival.drained);
        connection.heard = arrival.heard.or(connection.heard);
        if connection.ending.is_some() {
            self.finish_loss(id, token);
            return false;
        }
        let mut reply = self.take_events(id, token);
        self.take_traffic(id, arrival);
        let over = || self.connection(id).and_then(|connection| connection.end_of_notice());
        if let Some(loss) = arrival.loss.take().or_else(over) {
            self.lose(id, loss, token);
            return false;
        }
        self.watch_protocol(id, token);
        if let Some(budget) = self.exceeded_budget(id) {
            self.lose(id, Loss::Budget(budget), token);
            return false;
        }
        if let Some(most) = self.options.bounds.max_socket_bytes {
            self.keep_socket_budget(id, most, token);
        }
        if self.connection(id).is_some_and(|connection| connection.readable) && !self.is_paused(id)
        {
            self.enlist(id);
        }
        if let Some(connection) = self.connection(id) {
            reply |= connection.collect();
        }
        reply
    }

    /// Moves the frames that arrived to the pipe.
    fn take_traffic(&mut self, id: SourceId, arrival: &mut Arrival) {
        let Some(pipe_id) = self.connection(id).and_then(|connection| connection.pipe) else {
            return;
        };
        // What comes after unbind or disconnect is for nobody.
        let Some(pipe) = self.pipes.get_mut(pipe_id).filter(|pipe| !pipe.closing) else { return };
        let before = pipe.incoming.messages();
        if let Some(large) = arrival.large.take() {
            let (header, frame) = *large;
            push_large(pipe, header, frame);
        }
        if let Some(progress) = arrival.progress.take() {
            push_traffic(pipe, progress, &mut arrival.buffer);
        }
        let mut arrived = pipe.incoming.messages() - before;
        pipe.paused = pipe.is_full();
        if pipe.conflate && arrived > 0 {
            arrived = 1;
            let dropped = pipe.conflate_incoming();
            self.pattern.replaced(pipe_id);
            self.pipes.released.extend(dropped);
        }

        if arrived > 0 {
            if before == 0 {
                self.pattern.readable(&mut self.pipes, pipe_id);
                self.resume_skipped();
            }
            self.waiters.notify(Interest::Receive, arrived);
        }
    }

    /// Makes the protocol's next deadline a timer, unless an earlier one is set already. Without a deadline it has none.
    pub(super) fn watch_protocol(&mut self, id: SourceId, token: usize) {
        let Some(connection) = self.connection(id) else { return };
        let Some(next) = connection.protocol().map(|protocol| protocol.poll_timeout()) else {
            return;
        };
        match next {
            Some(next) if connection.timer.is_none_or(|set| next < set) => {
                connection.timer = Some(next);
                self.set_timer(token, next, Timer::Connection(id));
            }
            Some(_) => {}
            None => {
                if let Some(set) = connection.timer.take() {
                    self.timers.remove(&(set, Timer::Connection(id)));
                }
            }
        }
    }

    /// A part was taken from the pipe, behind which `left` messages wait: reading may go on, or the
    /// pipe may be done with.
    #[inline]
    pub(super) fn after_recv(&mut self, id: PipeId) {
        let Some(pipe) = self.pipes.get_mut(id) else { return };
        if let Some(lane) = pipe.lane() {
            if pipe.is_merely_dry() && self.waiters.is_empty() {
                lane.ran_dry();
                // Whoever comes for the next message looks for it: until then the sender need not call.
                return self.pipes.dry.push(id);
            }
            self.take_local(id);
            return;
        }
        let empty = pipe.incoming.messages() == 0;
        if empty {
            pipe.incoming.trim();
        }
        if pipe.dead && empty && !self.pattern.holds(id) {
            self.remove_pipe(id);
        } else if pipe.paused && pipe.may_resume() {
            pipe.paused = false;
            self.resume_reading(id);
        }
    }

    /// What was dropped unasked makes room, too. True if there was any: then more may be there.
    #[inline(always)]
    pub(super) fn resume_skipped(&mut self) -> bool {
        !self.pipes.skipped.is_empty() && self.resume_each_skipped()
    }

    #[cold]
    fn resume_each_skipped(&mut self) -> bool {
        while let Some(id) = self.pipes.skipped.pop() {
            self.after_recv(id);
        }
        true
    }

    pub(super) fn resume_reading(&mut self, id: PipeId) {
        let Some(source) = self.links.get(id).copied() else { return };
        if self.connection(source).is_some_and(|connection| connection.readable) {
            self.enlist(source);
            self.deferred.kick = true;
        }
    }

    pub(super) fn remove_pipe(&mut self, id: PipeId) {
        self.pattern.forget(id);
        self.links.remove(id);
        self.pipes.remove(id);
    }
}

fn push_large(pipe: &mut Pipe, header: FrameHeader, frame: Frame) {
    pipe.incoming.push_large(header.more, frame);
}

fn push_traffic(pipe: &mut Pipe, progress: Progress, buffer: &mut Vec<u8>) {
    let messages = progress.messages as usize;
    match progress.traffic {
        zmtp::Traffic::None => {}
        zmtp::Traffic::Input(range) => {
            pipe.incoming.push(buffer, range, messages, progress.whole);
        }
        zmtp::Traffic::Buffer(mut frames) => {
            let all = 0..frames.len();
            pipe.incoming.push(&mut frames, all, messages, progress.whole);
        }
    }
}
