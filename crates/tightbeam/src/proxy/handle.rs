//! Steering a proxy from another thread, and its counters.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::lane::Moved;
use crate::socket::PollWaker;

/// What a proxy is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Run,
    Pause,
    Terminate,
}

/// What has passed one side of a proxy. Bytes are those of the bodies of all parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxySide {
    /// Messages received from this side's socket.
    pub messages_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// Messages sent through this side's socket.
    pub messages_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
}

/// What has passed a proxy since it was made. If front and back are one socket, the front receives and
/// the back sends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyStats {
    /// The front.
    pub front: ProxySide,
    /// The back.
    pub back: ProxySide,
}

impl ProxyStats {
    /// The numbers in the order in which `STATISTICS` is answered.
    #[must_use]
    pub fn numbers(&self) -> [u64; 8] {
        let side = |side: &ProxySide| {
            [side.messages_received, side.bytes_received, side.messages_sent, side.bytes_sent]
        };
        let ([a, b, c, d], [e, f, g, h]) = (side(&self.front), side(&self.back));
        [a, b, c, d, e, f, g, h]
    }
}

#[derive(Debug, Default)]
struct Side {
    messages_received: AtomicU64,
    bytes_received: AtomicU64,
    messages_sent: AtomicU64,
    bytes_sent: AtomicU64,
}

impl Side {
    fn read(&self) -> ProxySide {
        ProxySide {
            messages_received: self.messages_received.load(Ordering::Relaxed),
            bytes_received: self.bytes_received.load(Ordering::Relaxed),
            messages_sent: self.messages_sent.load(Ordering::Relaxed),
            bytes_sent: self.bytes_sent.load(Ordering::Relaxed),
        }
    }
}

/// What a proxy shares with its handles.
#[derive(Debug, Default)]
pub(super) struct Shared {
    order: AtomicU8,
    /// Locked while an order is given, so that either the proxy sees the order before it waits, or
    /// whoever gives it sees the waker.
    waker: Mutex<Option<PollWaker>>,
    front: Side,
    back: Side,
}

impl Shared {
    pub(super) fn order(&self) -> Order {
        match self.order.load(Ordering::SeqCst) {
            0 => Order::Run,
            1 => Order::Pause,
            _ => Order::Terminate,
        }
    }

    /// An order that was given to end is never taken back.
    pub(super) fn set_order(&self, order: Order) {
        self.order
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| {
                (now != Order::Terminate as u8).then_some(order as u8)
            })
            .ok();
    }

    /// The proxy ends by the order: it may be run again.
    pub(super) fn obeyed_terminate(&self) {
        self.order.store(Order::Run as u8, Ordering::SeqCst);
    }

    pub(super) fn set_waker(&self, waker: PollWaker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }

    pub(super) fn stats(&self) -> ProxyStats {
        ProxyStats { front: self.front.read(), back: self.back.read() }
    }

    /// Counts what a lane has moved from the front, or from the back.
    pub(super) fn count(&self, from_front: bool, moved: &Moved) {
        let (from, to) =
            if from_front { (&self.front, &self.back) } else { (&self.back, &self.front) };
        from.messages_received.fetch_add(moved.messages_in, Ordering::Relaxed);
        from.bytes_received.fetch_add(moved.bytes_in, Ordering::Relaxed);
        to.messages_sent.fetch_add(moved.messages_out, Ordering::Relaxed);
        to.bytes_sent.fetch_add(moved.bytes_out, Ordering::Relaxed);
    }
}

/// Steers a [`Proxy`](crate::Proxy) from any thread, and reads its counters. Does not wait.
#[derive(Debug, Clone)]
pub struct ProxyHandle {
    shared: Arc<Shared>,
}

impl ProxyHandle {
    pub(super) fn new(shared: Arc<Shared>) -> ProxyHandle {
        ProxyHandle { shared }
    }

    /// Takes no more messages until it is resumed; those who send are held back.
    pub fn pause(&self) {
        self.give(Order::Pause);
    }

    /// Goes on.
    pub fn resume(&self) {
        self.give(Order::Run);
    }

    /// Ends [`run`](crate::Proxy::run), or the next one if it is not running.
    pub fn terminate(&self) {
        self.give(Order::Terminate);
    }

    /// What has passed. Counted in batches: while many messages pass, it may lag by some hundreds.
    #[must_use]
    pub fn stats(&self) -> ProxyStats {
        self.shared.stats()
    }

    fn give(&self, order: Order) {
        self.shared.set_order(order);
        let waker = self.shared.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
