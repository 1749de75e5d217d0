//! Large bodies that leave straight from the caller's memory.
//!
//! Where nothing is queued before such a message, the kernel is offered header and body at once, without the
//! lock. Only what it does not take is copied, and is queued as a message that was begun. Who sends much also
//! writes himself what is queued already: left to the I/O thread, it would grow as fast as it is written, in
//! memory that is in no cache.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::burst::LARGE;
use super::core::Core;
use super::guard::Guard;
use super::state::State;
use super::transfer::copy_of;
use super::wait::{Timing, remaining};
use crate::connection::SourceId;
use crate::error::Result;
use crate::pipe::{Parts, PipeId};
use crate::reactor::parker::Parker;

/// How long to wait for another thread's system call. That thread may be held up: between two calls it may run foreign code,
/// which may wait for what this thread has.
const PATIENCE: Duration = Duration::from_millis(10);

/// What has to be done before a message may leave from the caller's memory.
enum Before {
    /// Nothing: this pipe borrows it, and this connection takes it.
    Nothing(PipeId, SourceId),
    /// What is queued for this connection must be written.
    Write(SourceId),
    /// Another thread is writing to this connection, and more is queued for it.
    Await(SourceId),
}

impl Core {
    /// Sends a message of one part that is too long to be copied under the lock.
    #[inline(never)]
    pub(super) fn send_large_slice(&self, body: &[u8], timing: Option<Timing>) -> Result<()> {
        if (LARGE..=self.max_part).contains(&body.len()) && self.send_lent(body, timing)? {
            return Ok(());
        }
        self.send(&[copy_of(body)?], timing)
    }

    /// Sends a message without copying it first. False if it must be copied, or is refused; then nothing
    /// of it was done.
    fn send_lent(&self, body: &[u8], timing: Option<Timing>) -> Result<bool> {
        let mut guard = self.lock_for(timing)?;
        let mut before = guard.before_lending();
        if let Some(Before::Await(source)) = before {
            let timing = timing.unwrap_or_else(|| guard.options.sndtimeo.into());
            if !timing.waits() || guard.next_writer.is_some() {
                return Ok(false);
            }
            let came;
            (guard, came) = self.await_writer(guard, source);
            if !came {
                return Ok(false);
            }
            before = Some(Before::Write(source));
        }
        if let Some(Before::Write(source)) = before {
            self.write_unasked(guard, source);
            guard = self.lock_for(timing)?;
            before = guard.before_lending();
        }
        match before {
            Some(Before::Nothing(pipe, source)) => Ok(self.lend(guard, (pipe, source), body)),
            _ => Ok(false),
        }
    }

    /// Waits until another thread's system call has ended, which does not wait for anything. Whoever has
    /// waited writes what that thread has left behind. False if it takes too long: then nothing is left to this thread.
    fn await_writer<'a>(&'a self, mut guard: Guard<'a>, source: SourceId) -> (Guard<'a>, bool) {
        let parker = Parker::current();
        guard.next_writer = Some((source, Arc::clone(&parker)));
        drop(guard);
        let until = Some(Instant::now() + PATIENCE);
        while !parker.is_notified() && remaining(until) != Some(Duration::ZERO) {
            parker.park(remaining(until));
        }
        let mut guard = self.lock_always();
        let unanswered = guard.next_writer.take_if(|(_, next)| Arc::ptr_eq(next, &parker));
        (guard, unanswered.is_none())
    }

    /// Has the pipe borrow the message, and writes it. False if it was refused.
    fn lend(&self, mut guard: Guard<'_>, to: (PipeId, SourceId), body: &[u8]) -> bool {
        let (id, source) = to;
        if let Some(pipe) = guard.pipes.get_mut(id) {
            pipe.outgoing.borrow();
        }
        let sent = guard.offer(Parts::Lent(body)).is_ok();
        let borrowed = guard.pipes.get_mut(id).and_then(|pipe| pipe.outgoing.take_borrowed());
        let Some(segment) = borrowed else {
            // It was copied into another queue, if it was sent.
            if sent {
                self.after_send(guard, body.len());
            }
            return sent;
        };
        guard.only_dirty();
        let connection = guard.connection(source);
        let writer = connection.and_then(|connection| connection.begin_lent_write(segment));
        drop(guard);
        if let Some(writer) = writer {
            self.write_lent(source, writer, body);
        }
        true
    }
}

impl State {
    /// What has to be done before the next message may leave from the caller's memory; `None` if it may not.
    fn before_lending(&mut self) -> Option<Before> {
        if !self.staged.is_empty() || !self.pipes.dirty.is_empty() {
            return None;
        }
        let receiver = self.pattern.next_receiver(&self.pipes)?;
        let source = *self.links.get(receiver)?;
        let pipe = self.pipes.get(receiver).filter(|pipe| !pipe.conflate)?;
        let queued = pipe.outgoing.has_output();
        let connection = self.connection(source)?;
        if connection.is_writing() {
            return queued.then_some(Before::Await(source));
        }
        if !connection.may_borrow() {
            return None;
        }
        if connection.blocked || queued {
            return Some(Before::Write(source));
        }
        Some(Before::Nothing(receiver, source))
    }
}
