//! What happens to a socket's connections, as a stream of events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use crate::endpoint::Endpoint;

/// Events that wait for a slow reader; more are dropped and counted.
const CAPACITY: usize = 1024;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A socket was bound to the endpoint.
    Listening,
    /// A connection to the endpoint was made; the handshake follows.
    Connected,
    /// A connection is being made in the background.
    ConnectDelayed,
    /// A connection will be tried again.
    ConnectRetried,
    /// A connection was accepted; the handshake follows.
    Accepted,
    /// A connection could not be accepted.
    AcceptFailed,
    /// The handshake is complete: messages flow.
    HandshakeSucceeded,
    /// The handshake failed; the reason says why.
    HandshakeFailed,
    /// A connection ended; the reason says why.
    Disconnected,
    /// A bound endpoint was closed.
    Closed,
}

/// One event of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MonitorEvent {
    /// What happened.
    pub kind: EventKind,
    /// Where: the endpoint that was bound or connected to.
    pub endpoint: Option<Endpoint>,
    /// Why, in words, where there is a reason.
    pub reason: Option<String>,
}

/// The events of a socket from the moment it was asked for.
///
/// The socket never waits for the reader: when 1,024 events wait, further ones are dropped and
/// [counted](Monitor::dropped). A monitor may be sent to another thread.
#[derive(Debug)]
pub struct Monitor {
    events: Receiver<MonitorEvent>,
    dropped: Arc<AtomicU64>,
}

impl Monitor {
    /// Waits for the next event, at most so long; `None` if there was none, or the socket ended.
    #[must_use]
    pub fn next_timeout(&self, timeout: Duration) -> Option<MonitorEvent> {
        self.events.recv_timeout(timeout).ok()
    }

    /// The next event if there is one; never waits.
    #[must_use]
    pub fn try_next(&self) -> Option<MonitorEvent> {
        self.events.try_recv().ok()
    }

    /// How many events were dropped because they were not read in time.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Iterator for Monitor {
    type Item = MonitorEvent;

    /// Waits for the next event; ends with the socket.
    fn next(&mut self) -> Option<MonitorEvent> {
        self.events.recv().ok()
    }
}

/// The monitors of one socket.
#[derive(Debug, Default)]
pub(crate) struct Monitors {
    list: Vec<(SyncSender<MonitorEvent>, Arc<AtomicU64>)>,
}

impl Monitors {
    pub(crate) fn subscribe(&mut self) -> Monitor {
        let (sender, events) = sync_channel(CAPACITY);
        let dropped = Arc::new(AtomicU64::new(0));
        self.list.push((sender, Arc::clone(&dropped)));
        Monitor { events, dropped }
    }

    /// Tells the monitors, if there are any; the reason is put into words only then.
    pub(crate) fn tell(
        &mut self,
        kind: EventKind,
        endpoint: Option<&Endpoint>,
        reason: Option<&dyn std::fmt::Display>,
    ) {
        if self.list.is_empty() {
            return;
        }
        let event = MonitorEvent {
            kind,
            endpoint: endpoint.cloned(),
            reason: reason.map(ToString::to_string),
        };
        self.list.retain(|(sender, dropped)| match sender.try_send(event.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                dropped.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        });
    }

    /// The socket ended: readers see the end of the stream.
    pub(crate) fn close(&mut self) {
        self.list.clear();
    }
}
