//! Writing what is queued.

use std::cell::RefCell;
use std::sync::Weak;

use super::core::Core;
use super::guard::Guard;
use super::state::State;
use crate::connection::{SourceId, WriteOutcome, Writer, Written};
use crate::pipe::OutQueue;
use crate::pipe::buffers::SEGMENT_SIZE;
use crate::reactor::shared::Command;
use crate::reactor::waiters::Interest;

use super::burst::When;

/// A send that goes to more peers than this leaves the writing to the I/O thread.
const WRITTEN_BY_CALLER: usize = 8;
/// Segments written in a row before others get their turn.
const WRITE_BUDGET: usize = 16;

thread_local! {
    /// Sockets in which this thread's sends may be waiting for more.
    static BURSTING: RefCell<Vec<Weak<Core>>> = const { RefCell::new(Vec::new()) };
}

/// Writes what this thread's bursts have left behind: it is about to wait.
pub(super) fn all_of_this_thread() {
    // Fails only while the thread is ending; the I/O thread writes then.
    let sockets = BURSTING.try_with(|list| std::mem::take(&mut *list.borrow_mut()));
    for socket in sockets.unwrap_or_default() {
        let Some(core) = socket.upgrade() else { continue };
        core.flush_all();
        if core.lock_always().burst.is_going_on() {
            remember(socket);
        }
    }
}

/// This thread's sends on the socket may be waiting for more.
fn remember(socket: Weak<Core>) {
    // Fails only while the thread is ending; the I/O thread looks anyway.
    let _ = BURSTING.try_with(|list| {
        let mut list = list.borrow_mut();
        if !list.iter().any(|known| known.ptr_eq(&socket)) {
            list.push(socket);
        }
    });
}

impl Core {
    /// A message of so many bytes was queued: write it now, or let the burst gather.
    pub(super) fn after_send(&self, mut guard: Guard<'_>, bytes: usize) {
        if guard.pipes.dirty.is_empty() {
            return;
        }
        match guard.burst.on_send(bytes) {
            When::Now => {
                if guard.pipes.dirty.len() > WRITTEN_BY_CALLER {
                    self.leave_to_io_thread(&mut guard);
                    return;
                }
                match guard.only_dirty() {
                    Some(id) => {
                        let writer = guard.begin_write(id);
                        drop(guard);
                        self.run_writes(id, writer);
                    }
                    None => {
                        drop(guard);
                        self.flush_all();
                    }
                }
            }
            When::BurstBegins => {
                self.begin_burst(&mut guard);
                self.write_urgent(guard);
            }
            When::Later => self.write_urgent(guard),
        }
    }

    fn begin_burst(&self, guard: &mut Guard<'_>) {
        if guard.burst.watch() {
            let token = self.token();
            guard.deferred.commands.push(Command::Burst(token));
        }
        remember(self.this.clone());
    }

    fn leave_to_io_thread(&self, guard: &mut Guard<'_>) {
        let token = self.token();
        if !std::mem::replace(&mut guard.flush_requested, true) {
            guard.deferred.commands.push(Command::Work(token));
        }
    }

    /// Writes the pipes that should not wait.
    #[inline]
    fn write_urgent(&self, mut guard: Guard<'_>) {
        if guard.pipes.urgent.is_empty() {
            return;
        }
        if guard.pipes.urgent.len() > WRITTEN_BY_CALLER {
            guard.pipes.urgent.clear();
            self.leave_to_io_thread(&mut guard);
            return;
        }
        let mut sources = Vec::with_capacity(1);
        while let Some(pipe) = guard.pipes.urgent.pop() {
            sources.extend(guard.links.get(pipe).copied());
        }
        drop(guard);
        for id in sources {
            self.write(id);
        }
    }

    /// Writes whatever is queued, as far as the kernel takes it.
    pub(super) fn flush_all(&self) {
        let mut guard = self.lock_always();
        if guard.pipes.dirty.is_empty() {
            return;
        }
        let state = &mut *guard;
        state.pipes.urgent.clear();
        let dirty = std::mem::take(&mut state.pipes.dirty);
        let mut sources = Vec::with_capacity(dirty.len());
        let mut messages = 0;
        for pipe in dirty {
            if let Some(pipe) = state.pipes.get_mut(pipe) {
                pipe.dirty = false;
                messages += pipe.outgoing.messages();
            }
            sources.extend(state.links.get(pipe).copied());
        }
        if state.waiters.driver.is_taken() {
            state.burst.on_flush(messages, sources.len());
        }
        drop(guard);
        for id in sources {
            self.write(id);
        }
    }

    /// Writes the message whose body is the caller's, and what was queued behind it meanwhile.
    pub(super) fn write_lent(&self, id: SourceId, mut writer: Box<Writer>, body: &[u8]) {
        let outcome = writer.run_lent(body);
        let next = self.lock_always().end_write(id, writer, outcome, self.token());
        self.run_writes(id, next);
    }

    /// Writes to one connection until there is nothing left, or the kernel takes no more.
    pub(super) fn write(&self, id: SourceId) {
        let writer = self.lock_always().begin_write(id);
        self.run_writes(id, writer);
    }

    /// Writes what is queued although the kernel took no more of it the last time, and has not said since
    /// that it would.
    pub(super) fn write_unasked(&self, mut guard: Guard<'_>, id: SourceId) {
        let writer = guard.take_write(id, true);
        drop(guard);
        self.run_writes(id, writer);
    }

    fn run_writes(&self, id: SourceId, writer: Option<Box<Writer>>) {
        let Some(mut writer) = writer else { return };
        for _ in 0..WRITE_BUDGET {
            let outcome = writer.run();
            let mut guard = self.lock_always();
            let token = self.token();
            match guard.end_write(id, writer, outcome, token) {
                Some(next) => writer = next,
                None => return,
            }
        }
        // Others get their turn; this connection comes back.
        let mut guard = self.lock_always();
        guard.put_off_write(id, writer, self.token());
    }
}

impl State {
    /// Whether a message of so many bytes that was queued just now is left to others: it went to a socket of this
    /// process, or it is gathered with those before it.
    #[inline(always)]
    pub(super) fn needs_no_write(&mut self, bytes: usize) -> bool {
        self.pipes.dirty.is_empty() || (self.pipes.urgent.is_empty() && self.burst.gathers(bytes))
    }

    /// The connection of the only pipe with output, which is then not dirty any more.
    pub(super) fn only_dirty(&mut self) -> Option<SourceId> {
        let [pipe] = self.pipes.dirty[..] else { return None };
        let source = self.links.get(pipe).copied()?;
        self.pipes.dirty.clear();
        self.pipes.urgent.clear();
        self.pipes.get_mut(pipe)?.dirty = false;
        Some(source)
    }

    pub(super) fn begin_write(&mut self, id: SourceId) -> Option<Box<Writer>> {
        self.take_write(id, false)
    }

    #[inline(always)]
    fn take_write(&mut self, id: SourceId, unasked: bool) -> Option<Box<Writer>> {
        let super::state::Source::Connection(connection) = self.sources.get_mut(id)? else {
            return None;
        };
        connection.resumed = false;
        let pipe = connection.pipe.and_then(|pipe| self.pipes.get_mut(pipe));
        connection.begin_write(pipe.map(|pipe| &mut pipe.outgoing), unasked)
    }

    /// Puts back what a writer took, and takes out what it should write next.
    fn end_write(
        &mut self,
        id: SourceId,
        writer: Box<Writer>,
        outcome: WriteOutcome,
        token: usize,
    ) -> Option<Box<Writer>> {
        let handed_over = self.put_back_write(id, writer);
        let connection = self.connection(id)?;
        if connection.ending.is_some() {
            self.finish_loss(id, token);
            return None;
        }
        let again = connection.take_again();
        match outcome {
            WriteOutcome::Done => connection.unblock(),
            WriteOutcome::Blocked if connection.block() => {
                // In a burst the sender comes back, or the look finds it gone. A task that drives is told by the runtime.
                let heard = self.burst.is_going_on() || self.waiters.driver.is_taken();
                self.deferred.give_back |= !heard;
                return None;
            }
            WriteOutcome::Blocked => return self.begin_write(id),
            WriteOutcome::Failed(error) => {
                self.fail_to_write(id, error, token);
                return None;
            }
        }
        self.burst.on_write();
        let connection = self.connection(id)?;
        let (pipe, own) = (connection.pipe, connection.has_own_output());
        let queue = pipe.and_then(|pipe| self.pipes.get(pipe)).map(|pipe| &pipe.outgoing);
        let queued = queue.map_or(0, OutQueue::bytes);
        let nothing = !again && !own && !queue.is_some_and(OutQueue::has_output);
        let next = if handed_over || nothing {
            None
        } else if again || !self.burst.is_going_on() || queued >= SEGMENT_SIZE {
            self.begin_write(id)
        } else {
            self.leave_to_burst(id, queued);
            None
        };
        if next.is_none() {
            self.close_if_drained(id, token);
        }
        next
    }

    /// What is left waits for the end of the burst: it was counted as written when the kernel took no more of it.
    fn leave_to_burst(&mut self, id: SourceId, queued: usize) {
        let Some(connection) = self.connection(id) else { return };
        if (queued > 0 || connection.waiting_commands() > 0)
            && let Some(pipe) = connection.pipe
        {
            self.pipes.mark_dirty(pipe);
        }
    }

    /// True if a thread that waits for its turn to write to this connection was told that it has come.
    fn put_back_write(&mut self, id: SourceId, writer: Box<Writer>) -> bool {
        self.put_back_segment(id, writer);
        self.next_writer.is_some() && self.call_next_writer(id)
    }

    #[cold]
    fn call_next_writer(&mut self, id: SourceId) -> bool {
        let next = self.next_writer.take_if(|(source, _)| *source == id);
        let Some((_, parker)) = next else { return false };
        self.waiters.wake_thread(parker);
        true
    }

    #[inline(always)]
    fn put_back_segment(&mut self, id: SourceId, writer: Box<Writer>) {
        let State { sources, pipes, pattern, waiters, deferred, .. } = self;
        let Some(super::state::Source::Connection(connection)) = sources.get_mut(id) else {
            return;
        };
        let written = connection.finish_write(writer);
        let Some(pipe) = connection.pipe.and_then(|pipe| pipes.get_mut(pipe)) else {
            if let Written::All(segment) | Written::Part(segment) = written {
                deferred.segments.push(segment);
            }
            return;
        };
        match written {
            Written::Nothing => {}
            Written::Part(segment) => pipe.outgoing.put_back(segment),
            Written::All(segment) => {
                let mut bodies = pipe.outgoing.written(segment);
                if !bodies.is_empty() {
                    deferred.frames.append(&mut bodies);
                }
                if !waiters.is_empty() && pipe.is_relaxed() {
                    // Also if it was before: there is room for more senders than were told of it then.
                    let room = pipe.send_hwm.saturating_sub(pipe.outgoing.messages());
                    let senders = pattern.senders_to_wake(room);
                    waiters.notify(Interest::Send, senders);
                }
            }
        }
    }

    fn put_off_write(&mut self, id: SourceId, writer: Box<Writer>, token: usize) {
        self.put_back_write(id, writer);
        let Some(connection) = self.connection(id) else { return };
        if connection.ending.is_some() {
            return self.finish_loss(id, token);
        }
        connection.resumed = true;
        self.enlist(id);
        self.deferred.kick = true;
    }
}
