//! What has passed.

/// Messages and bytes that passed, for one peer or one socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Whole messages queued for peers: one that goes to three subscribers counts three times.
    pub messages_sent: u64,
    /// Bytes of their bodies.
    pub bytes_sent: u64,
    /// Whole messages handed to the application.
    pub messages_received: u64,
    /// Bytes of their bodies.
    pub bytes_received: u64,
    /// Messages dropped at a high-water mark, for want of a route, or with a lost peer.
    pub messages_dropped: u64,
}

impl std::ops::AddAssign for Traffic {
    fn add_assign(&mut self, more: Traffic) {
        self.messages_sent += more.messages_sent;
        self.bytes_sent += more.bytes_sent;
        self.messages_received += more.messages_received;
        self.bytes_received += more.bytes_received;
        self.messages_dropped += more.messages_dropped;
    }
}
