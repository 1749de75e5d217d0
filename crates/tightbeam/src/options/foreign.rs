//! The options of transports that do not exist here: they can be set and read, and the transports are refused.

/// What was set.
#[derive(Debug, Clone)]
pub(crate) struct Foreign {
    /// In kilobits per second.
    pub(super) rate: i32,
    /// In milliseconds.
    pub(super) recovery_ivl: i32,
    pub(super) multicast_hops: i32,
    pub(super) multicast_loop: bool,
    /// In bytes.
    pub(super) multicast_maxtpdu: i32,
    /// In bytes.
    pub(super) vmci_buffer_size: u64,
    /// In bytes.
    pub(super) vmci_buffer_min_size: u64,
    /// In bytes.
    pub(super) vmci_buffer_max_size: u64,
    /// In milliseconds.
    pub(super) vmci_connect_timeout: i32,
    pub(super) loopback_fastpath: bool,
}

impl Default for Foreign {
    fn default() -> Foreign {
        Foreign {
            rate: 100,
            recovery_ivl: 10_000,
            multicast_hops: 1,
            multicast_loop: true,
            multicast_maxtpdu: 1500,
            vmci_buffer_size: 0,
            vmci_buffer_min_size: 0,
            vmci_buffer_max_size: 0,
            vmci_connect_timeout: -1,
            loopback_fastpath: false,
        }
    }
}
