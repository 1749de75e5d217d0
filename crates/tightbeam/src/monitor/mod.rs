//! What happens to a socket's connections, as events.
//!
//! Events are told under the socket's lock, into bounded queues; whoever is to be woken by that is woken
//! after unlocking.

mod event;
mod frames;
mod stream;

use std::sync::Arc;
use std::task::Waker;

pub(crate) use self::event::Place;
pub use self::event::{EventKind, MonitorEvent, ProtocolError};
pub(crate) use self::frames::Version;
use self::stream::Queue;
pub(crate) use self::stream::Ticket;
pub use self::stream::{Monitor, NextEvent};
#[cfg(test)]
mod tests;

/// The monitors of one socket.
#[derive(Debug, Default)]
pub(crate) struct Monitors {
    list: Vec<Arc<Queue>>,
    /// The one that feeds a monitor socket, if there is one, and what that wants to hear.
    socket: Option<(Arc<Queue>, u64)>,
    /// Events that monitors have missed that are there no more.
    missed: u64,
}

impl Monitors {
    /// A monitor that hears the events of the mask from now on.
    pub(crate) fn subscribe(&mut self, mask: u64) -> Monitor {
        // Those that are gone would stay until something happens.
        let missed = &mut self.missed;
        self.list.retain(|queue| {
            let read = !queue.is_abandoned();
            *missed += if read { 0 } else { queue.dropped() };
            read
        });
        let queue = Queue::new(mask);
        self.list.push(Arc::clone(&queue));
        Monitor::new(queue)
    }

    /// The monitor that feeds a monitor socket; there is one at most, so that another ends before.
    pub(crate) fn subscribe_socket(&mut self, mask: u64, wakers: &mut Vec<Waker>) -> Monitor {
        self.end_socket(wakers);
        let queue = Queue::new(mask);
        self.socket = Some((Arc::clone(&queue), mask));
        Monitor::new(queue)
    }

    /// Ends what feeds the monitor socket.
    pub(crate) fn end_socket(&mut self, wakers: &mut Vec<Waker>) {
        if let Some((queue, _)) = self.socket.take() {
            self.missed += queue.dropped();
            queue.end(wakers);
        }
    }

    /// What the monitor socket wants to hear, if there is one.
    pub(crate) fn socket_mask(&self) -> Option<u64> {
        self.socket.as_ref().map(|(_, mask)| *mask)
    }

    /// How many events monitors have missed.
    pub(crate) fn dropped(&self) -> u64 {
        let socket = self.socket.iter().map(|(queue, _)| queue);
        self.missed + self.list.iter().chain(socket).map(|queue| queue.dropped()).sum::<u64>()
    }

    /// Whether nobody monitors.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty() && self.socket.is_none()
    }

    /// Tells every monitor; the tasks to wake after unlocking go to `wakers`.
    pub(crate) fn tell(&mut self, event: &MonitorEvent, wakers: &mut Vec<Waker>) {
        let missed = &mut self.missed;
        self.list.retain(|queue| {
            let kept = queue.tell(event, wakers);
            *missed += if kept { 0 } else { queue.dropped() };
            kept
        });
        if let Some((queue, _)) = &self.socket
            && !queue.tell(event, wakers)
        {
            self.missed += queue.dropped();
            self.socket = None;
        }
    }

    /// Tells only the monitor socket.
    pub(crate) fn tell_socket(&self, event: &MonitorEvent, wakers: &mut Vec<Waker>) {
        if let Some((queue, _)) = &self.socket {
            queue.tell(event, wakers);
        }
    }

    /// The context is shut down: who waits is told, and nobody waits again.
    pub(crate) fn stop_waiting(&self, wakers: &mut Vec<Waker>) {
        let socket = self.socket.iter().map(|(queue, _)| queue);
        self.list.iter().chain(socket).for_each(|queue| queue.stop_waiting(wakers));
    }

    /// The socket has ended: readers see the end of the stream.
    pub(crate) fn end(&mut self, wakers: &mut Vec<Waker>) {
        for queue in self.list.drain(..) {
            queue.end(wakers);
        }
        self.end_socket(wakers);
    }
}
